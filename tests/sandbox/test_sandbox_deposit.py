"""Bare documents handed in to the practice partner: what it takes, what it says when it does not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree
from sandbox_caller import Answer, Caller

from norms.loader import load
from norms.wire.deposit import MEDIA_TYPE, enveloped
from norms.wire.soap import serialize
from sandbox.belief import Reader
from sandbox.calling import Posted
from sandbox.pki import TestPki

VILLE = load("ville/1.1")
CLAIM = VILLE.root / "messages" / "DRE.request.xml"
CHECKS = ("status", "valid", "correlated", "action", "signed")


def hand_in(caller: Caller, body: bytes = b"", media: str = MEDIA_TYPE, **how: str | None) -> Answer:
    identity = how.pop("identity", "tls")
    return caller.post("DRE", body or CLAIM.read_bytes(), headers={"Content-Type": media}, identity=identity)


def test_a_claim_is_answered_by_a_bare_document(caller: Caller) -> None:
    answer = hand_in(caller)
    assert (answer.status, answer.headers["content-type"]) == (200, MEDIA_TYPE)
    assert etree.QName(answer.tree).localname == "RSP"
    assert b"Envelope" not in answer.body


@pytest.mark.parametrize(
    ("body", "media", "status", "code"),
    [
        (b"<a/>", MEDIA_TYPE, 400, "SOA"),
        (b"<a", MEDIA_TYPE, 400, "XML-01"),
        (b"", "application/soap+xml", 415, "HTT-02"),
        (serialize(enveloped(etree.parse(CLAIM).getroot())), MEDIA_TYPE, 400, "SOA"),
        (CLAIM.read_bytes().replace(b"<com:CleNir>89", b"<com:CleNir>XX"), MEDIA_TYPE, 400, "VAL-01"),
        (CLAIM.read_bytes().replace(b"<com:CleNir>89", b"<com:CleNir>88"), MEDIA_TYPE, 400, "VAL-02"),
        (CLAIM.read_bytes().replace(b'Version="1.1"', b'Version="9.9"'), MEDIA_TYPE, 400, "VER-01"),
    ],
)
def test_a_refusal_is_a_status_and_a_text(caller: Caller, body: bytes, media: str, status: int, code: str) -> None:
    answer = hand_in(caller, body, media)
    assert answer.status == status
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.body.decode().startswith(code)


def test_a_depositor_shows_its_certificate(caller: Caller) -> None:
    refused = hand_in(caller, identity="tls-software")
    assert (refused.status, refused.body[:6]) == (400, b"CER-05")


def test_a_deposit_has_no_description_and_takes_post_only(caller: Caller) -> None:
    assert caller.post("DRE", b"", method="GET", query="?wsdl").status == 404
    assert caller.post("DRE", b"", method="PUT").headers["allow"] == "POST"


def test_a_return_is_believed_as_it_comes(pki: TestPki) -> None:
    reader, service = Reader(VILLE, pki.anchors()), VILLE.service("DRE")
    assert service is not None
    asked = enveloped(etree.parse(CLAIM).getroot())
    returned = (VILLE.root / "messages" / "DRE.response.xml").read_bytes()
    now = datetime.now(UTC)

    def read(posted: Posted, *checks: str) -> tuple[bool, str]:
        answer = reader.read(posted, service, asked, checks or CHECKS, now)
        return not answer.doubt and answer.root is not None, answer.cause

    assert read(Posted(200, MEDIA_TYPE, returned)) == (True, "")
    assert read(Posted(200, MEDIA_TYPE, serialize(enveloped(etree.fromstring(returned))))) == (False, "")
    assert read(Posted(200, MEDIA_TYPE, returned.replace(b"PAYE<", b"DONNE<"))) == (False, "")
    assert read(Posted(400, "text/plain", b"non")) == (False, "Sender")
    assert read(Posted(503, "text/html", b"<p>")) == (False, "Receiver")
    assert read(Posted(500, MEDIA_TYPE, returned), "valid") == (True, "")
    assert read(Posted(0)) == (False, "silence")
    told = reader.read(Posted(400, "text/plain; charset=utf-8", b"VAL-01 : faux"), service, asked, CHECKS, now)
    assert told.doubt.endswith("VAL-01 : faux")
