"""One HTTP connection: uvicorn's httptools protocol behind guards of our own (see `norms.wire.listener`)."""

from __future__ import annotations

import asyncio
import http
import ssl
from asyncio import TimerHandle
from typing import Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from norms.model import Limits
from norms.wire.head import HeadRefused, check_head

MOST_CONNECTIONS: Final = 512
"""Of one listener at once: each holds some 300 kB of buffers, whatever it sends."""
EXTENSION: Final = "poincon.tls"
CUT: Final = "poincon.cut"
_END: Final = b"\r\n\r\n"
_LINGER_SECONDS: Final = 1.0
_RATE_BYTES: Final = 256
_RATE_GRACE: Final = 5.0


class _Surplus(Exception):  # noqa: N818 - a signal out of a parser callback
    """Bytes that belong to no request: trailer fields, or a message begun without a checked head."""


class GuardedProtocol(HttpToolsProtocol):
    """Collects a head, checks it, and only then feeds the parser; times and measures what follows.

    scope["extensions"]["poincon.tls"] = {"peer": DER bytes or None, "version": str, "cipher": str};
    scope["extensions"]["poincon.cut"] = {"cut": callable}: ends the connection whatever was answered.
    """

    def __init__(self, *, limits: Limits, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._limits = limits
        self._head = bytearray()
        self._in_body = False
        self._head_checked = False
        self._left: int | None = 0
        self._body_bytes = 0
        self._raw_bytes = 0
        self._body_since = 0.0
        self._refused = False
        self._timer: TimerHandle | None = None
        self._tls: dict[object, object] = {}

    # --- connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note who called, and start the clock of the first head."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        tls = transport.get_extra_info("ssl_object")
        if isinstance(tls, ssl.SSLObject | ssl.SSLSocket):
            cipher = tls.cipher()
            self._tls = {
                "peer": tls.getpeercert(binary_form=True),
                "version": tls.version() or "",
                "cipher": cipher[0] if cipher else "",
            }
        self._start_timer(self._limits.header_seconds, self._late)

    def cut(self) -> None:
        """Close the connection: at once when nothing was answered, after what was written otherwise."""
        cycle = self.cycle
        cycle.disconnected = True
        if cycle.response_started:
            self.transport.close()
        else:
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clock."""
        self._stop_timer()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Cut the stream into heads and bodies; only checked bytes reach the parser."""
        if self._refused:
            return
        self._unset_keepalive_if_required()
        while data and not self._refused:
            data = self._body(data) if self._in_body else self._collect(data)

    def _collect(self, data: bytes) -> bytes:
        if self._timer is None:
            self._start_timer(self._limits.header_seconds, self._late)
        begin = max(0, len(self._head) - 3)
        self._head += data
        end = self._head.find(_END, begin)
        if end < 0 and len(self._head) <= self._limits.header_bytes:
            if b"\n" in self._head and b"\n" in self._head.replace(b"\r\n", b""):
                self._refuse(400, "http-malformed")
            return b""
        if end < 0 or end > self._limits.header_bytes:
            self._refuse(431, "too-large")
            return b""
        head, rest = bytes(self._head[: end + 4]), bytes(self._head[end + 4 :])
        self._head.clear()
        self._stop_timer()
        if self.cycle is not None and not self.cycle.response_complete:
            # A second request before the first answer: pipelining gives a smuggler room and no client of ours needs it.
            self._refuse(400, "http-malformed")
            return b""
        self._begin(head)
        return rest

    def _begin(self, head: bytes) -> None:
        try:
            framing = check_head(head, self._limits)
        except HeadRefused as refusal:
            self._refuse(refusal.status, refusal.reason)
            return
        self._left, self._body_bytes, self._raw_bytes = framing.length, 0, 0
        self._in_body = True
        self._head_checked = True
        self._body_since = self.loop.time()
        if framing.length != 0:
            self._start_timer(min(1.0, self._limits.body_seconds), self._measure)
        self._feed(head)

    def _body(self, data: bytes) -> bytes:
        rest = b""
        if self._left is not None:
            data, rest = data[: self._left], data[self._left :]
            self._left -= len(data)
        else:
            self._raw_bytes += len(data)
            if self._raw_bytes > 4 * self._limits.body_bytes + self._limits.header_bytes:
                self._refuse(413, "too-large")
                return b""
        self._feed(data)
        return rest

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self._refused:
                self._refuse(400, "http-malformed")

    # --- parser callbacks

    def on_message_begin(self) -> None:
        """Refuse a message whose head was not checked; show the TLS facts to the application."""
        if not self._head_checked:
            raise _Surplus
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: self._tls, CUT: {"cut": self.cut}}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Refuse trailer fields: they would join the headers after the application has read them."""
        if not self._head_checked:
            raise _Surplus
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """From here on, header fields are trailers."""
        self._head_checked = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count the decoded bytes."""
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.body_bytes:
            self._refuse(413, "too-large")
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next bytes are a head."""
        self._in_body = False
        self._stop_timer()
        super().on_message_complete()

    # --- clocks

    def _start_timer(self, seconds: float, handler: Any) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, handler)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._refuse(408, "http-malformed")

    def _measure(self) -> None:
        elapsed = self.loop.time() - self._body_since
        received = max(self._body_bytes, self._raw_bytes)
        slow = elapsed > _RATE_GRACE and received < _RATE_BYTES * (elapsed - _RATE_GRACE)
        if elapsed >= self._limits.body_seconds or slow:
            self._refuse(408, "http-malformed")
        else:
            self._start_timer(min(1.0, self._limits.body_seconds - elapsed), self._measure)

    # --- refusal

    def _refuse(self, status: int, reason: str) -> None:
        """Answer, unless an answer has begun; then read to nowhere for a moment and close."""
        self._refused = True
        self._stop_timer()
        self._unset_keepalive_if_required()
        self._head.clear()
        cycle = self.cycle
        busy = cycle is not None and not cycle.response_complete
        started = busy and cycle.response_started
        if busy:
            cycle.disconnected = True
            cycle.message_event.set()
        if self.transport.is_closing():
            return
        if not started:
            text = reason.encode()
            phrase = http.HTTPStatus(status).phrase.encode()
            self.transport.write(
                b"HTTP/1.1 %d %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
                b"connection: close\r\n\r\n%s" % (status, phrase, len(text), text)
            )
        self.flow.resume_reading()
        self._start_timer(min(_LINGER_SECONDS, self._limits.header_seconds), self.transport.close)
