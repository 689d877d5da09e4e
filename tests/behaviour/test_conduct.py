"""conduct.yaml: what is read, what is refused, and what deviations of a software may name."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from lxml import etree

from norms.behaviour.conduct import Conduct, read_conduct
from norms.behaviour.deviations import read_faults
from norms.behaviour.expressions import Variables
from norms.behaviour.software import load_software
from norms.behaviour.words import words_of_conduct
from norms.errors import NormError
from norms.loader import load

VILLE = load("ville/1.1")
TEXT = """
actions: {droits: {start: IDB}, facturer: {start: IDB, allows: [CLC]}}
believes: [valid, signed]
waits: "10"
retries: {times: "1", on: [silence]}
fault: {shown: "//com:Code"}
routes:
  IDB:
    - {id: plus, when: "//a", send: CLC}
    - {id: fin, end: refused, shown: "//b", tell: {x: "//c"}, keep: {y: "//d"}}
  CLC: [{id: garantie, end: accepted}]
"""


def conduct(folder: Path, *texts: str) -> Conduct:
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / f"conduct{number}.yaml")
        paths[-1].write_text(text, encoding="utf-8")
    found = read_conduct(paths, VILLE)
    assert found is not None
    return found


def test_the_file_is_read(tmp_path: Path) -> None:
    read = conduct(tmp_path, TEXT)
    assert read.actions["facturer"].allows == ("IDB", "CLC")
    assert (read.believes, read.waits, read.retries, read.causes) == (("valid", "signed"), 10.0, 1, ("silence",))
    first, last = read.routes["IDB"]
    assert (first.send, last.send, last.end, list(last.tell), list(last.keep)) == ("CLC", "", "refused", ["x"], ["y"])


def test_a_later_file_adds_and_replaces(tmp_path: Path) -> None:
    own = 'actions: {droits: {start: CLC}}\nroutes: {CLC: [{id: autre, end: refused}]}\nwaits: "3"\n'
    read = conduct(tmp_path, TEXT, own)
    assert (read.actions["droits"].start, read.actions["facturer"].start, read.waits) == ("CLC", "IDB", 3.0)
    assert [route.id for routes in read.routes.values() for route in routes] == ["plus", "fin", "autre"]


DIRECTORY = """
directory:
  kind: ADR
  refused: "//resultat/code != '00'"
  shown: "//resultat/code"
  found: "//adresse[service = $request//code_service]/valeur"
  values: {IDB: {service: IDB}, CLC: {service: CLC}}
optional: {ADR: ["//ann:search//code_csr"], IDB: ["//com:CritereSecondaire"]}
"""


def test_a_directory_is_read_and_its_values_grow(tmp_path: Path) -> None:
    own = "directory: {every: {version_norme: V1.1}, values: {CLC: {norme: CLC}}}\noptional: {IDB: []}\n"
    read = conduct(tmp_path, TEXT + DIRECTORY, own)
    assert read.directory is not None
    assert read.directory.kind == "ADR"
    assert read.directory.values == {
        "IDB": {"version_norme": "V1.1", "service": "IDB"},
        "CLC": {"version_norme": "V1.1", "service": "CLC", "norme": "CLC"},
    }
    assert {kind: len(places) for kind, places in read.optional.items()} == {"ADR": 1, "IDB": 0}
    assert conduct(tmp_path, TEXT).directory is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("kind: ADR", "kind: ADRESSE", "ADRESSE"),
        ('shown: "//resultat/code"', 'affiche: "//a"', "affiche"),
        ('  shown: "//resultat/code"\n', "", "shown"),
        ("{service: IDB}", "{servis: IDB}", "servis"),
        ("values: {IDB:", "values: {IDE:", "IDE"),
        ("$request//code_service", "$demande//code_service", "demande"),
        ("optional: {ADR:", "optional: {ADX:", "ADX"),
        ("//ann:search//", "//anx:search//", "XPath"),
    ],
)
def test_what_is_wrong_in_a_directory_is_said(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in DIRECTORY
    with pytest.raises(NormError, match=told) as raised:
        conduct(tmp_path, TEXT + DIRECTORY.replace(old, new))
    assert "conduct0.yaml" in raised.value.file


def test_what_an_inherited_file_says_of_other_services_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "conduct.yaml"
    foreign = TEXT.replace("facturer:", "simuler: {start: IDB, allows: [XYZ]}, facturer:")
    foreign = foreign.replace("{id: plus, ", '{id: ailleurs, when: "//b", send: XYZ}\n    - {id: plus, ')
    path.write_text(foreign + "  XYZ: [{id: rien, end: stopped}]\n", encoding="utf-8")
    with pytest.raises(NormError, match="XYZ"):
        read_conduct([path], VILLE)
    parent = msgspec.structs.replace(VILLE.parents[0], root=tmp_path)
    read = read_conduct([path], msgspec.structs.replace(VILLE, parents=(parent,)))
    assert read is not None
    assert (set(read.actions), set(read.routes)) == ({"droits", "facturer"}, {"IDB", "CLC"})
    assert [(route.id, route.send) for route in read.routes["IDB"]] == [("ailleurs", ""), ("plus", "CLC"), ("fin", "")]


def test_a_route_may_stop_and_look_at_the_request(tmp_path: Path) -> None:
    text = TEXT.replace("end: accepted}]", 'end: stopped, keep: {a: "$request//clc:NumeroFacture", b: "$today"}}]')
    (route,) = conduct(tmp_path, text).routes["CLC"]
    request = etree.fromstring(f'<a xmlns="{VILLE.prefixes["clc"]}"><NumeroFacture>7</NumeroFacture></a>')
    given: Variables = {"request": request, "today": "2026-01-02"}
    assert route.end == "stopped"
    assert [text.text(etree.Element("r"), given) for text in route.keep.values()] == ["7", "2026-01-02"]


def test_no_file_is_no_conduct() -> None:
    assert read_conduct([], VILLE) is None
    bare = msgspec.structs.replace(VILLE, root=Path("/nowhere"), parents=())
    with pytest.raises(NormError, match="se conduit"):
        load_software(bare)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("start: IDB}, f", "start: SIM}, f", "SIM"),
        ("[valid, signed]", "[valable]", "valable"),
        ('waits: "10"', 'waits: "0"', "waits"),
        ("[silence]", "[ennui]", "ennui"),
        ("send: CLC", "send: DEL", "DEL"),
        ("send: CLC", "send: CLC, end: refused", "une suite"),
        ("CLC: [{id: garantie, end: accepted}]", 'CLC: [{id: garantie, when: "//a", end: accepted}]', "par défaut"),
        ("  CLC: [{id: garantie, end: accepted}]", "", "CLC"),
        ('"//a"', '"//["', "XPath"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in TEXT
    with pytest.raises(NormError, match=told) as raised:
        conduct(tmp_path, TEXT.replace(old, new))
    assert "conduct0.yaml" in raised.value.file


@pytest.mark.parametrize(
    ("operator", "told"),
    [
        ("{operator: ignore-route, route: autre}", "autre"),
        ("{operator: believe, checks: [tout]}", "tout"),
        ("{operator: ignore-row, row: idb-inconnu}", "ignore-row"),
        ("{operator: say, outcome: perdu}", "perdu"),
        ("{operator: retry, times: souvent}", "souvent"),
        ("{operator: tell, name: montant, value: '1'}", "montant"),
        ("{operator: stop-before, kind: XYZ}", "XYZ"),
        ("{operator: take-address, at: '$ailleurs'}", "ailleurs"),
        ("{operator: remove, at: '//ann:search'}", "XPath"),
        ("{operator: remove, at: '//ann:search', kinds: [ADX]}", "ADX"),
    ],
)
def test_a_deviation_names_what_a_software_has(tmp_path: Path, operator: str, told: str) -> None:
    read = conduct(tmp_path, TEXT)
    path = tmp_path / "faults.yaml"
    one = f"faults:\n  - {{id: F, title: F, requirement: SOC-LPS-001, changes: [{operator}]}}\n"
    path.write_text(one, encoding="utf-8")
    with pytest.raises(NormError, match=told):
        read_faults((path,), VILLE, words_of_conduct(read, VILLE))


def test_a_deviation_may_concern_the_messages_of_a_companion(tmp_path: Path) -> None:
    words = words_of_conduct(conduct(tmp_path, TEXT), VILLE)
    path = tmp_path / "faults.yaml"
    change = "{operator: remove, at: '//ann:search/*', kinds: [ADR], when: '//ann:search'}"
    path.write_text(
        f"faults:\n  - {{id: F, title: F, requirement: SOC-ANN-001, changes: [{change}]}}\n"
        "  - {id: G, title: G, requirement: SOC-ANN-001, kinds: [XYZ], operator: remove, at: '//xyz:b'}\n",
        encoding="utf-8",
    )
    with pytest.raises(NormError, match="XYZ"):
        read_faults((path,), VILLE, words)
    parent = msgspec.structs.replace(VILLE.parents[0], root=tmp_path)
    heir = msgspec.structs.replace(VILLE, parents=(parent,))
    assert [fault.id for fault in read_faults((path,), heir, words)] == ["F"]


def test_the_bundled_software_loads_and_its_faults_break_obligations_of_a_client() -> None:
    software = load_software(VILLE)
    assert {"droits", "facturer"} <= set(software.conduct.actions)
    for fault in software.faults:
        requirement = VILLE.requirement(fault.requirement)
        assert requirement is not None
        assert requirement.role in ("client", "both"), fault.id
