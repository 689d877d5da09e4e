"""The attacks on signatures, certificates and assertions, each by its id."""

from __future__ import annotations

import copy
from datetime import timedelta

import msgspec
import pytest
from attack_ids import ATTACK_IDS
from lxml import etree
from wire_attacks import ATTACKS, Attack
from wire_kit import AUDIENCE, NORM, NOW, SECURITY, Change, Kit, assertion_of, flow_of, own_signature_of

from norms.errors import SecurityRefusal
from norms.wire import names
from norms.wire.algorithms import HMAC_SHA256, check_signature
from norms.wire.soap import Envelope


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.id}-{attack.what}")
def test_a_hostile_request_is_refused(kit: Kit, attack: Attack) -> None:
    assert kit.reason(attack.build(kit)) in attack.reasons.split()


def test_every_attack_at_this_level_has_its_test() -> None:
    wanted = {f"S{number:02}" for number in range(1, 35)} | {f"A{number:02}" for number in range(1, 8)}
    assert set(ATTACK_IDS) == wanted


def test_the_ways_of_spoiling_do_not_spoil_by_themselves(kit: Kit) -> None:
    assert kit.reason(kit.changed(lambda root: None)) == ""
    assert kit.reason(kit.resigned(lambda root: None)) == ""


def test_s14_the_reader_gets_the_element_that_was_verified(kit: Kit) -> None:
    root = kit.request()
    envelope = Envelope.of(root)
    assert kit.verify(root).body is envelope.body
    assert envelope.payload is not None
    # Another reading of the same bytes (an entity that one parser knows) is excluded with the DTD that would define it.
    doctype = etree.fromstring(
        b'<!DOCTYPE s [<!ENTITY n "x">]>' + etree.tostring(root), etree.XMLParser(no_network=True)
    )
    assert kit.reason(doctype) == "doctype"


def test_s16_an_instruction_before_the_envelope_is_refused(kit: Kit) -> None:
    root = etree.fromstring(b'<?xml-stylesheet href="http://x.invalid/"?>' + etree.tostring(kit.request()))
    assert kit.reason(root) == "processing-instruction"


def test_s17_s20_a_careless_norm_does_not_bring_weak_algorithms_back(kit: Kit) -> None:
    careless = msgspec.structs.replace(
        SECURITY.algorithms,
        signature=(*SECURITY.algorithms.signature, HMAC_SHA256, f"{names.DS}rsa-sha1"),
        digest=(*SECURITY.algorithms.digest, f"{names.DS}sha1"),
    )
    norm = msgspec.structs.replace(NORM, security=msgspec.structs.replace(SECURITY, algorithms=careless))
    assert kit.reason(kit.request(norm=norm), norm=norm) == ""
    for deviation in ("algorithm-hmac", "algorithm-sha1"):
        assert kit.reason(kit.request(deviation), norm=norm) == "signature-algorithm"


def test_s19_keyed_hashes_are_not_computed_even_when_a_norm_allows_them(kit: Kit) -> None:
    key = kit.others["flow"].certificate.public_key()
    with pytest.raises(SecurityRefusal) as caught:
        check_signature(HMAC_SHA256, key, b"\0" * 32, b"data")
    assert caught.value.reason == "signature-algorithm"


@pytest.mark.parametrize(
    ("offset", "reason"),
    [
        (timedelta(seconds=-61), "assertion-not-yet-valid"),
        (timedelta(seconds=-60), ""),
        (timedelta(seconds=0), ""),
        (timedelta(seconds=359), ""),
        (timedelta(seconds=360), "assertion-expired"),
    ],
)
def test_a02_the_assertion_holds_to_the_edge_of_the_skew(kit: Kit, offset: timedelta, reason: str) -> None:
    policy = msgspec.structs.replace(SECURITY.request, timestamp=None)
    norm = msgspec.structs.replace(NORM, security=msgspec.structs.replace(SECURITY, request=policy))
    assert kit.reason(kit.request(norm=norm), norm=norm, at=NOW + offset) == reason


def test_a02_a_session_that_goes_on_is_accepted(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        etree.SubElement(assertion_of(root), names.AUTHN_STATEMENT, SessionNotOnOrAfter="2099-01-01T00:00:00Z")

    assert kit.reason(kit.resigned(change)) == ""


def test_a03_one_audience_of_several_is_enough(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        restriction = assertion_of(root).find(f".//{names.AUDIENCE_RESTRICTION}")
        etree.SubElement(restriction, names.AUDIENCE).text = "https://autre.invalid/"

    root = kit.resigned(change)
    assert kit.reason(root) == ""
    assert kit.reason(root, audience=f"{AUDIENCE}x") == "assertion-audience"


def test_a_norm_may_let_the_assertion_speak_of_somebody_else(kit: Kit) -> None:
    assertion = msgspec.structs.replace(SECURITY.request.assertion, subject="free", binding="none")
    policy = msgspec.structs.replace(SECURITY.request, assertion=assertion)
    norm = msgspec.structs.replace(NORM, security=msgspec.structs.replace(SECURITY, request=policy))

    def change(root: etree._Element) -> None:
        assertion_of(root).find(f".//{names.NAME_ID}").text = "750712184"

    root = kit.resigned(change)
    assert kit.reason(root, norm=norm) == ""
    assert kit.reason(root) == "assertion-subject"


def test_the_issuer_may_be_written_with_spaces(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        issuer = assertion_of(root).find(names.ISSUER)
        issuer.text = issuer.text.replace(",", ", ")

    assert kit.reason(kit.resigned(change)) == ""


def test_a_refused_assertion_says_why_in_french(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POINCON_LANG", raising=False)
    with pytest.raises(SecurityRefusal, match="L'assertion a expiré"):
        kit.verify(kit.request("assertion-expired"))


def test_a_chunk_of_text_between_signature_parts_is_refused(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        own_signature_of(root)[0].tail = "bruit"

    assert kit.reason(kit.changed(change)) == "signature-structure"


def test_a_relative_namespace_has_no_canonical_form(kit: Kit) -> None:
    content = etree.tostring(kit.request()).replace(b"urn:essai:question", b"question")
    assert kit.reason(etree.fromstring(content)) == "signature-structure"


def test_a_second_spelling_of_a_base64_value_is_refused(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        value = flow_of(root).find(names.SIGNATURE_VALUE)
        spare = value.text[-3]
        value.text = f"{value.text[:-3]}{chr(ord(spare) + 1)}=="

    assert kit.request().find(f".//{names.SIGNATURE_VALUE}").text.endswith("==")
    assert kit.reason(kit.changed(change)) == "signature-structure"


def test_values_may_be_broken_into_lines(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        for value in root.iter(names.SIGNATURE_VALUE, names.X509_CERTIFICATE):
            value.text = "\n".join(value.text[start : start + 76] for start in range(0, len(value.text), 76))

    flow_only = kit.changed(lambda root: change(flow_of(root)))
    assert kit.reason(flow_only) == ""


@pytest.mark.parametrize("content", ["", "AAAA", "bruit !", "A" * 20_000])
def test_a_certificate_that_cannot_be_read_is_refused(kit: Kit, content: str) -> None:
    def change(root: etree._Element) -> None:
        flow_of(root).find(f".//{names.X509_CERTIFICATE}").text = content

    assert kit.reason(kit.changed(change)) == "key-info"


def test_comments_without_number_cost_no_more_than_their_length(kit: Kit) -> None:
    """60,000 comments among blanks: looking at all texts for each of them would take minutes."""
    root = kit.changed(lambda root: root[1].append(etree.fromstring(f"<a>{' <!---->' * 60_000}</a>")))
    assert kit.reason(root) == "signature-invalid"


def test_two_security_headers_are_one_too_many(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        etree.SubElement(root[0], names.SECURITY)

    assert kit.reason(kit.changed(change)) == "signature-structure"


def test_security_stands_in_the_header_itself(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        holder = etree.SubElement(root[0], "{urn:essai}Porteur")
        holder.append(root.find(f".//{names.SECURITY}"))

    assert kit.reason(kit.changed(change)) == "signature-structure"


def test_two_timestamps_are_one_too_many(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        security = root.find(f".//{names.SECURITY}")
        etree.SubElement(security, names.TIMESTAMP)

    assert kit.reason(kit.changed(change)) == "timestamp-structure"


def _surplus_in_security(root: etree._Element) -> None:
    etree.SubElement(root.find(f".//{names.SECURITY}"), "{urn:essai}Surplus")


def _assertion_in_another_block(root: etree._Element) -> None:
    etree.SubElement(root[0], "{urn:essai}Porteur").append(assertion_of(root))


def _third_signature_in_body(root: etree._Element) -> None:
    root[1][0].append(copy.deepcopy(flow_of(root)))


def _two_signatures_in_the_assertion(root: etree._Element) -> None:
    own_signature_of(root).addnext(copy.deepcopy(own_signature_of(root)))


def _second_flow_signature(root: etree._Element) -> None:
    flow_of(root).addnext(copy.deepcopy(flow_of(root)))


def _text_in_security(root: etree._Element) -> None:
    root.find(f".//{names.SECURITY}").text = "bruit"


@pytest.mark.parametrize(
    "change",
    [
        _surplus_in_security,
        _assertion_in_another_block,
        _third_signature_in_body,
        _two_signatures_in_the_assertion,
        _second_flow_signature,
        _text_in_security,
    ],
)
def test_every_part_has_its_one_place(kit: Kit, change: Change) -> None:
    assert kit.reason(kit.changed(change)) == "signature-structure"


def test_a_service_header_is_there_once(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        second = copy.deepcopy(root[0][1])
        del second.attrib[names.WSU_ID]
        root[0].append(second)

    assert kit.reason(kit.changed(change)) == "envelope-structure"


@pytest.mark.parametrize("identifier", ["1", "a b", "é'", "x" * 300])
def test_an_identifier_is_a_plain_name(kit: Kit, identifier: str) -> None:
    def change(root: etree._Element) -> None:
        root[1].set(names.WSU_ID, identifier)

    assert kit.reason(kit.resigned(change)) == "signature-coverage"
