"""An HTTP request as the laboratory means it, its bytes, and the measure of an answer's inflated body."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.network import ExchangeFailure

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class HttpRequest:
    """A request before it becomes bytes. target: path and query; headers: in order, Host and length excluded."""

    url: str
    method: str
    target: str
    headers: Headers
    body: bytes

    def wire_headers(self) -> Headers:
        """Return all headers of a plain request, in the order they are sent."""
        return (("Host", authority(self.url)), *self.headers, ("Content-Length", str(len(self.body))))


def authority(url: str) -> str:
    """Return what the Host header says for `url`: the name, and the port when it is not the scheme's own."""
    return urlsplit(url).netloc.rpartition("@")[2]


def request_target(url: str) -> str:
    """Return the path and query of `url`."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def render(method: str, target: str, headers: Headers, body: bytes) -> bytes:
    """Return the request as bytes, exactly as given: nothing is added, checked or normalised."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


class BodyMeter:
    """Counts the bytes of a body as a reader would inflate them, and stops at `limit` (attack T01).

    gzip and deflate are inflated in bounded pieces and thrown away; an encoding nobody asked for and we cannot
    inflate is counted as it comes.
    """

    def __init__(self, headers: Iterable[tuple[bytes, bytes]], limit: int) -> None:
        self._limit, self._count = limit, 0
        encodings = b",".join(value for name, value in headers if name.lower() == b"content-encoding").lower()
        self._inflater = zlib.decompressobj(47) if encodings.strip() in (b"gzip", b"x-gzip", b"deflate") else None

    def feed(self, data: bytes) -> None:
        """Count `data`; raises ExchangeFailure("too-large")."""
        if self._inflater is None:
            self._add(len(data))
            return
        try:
            while data:
                self._add(len(self._inflater.decompress(data, 65_536)))
                data = self._inflater.unconsumed_tail
        except zlib.error:
            # Not what its head promised: the judge will say so; from here on only the raw bytes count.
            self._inflater = None
            self._add(len(data))

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > self._limit:
            raise ExchangeFailure("too-large", f"more than {self._limit} bytes once inflated")
