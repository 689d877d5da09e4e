"""Reading raw HTTP: lenient where receivers must be, exact where the end of a message is concerned."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reading import BrokenHttp, read_request, read_response

CAP = 1000


def packed(data: bytes) -> bytes:
    """Compress without the time of day, so that a test has one name."""
    return gzip.compress(data, mtime=0)


def body_of(raw: bytes) -> bytes:
    return read_response(raw, CAP).body


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", b"ab"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabSURPLUS", b"ab"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", b"ab"),
        (b"HTTP/1.1 200\nContent-Length: 2\n\nab", b"ab"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", b"a"),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\na\n0\nTrailer: 1\n\n", b"a"),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 1\r\n\r\na", b"a"),
    ],
)
def test_bodies_that_can_be_read(raw, body):
    assert body_of(raw) == body


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x16\x03\x01",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_http_without_a_findable_end_is_broken(raw):
    with pytest.raises(BrokenHttp) as caught:
        body_of(raw)
    assert caught.value.reason == "http-malformed"


def coded(coding: str, data: bytes) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def test_codings_are_undone():
    raw_deflate = zlib.compressobj(wbits=-15)
    assert body_of(coded("gzip", packed(b"hello"))) == b"hello"
    assert body_of(coded("gzip", packed(b"hel") + packed(b"lo"))) == b"hello"
    assert body_of(coded("deflate", zlib.compress(b"hello"))) == b"hello"
    assert body_of(coded("deflate", raw_deflate.compress(b"hello") + raw_deflate.flush())) == b"hello"
    assert body_of(coded("deflate, gzip", packed(zlib.compress(b"hello")))) == b"hello"
    assert body_of(coded("identity", b"hello")) == b"hello"


@pytest.mark.parametrize("data", [b"hello", packed(b"hello")[:-4], packed(b"hello") + b"x"])
def test_a_damaged_coding_is_no_body(data):
    with pytest.raises(BrokenHttp) as caught:
        body_of(coded("gzip", data))
    assert caught.value.reason == "content-encoding"


def test_an_unknown_coding_is_no_body():
    with pytest.raises(BrokenHttp) as caught:
        body_of(coded("br", b"x"))
    assert caught.value.reason == "content-encoding"


@pytest.mark.parametrize(
    "raw",
    [
        coded("identity", b"x" * (CAP + 1)),
        coded("gzip", packed(b"x" * (CAP + 1))),
        coded("gzip", packed(b"x" * CAP) + packed(b"x")),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n",
    ],
)
def test_the_cap_counts_inflated_bytes(raw):
    with pytest.raises(BrokenHttp) as caught:
        body_of(raw)
    assert caught.value.reason == "too-large"


def test_the_cap_itself_is_allowed():
    assert len(body_of(coded("gzip", packed(b"x" * CAP)))) == CAP


def test_a_request_has_no_body_unless_it_says_so():
    message = read_request(b"POST /a?b HTTP/1.1\r\nHost: x\r\nA: 1\r\na: 2\r\n\r\nrest", CAP)
    assert (message.method, message.target, message.body, message.header("A")) == ("POST", "/a?b", b"", "1, 2")
    assert message.header("absent") is None


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_broken(noise):
    for raw in (noise, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + noise, coded("gzip", noise)):
        try:
            assert len(read_response(raw, CAP).body) <= CAP
        except BrokenHttp as broken:
            assert broken.reason in ("http-malformed", "too-large", "content-encoding")


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=8))
def test_chunks_join_to_what_was_cut(pieces):
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    assert body_of(raw) == b"".join(pieces)
