"""What the practice software looks at before it believes an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from norms.check import checker_for
from norms.errors import ParseRefusal, SecurityRefusal
from norms.functions import text_of, xpath
from norms.i18n import tr
from norms.model import Norm, Service
from norms.parsing import parse
from norms.wire.deposit import enveloped, is_bare
from norms.wire.soap import Envelope
from norms.wire.trust import Anchors
from norms.wire.verify import verify
from sandbox.calling import Posted

_TEXT_BYTES = 400
_SIDES = {"Client": "Sender", "Server": "Receiver"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as the software sees it.

    root: the envelope, None when nothing readable came; fault: side of a fault (Sender, Receiver), "" = none; doubt:
    why it is not believed, "" = it is; cause: what may make the software ask anew ("silence" or the side of the fault).
    """

    root: etree._Element | None
    fault: str = ""
    doubt: str = ""
    cause: str = ""


class Reader:
    """Reads the answers to a norm's requests. anchors: the authorities that the software trusts."""

    def __init__(self, norm: Norm, anchors: Anchors) -> None:
        self._norm, self._anchors, self._checker = norm, anchors, checker_for(norm)

    def read(
        self,
        posted: Posted,
        service: Service,
        request: etree._Element,
        checks: Iterable[str],
        now: datetime,
        tolerated: frozenset[str] = frozenset(),
    ) -> Answer:
        """Return the answer.

        checks: what is looked at (`norms.behaviour.conduct.BELIEFS`); tolerated: reason codes of the wire that are let
        pass all the same.
        """
        if not posted.status:
            return Answer(None, cause="silence")
        checks = tuple(checks)
        if service.carrier == "deposit" and posted.status != 200 and "status" in checks:
            # A deposit has no faults: the status alone says that it was not taken.
            return Answer(None, doubt=_why(posted), cause="Sender" if posted.status < 500 else "Receiver")
        try:
            root = parse(posted.body, self._norm.security.limits, posted.content_type or None)
            if service.carrier == "deposit":
                root = _opened(root)
            envelope = Envelope.of(root)
        except (ParseRefusal, SecurityRefusal) as refusal:
            return Answer(None, doubt=refusal.what)
        side = _side(envelope) if envelope.is_fault else ""
        doubt = next(
            (why for check in checks if (why := self._doubt(check, posted, root, service, request, now, tolerated))), ""
        )
        return Answer(root, side, doubt, side)

    def _doubt(
        self,
        check: str,
        posted: Posted,
        root: etree._Element,
        service: Service,
        request: etree._Element,
        now: datetime,
        tolerated: frozenset[str],
    ) -> str:
        """Return why this check does not let the answer be believed, "" when it does. A fault is neither signed nor
        has it the action of the service."""
        is_fault = Envelope.of(root).is_fault
        if check == "status":
            return "" if posted.status == 200 or is_fault else _told(posted)
        if check == "valid":
            problems = self._checker.check(root, service.kind, "response")
            return problems[0].message if problems else ""
        if service.carrier == "deposit":
            return ""  # neither correlated, nor named, nor signed
        reading = self._norm.reading
        if check == "correlated" and reading.relates_to and reading.message_id:
            mine, theirs = self._text(reading.message_id, request), self._text(reading.relates_to, root)
            return (
                "" if theirs == mine or (is_fault and not theirs) else tr("La réponse est celle d'une autre demande.")
            )
        if check == "action" and reading.action and not is_fault:
            right = self._text(reading.action, root) == service.response.action
            return "" if right else tr("L'action de la réponse n'est pas celle du service.")
        if check == "signed" and not is_fault:
            try:
                verify(root, self._norm, service, "response", self._anchors, now)
            except SecurityRefusal as refusal:
                return "" if refusal.reason in tolerated else refusal.what
        return ""

    def _text(self, expression: str, root: etree._Element) -> str:
        return str(text_of(xpath(self._norm, expression)(root))).strip()


def _told(posted: Posted) -> str:
    return tr("Le statut HTTP est {status}.", status=posted.status)


def _why(posted: Posted) -> str:
    """Return what a refusal of a deposit says: its status, and its text when it is one."""
    text = ""
    if posted.content_type.partition(";")[0].strip().lower() == "text/plain":
        text = " ".join(posted.body[:_TEXT_BYTES].decode("utf-8", "replace").split())
    return f"{_told(posted)} {text}".strip()


def _opened(root: etree._Element) -> etree._Element:
    """Return a bare document in an envelope; one that came in an envelope is no answer to a deposit."""
    if not is_bare(root):
        raise SecurityRefusal("envelope-structure", tr("La réponse à un dépôt n'a pas d'enveloppe SOAP."))
    return enveloped(root)


def _side(envelope: Envelope) -> str:
    """Return who is to blame for a fault: SOAP 1.2 §5.4.6 (Code/Value), SOAP 1.1 §4.4.1 (faultcode)."""
    payload = envelope.payload
    value = payload.find("{*}Code/{*}Value") if payload is not None else None
    if value is None and payload is not None:
        value = payload.find("faultcode")
    word = (value.text or "").strip().rpartition(":")[2] if value is not None else ""
    return _SIDES.get(word, word) or "Receiver"
