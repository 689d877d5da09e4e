"""From HTTP bytes to an admitted request: the checks of a practice partner, in order.

Every check refuses with a reason code of `norms.wire.reasons`; a reason that the world tolerates is not pronounced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from lxml import etree

from norms.check import Checker, checker_for
from norms.errors import ParseRefusal, SecurityRefusal
from norms.functions import text_of, xpath
from norms.i18n import tr
from norms.model import Norm, Service
from norms.parsing import parse
from norms.wire.deposit import enveloped, is_bare
from norms.wire.replay import MemoryReplayCache
from norms.wire.soap import NAMESPACES, Envelope, qname
from norms.wire.trust import Anchors, check_chain
from norms.wire.verify import verify
from sandbox.messages import HttpRequest
from sandbox.plan import Plan

_MEDIA: Final = {"1.1": "text/xml", "1.2": "application/soap+xml"}
_DEPOSIT_MEDIA: Final = "application/xml"
_ACTION: Final = re.compile(r""";\s*action\s*=\s*(?:"([^"]*)"|([^\s;"]*))""", re.IGNORECASE)
_SECURITY: Final = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}Security"
_ADDRESSING: Final = "http://www.w3.org/2005/08/addressing"
_TRUE: Final = ("1", "true")
_TLS_REASONS: Final = {
    "none": ("certificate-missing",),
    "expired": ("certificate-expired", "certificate-not-yet-valid"),
    "revoked": ("certificate-revoked",),
    "untrusted": ("certificate-untrusted",),
}


@dataclass(slots=True)
class Call:
    """One request on its way in. services: those of the address called; root and service: known as the checks go on.

    tolerated: reasons not pronounced by the world's plan; followed: those added by what was already let pass.
    """

    services: tuple[Service, ...]
    request: HttpRequest
    now: datetime
    address: str
    root: etree._Element | None = None
    service: Service | None = None
    tolerated: frozenset[str] = field(default_factory=frozenset)
    followed: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_deposit(self) -> bool:
        """Whether the address takes bare documents."""
        return self.services[0].carrier == "deposit"

    @property
    def kind(self) -> str:
        """The message kind, "" while it is not known."""
        return self.service.kind if self.service else ""

    def tolerates(self, reason: str) -> bool:
        """Tell whether a refusal is not pronounced in this request."""
        return reason in self.tolerated or reason in self.followed


class Admission:
    """The checks of one partner. anchors: authorities it trusts; its replay cache is its own."""

    def __init__(self, norm: Norm, anchors: Anchors, plan: Plan) -> None:
        self._norm, self._anchors, self._plan = norm, anchors, plan
        self._replay = MemoryReplayCache()
        self._checker: Checker = checker_for(norm)
        self._action = xpath(norm, norm.reading.action) if norm.reading.action else None
        self._versions = {
            service.kind: xpath(norm, service.version_at) for service in norm.services if service.version_at
        }
        self._peers: dict[tuple[bytes, int], tuple[str, str]] = {}

    def admit(self, call: Call) -> tuple[etree._Element, Service]:
        """Return the tree and the service of a good request. Raises ParseRefusal or SecurityRefusal."""
        call.tolerated = self._plan.tolerated()
        soap = call.services[0].soap
        self._try(call, lambda: _check_http(call.request, _DEPOSIT_MEDIA if call.is_deposit else _MEDIA[soap]))
        root = call.root = self._parse(call)
        if call.is_deposit:
            root = call.root = _opened(root)
        else:
            self._try(call, lambda: _check_envelope(root, soap))
        payload = _payload(root)
        call.service = self._service(call, payload)
        service = call.service
        call.tolerated = self._plan.tolerated(service.kind, root)
        if not call.is_deposit:
            self._try(call, lambda: _check_understood(root, self._known(service)))
            self._try(call, lambda: self._check_action(call, root, service))
            self._try(call, lambda: self._check_headers(root, service))
        self._try(call, lambda: self._check_version(root, service))
        self._try(call, lambda: self._check_peer(call))
        if not call.is_deposit:
            self._try(call, lambda: self._verify(call, root, service))
        self._check_content(call, root, service)
        reason = self._plan.refused(service.kind, root, call.request.headers)
        if reason:
            raise SecurityRefusal(reason, tr("Refus prévu par un défaut."))
        return root, service

    def _try(self, call: Call, check: Callable[[], None]) -> None:
        try:
            check()
        except (ParseRefusal, SecurityRefusal) as refusal:
            self._let_pass(call, refusal)

    def _let_pass(self, call: Call, refusal: ParseRefusal | SecurityRefusal) -> None:
        """Forget a refusal that the world tolerates, with those that follow from it; raise any other."""
        if not call.tolerates(refusal.reason):
            raise refusal
        call.followed |= self._plan.following(refusal.reason)

    def _parse(self, call: Call) -> etree._Element:
        request = call.request
        try:
            return parse(request.body, self._norm.security.limits, request.headers.get("content-type"))
        except ParseRefusal as refusal:
            self._let_pass(call, refusal)
            root = _salvage(request.body)
            if root is None:
                raise
            return root

    def _service(self, call: Call, payload: etree._Element | None) -> Service:
        for service in call.services:
            if payload is not None and payload.tag == qname(self._norm.prefixes, service.request.element):
                return service
        unknown = SecurityRefusal("unknown-operation", tr("Le corps n'est celui d'aucune opération de ce service."))
        self._let_pass(call, unknown)
        return call.services[0]

    def _known(self, service: Service) -> frozenset[str]:
        return frozenset({_SECURITY, *(qname(self._norm.prefixes, name) for name in service.headers)})

    def _check_action(self, call: Call, root: etree._Element, service: Service) -> None:
        announced = _announced_action(call.request, service.soap)
        if announced is not None and announced != service.request.action:
            raise SecurityRefusal("action-mismatch", tr("L'action HTTP n'est pas celle de l'opération."))
        if announced is None and service.soap == "1.1":
            raise SecurityRefusal("action-mismatch", tr("L'en-tête SOAPAction manque."))
        if self._action is not None and str(text_of(self._action(root))).strip() != service.request.action:
            raise SecurityRefusal("action-mismatch", tr("L'action de l'en-tête SOAP n'est pas celle de l'opération."))

    def _check_headers(self, root: etree._Element, service: Service) -> None:
        envelope = Envelope.of(root)
        for name in service.headers:
            if not envelope.blocks(qname(self._norm.prefixes, name)):
                raise SecurityRefusal("header-missing", tr("Le bloc d'en-tête {name} manque.", name=name))

    def _check_version(self, root: etree._Element, service: Service) -> None:
        expression = self._versions.get(service.kind)
        declared = str(text_of(expression(root))).strip() if expression is not None else ""
        # A missing declaration is the schema's business.
        if declared and declared != service.version:
            raise SecurityRefusal("norm-version", tr("La version déclarée de la norme n'est pas celle du service."))

    def _check_peer(self, call: Call) -> None:
        """Check the kind of the caller's certificate: the TLS handshake knows the authority, not the norm's kinds."""
        kind = self._norm.security.tls.client_certificate
        if not kind:
            return
        tolerated = {reason for word in self._plan.accepted_tls for reason in _TLS_REASONS[word]}
        reason, what = self._judge_peer(call, kind)
        if reason and reason not in tolerated:
            raise SecurityRefusal(reason, what)
        # The verifier looks at the same certificate again.
        call.tolerated |= {reason} & tolerated

    def _judge_peer(self, call: Call, kind: str) -> tuple[str, str]:
        """Return the refusal of a certificate, ("", "") for a good one; remembered for a minute."""
        peer = call.request.peer
        if peer is None:
            return "certificate-missing", tr("L'appelant n'a pas présenté de certificat.")
        key = (peer, int(call.now.timestamp()) // 60)
        known = self._peers.get(key)
        if known is None:
            security = self._norm.security
            known = ("", "")
            try:
                certificate = x509.load_der_x509_certificate(peer)
                check_chain(certificate, (), self._anchors, security.kinds[kind], call.now, security.algorithms)
            except ValueError:
                known = ("certificate-untrusted", tr("Le certificat de l'appelant est illisible."))
            except SecurityRefusal as refusal:
                known = (refusal.reason, refusal.what)
            if len(self._peers) > 1000:
                self._peers.clear()
            self._peers[key] = known
        return known

    def _verify(self, call: Call, root: etree._Element, service: Service) -> None:
        policy = self._norm.security.request
        if policy.assertion is None and policy.flow is None and policy.timestamp is None:
            return
        peer = x509.load_der_x509_certificate(call.request.peer) if call.request.peer else None
        verify(root, self._norm, service, "request", self._anchors, call.now, call.address, peer, self._replay)

    def _check_content(self, call: Call, root: etree._Element, service: Service) -> None:
        """Check schemas and rules. The first schema engine decides alone: the second one is for verdicts."""
        self._try(call, lambda: self._check_schema(root, service))
        if not (call.tolerates("rule") or call.tolerates("code-table")) and self._checker.rule_problems(root):
            raise SecurityRefusal("rule", tr("La demande enfreint une règle de la norme."))

    def _check_schema(self, root: etree._Element, service: Service) -> None:
        envelope = Envelope.of(root)
        parts = [block for name in service.headers for block in envelope.blocks(qname(self._norm.prefixes, name))]
        if envelope.payload is not None:
            parts.append(envelope.payload)
        if not all(self._checker.schemas.valid(part) for part in parts):
            raise SecurityRefusal("schema", tr("La demande n'est pas valide selon les schémas de la norme."))


def _check_http(request: HttpRequest, wanted: str) -> None:
    if request.method != "POST":
        raise SecurityRefusal("http-method", tr("Seule la méthode POST est admise."))
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise SecurityRefusal("content-encoding", tr("Un corps compressé n'est pas admis."))
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != wanted:
        raise SecurityRefusal("media-type", tr("Le type de contenu attendu est {media}.", media=wanted))


def _opened(root: etree._Element) -> etree._Element:
    """Return a bare document in an envelope. Raises SecurityRefusal for one that has its own."""
    if not is_bare(root):
        raise SecurityRefusal("envelope-structure", tr("Un dépôt est un document XML sans enveloppe SOAP."))
    return enveloped(root)


def _check_envelope(root: etree._Element, soap: str) -> None:
    envelope = Envelope.of(root)
    if envelope.namespace != NAMESPACES[soap]:
        raise SecurityRefusal("envelope-version", tr("L'enveloppe attendue est SOAP {soap}.", soap=soap))
    if len([child for child in envelope.body if isinstance(child.tag, str)]) != 1:
        raise SecurityRefusal("envelope-structure", tr("Le corps SOAP doit porter exactement un élément."))


def _check_understood(root: etree._Element, known: Iterable[str]) -> None:
    envelope = Envelope.of(root)
    name = f"{{{envelope.namespace}}}mustUnderstand"
    for block in envelope.header if envelope.header is not None else ():
        if not isinstance(block.tag, str) or str(block.get(name, "")).strip() not in _TRUE:
            continue
        if block.tag not in known and etree.QName(block).namespace != _ADDRESSING:
            raise SecurityRefusal("must-understand", tr("Un bloc d'en-tête obligatoire n'est pas connu."))


def _announced_action(request: HttpRequest, soap: str) -> str | None:
    """Return the action of the HTTP headers, None when they announce none."""
    if soap == "1.1":
        header = request.headers.get("soapaction")
        return header.strip().strip('"') if header is not None else None
    found = _ACTION.search(request.headers.get("content-type", ""))
    return (found[1] if found[1] is not None else found[2]) if found else None


def _payload(root: etree._Element) -> etree._Element | None:
    body = next(
        (child for child in root if isinstance(child.tag, str) and etree.QName(child).localname == "Body"), None
    )
    return next((child for child in body if isinstance(child.tag, str)), None) if body is not None else None


def _salvage(body: bytes) -> etree._Element | None:
    """Read what the norm refuses to read, for worlds that wrongly accept it; still without network or entities."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True, remove_pis=True)
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
