"""Trust: paths, kinds, dates, revocation and keys, with certificates made for each case."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from wire_certificates import ANCHORS, DAY, KEY, ROOT, issue
from wire_kit import NOW, SECURITY, Kit

from norms.errors import DataError, SecurityRefusal
from norms.model import Algorithms, CertificateKind
from norms.wire.algorithms import check_signature, sign
from norms.wire.trust import Anchors, check_chain, check_key, check_kind, has_path, load_anchors

ANY = CertificateKind()


def reason(certificate: x509.Certificate, *chain: x509.Certificate, anchors: Anchors = ANCHORS, **options: Any) -> str:
    kind, at = options.get("kind", ANY), options.get("at", NOW)
    try:
        check_chain(certificate, chain, anchors, kind, at, SECURITY.algorithms)
    except SecurityRefusal as refusal:
        return refusal.reason
    return ""


def test_s33_a_missing_intermediate_breaks_the_path() -> None:
    middle = issue("CN=middle", "CN=root", KEY, ca=True)
    leaf = issue("CN=leaf", "CN=middle", KEY)
    assert reason(leaf, middle) == ""
    assert reason(leaf) == "certificate-untrusted"


def test_an_end_entity_cannot_issue() -> None:
    false = issue("CN=false", "CN=root", KEY)
    assert reason(false) == ""
    assert reason(issue("CN=leaf", "CN=false", KEY), false) == "certificate-untrusted"


def test_a_path_length_is_a_limit() -> None:
    anchor = issue("CN=short", "CN=short", KEY, ca=True, path_length=0)
    middle = issue("CN=middle", "CN=short", KEY, ca=True)
    anchors = Anchors((anchor,))
    assert reason(issue("CN=leaf", "CN=short", KEY), anchors=anchors) == ""
    assert reason(issue("CN=leaf", "CN=middle", KEY), middle, anchors=anchors) == "certificate-untrusted"


def test_a_path_has_an_end() -> None:
    names = [f"CN=a{number}" for number in range(8)]
    chain = [issue(name, above, KEY, ca=True) for above, name in zip(["CN=root", *names], names, strict=False)]
    assert reason(issue("CN=leaf", "CN=a2", KEY), *chain) == ""
    assert reason(issue("CN=leaf", "CN=a7", KEY), *chain) == "certificate-untrusted"


def test_s28_self_signed_and_s29_same_name_other_key_are_untrusted() -> None:
    other = rsa.generate_private_key(65537, 2048)
    assert reason(issue("CN=me", "CN=me", KEY)) == "certificate-untrusted"
    assert reason(issue("CN=leaf", "CN=root", other)) == "certificate-untrusted"


def test_an_authority_signs_no_message() -> None:
    assert reason(ROOT) == "certificate-usage"


def test_s20_a_path_signed_with_a_short_hash_is_untrusted() -> None:
    leaf = issue("CN=leaf", "CN=root", KEY, algorithm=hashes.SHA224())
    assert reason(leaf) == "certificate-untrusted"


def test_s20_a_short_rsa_key_is_refused() -> None:
    short = rsa.generate_private_key(65537, 1024)
    assert reason(issue("CN=leaf", "CN=root", KEY, key=short)) == "certificate-key"


def test_an_unknown_critical_extension_is_refused() -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert reason(issue("CN=leaf", "CN=root", KEY, extension=extension)) == "certificate-untrusted"


def test_s21_only_named_curves() -> None:
    good, bad = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256K1())
    uri = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    assert reason(issue("CN=leaf", "CN=root", KEY, key=good)) == ""
    assert reason(issue("CN=leaf", "CN=root", KEY, key=bad)) == "certificate-key"
    value = sign(uri, good, b"data")
    assert check_signature(uri, good.public_key(), value, b"data")
    assert not check_signature(uri, good.public_key(), value, b"date")
    assert not check_signature(uri, good.public_key(), value[:-1], b"data")
    with pytest.raises(SecurityRefusal, match="clé"):
        check_signature(uri, bad.public_key(), value, b"data")
    with pytest.raises(SecurityRefusal, match="clé"):
        check_signature(SECURITY.algorithms.signature[0], good.public_key(), value, b"data")


def test_s33_dates_have_two_edges(kit: Kit) -> None:
    leaf = issue("CN=leaf", "CN=root", KEY)
    second = timedelta(seconds=1)
    assert reason(leaf, at=leaf.not_valid_before_utc) == ""
    assert reason(leaf, at=leaf.not_valid_before_utc - second) == "certificate-not-yet-valid"
    assert reason(leaf, at=leaf.not_valid_after_utc) == ""
    assert reason(leaf, at=leaf.not_valid_after_utc + second) == "certificate-expired"


@pytest.mark.parametrize("name", ["cps-authentication", "cps-signature", "software", "amc-flux"])
def test_s33_each_wrong_certificate_has_its_own_reason(kit: Kit, name: str) -> None:
    def judged(suffix: str) -> str:
        certificate = kit.pki.identity(f"{name}{suffix}").certificate
        usage = ("content_commitment",) if name == "cps-signature" else ("digital_signature",)
        return reason(certificate, anchors=kit.anchors, kind=CertificateKind(usage))

    assert judged("") == ""
    assert judged("-expired") == "certificate-expired"
    assert judged("-not-yet-valid") == "certificate-not-yet-valid"
    assert judged("-revoked") == "certificate-revoked"
    assert judged("-other-authority") == "certificate-untrusted"
    assert judged("-wrong-usage") == "certificate-usage"


def test_kinds_tell_cards_software_and_servers_apart(kit: Kit) -> None:
    kinds = SECURITY.kinds
    right = {
        "cps-authentication": {"carte-tls"},
        "cps-signature": {"carte"},
        "software": {"carte-tls", "logiciel"},
        "amc-flux": {"reponse"},
        "amc-server": {"serveur"},
        "seal": set(),
    }
    for name, expected in right.items():
        found = set()
        for kind, rule in kinds.items():
            try:
                check_kind(kit.pki.identity(name).certificate, rule)
                found.add(kind)
            except SecurityRefusal as refusal:
                assert refusal.reason == "certificate-usage"
        assert found - {"carte"} == expected - {"carte"}, name


def test_a_revocation_list_out_of_date_blames_nobody(kit: Kit) -> None:
    limit = kit.anchors.revocations[0].next_update_utc
    assert limit is not None
    certificate = issue_late(kit, limit)
    assert reason(certificate, anchors=kit.anchors, at=limit + DAY) == "unavailable"


def issue_late(kit: Kit, limit: Any) -> x509.Certificate:
    """A certificate of the kit's authority that outlives its revocation list."""
    authority = kit.pki.identity("authority")
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string("CN=late"))
        .issuer_name(authority.certificate.subject)
        .public_key(KEY.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(limit + 30 * DAY)
    )
    return builder.sign(authority.key, hashes.SHA256())


def test_revocation_counts_from_its_date(kit: Kit) -> None:
    revoked = kit.pki.identity("software-revoked").certificate
    assert reason(revoked, anchors=kit.anchors, at=revoked.not_valid_before_utc) in {"", "certificate-revoked"}
    entry = kit.anchors.revocations[0].get_revoked_certificate_by_serial_number(revoked.serial_number)
    assert entry is not None
    before = entry.revocation_date_utc - timedelta(seconds=1)
    assert reason(revoked, anchors=kit.anchors, at=before) != "certificate-revoked"


def test_has_path_leaves_dates_aside(kit: Kit) -> None:
    assert has_path(kit.pki.identity("software-expired").certificate, (), kit.anchors)
    assert not has_path(kit.pki.identity("software-other-authority").certificate, (), kit.anchors)


def test_key_sizes_are_the_norm_s() -> None:
    check_key(ROOT, Algorithms(rsa_minimum_bits=2048))
    with pytest.raises(SecurityRefusal, match="3072"):
        check_key(ROOT, Algorithms(rsa_minimum_bits=3072))


def test_anchors_are_read_from_files_and_folders(tmp_path: Path, kit: Kit) -> None:
    (tmp_path / "a.pem").write_bytes(kit.pki.authority.read_bytes() + kit.pki.revocations.read_bytes())
    (tmp_path / "b.cer").write_bytes(ROOT.public_bytes(Encoding.DER))
    (tmp_path / "lisez-moi.txt").write_text("rien")
    anchors = load_anchors(tmp_path)
    assert len(anchors.authorities) == 2
    assert len(anchors.revocations) == 1
    assert load_anchors(kit.pki.authority).revocations == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"-----BEGIN CERTIFICATE-----\nbruit\n-----END CERTIFICATE-----\n", "ni un certificat"),
        (b"-----BEGIN rien", "Aucune autorité"),
        (issue("CN=leaf", "CN=root", KEY).public_bytes(Encoding.PEM), "celui d'une autorité"),
    ],
)
def test_a_file_that_is_no_authority_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "autorite.pem"
    file.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        load_anchors(file)
    assert str(file) in str(caught.value)


def test_a_list_of_a_stranger_is_refused(kit: Kit) -> None:
    with pytest.raises(DataError, match="aucune des autorités"):
        load_anchors([kit.pki.authority, kit.pki.folder / "other-authority.crl.pem"])
    with pytest.raises(DataError, match="introuvable"):
        load_anchors([kit.pki.folder / "absent.pem"])
