"""The test PKI: authorities, cards, establishments, software, AMC and seal, and what a laboratory needs to cheat.

It has no value outside the sandbox; `ensure` makes it on first use and renews it before it expires.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from norms.wire.keys import Identity, load_identity
from norms.wire.trust import Anchors, load_anchors
from sandbox.pki_files import alone, install, is_current
from sandbox.pki_issue import AUTHORITIES, LIFETIME, SPECS, issue_all

_LAYOUT: Final = "2"
_MARGIN: Final = timedelta(days=30)
_KEYS: Final = {spec.name: spec.key for spec in SPECS} | {name: name for name in AUTHORITIES}

_LABORATORY: Final = {
    "tls": "cps-authentication",
    "assertion": "cps-signature",
    "flow": "software",
    "tls-expired": "cps-authentication-expired",
    "tls-not-yet-valid": "cps-authentication-not-yet-valid",
    "tls-revoked": "cps-authentication-revoked",
    "tls-other-authority": "cps-authentication-other-authority",
    "tls-other-holder": "cps-authentication-other-holder",
    "tls-wrong-kind": "cps-signature",
    "tls-software": "software",
    "tls-establishment": "establishment-authentication",
    "assertion-expired": "cps-signature-expired",
    "assertion-not-yet-valid": "cps-signature-not-yet-valid",
    "assertion-revoked": "cps-signature-revoked",
    "assertion-other-authority": "cps-signature-other-authority",
    "assertion-other-holder": "cps-signature-other-holder",
    "assertion-wrong-kind": "cps-authentication",
    "assertion-establishment": "establishment-signature",
    "flow-expired": "software-expired",
    "flow-revoked": "software-revoked",
    "flow-other-authority": "software-other-authority",
    "flow-wrong-kind": "cps-authentication",
}
_AMC: Final = {
    "tls": "amc-server",
    "flow": "amc-flux",
    "tls-expired": "amc-server-expired",
    "tls-other-authority": "amc-server-other-authority",
    "tls-wrong-name": "amc-server-wrong-name",
    "flow-expired": "amc-flux-expired",
    "flow-revoked": "amc-flux-revoked",
    "flow-other-authority": "amc-flux-other-authority",
    "flow-wrong-kind": "amc-server",
}


@dataclass(frozen=True, eq=False)
class TestPki:
    """The files of a test PKI. Names are those of README.txt: `software` has software.pem and a key file."""

    __test__ = False  # pytest collects classes called Test…

    folder: Path

    @property
    def names(self) -> tuple[str, ...]:
        """Every identity, authorities included."""
        return tuple(_KEYS)

    def certificate(self, name: str) -> Path:
        """Return the certificate file of an identity. Raises KeyError for a name that is none."""
        return self.folder / f"{name if name in _KEYS else _unknown(name)}.pem"

    def key(self, name: str) -> Path:
        """Return the private key file of an identity; certificates that differ in one thing share a key."""
        return self.folder / f"{_KEYS[name]}.key.pem"

    @property
    def authority(self) -> Path:
        """The certificate of the authority that everybody trusts."""
        return self.certificate("authority")

    @property
    def revocations(self) -> Path:
        """The revocation list of that authority."""
        return self.folder / "authority.crl.pem"

    def identity(self, name: str) -> Identity:
        """Return a signing identity, loaded once."""
        return load_identity(self.certificate(name), self.key(name))

    def anchors(self) -> Anchors:
        """Return the trusted authority with its revocation list."""
        return self._anchors

    @cached_property
    def _anchors(self) -> Anchors:
        return load_anchors([self.authority, self.revocations])

    def laboratory_identities(self) -> dict[str, tuple[Path, Path]]:
        """Return (certificate, key) of every identity that the laboratory uses as a client, wrong ones included.

        tls, assertion and flow are the right ones; the others carry what is wrong with them in their name.
        """
        return self._files(_LABORATORY)

    def amc_identities(self) -> dict[str, tuple[Path, Path]]:
        """Like `laboratory_identities`, of a laboratory that plays the AMC: tls (server), flow, and wrong ones."""
        return self._files(_AMC)

    def _files(self, table: dict[str, str]) -> dict[str, tuple[Path, Path]]:
        return {use: (self.certificate(name), self.key(name)) for use, name in table.items()}


def ensure(folder: Path) -> TestPki:
    """Return the test PKI of a folder, made or renewed when needed (one to three seconds).

    Processes may call this at the same time. Raises DataError when the folder holds other things.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    if not is_current(folder, _LAYOUT, now):
        with alone(folder):
            if not is_current(folder, _LAYOUT, now):
                files = issue_all(now) | {"README.txt": _readme().encode()}
                install(folder, files, _LAYOUT, now + LIFETIME - _MARGIN)
    return TestPki(folder)


def _readme() -> str:
    lines = [f"  {spec.name + '.pem':<42} {spec.meaning}" for spec in SPECS]
    keys = [f"  {name:<34} {key}.key.pem" for name, key in _KEYS.items() if key != name]
    return "\n".join(
        [
            "PKI DE TEST DE POINÇON – SANS AUCUNE VALEUR HORS DU BAC À SABLE",
            "",
            "Ces fichiers sont créés au premier usage et renouvelés avant leur expiration. Ne les modifiez pas :",
            "supprimez le dossier pour en obtenir de nouveaux. N'y mettez rien d'autre.",
            "",
            "Autorités",
            "  authority.pem, authority.crl.pem   L'autorité à laquelle tous se fient, sa liste de révocation",
            "  other-authority.pem                Une autre autorité, à laquelle personne ne se fie",
            "",
            "Certificats (clé privée : même nom, .key.pem)",
            *lines,
            "",
            "Certificats qui partagent la clé d'un autre",
            *keys,
            "",
        ]
    )


def _unknown(name: str) -> str:
    raise KeyError(name)
