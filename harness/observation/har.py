"""Exchanges out of a HAR 1.2 file, as browsers, proxies and the practice software write it.

A HAR holds bodies in clear, without transfer or content coding; raw messages are put together again from its parts.
The file stands in memory once (MOST_BYTES at most), its entries are read one by one. Source: HAR 1.2 specification
(W3C, Web Performance Working Group draft).
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from harness.observation.coding import written
from harness.observation.recording import Recorded, RecordingError, Side, instant
from norms.i18n import tr

MOST_BYTES: Final = 512 * 1024 * 1024
_ENCODING: Final = re.compile(r"""^\ufeff?<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_BOM: Final = "\ufeff"


class _Header(msgspec.Struct):
    name: str = ""
    value: str | None = ""


class _Content(msgspec.Struct, rename="camel"):
    """`postData` of a request, `content` of a response. encoding: "base64" or nothing."""

    mime_type: str | None = ""
    text: str | None = None
    encoding: str | None = ""
    size: float | None = 0


class _Request(msgspec.Struct, rename="camel"):
    method: str = ""
    url: str = ""
    headers: list[_Header] = []
    post_data: _Content | None = None
    body_size: float | None = 0


class _Response(msgspec.Struct, rename="camel"):
    status: float | None = 0
    headers: list[_Header] = []
    content: _Content | None = None
    body_size: float | None = 0


class _Entry(msgspec.Struct, rename="camel"):
    request: _Request
    response: _Response | None = None
    started_date_time: str = ""
    time: float | None = None
    timings: dict[str, object] | None = None


class _Log(msgspec.Struct):
    entries: list[msgspec.Raw]


class _Har(msgspec.Struct):
    log: _Log


class HarRecording:
    """A HAR file. compressed: it is a gzip file."""

    kind: Literal["warc", "har"] = "har"

    def __init__(self, path: Path, *, compressed: bool) -> None:
        self.path, self._compressed = path, compressed
        self.ignored: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Recorded]:
        """See `Recording`."""
        for number, raw in enumerate(self._entries(), 1):
            try:
                entry = msgspec.json.decode(raw, type=_Entry)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise self._fault(
                    tr("L'entrée {nombre} n'est pas celle d'un HAR : {why}.", nombre=number, why=error)
                ) from error
            yield _recorded(number, entry)

    def _entries(self) -> list[msgspec.Raw]:
        data = self._bytes()
        try:
            return msgspec.json.decode(
                memoryview(data)[3:] if data[:3] == b"\xef\xbb\xbf" else data, type=_Har
            ).log.entries
        except msgspec.ValidationError as error:
            raise self._fault(tr("Ce JSON n'est pas un HAR : {why}.", why=error)) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._fault(tr("Ce HAR n'est pas du JSON : {why}.", why=error)) from error

    def _bytes(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                data = (gzip.GzipFile(fileobj=file) if self._compressed else file).read(MOST_BYTES + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as broken:
            raise self._fault(tr("La compression gzip est abîmée ou coupée.")) from broken
        if len(data) > MOST_BYTES:
            raise self._fault(
                tr("Un HAR compte {most} Mo au plus ; un WARC n'a pas cette limite.", most=MOST_BYTES >> 20)
            )
        return data

    def _fault(self, what: str) -> RecordingError:
        return RecordingError(what, file=self.path)


def _recorded(number: int, entry: _Entry) -> Recorded:
    asked = instant(entry.started_date_time)
    took = _took(entry)
    lost: set[Side] = set()
    request = _request(entry.request, lost)
    response = _response(entry.response, lost) if entry.response is not None else b""
    return Recorded(
        number=number,
        url=entry.request.url,
        asked_at=asked,
        answered_at=_later(asked, entry.time),
        took_ms=took if response or "response" in lost else None,
        request=request,
        response=response,
        lost=frozenset(lost),
    )


def _request(request: _Request, lost: set[Side]) -> bytes:
    body = _body(request.post_data)
    if body is None:
        if (request.body_size or 0) > 0:
            lost.add("request")
        body = b""
    place = urlsplit(request.url) if _plain(request.url) else urlsplit("")
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    kind = (request.post_data.mime_type if request.post_data else "") or ""
    return written(f"{request.method or 'POST'} {target} HTTP/1.1", _headers(request.headers, kind), body)


def _response(response: _Response, lost: set[Side]) -> bytes:
    status = int(response.status or 0)
    if not 100 <= status <= 599:
        return b""  # what recorders write when no answer came
    content = response.content
    body = _body(content)
    if body is None:
        if (content is not None and (content.size or 0) > 0) or (response.body_size or 0) > 0:
            lost.add("response")
        body = b""
    kind = (content.mime_type if content else "") or ""
    return written(f"HTTP/1.1 {status}", _headers(response.headers, kind), body)


def _plain(url: str) -> bool:
    """Tell whether an address can be taken apart: urlsplit refuses unbalanced brackets."""
    try:
        urlsplit(url)
    except ValueError:
        return False
    return " " not in url


def _headers(headers: list[_Header], kind: str) -> tuple[tuple[str, str], ...]:
    given = tuple((each.name, each.value or "") for each in headers if each.name)
    if kind and not any(name.lower() == "content-type" for name, _ in given):
        given = (*given, ("Content-Type", kind))
    return given


def _body(content: _Content | None) -> bytes | None:
    """Return the bytes of a body, None when the file does not hold them."""
    if content is None or content.text is None:
        return None
    if (content.encoding or "").lower() == "base64":
        try:
            return base64.b64decode(content.text)
        except (binascii.Error, ValueError):
            return None
    return _encoded(content.text)


def _encoded(text: str) -> bytes:
    """Return a text in the encoding that its XML declaration names, as it stood on the wire before it was decoded."""
    declared = _ENCODING.match(text)
    encoding = declared[1].lower() if declared else "utf-8"
    text = text.removeprefix(_BOM)  # the codec of UTF-16 writes one itself, UTF-8 needs none
    try:
        return text.encode(encoding)
    except (LookupError, UnicodeError):
        return text.encode("utf-8", "replace")


def _took(entry: _Entry) -> float | None:
    """Return how long the answer took in milliseconds: send, wait and receive where told, else all of `time`."""
    parts = [
        value
        for name in ("send", "wait", "receive")
        if isinstance(value := (entry.timings or {}).get(name), int | float)
    ]
    known = [float(part) for part in parts if part >= 0]
    if known and any(known):
        return sum(known)
    return entry.time if entry.time is not None and entry.time > 0 else None


def _later(asked: str, milliseconds: float | None) -> str:
    if not asked or milliseconds is None or not 0 <= milliseconds < 86_400_000:
        return asked
    return instant((datetime.fromisoformat(asked) + timedelta(milliseconds=milliseconds)).isoformat())
