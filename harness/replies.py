"""What the laboratory answers when it plays the server: the `reply` names of a scenario made into HTTP.

Nominal answers come from the behaviour of the norm that is spoken (the same data that drives the practice partners),
then the scenario's edits, then the security of the norm or a deviation of it. The scenario speaks of the message that
its step awaits: whatever else arrives meanwhile is answered as usual.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Final, Literal

from lxml import etree

from norms.behaviour import Behaviour, Circumstances, RandomIds, State
from norms.filling import Clock, read_base
from norms.identify import Heard
from norms.model import Norm, Refusal, Service
from norms.wire.deposit import MEDIA_TYPE
from norms.wire.secure import Signers, secure_response
from norms.wire.soap import serialize
from scenarios.model import Case, Step
from scenarios.rendering import UnplacedError, apply_edits

_TYPES: Final = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. ending: "complete", or what happens instead: "hold" the connection open, "cut" it.

    delay: seconds before it leaves; amiss: why it is not the answer that the scenario wants, "" when it is.
    """

    status: int
    content_type: str = ""
    body: bytes = b""
    ending: Literal["complete", "hold", "cut"] = "complete"
    delay: float = 0.0
    amiss: str = ""

    def raw(self) -> bytes:
        """Return the answer as HTTP/1.1 bytes, b"" when none is sent."""
        if self.ending != "complete":
            return b""
        kind = f"content-type: {self.content_type}\r\n" if self.content_type else ""
        return f"HTTP/1.1 {self.status} \r\n{kind}content-length: {len(self.body)}\r\n\r\n".encode() + self.body


@dataclass(frozen=True)
class Question:
    """A request that arrived, read. bindings: values of the case with what was kept of it; base: of our addresses."""

    heard: Heard
    case: Case
    step: Step
    bindings: Mapping[str, str]
    clock: Clock
    base: str = ""


class States:
    """What the simulators of one session remember: one state for each norm they speak."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self._lock = threading.Lock()

    def of(self, norm: Norm) -> State:
        """Return the state of that norm's simulator."""
        with self._lock:
            if norm.ref not in self._states:
                self._states[norm.ref] = State()
            return self._states[norm.ref]


class Replies:
    """Makes the answers of one run. behaviours: of the norm and its companions; signers: of the laboratory's flow."""

    def __init__(self, behaviours: Iterable[Behaviour], signers: Signers) -> None:
        self._behaviours = {behaviour.norm.ref: behaviour for behaviour in behaviours}
        self._signers = signers

    def reply(self, question: Question, states: States) -> Reply:
        """Return the answer that the step asks for; raises PoinconError when the scenario or norm data is wrong.

        Where the simulator's answer has no place for the scenario's edits (it refuses the request, say), that answer
        is given as it is.
        """
        norm, service, _ = question.heard
        awaited = question.step.await_ == service.kind
        step = question.step if awaited else Step(line=question.step.line)
        name, _, rest = step.reply.partition(":")
        if name == "silence":
            return Reply(0, ending="hold")
        if name == "reset":
            return Reply(0, ending="cut")
        if name == "http":
            return Reply(int(rest))
        if name == "fault":
            return self._fault(question, rest, states)
        root = read_base(norm.root / rest) if name == "example" else self._nominal(question, states)
        edited = deepcopy(root)
        try:
            apply_edits(norm, edited, question.case, step, question.bindings, question.clock)
        except UnplacedError as unplaced:
            body = secure_response(root, norm, service, self._signers, question.clock.now)
            return Reply(200, _kind(service), body, amiss=str(unplaced))
        deviation = rest if name == "security" else ""
        body = secure_response(edited, norm, service, self._signers, question.clock.now, deviation)
        if name == "truncated-xml":
            body = body[: len(body) * 2 // 3]
        return Reply(200, _kind(service), body, delay=float(rest) if name == "slow" else 0.0)

    def _nominal(self, question: Question, states: States) -> etree._Element:
        norm, service, root = question.heard
        state, today = states.of(norm), question.clock.today
        behaviour = self._behaviours[norm.ref]
        with state.turn:
            return behaviour.answer(root, service.kind, state, today, RandomIds(), base=question.base).root

    def _fault(self, question: Question, code: str, states: States) -> Reply:
        norm, service, root = question.heard
        known = norm.security.refusals.items()
        reason, refusal = next(
            ((reason, refusal) for reason, refusal in known if refusal.code == code),
            ("internal", Refusal("Receiver", code, 500)),
        )
        if service.carrier == "deposit":
            return Reply(refusal.http, "text/plain; charset=utf-8", code.encode())
        state = states.of(norm)
        with state.turn:
            answer = self._behaviours[norm.ref].interpreter.fault(
                root,
                service.soap,
                (refusal.fault, code, reason, ""),
                state,
                Circumstances(question.clock.today, RandomIds()),
            )
        status = 500 if service.soap == "1.1" and refusal.http == 400 else refusal.http
        return Reply(status, _TYPES[service.soap], serialize(answer))


def _kind(service: Service) -> str:
    return MEDIA_TYPE if service.carrier == "deposit" else _TYPES[service.soap]
