"""The identities that a declaration lends to the laboratory: TLS clients and signers, by use."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Final

from harness.network import TlsClient
from norms.errors import DataError
from norms.i18n import tr
from norms.model import Norm
from norms.wire.keys import Identity, load_identity
from scenarios.declaration import Declaration, IdentityFiles

TLS: Final = "tls"
ASSERTION: Final = "assertion"
FLOW: Final = "flow"
SERVER: Final = "server"


def password_of(files: IdentityFiles, declaration: Declaration) -> bytes | None:
    """Return the password of a key, None when it has none; raises DataError when its variable is not set."""
    if not files.password_env:
        return None
    value = os.environ.get(files.password_env)
    if value is None:
        raise DataError(
            tr("La variable d'environnement « {nom} » n'est pas définie.", nom=files.password_env),
            file=declaration.file,
            remedy=tr("Définissez-la : elle donne le mot de passe de la clé."),
        )
    return value.encode()


def identity(declaration: Declaration, use: str) -> Identity | None:
    """Return the signing identity for `use`, None when the declaration has none; raises DataError."""
    files = declaration.laboratory.identities.get(use)
    if files is None:
        return None
    return load_identity(files.certificate, files.key, password_of(files, declaration))


class Lent(Mapping[str, Identity]):
    """The signing identities of a declaration by use, each loaded when it is first needed (a key costs 40 ms)."""

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration

    def __getitem__(self, use: str) -> Identity:
        found = identity(self._declaration, use)
        if found is None:
            raise KeyError(use)
        return found

    def __contains__(self, use: object) -> bool:
        return use in self._declaration.laboratory.identities

    def __iter__(self) -> Iterator[str]:
        return iter(self._declaration.laboratory.identities)

    def __len__(self) -> int:
        return len(self._declaration.laboratory.identities)


def server_use(declaration: Declaration) -> str:
    """Return the use of the identity with which the laboratory serves: "server" when given, else "tls"."""
    return SERVER if SERVER in declaration.laboratory.identities else TLS


def untrusted_use(declaration: Declaration) -> str:
    """Return the use of the identity whose certificate no product may trust: that of the server, "-other-authority"."""
    return f"{server_use(declaration)}-other-authority"


def tls_clients(norm: Norm, declaration: Declaration) -> tuple[TlsClient, Mapping[str, TlsClient]]:
    """Return how the laboratory normally connects, and every other way it could, by use of the identity."""
    authority = declaration.product.tls.authority
    bare = TlsClient(
        authorities=(authority,) if authority else declaration.laboratory.anchors,
        minimum=norm.security.tls.minimum,
        server_name=declaration.product.tls.server_name,
    )
    clients = {use: _with(bare, use, files, declaration) for use, files in declaration.laboratory.identities.items()}
    return clients.get(TLS, bare), clients


def _with(bare: TlsClient, use: str, files: IdentityFiles, declaration: Declaration) -> TlsClient:
    password = password_of(files, declaration)
    return TlsClient(
        name=use,
        certificate=files.certificate,
        key=files.key,
        password=password.decode() if password else "",
        authorities=bare.authorities,
        minimum=bare.minimum,
        server_name=bare.server_name,
    )
