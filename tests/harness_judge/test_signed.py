"""`signed` on real messages: verified at the time of arrival, against the anchors given, with a typed blame."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from judge_samples import CONTEXT, NORM, answer, ask, exchange, expect, fault, judged, one, request, response, send
from lxml import etree

from harness import casesecurity
from harness.judge import JudgeContext
from harness.record import CaseVerdict, Exchange, TlsFacts
from norms.errors import SecurityRefusal
from norms.model import (
    Algorithms,
    Always,
    AssertionPolicy,
    CertificateKind,
    DirectionPolicy,
    FlowPolicy,
    SecurityProfile,
    TimestampPolicy,
    Tls,
)
from norms.wire import names
from norms.wire.keys import Identity, load_identity
from norms.wire.secure import Signers, Subject, secure_request, secure_response
from norms.wire.trust import Anchors
from sandbox.pki import ensure
from scenarios.model import Step

SECURITY = SecurityProfile(
    name="essai",
    tls=Tls(client_certificate="carte-tls"),
    request=DirectionPolicy(
        AssertionPolicy("carte", ("CPS",), ("facturation",), 300),
        FlowPolicy("logiciel", ("body", "timestamp", "assertion")),
        TimestampPolicy(300),
    ),
    response=DirectionPolicy(None, FlowPolicy("reponse", ("body", "timestamp")), TimestampPolicy(300)),
    algorithms=Algorithms(
        ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",),
        ("http://www.w3.org/2001/04/xmlenc#sha256",),
        (names.EXC_C14N,),
    ),
    kinds={
        "carte-tls": CertificateKind(("digital_signature",), ("content_commitment",), ("client_auth",)),
        "carte": CertificateKind(("content_commitment",), forbidden_extended=("client_auth", "server_auth")),
        "logiciel": CertificateKind(("digital_signature",), (), ("client_auth",), (), "LOGICIEL"),
        "reponse": CertificateKind(("digital_signature",), organizational_unit="AMC-FLUX"),
    },
)
NOW = datetime.now(UTC).replace(microsecond=0)
URL = "https://x/ASK"
SIGNED = send(expect("signed", "M-SIG"))
AWAIT = Step(await_="ASK", expect=(expect("signed", "M-SIG"),))


@dataclass
class House:
    """The test PKI, and a judge that trusts it."""

    identities: dict[str, Identity]
    amc: dict[str, Identity]
    anchors: Anchors
    norm: Any

    @property
    def context(self) -> JudgeContext:
        peer = self.identities["tls"].certificate.public_bytes(Encoding.DER)
        return replace(
            CONTEXT, norm=self.norm, anchors=self.anchors, certificates={hashlib.sha256(peer).hexdigest(): peer}
        )

    def answered(self, deviation: str = "", body: bytes | None = None, late: float = 0) -> Exchange:
        root = etree.fromstring(answer() if body is None else body)
        signers = Signers(flow=self.amc["flow"], others=self.amc)
        content = secure_response(root, self.norm, self.norm.services[0], signers, NOW, deviation)
        return msgspec.structs.replace(exchange(content), received_at=(NOW + timedelta(seconds=late)).isoformat())

    def asked(self, deviation: str = "", **changes: Any) -> Exchange:
        signers = Signers(self.identities["assertion"], self.identities["flow"], self.identities)
        subject = Subject(attributes={"facturation": "751234567"})
        content = secure_request(
            etree.fromstring(ask()), self.norm, self.norm.services[0], signers, subject, URL, NOW, deviation
        )
        peer = TlsFacts(peer=next(iter(self.context.certificates)))
        base = exchange(outcome="received", request=request(content), response=b"", tls=peer, **changes)
        return msgspec.structs.replace(base, received_at=NOW.isoformat())

    def judge(self, *exchanges: Exchange, step: Any = SIGNED, role: str = "server", **changes: Any) -> CaseVerdict:
        return judged(step, *exchanges, role=role, context=replace(self.context, **changes))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    pki = ensure(tmp_path_factory.mktemp("judge") / "pki")
    norm = msgspec.structs.replace(NORM, security=SECURITY)
    identities = {use: load_identity(*files) for use, files in pki.laboratory_identities().items()}
    amc = {use: load_identity(*files) for use, files in pki.amc_identities().items()}
    return House(identities, amc, pki.anchors(), norm)


def test_a_signed_answer(house):
    verdict = house.judge(house.answered())
    assert (verdict.verdict, verdict.findings) == ("pass", ())


@pytest.mark.parametrize(
    ("deviation", "reason"),
    [("timestamp-expired", "timestamp-expired"), ("flow-missing", "signature-missing")],
)
def test_a_wrong_security_is_the_products_fault_with_its_reason(house, deviation, reason):
    verdict = house.judge(house.answered(deviation))
    found = one(verdict)
    assert (verdict.verdict, found.requirement, found.blame, found.reason) == ("fail", "M-SIG", "SUT", reason)


def test_a_changed_body_is_refused(house):
    spoilt = house.answered()
    body = spoilt.response.replace(b"<m:Code>00<", b"<m:Code>10<")
    assert one(house.judge(msgspec.structs.replace(spoilt, response=body))).reason == "signature-invalid"


def test_content_that_is_not_what_was_signed_is_not_judged_further(house):
    spoilt = house.answered()
    body = spoilt.response.partition(b"\r\n\r\n")[2].replace(b"<m:Code>00<", b"<m:Code>99999<")
    step = send(expect("result", value="00"), expect("signed", "M-SIG"))
    assert (
        one(house.judge(msgspec.structs.replace(spoilt, response=response(body)), step=step)).reason
        == "signature-invalid"
    )


def test_a_structure_that_validity_blames_is_not_blamed_on_the_signature_too(house, monkeypatch):
    def refuse(*_args, **_keys):
        raise SecurityRefusal("header-missing", "absent")

    monkeypatch.setattr(casesecurity, "verify", refuse)
    assert one(house.judge(exchange(answer("12345")))).check == "valid"
    assert one(house.judge(exchange())).check == "signed"


def test_the_time_is_that_of_arrival(house):
    assert one(house.judge(house.answered(late=1000))).reason == "timestamp-expired"


def test_an_unsigned_answer_is_refused(house):
    assert one(house.judge(exchange())).reason == "security-missing"


@pytest.mark.parametrize("anchors", [None, Anchors((), ())])
def test_without_authorities_nothing_is_judged(house, anchors):
    assert one(house.judge(house.answered(), anchors=anchors)).blame == "LAB"


def test_other_authorities_do_not_vouch(house):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Autre")])
    stranger = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - timedelta(days=1), NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    verdict = house.judge(house.answered(), anchors=Anchors((stranger,), ()))
    assert one(verdict).reason == "certificate-untrusted"


def test_an_unsigned_fault_is_no_matter_unless_the_scenario_asks(house):
    step = send(expect("fault"))
    norm = msgspec.structs.replace(house.norm, always=(Always("M-SIG", "signed"),))
    assert house.judge(exchange(fault()), step=step, norm=norm).verdict == "pass"
    assert house.judge(exchange(), step=send(expect("accepted")), norm=norm).verdict == "fail"
    strict = send(expect("fault"), expect("signed", "M-SIG"))
    assert one(house.judge(exchange(fault()), step=strict)).reason == "security-missing"


def test_a_profile_that_signs_nothing_leaves_nothing_to_check():
    assert one(judged(SIGNED, exchange())).verdict == "error"


def test_a_signed_request(house):
    assert house.judge(house.asked(), step=AWAIT, role="client").verdict == "pass"
    elsewhere = msgspec.structs.replace(house.asked(), url="https://y/")
    assert one(house.judge(elsewhere, step=AWAIT, role="client")).reason == "assertion-audience"


def test_an_assertion_used_twice_in_a_case_is_a_replay(house):
    first = house.asked()
    again = msgspec.structs.replace(first, id="C-1#2.1", step=2)
    assert one(house.judge(first, again, step=(AWAIT, AWAIT), role="client")).reason == "assertion-replayed"
    twice = Step(await_="ASK", expect=(expect("signed", "M-SIG"), expect("signed", "M-B")))
    assert house.judge(first, step=twice, role="client").verdict == "pass"


def test_the_tls_certificate_must_be_in_the_recording(house):
    verdict = house.judge(house.asked(), step=AWAIT, role="client", certificates={})
    assert one(verdict).blame == "LAB"
    nobody = msgspec.structs.replace(house.asked(), tls=TlsFacts())
    assert one(house.judge(nobody, step=AWAIT, role="client")).reason == "certificate-missing"


@pytest.mark.parametrize(
    ("reason", "verdict", "blame"), [("internal", "error", "LAB"), ("unavailable", "inconclusive", "CONFIG")]
)
def test_an_incident_of_the_verifier_is_not_held_against_the_product(house, monkeypatch, reason, verdict, blame):
    def refuse(*_args, **_keys):
        raise SecurityRefusal(reason, "incident")

    monkeypatch.setattr(casesecurity, "verify", refuse)
    told = house.judge(house.answered())
    assert (told.verdict, one(told).blame) == (verdict, blame)


def test_verifiers_that_disagree_are_inconclusive(house, monkeypatch):
    monkeypatch.setattr(casesecurity, "cross_check", lambda *_: "disagree")
    spoilt = msgspec.structs.replace(
        house.answered(), response=house.answered().response.replace(b"<m:Code>00<", b"<m:Code>10<")
    )
    told = house.judge(spoilt)
    assert (told.verdict, one(told).reason) == ("inconclusive", "verifiers-split")
    assert house.judge(house.answered()).verdict == "pass"
    assert house.judge(house.answered(), second_opinion=True).verdict == "inconclusive"


def test_the_second_verifier_agrees_on_what_is_right_and_wrong(house):
    assert house.judge(house.answered(), second_opinion=True).verdict == "pass"
    raw = house.answered().response.replace(b"<m:Code>00<", b"<m:Code>10<")
    assert one(house.judge(exchange(response=raw), second_opinion=True)).blame == "SUT"
