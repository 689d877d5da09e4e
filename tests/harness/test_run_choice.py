"""The --select expression: what it takes, and what it refuses."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.choice import choose
from harness.errors import SelectionError
from scenarios.model import Case, Step
from tests.harness.lab import case

CASES: tuple[Case, ...] = (
    replace(case(1), id="A-S-001@MED", scenario="A-S-001", profile="MED", requirements=("A-IDB-001",)),
    replace(case(2), id="A-S-001@AUX", scenario="A-S-001", profile="AUX", requirements=("A-IDB-001",)),
    replace(case(3, Step(send="CLC")), id="A-S-002", scenario="A-S-002", profile="MED", requirements=("A-CLC-007",)),
    replace(case(4, Step(send="CLC")), id="A-D-9", scenario="A-D-9", origin="derived", requirements=("A-CLC-007",)),
)


@pytest.mark.parametrize(
    ("expression", "taken"),
    [
        (None, [0, 1, 2, 3]),
        ("A-S-001@MED", [0]),
        ("A-S-001", [0, 1]),
        ("A-S-*", [0, 1, 2]),
        ("A-CLC-007", [2, 3]),
        ("requirement:A-IDB-*", [0, 1]),
        ("profile:MED", [0, 2]),
        ("kind:CLC", [2, 3]),
        ("origin:derived", [3]),
        ("profile:MED+kind:CLC", [2]),
        ("A-D-9, A-S-001@AUX", [1, 3]),
        ("A-* !origin:derived", [0, 1, 2]),
        ("!profile:MED", [1, 3]),
    ],
)
def test_what_an_expression_takes(expression: str | None, taken: list[int]):
    assert [CASES.index(each) for each in choose(CASES, expression)] == taken


@pytest.mark.parametrize("expression", ["", "  ,", "X-*", "A-S-001 X-9", "!A-*", "profile:med", "kind:IDB+profile:AUX"])
def test_what_selects_nothing_or_names_nobody_is_an_error(expression: str):
    with pytest.raises(SelectionError):
        choose(CASES, expression)


def test_a_slip_of_the_pen_is_pointed_out():
    with pytest.raises(SelectionError, match=r"« A-S-003 ».*« A-S-00[12] »"):
        choose(CASES, "A-S-003")
