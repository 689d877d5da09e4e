"""The table of the benchmarks says what was measured; the hand-made check beside ours really checks."""

from __future__ import annotations

import pytest
from lxml import etree

from bench.__main__ import Report, table
from bench.checking import HandMade
from bench.measuring import Row, at_least, at_most, interleaved, ratio
from bench.sample import messages_of, sample_norm
from norms.check import checker_for
from norms.wire.deposit import is_bare


def test_sides_take_turns_and_the_ratio_is_the_median_of_the_rounds() -> None:
    order: list[str] = []
    values = {"a": iter([2.0, 9.0, 6.0]), "b": iter([1.0, 1.0, 2.0])}

    def side(name: str) -> float:
        order.append(name)
        return next(values[name])

    rounds = interleaved({name: lambda name=name: side(name) for name in values}, 3)  # type: ignore[misc]
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert ratio(rounds, "a", "b") == 3.0


@pytest.mark.parametrize(
    ("row", "mark"),
    [
        (Row("g", "w", 0.8, "×", bar=at_least(0.8)), "✓"),
        (Row("g", "w", 0.79, "×", bar=at_least(0.8)), "✗"),
        (Row("g", "w", 1.5, "×", bar=at_most(1.5)), "✓"),
        (Row("g", "w", 1.51, "×", bar=at_most(1.5)), "✗"),
        (Row("g", "w", 1.51, "×"), ""),
        (Row("g", "w", None, "×", bar=at_least(3), note="absent"), ""),
    ],
)
def test_the_mark_says_whether_the_bar_is_met(row: Row, mark: str) -> None:
    line = table(Report("poincon/bench/1", "3", 2, None, 1.0, (row,))).splitlines()[1]
    assert [sign for sign in "✓✗" if sign in line] == ([mark] if mark else [])
    assert ("absent" in line) == (row.value is None)


def test_the_check_by_hand_finds_what_ours_finds() -> None:
    """A comparison with something that checks less would flatter us."""
    norm = sample_norm(None)
    checker = checker_for(norm)
    by_hand = HandMade(norm, checker)
    assert [by_hand.check(message.body) for message in messages_of(norm)] == [[] for _ in messages_of(norm)]
    found = sorted((norm.root / "examples" / "invalid").glob("*.xml"))
    # What is written by hand reads envelopes only; a deposit has none.
    examples = [path for path in found if not is_bare(etree.parse(path).getroot())]
    known = {assertion.id for _, assertion in checker.rules.assertions()}
    broken = {path.name.split("--")[0]: by_hand.check(path.read_bytes()) for path in examples}
    assert {name: found for name, found in broken.items() if name in known} == {
        name: [name] for name in broken if name in known
    }
    assert known & broken.keys()
