"""Issuing the certificates of the test PKI: the right ones and the wrong ones, listed in one table."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

LIFETIME: Final = timedelta(days=730)
HOLDER: Final = "99900063480"
OTHER_HOLDER: Final = "99700735741"
ESTABLISHMENT: Final = "219999018"
OTHER_ESTABLISHMENT: Final = "219999026"
_ORGANIZATION: Final = "POINCON TEST"
_OLD: Final = timedelta(days=400)
_NAMES: Final = ("localhost", "127.0.0.1", "::1")

Validity = Literal["valid", "expired", "not-yet-valid"]


@dataclass(frozen=True)
class Spec:
    """One end-entity certificate. key: name of the key pair, shared by certificates that differ in one thing only."""

    name: str
    meaning: str
    key: str
    common_name: str
    usages: tuple[str, ...]
    extended: tuple[str, ...] = ()
    unit: str = ""
    names: tuple[str, ...] = ()
    issuer: str = "authority"
    validity: Validity = "valid"
    revoked: bool = False


def _family(spec: Spec, *wrong: str) -> Iterator[Spec]:
    """The certificate, then its wrong twins: same key, same subject, one thing wrong."""
    yield spec
    for fault, meaning in (
        ("expired", "expiré"),
        ("not-yet-valid", "pas encore valide"),
        ("revoked", "révoqué par l'autorité"),
        ("other-authority", "émis par l'autre autorité"),
        ("wrong-usage", "mauvais usage de clé (chiffrement)"),
    ):
        if fault in wrong:
            yield Spec(
                name=f"{spec.name}-{fault}",
                meaning=f"{spec.meaning} – {meaning}",
                key=spec.key,
                common_name=spec.common_name,
                usages=("key_encipherment",) if fault == "wrong-usage" else spec.usages,
                extended=spec.extended,
                unit=spec.unit,
                names=spec.names,
                issuer="other-authority" if fault == "other-authority" else "authority",
                validity=fault if fault in ("expired", "not-yet-valid") else "valid",  # type: ignore[arg-type]
                revoked=fault == "revoked",
            )


_SIGNS: Final = ("digital_signature",)
_COMMITS: Final = ("content_commitment",)
_CLIENT: Final = ("client_auth",)
_ALL: Final = ("expired", "not-yet-valid", "revoked", "other-authority", "wrong-usage")

SPECS: Final[tuple[Spec, ...]] = (
    *_family(
        Spec("amc-server", "Serveur HTTPS de l'AMC", "amc-server", "localhost", _SIGNS, ("server_auth",), names=_NAMES),
        "expired",
        "other-authority",
    ),
    Spec(
        "amc-server-wrong-name", "Serveur HTTPS de l'AMC – autre nom de machine", "amc-server", "ailleurs.invalid",
        _SIGNS, ("server_auth",), names=("ailleurs.invalid",),
    ),
    *_family(
        Spec("amc-flux", "Signature des réponses de l'AMC", "amc-flux", "AMC de test", _SIGNS, unit="AMC-FLUX"), *_ALL
    ),
    *_family(
        Spec("cps-authentication", "Carte de professionnel : authentification (TLS)", "cps-authentication", HOLDER,
             _SIGNS, _CLIENT),
        *_ALL,
    ),
    Spec(
        "cps-authentication-other-holder", "Carte d'un autre professionnel : authentification (TLS)", "other-holder",
        OTHER_HOLDER, _SIGNS, _CLIENT,
    ),
    *_family(
        Spec("cps-signature", "Carte de professionnel : signature de l'assertion", "cps-signature", HOLDER, _COMMITS),
        *_ALL,
    ),
    Spec(
        "cps-signature-other-holder", "Carte d'un autre professionnel : signature de l'assertion",
        "other-holder-signature",
        OTHER_HOLDER, _COMMITS,
    ),
    *_family(
        Spec("establishment-authentication", "Établissement : authentification (TLS)", "establishment-authentication",
             ESTABLISHMENT, _SIGNS, _CLIENT, unit="STRUCTURE"),
        *_ALL,
    ),
    *_family(
        Spec("establishment-signature", "Établissement : signature de l'assertion", "establishment-signature",
             ESTABLISHMENT, _COMMITS, unit="STRUCTURE"),
        *_ALL,
    ),
    Spec(
        "establishment-signature-other-holder", "Autre établissement : signature de l'assertion",
        "other-establishment-signature", OTHER_ESTABLISHMENT, _COMMITS, unit="STRUCTURE",
    ),
    *_family(
        Spec("software", "Logiciel : client TLS et signature du flux", "software", "Logiciel de test", _SIGNS, _CLIENT,
             unit="LOGICIEL"),
        *_ALL,
    ),
    Spec("seal", "Sceau des certificats de conformité (sans valeur d'agrément)", "seal", "Sceau de test",
         ("digital_signature", "content_commitment"), unit="SCEAU"),
)  # fmt: skip

AUTHORITIES: Final = {"authority": "Autorite de test Poincon", "other-authority": "Autre autorite de test Poincon"}
_USAGES: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
_EXTENDED: Final = {
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
}


def issue_all(now: datetime) -> dict[str, bytes]:
    """Return the content of every PEM file by file name, fresh keys included. now: aware date."""
    keys = _generate()
    files = {f"{name}.key.pem": _key_pem(key) for name, key in keys.items()}
    authorities = {name: _authority(title, keys[name], now) for name, title in AUTHORITIES.items()}
    revoked: list[int] = []
    for name, certificate in authorities.items():
        files[f"{name}.pem"] = certificate.public_bytes(Encoding.PEM)
    for spec in SPECS:
        certificate = _certificate(spec, keys[spec.key], authorities[spec.issuer], keys[spec.issuer], now)
        files[f"{spec.name}.pem"] = certificate.public_bytes(Encoding.PEM)
        if spec.revoked:
            revoked.append(certificate.serial_number)
    files["authority.crl.pem"] = _revocations(authorities["authority"], keys["authority"], revoked, now)
    files["other-authority.crl.pem"] = _revocations(authorities["other-authority"], keys["other-authority"], [], now)
    return files


def _generate() -> dict[str, rsa.RSAPrivateKey]:
    sizes = {name: 3072 if name == "seal" else 2048 for name in (*AUTHORITIES, *(spec.key for spec in SPECS))}
    with ThreadPoolExecutor() as pool:  # key generation leaves the interpreter lock
        keys = pool.map(lambda size: rsa.generate_private_key(65537, size), sizes.values())
        return dict(zip(sizes, keys, strict=True))


def _key_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(common_name: str, unit: str = "") -> x509.Name:
    attributes = [
        x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "FR"),
        x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, _ORGANIZATION),
    ]
    if unit:
        attributes.append(x509.NameAttribute(x509.NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    return x509.Name([*attributes, x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def _usage(names: tuple[str, ...]) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in names for name in _USAGES})


def _authority(title: str, key: rsa.RSAPrivateKey, now: datetime) -> x509.Certificate:
    name = _name(title)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * _OLD)
        .not_valid_after(now + 2 * LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(("key_cert_sign", "crl_sign")), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    spec: Spec, key: rsa.RSAPrivateKey, issuer: x509.Certificate, issuer_key: rsa.RSAPrivateKey, now: datetime
) -> x509.Certificate:
    start, end = {
        "valid": (now - timedelta(days=1), now + LIFETIME),
        "expired": (now - _OLD, now - timedelta(days=2)),
        "not-yet-valid": (now + LIFETIME, now + LIFETIME + _OLD),
    }[spec.validity]
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(spec.common_name, spec.unit))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(spec.usages), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            ),
            critical=False,
        )
    )
    if spec.extended:
        purposes = [_EXTENDED[name] for name in spec.extended]
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if spec.names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in spec.names]), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _revocations(issuer: x509.Certificate, key: rsa.RSAPrivateKey, serials: list[int], now: datetime) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now - timedelta(days=1))
        .next_update(now + LIFETIME)
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
                issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            ),
            critical=False,
        )
    )
    for serial in serials:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now - timedelta(days=1)).build()
        )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
