"""conduct.yaml: what is read, what is refused, and what deviations of a software may name."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from norms.behaviour.conduct import Conduct, read_conduct
from norms.behaviour.deviations import read_faults
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
    ],
)
def test_a_deviation_names_what_a_software_has(tmp_path: Path, operator: str, told: str) -> None:
    read = conduct(tmp_path, TEXT)
    path = tmp_path / "faults.yaml"
    one = f"faults:\n  - {{id: F, title: F, requirement: SOC-LPS-001, changes: [{operator}]}}\n"
    path.write_text(one, encoding="utf-8")
    with pytest.raises(NormError, match=told):
        read_faults((path,), VILLE, words_of_conduct(read, VILLE))


def test_the_bundled_software_loads_and_its_faults_break_obligations_of_a_client() -> None:
    software = load_software(VILLE)
    assert {"droits", "facturer"} <= set(software.conduct.actions)
    for fault in software.faults:
        requirement = VILLE.requirement(fault.requirement)
        assert requirement is not None
        assert requirement.role in ("client", "both"), fault.id
