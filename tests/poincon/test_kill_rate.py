"""The kill rate: what counts as killed, and one real measure of a fault, a variant and the plain partner."""

from __future__ import annotations

import msgspec
import pytest
from front_doors import Practice

from harness.record import CaseVerdict, Counts, Finding, Place, Verdicts
from norms.behaviour import Fault
from norms.model import Text
from poincon.kill import false_alarms, redundant, survivor
from scenarios.model import Expectation, Scenario, Step

FAULT = Fault("F-1", Text("f"), "R-1", ("R-2",), ())


def finding(requirement: str, verdict: str = "fail") -> Finding:
    return Finding(requirement, "MUST", "majeure", verdict, "SUT", "equals", "value", Place(), "a", "b", "s")


def verdicts(verdict: str, *findings: Finding) -> Verdicts:
    case = CaseVerdict("C-1@A", "C-1", verdict, ("R-1",), findings, 1)
    return Verdicts("f", "t", "n/1", "d", "s", "server", verdict, Counts(), (case,))


@pytest.mark.parametrize(
    ("run", "killed"),
    [
        (verdicts("fail", finding("R-1")), True),
        (verdicts("fail", finding("R-2")), True),
        (verdicts("fail", finding("R-1"), finding("R-9", "remark")), True),
        (verdicts("fail", finding("R-1"), finding("R-9", "inconclusive")), True),
        (verdicts("fail", finding("R-9")), False),
        (verdicts("fail", finding("R-1"), finding("R-9")), False),
        (verdicts("fail", finding("R-1"), finding("R-9", "error")), False),
        (verdicts("pass"), False),
        (verdicts("inconclusive", finding("R-1", "inconclusive")), False),
        (verdicts("error", finding("R-1", "error")), False),
    ],
)
def test_a_fault_is_killed_by_its_own_requirement_and_nothing_else(run: Verdicts, killed: bool) -> None:
    assert (survivor(FAULT, run) is None) is killed


def test_an_inherited_fault_may_break_what_the_norm_adds_but_needs_its_own_finding() -> None:
    own = frozenset({"N-1"})
    assert survivor(FAULT, verdicts("fail", finding("R-1"), finding("N-1")), own) is None
    assert survivor(FAULT, verdicts("fail", finding("N-1")), own) is not None
    assert survivor(FAULT, verdicts("fail", finding("R-1"), finding("R-9")), own) is not None
    assert survivor(FAULT, verdicts("fail", finding("R-1"), finding("N-1")), own | {"R-1"}) is not None


def test_a_generated_fault_is_killed_by_any_failure() -> None:
    made = Fault("M-1", Text("m"), "", (), ())
    assert survivor(made, verdicts("fail", finding("R-9"))) is None
    assert survivor(made, verdicts("pass")) is not None


@pytest.mark.parametrize("verdict", ["fail", "inconclusive", "error", "not_run"])
def test_whatever_a_conformant_partner_does_not_pass_is_a_false_alarm(verdict: str) -> None:
    assert [alarm.case for alarm in false_alarms("V-1", verdicts(verdict))] == ["C-1@A"]
    assert not false_alarms("V-1", verdicts("pass"))


def scenario(name: str, requirement: str) -> Scenario:
    step = Step(send="K", expect=(Expectation(requirement, "answered"),))
    return Scenario(name, Text("t"), "server", Text("p"), (step,))


def test_a_scenario_that_proves_nothing_alone_is_redundant() -> None:
    pages = [scenario("A", "R-1"), scenario("B", "R-1"), scenario("C", "R-2"), scenario("D", "R-1")]
    assert redundant(pages, {"F-1": ["A@MED", "A@SF"], "F-2": ["B", "D"]}) == ("B", "D")


def test_a_fault_a_variant_and_the_plain_partner_are_measured(practice: Practice, tmp_path) -> None:
    told = practice.run(["kill-rate", "annuaire/1.0", "--only", "F-GEN-02", "--only", "V-PREFIXES", "--json"], tmp_path)
    report = msgspec.json.decode(told.out)
    assert told.code == 0, told.err
    assert (report["total"], report["killed"], report["survivors"], report["false_alarms"]) == (1, 1, [], [])
    assert report["variants"] == ["V-PREFIXES"] and report["kills"]["F-GEN-02"]


def test_an_unknown_fault_is_refused(practice: Practice, tmp_path) -> None:
    told = practice.run(["kill-rate", "annuaire/1.0", "--only", "F-GEN-99"], tmp_path)
    assert told.code == 2 and "F-GEN-99" in told.err
