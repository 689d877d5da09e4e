"""What we sign is accepted, what a deviation spoils is refused for its reason, and nothing else can pass."""

from __future__ import annotations

import copy
from datetime import timedelta

import msgspec
import pytest
from lxml import etree
from wire_kit import AUDIENCE, NORM, NOW, REQUEST, RESPONSE, SECURITY, SERVICE, SUBJECT, Kit, security_of

from norms.errors import SecurityRefusal, UsageError
from norms.model import DirectionPolicy, SecurityProfile
from norms.wire import names
from norms.wire.deviations import DEVIATIONS, applicable
from norms.wire.replay import MemoryReplayCache
from norms.wire.secure import Signers, Subject, secure_request, secure_response
from norms.wire.soap import SOAP12, Envelope, fault_envelope
from norms.wire.verify import verify

REQUESTS = [name for name, deviation in DEVIATIONS.items() if "request" in deviation.directions]
RESPONSES = [name for name, deviation in DEVIATIONS.items() if "response" in deviation.directions]


def test_a_request_that_we_sign_is_accepted_and_says_who_and_what(kit: Kit) -> None:
    root = kit.request()
    verified = kit.verify(root, replay=MemoryReplayCache())
    assert verified.subject == Subject("99900063480", "CPS", dict(SUBJECT.attributes))
    assert verified.covered == ("body", "timestamp", "c:Contexte", "assertion")
    assert verified.assertion_certificate == kit.others["assertion"].certificate
    assert verified.flow_certificate == kit.others["flow"].certificate
    assert verified.body is Envelope.of(root).body


def test_a_response_that_we_sign_is_accepted(kit: Kit) -> None:
    verified = kit.verify(kit.response(), "response")
    assert verified.covered == ("body", "timestamp", "c:Contexte")
    assert verified.flow_certificate == kit.amc["flow"].certificate
    assert verified.subject is None


@pytest.mark.parametrize("name", REQUESTS)
def test_every_deviation_of_a_request_is_refused_for_its_reason(kit: Kit, name: str) -> None:
    cache = MemoryReplayCache()
    root = kit.request(name)
    if name == "assertion-replayed":
        assert kit.reason(root, replay=cache) == ""
    assert kit.reason(root, replay=cache) in DEVIATIONS[name].reasons


@pytest.mark.parametrize("name", RESPONSES)
def test_every_deviation_of_a_response_is_refused_for_its_reason(kit: Kit, name: str) -> None:
    assert kit.reason(kit.response(name), "response") in DEVIATIONS[name].reasons


def test_a_signed_fault_needs_no_service_headers(kit: Kit) -> None:
    root = fault_envelope("1.2", "Sender", "Non")
    signers = Signers(flow=kit.amc["flow"])
    signed = etree.fromstring(secure_response(root, NORM, SERVICE, signers, NOW))
    assert kit.verify(signed, "response").covered == ("body", "timestamp")


@pytest.mark.parametrize("content", [REQUEST, REQUEST.replace("q:Question", "s:Fault")])
def test_a_request_without_its_service_header_is_refused(kit: Kit, content: str) -> None:
    bare = etree.fromstring(content)
    header = bare[0]
    header.remove(header[0])
    signers = Signers(kit.others["assertion"], kit.others["flow"])
    root = etree.fromstring(secure_request(bare, NORM, SERVICE, signers, SUBJECT, AUDIENCE, NOW))
    assert kit.reason(root) == "header-missing"


def test_securing_leaves_the_tree_it_is_given_as_it_was(kit: Kit) -> None:
    root = etree.fromstring(REQUEST)
    before = etree.tostring(root)
    secure_request(root, NORM, SERVICE, Signers(kit.others["assertion"], kit.others["flow"]), SUBJECT, AUDIENCE, NOW)
    assert etree.tostring(root) == before


def test_securing_twice_replaces_the_first_security(kit: Kit) -> None:
    signers = Signers(kit.others["assertion"], kit.others["flow"])
    again = secure_request(kit.request(), NORM, SERVICE, signers, SUBJECT, AUDIENCE, NOW)
    root = etree.fromstring(again)
    assert len(root.findall(f".//{names.SECURITY}")) == 1
    assert kit.reason(root) == ""


def test_a_profile_that_signs_nothing_leaves_the_envelope_untouched(kit: Kit) -> None:
    norm = msgspec.structs.replace(NORM, security=SecurityProfile("nu"))
    root = etree.fromstring(REQUEST)
    content = secure_request(root, norm, SERVICE, Signers(), None, AUDIENCE, NOW)
    assert etree.tostring(etree.fromstring(content), method="c14n") == etree.tostring(root, method="c14n")
    assert verify(root, norm, SERVICE, "request", kit.anchors, NOW).covered == ()


def test_a_header_is_made_for_an_envelope_without_one(kit: Kit) -> None:
    root = etree.fromstring(RESPONSE)
    root.remove(root[0])
    content = secure_response(root, NORM, SERVICE, Signers(flow=kit.amc["flow"]), NOW)
    assert security_of(etree.fromstring(content)) is not None


def test_the_norm_decides_what_is_covered(kit: Kit) -> None:
    flow = msgspec.structs.replace(SECURITY.request.flow, covers=("body",))
    policy = DirectionPolicy(None, flow, None)
    norm = msgspec.structs.replace(NORM, security=msgspec.structs.replace(SECURITY, request=policy))
    assert kit.verify(kit.request(norm=norm), norm=norm).covered == ("body",)
    assert kit.reason(kit.request(), norm=norm) != ""
    assert kit.reason(kit.request(norm=norm)) == "assertion-missing"


def test_names_of_deviations_and_their_places_are_checked(kit: Kit) -> None:
    with pytest.raises(UsageError, match="pas une déviation"):
        kit.request("assertion-bizarre")
    with pytest.raises(UsageError, match="pas de sens"):
        kit.response("assertion-missing")
    signers = Signers(kit.others["assertion"], kit.others["flow"])
    with pytest.raises(UsageError, match="demande l'identité"):
        secure_request(etree.fromstring(REQUEST), NORM, SERVICE, signers, SUBJECT, AUDIENCE, NOW, "flow-expired-key")
    with pytest.raises(UsageError, match="déjà envoyée"):
        secure_request(etree.fromstring(REQUEST), NORM, SERVICE, signers, SUBJECT, AUDIENCE, NOW, "assertion-replayed")
    with pytest.raises(UsageError, match="identité « flow »"):
        secure_response(etree.fromstring(RESPONSE), NORM, SERVICE, Signers(), NOW)


def test_only_deviations_that_make_sense_are_applicable() -> None:
    assert list(applicable(NORM, SERVICE, "request")) == REQUESTS
    assert list(applicable(NORM, SERVICE, "response")) == RESPONSES
    bare = msgspec.structs.replace(NORM, security=SecurityProfile("nu"))
    assert applicable(bare, SERVICE, "request") == ()
    without = msgspec.structs.replace(SERVICE, headers=())
    assert "headers-unsigned" not in applicable(NORM, without, "request")


@pytest.mark.parametrize(
    ("offset", "reason"),
    [
        (-timedelta(seconds=61), "timestamp-future"),
        (-timedelta(seconds=60), ""),
        (timedelta(seconds=359), ""),
        (timedelta(seconds=360), "timestamp-expired"),
    ],
)
def test_the_timestamp_holds_to_the_edge_of_the_skew(kit: Kit, offset: timedelta, reason: str) -> None:
    assert kit.reason(kit.response(), "response", at=NOW + offset) == reason


@pytest.mark.parametrize(
    ("xpath", "value", "reason"),
    [
        ("//*[local-name()='Created']", "hier", "timestamp-structure"),
        ("//*[local-name()='Expires']", "2026-11-20T09:30:00", "timestamp-structure"),
        ("//*[local-name()='Expires']", "2099-02-30T09:30:00Z", "timestamp-structure"),
        ("//*[local-name()='Expires']", "2099-01-01T09:30:00Z", "timestamp-structure"),
    ],
)
def test_a_timestamp_must_be_two_utc_dates_close_together(kit: Kit, xpath: str, value: str, reason: str) -> None:
    def change(root: etree._Element) -> None:
        root.xpath(xpath)[0].text = value

    assert kit.reason(kit.resigned(change)) == reason


def test_the_peer_certificate_is_demanded_and_judged(kit: Kit) -> None:
    root = kit.request()
    assert kit.reason(root, peer="") == "certificate-missing"
    assert kit.reason(root, peer="tls-wrong-kind") == "certificate-usage"
    assert kit.reason(root, peer="tls-revoked") == "certificate-revoked"
    assert kit.reason(root, peer="tls-other-holder") == "assertion-binding"


def test_a_file_is_judged_without_its_connection(kit: Kit) -> None:
    root = kit.request()
    assert kit.reason(root, peer="", audience=None, transport=False) == ""
    assert kit.reason(kit.request("body-altered"), peer="", audience=None, transport=False) == "signature-invalid"
    assert kit.reason(root, audience=None) == "assertion-audience"


def test_an_unexpected_error_is_a_refusal_that_blames_nobody(kit: Kit) -> None:
    broken = msgspec.structs.replace(NORM, security=msgspec.structs.replace(SECURITY, kinds={}))
    with pytest.raises(SecurityRefusal) as caught:
        kit.verify(kit.request(), norm=broken)
    assert caught.value.reason == "internal"
    assert isinstance(caught.value.__cause__, KeyError)


def test_soap_versions_do_not_mix(kit: Kit) -> None:
    old = etree.fromstring(etree.tostring(kit.request()).replace(SOAP12.encode(), names.SOAP11.encode()))
    assert kit.reason(old) == "envelope-version"
    assert kit.reason(etree.fromstring("<html/>")) == "envelope-version"


@pytest.mark.parametrize("place", [0, 2])
def test_an_envelope_has_nothing_before_header_or_after_body(kit: Kit, place: int) -> None:
    root = copy.deepcopy(kit.request())
    root.insert(place, etree.Element("{urn:essai}Surplus"))
    assert kit.reason(root) == "envelope-structure"
