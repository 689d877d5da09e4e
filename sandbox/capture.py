"""What the practice software sent and got, as a HAR 1.2 file that other tools read.

The file is a whole JSON document after every exchange: an entry and the end of the document are written over the end
that stood there before. Source: HAR 1.2 specification (W3C, Web Performance Working Group draft).
"""

from __future__ import annotations

import base64
import http.client
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol, Self

import msgspec

from norms.errors import UsageError
from norms.i18n import tr

_VERSION: Final = "1.2"
_CREATOR: Final = {"name": "poincon", "version": "1"}
_END: Final = b"\n]}}\n"


@dataclass
class Heard:
    """One exchange as it happens. marks: milliseconds spent by phase; comment: why no answer came."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    marks: dict[str, float] = field(default_factory=dict)
    status: int = 0
    answer_headers: Sequence[tuple[str, str]] = ()
    answer: bytes = b""
    comment: str = ""
    _since: float = field(default_factory=time.monotonic)

    def reached(self, phase: str) -> None:
        """Note that a phase has ended."""
        now = time.monotonic()
        self.marks[phase], self._since = round((now - self._since) * 1000, 3), now

    def answered(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        """Note the answer."""
        self.status, self.answer_headers, self.answer = status, headers, body


class Capture(Protocol):
    """Where exchanges are written."""

    def add(self, heard: Heard) -> None:
        """Write one exchange."""
        ...


class HarCapture:
    """A HAR file. Threads may share it. Raises UsageError when the file cannot be written."""

    def __init__(self, path: Path) -> None:
        self._lock, self._first = threading.Lock(), True
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise _unwritable(path, error) from error
        log = msgspec.json.encode({"version": _VERSION, "creator": _CREATOR}).removesuffix(b"}")
        self._file.write(b'{"log":' + log + b',"entries":[')
        self._place = self._file.tell()
        self._file.write(_END)
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, heard: Heard) -> None:
        """See `Capture.add`. Raises UsageError when the file cannot be written any more."""
        entry = msgspec.json.encode(entry_of(heard))
        with self._lock:
            written = (b"\n" if self._first else b",\n") + entry
            try:
                self._file.seek(self._place)
                self._file.write(written + _END)
                self._file.flush()
            except OSError as error:
                raise _unwritable(Path(self._file.name), error) from error
            self._place += len(written)
            self._first = False


def _unwritable(path: Path, error: OSError) -> UsageError:
    why = error.strerror or error
    return UsageError(tr("Le fichier « {path} » ne peut pas être écrit : {why}.", path=path, why=why))


def entry_of(heard: Heard) -> dict[str, Any]:
    """Return an exchange as an entry of a HAR; one without an answer has status 0, as browsers write it."""
    content_type = next((value for name, value in heard.answer_headers if name.lower() == "content-type"), "")
    timings = {"connect": heard.marks.get("connect", -1)}
    timings |= {phase: heard.marks.get(phase, 0) for phase in ("send", "wait", "receive")}
    sent = {"mimeType": heard.headers.get("Content-Type", ""), **_text(heard.body)}
    return {
        "startedDateTime": heard.began.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "time": round(sum(heard.marks.values()), 3),
        "request": {
            "method": "POST",
            "url": heard.url,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [{"name": name, "value": value} for name, value in heard.headers.items()],
            "queryString": [],
            "postData": sent,
            "headersSize": -1,
            "bodySize": len(heard.body),
        },
        "response": {
            "status": heard.status,
            "statusText": http.client.responses.get(heard.status, ""),
            "httpVersion": "HTTP/1.1" if heard.status else "",
            "cookies": [],
            "headers": [{"name": name, "value": value} for name, value in heard.answer_headers],
            "content": {"size": len(heard.answer), "mimeType": content_type, **_text(heard.answer)},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": len(heard.answer) if heard.status else -1,
        },
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "ssl": -1, **timings},
        "comment": heard.comment,
    }


def _text(body: bytes) -> dict[str, str]:
    """Return bytes as HAR holds them: text in UTF-8, else base64."""
    try:
        return {"text": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode("ascii"), "encoding": "base64"}
