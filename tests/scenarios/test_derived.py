from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from norms.check import checker_for
from norms.loader import load
from norms.model import Norm
from scenarios import shelf
from scenarios.bindings import Source, bind, canonical_texts
from scenarios.compiler import compile_suite
from scenarios.constraints import SchemaMap, parts
from scenarios.coverage import cited_requirements, coverage, coverage_text
from scenarios.derived import Derivation, derivation, derive, entry_of
from scenarios.edits import TRIAL_CLOCK
from scenarios.ledger import gap_text, ledger, ledger_text
from scenarios.model import Case
from scenarios.relaxing import Relaxer
from scenarios.rendering import build_message

NORM = Path(__file__).parent / "data" / "norms" / "jouet"


def message(norm: Norm, case: Case) -> etree._Element:
    step = case.steps[0]
    entry = Source(norm, None).given(norm.default_given, "PETIT", "", 0).entries[0]
    known = {**canonical_texts(norm, step.send), **Source(norm, None).bindings("PETIT", entry)}
    return build_message(norm, case, step, bind(known, TRIAL_CLOCK), TRIAL_CLOCK)


def problems(norm: Norm, case: Case) -> set[str]:
    root = message(norm, case)
    return {problem.source for problem in checker_for(norm).check(root, case.steps[0].send, "request")}


def of(norm: Norm, word: str) -> list[Case]:
    return [case for case in derive(norm) if word in case.purpose.fr]


def copy_of(tmp_path: Path, *changes: tuple[str, str, str]) -> Norm:
    """The toy norm with (file, old, new) changes, in a folder of its own."""
    folder = tmp_path / "norms" / "jouet"
    shutil.copytree(NORM, folder)
    for name, old, new in changes:
        file = folder / "1.0" / name
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
    return load("jouet/1.0", [tmp_path / "norms"])


def test_every_negative_is_invalid_and_every_positive_valid_for_both_engines(toy: Norm) -> None:
    schemas = checker_for(toy).schemas
    for case in derive(toy):
        expect = case.steps[0].expect[0]
        root = message(toy, case)
        verdicts = [schemas.valid(part) for part in parts(schemas, root)]
        seconds = [schemas.second_valid(part) for part in parts(schemas, root)]
        valid = expect.check == "schema-accepted" or expect.requirement == "JOU-004"
        assert (all(verdicts), all(seconds)) == (valid, valid), case.title.fr


@pytest.mark.parametrize(
    ("constraint", "negative"),
    [
        ("TypeEnfant : pattern", "123333"),
        ("TypeSurnom : maxLength", "Luluuuuuu"),
        ("TypePrix : maxInclusive", "50.01"),
        ("TypePrix : minInclusive", "-0.01"),
        ("TypePrix : fractionDigits", "1.111"),
        ("TypePrix : xs:decimal", "1,5"),
        ("Demande/Le : xs:date", "2026-02-30"),
    ],
)
def test_a_negative_breaks_its_constraint_just_beyond_the_edge(toy: Norm, constraint: str, negative: str) -> None:
    (case,) = (case for case in of(toy, constraint) if case.steps[0].expect[0].check == "refused")
    assert list(case.steps[0].edits.values()) == [negative]
    assert case.steps[0].expect[0].values == ("fault:X1",)


@pytest.mark.parametrize(
    ("constraint", "positives"),
    [
        ("TypeEnfant : pattern", {"12333"}),
        ("TypeSurnom : maxLength", {"Luluuuuu", "L"}),
        ("TypePrix : maxInclusive", {"50"}),
        ("TypePrix : minInclusive", {"0"}),
        ("TypeHumeur : enumeration", {"triste"}),
    ],
)
def test_a_positive_stands_on_the_edge(toy: Norm, constraint: str, positives: set[str]) -> None:
    cases = [case for case in of(toy, constraint) if case.steps[0].expect[0].check == "schema-accepted"]
    assert {text for case in cases for text in case.steps[0].edits.values()} == positives


def test_too_many_and_as_many_as_allowed(toy: Norm) -> None:
    counts = {
        case.steps[0].expect[0].check: len(message(toy, case).findall(".//{urn:jouet:1.0}Jouet"))
        for case in of(toy, "Demande/Jouet : maxOccurs")
    }
    assert counts == {"refused": 4, "schema-accepted": 3}


def test_a_rule_gives_its_invalid_example(toy: Norm) -> None:
    (case,) = of(toy, "R-JOU-01")
    assert problems(toy, case) == {"rule"}
    assert (case.steps[0].expect[0].requirement, case.steps[0].expect[0].values) == ("JOU-004", ("fault:X2",))


def test_fill_does_not_repair_a_rules_example(tmp_path: Path) -> None:
    norm = copy_of(tmp_path, ("norm.yaml", '"//j:Guichet": "${guichet}"', '"//j:Humeur": "gai"'))
    (case,) = of(norm, "R-JOU-01")
    assert list(case.steps[0].edits.values()) == ["triste"] and problems(norm, case) == {"rule"}


def test_ids_come_from_norm_data_and_survive_a_new_version(toy: Norm, tmp_path: Path) -> None:
    assert all(case.id.startswith(("JOU-D-PRET-", "JOU-D-RENDU-")) for case in derive(toy))
    norm = copy_of(tmp_path, ("norm.yaml", "derived_prefix: JOU", "derived_prefix: TOY"))
    assert {case.id[3:] for case in derive(norm)} == {case.id[3:] for case in derive(toy)}


def test_without_a_reaction_nothing_is_derived(tmp_path: Path) -> None:
    text = (NORM / "1.0" / "norm.yaml").read_text(encoding="utf-8")
    reactions = text[text.index("reactions:") : text.index("derived_prefix")]
    norm = copy_of(tmp_path, ("norm.yaml", reactions, ""))
    assert derive(norm) == []
    assert {row.gap for row in derivation(norm).rows} == {"no-reaction", "not-in-requests"}


def test_a_constraint_implied_by_another_is_said_so(tmp_path: Path) -> None:
    norm = copy_of(
        tmp_path,
        ("schema/jouet.xsd", '<xs:length value="2"/>', '<xs:length value="2"/><xs:pattern value="[A-Z][0-9]"/>'),
    )
    gaps = {row.what: row.gap for row in derivation(norm).rows if "TypeGuichet" in row.what}
    assert gaps == {"TypeGuichet : length 2": "implied", "TypeGuichet : pattern [A-Z][0-9]": ""}


def test_a_positive_that_breaks_a_rule_with_the_same_refusal_is_left_out(tmp_path: Path, toy: Norm) -> None:
    norm = copy_of(tmp_path, ("norm.yaml", '"fault:X2"', '"fault:X1"'))
    assert any("triste" in case.steps[0].edits.values() for case in of(toy, "enumeration"))
    assert not any(
        "triste" in case.steps[0].edits.values()
        for case in of(norm, "enumeration")
        if case.steps[0].expect[0].check == "schema-accepted"
    )


def test_relaxing_takes_one_constraint_away_and_leaves_the_norm_alone(toy: Norm) -> None:
    schema_map = SchemaMap(toy)
    before = {path: path.read_bytes() for path in schema_map.files}
    with Relaxer(schema_map) as relaxer:
        for constraint in schema_map.constraints.values():
            assert relaxer.without(constraint) is not None, constraint
    assert {path: path.read_bytes() for path in schema_map.files} == before


def test_the_cache_gives_the_same_and_damage_costs_time_only(toy: Norm) -> None:
    first = derivation(toy)
    entry = entry_of(toy)
    assert shelf.recall(entry, Derivation) == first
    entry.write_bytes(entry.read_bytes()[:-1] + b"?")
    assert shelf.recall(entry, Derivation) is None
    assert derivation(toy) == first


def test_the_ledger_has_every_constraint_once_with_a_case_or_a_reason(toy: Norm) -> None:
    book = ledger(toy)
    schema_rows = [row for row in book.rows if row.source == "schema"]
    assert len(schema_rows) == len(SchemaMap(toy).constraints)
    assert all(bool(row.negative) != bool(row.gap) for row in book.rows)
    assert all(gap_text(row.gap) for row in book.rows if row.gap)
    ids = {case.id for case in derive(toy)}
    assert {row.negative for row in book.rows if row.negative} <= ids
    assert "R-JOU-01" in ledger_text(book) and "TypePrix : maxInclusive 50" in ledger_text(book)


def test_coverage_finds_untested_musts(toy: Norm) -> None:
    report = coverage(toy, compile_suite(toy, (), None, "server"))
    tested = {line.requirement: line.by for line in report.lines if line.tested}
    assert tested == {"JOU-001": ("always",), "JOU-003": ("case",), "JOU-004": ("case", "rule")}
    assert report.missing == ("JOU-002", "JOU-005") and not report.complete
    assert report.untested_share == 0.5
    assert "NON VÉRIFIÉE" in coverage_text(report) and "non-observable" in coverage_text(report)


def test_coverage_finds_a_reason_that_is_no_longer_true(toy: Norm, tmp_path: Path) -> None:
    norm = copy_of(tmp_path, ("requirements.csv", "demande invalide.;;", "demande invalide.;;hors-perimetre"))
    assert coverage(norm, compile_suite(norm, (), None, "server")).contrary == ("JOU-003",)


def test_cited_requirements_are_those_of_pages_always_rules_and_reactions(
    toy: Norm, write: Callable[..., Path], tmp_path: Path
) -> None:
    assert cited_requirements(toy, [tmp_path]) == {"JOU-001", "JOU-003", "JOU-004"}
    write(
        'id: JOU-C-001\ntitle: {fr: "T"}\nrole: client\npurpose: {fr: "P"}\nsteps:\n'
        "  - await: PRET\n    expect:\n      - {requirement: JOU-008, check: valid}\n",
        "JOU-C-001.yaml",
        "client",
    )
    assert "JOU-008" in cited_requirements(toy, [tmp_path])


def test_a_rule_over_the_whole_case_stands_in_the_ledger_and_gives_no_case(tmp_path: Path) -> None:
    before = copy_of(tmp_path)
    cases = len(derive(before))
    chain = before.root / "rules" / "chain" / "suite.sch"
    chain.parent.mkdir()
    rule = (before.root / "rules" / "jouet.sch").read_text(encoding="utf-8").replace("R-JOU-01", "R-JOU-50")
    chain.write_text(rule, encoding="utf-8")
    norm = load("jouet/1.0", [tmp_path / "norms"])
    (row,) = (row for row in ledger(norm).rows if row.what == "R-JOU-50")
    assert (row.place, row.gap, row.requirement) == ("rules/chain/suite.sch", "whole-case", "JOU-004")
    assert "fin de chaque cas" in ledger_text(ledger(norm))
    assert len(derive(norm)) == cases
