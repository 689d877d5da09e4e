"""What a check is given and what it gives back.

A check is a function of a `Scene`. It returns the misses it found (none: the expectation is met), or None when the
message is of a kind of which the expectation says nothing. It raises `PremiseMissing` when something it compares with
was not sound, `SuiteFault` (harness.errors) when the suite itself makes no sense. Any other exception is an incident
of the laboratory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.casesecurity import CaseSecurity
from harness.context import JudgeContext
from harness.observed import Observed, Stage
from harness.record import Blame
from norms.errors import PoinconError
from scenarios.model import Case, Expectation, Step


class PremiseMissing(PoinconError):  # noqa: N818 - a state of the recording, not a fault
    """What the check compares with is not there; the reason for it has been found elsewhere."""


@dataclass(frozen=True)
class Miss:
    """One way in which a message misses an expectation.

    reason: stable code; message: French template (`norms.i18n.mark`) filled with `params`; expected, actual: French;
    path, line: place in the body; requirement: cited instead of the expectation's when not "".
    """

    reason: str
    message: str
    expected: str
    actual: str
    params: dict[str, str] = field(default_factory=dict)
    path: str = ""
    line: int = 0
    requirement: str = ""
    verdict: Literal["fail", "inconclusive"] = "fail"
    blame: Blame = "SUT"


Misses = tuple[Miss, ...]


@dataclass(frozen=True)
class Scene:
    """Everything a check may look at.

    values: those of the expectation with every ${…} resolved; observed: the message judged; siblings: all messages of
    the step; earlier: the sound messages of earlier steps by 1-based step; security: the verifier's word; seen_before:
    client role, the awaited message before this step was seen; always: the expectation is the norm's own.
    """

    context: JudgeContext
    case: Case
    step: Step
    expectation: Expectation
    values: tuple[str, ...]
    observed: Observed
    siblings: tuple[Observed, ...]
    earlier: Mapping[int, Observed]
    security: CaseSecurity
    seen_before: bool = False
    always: bool = False


Function = Callable[[Scene], Misses | None]


@dataclass(frozen=True)
class Check:
    """A named check. needs: stage its message must have reached; whole_step: judged once for all of a step."""

    name: str
    function: Function
    needs: Stage
    whole_step: bool = False


def one_of(values: tuple[str, ...]) -> str:
    """Return the values as a short French enumeration."""
    return " | ".join(f"« {value} »" for value in values)
