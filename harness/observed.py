"""One recorded exchange as the judge sees it: the message of the product, read stage by stage, each stage once.

A stage that fails is a `Trouble`: what broke and how to say it. Everything that needs a later stage is then not
evaluated. Pure: reads the recording and the norm, nothing else.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final, Literal

from lxml import etree

from harness.decoders import decoded
from harness.places import spot_of
from harness.reading import BrokenHttp, HttpMessage, read_request, read_response
from harness.record import Exchange
from norms.errors import ParseRefusal, SecurityRefusal
from norms.i18n import mark, tr
from norms.model import Norm, Part, Service
from norms.parsing import parse
from norms.wire.deposit import enveloped, is_bare
from norms.wire.soap import Envelope, namespace_of, qname

Shape = Literal["normal", "fault", "unknown"]
Direction = Literal["request", "response"]

FRAMING: Final = "http-malformed"
"""The reason of an HTTP message whose end cannot be found: a failure of the transport, not an answer."""


class Stage(enum.IntEnum):
    """How far an exchange must have been read before a check has a meaning."""

    NOTHING = 0
    HTTP = 1
    MESSAGE = 2
    NORMAL = 3


@dataclass(frozen=True)
class Trouble:
    """Why a message could not be read further.

    stage: the stage that was not reached; reason: stable code; message: French template filled with `params`;
    expected, actual: French; path, line: place in the body.
    """

    stage: Stage
    reason: str
    message: str
    expected: str
    actual: str
    params: dict[str, str] = field(default_factory=dict)
    path: str = ""
    line: int = 0


class Observed:
    """The message of the product in one exchange: its answer (role server) or its request (role client)."""

    def __init__(self, norm: Norm, service: Service, exchange: Exchange, direction: Direction) -> None:
        self.norm, self.service, self.exchange, self.direction = norm, service, exchange, direction

    @property
    def arrived(self) -> bool:
        """Whether an HTTP message of the product was recorded whose end can be found."""
        return self.outcome in ("answered", "received")

    @property
    def outcome(self) -> str:
        """The outcome of the transport; HTTP without a findable end is "bad-http" whatever the port thought."""
        outcome = self.exchange.outcome
        if outcome in ("answered", "received") and isinstance(self._http, BrokenHttp) and self._http.reason == FRAMING:
            return "bad-http"
        return outcome

    @cached_property
    def _http(self) -> HttpMessage | BrokenHttp:
        cap = self.norm.security.limits.body_bytes
        try:
            if self.direction == "response":
                return read_response(self.exchange.response, cap)
            return read_request(self.exchange.request, cap)
        except BrokenHttp as broken:
            return broken

    @property
    def http(self) -> HttpMessage:
        """The HTTP message. Raises BrokenHttp when there is none."""
        if isinstance(self._http, BrokenHttp):
            raise self._http
        return self._http

    @property
    def status(self) -> int:
        """The HTTP status, 0 when there is none to read."""
        return 0 if isinstance(self._http, BrokenHttp) else self._http.status

    @cached_property
    def _message(self) -> tuple[etree._Element | None, Shape, Trouble | None]:
        if isinstance(self._http, BrokenHttp):
            return None, "unknown", _http_trouble(self._http)
        if self.direction == "request" and (wrong := _carriage_trouble(self._http)) is not None:
            return None, "unknown", wrong
        if not self._http.body.strip():
            return None, "unknown", _bare(self._http)
        try:
            body = self._undone(self._http.body)
            root = parse(body, self.norm.security.limits, self._http.header("content-type"))
        except ParseRefusal as refusal:
            return None, "unknown", _parse_trouble(refusal, self._http)
        if self.service.carrier == "deposit":
            if not is_bare(root):
                what = tr("Le document est dans une enveloppe SOAP ; il se dépose tel quel.")
                return root, "unknown", self._structure("envelope-version", what, root)
            root = enveloped(root)
        return self._identify(root)

    def _identify(self, root: etree._Element) -> tuple[etree._Element, Shape, Trouble | None]:
        try:
            envelope = Envelope.of(root)
        except SecurityRefusal as refusal:
            return root, "unknown", self._structure(refusal.reason, refusal.what, root)
        if envelope.namespace != namespace_of(self.service):
            what = tr("L'enveloppe n'est pas celle de SOAP {version}.", version=self.service.soap)
            return root, "unknown", self._structure("envelope-version", what, root)
        payloads = [child for child in envelope.body if isinstance(child.tag, str)]
        if len(payloads) != 1:
            what = tr("Le corps SOAP porte {nombre} éléments au lieu d'un.", nombre=len(payloads))
            return root, "unknown", self._structure("envelope-structure", what, envelope.body)
        if self.direction == "response" and envelope.is_fault:
            return root, "fault", None
        if payloads[0].tag == qname(self.norm.prefixes, self.part.element):
            return root, "normal", None
        what = tr("Le corps SOAP porte un autre élément que « {attendu} ».", attendu=self.part.element)
        return root, "unknown", self._structure("unknown-operation", what, payloads[0])

    def _structure(self, reason: str, what: str, place: etree._Element) -> Trouble:
        spot, version = spot_of(place, self.norm), self.service.soap
        return Trouble(
            Stage.MESSAGE,
            reason,
            mark("Le message n'a pas la structure prévue : {detail}"),
            tr("un document « {attendu} »", attendu=self.part.element)
            if self.service.carrier == "deposit"
            else tr("une enveloppe SOAP {version} portant « {attendu} »", version=version, attendu=self.part.element),
            what,
            {"detail": what},
            spot.path,
            spot.line,
        )

    @property
    def part(self) -> Part:
        """What the norm says of this direction of the service."""
        return self.service.request if self.direction == "request" else self.service.response

    @property
    def trouble(self) -> Trouble | None:
        """What stopped the reading; None when the message is a normal one or a SOAP fault."""
        return self._message[2]

    @property
    def shape(self) -> Shape:
        """What the message is."""
        return self._message[1]

    @property
    def parsed(self) -> bool:
        """Whether the body is well-formed XML within the limits of the norm."""
        return self._message[0] is not None

    @property
    def root(self) -> etree._Element:
        """The envelope. Raises ValueError when the body is not XML."""
        root = self._message[0]
        if root is None:
            raise ValueError("this exchange holds no XML message")
        return root

    @cached_property
    def counterpart(self) -> etree._Element | None:
        """The laboratory's own message of this exchange as a tree, None when it was deliberately unreadable."""
        cap = self.norm.security.limits.body_bytes
        try:
            if self.direction == "response":
                message = read_request(self.exchange.request, cap)
            else:
                message = read_response(self.exchange.response, cap)
            root = parse(self._undone(message.body), self.norm.security.limits)
            return enveloped(root) if self.service.carrier == "deposit" else root
        except (BrokenHttp, ParseRefusal):
            return None

    def _undone(self, body: bytes) -> bytes:
        """Return the body as XML: a deposit may be in the product's own layout."""
        return decoded(self.exchange.layout, body) if self.service.carrier == "deposit" else body

    @property
    def at(self) -> datetime:
        """When the message of the product arrived, aware."""
        return moment(self.exchange.received_at)


def moment(text: str) -> datetime:
    """Return the aware time of an RFC 3339 text. Raises ValueError."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"a time without zone: {text}")
    return time


def _http_trouble(broken: BrokenHttp) -> Trouble:
    return Trouble(
        Stage.HTTP,
        broken.reason,
        mark("Le message HTTP ne se lit pas : {detail}"),
        tr("un message HTTP complet et lisible"),
        broken.what,
        {"detail": broken.what},
    )


def _carriage_trouble(http: HttpMessage) -> Trouble | None:
    """Return why a server does not even look into a request: another method than POST, a compressed body."""
    coding = (http.header("content-encoding") or "identity").strip().lower()
    if http.method != "POST":
        actual = tr("une requête {methode}", methode=http.method)
        message, params = mark("Le message est envoyé par {trouve} au lieu de POST."), {"trouve": http.method}
        return Trouble(Stage.MESSAGE, "http-method", message, tr("une requête POST"), actual, params)
    if coding != "identity":
        actual = tr("un corps « {codage} »", codage=coding)
        message, params = mark("Le corps de la demande est compressé ({trouve})."), {"trouve": coding}
        return Trouble(Stage.MESSAGE, "content-encoding", message, tr("un corps sans compression"), actual, params)
    return None


def _bare(http: HttpMessage) -> Trouble:
    actual = tr("HTTP {status}, corps vide", status=http.status) if http.status else tr("corps vide")
    return Trouble(
        Stage.MESSAGE,
        "redirect" if 300 <= http.status < 400 else "no-message",
        mark("Aucun message SOAP : {trouve}."),
        tr("un message SOAP"),
        actual,
        {"trouve": actual},
    )


def _parse_trouble(refusal: ParseRefusal, http: HttpMessage) -> Trouble:
    kind = (http.header("content-type") or tr("type inconnu")).partition(";")[0].strip()
    actual = tr("HTTP {status}, {genre} : ", status=http.status, genre=kind) if http.status else f"{kind} : "
    return Trouble(
        Stage.MESSAGE,
        "redirect" if 300 <= http.status < 400 else refusal.reason,
        mark("Le corps n'est pas un message XML acceptable : {detail}"),
        tr("un message SOAP bien formé, dans les limites de la norme"),
        actual + refusal.what,
        {"detail": refusal.what},
        "",
        refusal.line,
    )
