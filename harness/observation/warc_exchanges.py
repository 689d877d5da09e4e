"""Exchanges out of a WARC file: requests and responses brought together by WARC-Concurrent-To, or by standing together.

Records of other types (revisit, resource, conversion …) are counted and left alone. A run of this program adds a
metadata record with the facts of each exchange (docs/formats/run.md); of other metadata nothing is read. At most
MOST_OPEN halves wait for their other half; then the oldest goes on alone.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, Literal, cast

import msgspec

from harness.observation.coding import readable
from harness.observation.recording import Recorded, Side, instant, milliseconds_between
from harness.observation.warc_records import MOST_BLOCK, WarcRecord, WarcRecords
from harness.record import Exchange
from harness.warc import METADATA_TYPE

MOST_OPEN: Final = 64
_SIDES: Final[dict[str, Side]] = {"request": "request", "response": "response"}
_TYPES: Final = frozenset({"request", "response", "resource", "metadata", "revisit", "conversion", "continuation"})
OTHER: Final = "other"
"""What a record counts as whose type is none of ISO 28500, 5.5."""
_SENT: Final = ("answered", "received")


@dataclass
class _Half:
    """What is known so far of one exchange. awaited: records that it names and that have not come."""

    number: int
    url: str
    raw: dict[str, bytes] = field(default_factory=dict)
    dates: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    awaited: set[str] = field(default_factory=set)
    lost: set[Side] = field(default_factory=set)
    facts: Exchange | None = None
    linked: bool = False

    def has(self, side: Side) -> bool:
        return side in self.raw or side in self.lost

    @property
    def complete(self) -> bool:
        return self.facts is not None or (self.has("request") and self.has("response") and not self.awaited)


class WarcRecording:
    """A WARC file. compressed: it is a gzip file."""

    kind: Literal["warc", "har"] = "warc"

    def __init__(self, path: Path, *, compressed: bool) -> None:
        self.path, self._compressed = path, compressed
        self.ignored: Counter[str] = Counter()
        self._open: dict[int, _Half] = {}
        self._by_id: dict[str, _Half] = {}
        self._number = 0

    def __iter__(self) -> Iterator[Recorded]:
        """See `Recording`."""
        with self.path.open("rb") as file:
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if self._compressed else file
            for record in WarcRecords(stream, self.path):
                half = self._taken(record)
                if half is not None and half.complete:
                    yield from self._closed(half)
                while len(self._open) > MOST_OPEN:
                    yield from self._closed(next(iter(self._open.values())))
        for half in list(self._open.values()):
            yield from self._closed(half)

    def _taken(self, record: WarcRecord) -> _Half | None:
        """Take in a record; return the exchange that it is part of, None when it is of none."""
        own = record.header("warc-record-id")
        linked = set(record.all("warc-concurrent-to"))
        if record.kind == "metadata":
            return self._metadata(record, own, linked)
        side = _SIDES.get(record.kind)
        http = record.header("content-type").replace(" ", "").lower().startswith("application/http")
        if record.kind == "revisit":
            self.ignored[record.kind] += 1
            side, http = "response", False
        elif side is None or not http:
            if record.kind != "warcinfo":
                self.ignored[record.kind if record.kind in _TYPES else OTHER] += 1
            return None
        half = self._half(own, linked, side, record.header("warc-target-uri"))
        if http and record.block is not None:
            half.raw[side] = readable(record.block, side, MOST_BLOCK)
        if not http or record.block is None or record.header("warc-truncated"):
            half.lost.add(side)
        half.dates[side] = record.header("warc-date")
        return half

    def _metadata(self, record: WarcRecord, own: str, linked: set[str]) -> _Half | None:
        half = next((self._by_id[each] for each in (own, *linked) if each in self._by_id), None)
        if half is not None:
            half.awaited.discard(own)
        ours = record.header("content-type") == METADATA_TYPE
        if half is None and not ours:
            self.ignored[record.kind] += 1
        if half is None or not ours:
            return half  # a run of ours also has facts without any message: nothing came
        try:
            half.facts = msgspec.json.decode(record.block or b"", type=Exchange)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.ignored[record.kind] += 1
        return half

    def _half(self, own: str, linked: set[str], side: Side, url: str) -> _Half:
        found = next((self._by_id[each] for each in (own, *linked) if each in self._by_id), None)
        if found is not None and found.has(side):
            found = None
        if found is None and not linked:
            # Without any link only records that stand side by side belong together.
            last = next(reversed(self._open.values()), None)
            if last is not None and not last.linked and not last.has(side) and last.url == url:
                found = last
        if found is None:
            self._number += 1
            found = self._open[self._number] = _Half(self._number, url)
        found.url = found.url or url
        found.linked = found.linked or bool(linked)
        if own:
            found.ids.add(own)
        found.awaited = (found.awaited | linked) - found.ids
        for each in (found.ids | linked) - {""}:
            self._by_id[each] = found
        return found

    def _closed(self, half: _Half) -> Iterator[Recorded]:
        self._open.pop(half.number, None)
        for each in half.ids | half.awaited:
            self._by_id.pop(each, None)
        asked, answered = instant(half.dates.get("request", "")), instant(half.dates.get("response", ""))
        recorded = Recorded(
            half.number,
            half.url.strip("<>"),
            asked or answered,
            answered or asked,
            milliseconds_between(asked, answered) or None,  # some writers give both records one date
            half.raw.get("request", b""),
            half.raw.get("response", b""),
            frozenset(half.lost),
        )
        yield recorded if half.facts is None else _known(recorded, half.facts)


def _known(recorded: Recorded, facts: Exchange) -> Recorded:
    """Return an exchange of a run of this program with what the run says of it."""
    arrived, asked = instant(facts.received_at), instant(facts.sent_at)
    waited = facts.outcome == "received"  # the clock ran before the message came: it tells no answer time
    return msgspec.structs.replace(
        recorded,
        url=facts.url or recorded.url,
        asked_at=arrived if waited else asked,
        answered_at=arrived,
        took_ms=(facts.duration_ms or None) if facts.outcome == "answered" else None,
        response=recorded.response if facts.outcome in _SENT else b"",
        name=facts.id,
        case=facts.case,
        staged=bool(facts.security or facts.http) or facts.purpose != "step",
    )
