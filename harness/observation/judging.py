"""Judging one message of a recording, by the checks that a run makes on every message of its kind.

Pure: no clock, no network; times are those of the recording.
"""

from __future__ import annotations

from typing import Final

import msgspec

from harness.casesecurity import CaseSecurity
from harness.checks.base import Miss, Scene
from harness.checks.registry import CHECKS
from harness.context import JudgeContext
from harness.evaluation import Evaluation, Judged
from harness.findings import FindingMaker
from harness.observation.citing import Citations
from harness.observation.recognition import Recognised
from harness.observation.recording import Recorded, Side
from harness.observed import Observed, Stage
from harness.plan import Plan, Planned, plan
from harness.record import Blame, Exchange, Finding, TlsFacts
from norms.i18n import mark, tr
from norms.model import Always, Norm, Text
from norms.wire.replay import ReplayCache
from scenarios.model import Case, Expectation, Role, Step

_ROLES: Final[dict[Side, Role]] = {"request": "client", "response": "server"}
_WANTED: Final[dict[Side, tuple[str, ...]]] = {
    "request": ("valid", "action", "signed"),
    "response": ("valid", "correlated", "action", "signed"),
}
"""What is judged of every message, whether or not `always` of its norm says so; the version is part of `valid`."""
_OF_MESSAGES: Final = frozenset({"answered", "http-status", "within-ms", "valid", "version", "excludes"})
"""Checks for which a message is enough: a recording holds neither TLS facts nor the addresses that were handed out."""
_NO_TIME: Final = "1970-01-01T00:00:00.000Z"


class StrictMaker(FindingMaker):
    """Makes findings like a run's; a message that breaks the norm breaks it even where no requirement can be cited."""

    def of_miss(self, requirement: str, check: str, exchange: str, miss: Miss) -> Finding:
        """See `FindingMaker.of_miss`."""
        finding = super().of_miss(requirement, check, exchange, miss)
        if finding.verdict == "remark" and not finding.requirement:
            return msgspec.structs.replace(finding, verdict=miss.verdict)
        return finding


class MessageJudge:
    """Judges messages of one norm. context: its anchors are None when signatures are not judged."""

    def __init__(self, context: JudgeContext, replay: ReplayCache) -> None:
        self._context, self._replay = context, replay
        self._quiet = msgspec.structs.replace(context.norm, always=_always(context.norm))
        self._citations = Citations(context.suite_norm)
        self.maker = StrictMaker(context)

    def judge(self, recorded: Recorded, observed: Observed) -> Judged:
        """Return what a message gave. Never raises for what it holds."""
        exchange, context = observed.exchange, self._context
        if observed.direction in recorded.lost:
            return self._unread(exchange, "not-recorded", tr("le corps n'est pas dans l'enregistrement"), "")
        if not observed.arrived:
            return self._unread(exchange, "http-malformed", tr("un message HTTP incomplet"), "NETWORK")
        if code := http_refusal(observed):
            # Right or wrong depends on the request's address, which a recording does not vouch for.
            return self._unread(exchange, "http-status", tr("{code}, sans message", code=code), "")
        case = _case(exchange, _ROLES[observed.direction])
        step = Step(send=observed.service.kind)
        security = CaseSecurity(context, self._replay, transport=False)

        def scene(each: Planned) -> Scene:
            return Scene(
                context, case, step, each.expectation, each.values, observed, (observed,), {}, security, always=True
            )

        planned = self._plan(case, step, observed)
        return Evaluation(self.maker, observed, planned, scene).run()

    def read(self, recorded: Recorded, recognised: Recognised, side: Side) -> Observed:
        """Return a message as the checks read it."""
        return Observed(recognised.norm, recognised.service, exchange_of(recorded, recognised, side), side)

    def _plan(self, case: Case, step: Step, observed: Observed) -> Plan:
        """Return the expectations of the norm on every message, then those of this program that it leaves out."""
        own = (Expectation("", "answered"),) if observed.direction == "response" else ()
        context = JudgeContext(self._quiet, None, self._context.today, tested=self._context.suite_norm)
        said = plan(context, case, msgspec.structs.replace(step, expect=own), observed.exchange)
        always = [each for each in said.always if self._judged(each.name, observed)]
        named = {each.name for each in always}
        for name in _WANTED[observed.direction]:
            if name not in named and self._judged(name, observed):
                requirement = self._citations.of(name, case.role)
                always.append(Planned(Expectation(requirement, name), CHECKS[name], (), always=True))
        known = (self._context.suite_norm.requirement(each.requirement) for each in always)
        return Plan(said.own, tuple(always), frozenset(each.id for each in known if each and each.level == "MUST"))

    def _judged(self, name: str, observed: Observed) -> bool:
        """Tell whether a check has a meaning here: the norm says where to look, and what it needs is known."""
        reading, service = self._context.norm.reading, observed.service
        if name == "correlated":
            return bool(reading.message_id and reading.relates_to)
        if name == "action":
            return bool(reading.action) or (observed.direction == "request" and service.soap == "1.1")
        if name == "signed":
            return self._context.anchors is not None and observed.exchange.received_at != _NO_TIME
        return name in _OF_MESSAGES or CHECKS[name].needs is Stage.NORMAL

    def _unread(self, exchange: Exchange, reason: str, actual: str, blame: Blame) -> Judged:
        finding = self.maker.unclear(
            "",
            "",
            exchange.id,
            blame,
            reason,
            mark("Ce message ne peut pas être jugé : {trouve}."),
            tr("un message enregistré en entier"),
            actual,
        )
        return Judged([finding], sound=False, readable=False)


def http_refusal(observed: Observed) -> str:
    """Return "HTTP n" for an answer that refuses by its HTTP status alone, without a message; "" for others.

    So are refused a request that never reached a service (4xx), and whatever deposit is not taken.
    """
    if observed.direction != "response" or not observed.arrived or observed.trouble is None:
        return ""
    status = observed.status
    refused = 400 <= status < 500 or (observed.service.carrier == "deposit" and status >= 300)
    return f"HTTP {status}" if refused and observed.trouble.stage is Stage.MESSAGE else ""


def exchange_of(recorded: Recorded, recognised: Recognised, side: Side) -> Exchange:
    """Return a recorded exchange in the form of a run's, seen from one of its messages."""
    at = (recorded.asked_at if side == "request" else recorded.answered_at) or _NO_TIME
    return Exchange(
        id=str(recorded.number),
        case=recorded.case,
        step=1,
        number=recorded.number,
        purpose="step",
        kind=recognised.service.kind,
        url=recorded.url,
        sent_at=recorded.asked_at or at,
        received_at=at,
        outcome="received" if side == "request" else "answered",
        detail="",
        bindings={},
        security="",
        http="",
        tls=TlsFacts(),
        request=recorded.request,
        response=recorded.response,
        duration_ms=recorded.took_ms or 0.0,
    )


def _always(norm: Norm) -> tuple[Always, ...]:
    """Return what the norm says of every message, without what depends on values that only a run has."""
    return tuple(each for each in norm.always if "${" not in "".join((each.value, *each.values)))


def _case(exchange: Exchange, role: Role) -> Case:
    return Case(exchange.id, exchange.id, "written", Text(""), Text(""), role, "", "", {}, (), ())
