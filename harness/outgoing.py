"""From a step to a request ready to leave: message built, deviated, secured, addressed.

Deterministic apart from the clock, fresh identifiers and signatures. Knows no network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from harness import crafting
from harness.errors import CannotRun
from harness.http_message import HttpRequest, request_target
from harness.identities import ASSERTION, FLOW, Lent, tls_clients
from harness.network import TlsClient
from norms.filling import Clock
from norms.i18n import tr
from norms.model import Norm, Service
from norms.wire.attributes import subject_of
from norms.wire.secure import DEVIATIONS, Signers, secure_request
from scenarios.declaration import Declaration
from scenarios.model import Case, Step
from scenarios.rendering import build_message


@dataclass(frozen=True)
class Outgoing:
    """A request ready to leave. raw: bytes to send as they are (a deviation of HTTP); fresh: own connection."""

    kind: str
    request: HttpRequest
    tls: TlsClient
    raw: bytes | None
    fresh: bool
    security: str
    http: str


def needs_earlier(step: Step) -> bool:
    """Tell whether the deviation of a step uses something of an earlier request again."""
    deviation = DEVIATIONS.get(step.security)
    return deviation is not None and "replay" in deviation.needs


class Workshop:
    """Makes the requests of one run: the norm, the product's addresses and the laboratory's identities."""

    def __init__(self, norm: Norm, declaration: Declaration) -> None:
        self._norm, self._declaration = norm, declaration
        self._tls, self._clients = tls_clients(norm, declaration)
        lent = Lent(declaration)
        self._signers = Signers(assertion=lent.get(ASSERTION), flow=lent.get(FLOW), others=lent)

    def make(
        self,
        case: Case,
        step: Step,
        bindings: Mapping[str, str],
        clock: Clock,
        replay_of: etree._Element | None = None,
    ) -> Outgoing:
        """Return the request of a `send` step.

        replay_of: an earlier secured request, for a deviation that uses something of it again (`needs_earlier`).
        Raises CannotRun when the declaration lacks an address or an identity, DataError when the scenario does not fit.
        """
        norm, url = self._norm, self._address(step.send)
        service = self._service(step.send)
        tls = crafting.tls_for(step.http, self._tls, self._clients)
        if tls is None:
            raise _missing(step.http)
        deviation = DEVIATIONS.get(step.security)
        if deviation is not None and deviation.identity and deviation.identity not in self._signers.others:
            raise _missing(deviation.identity)
        root = build_message(norm, case, step, bindings, clock)
        root = crafting.shape_tree(root, step.http, service, norm.security.limits)
        body = secure_request(
            root,
            norm,
            service,
            self._signers,
            subject_of(norm, bindings, clock.today),
            url,
            clock.now,
            step.security,
            replay_of=replay_of,
        )
        request = crafting.plain_request(url, request_target(url), service, body)
        if step.http in crafting.DEVIATIONS:
            request = crafting.shape_request(request, step.http, norm, service)
            raw = crafting.raw_bytes(request, step.http)
        else:
            raw = None
        return Outgoing(step.send, request, tls, raw, bool(step.http), step.security, step.http)

    def _address(self, kind: str) -> str:
        try:
            return self._declaration.product.endpoints[kind]
        except KeyError:
            raise CannotRun(tr("La déclaration ne donne pas l'adresse du service {kind}.", kind=kind)) from None

    def _service(self, kind: str) -> Service:
        service = self._norm.service(kind)
        if service is None:
            raise CannotRun(tr("La norme ne connaît pas le service {kind}.", kind=kind))
        return service


def _missing(use: str) -> CannotRun:
    return CannotRun(
        tr(
            "La déclaration ne donne pas l'identité « {nom} » (laboratory: identities), nécessaire à ce cas.",
            nom=use,
        )
    )
