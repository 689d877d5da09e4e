"""Judging the security of a message: the gate, the signatures, the certificates, the assertion, the times.

Nothing but a normal return counts as verified; what callers may read is what the returned value names.
Source: docs/formats/security.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography import x509
from lxml import etree

from norms.errors import SecurityRefusal
from norms.i18n import tr
from norms.model import CertificateKind, Norm, Service, TimestampPolicy
from norms.wire import names
from norms.wire.assertion import AssertionFacts, Subject, check_assertion
from norms.wire.gate import Direction, Layout, pass_gate, policy_of
from norms.wire.instants import read_instant
from norms.wire.replay import ReplayCache
from norms.wire.signature_check import SignatureForm, check_value, text_of
from norms.wire.trust import Anchors, check_chain

_T = TypeVar("_T")


@dataclass(frozen=True)
class Verified:
    """A message whose security holds.

    assertion_id, subject: of the assertion, "" and None when the profile carries none; the certificates are those
    that signed, None likewise; covered: names of the parts under the flow signature; body: the SOAP body that was
    verified (the element to read).
    """

    body: etree._Element
    assertion_id: str = ""
    subject: Subject | None = None
    assertion_certificate: x509.Certificate | None = None
    flow_certificate: x509.Certificate | None = None
    covered: tuple[str, ...] = ()


def verify(
    root: etree._Element,
    norm: Norm,
    service: Service,
    direction: Direction,
    anchors: Anchors,
    now: datetime,
    audience: str | None = None,
    peer: x509.Certificate | None = None,
    replay: ReplayCache | None = None,
    *,
    transport: bool = True,
) -> Verified:
    """Verify a message against the security profile of its norm.

    root: the parsed envelope, the same tree that will be read afterwards; now: aware date of reception; audience: the
    address that was called (requests); peer: certificate of the TLS client (requests); replay: None = repetition is
    not judged; transport: False for a message judged apart from its connection (a file): the peer and the audience
    are then not judged.

    Raises SecurityRefusal. Its reasons `internal` and `unavailable` are incidents of this house, never faults of the
    message: an unexpected error ends there, so that no error can look like a success.
    """
    try:
        return _verify(root, norm, service, direction, anchors, now, audience, peer, replay, transport)
    except SecurityRefusal:
        raise
    except Exception as error:
        raise SecurityRefusal(
            "internal", tr("La vérification a échoué de façon inattendue ({error}).", error=type(error).__name__)
        ) from error


def _verify(
    root: etree._Element,
    norm: Norm,
    service: Service,
    direction: Direction,
    anchors: Anchors,
    now: datetime,
    audience: str | None,
    peer: x509.Certificate | None,
    replay: ReplayCache | None,
    transport: bool,
) -> Verified:
    policy, profile = policy_of(norm, direction), norm.security
    skew = timedelta(seconds=profile.clock_skew_seconds)
    layout = pass_gate(root, norm, service, direction)
    if direction == "request" and transport:
        _check_peer(norm, anchors, now, peer)
    if policy.timestamp:
        _check_timestamp(_present(layout.timestamp), policy.timestamp, now, skew)
    facts = None
    if policy.assertion:
        form = _present(layout.assertion_signature)
        _check_signer(form, norm, policy.assertion.signer, anchors, now)
        wanted = _audience(policy.assertion.audience, audience, transport)
        facts = check_assertion(_present(layout.assertion), form.certificate, policy.assertion, wanted, now, skew)
        if policy.assertion.binding == "tls" and transport:
            _check_binding(form.certificate, peer)
    if policy.flow:
        _check_signer(_present(layout.flow_signature), norm, policy.flow.signer, anchors, now)
    if facts and replay is not None and policy.assertion and policy.assertion.replay == "refused":
        _check_replay(facts, replay, now)
    return _verified(layout, facts)


def _present(part: _T | None) -> _T:
    """Return a part of the profile. Its absence here is an error of the gate, never a message without that part."""
    if part is None:
        raise LookupError("the gate let a message pass without a part of its profile")
    return part


def _check_signer(form: SignatureForm, norm: Norm, kind: str, anchors: Anchors, now: datetime) -> None:
    check_chain(form.certificate, form.intermediates, anchors, _kind(norm, kind), now, norm.security.algorithms)
    check_value(form)


def _check_peer(norm: Norm, anchors: Anchors, now: datetime, peer: x509.Certificate | None) -> None:
    kind = norm.security.tls.client_certificate
    if not kind:
        return
    if peer is None:
        raise SecurityRefusal("certificate-missing", tr("L'appelant n'a pas présenté de certificat TLS."))
    check_chain(peer, (), anchors, _kind(norm, kind), now, norm.security.algorithms)


def _check_binding(signer: x509.Certificate, peer: x509.Certificate | None) -> None:
    if peer is None:
        raise SecurityRefusal("certificate-missing", tr("L'appelant n'a pas présenté de certificat TLS."))
    if signer.subject != peer.subject:
        raise SecurityRefusal(
            "assertion-binding", tr("Le signataire de l'assertion n'est pas le titulaire de la connexion TLS.")
        )


def _check_timestamp(element: etree._Element, policy: TimestampPolicy, now: datetime, skew: timedelta) -> None:
    if [child.tag for child in element] != [names.CREATED, names.EXPIRES]:
        raise SecurityRefusal("timestamp-structure", tr("L'horodatage doit porter Created puis Expires."))
    created, expires = (read_instant(text_of(child, "timestamp-structure"), "timestamp-structure") for child in element)
    if created > now + skew:
        raise SecurityRefusal("timestamp-future", tr("L'horodatage est dans le futur."))
    if now >= expires + skew:
        raise SecurityRefusal("timestamp-expired", tr("L'horodatage a expiré."))
    if not timedelta() < expires - created <= timedelta(seconds=policy.lifetime_seconds):
        raise SecurityRefusal(
            "timestamp-structure",
            tr(
                "L'horodatage vaut plus de {seconds} secondes, ou finit avant de commencer.",
                seconds=policy.lifetime_seconds,
            ),
        )


def _check_replay(facts: AssertionFacts, replay: ReplayCache, now: datetime) -> None:
    # The signer is part of the key: an identifier that two signers drew by chance is no repetition.
    key = hashlib.sha256(f"{facts.issuer}\n{facts.identifier}".encode()).hexdigest()
    if not replay.first_use(key, facts.until, now):
        raise SecurityRefusal("assertion-replayed", tr("Cette assertion a déjà servi."))


def _audience(policy: str, called: str | None, transport: bool) -> str | None:
    """Return the audience to demand; None only for a message judged apart from its connection."""
    if policy != "service":
        return policy
    return (called or "") if transport else called


def _kind(norm: Norm, name: str) -> CertificateKind:
    return norm.security.kinds[name]


def _verified(layout: Layout, facts: AssertionFacts | None) -> Verified:
    flow, own = layout.flow_signature, layout.assertion_signature
    return Verified(
        body=layout.envelope.body,
        assertion_id=facts.identifier if facts else "",
        subject=facts.subject if facts else None,
        assertion_certificate=own.certificate if own else None,
        flow_certificate=flow.certificate if flow else None,
        covered=tuple(reference.target.name for reference in flow.references) if flow else (),
    )
