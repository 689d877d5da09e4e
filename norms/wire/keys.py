"""Signing identities: a certificate with its chain and its private key, loaded once, and X.509 names as text."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from norms.errors import DataError
from norms.i18n import tr
from norms.wire import algorithms

_NAMES: Final = {
    "SERIALNUMBER": x509.NameOID.SERIAL_NUMBER,
    "SN": x509.NameOID.SURNAME,
    "GN": x509.NameOID.GIVEN_NAME,
    "GIVENNAME": x509.NameOID.GIVEN_NAME,
    "T": x509.NameOID.TITLE,
    "TITLE": x509.NameOID.TITLE,
    "E": x509.NameOID.EMAIL_ADDRESS,
    "EMAILADDRESS": x509.NameOID.EMAIL_ADDRESS,
    "S": x509.NameOID.STATE_OR_PROVINCE_NAME,
}
_ATTRIBUTE_TYPE: Final = re.compile(r"(^|(?<!\\)[,+])\s*([A-Za-z]+|[0-9.]+)\s*=")


@dataclass(frozen=True, eq=False)
class Identity:
    """Who signs. chain: intermediates, leaf excluded; key: a private key, or an object of a token with `.sign`."""

    name: str
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: Any

    @cached_property
    def encoded(self) -> tuple[str, ...]:
        """The leaf and its intermediates as base64 DER: the content of X509Certificate elements."""
        return tuple(
            base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
            for certificate in (self.certificate, *self.chain)
        )

    @cached_property
    def subject(self) -> str:
        """The subject's distinguished name (RFC 4514), as an assertion's Issuer writes it."""
        return self.certificate.subject.rfc4514_string()

    @cached_property
    def common_name(self) -> str:
        """The subject's common name, "" when it has none."""
        found = self.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return str(found[0].value) if found else ""

    def sign(self, algorithm: str, data: bytes) -> bytes:
        """Return the value of an XML signature over canonical bytes."""
        return algorithms.sign(algorithm, self.key, data)


def load_identity(certificate: Path, key: Path, password: bytes | None = None) -> Identity:
    """Return the identity of two PEM files (the certificate file may hold its intermediates after the leaf).

    Loading an RSA key costs tens of milliseconds: files are read again only when they change.
    Raises DataError when a file is missing or unreadable, or when key and certificate do not belong together.
    """
    try:
        stamps = (certificate.stat().st_mtime_ns, key.stat().st_mtime_ns)
    except OSError as error:
        raise DataError(
            tr("Fichier de certificat ou de clé introuvable."),
            file=Path(str(error.filename)),
            remedy=tr("Vérifiez le chemin indiqué."),
        ) from error
    return _load(certificate, key, password, stamps)


@lru_cache(maxsize=256)
def _load(certificate: Path, key: Path, password: bytes | None, _stamps: tuple[int, int]) -> Identity:
    try:
        leaf, *chain = x509.load_pem_x509_certificates(certificate.read_bytes())
    except ValueError as error:
        raise DataError(tr("Ce fichier ne contient pas de certificat au format PEM."), file=certificate) from error
    try:
        private = load_pem_private_key(key.read_bytes(), password)
    except (ValueError, TypeError) as error:
        raise DataError(
            tr("Cette clé privée est illisible (format PEM attendu, mot de passe exact)."), file=key
        ) from error
    if private.public_key() != leaf.public_key():
        raise DataError(tr("Cette clé n'est pas celle du certificat {file}.", file=str(certificate)), file=key)
    return Identity(certificate.stem, leaf, tuple(chain), private)


def same_name(text: str, name: x509.Name) -> bool:
    """Tell whether `text` is the distinguished name `name`, whatever its spacing or the short names it uses."""
    if text == name.rfc4514_string():
        return True
    plain = _ATTRIBUTE_TYPE.sub(lambda found: f"{found[1]}{found[2].upper()}=", text.strip())
    try:
        parsed = x509.Name.from_rfc4514_string(plain, _NAMES)
    except ValueError:
        return False
    return parsed == name


def names_in(name: x509.Name) -> frozenset[str]:
    """Return the values of a distinguished name that identify its holder (common name, serial number, user id)."""
    kinds = (x509.NameOID.COMMON_NAME, x509.NameOID.SERIAL_NUMBER, x509.NameOID.USER_ID)
    return frozenset(str(attribute.value) for attribute in name if attribute.oid in kinds)
