"""Plain HTTP for this machine: what the relay listens with, since a product that cannot sign yet may lack TLS too."""

from __future__ import annotations

import ipaddress
from typing import Final

from norms.errors import UsageError
from norms.i18n import tr
from norms.model import Limits
from norms.wire.listener import App, Listener

_MOST_AT_ONCE: Final = 64


def plain_listener(app: App, host: str, port: int, limits: Limits, *, remote: bool = False) -> Listener:
    """Return a listener without TLS; while more than 64 connections are open, requests get 503.

    host: a loopback address or "localhost"; any other only when `remote` says so. Raises UsageError.
    """
    if not (remote or _is_loopback(host)):
        raise UsageError(
            tr(
                "« {host} » n'est pas une adresse de cette machine seule : qui l'atteint ferait signer ce qu'il "
                "veut. Écoutez sur 127.0.0.1, ou ajoutez --allow-remote si c'est voulu.",
                host=host,
            )
        )
    own = "127.0.0.1" if host == "localhost" else host
    return Listener(app, own, port, None, limits, most_at_once=_MOST_AT_ONCE)


def _is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches `host`; a name other than localhost is not asked for."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
