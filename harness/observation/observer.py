"""Observing a recording: every exchange read, recognised, judged and counted; then those of each beneficiary together.

Only what is bounded stays in memory: figures, one example of each sort of finding, and an index of beneficiaries.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec

from harness.checks.messages import STRUCTURAL, rule_miss
from harness.context import JudgeContext
from harness.evaluation import ALTERED, Judged
from harness.masking import masked
from harness.observation.judging import MessageJudge, http_refusal
from harness.observation.measures import Measures, address
from harness.observation.recognition import Recognised, Recogniser
from harness.observation.recording import Recorded, Recording, Side
from harness.observation.result import FORMAT, Counts, Example, Grouped, Observation, Verdict
from harness.observation.together import Incident, Kept, Problem, Together
from harness.observed import Observed
from harness.record import Finding
from harness.verdicts import EXIT, verdict_of_findings
from norms.errors import PoinconError
from norms.i18n import speaking, tr
from norms.model import Norm
from norms.wire.replay import MemoryReplayCache
from norms.wire.trust import Anchors

MOST_SORTS: Final = 500
MOST_EXAMPLES: Final = 3
_CHAIN: Final = "chain"
_POSITION: Final = re.compile(r"\[\d+\]")
_RANK: Final = {"fail": 0, "error": 1, "inconclusive": 2, "remark": 3, "pass": 4}
_TOLD: Final = frozenset(STRUCTURAL) | ALTERED


class Observer:
    """Observes recordings. norms: those that messages may belong to; tested: the one asked for, None = whichever fits.

    anchors: authorities that signatures must lead to, None = signatures are not judged.
    """

    def __init__(self, norms: Sequence[Norm], tested: Norm | None, anchors: Anchors | None, tool: str) -> None:
        self._recogniser = Recogniser(norms)
        self._norms = {norm.ref: norm for norm in self._recogniser.norms}
        self._tested, self._anchors, self._tool = tested, anchors, tool

    def observe(self, recording: Recording) -> Observation:
        """Return what the recording shows, in French. Raises RecordingError, NormError."""
        with speaking("fr"):
            return _Observing(self._recogniser, self._norms, self._tested, self._anchors, self._tool).run(recording)


class _Observing:
    def __init__(
        self,
        recogniser: Recogniser,
        norms: dict[str, Norm],
        tested: Norm | None,
        anchors: Anchors | None,
        tool: str,
    ) -> None:
        self._recogniser, self._norms, self._tested = recogniser, norms, tested
        self._anchors, self._tool = anchors, tool
        self._judges: dict[str, MessageJudge] = {}
        self._replay = MemoryReplayCache()
        self._measures, self._together = Measures(), Together()
        self._sorts: dict[tuple[str, ...], Grouped] = {}
        self._omitted = 0
        self._used: dict[str, None] = {}

    def run(self, recording: Recording) -> Observation:
        try:
            for recorded in recording:
                self._exchange(recorded)
            self._beneficiaries()
        finally:
            self._together.close()
        counts = self._measures.counts(self._together.judged, self._together.too_large)
        verdict = _verdict(counts)
        ordered = sorted(self._sorts.values(), key=lambda each: (_RANK[each.finding.verdict], -each.count))
        return Observation(
            format=FORMAT,
            tool=self._tool,
            recording=recording.path.name,
            kind=recording.kind,
            first=self._measures.first,
            last=self._measures.last,
            ignored=dict(sorted(recording.ignored.items())),
            norms=tuple(sorted(self._used)),
            signatures=self._anchors is not None,
            verdict=verdict,
            exit_code=EXIT[verdict],
            counts=counts,
            messages=self._measures.messages(),
            times=self._measures.times(),
            refusals=self._measures.refusals(),
            faults=self._measures.faults(),
            claims=self._measures.claims(),
            unrecognised=self._measures.all_unrecognised(),
            findings=tuple(ordered),
            omitted=self._omitted,
        )

    def _exchange(self, recorded: Recorded) -> None:
        self._measures.exchange(recorded)
        what = self._recogniser.recognise(recorded)
        if not isinstance(what, Recognised):
            self._measures.unrecognised(recorded, what)
            return
        self._used[what.norm.ref] = None
        self._measures.recognised(recorded, what)
        kept = Kept(
            what.norm.ref,
            what.service.kind,
            recorded.number,
            masked(recorded.name),
            recorded.asked_at,
            address(recorded.url),
        )
        read: dict[Side, Observed] = {}
        before: dict[Side, str] = {}
        broken: list[Side] = []
        sides: tuple[tuple[Side, bytes], ...] = (("request", recorded.request), ("response", recorded.response))
        for side, raw in sides:
            if not raw and side not in recorded.lost:
                continue
            read[side] = self._judge(what.norm, recorded).read(recorded, what, side)
            if what.service.carrier == "deposit" and http_refusal(read[side]):
                continue  # the way in which a deposit is refused: counted, no message to judge
            judged = self._judged(recorded, read[side])
            before[side] = verdict_of_findings(judged.findings)
            self._measures.message(what, side, before[side])
            for finding in judged.findings:
                self._found(kept, side, finding)
            if any(finding.reason in _TOLD for finding in judged.findings):
                broken.append(side)
        if "response" in read and "response" not in recorded.lost and read["response"].arrived:
            self._measures.answer(what, read["response"])
        kept = msgspec.structs.replace(kept, before=before, broken=tuple(broken))
        self._together.add(recorded, what, read.get("request"), read.get("response"), kept)

    def _judged(self, recorded: Recorded, observed: Observed) -> Judged:
        judge = self._judge(observed.norm, recorded)
        try:
            return judge.judge(recorded, observed)
        except PoinconError as error:
            incident = str(error)
        except Exception as error:  # noqa: BLE001 - any crash is an incident of ours: never a pass, never a blame
            incident = type(error).__name__
        finding = judge.maker.incident("", "", str(recorded.number), incident)
        return Judged([finding], sound=False, readable=False)

    def _judge(self, norm: Norm, recorded: Recorded) -> MessageJudge:
        if norm.ref not in self._judges:
            beside = self._tested is not None and norm in self._tested.companions
            today = date.fromisoformat(recorded.asked_at[:10]) if recorded.asked_at else date(1970, 1, 1)
            context = JudgeContext(norm, self._anchors, today, self._tool, tested=self._tested if beside else None)
            self._judges[norm.ref] = MessageJudge(context, self._replay)
        return self._judges[norm.ref]

    def _beneficiaries(self) -> None:
        worse: dict[tuple[int, Side], str] = {}
        for each in self._together.problems(self._norms):
            of = each.of
            side, finding = self._of_chain(each) if isinstance(each, Problem) else self._incident(each)
            self._found(of, side, finding)
            before = worse.get((of.number, side), of.before[side])
            after = min(before, verdict_of_findings([finding]), key=_RANK.__getitem__)
            if after != before:
                worse[of.number, side] = after
                self._measures.changed(of.norm, of.kind, side, before, after)

    def _incident(self, each: Incident) -> tuple[Side, Finding]:
        maker = self._judges[each.of.norm].maker
        return next(iter(each.of.before)), maker.incident("", _CHAIN, str(each.of.number), each.what)

    def _of_chain(self, each: Problem) -> tuple[Side, Finding]:
        judge = self._judges[each.of.norm]
        finding = judge.maker.of_miss(each.problem.requirement, _CHAIN, str(each.of.number), rule_miss(each.problem))
        if each.sure or finding.verdict != "fail":
            return each.side, finding
        actual = tr(
            "{constat} ; un échange antérieur de ce bénéficiaire manque ou ne se lit pas", constat=finding.actual
        )
        return each.side, msgspec.structs.replace(finding, verdict="inconclusive", blame="", actual=actual)

    def _found(self, of: Kept, side: Side, finding: Finding) -> None:
        """Note a finding: with others of its sort, the first few as examples."""
        place = _POSITION.sub("", finding.location.path)
        key = (of.norm, of.kind, side, finding.verdict, finding.requirement, finding.check, finding.reason, place)
        example = Example(
            of.number,
            of.name,
            of.at,
            of.url,
            finding.location.path,
            finding.location.line,
            finding.expected,
            finding.actual,
        )
        known = self._sorts.get(key)
        if known is None and len(self._sorts) >= MOST_SORTS:
            self._omitted += 1
        elif known is None:
            self._sorts[key] = Grouped(of.norm, of.kind, side, 1, finding, (example,))
        else:
            examples = known.examples if len(known.examples) >= MOST_EXAMPLES else (*known.examples, example)
            self._sorts[key] = msgspec.structs.replace(known, count=known.count + 1, examples=examples)


def _verdict(counts: Counts) -> Verdict:
    """Return the verdict on the recording; one in which nothing was judged is inconclusive, never a pass."""
    if counts.invalid:
        return "fail"
    if counts.error:
        return "error"
    return "pass" if counts.valid and not counts.inconclusive and not counts.not_together else "inconclusive"
