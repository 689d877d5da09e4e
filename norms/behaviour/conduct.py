"""conduct.yaml: how a practice software behaves when it is told to act. Reading only; `sandbox.robot` carries it out.

Source: docs/formats/conduct.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast

from norms.behaviour.expressions import Expression
from norms.behaviour.places import inherited
from norms.dynamic import names
from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm
from norms.yamlfile import Node, nearest, read_yaml

End = Literal["accepted", "refused", "stopped"]

BELIEFS: Final = ("status", "valid", "correlated", "action", "signed")
"""What a software may look at before it believes an answer."""
OUTCOMES: Final[tuple[End, ...]] = ("accepted", "refused", "stopped")
"""How it can end: the service granted, the service refused, or the software itself went no further."""
CAUSES: Final = ("silence", "Sender", "Receiver")
"""What may make it send a request anew: no answer, or a fault of that side."""
VARIABLES: Final = ("request", "today", "action")
"""What expressions over an answer may use: the envelope of the request that it answers, the day (ISO 8601), the name of
the action that the user asked for."""

_NEEDED: Final = ("actions", "believes", "waits", "retries", "fault", "routes")
_MERGED: Final = ("actions", "routes", "directory", "optional", "messages")
_DIRECTORY: Final = ("kind", "every", "values", "refused", "shown", "found")


@dataclass(frozen=True, slots=True)
class Route:
    """What follows an answer that was believed. when None = otherwise.

    send: kind of the next request, "" = none, then `end` says how it ended; keep: values that later requests may use
    as `${name}`; tell: values reported to whoever asked; shown: what the user sees.
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
class Directory:
    """Whom the software asks where a service is. kind: of that request; values: kind sought -> values of the request
    (those for every kind among them).

    refused: whether an answer says no; shown: what the user then sees; found: the address in an answer, "" = none.
    """

    kind: str
    values: dict[str, dict[str, str]]
    refused: Expression
    shown: Expression
    found: Expression


@dataclass(frozen=True, slots=True)
class Conduct:
    """The whole file. believes: what is checked of an answer; waits: seconds for one; retries: how often a request is
    sent anew, on `causes`; shown: what the user sees of a fault; directory: None = addresses are those it is given;
    optional: kind -> elements that its request leaves out: leaves when they are empty, elements with children always;
    messages: kind -> file that its request starts from, in place of the canonical message.
    """

    actions: dict[str, Action]
    believes: tuple[str, ...]
    waits: float
    retries: int
    causes: tuple[str, ...]
    shown: Expression
    routes: dict[str, tuple[Route, ...]]
    directory: Directory | None = None
    optional: dict[str, tuple[Expression, ...]] = field(default_factory=dict)
    messages: dict[str, Path] = field(default_factory=dict)

    def route_ids(self) -> tuple[str, ...]:
        """Return the ids of all routes."""
        return tuple(route.id for routes in self.routes.values() for route in routes)

    def told(self) -> tuple[str, ...]:
        """Return the names of all values that routes tell, each once."""
        routes = (route for routes in self.routes.values() for route in routes)
        return tuple(dict.fromkeys(name for route in routes for name in route.tell))


def read_conduct(paths: Iterable[Path], norm: Norm) -> Conduct | None:
    """Read the files of a norm's family; keys of a later one win, those of actions, routes and directory one by one.

    What an inherited file says of services that the norm does not have is left out. None when there is no file.
    Raises NormError with file and line.
    """
    keys: dict[str, Node] = {}
    merged: dict[str, dict[str, Node]] = {name: {} for name in _MERGED}
    sought: dict[str, dict[str, Node]] = {}
    always: dict[str, Node] = {}
    for path in paths:
        found = read_yaml(path, NormError).only((), (*_NEEDED, "directory", "optional", "messages"))
        keys |= found
        for name in _MERGED:
            merged[name] |= found[name].mapping() if name in found else {}
        asked = found["directory"].only((), _DIRECTORY) if "directory" in found else {}
        always |= asked["every"].mapping() if "every" in asked else {}
        for kind, node in (asked["values"].mapping() if "values" in asked else {}).items():
            sought[kind] = sought.get(kind, {}) | node.mapping()
    if not keys:
        return None
    reader = _Reader(norm)
    place = next(iter(keys.values()))
    for name in _NEEDED:
        if name not in keys:
            raise NormError(tr("La clé « {name} » manque.", name=name), file=place.file)
    retries = keys["retries"].only(("times", "on"))
    conduct = Conduct(
        actions=reader.actions(merged["actions"]),
        believes=tuple(node.choice(BELIEFS) for node in keys["believes"].items()),
        waits=float(keys["waits"].integer(1)),
        retries=retries["times"].integer(),
        causes=tuple(node.choice(CAUSES) for node in retries["on"].items()),
        shown=Expression(norm, keys["fault"].only(("shown",))["shown"], ()),
        routes=reader.all_routes(merged["routes"]),
        directory=reader.directory(merged["directory"], always, sought),
        optional=reader.optional(merged["optional"]),
        messages=reader.messages(merged["messages"]),
    )
    for name, action in conduct.actions.items():
        for kind in action.allows:
            if kind not in conduct.routes:
                raise merged["actions"][name].fault(tr("Rien ne dit ce qui suit la réponse à « {kind} ».", kind=kind))
    return conduct


class _Reader:
    def __init__(self, norm: Norm) -> None:
        self._norm = norm
        self._kinds = tuple(service.kind for speaker in norm.speakers for service in speaker.services)

    def _foreign(self, node: Node, *kinds: str) -> bool:
        """Tell whether an inherited file speaks of a service that the norm does not have."""
        return inherited(self._norm, node.file) and any(kind not in self._kinds for kind in kinds)

    def actions(self, nodes: dict[str, Node]) -> dict[str, Action]:
        found = {}
        for name, node in nodes.items():
            keys = node.only(("start",), ("allows",))
            named = (keys["start"], *(keys["allows"].items() if "allows" in keys else ()))
            if not self._foreign(node, *(each.text() for each in named)):
                kinds = tuple(dict.fromkeys(each.choice(self._kinds) for each in named))
                found[name] = Action(kinds[0], kinds)
        return found

    def all_routes(self, nodes: dict[str, Node]) -> dict[str, tuple[Route, ...]]:
        return {kind: self._routes(kind, node) for kind, node in nodes.items() if not self._foreign(node, kind)}

    def _routes(self, kind: str, node: Node) -> tuple[Route, ...]:
        speaker = self._speaker(kind, node)
        routes = tuple(self._route(member, speaker) for member in node.items())
        if not routes or routes[-1].when is not None:
            raise node.fault(
                tr("La table de « {kind} » n'a pas de ligne par défaut.", kind=kind),
                tr("Ajoutez une dernière ligne sans « when »."),
            )
        return routes

    def _speaker(self, kind: str, node: Node) -> Norm:
        speaker = self._norm.speaking(kind)
        if speaker is None:
            raise node.fault(tr("Le message « {kind} » n'existe pas.", kind=kind), nearest(kind, self._kinds))
        return speaker

    def _route(self, node: Node, speaker: Norm) -> Route:
        keys = node.only(("id",), ("when", "send", "end", "keep", "tell", "shown"))
        if ("send" in keys) == ("end" in keys):
            raise node.fault(tr("Une route a une suite : « send » ou « end »."))
        send = keys["send"] if "send" in keys and not self._foreign(node, keys["send"].text()) else None
        return Route(
            id=keys["id"].text(),
            when=_expression(keys.get("when"), speaker),
            send=send.choice(self._kinds) if send is not None else "",
            end=cast(End, keys["end"].choice(OUTCOMES)) if "end" in keys else "accepted",
            keep=_expressions(keys.get("keep"), speaker),
            tell=_expressions(keys.get("tell"), speaker),
            shown=_expression(keys.get("shown"), speaker),
        )

    def directory(
        self, keys: dict[str, Node], always: dict[str, Node], sought: dict[str, dict[str, Node]]
    ) -> Directory | None:
        if not keys:
            return None
        for name in ("kind", "values", "refused", "shown", "found"):
            if name not in keys:
                raise next(iter(keys.values())).fault(tr("La clé « {name} » manque.", name=name))
        kind = keys["kind"].text()
        if self._foreign(keys["kind"], kind):
            return None
        speaker = self._speaker(kind, keys["kind"])
        known = {name for text in speaker.fill.values() for name in names(text)}
        values = {}
        for member, nodes in sought.items():
            place = next(iter(nodes.values()), keys["values"])
            if not self._foreign(place, member):
                self._speaker(member, place)
                values[member] = {name: node.text() for name, node in {**always, **nodes}.items()}
        for name, node in (pair for nodes in (always, *sought.values()) for pair in nodes.items()):
            if name not in known:
                raise node.fault(
                    tr("La demande « {kind} » ne porte pas de valeur « {name} ».", kind=kind, name=name),
                    nearest(name, sorted(known)),
                )
        return Directory(
            kind, values, *(Expression(speaker, keys[name], VARIABLES) for name in ("refused", "shown", "found"))
        )

    def optional(self, nodes: dict[str, Node]) -> dict[str, tuple[Expression, ...]]:
        return {
            kind: tuple(Expression(self._speaker(kind, node), each, ()) for each in node.items())
            for kind, node in nodes.items()
            if not self._foreign(node, kind)
        }

    def messages(self, nodes: dict[str, Node]) -> dict[str, Path]:
        found = {}
        for kind, node in nodes.items():
            if not self._foreign(node, kind):
                self._speaker(kind, node)
                found[kind] = Path(node.file).parent / node.text()
                if not found[kind].is_file():
                    raise node.fault(tr("Le fichier « {name} » n'existe pas.", name=node.text()))
        return found


def _expression(node: Node | None, norm: Norm) -> Expression | None:
    return Expression(norm, node, VARIABLES) if node is not None else None


def _expressions(node: Node | None, norm: Norm) -> dict[str, Expression]:
    members = node.mapping() if node is not None else {}
    return {name: Expression(norm, member, VARIABLES) for name, member in members.items()}
