"""Interleaved repetitions, medians, and the rows of the table.

Ratios are taken within a round, where both sides met the same machine, and the median of the rounds is shown.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

Clock = Callable[[], float]


class Bar(msgspec.Struct, frozen=True):
    """What is asked of a figure (docs/benchmarks.md)."""

    limit: float
    sense: Literal["at least", "at most"]

    def met(self, value: float) -> bool:
        return value >= self.limit if self.sense == "at least" else value <= self.limit


class Row(msgspec.Struct, frozen=True):
    """One line of the table. value: None = not measured, and `note` says why; beside: the alternative."""

    group: str
    what: str
    value: float | None
    unit: str
    beside: str = ""
    bar: Bar | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.bar is None or self.value is None else self.bar.met(self.value)


def at_least(limit: float) -> Bar:
    return Bar(limit, "at least")


def at_most(limit: float) -> Bar:
    return Bar(limit, "at most")


def interleaved(sides: Mapping[str, Callable[[], float]], rounds: int) -> list[dict[str, float]]:
    """Run every side once per round, in turn and in alternating order; return what each gave, round by round."""
    names = list(sides)
    found = []
    for number in range(rounds):
        order = names if number % 2 == 0 else names[::-1]
        values = {name: sides[name]() for name in order}
        found.append(values)
    return found


def ratio(rounds: list[dict[str, float]], above: str, below: str) -> float:
    """Return the median over the rounds of above / below."""
    return statistics.median(values[above] / values[below] for values in rounds)


def median(rounds: list[dict[str, float]], name: str) -> float:
    return statistics.median(values[name] for values in rounds)


def per_call(call: Callable[[], object], seconds: float, clock: Clock = time.thread_time) -> float:
    """Return the seconds of one call, from as many calls as fit into `seconds` of `clock`."""
    call()
    calls, start = 0, clock()
    while (spent := clock() - start) < seconds:
        call()
        calls += 1
    return spent / calls
