"""The seal: an XAdES-B signature over a whole document, with the laboratory's signing certificate.

Canonical XML 1.1 is not a matter of taste: with exclusive canonicalization the library's signatures over
SignedProperties verify nowhere (SECURITY, signature note 7). The private key may be an object of a token (PKCS#11).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from lxml import etree

from norms.errors import SecurityRefusal
from norms.i18n import tr
from norms.model import Algorithms, CertificateKind
from norms.wire.keys import Identity
from norms.wire.trust import check_key, check_kind
from reports.errors import SealError

C14N: Final = "http://www.w3.org/2006/12/xml-c14n11"
SIGNATURE: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
DIGEST: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
ALGORITHMS: Final = Algorithms((SIGNATURE,), (DIGEST,), (C14N,), rsa_minimum_bits=3072)
SEAL_KIND: Final = CertificateKind(key_usage=("digital_signature", "content_commitment"))


def check_seal(seal: Identity, at: datetime) -> None:
    """Raise SealError unless `seal` may seal a document at that time (aware): kind, RSA-3072, dates."""
    certificate = seal.certificate
    try:
        check_key(certificate, ALGORITHMS)
        check_kind(certificate, SEAL_KIND)
    except SecurityRefusal as refusal:
        raise SealError(tr("Le sceau {name} ne convient pas : {why}", name=seal.name, why=refusal.what)) from refusal
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise SealError(tr("Le certificat du sceau {name} n’est pas valide à cette date.", name=seal.name))


def sealed(document: etree._Element, seal: Identity, at: datetime) -> bytes:
    """Return the document in UTF-8 with its signature as last child of the root. at: aware signing time.

    Raises SealError: unfit seal, or a signing device that fails.
    """
    check_seal(seal, at)
    signer = _signer(at)
    chain: list[x509.Certificate] = [seal.certificate, *seal.chain]
    try:
        signed = signer.sign(document, always_add_key_value=False, key=seal.key, cert=chain)
    except (ValueError, TypeError, OSError) as failed:
        raise SealError(tr("La signature a échoué : {why}", why=failed)) from failed
    written: bytes = etree.tostring(signed, xml_declaration=True, encoding="UTF-8")
    return written + b"\n"


def _signer(at: datetime) -> Any:
    from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
    from signxml.util import xades_tag
    from signxml.xades import XAdESDataObjectFormat, XAdESSigner

    signing_time = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    class Signer(XAdESSigner):  # type: ignore[misc]
        """The library's signer with our time instead of the clock's, so that it equals the document's."""

        def add_signing_time(self, properties: Any, sig_root: Any, signing_settings: Any) -> None:  # noqa: ARG002
            """Append xades:SigningTime."""
            etree.SubElement(properties, xades_tag("SigningTime")).text = signing_time

    return Signer(
        c14n_algorithm=CanonicalizationMethod(C14N),
        signature_algorithm=SignatureMethod(SIGNATURE),
        digest_algorithm=DigestAlgorithm(DIGEST),
        data_object_format=XAdESDataObjectFormat(Description="Poincon", MimeType="text/xml"),
    )
