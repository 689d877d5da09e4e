"""The port towards a product that is a client: an HTTPS address per session, answers as the scenario says.

The address of a session holds a secret (`/s/<48 hex>/…`): one product cannot speak into another's session. What
arrives belongs to the step that awaits it; once that has come, what follows belongs to the next step.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from lxml import etree

from harness.client_port import utc_now
from harness.record import TlsFacts
from harness.replies import Question, Replies, Reply, service_of
from norms.behaviour import State
from norms.errors import ParseRefusal, PoinconError
from norms.filling import Clock
from norms.model import Limits
from norms.parsing import parse
from norms.wire.listener import Listener, Receive, Scope, Send, ServerTls
from norms.wire.protocol import CUT, EXTENSION
from scenarios.model import Case

_PREFIX: Final = "/s/"
_HOLD_SECONDS: Final = 120.0

Keeper = Callable[[int, etree._Element, Mapping[str, str]], Mapping[str, str]]
"""Of a step's number, the request and the values so far: the values with what the step keeps of the request."""


@dataclass(frozen=True)
class Arrival:
    """A request of the product. step: the 1-based step it belongs to; kind: "" when unreadable; peer: DER or b""."""

    step: int
    kind: str
    url: str
    at: str
    tls: TlsFacts
    peer: bytes
    request: bytes
    response: bytes
    bindings: dict[str, str]
    trouble: str = ""


@dataclass
class Session:
    """One case under way. bindings: values so far; keep: reads what a step keeps of a request."""

    case: Case
    bindings: Mapping[str, str]
    keep: Keeper
    token: str = field(default_factory=lambda: secrets.token_hex(24))
    state: State = field(default_factory=State)
    _position: int = 1
    _arrivals: list[Arrival] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def enter(self, step: int) -> None:
        """Say that `step` is under way; a step never goes back."""
        with self._changed:
            self._position = max(self._position, step)

    def assign(self, kind: str) -> int:
        """Return the step to which a request of `kind` belongs, and move on when it is the one awaited."""
        with self._changed:
            step = self._position
            awaited = self.case.steps[step - 1].await_
            if awaited and kind in (awaited, "") and step < len(self.case.steps):
                self._position = step + 1
            return step

    def add(self, arrival: Arrival) -> None:
        """Keep an arrival and tell whoever waits."""
        with self._changed:
            self._arrivals.append(arrival)
            self.bindings = {**self.bindings, **arrival.bindings}
            self._changed.notify_all()

    def arrived(self, step: int) -> list[Arrival]:
        """Return what has arrived for `step` so far."""
        with self._changed:
            return [arrival for arrival in self._arrivals if arrival.step == step]

    def wait(self, step: int, until: Callable[[list[Arrival]], bool], deadline: Callable[[], float]) -> None:
        """Wait until `until` holds for the arrivals of `step`, or `deadline` (monotonic seconds) has come.

        The deadline is asked again each time something changes.
        """
        with self._changed:
            while not until([arrival for arrival in self._arrivals if arrival.step == step]):
                left = deadline() - time.monotonic()
                if left <= 0:
                    return
                self._changed.wait(left)

    def wake(self) -> None:
        """Have a waiting `wait` look at its deadline again."""
        with self._changed:
            self._changed.notify_all()


class ServerPort:
    """Serves the sessions of a run. `start` before the first `open`; `stop` ends every connection."""

    def __init__(
        self, replies: Replies, host: str, port: int, tls: ServerTls, limits: Limits, public: str = ""
    ) -> None:
        self._replies, self._limits, self._public = replies, limits, public.rstrip("/")
        self._listener = Listener(self._serve, host, port, tls, limits)
        self._sessions: dict[str, Session] = {}

    def start(self) -> None:
        """Listen; raises UsageError when the address is not free."""
        host, port = self._listener.start()
        if not self._public:
            shown = "localhost" if host in ("0.0.0.0", "::", "127.0.0.1") else f"[{host}]" if ":" in host else host
            self._public = f"https://{shown}:{port}"

    def stop(self) -> None:
        """Close everything."""
        self._listener.stop()

    def open(self, session: Session) -> dict[str, str]:
        """Let a session's requests in and return its addresses by message kind."""
        self._sessions[session.token] = session
        base = f"{self._public}{_PREFIX}{session.token}"
        return {service.kind: f"{base}{service.path}" for service in self._replies.norm.services}

    def close(self, session: Session) -> None:
        """Let nothing more into a session."""
        self._sessions.pop(session.token, None)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        token, _, rest = scope["path"].removeprefix(_PREFIX).partition("/")
        session = self._sessions.get(token) if scope["path"].startswith(_PREFIX) else None
        body = await _read(receive)
        if body is None:
            return
        if session is None:
            await _write(Reply(404), scope, send)
            return
        # Deciding and signing take milliseconds: other sessions go on meanwhile.
        reply = await asyncio.to_thread(self._handle, session, f"/{rest}", scope, body)
        await _write(reply, scope, send)

    def _handle(self, session: Session, path: str, scope: Scope, body: bytes) -> Reply:
        at = utc_now()
        root, trouble = self._parse(scope, body)
        service = service_of(self._replies.norm, root) if root is not None else None
        step = session.assign(service.kind if service else "")
        bindings: Mapping[str, str] = session.bindings
        reply = Reply(400)
        if root is not None and service is not None:
            bindings = session.keep(step, root, bindings)
            question = Question(root, service, session.case, session.case.steps[step - 1], bindings, Clock.real())
            try:
                reply = self._replies.reply(question, session.state)
            except PoinconError as error:
                reply, trouble = Reply(500), str(error)
        tls = scope.get("extensions", {}).get(EXTENSION, {})
        peer = tls.get("peer") or b""
        session.add(
            Arrival(
                step=step,
                kind=service.kind if service else "",
                url=f"{self._public}{_PREFIX}{session.token}{path}",
                at=at,
                tls=TlsFacts(tls.get("version", ""), tls.get("cipher", ""), sha256(peer).hexdigest() if peer else ""),
                peer=peer,
                request=rebuilt(scope, body),
                response=reply.raw(),
                bindings=dict(bindings),
                trouble=trouble,
            )
        )
        return reply

    def _parse(self, scope: Scope, body: bytes) -> tuple[etree._Element | None, str]:
        kind = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"), None)
        try:
            return parse(body, self._limits, kind), ""
        except ParseRefusal as refusal:
            return None, refusal.what


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


async def _read(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _write(reply: Reply, scope: Scope, send: Send) -> None:
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
