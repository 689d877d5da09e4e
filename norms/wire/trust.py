"""Trust in a certificate: its path to a configured authority, its kind, its dates and its revocation.

Source: RFC 5280 §6, limited to what the authorities of the domain use (no name constraints, no policies, no OCSP).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from norms.errors import DataError, SecurityRefusal
from norms.i18n import tr
from norms.model import Algorithms, CertificateKind
from norms.wire.algorithms import CURVES

_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_EXTENDED: Final = {
    ExtendedKeyUsageOID.CLIENT_AUTH: "client_auth",
    ExtendedKeyUsageOID.SERVER_AUTH: "server_auth",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "email_protection",
    ExtendedKeyUsageOID.CODE_SIGNING: "code_signing",
    ExtendedKeyUsageOID.TIME_STAMPING: "time_stamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "ocsp_signing",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "any",
}
_UNDERSTOOD: Final = frozenset(
    {
        x509.BasicConstraints.oid,
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.SubjectAlternativeName.oid,
        x509.CertificatePolicies.oid,
    }
)
_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_LONGEST_PATH: Final = 5
_CACHED_PATHS: Final = 4096


@dataclass(frozen=True, eq=False)
class Anchors:
    """The authorities that are trusted, and their revocation lists.

    An authority with a revocation list is checked against it; one without is trusted without revocation.
    """

    authorities: tuple[x509.Certificate, ...]
    revocations: tuple[x509.CertificateRevocationList, ...] = ()
    _paths: dict[tuple[x509.Certificate, ...], tuple[x509.Certificate, ...]] = field(default_factory=dict, repr=False)
    _lists: dict[x509.Certificate, list[x509.CertificateRevocationList]] = field(default_factory=dict, repr=False)

    def lists_of(self, authority: x509.Certificate) -> list[x509.CertificateRevocationList]:
        """Return the revocation lists that this authority signed."""
        if authority not in self._lists:
            self._lists[authority] = [item for item in self.revocations if _signed_list(item, authority)]
        return self._lists[authority]


def load_anchors(source: Path | Iterable[Path]) -> Anchors:
    """Return the anchors of PEM or DER files, or of the *.pem, *.crt, *.cer, *.crl files of a folder.

    A file may hold several certificates or lists. Raises DataError: nothing found, unreadable file, certificate that
    is no authority, list not signed by one of the authorities.
    """
    files = _files(source)
    authorities: list[x509.Certificate] = []
    revocations: list[tuple[Path, x509.CertificateRevocationList]] = []
    for file in files:
        found, lists = _read(file)
        for certificate in found:
            if not _is_authority(certificate):
                raise DataError(tr("Ce certificat n'est pas celui d'une autorité."), file=file)
            if certificate not in authorities:
                authorities.append(certificate)
        revocations += [(file, item) for item in lists]
    if not authorities:
        raise DataError(
            tr("Aucune autorité de confiance trouvée."),
            file=source if isinstance(source, Path) else "",
            remedy=tr("Indiquez le fichier PEM de l'autorité qui émet les certificats."),
        )
    for file, item in revocations:
        if not any(_signed_list(item, authority) for authority in authorities):
            raise DataError(tr("Cette liste de révocation n'est signée par aucune des autorités."), file=file)
    return Anchors(tuple(authorities), tuple(item for _, item in revocations))


def check_chain(
    certificate: x509.Certificate,
    intermediates: tuple[x509.Certificate, ...],
    anchors: Anchors,
    kind: CertificateKind,
    at: datetime,
    algorithms: Algorithms,
) -> None:
    """Check that a certificate may be trusted for its task at a given time.

    kind: what the norm demands of this kind of certificate; at: aware date. Raises SecurityRefusal with
    certificate-untrusted, -expired, -not-yet-valid, -revoked, -usage, -key, or `unavailable` when the revocation
    list of the authority is out of date (that is never the message's fault).
    """
    path = _path(certificate, intermediates, anchors)
    check_key(certificate, algorithms)
    for link in path:
        _check_dates(link, at)
    for link, issuer in pairwise(path):
        _check_revocation(link, issuer, anchors, at)
    check_kind(certificate, kind)


def has_path(certificate: x509.Certificate, intermediates: tuple[x509.Certificate, ...], anchors: Anchors) -> bool:
    """Tell whether signatures lead from a certificate to an anchor, dates and revocation left aside."""
    try:
        _path(certificate, intermediates, anchors)
    except SecurityRefusal:
        return False
    return True


def check_key(certificate: x509.Certificate, algorithms: Algorithms) -> None:
    """Raise SecurityRefusal (certificate-key) unless the key is RSA of the norm's size or on a named curve."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SecurityRefusal("certificate-key", tr("La clé publique du certificat est illisible.")) from error
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < algorithms.rsa_minimum_bits:
            raise SecurityRefusal(
                "certificate-key",
                tr(
                    "Clé RSA de {bits} bits : {minimum} bits au moins.",
                    bits=key.key_size,
                    minimum=algorithms.rsa_minimum_bits,
                ),
            )
    elif not (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES):
        raise SecurityRefusal("certificate-key", tr("Le type de clé du certificat n'est pas admis."))


def check_kind(certificate: x509.Certificate, kind: CertificateKind) -> None:
    """Raise SecurityRefusal (certificate-usage) unless the certificate is of that kind and is no authority."""
    usages, extended, units, authority = _traits(certificate)
    faults = [
        *(tr("usage {name} absent", name=name) for name in kind.key_usage if name not in usages),
        *(tr("usage {name} interdit", name=name) for name in kind.forbidden_usage if name in usages),
        *(tr("usage étendu {name} absent", name=name) for name in kind.extended if name not in extended),
        *(tr("usage étendu {name} interdit", name=name) for name in kind.forbidden_extended if name in extended),
    ]
    if kind.organizational_unit and kind.organizational_unit not in units:
        faults.append(tr("unité {name} absente du sujet", name=kind.organizational_unit))
    faults += [tr("unité {name} interdite", name=name) for name in kind.forbidden_units if name in units]
    if authority:
        faults.append(tr("certificat d'autorité"))
    if faults:
        raise SecurityRefusal(
            "certificate-usage", tr("Le certificat n'est pas du type attendu : {faults}.", faults=", ".join(faults))
        )


def _path(
    certificate: x509.Certificate, intermediates: tuple[x509.Certificate, ...], anchors: Anchors
) -> tuple[x509.Certificate, ...]:
    """Return leaf … anchor. Signatures do not depend on time, so a path found once is kept."""
    key = (certificate, *intermediates)
    known = anchors._paths.get(key)
    if known is not None:
        return known
    path = _search((certificate,), intermediates, anchors)
    if path is None:
        raise SecurityRefusal(
            "certificate-untrusted", tr("Aucun chemin ne mène du certificat à une autorité de confiance.")
        )
    if len(anchors._paths) >= _CACHED_PATHS:
        anchors._paths.clear()
    anchors._paths[key] = path
    return path


def _search(
    path: tuple[x509.Certificate, ...], intermediates: tuple[x509.Certificate, ...], anchors: Anchors
) -> tuple[x509.Certificate, ...] | None:
    last = path[-1]
    _check_extensions(last)
    for authority in anchors.authorities:
        if last == authority or _issued(last, authority, below=len(path) - 1):
            return path if last == authority else (*path, authority)
    if len(path) < _LONGEST_PATH:
        for candidate in intermediates:
            if candidate not in path and _issued(last, candidate, below=len(path) - 1):
                found = _search((*path, candidate), intermediates, anchors)
                if found:
                    return found
    return None


def _issued(certificate: x509.Certificate, issuer: x509.Certificate, below: int) -> bool:
    """Tell whether `issuer` is an authority that signed `certificate`; below: authorities already under it."""
    if certificate.issuer != issuer.subject or not _is_authority(issuer):
        return False
    longest = _extensions(issuer).get_extension_for_class(x509.BasicConstraints).value.path_length
    if longest is not None and below > longest:
        return False
    try:
        algorithm = certificate.signature_hash_algorithm
        if algorithm is None or algorithm.name not in _HASHES:
            return False
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        return certificate.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise SecurityRefusal("certificate-untrusted", tr("Les extensions du certificat sont illisibles.")) from error


def _check_extensions(certificate: x509.Certificate) -> None:
    unknown = [
        item.oid.dotted_string for item in _extensions(certificate) if item.critical and item.oid not in _UNDERSTOOD
    ]
    if unknown:
        raise SecurityRefusal(
            "certificate-untrusted", tr("Extension critique non prise en charge : {oid}.", oid=", ".join(unknown))
        )


def _check_dates(certificate: x509.Certificate, at: datetime) -> None:
    if at < certificate.not_valid_before_utc:
        raise SecurityRefusal("certificate-not-yet-valid", tr("Un certificat de la chaîne n'est pas encore valide."))
    if at > certificate.not_valid_after_utc:
        raise SecurityRefusal("certificate-expired", tr("Un certificat de la chaîne a expiré."))


def _check_revocation(certificate: x509.Certificate, issuer: x509.Certificate, anchors: Anchors, at: datetime) -> None:
    lists = anchors.lists_of(issuer)
    for item in lists:
        entry = item.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry is not None and entry.revocation_date_utc <= at:
            raise SecurityRefusal("certificate-revoked", tr("Un certificat de la chaîne est révoqué."))
    limits = [item.next_update_utc for item in lists]
    if lists and all(limit is not None and limit < at for limit in limits):
        raise SecurityRefusal("unavailable", tr("La liste de révocation de l'autorité est périmée."))


def _signed_list(item: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    key = authority.public_key()
    if item.issuer != authority.subject or not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return False
    return bool(item.is_signature_valid(key))


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = _extensions(certificate).get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return False
    return constraints.ca and "key_cert_sign" in _usages(certificate)


@lru_cache(maxsize=1024)
def _traits(certificate: x509.Certificate) -> tuple[frozenset[str], frozenset[str], frozenset[str], bool]:
    """Return usages, extended usages, organizational units, and whether it is an authority."""
    units = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATIONAL_UNIT_NAME)
    return (
        _usages(certificate),
        _extended(certificate),
        frozenset(str(unit.value) for unit in units),
        _is_authority(certificate),
    )


def _usages(certificate: x509.Certificate) -> frozenset[str]:
    try:
        usage = _extensions(certificate).get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(name for name in _USAGES if getattr(usage, name))


def _extended(certificate: x509.Certificate) -> frozenset[str]:
    try:
        usage = _extensions(certificate).get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(_EXTENDED.get(oid, oid.dotted_string) for oid in usage)


def _files(source: Path | Iterable[Path]) -> list[Path]:
    if not isinstance(source, Path):
        return list(source)
    if source.is_dir():
        return sorted(file for file in source.iterdir() if file.suffix in {".pem", ".crt", ".cer", ".crl"})
    return [source]


def _read(file: Path) -> tuple[list[x509.Certificate], list[x509.CertificateRevocationList]]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(tr("Fichier d'autorité introuvable ou illisible."), file=file) from error
    try:
        if b"-----BEGIN" not in content:
            if file.suffix == ".crl":
                return [], [x509.load_der_x509_crl(content)]
            return [x509.load_der_x509_certificate(content)], []
        certificates = x509.load_pem_x509_certificates(content) if b"BEGIN CERTIFICATE" in content else []
        parts = content.split(b"-----BEGIN X509 CRL-----")[1:]
        lists = [x509.load_pem_x509_crl(b"-----BEGIN X509 CRL-----" + part) for part in parts]
    except (ValueError, x509.InvalidVersion) as error:
        raise DataError(tr("Ce fichier n'est ni un certificat ni une liste de révocation."), file=file) from error
    return certificates, lists
