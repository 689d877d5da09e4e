"""The mark of the relay is found where it stands, in the head of a message, and nowhere else."""

from __future__ import annotations

import pytest

from norms.wire.relayed import HEADER, bears_mark


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nhost: a\r\npoincon-relay: 1\r\n",
        b"HTTP/1.1 200 OK\r\nPoincon-Relay: 1\r\nX: y\r\n",
        b"HTTP/1.1 200 OK\r\nPOINCON-RELAY:\r\n",
        f"HTTP/1.1 200 OK\n{HEADER} : 0\n".encode(),
    ],
)
def test_any_spelling_and_any_value_counts(head: bytes) -> None:
    assert bears_mark(head + b"\r\n<a/>")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"POST /poincon-relay: HTTP/1.1\r\nhost: a\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Poincon-Relay: 1\r\nX: Poincon-Relay: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n\nPoincon-Relay: 1\r\n\r\n",
    ],
)
def test_what_only_looks_like_it_does_not(message: bytes) -> None:
    assert not bears_mark(message)
