"""A root authority and certificates made for one test each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from wire_kit import NOW

from norms.wire.trust import Anchors

DAY = timedelta(days=1)
KEY = rsa.generate_private_key(65537, 2048)
USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
USAGE = dict.fromkeys(USAGES, False)


def issue(
    subject: str,
    issuer: str,
    issuer_key: Any,
    *,
    key: Any = None,
    ca: bool = False,
    path_length: int | None = None,
    algorithm: Any = None,
    extension: x509.ExtensionType | None = None,
) -> x509.Certificate:
    usage = USAGE | ({"key_cert_sign": True, "crl_sign": True} if ca else {"digital_signature": True})
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name.from_rfc4514_string(subject))
        .issuer_name(x509.Name.from_rfc4514_string(issuer))
        .public_key((key or KEY).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 30 * DAY)
        .not_valid_after(NOW + 30 * DAY)
        .add_extension(x509.BasicConstraints(ca, path_length), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
    )
    if extension:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(issuer_key, algorithm or hashes.SHA256())


ROOT = issue("CN=root", "CN=root", KEY, ca=True)
ANCHORS = Anchors((ROOT,))
