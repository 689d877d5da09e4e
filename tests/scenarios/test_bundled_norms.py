"""What must hold for every norm that ships: its scenarios compile, its derived cases do what they say after `fill`."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

import pytest

from norms.check import checker_for
from norms.filling import Clock
from norms.loader import available, load
from norms.model import Norm
from scenarios.bindings import bind
from scenarios.compiler import compile_suite
from scenarios.coverage import UNTESTED_MAXIMUM, coverage
from scenarios.model import Role, Suite
from scenarios.reader import read_scenarios
from scenarios.rendering import build_message


def norms_with_services() -> list[Norm]:
    return [norm for norm in map(load, available()) if norm.services]


def suite_of(norm: Norm, role: Role) -> Suite:
    return compile_suite(norm, read_scenarios(norm), None, role)


@pytest.fixture(params=[norm.ref for norm in norms_with_services()])
def norm(request: pytest.FixtureRequest) -> Norm:
    return load(request.param)


def test_derived_cases_are_what_they_say_after_fill(norm: Norm) -> None:
    checker = checker_for(norm)
    numbers = count()
    clock = Clock(datetime(2028, 2, 29, 9, tzinfo=UTC), lambda: f"00000000-0000-4000-8000-{next(numbers):012d}")
    derived = [case for case in suite_of(norm, "server").cases if case.origin == "derived"]
    assert derived
    for case in derived:
        step = case.steps[0]
        root = build_message(norm, case, step, bind(case.bindings, clock), clock)
        sources = {problem.source for problem in checker.check(root, step.send, "request")}
        expect = step.expect[0]
        if expect.check == "schema-accepted":
            assert "schema" not in sources, case.title.fr
        elif expect.requirement == (norm.reactions.rule.requirement if norm.reactions.rule else ""):
            assert sources == {"rule"}, case.title.fr
        else:
            assert "schema" in sources, case.title.fr


@pytest.mark.parametrize("role", ["server"])
def test_every_must_of_the_role_is_tested_or_excused(norm: Norm, role: Role) -> None:
    report = coverage(norm, suite_of(norm, role))
    assert (report.missing, report.contrary) == ((), ())
    assert report.untested_share <= UNTESTED_MAXIMUM


def test_the_canonical_request_after_fill_is_valid_for_every_profile(norm: Norm) -> None:
    checker = checker_for(norm)
    clock = Clock(datetime(2028, 2, 29, 9, tzinfo=UTC), lambda: "00000000-0000-4000-8000-000000000000")
    for case in suite_of(norm, "server").cases:
        for step in case.steps[:1]:
            if not (step.base or step.edits or step.remove or step.insert):
                root = build_message(norm, case, step, bind(case.bindings, clock), clock)
                problems = checker.check(root, step.send, "request")
                assert problems == [], (case.id, problems)
