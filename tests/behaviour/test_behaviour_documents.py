"""The examples of docs/formats are read by the readers that they explain."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from norms.behaviour import load
from norms.behaviour.deviations import read_faults, read_variants
from norms.behaviour.operators import OPERATORS
from norms.behaviour.places import ANSWERS, simulator_files
from norms.behaviour.population import read_population
from norms.behaviour.tables import read_decisions
from norms.behaviour.words import words_of_decisions
from norms.loader import load as load_norm

FORMATS = Path(__file__).parents[2] / "docs" / "formats"
VILLE = load_norm("ville/1.1")


def example(name: str, folder: Path) -> Path:
    block = re.search(r"```yaml\n(.*?)```", (FORMATS / f"{name}.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    path = folder / f"{name}.yaml"
    path.write_text(block[1], encoding="utf-8")
    return path


def test_population(tmp_path: Path) -> None:
    population = read_population([example("population", tmp_path)], VILLE)
    assert population.described("clc-obligatoire").consumes
    assert population.pool("droits-ouverts")[1].profiles == ("MED", "SF")
    assert population.pool("droits-ouverts")[0].values["rang"] == "1"
    assert population.as_xml().findtext("amc/contrats") == "tous"


def test_decisions(tmp_path: Path) -> None:
    answers = simulator_files(VILLE, ANSWERS)
    only = tuple(service for service in VILLE.services if service.kind == "CLC")
    norm = msgspec.structs.replace(VILLE, services=only)
    path = example("decisions", tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("kinds: [IDB, CLC]", "kinds: [CLC]"), encoding="utf-8")
    decisions = read_decisions((path,), answers, norm)
    assert [row.id for row in decisions.tables["CLC"].rows] == ["clc-inconnu", "clc-garantie"]


@pytest.mark.parametrize("name", ["faults", "variants"])
def test_faults_and_variants(name: str, tmp_path: Path) -> None:
    path = example(name, tmp_path)
    reader = {"faults": read_faults, "variants": read_variants}[name]
    assert len(reader((path,), VILLE, words_of_decisions(load(VILLE).interpreter.decisions, VILLE))) >= 2


def test_every_operator_is_explained() -> None:
    text = "".join((FORMATS / name).read_text(encoding="utf-8") for name in ("faults.md", "variants.md", "conduct.md"))
    assert [name for name in OPERATORS if f"`{name}`" not in text and f"operator: {name} " not in text] == []


def test_every_seeded_fault_breaks_an_obligation_of_the_server() -> None:
    for ref in ("ville/1.1", "annuaire/1.0"):
        norm = load_norm(ref)
        for fault in load(norm).faults:
            requirement = norm.requirement(fault.requirement)
            assert requirement is not None and requirement.role in ("server", "both"), fault.id
            assert requirement.level == "MUST", fault.id
            assert not requirement.not_tested_reason, fault.id
