"""What the laboratory answers when it plays the server: the `reply` names of a scenario made into HTTP.

Nominal answers come from the norm's behaviour (the same data that drives the practice partners), then the scenario's
edits, then the security of the norm or a deviation of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from lxml import etree

from norms.behaviour import Behaviour, Circumstances, RandomIds, State
from norms.filling import Clock, read_base
from norms.model import Norm, Refusal, Service
from norms.wire.secure import Signers, secure_response
from norms.wire.soap import qname, serialize
from scenarios.model import Case, Step
from scenarios.rendering import apply_edits

_TYPES: Final = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. ending: "complete", or what happens instead: "hold" the connection open, "cut" it."""

    status: int
    content_type: str = ""
    body: bytes = b""
    ending: Literal["complete", "hold", "cut"] = "complete"

    def raw(self) -> bytes:
        """Return the answer as HTTP/1.1 bytes, b"" when none is sent."""
        if self.ending != "complete":
            return b""
        kind = f"content-type: {self.content_type}\r\n" if self.content_type else ""
        return f"HTTP/1.1 {self.status} \r\n{kind}content-length: {len(self.body)}\r\n\r\n".encode() + self.body


@dataclass(frozen=True)
class Question:
    """A request that arrived, read. bindings: values of the case with what was kept of this request."""

    root: etree._Element
    service: Service
    case: Case
    step: Step
    bindings: Mapping[str, str]
    clock: Clock


class Replies:
    """Makes the answers of one run. signers: of the laboratory's own flow. One `State` per session."""

    def __init__(self, behaviour: Behaviour, signers: Signers) -> None:
        self._behaviour, self._signers = behaviour, signers

    @property
    def norm(self) -> Norm:
        """The norm that is spoken."""
        return self._behaviour.norm

    def reply(self, question: Question, state: State) -> Reply:
        """Return the answer that the step asks for; raises PoinconError when the scenario or norm data is wrong."""
        name, _, rest = question.step.reply.partition(":")
        if name == "silence":
            return Reply(0, ending="hold")
        if name == "reset":
            return Reply(0, ending="cut")
        if name == "http":
            return Reply(int(rest))
        if name == "fault":
            return self._fault(question, rest, state)
        root = read_base(self.norm.root / rest) if name == "example" else self._nominal(question, state)
        apply_edits(self.norm, root, question.case, question.step, question.bindings, question.clock)
        body = secure_response(
            root,
            self.norm,
            question.service,
            self._signers,
            question.clock.now,
            rest if name == "security" else "",
        )
        if name == "truncated-xml":
            body = body[: len(body) * 2 // 3]
        return Reply(200, _TYPES[question.service.soap], body)

    def _nominal(self, question: Question, state: State) -> etree._Element:
        kind, today = question.service.kind, question.clock.today
        return self._behaviour.answer(question.root, kind, state, today, RandomIds()).root

    def _fault(self, question: Question, code: str, state: State) -> Reply:
        known = self.norm.security.refusals.items()
        reason, refusal = next(
            ((reason, refusal) for reason, refusal in known if refusal.code == code),
            ("internal", Refusal("Receiver", code, 500)),
        )
        soap = question.service.soap
        root = self._behaviour.interpreter.fault(
            question.root,
            soap,
            (refusal.fault, code, reason, ""),
            state,
            Circumstances(question.clock.today, RandomIds()),
        )
        status = 500 if soap == "1.1" and refusal.http == 400 else refusal.http
        return Reply(status, _TYPES[soap], serialize(root))


def service_of(norm: Norm, root: etree._Element) -> Service | None:
    """Return the service whose request stands in the body, None when it is none of the norm's."""
    tags = {child.tag for body in root.findall("{*}Body") for child in body if isinstance(child.tag, str)}
    return next((each for each in norm.services if qname(norm.prefixes, each.request.element) in tags), None)
