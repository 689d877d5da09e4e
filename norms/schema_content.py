"""What the schemas of a norm allow at each place of its messages: `prefix:Element/prefix:Child/@attribute` -> content.

Places are named with the norm's prefixes, so that a namespace which carries a version number does not change them.
Facets of restricted types are those in force: the nearest one, but all patterns. Source: XML Schema 1.0 parts 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm
from norms.places import prefixes_by_namespace
from norms.schema import XSD, roots_of, walk

_WILDCARD: Final = "*"


class Order(msgspec.Struct, frozen=True):
    """How children follow each other. model: "sequence", "choice", "all" or "" (empty); members: names and groups."""

    model: str = ""
    occurs: str = "1..1"
    members: tuple[str | Order, ...] = ()

    def names(self) -> frozenset[str]:
        """Return the names of all children."""
        below = (member.names() if isinstance(member, Order) else frozenset((member,)) for member in self.members)
        return frozenset[str]().union(*below)

    def only(self, names: frozenset[str]) -> Order:
        """Return the order of these children among themselves; groups left without any are gone."""
        members = (member.only(names) if isinstance(member, Order) else member for member in self.members)
        kept = tuple(one for one in members if (one.members if isinstance(one, Order) else one in names))
        return Order(self.model, self.occurs, kept) if kept else Order()

    def __str__(self) -> str:
        mark = {"choice": " | ", "all": " & "}.get(self.model, ", ")
        return f"({mark.join(map(str, self.members))})" + ("" if self.occurs == "1..1" else f"{{{self.occurs}}}")


class Content(msgspec.Struct, frozen=True):
    """One place. facets: name of a constraint -> its values (one, or all of an enumeration); order: of its children."""

    facets: dict[str, tuple[str, ...]]
    order: Order = Order()

    @property
    def summary(self) -> str:
        """The constraints in one line."""
        return ", ".join(f"{name} {' | '.join(values)}" for name, values in self.facets.items())


def contents(norm: Norm) -> dict[str, Content]:
    """Return every place that the schemas of the norm describe, from their global elements. Raises NormError."""
    if not norm.schemas:
        return {}
    import xmlschema

    files = walk(norm.schemas, roots_of(norm))
    try:
        read = xmlschema.XMLSchema10([str(path) for path in norm.schemas], allow="local", defuse="always")
    except (xmlschema.XMLSchemaException, ValueError) as bad:
        raise NormError(tr("xmlschema refuse le schéma : {why}", why=str(bad).partition("\n")[0])) from bad
    walker = _Walker(prefixes_by_namespace(norm.prefixes))
    names = sorted(
        f"{{{file.namespace}}}{name}" if file.namespace else name for file in files.values() for name in file.elements
    )
    for name in dict.fromkeys(names):
        if name in read.maps.elements:
            walker.element(read.maps.elements[name], "", ())
    return walker.found


class _Walker:
    def __init__(self, prefixes: dict[str, str]) -> None:
        self.found: dict[str, Content] = {}
        self._prefixes = prefixes

    def element(self, declared: Any, above: str, within: tuple[Any, ...]) -> None:
        """Add an element and what is below it; a type inside itself is not followed again."""
        path = self._new(f"{above}/{self._name(declared.name)}" if above else self._name(declared.name))
        facets: dict[str, tuple[str, ...]] = {"occurs": (_occurs(declared),)} if above else {}
        for name in ("nillable", "abstract"):
            if getattr(declared, name, False):
                facets[name] = ("true",)
        kind = declared.type
        simple = kind if kind.is_simple() else kind.content if kind.has_simple_content() else None
        if declared.substitution_group:
            facets["substitution"] = (self._name(declared.substitution_group),)
        facets |= _value(declared) | (_simple(simple) if simple is not None else {})
        if getattr(kind, "mixed", False):
            facets["mixed"] = ("true",)
        group = kind.content if simple is None and hasattr(kind.content, "iter_elements") else None
        self.found[path] = Content(facets, self._order(group) if group is not None else Order())
        for name, attribute in getattr(kind, "attributes", {}).items():
            if name is not None:
                use = {"use": (attribute.use,)}
                place = f"{path}/@{self._name(name)}"
                self.found[place] = Content(use | _value(attribute) | _simple(attribute.type))
            else:
                self.found[f"{path}/@{_WILDCARD}"] = Content(_any(attribute))
        if group is not None and kind not in within:
            for child in group.iter_elements():
                if child.name is not None:
                    self.element(child, path, (*within, kind))
                else:
                    place = self._new(f"{path}/{_WILDCARD}")
                    self.found[place] = Content({"occurs": (_occurs(child),)} | _any(child))

    def _new(self, path: str) -> str:
        number, free = 1, path
        while free in self.found:
            number += 1
            free = f"{path}[{number}]"
        return free

    def _order(self, group: Any) -> Order:
        members = tuple(
            self._order(one) if hasattr(one, "iter_elements") else self._name(one.name) if one.name else _WILDCARD
            for one in group
        )
        return Order(group.model or "", _occurs(group), members)

    def _name(self, name: str) -> str:
        namespace, _, local = name.rpartition("}")
        prefix = self._prefixes.get(namespace[1:], "")
        return f"{prefix}:{local}" if prefix else local


def _occurs(particle: Any) -> str:
    return f"{particle.min_occurs}..{'*' if particle.max_occurs is None else particle.max_occurs}"


def _value(declared: Any) -> dict[str, tuple[str, ...]]:
    return {name: (value,) for name in ("default", "fixed") if (value := getattr(declared, name, None)) is not None}


def _any(wildcard: Any) -> dict[str, tuple[str, ...]]:
    return {"namespace": tuple(wildcard.namespace), "process": (wildcard.process_contents,)}


def _simple(kind: Any) -> dict[str, tuple[str, ...]]:
    """Return data type and facets of a simple type; those of list items and union members have their own names."""
    facets: dict[str, tuple[str, ...]] = {}
    step = kind
    while step is not None and step.target_namespace != XSD:
        for name, value in _facets(step):
            nearer = facets.get(name)
            if nearer is None:
                facets[name] = value
            elif name == "pattern":
                facets[name] = (f"{value[0]} & {nearer[0]}",)
        members = getattr(step, "member_types", None) or ([step.item_type] if hasattr(step, "item_type") else [])
        if (members and step.is_list()) or len(members) > 1:
            facets["datatype"] = ("list" if step.is_list() else "union",)
            for number, member in enumerate(members, 1):
                facets |= {f"{name} ({number})": value for name, value in _simple(member).items()}
            return facets
        step = step.base_type
    return {"datatype": (f"xs:{step.local_name}",) if step is not None else ("xs:anySimpleType",)} | facets


def _facets(step: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, facet in (step.facets or {}).items():
        if name is not None:
            local = name.rpartition("}")[2]
            if local == "enumeration":
                yield local, tuple(str(value.get("value")) for value in facet)
            elif local == "pattern":  # of one restriction any, of several all
                yield local, (" | ".join(str(value.get("value")) for value in facet),)
            else:
                yield local, (str(facet.value),)
