"""What a reader of recorded traffic gives: exchanges as raw HTTP/1.1 bytes with their times, whatever held them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from norms.errors import DataError

Side = Literal["request", "response"]


class RecordingError(DataError):
    """The file is no recording that this program reads, or it is damaged."""


class Recorded(msgspec.Struct, frozen=True):
    """One exchange of a recording.

    number: 1-based, in the order of the file; name: what a run of this program calls it, "" for others; case: the case
    that it was part of, likewise; url: address called, "" unknown; asked_at, answered_at: UTC, RFC 3339, "" unknown;
    took_ms: time until the answer, None unknown; request, response: raw HTTP messages, b"" = none recorded;
    lost: sides that were there but whose bytes the recording does not hold; staged: sent to deviate on purpose.
    """

    number: int
    url: str
    asked_at: str
    answered_at: str
    took_ms: float | None
    request: bytes
    response: bytes
    lost: frozenset[Side] = frozenset()
    name: str = ""
    case: str = ""
    staged: bool = False


class Recording(Protocol):
    """A file of exchanges. kind: "warc" or "har"; ignored: what was passed over while reading, by its kind."""

    path: Path
    kind: Literal["warc", "har"]
    ignored: Counter[str]

    def __iter__(self) -> Iterator[Recorded]:
        """Yield the exchanges in the order of the file, once. Raises RecordingError."""
        ...


def instant(text: str) -> str:
    """Return an ISO 8601 time as UTC with milliseconds, "" when it is none; without a zone it counts as UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds_between(start: str, end: str) -> float | None:
    """Return the time between two texts of `instant`; None when one is missing or the second is earlier."""
    if not start or not end:
        return None
    apart = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() * 1000
    return apart if apart >= 0 else None
