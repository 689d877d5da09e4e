"""The head of an HTTP/1.1 request, checked before any parser sees it.

Two readers of one request must agree where it ends: every shape on which they are known to differ (RFC 9112 §11.2)
is refused instead of repaired. Pure functions over bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from norms.model import Limits

_REQUEST_LINE: Final = re.compile(rb"([A-Z]{1,20}) (/[\x21-\x7e]*) HTTP/1\.([01])")
_HEADER: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)")
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_SINGLE: Final = (b"host", b"content-length", b"transfer-encoding", b"content-type")
MAXIMUM_TARGET: Final = 2048


@dataclass(frozen=True, slots=True)
class Framing:
    """Where the body ends. length: announced bytes, None when chunked."""

    length: int | None


class HeadRefused(Exception):  # noqa: N818 - a refusal, as in the rest of the wire
    """A head that is not served. status: the HTTP status of the answer; reason: a code of `norms.wire.reasons`."""

    def __init__(self, status: int, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(reason)


def check_head(head: bytes, limits: Limits) -> Framing:
    """Return the framing of a head that ends with an empty line.

    Raises HeadRefused: 400 for any ambiguous or malformed shape, 431 for too many headers, 413 for an announced
    body over `limits.body_bytes`.
    """
    lines = head[:-4].split(b"\r\n")
    request = _REQUEST_LINE.fullmatch(lines[0])
    if request is None or len(request[2]) > MAXIMUM_TARGET or b"%00" in request[2]:
        raise HeadRefused(400, "http-malformed")
    if len(lines) - 1 > limits.header_count:
        raise HeadRefused(431, "too-large")
    seen: dict[bytes, bytes] = {}
    for line in lines[1:]:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise HeadRefused(400, "http-malformed")
        name = header[1].lower()
        if name in seen and name in _SINGLE:
            raise HeadRefused(400, "http-malformed")
        seen[name] = header[2].strip(b" \t")
    if (b"host" not in seen and request[3] == b"1") or b"upgrade" in seen:
        raise HeadRefused(400, "http-malformed")
    return _framing(seen, request[3] == b"0", limits)


def _framing(headers: dict[bytes, bytes], old: bool, limits: Limits) -> Framing:
    length, coding = headers.get(b"content-length"), headers.get(b"transfer-encoding")
    if coding is not None:
        if length is not None or old or coding != b"chunked":
            raise HeadRefused(400, "http-malformed")
        return Framing(None)
    if length is None:
        return Framing(0)
    if _LENGTH.fullmatch(length) is None:
        raise HeadRefused(400, "http-malformed")
    if int(length) > limits.body_bytes:
        raise HeadRefused(413, "too-large")
    return Framing(int(length))
