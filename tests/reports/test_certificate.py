"""The sealed document: what it says, its seal, and that nothing in it can be changed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from norms.errors import UsageError
from norms.wire.keys import Identity
from reports.certificate import CERTIFICATE, SELF_DECLARATION, KillRate, from_xml, schema, to_xml
from reports.errors import ReportError, SealError
from reports.issue import facts_of
from reports.kill import KillRecord, kill_rate_for
from reports.seal import sealed
from reports.verify import VerifyReport, verify_certificate
from tests.reports.reports_pki import NOW, Authority
from tests.reports.reports_samples import FACTS, content, norm, passing, subject, suite

NS = "{urn:poincon:certificate:1}"


@pytest.fixture
def check(tmp_path: Path, authority_file: Path) -> Callable[..., VerifyReport]:
    def run(data: bytes, at: Any = NOW, file: Path = authority_file) -> VerifyReport:
        path = tmp_path / "document.xml"
        path.write_bytes(data)
        return verify_certificate(path, authority=file, now=at)

    return run


Checker = Callable[..., VerifyReport]


def failing_check(report: VerifyReport) -> str:
    return next(check.name for check in report.checks if not check.ok)


def test_what_was_sealed_is_what_is_read(document: bytes, check: Checker) -> None:
    report = check(document)
    assert report.valid, report.lines
    assert report.content == content()
    assert report.lines[0] == "SANS VALEUR D’AGRÉMENT"


@pytest.mark.parametrize("form", [CERTIFICATE, SELF_DECLARATION], ids=lambda form: form.kind)
def test_each_document_follows_its_schema_and_reads_back(form: Any) -> None:
    root = to_xml(content(form))
    etree.SubElement(root, "{http://www.w3.org/2000/09/xmldsig#}Signature")
    schema(form.kind).assertValid(root)
    assert from_xml(root) == content(form)


def test_a_bilan_never_looks_like_a_certificate(authority: Authority, check: Checker) -> None:
    bilan = sealed(to_xml(content(SELF_DECLARATION)), authority.seal, NOW)
    report = check(bilan)
    assert report.valid, report.lines
    assert report.content is not None
    assert report.content.kind == "self-declaration"
    text = bilan.decode()
    assert "Certificate " not in text.partition("<ds:Signature")[0]
    assert "IAMC-" not in text
    assert "qui n’est pas un certificat" in text
    assert "ValidUntil" not in text


def test_an_unmeasured_kill_rate_says_so(authority: Authority, check: Checker) -> None:
    data = sealed(to_xml(content(kill_rate=None)), authority.seal, NOW)
    assert "<NotMeasured>non mesuré</NotMeasured>" in data.decode()
    assert check(data).valid


@pytest.mark.parametrize("change", [{"suite": "00" * 32}, {"norm": "autre/1.0"}, {"role": "client"}, {"partial": True}])
def test_a_kill_rate_counts_only_for_its_own_suite(change: dict[str, Any]) -> None:
    source = "77" * 32
    record = KillRecord("essai/1.0", "server", source, 50, 48, (), ("V-1",), 12, "poincon 0.1.0")
    assert kill_rate_for(suite(source=source), record) == KillRate(48, 50, 12, 1, "poincon 0.1.0")
    assert kill_rate_for(suite(source=source), msgspec.structs.replace(record, **change)) is None
    assert kill_rate_for(suite(source=source), None) is None


def test_l03_no_byte_can_change_what_the_document_says(document: bytes, check: Checker) -> None:
    """Every flipped byte is refused, or leaves exactly the sealed content."""
    chance = random.Random(7)
    positions = sorted({*range(0, len(document), 11), *chance.sample(range(len(document)), 150)})
    expected, accepted = content(), []
    for position in positions:
        flipped = bytearray(document)
        flipped[position] ^= 1 << chance.randrange(8)
        report = check(bytes(flipped))
        if report.valid:
            accepted.append(position)
            assert report.content == expected, position
    assert len(accepted) < len(positions) / 20, accepted


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<Pass>7</Pass>", b"<Pass>8</Pass>"),
        (b"<Killed>48</Killed>", b"<Killed>50</Killed>"),
        (b"<Version>4.2.1</Version>", b"<Version>4.2.2</Version>"),
        (b"<ValidUntil>2028-10-20", b"<ValidUntil>2038-10-20"),
        (b"<Notice>", b"<Notice> "),
        (b"<Killed>48</Killed>", b"<Killed>4<!-- -->8</Killed>"),
    ],
)
def test_a_changed_figure_is_refused(document: bytes, check: Checker, old: bytes, new: bytes) -> None:
    assert document.count(old) == 1
    assert not check(document.replace(old, new)).valid


def altered(document: bytes, change: Callable[[etree._Element], object]) -> bytes:
    root = etree.fromstring(document)
    change(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _wrap(root: etree._Element) -> None:
    """The classic wrapping: the signed root moves away, another one of the same name takes its place."""
    signed = etree.fromstring(etree.tostring(root))
    signed.remove(signed[-1])
    evil = root.find(f"{NS}Counts/{NS}Pass")
    assert evil is not None
    evil.text = "700"
    root.set("Id", "evil")
    etree.SubElement(root[-1], "{http://www.w3.org/2000/09/xmldsig#}Object").append(signed)


def _second_signature(root: etree._Element) -> None:
    root.append(etree.fromstring(etree.tostring(root[-1])))


def _drop_signature(root: etree._Element) -> None:
    root.remove(root[-1])


def _unsigned_properties(root: etree._Element) -> None:
    holder = root.find(".//{http://uri.etsi.org/01903/v1.3.2#}QualifyingProperties")
    assert holder is not None
    etree.SubElement(holder, "{http://uri.etsi.org/01903/v1.3.2#}UnsignedProperties")


def _target(root: etree._Element) -> None:
    holder = root.find(".//{http://uri.etsi.org/01903/v1.3.2#}QualifyingProperties")
    assert holder is not None
    holder.set("Target", "#elsewhere")


def _same_id(root: etree._Element) -> None:
    key = root.find(".//{http://www.w3.org/2000/09/xmldsig#}KeyInfo")
    properties = root.find(".//{http://uri.etsi.org/01903/v1.3.2#}SignedProperties")
    references = root.findall(".//{http://www.w3.org/2000/09/xmldsig#}Reference")
    assert key is not None
    assert properties is not None
    key.set("Id", str(properties.get("Id")))
    references[2].set("URI", f"#{properties.get('Id')}")


def _key_value(root: etree._Element) -> None:
    key = root.find(".//{http://www.w3.org/2000/09/xmldsig#}KeyInfo")
    assert key is not None
    etree.SubElement(key, "{http://www.w3.org/2000/09/xmldsig#}KeyName").text = "x"


def _transform(root: etree._Element) -> None:
    transforms = root.find(".//{http://www.w3.org/2000/09/xmldsig#}Transforms")
    assert transforms is not None
    transforms.insert(0, etree.Element(transforms[0].tag, Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"))


def _references(root: etree._Element) -> list[etree._Element]:
    return root.findall(".//{http://www.w3.org/2000/09/xmldsig#}Reference")


def _whole_document(root: etree._Element) -> None:
    _references(root)[0].set("URI", "")


def _untyped(root: etree._Element) -> None:
    del _references(root)[1].attrib["Type"]


def _canonicalization(root: etree._Element) -> None:
    transforms = root.findall(".//{http://www.w3.org/2000/09/xmldsig#}Transform")
    transforms[1].set("Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#")


def _weak_digest(root: etree._Element) -> None:
    _references(root)[0][1].set("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")


@pytest.mark.parametrize(
    "change",
    [
        _wrap,
        _second_signature,
        _drop_signature,
        _unsigned_properties,
        _target,
        _same_id,
        _key_value,
        _transform,
        _whole_document,
        _untyped,
        _canonicalization,
        _weak_digest,
    ],
)
def test_the_form_is_refused_before_any_cryptography(
    document: bytes, check: Checker, change: Callable[[etree._Element], object]
) -> None:
    report = check(altered(document, change))
    assert not report.valid
    assert failing_check(report) == "Forme du document"
    assert report.content is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b"<a/>",
        b"<!DOCTYPE a><a/>",
        b'<Certificate xmlns="urn:poincon:certificate:1" Id="certificate"/>',
    ],
)
def test_anything_else_is_refused(check: Checker, data: bytes) -> None:
    assert failing_check(check(data)) == "Forme du document"


def test_another_authority_is_not_trusted(document: bytes, check: Checker, stranger: Authority, tmp_path: Path) -> None:
    report = check(document, file=stranger.pem(tmp_path))
    assert failing_check(report) == "Certificat du sceau"


def test_a_seal_of_another_authority_is_refused(check: Checker, stranger: Authority) -> None:
    assert not check(sealed(to_xml(content()), stranger.seal, NOW)).valid


def test_no_authority_is_trusted_by_default(tmp_path: Path, document: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POINCON_AUTHORITY", raising=False)
    path = tmp_path / "document.xml"
    path.write_bytes(document)
    with pytest.raises(UsageError, match="--authority"):
        verify_certificate(path)


def test_a_configured_authority_is_used(
    tmp_path: Path, document: bytes, authority_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINCON_AUTHORITY", str(authority_file))
    path = tmp_path / "document.xml"
    path.write_bytes(document)
    assert verify_certificate(path, now=NOW).valid


def test_a_document_is_refused_outside_its_period(authority: Authority, document: bytes, check: Checker) -> None:
    early = check(document, at=NOW - timedelta(days=1))
    assert failing_check(early) == "Période de validité"
    short = sealed(to_xml(content(valid_until="2026-12-01")), authority.seal, NOW)
    assert check(short).valid
    assert failing_check(check(short, at=NOW + timedelta(days=30))) == "Période de validité"
    assert failing_check(check(document, at=NOW + timedelta(days=720))) == "Certificat du sceau"


def test_the_signing_time_is_that_of_the_document(authority: Authority, check: Checker) -> None:
    data = sealed(to_xml(content(at="2026-11-20T12:00:00Z")), authority.seal, NOW)
    assert failing_check(check(data)) == "Heure de la signature"


@pytest.mark.parametrize("usages", [("digital_signature",), ("content_commitment",)])
def test_only_a_seal_seals(authority: Authority, usages: tuple[str, ...]) -> None:
    seal = authority.issue("Carte", usages, authority.seal.key)
    with pytest.raises(SealError, match="Carte"):
        sealed(to_xml(content()), seal, NOW)


def test_a_short_key_does_not_seal(authority: Authority) -> None:
    seal = authority.issue("Court", ("digital_signature", "content_commitment"), rsa.generate_private_key(65537, 2048))
    with pytest.raises(SealError, match="3072"):
        sealed(to_xml(content()), seal, NOW)


def test_a_document_sealed_with_a_card_is_refused(
    authority: Authority, check: Checker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The laboratory would not make it; somebody else with a key of the same authority could."""
    card = authority.issue("Carte", ("digital_signature",), authority.seal.key)
    monkeypatch.setattr("reports.seal.check_seal", lambda seal, at: None)
    assert failing_check(check(sealed(to_xml(content()), card, NOW))) == "Certificat du sceau"


def test_the_key_may_stay_in_a_token(authority: Authority, check: Checker) -> None:
    class Token:
        """A key that only signs, as a PKCS#11 object does."""

        def sign(self, data: bytes, padding: Any, algorithm: Any) -> bytes:
            return bytes(authority.seal.key.sign(data, padding, algorithm))

    seal = Identity("jeton", authority.seal.certificate, (), Token())
    assert check(sealed(to_xml(content()), seal, NOW)).valid


def test_a_value_that_xml_cannot_hold_is_refused() -> None:
    with pytest.raises(ReportError, match="Vendor"):
        to_xml(content(vendor="\x00"))


def test_names_of_products_are_masked_and_printable() -> None:
    hostile = replace(FACTS, product=replace(FACTS.product, name="\x1b[31m1090763220834"))
    made = facts_of(subject(passing(), hostile), CERTIFICATE)
    assert made.product == "[x1b]1**********34"


def test_provenance_covers_the_norms_that_are_used() -> None:
    mixed = norm(provenance="official", parents=(norm(id="commun"),))
    assert facts_of(subject(passing(), norm_=mixed), CERTIFICATE).provenance == "reconstruction"
