"""Raw HTTP messages of other recorders, made readable where the recorder itself took something away.

Browsers and proxies often record a body without its transfer or content coding and keep the headers that announce it,
or write the version of HTTP/2 into the first line. Nothing is repaired that the sender may have broken: only a body
that stands in clear behind such a header is taken as it is. Source: RFC 9112 §6, RFC 9110 §8.4.
"""

from __future__ import annotations

import re
from typing import Final

from harness.observation.recording import Side
from harness.reading import BrokenHttp, HttpMessage, read_request, read_response

_LATER_VERSION: Final = re.compile(rb"^HTTP/[23](?:\.0)? (\d\d\d)|^([^\r\n ]+ [^\r\n ]+ )HTTP/[23](?:\.0)?(?=\r?\n)")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_CODINGS: Final = re.compile(rb"(?im)^(?:transfer-encoding|content-encoding|content-length)[ \t]*:[^\n]*\n")
_ANNOUNCED: Final = re.compile(rb"(?im)^(?:transfer-encoding|content-encoding)[ \t]*:")
_UNDONE: Final = frozenset({"transfer-encoding", "content-encoding", "content-length"})
_CLEAR: Final = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<", b"\xfe\xff\x00<")


def readable(raw: bytes, side: Side, cap: int) -> bytes:
    """Return the message as this program reads it: as it is, or without what the recorder had undone."""
    raw = _LATER_VERSION.sub(_version_1, raw, count=1)
    head = _HEAD_END.search(raw)
    if head is None:
        return raw
    rest = raw[head.end() :]
    message = _read(raw, side, cap)
    if message is None:
        undone = _ANNOUNCED.search(raw, 0, head.end()) is not None and rest.lstrip().startswith(_CLEAR)
    else:
        # A request whose length nothing announces has no body by RFC 9112; a recorder may have left the header out.
        undone = side == "request" and message.header("content-length") is None and bool(rest) and not message.body
    if not undone:
        return raw
    kept = _CODINGS.sub(b"", raw[: head.start()] + b"\n").rstrip(b"\r\n")
    return b"%s\r\nContent-Length: %d\r\n\r\n%s" % (kept, len(rest), rest)


def written(start: str, headers: tuple[tuple[str, str], ...], body: bytes) -> bytes:
    """Return a message as bytes from parts whose body bears no coding. start: its first line."""
    kept = [(name, value) for name, value in headers if name.lower() not in _UNDONE and not name.startswith(":")]
    lines = "".join(f"{_line(name)}: {_line(value)}\r\n" for name, value in kept)
    head = f"{_line(start)}\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1", "replace") + body


def _line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")


def _read(raw: bytes, side: Side, cap: int) -> HttpMessage | None:
    try:
        return read_request(raw, cap) if side == "request" else read_response(raw, cap)
    except BrokenHttp:
        return None


def _version_1(found: re.Match[bytes]) -> bytes:
    return b"HTTP/1.1 " + found[1] if found[1] else found[2] + b"HTTP/1.1"
