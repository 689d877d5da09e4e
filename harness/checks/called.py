"""The checks on how a product calls: at which address, under which TLS certificate. Role client."""

from __future__ import annotations

from urllib.parse import urlsplit

from harness.checks.base import Miss, Misses, Scene, one_of
from harness.errors import SuiteFault
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


def peer(scene: Scene) -> Misses | None:
    """Met when the product presented in TLS a certificate of the kind that the security profile names, from an
    authority of the laboratory, valid and not revoked when it called.

    Says nothing where the profile names none, of a deposit that is a file, and – when only the norm's own `always`
    asks – where the step checks `signed`, which looks at the same certificate.
    """
    observed, security = scene.observed, scene.observed.norm.security
    if not security.tls.client_certificate or urlsplit(observed.exchange.url).scheme != "https":
        return None
    if scene.always and any(each.check == "signed" for each in scene.step.expect):
        return None
    refusal = scene.security.of_peer(observed)
    if refusal is None:
        return ()
    expected = tr("un certificat TLS de genre « {genre} »", genre=security.tls.client_certificate)
    message, detail = mark("Le certificat TLS du produit est refusé : {detail}"), {"detail": refusal.what}
    if refusal.reason == "unavailable":
        return (Miss("unavailable", message, expected, refusal.what, detail, verdict="inconclusive", blame="CONFIG"),)
    return (Miss(refusal.reason, message, expected, refusal.what, detail),)
