"""Exchanges as WARC 1.1 records (ISO 28500): one gzip member per record, blocks written raw.

An exchange is stored as up to three adjacent records: `request` and `response` (only when bytes went over the wire)
and `metadata` (the JSON of its facts). No header of a message is parsed, so malformed answers survive as they came.
The journal holds offset, length and SHA-256 of the stored records; nothing here decides what is intact.
Source: docs/formats/run.md.
"""

from __future__ import annotations

import uuid
import zlib
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from harness.record import Exchange
from norms.errors import PoinconError

VERSION: Final = b"WARC/1.1"
_LEVEL: Final = 1
_MAX_RECORD: Final = 64 * 1024 * 1024
METADATA_TYPE: Final = "application/vnd.poincon.exchange+json"


class WarcError(PoinconError):
    """Stored bytes are not the records of one exchange."""


@dataclass(frozen=True)
class Record:
    """One WARC record. headers: names in lower case; block: its bytes."""

    kind: str
    headers: dict[str, str]
    block: bytes


def first_record(software: str, date: str) -> bytes:
    """Return the `warcinfo` member that begins a file."""
    fields = f"software: {software}\r\nformat: WARC File Format 1.1\r\n".encode()
    return _member("warcinfo", date, "application/warc-fields", fields, {})


def stored(exchange: Exchange) -> bytes:
    """Return the members of one exchange, ready to append."""
    facts = msgspec.json.encode(msgspec.structs.replace(exchange, request=b"", response=b""))
    identity = _record_id()
    target = {"WARC-Target-URI": exchange.url} if exchange.url else {}
    members = []
    if exchange.request:
        members.append(
            _member(
                "request",
                exchange.sent_at,
                "application/http; msgtype=request",
                exchange.request,
                {**target, "WARC-Concurrent-To": identity},
            )
        )
    if exchange.response:
        members.append(
            _member(
                "response",
                exchange.received_at,
                "application/http; msgtype=response",
                exchange.response,
                {**target, "WARC-Concurrent-To": identity},
            )
        )
    members.append(_member("metadata", exchange.received_at, METADATA_TYPE, facts, target, identity))
    return b"".join(members)


def restore(data: bytes) -> Exchange:
    """Return the exchange of stored members, the inverse of `stored`; raises WarcError."""
    facts: Exchange | None = None
    request = response = b""
    for record in records(data):
        if record.kind == "request":
            request = record.block
        elif record.kind == "response":
            response = record.block
        elif record.kind == "metadata":
            try:
                facts = msgspec.json.decode(record.block, type=Exchange)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise WarcError(f"metadata record: {error}") from error
    if facts is None:
        raise WarcError("no metadata record")
    return msgspec.structs.replace(facts, request=request, response=response)


def records(data: bytes) -> list[Record]:
    """Return the records of concatenated gzip members; raises WarcError on anything else."""
    found = []
    while data:
        inflater = zlib.decompressobj(31)
        try:
            content = inflater.decompress(data, _MAX_RECORD)
        except zlib.error as error:
            raise WarcError(f"not a gzip member: {error}") from error
        if not inflater.eof:
            raise WarcError("a record is cut or larger than this program writes")
        found.append(_parse(content))
        data = inflater.unused_data
    return found


def _parse(content: bytes) -> Record:
    head, separator, rest = content.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if not separator or lines[0] != VERSION:
        raise WarcError("not a WARC record")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.decode("utf-8", "replace").partition(":")
        headers[name.lower()] = value.strip()
    length = headers.get("content-length", "")
    if not length.isdecimal() or rest[int(length) :] != b"\r\n\r\n":
        raise WarcError("the length of a WARC record is wrong")
    return Record(headers.get("warc-type", ""), headers, rest[: int(length)])


def _record_id() -> str:
    return f"<urn:uuid:{uuid.uuid4()}>"


def _member(kind: str, date: str, content_type: str, block: bytes, extra: dict[str, str], identity: str = "") -> bytes:
    headers = {
        "WARC-Type": kind,
        "WARC-Record-ID": identity or _record_id(),
        "WARC-Date": date,
        **extra,
        "Content-Type": content_type,
        "WARC-Block-Digest": f"sha256:{sha256(block).hexdigest()}",
        "Content-Length": str(len(block)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("utf-8")
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    content = VERSION + b"\r\n" + head + b"\r\n" + block + b"\r\n\r\n"
    return deflater.compress(content) + deflater.flush()
