"""The model of a norm version: what `norms.loader.load` returns. Values only, nothing here reads a file.

Source: the folder described in docs/formats/norm.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

Level = Literal["MUST", "SHOULD", "MAY"]
Severity = Literal["bloquante", "majeure", "mineure"]
Role = Literal["client", "server", "both"]
Status = Literal["draft", "published", "withdrawn"]


class Text(msgspec.Struct, frozen=True):
    """A text for people in both languages; English may be empty, then French is shown."""

    fr: str
    en: str = ""

    def __str__(self) -> str:
        from norms.i18n import language

        return self.en if language() == "en" and self.en else self.fr


class Requirement(msgspec.Struct, frozen=True):
    """One obligation of the norm (a row of requirements.csv). line: its line in that file."""

    id: str
    section: str
    level: Level
    severity: Severity
    role: Role
    applies_if: str
    text: Text
    not_tested_reason: str
    line: int = 0


class Claim(msgspec.Struct, frozen=True):
    """A question of the ICS (ics.csv). requirements: ids that the claim switches on."""

    id: str
    question: str
    status: Literal["mandatory", "optional", "conditional"]
    requirements: tuple[str, ...]
    line: int = 0


class ExtraValue(msgspec.Struct, frozen=True):
    """A value that a product supplies for testing (ixit.csv)."""

    name: str
    question: str
    example: str
    secret: bool
    line: int = 0


class Profile(msgspec.Struct, frozen=True):
    """A discipline: values that its cases use in `${name}` places."""

    code: str
    title: Text
    values: dict[str, str] = {}


class Part(msgspec.Struct, frozen=True):
    """One direction of a service. element: prefixed name of the payload; action: WS-Addressing / SOAP action."""

    element: str
    action: str


class Service(msgspec.Struct, frozen=True):
    """A message kind and how it travels. headers: prefixed names of header blocks that a request must carry.

    carrier: "soap", or "deposit": a bare document handed in over HTTPS or in a folder, answered by another; without
    WSDL, operation or security of its own, and put into an empty envelope of version `soap` where it is looked at;
    roles: of the products that are tested for it.
    """

    kind: str
    title: Text
    soap: Literal["1.1", "1.2"]
    wsdl: str
    operation: str
    path: str
    request: Part
    response: Part
    carrier: Literal["soap", "deposit"] = "soap"
    roles: tuple[Literal["client", "server"], ...] = ("client", "server")
    headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    version_at: str = ""
    version: str = ""


class Reading(msgspec.Struct, frozen=True):
    """Where the harness finds what every norm has: XPath with the norm's prefixes, "" when the norm has none.

    person: in a request, a text that is the same in all requests about one beneficiary.
    """

    result: str = ""
    fault: str = ""
    message_id: str = ""
    relates_to: str = ""
    action: str = ""
    person: str = ""


class Always(msgspec.Struct, frozen=True):
    """An expectation on every answer (or on every answer of `kinds`)."""

    requirement: str
    check: str
    kinds: tuple[str, ...] = ()
    at: str = ""
    value: str = ""
    values: tuple[str, ...] = ()
    table: str = ""


class Reaction(msgspec.Struct, frozen=True):
    """What a receiver must do with a bad message. outcomes: allowed refusals, "fault:CODE", "http:4xx" … (a set)."""

    requirement: str
    outcomes: tuple[str, ...]


class Reactions(msgspec.Struct, frozen=True):
    """The reaction to a request that breaks the schema or a rule; None = the norm prescribes none."""

    schema: Reaction | None = None
    rule: Reaction | None = None


class Rounding(msgspec.Struct, frozen=True):
    """How amounts are rounded: mode of the decimal module's names without ROUND_, lower case."""

    mode: str = "half-up"
    places: int = 2


class Limits(msgspec.Struct, frozen=True):
    """What a receiver accepts before it builds a tree. Bytes, counts and seconds."""

    body_bytes: int = 1_048_576
    depth: int = 64
    elements: int = 20_000
    attributes_per_element: int = 64
    text_bytes: int = 262_144
    header_count: int = 64
    header_bytes: int = 16_384
    header_seconds: float = 10
    body_seconds: float = 20


class Tls(msgspec.Struct, frozen=True):
    """Transport: lowest version accepted; kinds of certificates, "" = none asked."""

    minimum: str = "1.2"
    client_certificate: str = ""
    server_certificate: str = ""


class AssertionPolicy(msgspec.Struct, frozen=True):
    """The SAML 2.0 assertion of a request.

    audience: "service" = the address called; subject: "certificate" = the NameID is the common name, serial number or
    user id of the signer's certificate, "free" = another person's or structure's; values: what the laboratory writes
    into each attribute, in their order (`${name}` places), () = the value named like the attribute in snake case.
    """

    signer: str
    name_qualifiers: tuple[str, ...]
    attributes: tuple[str, ...]
    values: tuple[str, ...] = ()
    lifetime_seconds: int = 300
    audience: str = "service"
    replay: Literal["refused", "accepted"] = "refused"
    binding: Literal["tls", "none"] = "tls"
    subject: Literal["certificate", "free"] = "certificate"


class FlowPolicy(msgspec.Struct, frozen=True):
    """The signature of the flow: kind of its certificate and what it covers."""

    signer: str
    covers: tuple[Literal["body", "timestamp", "headers", "assertion"], ...]


class TimestampPolicy(msgspec.Struct, frozen=True):
    """wsu:Timestamp of a message."""

    lifetime_seconds: int = 300


class DirectionPolicy(msgspec.Struct, frozen=True):
    """What one direction carries; None = not carried."""

    assertion: AssertionPolicy | None = None
    flow: FlowPolicy | None = None
    timestamp: TimestampPolicy | None = None


class Algorithms(msgspec.Struct, frozen=True):
    """Allow-lists of algorithm URIs; the first of each is what we write ourselves."""

    signature: tuple[str, ...] = ()
    digest: tuple[str, ...] = ()
    canonicalization: tuple[str, ...] = ()
    rsa_minimum_bits: int = 2048


class CertificateKind(msgspec.Struct, frozen=True):
    """What tells one kind of certificate from another (names of X.509 key usages, snake case)."""

    key_usage: tuple[str, ...] = ()
    forbidden_usage: tuple[str, ...] = ()
    extended: tuple[str, ...] = ()
    forbidden_extended: tuple[str, ...] = ()
    organizational_unit: str = ""
    forbidden_units: tuple[str, ...] = ()


class Refusal(msgspec.Struct, frozen=True):
    """How a receiver answers a refusal of the wire: SOAP fault code, code of the error table, HTTP status."""

    fault: Literal["Sender", "Receiver"]
    code: str
    http: int


class SecurityProfile(msgspec.Struct, frozen=True):
    """Everything about security that the norm decides. kinds: certificate kinds by name; refusals: by reason code."""

    name: str
    tls: Tls = Tls()
    request: DirectionPolicy = DirectionPolicy()
    response: DirectionPolicy = DirectionPolicy()
    clock_skew_seconds: int = 60
    algorithms: Algorithms = Algorithms()
    limits: Limits = Limits()
    kinds: dict[str, CertificateKind] = {}
    refusals: dict[str, Refusal] = {}


class Withdrawal(msgspec.Struct, frozen=True):
    """The record that a published version was withdrawn. date: its last day (ISO)."""

    date: str
    reason: str


class Norm(msgspec.Struct, frozen=True):
    """A norm version, read and coherent. root: its folder; parents: the norms named in `uses`, in order.

    companions: the norms whose services a client product calls beside these, each spoken in its own words.

    status, valid_to: as norm.yaml says, unless there is a record of a `withdrawal`.

    requirements are the norm's own (see `all_requirements`); the other fields hold what the norms of `uses` give as
    well, unless the norm says otherwise.
    """

    id: str
    version: str
    revision: str
    title: Text
    status: Status
    provenance: Literal["reconstruction", "official"]
    valid_from: str
    valid_to: str
    replaces: str
    regime: Literal["laboratory", "self-conformance"]
    root: Path
    digest: str
    prefixes: dict[str, str]
    services: tuple[Service, ...]
    profiles: tuple[Profile, ...]
    requirements: tuple[Requirement, ...]
    claims: tuple[Claim, ...]
    extra_values: tuple[ExtraValue, ...]
    security: SecurityProfile
    schemas: tuple[Path, ...] = ()
    rules: tuple[Path, ...] = ()
    chains: tuple[Path, ...] = ()
    tables: dict[str, Path] = {}
    fill: dict[str, str] = {}
    default_given: str = ""
    reading: Reading = Reading()
    always: tuple[Always, ...] = ()
    rounding: Rounding = Rounding()
    parents: tuple[Norm, ...] = ()
    companions: tuple[Norm, ...] = ()
    reactions: Reactions = Reactions()
    derived_prefix: str = ""
    withdrawal: Withdrawal | None = None

    @property
    def ref(self) -> str:
        """The name people use: `ville/1.1`."""
        return f"{self.id}/{self.version}"

    @property
    def family(self) -> tuple[Norm, ...]:
        """The norm and those it uses, the norm first."""
        return (self, *self.parents)

    @property
    def all_requirements(self) -> tuple[Requirement, ...]:
        """The requirements of the family: what a product must meet."""
        return tuple(requirement for member in self.family for requirement in member.requirements)

    def requirement(self, requirement_id: str) -> Requirement | None:
        """Return the requirement of that id, of this norm, a parent or a companion, or None."""
        for member in (*self.family, *self.companions):
            for requirement in member.requirements:
                if requirement.id == requirement_id:
                    return requirement
        return None

    def service(self, kind: str) -> Service | None:
        """Return the service of that message kind or None."""
        return next((service for service in self.services if service.kind == kind), None)

    @property
    def speakers(self) -> tuple[Norm, ...]:
        """The norm, then its companions: all that a client product may be heard to speak."""
        return (self, *self.companions)

    def speaking(self, kind: str) -> Norm | None:
        """Return the norm that has the service of that kind: this one, else a companion, else None."""
        return next((norm for norm in self.speakers if norm.service(kind) is not None), None)

    def tested_services(self, role: Literal["client", "server"]) -> tuple[Service, ...]:
        """Return the services for which a product of that role is tested."""
        return tuple(service for service in self.services if role in service.roles)
