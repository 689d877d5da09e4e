"""The table of refusals: each wrong way to secure a request, each wrong caller, and the code that answers it."""

from __future__ import annotations

import ssl

import pytest
from lxml import etree
from sandbox_caller import Caller

from norms.wire.deviations import DEVIATIONS
from norms.wire.soap import serialize

SIMPLE = sorted(
    name for name, deviation in DEVIATIONS.items() if "request" in deviation.directions and "replayed" not in name
)


@pytest.mark.parametrize("deviation", SIMPLE)
def test_a_wrong_security_is_refused_with_a_code_of_the_norm(caller: Caller, deviation: str) -> None:
    answer = caller.call("IDB", deviation=deviation)
    refusals = caller.norm.security.refusals
    allowed = {refusals[reason].code for reason in DEVIATIONS[deviation].reasons}
    assert answer.status == 400
    assert answer.error in allowed
    assert answer.text("Value") == "soap:Sender"


def test_a_replayed_assertion_is_refused(caller: Caller) -> None:
    first = caller.secured("IDB", caller.message("IDB"))
    assert caller.post("IDB", first).status == 200
    again = caller.secured("IDB", caller.message("IDB"), "assertion-replayed", replay_of=etree.fromstring(first))
    assert caller.post("IDB", again).error == "ASS-10"


def test_a_caller_with_the_signature_certificate_is_refused(caller: Caller) -> None:
    body = caller.secured("IDB", caller.message("IDB"))
    try:
        answer = caller.post("IDB", body, identity="tls-wrong-kind")
    except (ssl.SSLError, ConnectionError):
        return
    assert answer.error == "CER-05"


def test_a_person_s_card_is_no_software_certificate(directory: Caller) -> None:
    answer = directory.post("ADR", serialize(directory.message("ADR")), identity="tls")
    assert (answer.status, answer.error) == (500, "CER-05")


def test_the_assertion_of_another_holder_is_refused(caller: Caller) -> None:
    answer = caller.post("IDB", caller.secured("IDB", caller.message("IDB")), identity="tls-other-holder")
    assert answer.error == "ASS-11"


@pytest.mark.parametrize("identity", [None, "tls-expired", "tls-revoked", "tls-other-authority"])
def test_a_caller_without_a_valid_certificate_does_not_get_in(caller: Caller, identity: str | None) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        caller.post("IDB", b"<a/>", identity=identity)


def test_every_reason_has_a_refusal_in_the_norm(caller: Caller) -> None:
    from norms.wire.reasons import REASONS

    assert set(caller.norm.security.refusals) >= REASONS


def test_after_refusals_the_next_request_is_served(caller: Caller) -> None:
    caller.post("IDB", b"<a")
    caller.call("IDB", deviation="body-altered")
    assert caller.call("IDB").status == 200
