"""What an observation gives: the values behind its report, and its JSON (docs/formats/observe.md)."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from harness.observation.recording import Side
from harness.record import Finding

FORMAT: Final = "poincon/observation/1"

Verdict = Literal["pass", "fail", "inconclusive", "error"]


class Example(msgspec.Struct, frozen=True):
    """One message that shows a finding. exchange: its number in the file; name: that of a run, "" for others."""

    exchange: int
    name: str
    at: str
    url: str
    path: str
    line: int
    expected: str
    actual: str


class Grouped(msgspec.Struct, frozen=True):
    """Findings alike: same check, same reason, same place. count: how often; finding: the first of them."""

    norm: str
    kind: str
    side: Side
    count: int
    finding: Finding
    examples: tuple[Example, ...]


class MessageCount(msgspec.Struct, frozen=True):
    """The messages of one kind and side. share: of valid ones among those judged, None when none could be."""

    norm: str
    kind: str
    side: Side
    messages: int
    valid: int
    invalid: int
    inconclusive: int
    error: int
    share: float | None


class AnswerTimes(msgspec.Struct, frozen=True):
    """How long answers of one kind took, in milliseconds. answers: those whose time is known."""

    norm: str
    kind: str
    answers: int
    median_ms: float
    p95_ms: float


class CodeCount(msgspec.Struct, frozen=True):
    """How many answers of one kind carried a code."""

    norm: str
    kind: str
    code: str
    count: int


class ClaimCount(msgspec.Struct, frozen=True):
    """The deposits of one kind. share: rejected among answered, None when none was answered."""

    norm: str
    kind: str
    claims: int
    answered: int
    rejected: int
    share: float | None


class Unrecognised(msgspec.Struct, frozen=True):
    """Exchanges that no norm knows. what: method and address, masked; reason: why."""

    what: str
    reason: str
    count: int


class Counts(msgspec.Struct, frozen=True):
    """The recording in figures. unanswered: recognised requests without an answer; beneficiaries: groups of exchanges
    judged together; not_together: groups too large for it."""

    exchanges: int = 0
    recognised: int = 0
    unrecognised: int = 0
    unanswered: int = 0
    messages: int = 0
    valid: int = 0
    invalid: int = 0
    inconclusive: int = 0
    error: int = 0
    beneficiaries: int = 0
    not_together: int = 0


class Observation(msgspec.Struct, frozen=True):
    """What a recording showed. recording: name of the file; first, last: times of its exchanges, "" unknown.

    ignored: records passed over, by type; signatures: whether they were judged; omitted: findings of further sorts
    that are counted but not listed.
    """

    format: str
    tool: str
    recording: str
    kind: str
    first: str
    last: str
    ignored: dict[str, int]
    norms: tuple[str, ...]
    signatures: bool
    verdict: Verdict
    exit_code: int
    counts: Counts
    messages: tuple[MessageCount, ...]
    times: tuple[AnswerTimes, ...]
    refusals: tuple[CodeCount, ...]
    faults: tuple[CodeCount, ...]
    claims: tuple[ClaimCount, ...]
    unrecognised: tuple[Unrecognised, ...]
    findings: tuple[Grouped, ...]
    omitted: int = 0
