"""TLS handshakes that fail never reach an application: here they are told all the same, with the reason in French.

A product whose certificate is refused, or that speaks no TLS at all, would otherwise look like one that is silent.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from norms.i18n import speaking, tr
from norms.wire.listener import ServerTls

Tell = Callable[[str], None]
"""Of what was heard, in French; called in the thread of the listener."""

_NO_TLS: Final = ("HTTP_REQUEST", "HTTPS_PROXY_REQUEST")
_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE", "UNEXPECTED_MESSAGE")
_TOO_OLD: Final = ("UNSUPPORTED_PROTOCOL", "VERSION_TOO_LOW", "NO_SHARED_CIPHER")


def watched(tls: ServerTls, tell: Tell) -> ServerTls:
    """Return the same server side of TLS; `tell` hears of each handshake that fails."""
    return _Watched(
        certificate=tls.certificate,
        key=tls.key,
        authorities=tls.authorities,
        revocations=tls.revocations,
        minimum=tls.minimum,
        client=tls.client,
        check_time=tls.check_time,
        tell=tell,
    )


@dataclass(frozen=True)
class _Watched(ServerTls):
    tell: Tell = field(kw_only=True)

    def context(self) -> ssl.SSLContext:
        """Return the server context; raises UsageError when a file cannot be used."""
        context = super().context()
        # A documented hook of the ssl module: asyncio makes its TLS objects through it.
        context.sslobject_class = _telling(self.tell)
        return context


def _telling(tell: Tell) -> type[ssl.SSLObject]:
    """Return a class of TLS objects that tell of a handshake that fails."""

    class Told(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as failed:
                with speaking("fr"):
                    tell(_said(failed))
                raise

    return Told


def _said(failed: ssl.SSLError) -> str:
    reason = failed.reason or ""
    if isinstance(failed, ssl.SSLCertVerificationError):
        return tr("une connexion dont le certificat de client est refusé ({pourquoi})", pourquoi=failed.verify_message)
    if reason in _NO_TLS:
        return tr("du HTTP sans TLS")
    if reason in _NOT_TLS:
        return tr("une connexion qui ne parle pas TLS")
    if reason in _TOO_OLD:
        return tr("une connexion dans une version de TLS que la norme n'admet pas")
    if "ALERT" in reason:
        return tr(
            "une connexion que le produit a lui-même rompue : il refuse le certificat du laboratoire ({pourquoi})",
            pourquoi=reason.lower().replace("_", " "),
        )
    return tr("une connexion TLS qui n'a pas abouti ({pourquoi})", pourquoi=reason.lower().replace("_", " "))
