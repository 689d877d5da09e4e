"""The journal of a run: JSON lines chained by SHA-256, so that no line changes, goes or moves unnoticed.

Each line holds its number, the SHA-256 of the line before (its bytes without the line end; 64 zeros for the first),
the time and an event. Source: docs/formats/run.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

import msgspec

FILE: Final = "journal.jsonl"
FORMAT: Final = "poincon/run/1"
START: Final = "0" * 64
_MAX_LINE: Final = 16 * 1024 * 1024

Event = Literal["run-started", "run-resumed", "exchange", "case", "run-finished"]


class Stored(msgspec.Struct, frozen=True):
    """Where records stand in the WARC file: bytes from `offset`, and the SHA-256 of those stored bytes."""

    offset: int
    length: int
    sha256: str


class Begun(msgspec.Struct, frozen=True):
    """What a run was started for, and with what.

    started: UTC, RFC 3339; select: expression that left cases out, "" = all run; second_verifier: name and version of
    the second verifier of signatures, "" = none was installed.
    """

    format: str
    run: str
    tool: str
    norm: str
    norm_digest: str
    suite: str
    started: str
    select: str = ""
    certification: bool = False
    second_verifier: str = ""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. Fields beyond the first four depend on the event; those at their default are not written.

    run-started: begun, stored (first WARC record) · exchange: case, exchange, outcome, stored · case: case, verdict,
    state and reason (why it was not judged on its exchanges alone), exchanges (how many), relayed (how many of them
    the relay carried), duration_ms ·
    run-finished: files (path -> SHA-256), warc_length, stopped (why the run ended early).
    """

    seq: int
    prev: str
    time: str
    event: Event
    begun: Begun | None = None
    case: str = ""
    exchange: str = ""
    outcome: str = ""
    verdict: str = ""
    state: Literal["", "not_run", "error"] = ""
    reason: str = ""
    exchanges: int = 0
    relayed: int = 0
    duration_ms: float = 0.0
    stored: Stored | None = None
    files: dict[str, str] = {}
    warc_length: int = 0
    stopped: str = ""


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Entry, strict=True)


def encode(entry: Entry) -> bytes:
    """Return the line of an entry, without its line end."""
    return _ENCODER.encode(entry)


def decode(line: bytes) -> Entry | None:
    """Return the entry of a line; None when the line is not exactly what `encode` writes."""
    try:
        entry = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return entry if encode(entry) == line else None


def digest(line: bytes) -> str:
    """Return the SHA-256 of a line, as the next line's `prev` gives it."""
    return sha256(line).hexdigest()


def lines(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Yield each line without its end, and whether it had one (a line without is torn)."""
    with path.open("rb") as file:
        while line := file.readline(_MAX_LINE):
            yield line.removesuffix(b"\n"), line.endswith(b"\n")
