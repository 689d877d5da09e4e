"""A small norm of our own, its messages, and the means to spoil them: what the tests of the wire share."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from lxml import etree

from norms.errors import SecurityRefusal
from norms.model import (
    Algorithms,
    AssertionPolicy,
    CertificateKind,
    DirectionPolicy,
    FlowPolicy,
    Norm,
    Part,
    SecurityProfile,
    Service,
    Text,
    TimestampPolicy,
    Tls,
)
from norms.wire import names
from norms.wire.keys import Identity, load_identity
from norms.wire.replay import ReplayCache
from norms.wire.secure import Signers, Subject, secure_request, secure_response
from norms.wire.signature import Style, sign
from norms.wire.trust import Anchors
from norms.wire.verify import Verified, verify
from sandbox.pki import TestPki

NOW = datetime.now(UTC).replace(microsecond=0)
AUDIENCE = "https://localhost:8443/essai/1.0/question"
SKEW = timedelta(seconds=60)
LIFETIME = timedelta(seconds=300)
SUBJECT = Subject(attributes={"facturation": "751234567", "specialite": "01"})

SERVICE = Service(
    kind="QST",
    title=Text("Question"),
    soap="1.2",
    wsdl="",
    operation="demander",
    path="/essai/1.0/question",
    request=Part("q:Question", "urn:essai:demander"),
    response=Part("q:Reponse", "urn:essai:demanderResponse"),
    headers=("c:Contexte",),
    response_headers=("c:Contexte",),
)
SECURITY = SecurityProfile(
    name="essai",
    tls=Tls(client_certificate="carte-tls", server_certificate="serveur"),
    request=DirectionPolicy(
        AssertionPolicy("carte", ("CPS", "CPF"), ("facturation", "specialite"), lifetime_seconds=300),
        FlowPolicy("logiciel", ("body", "timestamp", "headers", "assertion")),
        TimestampPolicy(300),
    ),
    response=DirectionPolicy(None, FlowPolicy("reponse", ("body", "timestamp", "headers")), TimestampPolicy(300)),
    clock_skew_seconds=60,
    algorithms=Algorithms(
        ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",),
        ("http://www.w3.org/2001/04/xmlenc#sha256",),
        (names.EXC_C14N,),
        2048,
    ),
    kinds={
        "carte-tls": CertificateKind(("digital_signature",), ("content_commitment",), ("client_auth",)),
        "carte": CertificateKind(("content_commitment",), forbidden_extended=("client_auth", "server_auth")),
        "logiciel": CertificateKind(("digital_signature",), (), ("client_auth",), (), "LOGICIEL"),
        "serveur": CertificateKind(("digital_signature",), (), ("server_auth",)),
        "reponse": CertificateKind(("digital_signature",), organizational_unit="AMC-FLUX"),
    },
)
NORM = Norm(
    id="essai",
    version="1.0",
    revision="1",
    title=Text("Norme d'essai"),
    status="draft",
    provenance="reconstruction",
    valid_from="2020-01-01",
    valid_to="",
    replaces="",
    regime="laboratory",
    root=Path(),
    digest="",
    prefixes={"q": "urn:essai:question", "c": "urn:essai:contexte"},
    services=(SERVICE,),
    profiles=(),
    requirements=(),
    claims=(),
    extra_values=(),
    security=SECURITY,
)
REQUEST = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:c="urn:essai:contexte" xmlns:q="urn:essai:question">
  <s:Header>
    <c:Contexte Version="1.0"><c:Temps>2026-11-20T09:30:00Z</c:Temps></c:Contexte>
  </s:Header>
  <s:Body>
    <q:Question Version="1.0"><!-- un commentaire entre deux éléments ne gêne pas -->
      <q:Nir>1090763220834</q:Nir><q:Nom>Ève &amp; Zoé</q:Nom>
    </q:Question>
  </s:Body>
</s:Envelope>"""
RESPONSE = REQUEST.replace("Question", "Reponse")

Change = Callable[[etree._Element], None]


@dataclass
class Kit:
    """The test PKI with shorthands; every method works at NOW unless told otherwise."""

    pki: TestPki
    others: dict[str, Identity] = field(default_factory=dict)
    amc: dict[str, Identity] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.others = {use: load_identity(*files) for use, files in self.pki.laboratory_identities().items()}
        self.amc = {use: load_identity(*files) for use, files in self.pki.amc_identities().items()}

    @property
    def anchors(self) -> Anchors:
        return self.pki.anchors()

    @property
    def peer(self) -> x509.Certificate:
        return self.others["tls"].certificate

    def request(
        self, deviation: str = "", *, norm: Norm = NORM, now: datetime = NOW, subject: Subject = SUBJECT
    ) -> etree._Element:
        signers = Signers(self.others["assertion"], self.others["flow"], self.others)
        earlier = self.request(norm=norm, now=now) if deviation == "assertion-replayed" else None
        content = secure_request(
            etree.fromstring(REQUEST), norm, SERVICE, signers, subject, AUDIENCE, now, deviation, replay_of=earlier
        )
        return etree.fromstring(content)

    def response(self, deviation: str = "", *, norm: Norm = NORM) -> etree._Element:
        signers = Signers(flow=self.amc["flow"], others=self.amc)
        return etree.fromstring(secure_response(etree.fromstring(RESPONSE), norm, SERVICE, signers, NOW, deviation))

    def resigned(
        self, change: Change, *, assertion: str = "assertion", flow: str = "flow", prefixes: tuple[str, ...] = ()
    ) -> etree._Element:
        """A request whose content was changed before it was signed, by whom we say."""
        root = self.request()
        security = root.find(f".//{names.SECURITY}")
        saml = root.find(f".//{names.ASSERTION}")
        security.remove(security.find(names.SIGNATURE))
        saml.remove(saml.find(names.SIGNATURE))
        change(root)
        style = Style.of(SECURITY.algorithms)
        saml.insert(1, sign([(saml.get("ID"), saml)], self.others[assertion], style, enveloped=True))
        covered = [
            (item.get(names.WSU_ID) or item.get("ID"), item)
            for item in root.iter()
            if isinstance(item.tag, str) and (item.get(names.WSU_ID) or item is saml)
        ]
        security.append(sign(covered, self.others[flow], style))
        return etree.fromstring(etree.tostring(root))

    def changed(self, change: Change, deviation: str = "") -> etree._Element:
        """A request that was changed after everything was signed."""
        root = self.request(deviation)
        change(root)
        return etree.fromstring(etree.tostring(root))

    def verify(
        self,
        root: etree._Element,
        direction: str = "request",
        *,
        norm: Norm = NORM,
        at: datetime = NOW,
        audience: str | None = AUDIENCE,
        peer: str = "tls",
        replay: ReplayCache | None = None,
        anchors: Anchors | None = None,
        transport: bool = True,
    ) -> Verified:
        certificate = self.others[peer].certificate if peer else None
        return verify(
            root,
            norm,
            SERVICE,
            "request" if direction == "request" else "response",
            anchors or self.anchors,
            at,
            audience,
            certificate,
            replay,
            transport=transport,
        )

    def reason(self, root: etree._Element, direction: str = "request", **options: object) -> str:
        """The reason of the refusal, "" when the message is accepted."""
        try:
            self.verify(root, direction, **options)  # type: ignore[arg-type]
        except SecurityRefusal as refusal:
            return refusal.reason
        return ""


def assertion_of(root: etree._Element) -> etree._Element:
    return root.find(f".//{names.ASSERTION}")


def security_of(root: etree._Element) -> etree._Element:
    return root.find(f".//{names.SECURITY}")


def flow_of(root: etree._Element) -> etree._Element:
    return security_of(root).find(names.SIGNATURE)


def own_signature_of(root: etree._Element) -> etree._Element:
    return assertion_of(root).find(names.SIGNATURE)


def ds(name: str) -> str:
    return f"{{{names.DS}}}{name}"


def saml(name: str) -> str:
    return f"{{{names.SAML}}}{name}"


def clone(element: etree._Element) -> etree._Element:
    return copy.deepcopy(element)
