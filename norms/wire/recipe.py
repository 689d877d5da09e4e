"""How the security of one message is built: the right recipe of a norm, of which a deviation replaces parts."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lxml import etree

from norms.errors import UsageError
from norms.i18n import tr
from norms.model import DirectionPolicy, Norm, Service
from norms.wire import names
from norms.wire.assertion import AssertionPlan, Subject
from norms.wire.gate import Direction, policy_of
from norms.wire.keys import Identity
from norms.wire.signature import Style
from norms.wire.soap import Envelope


@dataclass(frozen=True)
class Signers:
    """Who signs what. others: identities that deviations use, by the names of `Deviation.identity`."""

    assertion: Identity | None = None
    flow: Identity | None = None
    others: Mapping[str, Identity] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a recipe is made for; replay_of: an earlier secured message (or its assertion) to be used again."""

    norm: Norm
    service: Service
    direction: Direction
    signers: Signers
    now: datetime
    replay_of: etree._Element | None = None

    @property
    def policy(self) -> DirectionPolicy:
        """What the norm says of this direction."""
        return policy_of(self.norm, self.direction)

    @property
    def skew(self) -> timedelta:
        """The clock skew that receivers forgive."""
        return timedelta(seconds=self.norm.security.clock_skew_seconds)

    def header_names(self) -> tuple[str, ...]:
        """Prefixed names of the header blocks that belong to the service in this direction."""
        return self.service.headers if self.direction == "request" else self.service.response_headers


@dataclass(frozen=True)
class Parts:
    """A message under construction: its envelope and its security header."""

    envelope: Envelope
    security: etree._Element

    @property
    def assertion(self) -> etree._Element | None:
        """The assertion at its place."""
        return self.security.find(names.ASSERTION)


@dataclass(frozen=True)
class Recipe:
    """The parts of wsse:Security. None = left out.

    timestamp: (created, expires); copies: how many assertions; replayed: assertion used instead of a new one;
    before_flow: what is done to the message once the assertion is signed; after_flow: once everything is signed.
    """

    present: bool = True
    timestamp: tuple[datetime, datetime] | None = None
    assertion: AssertionPlan | None = None
    assertion_signer: Identity | None = None
    assertion_style: Style | None = None
    copies: int = 1
    replayed: etree._Element | None = None
    flow_signer: Identity | None = None
    flow_style: Style | None = None
    covers: tuple[str, ...] = ()
    before_flow: Callable[[Parts], None] | None = None
    after_flow: Callable[[Parts], None] | None = None


def right_recipe(context: Context, subject: Subject | None, audience: str) -> Recipe:
    """Return the recipe that the norm prescribes. Raises UsageError when a signer that it needs is not given."""
    policy, algorithms, now = context.policy, context.norm.security.algorithms, context.now
    style = Style.of(algorithms) if policy.assertion or policy.flow else None
    timestamp = (now, now + timedelta(seconds=policy.timestamp.lifetime_seconds)) if policy.timestamp else None
    signer, plan = None, None
    if policy.assertion:
        signer = _given(context.signers.assertion, "assertion")
        wanted = subject or Subject()
        plan = AssertionPlan(
            issuer=signer.subject,
            subject=Subject(
                wanted.name_id or signer.common_name, wanted.qualifier or policy.assertion.name_qualifiers[0]
            ),
            not_before=now,
            not_on_or_after=now + timedelta(seconds=policy.assertion.lifetime_seconds),
            audience=audience if policy.assertion.audience == "service" else policy.assertion.audience,
            attributes=tuple(wanted.attributes.items()),
        )
    return Recipe(
        timestamp=timestamp,
        assertion=plan,
        assertion_signer=signer,
        assertion_style=style if plan else None,
        flow_signer=_given(context.signers.flow, "flow") if policy.flow else None,
        flow_style=style if policy.flow else None,
        covers=policy.flow.covers if policy.flow else (),
    )


def new_identifier(prefix: str) -> str:
    """Return an identifier that no message has had before."""
    return f"{prefix}-{secrets.token_hex(16)}"


def _given(identity: Identity | None, name: str) -> Identity:
    if identity is None:
        raise UsageError(tr("La norme demande une identité « {name} » pour signer.", name=name))
    return identity
