"""What the verifier says of the messages of one case: each is verified once, whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509

from harness.context import JudgeContext
from harness.errors import SuiteFault
from harness.observed import Observed
from norms.errors import SecurityRefusal
from norms.i18n import tr
from norms.wire.replay import MemoryReplayCache, ReplayCache
from norms.wire.second import cross_check
from norms.wire.trust import Anchors, check_chain
from norms.wire.verify import verify


@dataclass(frozen=True)
class Opinion:
    """What was said of the security of a message. refusal: None when it holds; split: a second verifier disagrees."""

    refusal: SecurityRefusal | None
    split: bool


class CaseSecurity:
    """What the verifier said of each message of one case; each message is verified once.

    One memory of assertions per case, or the one given: a product that uses an assertion twice is caught, a second
    expectation on the same message is no repetition. transport: False where the TLS connection is not known, as in a
    recording: what binds its certificate to the message is not judged, nor the address when that is missing too.
    """

    def __init__(self, context: JudgeContext, replay: ReplayCache | None = None, *, transport: bool = True) -> None:
        self._context, self._transport = context, transport
        self._replay = MemoryReplayCache() if replay is None else replay
        self._said: dict[str, Opinion] = {}

    def opinion(self, observed: Observed) -> Opinion:
        """Return what the verifier says of the message; a second one is asked before a product is blamed.

        Raises SuiteFault, and SecurityRefusal "internal" when the verifier itself failed.
        """
        key = observed.exchange.id
        if key not in self._said:
            refusal = self._verify(observed)
            asked = self._context.second_verifier and (refusal is not None or self._context.second_opinion)
            split = asked and self._disagreed(observed)
            self._said[key] = Opinion(refusal, split)
        return self._said[key]

    def of_peer(self, observed: Observed) -> SecurityRefusal | None:
        """Return what is wrong with the TLS certificate that the product presented, None when nothing is."""
        norm = observed.norm
        peer = self._peer(observed)
        if peer is None:
            return SecurityRefusal("certificate-missing", tr("L'appelant n'a pas présenté de certificat TLS."))
        kind = norm.security.kinds[norm.security.tls.client_certificate]
        try:
            check_chain(peer, (), self._trusted(), kind, observed.at, norm.security.algorithms)
        except SecurityRefusal as refusal:
            return refusal
        return None

    def _disagreed(self, observed: Observed) -> bool:
        norm, anchors = observed.norm, self._trusted()
        return cross_check(observed.root, norm, observed.service, observed.direction, anchors) == "disagree"

    def _trusted(self) -> Anchors:
        if self._context.anchors is None or not self._context.anchors.authorities:
            raise SuiteFault(tr("Aucune autorité de confiance n'est donnée pour juger une signature."))
        return self._context.anchors

    def _verify(self, observed: Observed) -> SecurityRefusal | None:
        request = observed.direction == "request"
        try:
            verify(
                observed.root,
                observed.norm,
                observed.service,
                observed.direction,
                self._trusted(),
                observed.at,
                audience=(observed.exchange.url or None) if request else None,
                peer=self._peer(observed) if request and self._transport else None,
                replay=self._replay if request else None,
                transport=self._transport,
            )
        except SecurityRefusal as refusal:
            if refusal.reason == "internal":
                raise
            return refusal
        return None

    def _peer(self, observed: Observed) -> x509.Certificate | None:
        digest = observed.exchange.tls.peer
        if not digest:
            return None
        encoded = self._context.certificates.get(digest)
        if encoded is None:
            raise SuiteFault(tr("Le certificat que le produit a présenté n'est pas dans l'enregistrement."))
        return x509.load_der_x509_certificate(encoded)
