"""The record of a run counts what the relay carried; the gate believes the exchanges themselves, not that count."""

from __future__ import annotations

import msgspec
import pytest

from harness.record import Exchange, TlsFacts, was_relayed

PLAIN = Exchange(
    id="A#1.1", case="A", step=1, number=1, purpose="step", kind="ASK", url="", sent_at="", received_at="",
    outcome="received", detail="", bindings={}, security="", http="", tls=TlsFacts(),
    request=b"POST / HTTP/1.1\r\nhost: a\r\n\r\n<a/>", response=b"HTTP/1.1 200 OK\r\n\r\n<b/>",
)  # fmt: skip


def test_an_exchange_between_the_product_and_the_laboratory_was_not_relayed() -> None:
    assert not was_relayed(PLAIN)


@pytest.mark.parametrize("side", ["request", "response"])
def test_the_mark_on_either_side_says_that_it_was(side: str) -> None:
    raw = getattr(PLAIN, side).replace(b"\r\n\r\n", b"\r\npoincon-relay: 1\r\n\r\n")
    assert was_relayed(msgspec.structs.replace(PLAIN, **{side: raw}))
