"""What is read in WSDL files of others, and what is refused, in one sentence with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from foreign_kits import BINDING, TNS, XS, binding, imported, interface, payloads, schema, written, wsdl
from lxml import etree

from norms.checker import check_norm
from norms.digest import norm_digest
from norms.errors import NormError, PoinconError, UsageError
from norms.foreign import gathering
from norms.foreign.draft import Imported
from norms.loader import load
from norms.model import Norm

TYPES = schema(payloads('<xs:element name="n" type="xs:int"/>'))
TWO = schema("".join(payloads("").replace("prendre", name) for name in ("prendre", "rendre")))


def norm_of(made: Imported) -> Norm:
    return load(str(made.folder), [made.folder.parent.parent])


def draft(tmp_path: Path, files: dict[str, str | bytes]) -> Norm:
    """Import a kit and demand that `norms check` finds remarks only."""
    norm = norm_of(imported(tmp_path / "kit", tmp_path / "work", files))
    wrong = [problem for problem in check_norm(norm.root, roots=[tmp_path / "work"]) if problem.severity == "error"]
    assert wrong == []
    return norm


@pytest.mark.parametrize("soap", ["1.1", "1.2"])
def test_a_service_speaks_the_soap_version_of_its_binding(soap: str, tmp_path: Path) -> None:
    service = draft(tmp_path, {"l.wsdl": wsdl(TYPES, soap=soap)}).services[0]
    assert (service.kind, service.soap, service.operation) == ("PRENDRE", soap, "prendre")
    assert (service.request.element, service.response.element) == ("t:prendre", "t:prendreReponse")
    assert service.request.action == "urn:prendre"


@pytest.mark.parametrize("preferred", ["1.1", "1.2"])
def test_of_two_bindings_the_preferred_one_is_taken(preferred: str, tmp_path: Path) -> None:
    both = interface("prendre") + binding("1.1", "prendre", "B1") + binding("1.2", "prendre", "B2")
    kit = written(tmp_path / "kit", {"l.wsdl": wsdl(TYPES, both)})
    made = gathering.Kit(kit)
    from norms.foreign.wsdl import describe

    assert [one.soap for one in describe(made, preferred).operations] == [preferred]  # type: ignore[arg-type]


def test_an_operation_of_one_version_only_is_taken_as_it_is(tmp_path: Path) -> None:
    both = interface("prendre rendre") + binding("1.1", "prendre rendre", "B1") + binding("1.2", "prendre", "B2")
    norm = draft(tmp_path, {"l.wsdl": wsdl(TWO, both)})
    assert {service.operation: service.soap for service in norm.services} == {"prendre": "1.2", "rendre": "1.1"}
    assert len({service.path for service in norm.services}) == len({service.wsdl for service in norm.services}) == 2


def test_a_description_in_several_files(tmp_path: Path) -> None:
    head = f'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="{TNS}" targetNamespace="{TNS}">'
    names = ' location="{}" namespace="' + TNS + '"/>'
    norm = draft(tmp_path, {
        "service.wsdl": f"{head}<import{names.format('b/binding.wsdl')}</definitions>",
        "b/binding.wsdl": f"{head}<import{names.format('../abstract.wsdl')}{binding('1.1', 'prendre')}</definitions>",
        "abstract.wsdl": f"{head}<import{names.format('http://exemple.invalid/service.wsdl')}<types>"
                         f'<xs:schema xmlns:xs="{XS}"><xs:import namespace="{TNS}" schemaLocation="x.xsd"/></xs:schema>'
                         f"</types>{interface('prendre')}</definitions>",
        "x.xsd": TYPES,
    })  # fmt: skip
    assert [service.kind for service in norm.services] == ["PRENDRE"]
    assert sorted(path.name for path in (norm.root / "originals").rglob("*") if path.is_file()) == [
        "abstract.wsdl", "binding.wsdl", "service.wsdl", "sha256.txt", "x.xsd"
    ]  # fmt: skip


def with_headers(request: str, body: str = "") -> str:
    """Return interface and binding whose request also carries parts; request: header elements of the binding."""
    return (
        '<message name="d"><part name="body" element="t:prendre"/><part name="ctx" element="t:contexte"/></message>'
        '<message name="h"><part name="jeton" element="t:jeton"/></message>'
        '<message name="r"><part name="body" element="t:prendreReponse"/></message>'
        '<portType name="P"><operation name="prendre"><input message="t:d"/><output message="t:r"/></operation>'
        f'</portType><binding name="B" type="t:P" xmlns:s="{BINDING["1.2"]}"><s:binding transport='
        '"http://schemas.xmlsoap.org/soap/http"/><operation name="prendre"><s:operation soapAction="urn:a"/><input>'
        f'<s:body use="literal" {body}/>{request}</input><output><s:body use="literal"/></output></operation></binding>'
    )


HEADERS = schema(
    payloads("") + '<xs:element name="contexte"><xs:complexType><xs:sequence><xs:element name="id" type="xs:int"/>'
    '</xs:sequence></xs:complexType></xs:element><xs:element name="jeton" type="xs:token"/>'
)
OWN = '<s:header message="t:d" part="ctx" use="literal"/>'
FOREIGN = '<s:header message="t:h" part="jeton" use="literal"/>'


def test_headers_come_from_the_binding(tmp_path: Path) -> None:
    norm = draft(tmp_path, {"l.wsdl": wsdl(HEADERS, with_headers(OWN + FOREIGN))})
    assert norm.services[0].headers == ("t:contexte", "t:jeton")
    header = etree.parse(norm.root / "messages" / "PRENDRE.request.xml").getroot()[0]
    assert [etree.QName(block).localname for block in header] == ["contexte", "jeton"]


def test_the_parts_of_the_body_may_be_named(tmp_path: Path) -> None:
    norm = draft(tmp_path, {"l.wsdl": wsdl(HEADERS, with_headers("", 'parts="body"'))})
    assert norm.services[0].headers == ()


def test_two_port_types_may_have_one_operation_name(tmp_path: Path) -> None:
    other = wsdl(TYPES).replace("urn:test:livre", "urn:test:disque")
    norm = draft(tmp_path, {"a.wsdl": wsdl(TYPES), "b.wsdl": other})
    assert [service.kind for service in norm.services] == ["PPRENDREN2", "PPRENDREN1"]
    again = norm_of(imported(tmp_path / "other", tmp_path / "again", {"z.wsdl": wsdl(TYPES), "b.wsdl": other}))
    assert {service.request.element.partition(":")[2] for service in again.services} == {"prendre"}
    kinds = {norm.prefixes[service.request.element.partition(":")[0]]: service.kind for service in norm.services}
    assert kinds == {again.prefixes[one.request.element.partition(":")[0]]: one.kind for one in again.services}


def test_messages_that_look_the_same_are_judged_as_what_they_are(tmp_path: Path) -> None:
    shared = interface("prendre rendre").replace('element="t:rendreReponse"', 'element="t:prendreReponse"')
    norm = draft(tmp_path, {"l.wsdl": wsdl(TWO, shared + binding("1.1", "prendre rendre"))})
    told = [problem.sentence for problem in check_norm(norm.root, roots=[tmp_path / "work"])]
    assert any("même contenu : t:prendreReponse" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (interface("prendre rendre") + binding("1.1", "prendre") + binding("1.1", "rendre", "R", style="rpc"),
         "« rpc »"),
        (interface("prendre rendre") + binding("1.1", "prendre") + binding("1.1", "rendre", "R", use="encoded"),
         "« encoded »"),
        (interface("prendre rendre").replace('<output message="t:rendreReponse"/>', "")
         + binding("1.1", "prendre rendre"), "sens unique"),
        (interface("prendre rendre").replace('element="t:rendre"', 'type="t:rendre"')
         + binding("1.1", "prendre rendre"),
         "désigne un type"),
        (interface("prendre rendre") + binding("1.1", "prendre")
         + binding("1.1", "rendre", "R").replace("/soap/http", "/soap/jms"), "n'est pas HTTP"),
        (interface("prendre rendre").replace('<part name="body" element="t:rendre"/>', "")
         + binding("1.1", "prendre rendre"), "0 parties"),
        (interface("prendre") + binding("1.1", "prendre rendre"), "ne définit pas cette opération"),
    ],
    ids=["rpc", "encoded", "one-way", "type", "transport", "empty", "unknown"],
)  # fmt: skip
def test_what_cannot_be_spoken_to_is_left_out_with_a_reason(body: str, why: str, tmp_path: Path) -> None:
    made = imported(tmp_path / "kit", tmp_path / "work", {"l.wsdl": wsdl(TWO, body)})
    assert [one.name for one in made.plan.kinds] == ["prendre"]
    assert [(one.name, why in one.why) for one in made.left_out] == [("rendre", True)]
    assert why in (made.folder / "CHANGES.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "aucun WSDL"),
        ({"x.xsd": TYPES}, "aucun WSDL"),
        ({"l.wsdl": "<definitions>"}, "l.wsdl:1: Le XML est mal formé"),
        ({"l.wsdl": "<definitions/>"}, "l.wsdl:1: Ce n'est pas un WSDL 1.1"),
        ({"l.wsdl": "\n<!DOCTYPE definitions [<!ENTITY a 'b'>]>" + wsdl(TYPES)}, "l.wsdl:2: Un DOCTYPE"),
        ({"l.wsdl": wsdl(TYPES, interface("prendre") + binding("1.1", "prendre", style="rpc"))},
         "l.wsdl:1: prendre : le style « rpc »"),
        ({"l.wsdl": wsdl(TYPES, interface("prendre") + binding("1.1", "prendre", use="encoded"))},
         "l.wsdl:1: prendre : l'usage « encoded »"),
        ({"l.wsdl": wsdl(TYPES, interface("prendre prendre") + binding("1.1", "prendre"))},
         "l.wsdl:1: L'opération « prendre » est définie deux fois"),
        ({"l.wsdl": wsdl(TYPES, interface("prendre"))}, "ne lie une opération à SOAP"),
        ({"l.wsdl": wsdl(TYPES, '<import location="absent.wsdl"/>')}, "l.wsdl:1: Le fichier « absent.wsdl » n'existe"),
        ({"l.wsdl": wsdl(TYPES, '<import location="https://exemple.invalid/w"/>')}, "l.wsdl:1: .*adresse du réseau"),
        ({"l.wsdl": wsdl(TYPES).replace('type="t:P"', 'type="q:P"')}, "l.wsdl:1: Le préfixe « q » n'est pas déclaré"),
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_imported_is_refused_in_a_sentence(
    files: dict[str, str | bytes], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "kit").mkdir()
    with pytest.raises(PoinconError, match=sentence) as told:
        imported(tmp_path / "kit", tmp_path / "work", files)
    assert "\n" not in str(told.value)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    file = written(tmp_path, {"l.wsdl": wsdl(TYPES)}) / "l.wsdl"
    for place in (tmp_path / "absent", file):
        with pytest.raises(UsageError, match="n'existe pas"):
            gathering.Kit(place)


def test_a_file_that_is_too_big_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kit = written(tmp_path / "kit", {"l.wsdl": wsdl(TYPES)})
    monkeypatch.setattr(gathering, "FILE_BYTES", 100)
    with pytest.raises(NormError, match=r"l\.wsdl:1: Le fichier compte \d+ octets ; 100 au plus"):
        gathering.Kit(kit)
    monkeypatch.setattr(gathering, "FILE_BYTES", 1_000_000)
    monkeypatch.setattr(gathering, "ALL_BYTES", 100)
    with pytest.raises(NormError, match="Les fichiers comptent"):
        gathering.Kit(kit)
    monkeypatch.setattr(gathering, "FILES", 0)
    with pytest.raises(NormError, match="compte 1 fichiers ; 0 au plus"):
        gathering.Kit(kit)


def test_the_originals_are_kept_and_watched(tmp_path: Path) -> None:
    files = {"l.wsdl": wsdl(TYPES).encode() + b"\r\n ", "notes.pdf": b"%PDF", "exemple.xml": b"<x/>"}
    made = imported(tmp_path / "kit", tmp_path / "work", files)
    kept = made.folder / "originals" / "l.wsdl"
    assert kept.read_bytes() == files["l.wsdl"]
    assert sorted(path.name for path in kept.parent.iterdir()) == ["l.wsdl", "sha256.txt"]
    before = norm_digest(made.folder)

    def told() -> list[str]:
        found = check_norm(made.folder, roots=[tmp_path / "work"])
        return [problem.sentence for problem in found if problem.severity == "error"]

    assert told() == []
    kept.write_bytes(kept.read_bytes() + b" ")
    assert told() == ["Cet original a changé."]
    assert norm_digest(made.folder) != before
    kept.unlink()
    (kept.parent / "autre.xsd").write_text("x", encoding="utf-8")
    assert told() == ["Cet original a disparu.", "Ce fichier n'est pas dans la liste des originaux."]


def test_the_same_folder_gives_the_same_draft(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"l.wsdl": wsdl(TWO, operations="prendre rendre"), "m/n.xsd": TYPES}
    first = imported(tmp_path / "one", tmp_path / "work", files)
    second = imported(tmp_path / "two", tmp_path / "again", dict(reversed(files.items())))
    assert norm_digest(first.folder) == norm_digest(second.folder)
