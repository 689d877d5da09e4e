"""Which norm and which kind of message is a recorded exchange? Told by its request, else by a normal answer.

What no norm knows, or several claim, is not recognised and never judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from harness.observation.recording import Recorded, Side
from harness.reading import BrokenHttp, read_request, read_response
from norms.errors import ParseRefusal
from norms.i18n import mark
from norms.identify import Library, Match
from norms.model import Limits, Norm, Service
from norms.parsing import parse

NO_BODY: Final = mark("sans corps")
NO_HTTP: Final = mark("HTTP illisible")
NO_XML: Final = mark("pas un document XML acceptable")
UNKNOWN: Final = mark("inconnu des normes disponibles")
SEVERAL: Final = mark("connu de plusieurs normes : dites laquelle avec --norm")


@dataclass(frozen=True)
class Recognised:
    """What an exchange is: a norm and one of its services."""

    norm: Norm
    service: Service


class Recogniser:
    """Recognises exchanges among `norms`. Raises UsageError when none of them has a service."""

    def __init__(self, norms: Sequence[Norm]) -> None:
        self._library = Library(norms)
        limits = [norm.security.limits for norm in self._library.norms]
        self._limits: Limits = max(limits, key=lambda limit: limit.body_bytes)

    @property
    def norms(self) -> list[Norm]:
        """The norms that messages may belong to."""
        return self._library.norms

    def recognise(self, recorded: Recorded) -> Recognised | str:
        """Return what the exchange is, or why it is not recognised (a marked sentence)."""
        found = self._of(recorded, "request")
        if isinstance(found, Recognised):
            return found
        answer = self._of(recorded, "response") if recorded.response else found
        return answer if isinstance(answer, Recognised) else found

    def _of(self, recorded: Recorded, side: Side) -> Recognised | str:
        root = self._root(recorded.request if side == "request" else recorded.response, side)
        if isinstance(root, str):
            return root
        matches = [match for match in self._library.matches(root) if match.direction == side]
        if side == "response" and len(matches) > 1:
            return SEVERAL  # a fault, most often: by itself it names no norm
        found = [_recognised(match) for match in matches]
        known = [each for each in found if each is not None]
        return known[0] if len(known) == 1 else SEVERAL if known else UNKNOWN

    def _root(self, raw: bytes, side: Side) -> etree._Element | str:
        if not raw:
            return NO_BODY
        cap = self._limits.body_bytes
        try:
            message = read_request(raw, cap) if side == "request" else read_response(raw, cap)
            return parse(message.body, self._limits) if message.body.strip() else NO_BODY
        except BrokenHttp:
            return NO_HTTP
        except ParseRefusal:
            return NO_XML


def _recognised(match: Match) -> Recognised | None:
    service = match.norm.service(match.kind)
    return None if service is None else Recognised(match.norm, service)
