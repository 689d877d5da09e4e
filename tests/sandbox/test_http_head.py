"""The head of a request, checked before any parser: attack H01 and H05 as pure functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from norms.model import Limits
from norms.wire.head import Framing, HeadRefused, check_head

LIMITS = Limits(body_bytes=1000, header_count=5)
GOOD = "POST /a HTTP/1.1\r\nHost: h\r\n"


def head(text: str) -> bytes:
    return (text + "\r\n").encode("latin-1")


def test_a_length_frames_the_body() -> None:
    assert check_head(head(GOOD + "Content-Length: 12\r\n"), LIMITS) == Framing(12)


def test_chunked_has_no_length() -> None:
    assert check_head(head(GOOD + "Transfer-Encoding: chunked\r\n"), LIMITS) == Framing(None)


def test_neither_means_no_body() -> None:
    assert check_head(head(GOOD), LIMITS) == Framing(0)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (GOOD + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
        (GOOD + "Content-Length: 5\r\nContent-Length: 5\r\n", 400),
        (GOOD + "Content-Length: 5\r\ncontent-length: 6\r\n", 400),
        (GOOD + "Content-Length: +5\r\n", 400),
        (GOOD + "Content-Length: 5, 5\r\n", 400),
        (GOOD + "Content-Length: 0x5\r\n", 400),
        (GOOD + "Transfer-Encoding: chunked, identity\r\n", 400),
        (GOOD + "Transfer-Encoding: xchunked\r\n", 400),
        (GOOD + "Transfer-Encoding : chunked\r\n", 400),
        (GOOD + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        ("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", 400),
        (GOOD + "X: a\r\n folded\r\n", 400),
        (GOOD + "X: a\nY: b\r\n", 400),
        (GOOD + "X: a\rY: b\r\n", 400),
        (GOOD + "X: \0\r\n", 400),
        (GOOD + "no colon\r\n", 400),
        ("POST /a HTTP/1.1\r\n", 400),
        (GOOD + "Host: other\r\n", 400),
        ("POST /a\0b HTTP/1.1\r\nHost: h\r\n", 400),
        ("POST /a%00b HTTP/1.1\r\nHost: h\r\n", 400),
        ("POST  /a HTTP/1.1\r\nHost: h\r\n", 400),
        ("POST http://elsewhere/a HTTP/1.1\r\nHost: h\r\n", 400),
        ("POST /a HTTP/2.0\r\nHost: h\r\n", 400),
        ("GET /" + "a" * 3000 + " HTTP/1.1\r\nHost: h\r\n", 400),
        (GOOD + "Upgrade: h2c\r\n", 400),
        (GOOD + "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n", 431),
        (GOOD + "Content-Length: 1001\r\n", 413),
    ],
)
def test_h01_h05_refuses(text: str, status: int) -> None:
    with pytest.raises(HeadRefused) as refused:
        check_head(head(text), LIMITS)
    assert refused.value.status == status


@given(st.binary(max_size=200))
def test_any_bytes_are_framed_or_refused(data: bytes) -> None:
    try:
        framing = check_head(data + b"\r\n\r\n", LIMITS)
    except HeadRefused as refused:
        assert refused.status in (400, 413, 431)
    else:
        assert framing.length is None or framing.length <= LIMITS.body_bytes
