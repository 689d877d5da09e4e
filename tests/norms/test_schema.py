from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree
from tiny_norm import BASE, DEMAND, EMPRUNT_XSD, IMPOSSIBLE_XSD, NORM, OWN

from norms.errors import NormError
from norms.model import Norm
from norms.schema import Schemas, roots_of, walk

Make = Callable[..., Norm]
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def demand(change: str = "", to: str = "") -> etree._Element:
    text = DEMAND.replace("<e:Demande ", f'<e:Demande xmlns:e="{OWN}" xmlns:s="{BASE}" xmlns:xsi="{XSI}" ', 1)
    assert change in text
    return etree.fromstring(text.replace(change, to, 1))


def schemas(norm: Norm) -> Schemas:
    return Schemas(norm.schemas, roots_of(norm))


@pytest.fixture
def tiny(make_norm: Make) -> Schemas:
    return schemas(make_norm())


def test_namespaces_and_elements_of_parents_are_known(tiny: Schemas) -> None:
    assert tiny.knows(demand())
    assert not tiny.knows(demand()[0])
    assert tiny.namespaces == {OWN, BASE}
    assert tiny.elements == {f"{{{OWN}}}Demande", f"{{{OWN}}}Reponse", f"{{{BASE}}}Contexte", f"{{{BASE}}}Erreur"}


@pytest.mark.parametrize(
    ("change", "to", "valid"),
    [("", "", True), ("1234", "12345", False), ("2026-01-01", "2026-02-30", False), (' Version="1.0"', "", False)],
)
def test_both_engines_judge(tiny: Schemas, change: str, to: str, valid: bool) -> None:
    part = demand(change, to)
    assert tiny.valid(part) is valid
    assert tiny.second_valid(part) is valid
    assert (tiny.faults(part) == []) is valid
    assert (tiny.second_faults(part) == []) is valid


def test_second_engine_names_the_same_element(tiny: Schemas) -> None:
    part = demand("1234", "x")
    assert [fault.element for fault in tiny.second_faults(part)] == [part[3]]


def test_two_files_of_one_namespace_are_joined(make_norm: Make) -> None:
    more = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{OWN}">
      <xs:element name="Autre" type="xs:int"/></xs:schema>"""
    norm = make_norm(
        {
            "emprunt/1.0/schema/autre.xsd": more,
            "emprunt/1.0/norm.yaml": NORM.replace("schema/emprunt.xsd", "schema/emprunt.xsd, schema/autre.xsd"),
        }
    )
    both = schemas(norm)
    other = etree.fromstring(f'<Autre xmlns="{OWN}">1</Autre>')
    for engine in (both.valid, both.second_valid):
        assert engine(demand())
        assert engine(other)
    other.text = "x"
    assert not both.valid(other)
    assert not both.second_valid(other)


@pytest.mark.parametrize(
    "location",
    ["../../../../outside.xsd", "http://127.0.0.1:9/x.xsd", "file:///etc/hosts", "absent.xsd", "//host/x.xsd"],
)
def test_import_outside_the_norms_is_refused(make_norm: Make, tmp_path: Path, location: str) -> None:
    (tmp_path / "outside.xsd").write_text(EMPRUNT_XSD, encoding="utf-8")
    norm = make_norm(
        {"emprunt/1.0/schema/emprunt.xsd": EMPRUNT_XSD.replace("../../../socle/1.0/schema/socle.xsd", location)}
    )
    with pytest.raises(NormError) as caught:
        schemas(norm)
    assert Path(caught.value.file).name == "emprunt.xsd"
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<xs:schema", 1),
        ("<a/>", 1),
        ('<!DOCTYPE a [<!ENTITY x "y">]>\n<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>', 1),
    ],
)
def test_file_that_is_no_schema_is_refused(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "a.xsd"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NormError) as caught:
        walk([path], [tmp_path])
    assert caught.value.line == line


def test_schema_that_libxml2_does_not_accept_is_refused_at_its_line(make_norm: Make) -> None:
    norm = make_norm({"emprunt/1.0/schema/emprunt.xsd": EMPRUNT_XSD.replace('"s:Isbn"', '"s:Absent"')})
    with pytest.raises(NormError) as caught:
        schemas(norm)
    assert Path(caught.value.file).name == "emprunt.xsd"
    assert caught.value.line == 10


def test_schema_that_xmlschema_does_not_accept_is_refused(make_norm: Make) -> None:
    with pytest.raises(NormError, match="xmlschema refuse le schéma"):
        schemas(make_norm({"emprunt/1.0/schema/emprunt.xsd": IMPOSSIBLE_XSD})).prepare_second()


class _Recorder(http.server.BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("Handler", (_Recorder,), {"asked": asked})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_p15_schema_location_of_a_message_is_ignored(tiny: Schemas, web: tuple[str, list[str]], tmp_path: Path) -> None:
    """The message brings a schema that would make its foreign element wrong: neither engine reads it."""
    address, asked = web
    poison = tmp_path / "poison.xsd"
    poison.write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:poison">'
        '<xs:element name="x" type="xs:int"/></xs:schema>',
        encoding="utf-8",
    )
    part = demand("</e:Demande>", '<x xmlns="urn:poison">no number</x></e:Demande>')
    locations = f"urn:poison {poison.as_uri()} urn:other {address}/x.xsd {OWN} {address}/own.xsd"
    part.set(f"{{{XSI}}}schemaLocation", locations)
    part.set(f"{{{XSI}}}noNamespaceSchemaLocation", f"{address}/none.xsd")
    for engine in (tiny.valid, tiny.second_valid):
        assert engine(part)
    assert tiny.faults(part) == []
    assert asked == []


@pytest.mark.parametrize(("name", "valid"), [("b:Nom", True), ("b:Rien", False), ("rien:Nom", False)])
def test_a_type_named_in_a_message_is_looked_up_with_the_prefixes_of_its_envelope(
    name: str, valid: bool, tiny: Schemas
) -> None:
    envelope = etree.fromstring(f'<enveloppe xmlns:b="{BASE}"/>')
    envelope.append(demand("<e:Lecteur>", f'<e:Lecteur xsi:type="{name}">'))
    assert tiny.valid(envelope[0]) is valid
    assert tiny.second_valid(envelope[0]) is valid
    assert bool(tiny.second_faults(envelope[0])) is not valid


def test_p16_message_cannot_bring_a_schema_nor_blow_up_a_pattern(make_norm: Make) -> None:
    """Schemas come from norm folders only; a pattern of the norm meets a value made to backtrack."""
    nested = EMPRUNT_XSD.replace('name="Lecteur" type="s:Nom"', 'name="Lecteur" type="Retour"').replace(
        "</xs:schema>",
        '<xs:simpleType name="Retour"><xs:restriction base="xs:string"><xs:pattern value="(a|aa|a?)+b"/>'
        "</xs:restriction></xs:simpleType></xs:schema>",
    )
    tiny = schemas(make_norm({"emprunt/1.0/schema/emprunt.xsd": nested}))
    assert not tiny.valid(demand("L1", "a" * 20))
    brought = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="y" type="xs:int"/></xs:schema>'
    part = demand("<e:Lecteur>L1</e:Lecteur>", "<e:Lecteur>aab</e:Lecteur>")
    part.append(etree.fromstring(brought))
    part.append(etree.fromstring("<y xmlns='urn:y'>x</y>"))
    assert tiny.valid(part)
    assert tiny.namespaces == {OWN, BASE}


def test_threads_share_schemas(tiny: Schemas) -> None:
    verdicts: list[bool] = []

    def work(valid: bool) -> None:
        part = demand() if valid else demand("1234", "x")
        for _ in range(100):
            verdicts.append(tiny.valid(part) is valid and (len(tiny.faults(part)) == 0) is valid)

    threads = [threading.Thread(target=work, args=(valid,)) for valid in (True, False, True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(verdicts) == 400
    assert all(verdicts)


def test_threads_do_not_validate_with_one_schema_at_once(tiny: Schemas, monkeypatch: pytest.MonkeyPatch) -> None:
    """lxml's error handlers would be left in another order than entered: a thread keeps one that is freed."""
    inside, most = [], []

    class Slow:
        def validate(self, _: etree._Element) -> bool:
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.005)
            inside.pop()
            return True

    monkeypatch.setattr(tiny, "_quick", Slow())
    threads = [threading.Thread(target=tiny.valid, args=(etree.Element("a"),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8
