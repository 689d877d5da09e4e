"""The port towards a product that is a server: one exchange under one deadline, raw bytes kept, no redirect followed.

A plain request travels over httpcore2's HTTP/1.1 connection, kept alive per TLS identity. A request with an `http`
deviation, or one that must show how a connection starts, gets a connection of its own. A kept connection that the
server had closed before any byte of the answer is replaced once by a fresh one: closing idle connections is the
server's right and no failure of the product.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpcore2

from harness.errors import CannotRun
from harness.http_message import BodyMeter, HttpRequest
from harness.network import Deadline, ExchangeFailure, Resolver, Target, TeeStream, TlsClient, connect
from harness.raw_http import broken, send_raw
from harness.record import Outcome, TlsFacts
from norms.i18n import tr

RESPONSE_BYTES: Final = 8 * 1024 * 1024
_KEEP_ALIVE_SECONDS: Final = 4.0
_IDLE_PER_IDENTITY: Final = 16


@dataclass(frozen=True)
class WireResult:
    """What one exchange brought. sent / received: raw HTTP as on the wire; times: UTC, RFC 3339, milliseconds.

    peer: certificate of the server (DER), b"" without TLS; stale: a kept connection was closed before any byte came
    back, so the other side may have been closing it already. Nothing is sent twice: a signed request must be made anew.
    """

    outcome: Outcome
    detail: str
    sent_at: str
    received_at: str
    duration_ms: float
    tls: TlsFacts
    sent: bytes
    received: bytes
    peer: bytes = b""
    stale: bool = False


@dataclass
class _Attempt:
    """What is known of a running exchange, for whoever must report it when it fails half way."""

    stream: TeeStream | None = None
    stale: bool = False


@dataclass
class _Idle:
    connection: httpcore2.HTTP11Connection
    stream: TeeStream


@dataclass
class ClientPort:
    """Sends requests and records what happens. Safe for several threads.

    deadline_seconds: total time of one exchange, connection included; response_bytes: cap on an answer, raw and
    inflated.
    """

    deadline_seconds: float = 30.0
    response_bytes: int = RESPONSE_BYTES
    resolver: Resolver = field(default_factory=Resolver)
    _idle: defaultdict[tuple[Target, TlsClient | None], list[_Idle]] = field(
        default_factory=lambda: defaultdict(list), init=False
    )
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def send(
        self, request: HttpRequest, tls: TlsClient | None, *, raw: bytes | None = None, fresh: bool = False
    ) -> WireResult:
        """Carry out one exchange and return what happened; every failure of the other side is an outcome.

        raw: bytes to send instead of the rendered request; fresh: use a connection of its own. Raises CannotRun
        when this laboratory cannot even try (identity file unusable, TLS version unknown here).
        """
        deadline = Deadline(self.deadline_seconds)
        attempt = _Attempt()
        sent_at, started = utc_now(), time.monotonic()
        outcome: Outcome = "answered"
        detail = ""
        try:
            parts = _checked(request.url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            target = self.resolver.resolve(parts.scheme, parts.hostname or "", port, deadline)
            if raw is not None:
                self._send_raw(target, tls, raw, request.method, deadline, attempt)
            else:
                self._send_plain(target, tls, request, deadline, attempt, fresh=fresh)
        except ExchangeFailure as failure:
            outcome, detail = failure.outcome, failure.detail
        stream = attempt.stream
        return WireResult(
            outcome=outcome,
            detail=detail,
            sent_at=sent_at,
            received_at=utc_now(),
            duration_ms=round((time.monotonic() - started) * 1000, 3),
            tls=stream.facts if stream else TlsFacts(),
            sent=bytes(stream.sent) if stream else b"",
            received=bytes(stream.received) if stream else b"",
            peer=stream.peer if stream else b"",
            stale=attempt.stale,
        )

    def close(self) -> None:
        """Close all kept connections."""
        with self._lock:
            idle = [each for kept in self._idle.values() for each in kept]
            self._idle.clear()
        for each in idle:
            each.connection.close()

    def _send_raw(
        self, target: Target, tls: TlsClient | None, raw: bytes, method: str, deadline: Deadline, attempt: _Attempt
    ) -> None:
        stream = attempt.stream = connect(target, tls, deadline)
        try:
            send_raw(stream, raw, method, self.response_bytes)
        finally:
            stream.close()

    def _send_plain(
        self,
        target: Target,
        tls: TlsClient | None,
        request: HttpRequest,
        deadline: Deadline,
        attempt: _Attempt,
        *,
        fresh: bool,
    ) -> None:
        kept = None if fresh else self._take(target, tls)
        if kept is not None:
            attempt.stream = kept.stream
            kept.stream.begin(deadline)
            try:
                self._speak(kept, request)
            except ExchangeFailure as failure:
                attempt.stale = failure.outcome == "reset" and not kept.stream.received
                raise
            self._give_back(target, tls, kept)
            return
        stream = attempt.stream = connect(target, tls, deadline)
        origin = httpcore2.Origin(target.scheme.encode(), target.host.encode("idna"), target.port)
        opened = _Idle(httpcore2.HTTP11Connection(origin, stream, _KEEP_ALIVE_SECONDS), stream)
        self._speak(opened, request)
        if fresh:
            opened.connection.close()
        else:
            self._give_back(target, tls, opened)

    def _speak(self, use: _Idle, request: HttpRequest) -> None:
        """Send the request on this connection and read its answer to the end; a failed connection is closed."""
        connection, stream = use.connection, use.stream
        try:
            answer = connection.handle_request(_for_httpcore(request))
            stream.limit = self.response_bytes
            meter = BodyMeter(answer.headers, self.response_bytes)
            for piece in answer.iter_stream():
                meter.feed(piece)
            answer.close()
        except httpcore2.RemoteProtocolError as error:
            connection.close()
            raise broken(stream, str(error)) from error
        except BaseException:
            connection.close()
            raise

    def _take(self, target: Target, tls: TlsClient | None) -> _Idle | None:
        while True:
            with self._lock:
                kept = self._idle[target, tls]
                if not kept:
                    return None
                idle = kept.pop()
            if idle.connection.is_idle() and not idle.connection.has_expired():
                return idle
            idle.connection.close()

    def _give_back(self, target: Target, tls: TlsClient | None, idle: _Idle) -> None:
        with self._lock:
            kept = self._idle[target, tls]
            if idle.connection.is_idle() and len(kept) < _IDLE_PER_IDENTITY:
                kept.append(idle)
                return
        idle.connection.close()


def _for_httpcore(request: HttpRequest) -> httpcore2.Request:
    parts = urlsplit(request.url)
    return httpcore2.Request(
        method=request.method,
        url=httpcore2.URL(
            scheme=parts.scheme.encode(),
            host=(parts.hostname or "").encode("idna"),
            port=parts.port or (443 if parts.scheme == "https" else 80),
            target=request.target.encode("latin-1"),
        ),
        headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.wire_headers()],
        content=request.body,
    )


def _checked(url: str) -> SplitResult:
    """Return the parts of `url`; raises CannotRun when it is no http(s) address."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        valid = False
    if not valid:
        raise CannotRun(tr("L'adresse « {adresse} » n'est pas une adresse http ou https.", adresse=url))
    return parts


def utc_now() -> str:
    """Return the present as UTC, RFC 3339 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
