"""WARC 1.1 records: bytes survive as they came, and other people's reader understands the file."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from harness import warc
from harness.record import Exchange, TlsFacts

EXCHANGE = Exchange(
    id="C-1#1.1",
    case="C-1",
    step=1,
    number=1,
    purpose="step",
    kind="K",
    url="https://h/x",
    sent_at="2026-11-21T10:00:00.000Z",
    received_at="2026-11-21T10:00:00.020Z",
    outcome="answered",
    detail="",
    bindings={"nir": "1"},
    security="",
    http="",
    tls=TlsFacts("TLSv1.3", "c", "aa", "bb"),
    request=b"POST /x HTTP/1.1\r\nHost: h\r\n\r\n<x/>",
    response=b"HTTP/1.1 200 OK\r\n\r\n<a/>",
    duration_ms=20.5,
)


def with_bytes(request: bytes, response: bytes) -> Exchange:
    import msgspec

    return msgspec.structs.replace(EXCHANGE, request=request, response=response)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_survive(request: bytes, response: bytes):
    exchange = with_bytes(request, response)
    assert warc.restore(warc.stored(exchange)) == exchange


def test_warcio_reads_what_we_write():
    data = warc.first_record("poincon", "2026-11-21T10:00:00Z") + warc.stored(EXCHANGE)
    read = [
        (record.rec_type, record.content_stream().read())
        for record in ArchiveIterator(io.BytesIO(data), no_record_parse=True, check_digests=True)
    ]
    assert [kind for kind, _ in read] == ["warcinfo", "request", "response", "metadata"]
    assert read[1][1] == EXCHANGE.request and read[2][1] == EXCHANGE.response


def test_malformed_answers_survive_unparsed():
    garbage = b"\x00\xff\r\n\r\nWARC/1.1\r\n\r\nHTTP/1.1 abc\r\n\r\n"
    data = warc.stored(with_bytes(b"", garbage))
    assert warc.restore(data).response == garbage
    assert [record.kind for record in warc.records(data)] == ["response", "metadata"]


@pytest.mark.parametrize("cut", [1, 10, 50])
def test_torn_records_are_refused(cut: int):
    with pytest.raises(warc.WarcError):
        warc.restore(warc.stored(EXCHANGE)[:-cut])


def test_records_without_facts_are_refused():
    with pytest.raises(warc.WarcError):
        warc.restore(warc.first_record("poincon", "2026-11-21T10:00:00Z"))
