"""The check on where a product sends its request. Role client."""

from __future__ import annotations

from harness.checks.base import Miss, Misses, Scene, SuiteFault, one_of
from norms.i18n import mark, tr
from scenarios.bindings import address_value


def called_at(scene: Scene) -> Misses:
    """Met when the request was sent to one of the addresses, by default to that of the session for this service."""
    exchange = scene.observed.exchange
    session = exchange.bindings.get(address_value(scene.observed.service.kind), "")
    wanted = scene.values or ((session,) if session else ())
    if not wanted:
        raise SuiteFault(tr("L'adresse de la session n'est pas enregistrée."))
    if exchange.url in wanted:
        return ()
    message = mark("La demande est envoyée à {trouve} au lieu de {attendu}.")
    params = {"trouve": exchange.url, "attendu": one_of(wanted)}
    return (
        Miss("called-elsewhere", message, tr("un appel à {adresse}", adresse=one_of(wanted)), exchange.url, params),
    )
