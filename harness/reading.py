"""Reading a recorded raw HTTP message: status, headers and body exactly as the bytes say them.

Lenient where receivers must be (bare LF, interim answers, no reason phrase, bytes after the end), exact where two
readers could differ (framing): then the message is broken and says why. Pure functions over bytes, RFC 9112.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

import msgspec

from norms.errors import PoinconError
from norms.i18n import tr

HEAD_BYTES: Final = 262_144
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_STATUS: Final = re.compile(r"HTTP/\d\.\d ([1-5]\d\d)(?: .*)?")
_REQUEST: Final = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\S+) HTTP/\d\.\d")
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_GZIP: Final = 16 + zlib.MAX_WBITS


class BrokenHttp(PoinconError):  # noqa: N818 - a fact about a message, as the refusals of norms.errors
    """Bytes that are no complete HTTP message, or whose body cannot be had. reason: of `norms.wire.reasons`."""

    def __init__(self, reason: str, what: str) -> None:
        self.reason, self.what = reason, what
        super().__init__(what)


class HttpMessage(msgspec.Struct, frozen=True):
    """An HTTP message. status: 0 in a request; method, target: "" in an answer; body: without any coding."""

    status: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the value of a header (several are joined by ", "), None when it is absent."""
        wanted = name.lower()
        values = [value for key, value in self.headers if key == wanted]
        return ", ".join(values) if values else None


def read_response(raw: bytes, cap: int) -> HttpMessage:
    """Return the final answer in `raw`; interim answers (1xx) are passed over.

    cap: most bytes of the body once inflated. Raises BrokenHttp ("http-malformed", "too-large", "content-encoding").
    """
    while True:
        start, headers, rest = _head(raw)
        match = _STATUS.fullmatch(start)
        if match is None:
            raise BrokenHttp("http-malformed", tr("La ligne d'état n'est pas celle de HTTP."))
        status = int(match.group(1))
        if status >= 200 or status == 101:
            break
        raw = rest
    message = HttpMessage(status, "", "", headers, b"")
    if status in (101, 204, 304):
        return message
    return msgspec.structs.replace(message, body=_body(message, rest, cap))


def read_request(raw: bytes, cap: int) -> HttpMessage:
    """Return the request in `raw`. cap: most bytes of the body once inflated. Raises BrokenHttp."""
    start, headers, rest = _head(raw)
    match = _REQUEST.fullmatch(start)
    if match is None:
        raise BrokenHttp("http-malformed", tr("La ligne de requête n'est pas celle de HTTP."))
    message = HttpMessage(0, match.group(1), match.group(2), headers, b"")
    return msgspec.structs.replace(message, body=_body(message, rest, cap))


def _head(raw: bytes) -> tuple[str, tuple[tuple[str, str], ...], bytes]:
    end = _HEAD_END.search(raw, 0, HEAD_BYTES)
    if end is None:
        raise BrokenHttp("http-malformed", tr("Les en-têtes HTTP n'ont pas de fin."))
    lines = [line.removesuffix(b"\r").decode("latin-1") for line in raw[: end.start()].split(b"\n")]
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        if line[:1] in (" ", "\t") and headers:
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name.rstrip(" \t")):
            raise BrokenHttp("http-malformed", tr("Un en-tête HTTP est illisible."))
        headers.append((name.rstrip(" \t").lower(), value.strip(" \t")))
    return lines[0], tuple(headers), raw[end.end() :]


def _body(message: HttpMessage, rest: bytes, cap: int) -> bytes:
    transfer, length = message.header("transfer-encoding"), message.header("content-length")
    if transfer is not None:
        if length is not None:
            raise BrokenHttp("http-malformed", tr("Content-Length et Transfer-Encoding se contredisent."))
        if transfer.strip().lower() != "chunked":
            raise BrokenHttp("http-malformed", tr("Le Transfer-Encoding « {nom} » est inconnu.", nom=transfer))
        body = _unchunk(rest, cap)
    elif length is not None:
        announced = {value.strip() for value in length.split(",")}
        size = announced.pop()
        if announced or not re.fullmatch(r"[0-9]{1,15}", size):
            raise BrokenHttp("http-malformed", tr("Content-Length ne dit pas une longueur."))
        if len(rest) < int(size):
            raise BrokenHttp("http-malformed", tr("Le corps HTTP s'arrête avant la longueur annoncée."))
        body = rest[: int(size)]
    else:
        body = rest if message.status else b""
    if len(body) > cap:
        raise _too_large(cap)
    codings = [name.strip().lower() for name in (message.header("content-encoding") or "").split(",")]
    for coding in reversed([name for name in codings if name not in ("", "identity")]):
        body = _decode(coding, body, cap)
    return body


def _unchunk(rest: bytes, cap: int) -> bytes:
    pieces: list[bytes] = []
    position = total = 0
    while True:
        line = _CHUNK.match(rest, position)
        if line is None:
            raise BrokenHttp("http-malformed", tr("Un fragment du corps HTTP est illisible ou manque."))
        size, position = int(line.group(1), 16), line.end()
        if size == 0:
            break
        total += size
        if total > cap:
            raise _too_large(cap)
        pieces.append(rest[position : position + size])
        position += size
        if rest[position : position + 2] == b"\r\n":
            position += 2
        elif rest[position : position + 1] == b"\n":
            position += 1
        else:
            raise BrokenHttp("http-malformed", tr("Un fragment du corps HTTP n'a pas la longueur annoncée."))
    if not (rest[position:].startswith((b"\r\n", b"\n")) or _HEAD_END.search(rest, position)):
        raise BrokenHttp("http-malformed", tr("Le corps HTTP fragmenté n'a pas de fin."))
    return b"".join(pieces)


def _decode(coding: str, body: bytes, cap: int) -> bytes:
    if coding in ("gzip", "x-gzip"):
        windows: tuple[int, ...] = (_GZIP,)
    elif coding == "deflate":
        windows = (zlib.MAX_WBITS, -zlib.MAX_WBITS)
    else:
        raise BrokenHttp("content-encoding", tr("Le Content-Encoding « {nom} » est inconnu.", nom=coding))
    for window in windows:
        try:
            return _inflate(body, window, cap)
        except zlib.error:
            continue
    raise BrokenHttp("content-encoding", tr("Le corps compressé ({nom}) est corrompu.", nom=coding))


def _inflate(body: bytes, window: int, cap: int) -> bytes:
    """Return the inflated bytes of one or more members; raises zlib.error when a member is damaged or cut."""
    pieces: list[bytes] = []
    total = 0
    while body:
        engine = zlib.decompressobj(window)
        piece = engine.decompress(body, cap - total + 1)
        total += len(piece)
        if total > cap:
            raise _too_large(cap)
        if not engine.eof:
            raise zlib.error("cut")
        pieces.append(piece)
        body = engine.unused_data
    return b"".join(pieces)


def _too_large(cap: int) -> BrokenHttp:
    return BrokenHttp("too-large", tr("Le corps dépasse {cap} octets.", cap=cap))
