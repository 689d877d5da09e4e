"""A product of role client that sends whatever bytes a test says."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.driver import Stimulus
from harness.record import CaseVerdict
from tests.harness.lab import REQUEST
from tests.harness.machine import Machine

TYPE = b"Content-Type: application/soap+xml; charset=utf-8\r\n"
HEAD = b"POST %s HTTP/1.1\r\nHost: localhost\r\n" + TYPE
MESSAGE = REQUEST.encode()
Action = Callable[["Hostile", str], None]


class Hostile(Machine):
    """A product that does as a test says with its bytes. context: its TLS; seen: what came back, by request."""

    def __init__(self, folder: Path, action: Action) -> None:
        super().__init__(folder, lambda _, stimulus: self._misbehave(stimulus))
        self.folder, self._do = folder, action
        self.seen: list[bytes] = []

    @property
    def context(self) -> ssl.SSLContext:
        return self._context

    def _misbehave(self, stimulus: Stimulus) -> None:
        if stimulus.case.endswith("001"):
            self._do(self, stimulus.endpoints["PING"])
        else:
            self.call(stimulus.endpoints["PING"], REQUEST)

    def raw(self, url: str, *pieces: bytes) -> None:
        """Send bytes over TLS and read until the end or a second of silence."""
        with self.connected(url, self.context) as secure:
            self.say(secure, *pieces)

    def connected(self, url: str, context: ssl.SSLContext) -> ssl.SSLSocket:
        parts = urlsplit(url)
        plain = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2)
        return context.wrap_socket(plain, server_hostname="localhost")

    def say(self, sock: socket.socket, *pieces: bytes) -> None:
        received = b""
        sock.settimeout(2)
        try:
            for piece in pieces:
                sock.sendall(piece)
            while data := sock.recv(65536):
                received += data
        except OSError:
            pass
        self.seen.append(received)


def post(url: str, body: bytes = MESSAGE, *, more: bytes = b"", path: str = "") -> bytes:
    """Return a request that ends its connection."""
    head = HEAD % (path or urlsplit(url).path).encode()
    return head + more + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def send(*pieces: bytes, **changes: object) -> Action:
    return lambda product, url: product.raw(url, post(url, *pieces, **changes))  # type: ignore[arg-type]


@dataclass
class Played:
    """What came of it. verdict: of the case; neighbour: of the other one; seen: answers; folder: of the run."""

    verdict: CaseVerdict
    neighbour: CaseVerdict
    seen: list[bytes]
    folder: Path

    @property
    def finding(self) -> tuple[str, str, str]:
        found = self.verdict.findings[0]
        return found.verdict, found.blame, found.reason
