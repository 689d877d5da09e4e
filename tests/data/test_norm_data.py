"""The bundled norm data stands on its own: messages and examples against both schema engines and against the rules."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

import norms
from norms.case_check import case_problems, is_case
from norms.check import Checker, Problem
from norms.identifiers import luhn, nir_key
from norms.loader import available, load
from norms.model import Norm
from norms.wire.reasons import REASONS

ROOT = Path(norms.__file__).parent
REFS = [ref for ref in available() if load(ref).services]


@cache
def checker(ref: str) -> Checker:
    return Checker(load(ref))


def files(*patterns: str) -> list[object]:
    return [
        pytest.param(ref, path, id=f"{ref}:{path.stem}")
        for ref in REFS
        for pattern in patterns
        for path in sorted((ROOT / ref).glob(pattern))
    ]


def problems(ref: str, path: Path) -> list[Problem]:
    root = etree.parse(path).getroot()
    one = checker(ref)
    if is_case(root):
        return case_problems(root, one, confirm=True)
    kind, direction = one.identify(root) or (one.norm.services[0].kind, "response")
    return one.check(root, kind, direction, confirm=True)


@pytest.mark.parametrize(("ref", "path"), files("messages/*.xml", "examples/valid/*.xml"))
def test_valid_message_has_no_problem_in_either_engine(ref: str, path: Path) -> None:
    assert problems(ref, path) == []


@pytest.mark.parametrize(("ref", "path"), files("examples/invalid/*.xml"))
def test_invalid_example_breaks_its_rule_and_nothing_else(ref: str, path: Path) -> None:
    rule, _, slug = path.stem.partition("--")
    assert slug
    assert [problem.rule for problem in problems(ref, path)] == [rule]


@pytest.mark.parametrize("ref", REFS)
def test_every_rule_has_a_bad_example_and_a_known_requirement(ref: str) -> None:
    norm = load(ref)
    shown = {path.name.partition("--")[0] for path in (ROOT / ref).glob("examples/invalid/*.xml")}
    for _, assertion in checker(ref).assertions():
        assert assertion.id in shown
        requirement = norm.requirement(assertion.role)
        assert requirement is not None, assertion.role


VALUES = [
    ("com:Nir", "160012B020777", True),
    ("com:Nir", "16001B2020777", False),
    ("com:DateNaissance", "1972-19-00", True),
    ("com:DateNaissance", "19721900", False),
    ("com:RangGemellaire", "0", False),
    ("com:NumeroAMC", "99990001", True),
    ("com:NumeroAMC", "9999001", False),
    ("com:NumeroAMC", " 99990001", False),
    ("com:CritereSecondaire", "A?", True),
    ("com:CritereSecondaire", "", True),
    ("com:TypeConvention", "ROC", False),
    ("idb:DateReference", "2024-02-29", True),
    ("idb:DateReference", "2026-02-29", False),
    ("idb:DateReference", "2026-11-20Z", False),
    ("idb:CodePrestation", "ABCDEF", False),
    ("ctx:Temps", "2026-11-20T09:30:00+01:00", False),
    ("ctx:Temps", "2026-11-20T09:30:00.5Z", True),
    ("ctx:Instance", "1.2.250.1.71", True),
    ("ctx:Instance", "poste-1", False),
]


@pytest.mark.parametrize(("name", "value", "accepted"), VALUES)
def test_both_engines_say_the_same_of_a_value(name: str, value: str, accepted: bool) -> None:
    root = etree.parse(ROOT / "ville/1.1/messages/IDB.request.xml").getroot()
    one = checker("ville/1.1")
    leaf = root.find(f".//{name}", one.norm.prefixes)
    assert leaf is not None
    leaf.text = value
    found = [problem for problem in one.check(root, "IDB", "request", confirm=True) if problem.source == "schema"]
    assert (not found) is accepted
    assert not any(problem.split for problem in found)


@pytest.mark.parametrize("ref", available())
def test_requirement_says_one_obligation_with_its_modal_verb(ref: str) -> None:
    verbs = {"MUST": ("DOIT", "NE DOIT PAS"), "SHOULD": ("DEVRAIT",), "MAY": ("PEUT",)}
    for requirement in load(ref).requirements:
        sentence = requirement.text.fr
        found = sum(sentence.count(verb) for verb in ("DOIT", "DEVRAIT", "PEUT"))
        assert found == 1, requirement.id
        assert any(verb in sentence for verb in verbs[requirement.level]), requirement.id
        assert "DOIT ne pas" not in sentence, requirement.id
        assert sentence.endswith("."), requirement.id
        assert requirement.text.en, requirement.id


@pytest.mark.parametrize("ref", REFS)
def test_few_musts_go_untested_and_each_for_a_known_reason(ref: str) -> None:
    reasons = {"non-observable", "organisationnel", "hors-perimetre", "autre-role"}
    for role in ("server", "client"):
        musts = [one for one in load(ref).requirements if one.level == "MUST" and one.role == role]
        # "suite-a-venir" is no reason but a promise: it keeps a norm from being published.
        untested = [one for one in musts if one.not_tested_reason not in ("", "suite-a-venir")]
        assert len(untested) * 10 <= len(musts)
        assert {one.not_tested_reason for one in untested} <= reasons


@pytest.mark.parametrize("ref", REFS)
def test_claims_cover_exactly_the_requirements_that_depend_on_them(ref: str) -> None:
    norm = load(ref)
    for claim in norm.claims:
        assert set(claim.requirements) == {one.id for one in norm.all_requirements if one.applies_if == claim.id}


def rows(norm: Norm, table: str) -> list[dict[str, str]]:
    with norm.tables[table].open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.mark.parametrize(("ref", "table"), [(ref, table) for ref in REFS for table in sorted(load(ref).tables)])
def test_a_code_has_one_meaning_on_any_day(ref: str, table: str) -> None:
    periods: dict[str, list[tuple[date, date]]] = {}
    for row in rows(load(ref), table):
        start = date.fromisoformat(row["valid_from"])
        end = date.fromisoformat(row["valid_to"]) if row["valid_to"] else date.max
        assert start <= end, row
        assert all(end < other[0] or other[1] < start for other in periods.get(row["code"], ())), row
        periods.setdefault(row["code"], []).append((start, end))
    assert periods


@pytest.mark.parametrize("ref", REFS)
def test_every_refusal_of_the_wire_has_an_error_of_the_table(ref: str) -> None:
    norm = load(ref)
    codes = {row["code"]: row["fault"].split() for row in rows(norm, "codes-erreur")}
    assert set(norm.security.refusals) == REASONS
    for reason, refusal in norm.security.refusals.items():
        assert refusal.fault in codes[refusal.code], reason
        assert str(refusal.http)[0] == {"Sender": "4", "Receiver": "5"}[refusal.fault], reason


def test_profiles_bill_what_their_tariff_gives() -> None:
    norm = load("ville/1.1")
    today = date.today().isoformat()
    for profile in norm.profiles:
        values = profile.values
        price = Decimal(values["prix"])
        assert price == Decimal(values["coefficient"]) * Decimal(values["prix_unitaire"]), profile.code
        assert Decimal(values["montant_amo"]) == price * Decimal(values["taux_amo"]) / 100, profile.code
        tariff = [
            row["prix"]
            for row in rows(norm, "prestations")
            if row["code"] == values["acte"] and row["valid_from"] <= today <= (row["valid_to"] or "9999")
        ]
        assert tariff == [values["prix_unitaire"]], profile.code
        assert luhn(values["rpps"])


PERSONS = [path for path in sorted(ROOT.glob("*/*/messages/*.xml")) if "CleNir" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", PERSONS, ids=lambda path: "-".join((*path.parts[-4:-2], path.stem)))
def test_canonical_persons_have_right_keys(path: Path) -> None:
    root = etree.parse(path).getroot()
    numbers = [element.text for element in root.iter("{*}Nir")]
    keys = [element.text for element in root.iter("{*}CleNir")]
    assert numbers
    assert [nir_key(number or "") for number in numbers] == keys
