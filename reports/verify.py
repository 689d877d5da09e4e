"""Checking a sealed document offline: its form, its seal, its dates and, with the run folder, the evidence behind it.

Only the element that the verifier returns is read. Nothing but a clean verification counts as verified; an authority
must be named, none is trusted by default. Source: docs/formats/certificate.md.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from lxml import etree

from norms.errors import PoinconError, SecurityRefusal, UsageError
from norms.i18n import tr
from norms.wire.trust import Anchors, check_chain, load_anchors
from reports.certificate import NO_VALUE, Content, from_xml
from reports.check import Check
from reports.errors import ReportError
from reports.seal import ALGORITHMS, DIGEST, SEAL_KIND, SIGNATURE
from reports.shape import SealedDocument, read_shape

AUTHORITY: Final = "POINCON_AUTHORITY"
T = TypeVar("T")


class VerifyReport(msgspec.Struct, frozen=True):
    """The outcome of a verification. content: only when the seal itself is good; then it is what was sealed."""

    file: str
    valid: bool
    checks: tuple[Check, ...]
    content: Content | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """The report for people, one line per check, the reserve first."""
        reserve = (NO_VALUE,) if self.content is not None and self.content.reserve else ()
        told = (
            f"{'✓' if check.ok else '✗'} {check.name}{' : ' if check.detail else ''}{check.detail}"
            for check in self.checks
        )
        outcome = tr("Document authentique et valable.") if self.valid else tr("Document REFUSÉ.")
        return (*reserve, *told, outcome)


class _RefusedError(ReportError):
    """A check that ends the verification."""


def verify_certificate(
    path: Path, run: Path | None = None, authority: Path | None = None, now: datetime | None = None
) -> VerifyReport:
    """Check a sealed document offline and return what was found; a refusal is a report, not an exception.

    run: folder of the run to compare with; authority: PEM file or folder of the authorities that may issue seals
    (default: the environment's POINCON_AUTHORITY); now: aware, default the clock. Raises UsageError when no authority
    is named, DataError when the authority or the file cannot be read.
    """
    anchors = load_anchors(authority or _configured())
    at = now or datetime.now(UTC)
    try:
        data = path.read_bytes()
    except OSError as missing:
        raise UsageError(tr("Le fichier {file} ne peut pas être lu.", file=path)) from missing
    checks: list[Check] = []
    content: Content | None = None
    try:
        document = _step(checks, tr("Forme du document"), lambda: read_shape(data))
        seal = _step(checks, tr("Certificat du sceau"), lambda: _seal(document, anchors, at))
        content = _step(checks, tr("Signature"), lambda: _verified(data, document, seal))
        _period(checks, content, document, at.date())
        if run is not None:
            from reports.evidence import compare

            checks += compare(content, run)
    except _RefusedError:
        return VerifyReport(str(path), False, tuple(checks), content)
    return VerifyReport(str(path), all(check.ok for check in checks), tuple(checks), content)


def _configured() -> Path:
    named = os.environ.get(AUTHORITY, "")
    if not named:
        raise UsageError(
            tr("Aucune autorité n’est indiquée : nommez avec --authority le fichier de celle qui délivre les sceaux.")
        )
    return Path(named)


def _step(checks: list[Check], name: str, work: Callable[[], T]) -> T:
    try:
        done = work()
    except PoinconError as refusal:
        checks.append(Check(name, False, str(refusal)))
        raise _RefusedError(str(refusal)) from refusal
    checks.append(Check(name, True))
    return done


def _seal(document: SealedDocument, anchors: Anchors, at: datetime) -> x509.Certificate:
    try:
        loaded = [
            x509.load_der_x509_certificate(base64.b64decode("".join(text.split()), validate=True))
            for text in document.certificates
        ]
        check_chain(loaded[0], tuple(loaded[1:]), anchors, SEAL_KIND, at, ALGORITHMS)
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion) as bad:
        raise SecurityRefusal("key-info", tr("Le certificat du sceau est illisible.")) from bad
    return loaded[0]


def _verified(data: bytes, document: SealedDocument, seal: x509.Certificate) -> Content:
    """Verify the signature with the certificate that was found good, and read the element that was signed."""
    from signxml import DigestAlgorithm, SignatureMethod
    from signxml.exceptions import SignXMLException
    from signxml.xades import XAdESSignatureConfiguration, XAdESVerifier

    configuration = XAdESSignatureConfiguration(
        location="./",
        expect_references=3,
        signature_methods=frozenset({SignatureMethod(SIGNATURE)}),
        digest_algorithms=frozenset({DigestAlgorithm(DIGEST)}),
    )
    try:
        results = XAdESVerifier().verify(data, x509_cert=seal, id_attribute="Id", expect_config=configuration)
    # The library lets these escape on hostile input (SECURITY, signature note 4); all of them mean "not verified".
    except (SignXMLException, InvalidSignature, UnsupportedAlgorithm, etree.LxmlError, ValueError, TypeError) as bad:
        raise SecurityRefusal(
            "signature-invalid", tr("La signature n’est pas celle de ce document : il a été modifié ou mal scellé.")
        ) from bad
    signed = results[0].signed_xml
    if signed is None or signed.tag != document.form.tag or signed.get("Id") != document.form.identifier:
        raise SecurityRefusal("signature-coverage", tr("La signature ne couvre pas le document entier."))
    return from_xml(signed)


def _period(checks: list[Check], content: Content, document: SealedDocument, today: date) -> None:
    same = datetime.fromisoformat(document.signing_time) == datetime.fromisoformat(content.at)
    checks.append(Check(tr("Heure de la signature"), same, content.at))
    if not content.form.dated:
        return
    start, end = date.fromisoformat(content.valid_from), date.fromisoformat(content.valid_until)
    detail = tr("du {start} au {end}", start=content.valid_from, end=content.valid_until)
    checks.append(Check(tr("Période de validité"), start <= today <= end, detail))
