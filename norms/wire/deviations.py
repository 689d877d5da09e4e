"""Choosing and applying a deviation: a wrong way to secure a message, for probing a product."""

from __future__ import annotations

from datetime import UTC, datetime

from norms.errors import UsageError
from norms.i18n import tr
from norms.model import Norm, Service
from norms.wire.deviation_set import DEVIATIONS, Deviation
from norms.wire.gate import Direction
from norms.wire.recipe import Context, Recipe, Signers

__all__ = ["DEVIATIONS", "Deviation", "adapt", "applicable", "applies"]


def adapt(recipe: Recipe, context: Context, name: str) -> Recipe:
    """Return the recipe with one deviation. Raises UsageError: unknown, senseless here, or identity not given."""
    deviation = DEVIATIONS.get(name)
    if deviation is None:
        raise UsageError(tr("« {name} » n'est pas une déviation de sécurité.", name=name))
    if not applies(deviation, context):
        raise UsageError(tr("La déviation « {name} » n'a pas de sens pour ce service.", name=name))
    if deviation.identity and deviation.identity not in context.signers.others:
        raise UsageError(
            tr("La déviation « {name} » demande l'identité « {identity} ».", name=name, identity=deviation.identity)
        )
    return deviation.change(recipe, context)


def applicable(norm: Norm, service: Service, direction: Direction) -> tuple[str, ...]:
    """Return the names of the deviations that make sense for a service, in the order of the set."""
    context = Context(norm, service, direction, Signers(), datetime.now(UTC))
    return tuple(name for name, deviation in DEVIATIONS.items() if applies(deviation, context))


def applies(deviation: Deviation, context: Context) -> bool:
    """Tell whether the profile carries what the deviation spoils."""
    policy = context.policy
    present = {
        "security": any((policy.assertion, policy.flow, policy.timestamp)),
        "assertion": policy.assertion is not None,
        "attributes": policy.assertion is not None and bool(policy.assertion.attributes),
        "replay": policy.assertion is not None and policy.assertion.replay == "refused",
        "binding": policy.assertion is not None and policy.assertion.binding == "tls",
        "flow": policy.flow is not None,
        "signature": policy.assertion is not None or policy.flow is not None,
        "timestamp": policy.timestamp is not None,
        "service-headers": bool(context.header_names()),
    }
    if policy.flow:
        present |= {f"covers-{cover}": cover in policy.flow.covers for cover in ("body", "timestamp", "headers")}
    return context.direction in deviation.directions and all(present.get(need, False) for need in deviation.needs)
