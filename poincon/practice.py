"""A ready declaration for the sandbox: what `sandbox serve --sut`, `conformance` and `kill-rate` run against."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from norms.errors import SecurityRefusal
from norms.i18n import tr
from norms.model import Norm
from norms.wire.keys import load_identity
from norms.wire.trust import check_chain
from poincon import __version__
from sandbox.pki import TestPki
from scenarios.declaration import Declaration
from scenarios.model import Role
from scenarios.template import Prefill, laboratory_names, needed_identities, sut_template

Held = Mapping[str, tuple[Path, Path]]
"""Certificate and key by use."""


def practice_declaration(norm: Norm, endpoints: Mapping[str, str], pki: TestPki, role: Role = "server") -> str:
    """Return the text of a sut.yaml for a practice product of `norm`.

    endpoints: kind -> address of the simulators, empty for role client, where the product calls. Every claim is
    answered yes, every IXIT value is the example of the norm, identities and anchors are those of the test PKI as
    absolute paths.
    """
    known = trial_prefill(norm, pki, role)
    return sut_template(
        norm,
        role,
        msgspec.structs.replace(
            known,
            vendor="Poinçon",
            name=tr("Simulateur du bac à sable") if role == "server" else tr("Logiciel d'essai"),
            product_version=__version__,
            endpoints=dict(endpoints),
            authority=_path(pki.authority),
            values={name: known.ixit[name] for name in laboratory_names(norm) if name in known.ixit},
            claims={claim.id: "yes" for claim in norm.claims},
        ),
    )


def trial_prefill(norm: Norm, pki: TestPki, role: Role, folder: Path | None = None) -> Prefill:
    """Return what a declaration can begin with: the test PKI's identities and authorities, the norm's examples.

    folder: where the declaration stands; paths below it are written from there, so that both can be moved together.
    """
    identities = _identities(norm, pki, role)
    return Prefill(
        identities={use: (_path(held[0], folder), _path(held[1], folder)) for use, held in identities.items()},
        anchors=(_path(pki.authority, folder),),
        revocations=(_path(pki.revocations, folder),),
        ixit={value.name: value.example for value in norm.extra_values if not value.secret or role == "server"},
    )


def driven_by_robot(declaration: Declaration) -> Declaration:
    """Return a declaration whose product is a robot in this process: no driver to start, many cases at once."""
    laboratory = msgspec.structs.replace(declaration.laboratory, session="case")
    return msgspec.structs.replace(declaration, driver=None, laboratory=laboratory)


def client_identities(norm: Norm, pki: TestPki) -> dict[str, tuple[Path, Path]]:
    """Return certificate and key, by use, of whoever calls the services of `norm`: right ones and wrong ones."""
    return _identities(norm, pki, "server")


def _identities(norm: Norm, pki: TestPki, role: Role) -> dict[str, tuple[Path, Path]]:
    held = pki.laboratory_identities() if role == "server" else pki.amc_identities()
    return {**held, **_right_ones(norm, pki, role, held)}


def _right_ones(norm: Norm, pki: TestPki, role: Role, held: Held) -> dict[str, tuple[Path, Path]]:
    """Return, for each identity the laboratory needs, a good one of those it holds that is of the kind asked for."""
    anchors, now = pki.anchors(), datetime.now(UTC)
    found = {}
    for use, kind in needed_identities(norm, role).items():
        for certificate, key in held.values():
            identity = load_identity(certificate, key)
            try:
                check_chain(
                    identity.certificate,
                    identity.chain,
                    anchors,
                    norm.security.kinds[kind],
                    now,
                    norm.security.algorithms,
                )
            except SecurityRefusal:
                continue
            found[use] = (certificate, key)
            found |= _spoilt(use, certificate.stem, pki)
            break
    return found | _crossed(norm, role, found)


def _crossed(norm: Norm, role: Role, found: Held) -> dict[str, tuple[Path, Path]]:
    """Return the two identities of one holder, each in the other's place, where the norm tells their kinds apart."""
    kinds = needed_identities(norm, role)
    if not {"tls", "assertion"} <= found.keys() or kinds["tls"] == kinds["assertion"]:
        return {}
    return {"tls-wrong-kind": found["assertion"], "assertion-wrong-kind": found["tls"]}


def _spoilt(use: str, name: str, pki: TestPki) -> dict[str, tuple[Path, Path]]:
    """Return the wrong relatives of an identity: `tls-expired` is the expired one of whatever `tls` is."""
    return {
        f"{use}-{wrong.removeprefix(name + '-')}": (pki.certificate(wrong), pki.key(wrong))
        for wrong in pki.names
        if wrong.startswith(f"{name}-")
    }


def _path(path: Path, folder: Path | None = None) -> str:
    path = path.resolve()
    if folder is not None and path.is_relative_to(folder.resolve()):
        path = path.relative_to(folder.resolve())
    return path.as_posix()
