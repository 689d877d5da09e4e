"""Authorities and seals for the tests of sealed documents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from norms.wire.keys import Identity

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


@dataclass(frozen=True)
class Authority:
    """An authority and the seals it issued."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey
    seal: Identity

    def issue(self, name: str, usages: tuple[str, ...], key: rsa.RSAPrivateKey, days: int = 700) -> Identity:
        leaf = _certificate(name, key, self.certificate.subject, self.key, usages, days, ca=False)
        return Identity(name, leaf, (), key)

    def pem(self, folder: Path) -> Path:
        path = folder / "authority.pem"
        path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        return path


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _certificate(
    name: str,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    usages: tuple[str, ...],
    days: int,
    *,
    ca: bool,
) -> x509.Certificate:
    usage = x509.KeyUsage(**{usage: usage in usages for usage in USAGES})
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1000))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(issuer_key, hashes.SHA256())
    )


def make_authority(name: str) -> Authority:
    key = rsa.generate_private_key(65537, 2048)
    root = _certificate(name, key, _name(name), key, ("key_cert_sign", "crl_sign"), 3000, ca=True)
    bare = Authority(root, key, Identity("", root, (), key))
    seal = bare.issue("Sceau", ("digital_signature", "content_commitment"), rsa.generate_private_key(65537, 3072))
    return Authority(root, key, seal)
