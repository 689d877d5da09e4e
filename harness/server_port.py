"""The port towards a product that is a client: HTTPS addresses of sessions, answers as the scenario says.

The address of a session holds a secret (`/s/<48 hex>/…`): one product cannot speak into another's session. The same
services stand behind a second listener whose certificate no product may trust, when the declaration lends one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Final, Literal
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from harness.client_port import utc_now
from harness.decoders import XML, decoded, encoded
from harness.handshakes import watched
from harness.record import TlsFacts
from harness.replies import Question, Replies, Reply
from harness.session import Arrival, Hint, Session
from norms.errors import ParseRefusal, PoinconError
from norms.filling import Clock
from norms.i18n import tr, tr_in
from norms.identify import Heard, heard
from norms.model import Norm
from norms.parsing import parse
from norms.wire.deposit import MEDIA_TYPE
from norms.wire.description import describe
from norms.wire.listener import Listener, Receive, Scope, Send, ServerTls
from norms.wire.protocol import CUT, EXTENSION
from scenarios.bindings import address_value

_PREFIX: Final = "/s/"
_HOLD_SECONDS: Final = 120.0
_TEXT: Final = "text/plain; charset=utf-8"
_XML: Final = "text/xml; charset=utf-8"
_POST: Final = "POST"
_FILE_TYPE: Final = MEDIA_TYPE.partition(";")[0]
"""What a file is told to be: its encoding is for the file itself to say."""


@dataclass(frozen=True)
class Incoming:
    """A message as it came in. url: where it was sent; raw: as an HTTP message; peer: DER certificate or b"".

    method, coding: of HTTP, coding = Content-Encoding ("" = none); deposited: it came where deposits come, so it is in
    the product's layout.
    """

    url: str
    raw: bytes
    body: bytes
    content_type: str | None = None
    tls: TlsFacts = field(default_factory=TlsFacts)
    peer: bytes = b""
    method: str = _POST
    coding: str = ""
    deposited: bool = False


class ServerPort:
    """Serves the sessions of a run. `start` before the first `open`; `stop` ends every connection.

    untrusted: TLS identity of the second listener, None = there is none; public: address that products call when a
    gateway stands in between; layout: of the product's deposits (`harness.decoders`).
    """

    def __init__(
        self, norm: Norm, replies: Replies, listen: tuple[str, int], tls: ServerTls,
        untrusted: ServerTls | None = None, public: str = "", layout: str = XML,
    ) -> None:  # fmt: skip
        self._norm, self._replies, self._public = norm, replies, public.rstrip("/")
        self._limits = norm.security.limits
        self._listener = Listener(self._serve, *listen, watched(tls, partial(self._note_all, "tls")), self._limits)
        self._second = Listener(self._serve, listen[0], 0, untrusted, self._limits) if untrusted else None
        self._untrusted, self._layout = "", layout
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Listen; raises UsageError when the address is not free."""
        own = _shown(*self._listener.start())
        self._public = self._public or own
        if self._second is not None:
            self._untrusted = _shown(*self._second.start())

    def stop(self) -> None:
        """Close everything."""
        self._listener.stop()
        if self._second is not None:
            self._second.stop()

    def open(self, session: Session) -> dict[str, str]:
        """Let a session's requests in and return its addresses by message kind."""
        with self._lock:
            self._sessions[session.token] = session
        return self.addresses(session)

    def close(self, session: Session) -> None:
        """Let nothing more into a session."""
        with self._lock:
            if self._sessions.get(session.token) is session:
                del self._sessions[session.token]

    def addresses(self, session: Session) -> dict[str, str]:
        """Return the address of every service, of the norm and of its companions, by message kind."""
        return self._below(self._public, session)

    def values(self, session: Session) -> dict[str, str]:
        """Return the addresses as values that scenarios use."""
        found = {address_value(kind): url for kind, url in self.addresses(session).items()}
        beside = self._below(self._untrusted, session) if self._untrusted else {}
        return found | {address_value(kind, trusted=False): url for kind, url in beside.items()}

    def _below(self, root: str, session: Session) -> dict[str, str]:
        base = f"{root}{_PREFIX}{session.token}"
        return {service.kind: f"{base}{service.path}" for norm in self._norm.speakers for service in norm.services}

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        token, _, rest = scope["path"].removeprefix(_PREFIX).partition("/")
        with self._lock:
            session = self._sessions.get(token) if scope["path"].startswith(_PREFIX) else None
        body = await _read(receive, session.holds if session is not None else _never)
        if session is None:
            self._note_all("refused", tr_in("fr", "une demande à une autre adresse que celle de la session"))
            reply = _plain(404, tr("Cette session n'existe pas, ou elle est terminée."))
        elif body is None and not session.overrun:
            session.note(Hint("bad-http", tr_in("fr", "une demande dont le corps n'est pas arrivé en entier")))
            return
        elif body == b"" and scope["method"] != _POST:
            reply = self._bodiless(session, f"/{rest}", scope)
        elif body is None or not session.admits():
            reply = _plain(429, tr("Trop de demandes pour ce cas."))
        else:
            # Deciding and signing take milliseconds: other sessions go on meanwhile.
            reply = await asyncio.to_thread(self.take, session, self._incoming(session, f"/{rest}", scope, body))
        await _write(reply, scope, send)

    def _bodiless(self, session: Session, path: str, scope: Scope) -> Reply:
        """Answer what carries no message: the description of a service, or a method that it does not serve."""
        asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=10)
        if scope["method"] == "GET" and ("wsdl" in asked or "xsd" in asked):
            return self._description(session, path, asked.get("xsd", [""])[0])
        what = tr_in("fr", "une requête {methode} sans message", methode=scope["method"])
        session.note(Hint("bad-http", what))
        return _plain(405, tr("Les messages s'envoient par POST ; « ?wsdl » décrit le service."))

    def _description(self, session: Session, path: str, schema: str) -> Reply:
        for norm in self._norm.speakers:
            for service in norm.services:
                document = (
                    describe(norm, service, f"{self._base(session)}{path}", schema) if service.path == path else None
                )
                if document is not None:
                    return Reply(200, _XML, document)
        return _plain(404, tr("Aucun service de la norme n'est décrit ici."))

    def _note_all(self, outcome: Literal["tls", "refused"], what: str) -> None:
        """Tell the sessions under way what nobody can say was meant for one of them."""
        with self._lock:
            under_way = list(self._sessions.values())
        for session in under_way:
            session.note(Hint(outcome, what))

    def _incoming(self, session: Session, path: str, scope: Scope, body: bytes) -> Incoming:
        tls = scope.get("extensions", {}).get(EXTENSION, {})
        peer = tls.get("peer") or b""
        digest = sha256(peer).hexdigest() if peer else ""
        facts = TlsFacts(tls.get("version", ""), tls.get("cipher", ""), digest)
        behind = self._second is not None and scope["server"][1] == self._second.address[1]
        url = f"{self._untrusted if behind else self._public}{_PREFIX}{session.token}{path}"
        deposited = any(service.path == path and service.carrier == "deposit" for service in self._norm.services)
        coding = _header(scope, b"content-encoding") or ""
        return Incoming(
            url, rebuilt(scope, body), body, _header(scope, b"content-type"), facts, peer, scope["method"],
            "" if coding.strip().lower() == "identity" else coding, deposited,
        )  # fmt: skip

    def take_file(self, session: Session, url: str, body: bytes) -> Reply:
        """Answer a deposit that was dropped as a file. url: of the file; body: its bytes, cut beyond the limit.

        Nothing is answered (status 429, no body) once the case has received too much.
        """
        if not (session.admits() and session.holds(len(body))):
            return Reply(429)
        head = f"POST {urlsplit(url).path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {_FILE_TYPE}\r\n"
        raw = f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
        return self.take(session, Incoming(url, raw, body, deposited=True))

    def take(self, session: Session, incoming: Incoming) -> Reply:
        """Answer a message that came in, and give both to the session."""
        at = utc_now()
        root, trouble = self._parse(incoming)
        found = heard(self._norm, root) if root is not None else None
        kind = found.service.kind if found else ""
        step = session.assign(kind)
        bindings: Mapping[str, str] = session.bindings
        reply = _plain(400, trouble or tr("Ce document n'est une demande d'aucun service de la norme."))
        if incoming.method != _POST:
            reply = _plain(405, tr("Les messages s'envoient par POST."))
        elif incoming.coding:
            reply = _plain(415, tr("Le corps d'une demande n'est pas compressé."))
        elif found is not None:
            try:
                bindings = session.keep(step, found, bindings)
                reply = self._answer(session, step, found, bindings, deposited=incoming.deposited)
                trouble = reply.amiss
            except Exception as error:  # noqa: BLE001 - a fault of ours loses no request: `unanswered`
                reply, trouble = Reply(500), str(error) if isinstance(error, PoinconError) else type(error).__name__
        session.add(
            Arrival(
                step=step,
                kind=kind,
                url=incoming.url,
                at=at,
                tls=incoming.tls,
                peer=incoming.peer,
                request=incoming.raw,
                response=reply.raw(),
                bindings=dict(bindings),
                trouble=trouble,
                layout=self._layout if incoming.deposited else XML,
            )
        )
        return reply

    def _answer(
        self, session: Session, step: int, found: Heard, bindings: Mapping[str, str], *, deposited: bool
    ) -> Reply:
        """Return what the scenario wants answered, a deposit in the product's layout."""
        asked = session.case.steps[step - 1]
        question = Question(found, session.case, asked, bindings, Clock.real(), self._base(session))
        reply = self._replies.reply(question, session.states)
        if deposited and reply.body:
            return replace(reply, body=encoded(self._layout, reply.body))
        return reply

    def _base(self, session: Session) -> str:
        return f"{self._public}{_PREFIX}{session.token}"

    def _parse(self, incoming: Incoming) -> tuple[etree._Element | None, str]:
        try:
            body = decoded(self._layout, incoming.body) if incoming.deposited else incoming.body
            return parse(body, self._limits, incoming.content_type), ""
        except ParseRefusal as refusal:
            return None, refusal.what
        except PoinconError as error:
            return None, str(error)


def rebuilt(scope: Scope, body: bytes) -> bytes:
    """Return the request as HTTP/1.1 bytes: as received, but header names in lower case and the body unchunked."""
    target = scope.get("raw_path") or scope["path"].encode()
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    headers = [(name, value) for name, value in scope["headers"] if name != b"transfer-encoding"]
    if len(headers) < len(scope["headers"]):
        headers.append((b"content-length", b"%d" % len(body)))
    lines = b"".join(b"%s: %s\r\n" % (name, value) for name, value in headers)
    return b"%s %s HTTP/1.1\r\n%s\r\n" % (scope["method"].encode(), target, lines) + body


def _shown(host: str, port: int) -> str:
    name = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1") else f"[{host}]" if ":" in host else host
    return f"https://{name}:{port}"


def _header(scope: Scope, wanted: bytes) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), None)


def _plain(status: int, text: str) -> Reply:
    return Reply(status, _TEXT, text.encode())


def _never(size: int) -> bool:
    """Keep nothing of who has no session."""
    return size == 0


async def _read(receive: Receive, keeps: Callable[[int], bool]) -> bytes | None:
    """Return the whole body; None when the caller has gone, or when `keeps` says that it may not be kept."""
    parts: list[bytes] = []
    whole = True
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part = message.get("body", b"")
        whole = keeps(len(part)) and whole
        if whole:
            parts.append(part)
        else:
            parts.clear()
        if not message.get("more_body", False):
            return b"".join(parts) if whole else None


async def _write(reply: Reply, scope: Scope, send: Send) -> None:
    if reply.delay:
        await asyncio.sleep(reply.delay)
    if reply.ending != "complete":
        if reply.ending == "hold":
            await asyncio.sleep(_HOLD_SECONDS)
        scope["extensions"][CUT]["cut"]()
        return
    headers = [(b"content-length", b"%d" % len(reply.body))]
    if reply.content_type:
        headers.insert(0, (b"content-type", reply.content_type.encode("latin-1")))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
