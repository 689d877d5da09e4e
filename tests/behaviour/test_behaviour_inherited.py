"""A practice partner that builds on the simulator of a norm it uses."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from norms.behaviour import Behaviour, RandomIds, State, load
from norms.errors import NormError
from norms.loader import load as load_norm
from norms.model import Norm

PARENT = {
    "population.yaml": """
pools:
  droits-ouverts: {title: {fr: Ouverts}, entries: [{nir: "1"}]}
  commun: {title: {fr: Communs}, entries: [{nir: "2"}]}
lists: {amc: [{numero: "7"}]}
""",
    "decisions.yaml": """
fault: {answer: fault}
let: {nom: "//n"}
decisions:
  "*":
    let: {double: "concat($nom, $nom)"}
    finally: {dit: "concat($code, '!')"}
    rows:
      - {id: vide, when: "$nom = ''", set: {code: "'01'"}, answer: refus}
""",
    "faults.yaml": """
faults:
  - {id: F-1, title: {fr: Un}, requirement: SOC-GEN-001, operator: ignore-row, row: idb-vide}
  - {id: F-2, title: {fr: Deux}, requirement: SOC-GEN-001, operator: ignore-row, row: clc-vide}
""",
    "answers/refus.xml": '<r e="{{ element }}" ns="{{ namespace }}">{{ code }}{{ dit }}{% include "plus.xml" %}</r>',
    "answers/plus.xml": "<parent/>",
    "answers/fault.xml": "<f/>",
}
CHILD = {
    "population.yaml": """
pools:
  droits-ouverts: {title: {fr: Ouverts}, entries: [{nir: "3"}, {nir: "4"}]}
""",
    "decisions.yaml": """
decisions:
  IDB:
    rows: [{id: tout, set: {code: "$double"}, answer: a}]
  CLC:
    rows: [{id: tout-clc, set: {code: "'00'"}, answer: a}]
""",
    "faults.yaml": """
faults:
  - {id: F-2, title: {fr: Autre}, requirement: VIL-IDB-001, operator: ignore-row, row: idb-vide}
""",
    "answers/a.xml": "<a>{{ code }}{{ dit }}</a>",
    "answers/plus.xml": "<enfant/>",
}


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / "simulator" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def norm_of(folder: Path, **child: str) -> Norm:
    norm = load_norm("ville/1.1")
    parent = msgspec.structs.replace(norm.parents[0], root=write(folder / "parent", PARENT))
    online = tuple(service for service in norm.services if service.carrier == "soap")
    root = write(folder / "child", {**CHILD, **child})
    return msgspec.structs.replace(norm, root=root, parents=(parent,), services=online)


def said(behaviour: Behaviour, request: str, kind: str = "IDB") -> str:
    root = behaviour.answer(etree.fromstring(request), kind, State(), date(2026, 1, 10), RandomIds()).root
    return etree.tostring(root).decode()


def test_the_rows_for_every_kind_come_first(tmp_path: Path) -> None:
    behaviour = load(norm_of(tmp_path))
    assert [row.id for row in behaviour.interpreter.decisions.tables["CLC"].rows] == ["clc-vide", "tout-clc"]
    assert said(behaviour, "<x><n>z</n></x>") == "<a>zzzz!</a>"


def test_a_shared_template_knows_the_element_and_may_be_completed(tmp_path: Path) -> None:
    norm = norm_of(tmp_path)
    element = norm.services[1].response.element
    wanted = f'<r e="{element}" ns="{norm.prefixes["clc"]}">0101!<enfant/></r>'
    assert said(load(norm), "<x/>", "CLC") == wanted


def test_pools_lists_and_faults_are_merged_by_name(tmp_path: Path) -> None:
    behaviour = load(norm_of(tmp_path))
    assert [entry.values["nir"] for entry in behaviour.population.pool("droits-ouverts")] == ["3", "4"]
    assert [entry.values["nir"] for entry in behaviour.population.pool("commun")] == ["2"]
    assert behaviour.population.lists["amc"] == ({"numero": "7"},)
    assert [(fault.id, fault.requirement) for fault in behaviour.faults] == [
        ("F-1", "SOC-GEN-001"),
        ("F-2", "VIL-IDB-001"),
    ]


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("rows: [{id: idb-vide, answer: a}]", "idb-vide"),
        ("rows: [{id: tout, when: 'true()', answer: a}]", "IDB"),
    ],
)
def test_a_table_must_still_be_sound(tmp_path: Path, table: str, named: str) -> None:
    wrong = f"decisions:\n  IDB:\n    {table}\n  CLC:\n    rows: [{{id: x, set: {{code: \"'1'\"}}, answer: a}}]\n"
    with pytest.raises(NormError, match=named) as raised:
        load(norm_of(tmp_path, **{"decisions.yaml": wrong}))
    assert "child" in raised.value.file


def test_a_row_for_every_kind_is_no_default(tmp_path: Path) -> None:
    norm = norm_of(tmp_path)
    path = tmp_path / "parent/simulator/decisions.yaml"
    path.write_text(PARENT["decisions.yaml"].replace("when: \"$nom = ''\", ", ""), encoding="utf-8")
    with pytest.raises(NormError, match="ne servent jamais"):
        load(norm)
