"""From the files of others to a running suite by the front doors: import, check, serve, judge, run."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import requests
from front_doors import Call, Practice, written
from lxml import etree

from norms.check import checker_for
from norms.loader import load
from poincon.commands import norms_import
from poincon.practice import practice_declaration
from sandbox.pki import TestPki
from sandbox.serve import Sandbox

zeep = pytest.importorskip("zeep")

XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
BOOKS = "urn:test:livres"
TYPES = f"""\
<xs:schema {XS} targetNamespace="{BOOKS}" xmlns:l="{BOOKS}" xmlns:c="urn:test:commun" elementFormDefault="qualified">
  <xs:import namespace="urn:test:commun" schemaLocation="http://exemple.invalid/types/commun.xsd"/>
  <xs:element name="Session"><xs:complexType><xs:sequence><xs:element name="jeton" type="c:Jeton"/></xs:sequence>
  </xs:complexType></xs:element>
  <xs:element name="chercher"><xs:complexType><xs:sequence>
    <xs:element name="isbn"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="97[89]-\\d{{10}}"/>
    </xs:restriction></xs:simpleType></xs:element>
    <xs:element name="genre" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
      <xs:enumeration value="roman"/><xs:enumeration value="essai"/></xs:restriction></xs:simpleType></xs:element>
    <xs:element name="avant" type="xs:date"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="trouve"><xs:complexType><xs:sequence>
    <xs:element name="livre" type="l:Media" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="rendre"><xs:complexType><xs:attribute name="isbn" use="required"/></xs:complexType></xs:element>
  <xs:element name="rendu" type="xs:boolean"/>
  <xs:complexType name="Media" abstract="true"><xs:sequence><xs:element name="titre" type="c:Titre"/></xs:sequence>
  </xs:complexType>
  <xs:complexType name="Livre"><xs:complexContent><xs:extension base="l:Media"><xs:sequence>
    <xs:element name="suite" type="l:Media" minOccurs="0"/></xs:sequence></xs:extension></xs:complexContent>
  </xs:complexType>
</xs:schema>
"""
COMMON = f"""\
<xs:schema {XS} targetNamespace="urn:test:commun" xmlns:c="urn:test:commun">
  <xs:include schemaLocation="textes.xsd"/>
  <xs:simpleType name="Jeton"><xs:restriction base="xs:token"><xs:length value="8"/></xs:restriction></xs:simpleType>
</xs:schema>
"""
CHAMELEON = f"""\
<xs:schema {XS}>
  <xs:simpleType name="Titre"><xs:restriction base="xs:string"><xs:minLength value="1"/></xs:restriction>
  </xs:simpleType>
</xs:schema>
"""


def wsdl(soap: str, name: str, request: str, response: str, header: str = "") -> str:
    """Return a WSDL of one operation, types included by reference."""
    parts = '<part name="session" element="l:Session"/>' if header else ""
    extension = {"1.1": "soap/", "1.2": "soap12/"}[soap]
    return f"""\
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/{extension}"
    xmlns:l="{BOOKS}" xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{BOOKS}">
  <types><xs:schema><xs:import namespace="{BOOKS}" schemaLocation="types/livres.xsd"/></xs:schema></types>
  <message name="{name}In"><part name="body" element="l:{request}"/>{parts}</message>
  <message name="{name}Out"><part name="body" element="l:{response}"/></message>
  <portType name="Port{name}"><operation name="{name}"><input message="l:{name}In"/><output message="l:{name}Out"/>
  </operation></portType>
  <binding name="{name}B" type="l:Port{name}"><s:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="{name}"><s:operation soapAction="urn:{name}"/>
    <input>{header}<s:body use="literal" parts="body"/></input><output><s:body use="literal"/></output></operation>
  </binding>
</definitions>
"""


HEADER = '<s:header message="l:chercherIn" part="session" use="literal"/>'
KIT = {
    "chercher.wsdl": wsdl("1.2", "chercher", "chercher", "trouve", HEADER),
    "rendre.wsdl": wsdl("1.1", "rendre", "rendre", "rendu"),
    "types/livres.xsd": TYPES,
    "types/commun.xsd": COMMON,
    "types/textes.xsd": CHAMELEON,
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the norm goes: the first folder of POINCON_NORMS and of POINCON_SCENARIOS."""
    monkeypatch.setenv("POINCON_NORMS", str(tmp_path / "norms"))
    monkeypatch.setenv("POINCON_SCENARIOS", str(tmp_path / "pages"))
    return tmp_path / "norms"


def test_a_kit_becomes_a_norm_that_runs(call: Call, root: Path, tmp_path: Path, practice: Practice) -> None:
    kit = written(tmp_path / "kit", KIT)
    told = call("norms", "import", kit, "--as", "livres/1.0")
    assert told.code == 0, told.err
    for words in ("Opérations : 2", "norms check livres/1.0", str(root / "livres" / "1.0")):
        assert words in told.out
    norm = load("livres/1.0")
    assert {service.kind: service.soap for service in norm.services} == {"CHERCHER": "1.2", "RENDRE": "1.1"}
    assert {"soap11", "soap12"} <= set(norm.prefixes)  # paths in messages begin with them
    assert (norm.status, norm.provenance, norm.security.name) == ("draft", "reconstruction", "tls")

    checked = call("norms", "check", "livres/1.0")
    assert checked.code == 0, checked.out
    assert "0 erreur(s)" in checked.out
    for words in ("5 exigences engendrées sont à écrire", "Le titre est à écrire", "La population est vide",
                  "Aucune règle", "se limite à TLS"):  # fmt: skip
        assert words in checked.out

    judged = call("check", norm.root / "messages", "--json")
    assert judged.code == 0
    for report in json.loads(judged.out):
        kind, direction, _ = Path(report["path"]).name.split(".")
        assert (report["norm"], report["kind"], report["direction"]) == ("livres/1.0", kind, direction)

    with Sandbox([norm], tmp_path / "keys") as sandbox:
        serves_valid_answers(norm.root, sandbox, sandbox.pki)
        answers_a_stranger(sandbox)
        sut = tmp_path / "sut.yaml"
        sut.write_text(practice_declaration(norm, sandbox.endpoints(), sandbox.pki), encoding="utf-8")
        ran = call("run", "--sut", sut, "--out", tmp_path / "run", "--json")
        assert ran.code == 0, ran.out + ran.err
    counts = ran.json["counts"]  # type: ignore[index]
    assert (counts["fail"], counts["inconclusive"], counts["error"], counts["not_run"]) == (0, 0, 0, 0)
    assert counts["pass"] > 8


def serves_valid_answers(folder: Path, sandbox: Sandbox, pki: TestPki) -> None:
    """Send each canonical request; both engines must accept the answer, and a fault must refuse a spoilt request."""
    norm = load(str(folder))
    checker = checker_for(norm)
    for service in norm.services:
        address = sandbox.endpoints()[service.kind]
        body = (folder / "messages" / f"{service.kind}.request.xml").read_bytes()
        media = "text/xml" if service.soap == "1.1" else f'application/soap+xml; action="{service.request.action}"'
        headers = {"Content-Type": media, "SOAPAction": f'"{service.request.action}"'}
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(address, body, headers=headers, verify=str(pki.authority), timeout=20)
            refused = session.post(address, body.replace(b"isbn", b"ISBN"), headers=headers,
                                   verify=str(pki.authority), timeout=20)  # fmt: skip
        assert answer.status_code == 200, answer.text
        assert checker.check(etree.fromstring(answer.content), service.kind, "response", confirm=True) == []
        assert refused.status_code in (400, 500) and b"Fault" in refused.content


def answers_a_stranger(sandbox: Sandbox) -> None:
    """zeep reads what ?wsdl publishes and calls both operations."""
    for kind, call in (
        ("CHERCHER", lambda client: client.service.chercher(
            isbn="978-1234567890", avant="2026-01-15", _soapheaders={"header1": {"jeton": "exemples"}})),
        ("RENDRE", lambda client: client.service.rendre(isbn="978-1234567890")),
    ):  # fmt: skip
        with requests.Session() as session:
            session.trust_env, session.verify = False, str(sandbox.pki.authority)
            client = zeep.Client(f"{sandbox.endpoints()[kind]}?wsdl", transport=zeep.Transport(session=session))
            assert call(client) is not None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"types/commun.xsd": None}, ["livres.xsd:2", "adresse du réseau"]),
        ({"types/textes.xsd": None}, ["commun.xsd:2", "« textes.xsd » n'existe pas"]),
        ({"types/textes.xsd": "<xs:schema>"}, ["textes.xsd:1", "mal formé"]),
        ({"types/textes.xsd": f"<!DOCTYPE a>{CHAMELEON}"}, ["textes.xsd:1", "DOCTYPE"]),
        ({"types/commun.xsd": COMMON.replace("textes.xsd", "../../textes.xsd")}, ["commun.xsd:2", "hors du dossier"]),
        ({"types/textes.xsd": CHAMELEON.replace("Titre", "Intitule")}, ["livres.xsd:15", "« Titre » n'est défini"]),
        ({"rendre.wsdl": KIT["rendre.wsdl"].replace("literal", "encoded"), "chercher.wsdl": None},
         ["rendre.wsdl:", "« encoded »"]),
        (dict.fromkeys(KIT), ["aucun WSDL"]),
    ],
)  # fmt: skip
def test_a_kit_that_is_wrong_leaves_nothing_behind(
    change: dict[str, str | None], words: list[str], call: Call, root: Path, tmp_path: Path
) -> None:
    files = {name: text for name, text in {**KIT, **change}.items() if text is not None}
    (tmp_path / "kit").mkdir()
    told = call("norms", "import", written(tmp_path / "kit", files), "--as", "livres/1.0")
    assert (told.code, told.out) == (2, "")
    assert len(told.err.strip().splitlines()) == 1
    for word in words:
        assert word in told.err
    assert [path.name for path in tmp_path.iterdir()] == ["kit"]


def test_names_and_places_that_cannot_be(call: Call, root: Path, tmp_path: Path) -> None:
    kit = written(tmp_path / "kit", KIT)
    for source, ref, words in (
        (tmp_path / "absent", "livres/1.0", "n'existe pas"),
        (kit, "livres", "n'est pas le nom d'une version"),
        (kit, "../1.0", "n'est pas le nom d'une version"),
        (kit, "commun/1.0", "commun/1.0 existe déjà"),
    ):
        told = call("norms", "import", source, "--as", ref)
        assert told.code == 2 and words in told.err
    assert call("norms", "import", kit).code == 2
    assert not root.exists()
    assert call("norms", "import", kit, "--as", "livres/1.0").code == 0
    changes = root / "livres" / "1.0" / "CHANGES.md"
    changes.write_text("à moi", encoding="utf-8")
    again = call("norms", "import", kit, "--as", "livres/1.0")
    assert again.code == 2 and "existe déjà" in again.err
    assert changes.read_text("utf-8") == "à moi"
    beside = call("norms", "import", kit, "--as", "livres/1.0", "--dir", tmp_path / "norms")
    assert beside.code == 2 and "existe déjà" in beside.err


def test_what_fails_at_the_last_step_is_taken_back(
    call: Call, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = written(tmp_path / "kit", KIT)
    written(tmp_path / "pages", {"livres": "a file where a folder must be"})
    told = call("norms", "import", kit, "--as", "livres/1.0")
    assert told.code == 2 and len(told.err.strip().splitlines()) == 1
    assert not (root / "livres").exists()


def test_dir_says_where_and_how_to_find_it(call: Call, tmp_path: Path) -> None:
    kit = written(tmp_path / "kit", KIT)
    told = call("norms", "import", kit, "--as", "livres/2.0", "--dir", tmp_path / "ici", "--soap", "1.1")
    assert told.code == 0, told.err
    assert f"POINCON_NORMS={tmp_path / 'ici'}" in told.out
    pages = tmp_path / "ici" / "scenarios" / "livres" / "2.0" / "server"
    assert sorted(page.name for page in pages.iterdir()) == ["LIVRES-S-001.yaml", "LIVRES-S-002.yaml"]
    with (tmp_path / "ici" / "livres" / "2.0" / "requirements.csv").open(encoding="utf-8", newline="") as file:
        assert {row["section"] for row in csv.DictReader(file, delimiter=";")} == {"à écrire"}
    assert norms_import.SHOWN_LEFT_OUT > 0


def test_requirements_that_nobody_wrote_stop_a_publication(call: Call, root: Path, tmp_path: Path) -> None:
    assert call("norms", "import", written(tmp_path / "kit", KIT), "--as", "livres/1.0").code == 0
    refused = call("norms", "publish", "livres/1.0")
    assert refused.code in (1, 2)
    assert "5 exigences engendrées sont à écrire" in refused.out + refused.err
    file = root / "livres" / "1.0" / "norm.yaml"
    file.write_text(file.read_text("utf-8").replace("status: draft", "status: published"), encoding="utf-8")
    told = call("norms", "check", "livres/1.0")
    assert told.code == 1
    assert "erreur : 5 exigences engendrées sont à écrire" in told.out
    assert [path.name for path in root.iterdir()] == ["livres"]
