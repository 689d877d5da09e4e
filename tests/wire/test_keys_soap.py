"""Identities, distinguished names, dates and SOAP envelopes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from wire_kit import NORM, NOW, SERVICE, Kit

from norms.errors import DataError, SecurityRefusal
from norms.wire.instants import read_instant, write_instant
from norms.wire.keys import Identity, load_identity, names_in, same_name
from norms.wire.secure import Signers, Subject, secure_request
from norms.wire.soap import SOAP11, SOAP12, Envelope, fault, qname

NAME = x509.Name.from_rfc4514_string("CN=Ève \\, Zoé,OU=LOGICIEL,O=POINCON,C=FR")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("CN=Ève \\, Zoé,OU=LOGICIEL,O=POINCON,C=FR", True),
        ("CN=Ève \\, Zoé, OU=LOGICIEL, O=POINCON, C=FR", True),
        ("cn=Ève \\, Zoé,OU=LOGICIEL,O=POINCON,C=FR", True),
        ("C=FR,O=POINCON,OU=LOGICIEL,CN=Ève \\, Zoé", False),
        ("CN=Ève,OU=LOGICIEL,O=POINCON,C=FR", False),
        ("bruit", False),
        ("", False),
    ],
)
def test_distinguished_names_are_compared_by_their_content(text: str, same: bool) -> None:
    assert same_name(text, NAME) is same


def test_names_of_people_are_understood_by_their_short_names() -> None:
    name = x509.Name(
        [x509.NameAttribute(x509.NameOID.SURNAME, "DURAND"), x509.NameAttribute(x509.NameOID.COMMON_NAME, "9")]
    )
    assert same_name("CN=9,SN=DURAND", name)
    assert names_in(name) == {"9"}


@given(st.text(max_size=60))
def test_any_text_can_be_compared(text: str) -> None:
    assert same_name(text, NAME) in (True, False)


def test_identities_are_loaded_once(kit: Kit) -> None:
    first, second = kit.pki.identity("software"), kit.pki.identity("software")
    assert first is second
    assert first.name == "software"
    assert first.common_name == "Logiciel de test"
    assert first.subject == "CN=Logiciel de test,OU=LOGICIEL,O=POINCON TEST,C=FR"


def test_files_that_do_not_fit_are_named(kit: Kit, tmp_path: Path) -> None:
    certificate, key = kit.pki.certificate("software"), kit.pki.key("seal")
    with pytest.raises(DataError, match="n'est pas celle du certificat"):
        load_identity(certificate, key)
    with pytest.raises(DataError, match="introuvable"):
        load_identity(certificate, tmp_path / "absente.pem")
    with pytest.raises(DataError, match="ne contient pas de certificat"):
        load_identity(key, key)
    with pytest.raises(DataError, match="illisible"):
        load_identity(certificate, certificate)


def test_a_key_may_have_a_password_and_a_certificate_its_chain(kit: Kit, tmp_path: Path) -> None:
    identity = kit.pki.identity("software")
    key, certificate = tmp_path / "cle.pem", tmp_path / "chaine.pem"
    key.write_bytes(identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    certificate.write_bytes(kit.pki.certificate("software").read_bytes() + kit.pki.authority.read_bytes())
    loaded = load_identity(certificate, key, b"secret")
    assert len(loaded.encoded) == 2
    with pytest.raises(DataError, match="mot de passe"):
        load_identity(certificate, key, b"autre")


def test_a_token_s_key_object_can_sign(kit: Kit) -> None:
    """A key that only signs, as one on a card does: nothing else of it is used."""

    class TokenKey:
        def sign(self, *arguments: object) -> bytes:
            return bytes(kit.others["flow"].key.sign(*arguments))

    software = kit.others["flow"]
    card = Identity("card", software.certificate, (), TokenKey())
    content = secure_request(
        kit.request(), NORM, SERVICE, Signers(kit.others["assertion"], card),
        Subject(attributes={"facturation": "1", "specialite": "2"}), "urn:x", NOW,
    )  # fmt: skip
    assert kit.reason(etree.fromstring(content), audience="urn:x") == ""


def test_instants_are_utc_with_milliseconds() -> None:
    instant = datetime(2026, 11, 20, 9, 30, 5, 120_000, tzinfo=UTC)
    assert write_instant(instant) == "2026-11-20T09:30:05.120Z"
    assert read_instant(" 2026-11-20T09:30:05.120Z\n", "x") == instant
    assert read_instant("2026-11-20T09:30:05.1200000009Z"[:29] + "Z", "x") == instant


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_instants_survive_writing(instant: datetime) -> None:
    read = read_instant(write_instant(instant), "x")
    assert abs((read - instant).total_seconds()) < 0.001


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-20",
        "2026-11-20T09:30:05",
        "2026-11-20T09:30:05+01:00",
        "٢026-11-20T09:30:05Z",
        "2026-13-20T09:30:05Z",
        "2026-11-20T25:30:05Z",
        "2026-11-20T09:30:05ZZ",
    ],
)
def test_other_instants_are_refused(text: str) -> None:
    with pytest.raises(SecurityRefusal) as caught:
        read_instant(text, "timestamp-structure")
    assert caught.value.reason == "timestamp-structure"


def test_envelopes_are_taken_apart() -> None:
    root = etree.fromstring(f'<e:Envelope xmlns:e="{SOAP11}"><e:Body><!--x--><a/></e:Body></e:Envelope>')
    envelope = Envelope.of(root)
    assert envelope.header is None
    assert envelope.blocks("a") == []
    assert envelope.payload is not None
    assert envelope.payload.tag == "a"
    assert not envelope.is_fault
    assert qname({"p": "urn:x"}, "p:a") == "{urn:x}a"
    assert qname({}, "a") == "a"


def test_a_soap_12_fault_has_code_subcode_reason_and_detail() -> None:
    detail, header = etree.Element("{urn:x}Erreur"), etree.Element("{urn:x}Contexte")
    root = etree.fromstring(
        fault("1.2", "Sender", "Message <refusé>", detail, subcode=("urn:x", "SEC-01"), headers=(header,))
    )
    space = {"s": SOAP12}
    assert Envelope.of(root).is_fault
    assert root.xpath("string(//s:Fault/s:Code/s:Value)", namespaces=space) == "soap:Sender"
    assert root.xpath("string(//s:Subcode/s:Value)", namespaces=space) == "f:SEC-01"
    assert root.xpath("string(//s:Text[@xml:lang='fr'])", namespaces=space) == "Message <refusé>"
    assert root.xpath("count(//s:Detail/*)", namespaces=space) == 1
    assert root.xpath("count(/*/s:Header/*)", namespaces=space) == 1


def test_a_soap_11_fault_uses_client_and_server() -> None:
    root = etree.fromstring(fault("1.1", "Receiver", "Panne", etree.Element("x"), language="en"))
    assert Envelope.of(root).is_fault
    assert root.xpath("string(//faultcode)") == "soap:Server"
    assert root.xpath("string(//faultstring)") == "Panne"
    assert root.xpath("count(//detail/x)") == 1
    assert etree.fromstring(fault("1.1", "Sender", "x")).xpath("string(//faultcode)") == "soap:Client"
