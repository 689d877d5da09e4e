"""Judging one message that arrived: which expectations are evaluated, in which order, and which are left out.

Order: HTTP → readable message → fault or normal → integrity → schema and rules → result → values. Each expectation
stands alone within its layer; one whose premise failed is *skipped*, never met, so that one deviation leads to the
findings of its own requirement. A case with a skipped expectation cannot pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from harness.checks.answers import describe, is_outcome, unexpected_fault
from harness.checks.base import Miss, PremiseMissing, Scene
from harness.checks.messages import STRUCTURAL
from harness.checks.registry import REFUSALS
from harness.findings import FindingMaker
from harness.observed import Observed, Stage, Trouble
from harness.plan import Plan, Planned
from harness.record import Finding
from norms.errors import PoinconError
from norms.i18n import mark, tr
from norms.wire.reasons import SOAP

ALTERED: Final = frozenset(
    {"signature-invalid", "signature-reference", "signature-coverage", "signature-structure", "duplicate-id"}
)
"""Reasons after which what stands in the message may not be what the product signed."""
_OUTCOMES: Final = (*sorted(REFUSALS), "accepted", "schema-accepted")
_FIRST: Final = {"in-table": 0, "code": 1, "result": 2}
"""Order among value checks: membership of a table, then the result, then everything that depends on it."""


@dataclass
class Judged:
    """What judging one exchange (a step, a case) gave.

    checked: expectations evaluated; own: those of them that the scenario wrote; skipped: expectations left out because
    a premise failed; sound: later steps may build on this one; readable: its message may be compared with.
    """

    findings: list[Finding] = field(default_factory=list)
    checked: int = 0
    own: int = 0
    skipped: int = 0
    sound: bool = True
    readable: bool = True

    def add(self, other: Judged) -> None:
        """Take in what another exchange gave; what copies of a parallel step show alike is kept once."""
        known = {_without_copy(finding) for finding in self.findings}
        self.findings.extend(finding for finding in other.findings if _without_copy(finding) not in known)
        self.checked += other.checked
        self.own += other.own
        self.skipped += other.skipped
        self.sound = self.sound and other.sound
        self.readable = self.readable and other.readable


def _without_copy(finding: Finding) -> bytes:
    step = finding.location.exchange.rpartition(".")[0]
    location = msgspec.structs.replace(finding.location, exchange=step)
    return msgspec.json.encode(msgspec.structs.replace(finding, location=location), order="sorted")


class _Incident(Exception):  # noqa: N818 - carries a crash of a check to the end of its message
    """A check raised; what: for people."""

    def __init__(self, planned: Planned, what: str) -> None:
        self.planned, self.what = planned, what
        super().__init__(what)


class Evaluation:
    """Judges one message. scene_for: what a check of this plan may look at."""

    def __init__(
        self, maker: FindingMaker, observed: Observed, plan: Plan, scene_for: Callable[[Planned], Scene]
    ) -> None:
        self._maker, self._observed, self._plan, self._scene_for = maker, observed, plan, scene_for
        self._judged = Judged()

    def run(self) -> Judged:
        """Return what the message gave. When a check raises, the message counts as not checked: one error, no blame."""
        try:
            self._run()
        except _Incident as incident:
            planned = incident.planned
            exchange = self._observed.exchange.id
            finding = self._maker.incident(planned.requirement, planned.name, exchange, incident.what)
            return Judged([finding], skipped=len(self._plan.all), sound=False, readable=False)
        return self._judged

    def whole_step(self, planned: Planned) -> Judged:
        """Return what a check on all exchanges of the step gave."""
        try:
            self._evaluate(planned)
        except _Incident as incident:
            finding = self._maker.incident(planned.requirement, planned.name, self._observed.exchange.id, incident.what)
            return Judged([finding], skipped=1, sound=False)
        return self._judged

    def _run(self) -> None:
        plan, observed, trouble = self._plan, self._observed, self._observed.trouble
        each = [planned for planned in plan.all if not planned.check.whole_step]
        low = [planned for planned in each if planned.check.needs <= Stage.HTTP]
        high = [planned for planned in each if planned.check.needs > Stage.HTTP]
        if trouble is not None and trouble.stage is Stage.HTTP:
            self._stop(plan.cited_for_trouble(Stage.HTTP), _miss(trouble), each)
            return
        surprised = observed.shape == "fault" and plan.refuses_a_fault
        wrong_status = False
        for planned in low:
            if planned.name == "http-status" and surprised:
                self._judged.skipped += 1
            elif planned.name == "http-status" and plan.expects_refusal and observed.shape == "normal":
                high.append(planned)  # the status of a refusal: judged after the refusal itself
            elif self._evaluate(planned) and planned.name == "http-status":
                wrong_status = True
        if trouble is not None:
            self._unreadable(trouble, high, wrong_status)
        elif surprised:
            self._surprised(high)
        else:
            self._readable(high)

    def _unreadable(self, trouble: Trouble, high: list[Planned], wrong_status: bool) -> None:
        refusals = [planned for planned in high if planned.name == "refused"]
        if any(is_outcome(self._observed, value) for planned in refusals for value in planned.values):
            # A refusal by HTTP alone, as the norm allows: what concerns a message has nothing to say.
            self._judged.readable = False
            for planned in refusals:
                self._evaluate(planned)
            return
        cited = None if wrong_status else self._plan.cited_for_trouble(Stage.MESSAGE)
        if cited is None and not high:
            self._judged.readable = False
            return
        self._stop(cited, _miss(trouble), high)

    def _surprised(self, high: list[Planned]) -> None:
        cited = self._plan.cited_for_fault()
        if cited is not None and cited.requirement not in self._plan.musts:
            # No obligation needs a normal answer here: a remark, and the fault is judged as an answer of its own.
            self._stop(cited, unexpected_fault(self._observed), ())
            self._readable([each for each in high if each.always or each.name == "excludes"])
            self._judged.sound = self._judged.readable = False
            return
        if cited is not None:
            self._stop(cited, unexpected_fault(self._observed), high)
            return
        self._stop(None, None, high)
        first = next(iter(self._plan.always), None)
        self._judged.findings.append(
            self._maker.unclear(
                first.requirement if first else "",
                first.name if first else "",
                self._observed.exchange.id,
                "CONFIG",
                "preamble",
                mark("L'étape préparatoire n'a pas abouti : {trouve}."),
                tr("une réponse normale"),
                describe(self._observed),
            )
        )

    def _readable(self, high: list[Planned]) -> None:
        values = [planned for planned in high if planned.check.needs is Stage.NORMAL]
        rest = [
            planned for planned in high if planned.name not in ("valid", "signed", *_OUTCOMES) and planned not in values
        ]
        outcomes = self._group(high, _OUTCOMES, stop_at="not-refused")
        self._judged.sound = not outcomes
        if any(finding.reason == "not-refused" for finding in outcomes):
            # What the answer to a request that had to be refused holds is a consequence.
            self._judged.readable = False
            self._skip([*(planned for planned in high if planned.name in ("valid", "signed")), *rest, *values])
            return
        signed = self._group(high, ("signed",))
        if any(finding.verdict == "fail" and finding.reason in ALTERED for finding in signed):
            self._skip([*(planned for planned in high if planned.name == "valid"), *rest, *values])
            return
        broken = [finding for finding in self._group(high, ("valid",)) if finding.verdict == "fail"]
        if any(finding.reason in STRUCTURAL for finding in broken):
            self._withdraw([finding for finding in signed if finding.reason in SOAP])
        self._withdraw([finding for finding in outcomes if _explained(finding, broken)])
        for planned in rest:
            self._evaluate(planned)
        self._values(values, bool(outcomes))

    def _group(self, high: list[Planned], names: Iterable[str], stop_at: str = "") -> list[Finding]:
        """Evaluate the checks of these names; after a finding of reason `stop_at` the others are skipped."""
        found: list[Finding] = []
        for planned in high:
            if planned.name not in names:
                continue
            if any(finding.reason == stop_at for finding in found):
                self._judged.skipped += 1
            else:
                found += self._evaluate(planned)
        return found

    def _skip(self, left: Iterable[Planned]) -> None:
        self._judged.skipped += sum(1 for _ in left)

    def _withdraw(self, explained: list[Finding]) -> None:
        """Take back findings that another one explains: their expectations count as skipped."""
        for finding in explained:
            self._judged.findings.remove(finding)
            self._judged.skipped += 1

    def _values(self, planned_values: list[Planned], blocked: bool) -> None:
        outside: set[str] = set()
        if self._observed.shape == "fault":
            planned_values = [planned for planned in planned_values if not planned.always]
        for planned in sorted(planned_values, key=lambda each: _FIRST.get(each.name, len(_FIRST))):
            at = self._observed.norm.reading.result if planned.name == "result" else planned.expectation.at
            if blocked or at in outside:
                self._judged.skipped += 1
                missed: list[Finding] = []
                lost = True
            else:
                missed = self._evaluate(planned)
                lost = bool(missed)
            if any(finding.reason == "code-table" for finding in missed):
                outside.add(at)
            if planned.name == "result" and lost:
                blocked, self._judged.sound = True, False

    def _evaluate(self, planned: Planned) -> list[Finding]:
        """Evaluate one expectation and return its findings; raises _Incident when the check does."""
        try:
            misses = planned.check.function(self._scene_for(planned))
        except PremiseMissing:
            self._judged.skipped += 1
            return []
        except PoinconError as error:
            raise _Incident(planned, f"{planned.name} : {error}") from error
        except Exception as error:
            raise _Incident(planned, f"{planned.name} : {type(error).__name__}") from error
        if misses is None:
            return []
        self._count(planned)
        findings = [
            self._maker.of_miss(planned.requirement, planned.name, self._observed.exchange.id, miss) for miss in misses
        ]
        self._judged.findings.extend(findings)
        return findings

    def _stop(self, cited: Planned | None, miss: Miss | None, left: Iterable[Planned]) -> None:
        """Record the one finding of a failed premise on `cited`; everything else in `left` is skipped."""
        for planned in left:
            if planned is not cited:
                self._judged.skipped += 1
        self._judged.sound = self._judged.readable = False
        if cited is not None and miss is not None:
            self._count(cited)
            self._judged.findings.append(
                self._maker.of_miss(cited.requirement, cited.name, self._observed.exchange.id, miss)
            )

    def _count(self, planned: Planned) -> None:
        self._judged.checked += 1
        self._judged.own += not planned.always


def _explained(finding: Finding, broken: list[Finding]) -> bool:
    """Tell whether a wrong code of a fault is explained by a broken rule or schema at the same place."""
    place = finding.location.path
    return finding.reason == "fault-code" and any(
        f"{other.location.path}/".startswith(f"{place}/") or f"{place}/".startswith(f"{other.location.path}/")
        for other in broken
    )


def _miss(trouble: Trouble) -> Miss:
    return Miss(
        trouble.reason,
        trouble.message,
        trouble.expected,
        trouble.actual,
        trouble.params,
        trouble.path,
        trouble.line,
    )
