"""conduct.yaml: how a practice software behaves when it is told to act. Reading only; `sandbox.robot` carries it out.

Source: docs/formats/conduct.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

from norms.behaviour.expressions import Expression
from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm
from norms.yamlfile import Node, nearest, read_yaml

End = Literal["accepted", "refused"]

BELIEFS: Final = ("status", "valid", "correlated", "action", "signed")
"""What a software may look at before it believes an answer."""
OUTCOMES: Final = ("accepted", "refused", "stopped")
"""How it can end: the service granted, the service refused, or the software itself went no further."""
CAUSES: Final = ("silence", "Sender", "Receiver")
"""What may make it send a request anew: no answer, or a fault of that side."""


@dataclass(frozen=True, slots=True)
class Route:
    """What follows an answer that was believed. when None = otherwise.

    send: kind of the next request, "" = none, then `end` says how it ended; keep: values of the answer that later
    requests may use as `${name}`; tell: values reported to whoever asked; shown: what the user sees.
    """

    id: str
    when: Expression | None
    send: str
    end: End
    keep: dict[str, Expression]
    tell: dict[str, Expression]
    shown: Expression | None


@dataclass(frozen=True, slots=True)
class Action:
    """Something a user asks for. start: kind of the first request; allows: the kinds it may lead to."""

    start: str
    allows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conduct:
    """The whole file. believes: what is checked of an answer; waits: seconds for one; retries: how often a request is
    sent anew, on `causes`; shown: what the user sees of a fault.
    """

    actions: dict[str, Action]
    believes: tuple[str, ...]
    waits: float
    retries: int
    causes: tuple[str, ...]
    shown: Expression
    routes: dict[str, tuple[Route, ...]]

    def route_ids(self) -> tuple[str, ...]:
        """Return the ids of all routes."""
        return tuple(route.id for routes in self.routes.values() for route in routes)


def read_conduct(paths: Iterable[Path], norm: Norm) -> Conduct | None:
    """Read the files of a norm's family; keys of a later one win. None when there is none.

    Raises NormError with file and line.
    """
    keys: dict[str, Node] = {}
    routes: dict[str, Node] = {}
    actions: dict[str, Node] = {}
    for path in paths:
        found = read_yaml(path, NormError).only((), ("actions", "believes", "waits", "retries", "fault", "routes"))
        keys |= found
        routes |= found["routes"].mapping() if "routes" in found else {}
        actions |= found["actions"].mapping() if "actions" in found else {}
    if not keys:
        return None
    reader = _Reader(norm)
    place = next(iter(keys.values()))
    for name in ("actions", "believes", "waits", "retries", "fault", "routes"):
        if name not in keys:
            raise NormError(tr("La clé « {name} » manque.", name=name), file=place.file)
    retries = keys["retries"].only(("times", "on"))
    conduct = Conduct(
        actions={name: reader.action(node) for name, node in actions.items()},
        believes=tuple(node.choice(BELIEFS) for node in keys["believes"].items()),
        waits=float(keys["waits"].integer(1)),
        retries=retries["times"].integer(),
        causes=tuple(node.choice(CAUSES) for node in retries["on"].items()),
        shown=Expression(norm, keys["fault"].only(("shown",))["shown"], ()),
        routes={kind: reader.routes(kind, node) for kind, node in routes.items()},
    )
    for name, action in conduct.actions.items():
        for kind in action.allows:
            if kind not in conduct.routes:
                raise actions[name].fault(tr("Rien ne dit ce qui suit la réponse à « {kind} ».", kind=kind))
    return conduct


class _Reader:
    def __init__(self, norm: Norm) -> None:
        self._norm = norm
        self._kinds = tuple(service.kind for service in norm.services)

    def action(self, node: Node) -> Action:
        keys = node.only(("start",), ("allows",))
        start = keys["start"].choice(self._kinds)
        allowed = tuple(each.choice(self._kinds) for each in keys["allows"].items()) if "allows" in keys else ()
        return Action(start, tuple(dict.fromkeys((start, *allowed))))

    def routes(self, kind: str, node: Node) -> tuple[Route, ...]:
        if kind not in self._kinds:
            raise node.fault(tr("Le message « {kind} » n'existe pas.", kind=kind), nearest(kind, self._kinds))
        routes = tuple(self._route(member) for member in node.items())
        if not routes or routes[-1].when is not None:
            raise node.fault(
                tr("La table de « {kind} » n'a pas de ligne par défaut.", kind=kind),
                tr("Ajoutez une dernière ligne sans « when »."),
            )
        return routes

    def _route(self, node: Node) -> Route:
        keys = node.only(("id",), ("when", "send", "end", "keep", "tell", "shown"))
        if ("send" in keys) == ("end" in keys):
            raise node.fault(tr("Une route a une suite : « send » ou « end »."))
        return Route(
            id=keys["id"].text(),
            when=self._expression(keys.get("when")),
            send=keys["send"].choice(self._kinds) if "send" in keys else "",
            end=cast(End, keys["end"].choice(("accepted", "refused"))) if "end" in keys else "accepted",
            keep=self._expressions(keys.get("keep")),
            tell=self._expressions(keys.get("tell")),
            shown=self._expression(keys.get("shown")),
        )

    def _expression(self, node: Node | None) -> Expression | None:
        return Expression(self._norm, node, ()) if node is not None else None

    def _expressions(self, node: Node | None) -> dict[str, Expression]:
        members = node.mapping() if node is not None else {}
        return {name: Expression(self._norm, member, ()) for name, member in members.items()}
