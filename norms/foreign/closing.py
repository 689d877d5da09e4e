"""How deep the least instance of a declaration is: what tells a recursion that ends from one that does not.

Depth 0 is text alone or nothing; an element counts 1. `math.inf`: no finite instance exists. Depths of complex types
are the least fixed point over what each requires, so circles of types need no special case.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_XSD: Final = "http://www.w3.org/2001/XMLSchema"
_ANY_TYPE: Final = f"{{{_XSD}}}anyType"
_WILD: Final = 20


class Closing:
    """Depths for one set of schemas. maps: the global components of xmlschema."""

    def __init__(self, maps: Any) -> None:
        self._maps = maps
        self._depths: dict[int, float] = {}
        self._types: dict[int, Any] = {}
        self._derived: dict[int, list[Any]] | None = None
        self._elements: list[Any] | None = None
        self._wild: dict[int, list[Any]] = {}

    def element(self, declaration: Any) -> float:
        """Return the depth of the least instance of an element."""
        self._learn(declaration)
        return self._element(declaration)

    def type(self, kind: Any) -> float:
        """Return the depth of the least content of a type."""
        self._reach(kind)
        return self._depths.get(id(kind), 0.0)

    def group(self, particle: Any) -> float:
        """Return the depth of a particle whose types are known already."""
        return self._particle(particle)

    def substitutes(self, declaration: Any) -> list[Any]:
        """Return what may stand for an element: itself unless abstract, then its substitution group by name."""
        head = declaration.ref if declaration.ref is not None else declaration
        own = [] if head.abstract else [declaration]
        if head.parent is not None or "substitution" in str(head.block):
            return own
        members = [one for one in head.iter_substitutes() if not one.abstract]
        return own + sorted(members, key=lambda one: str(one.name))

    def concrete(self, kind: Any, block: str = "") -> list[Any]:
        """Return the types that may stand for an abstract one, by name; the type itself when it is not abstract."""
        if not kind.abstract:
            return [kind]
        if self._derived is None:
            self._derived = {}
            for one in self._maps.types.values():
                if not one.is_complex() or one.abstract or one.name == _ANY_TYPE:
                    continue
                above, seen = one.base_type, 0
                while above is not None and above.is_complex() and above.name != _ANY_TYPE and seen < 100:
                    self._derived.setdefault(id(above), []).append(one)
                    above, seen = above.base_type, seen + 1
        found = [one for one in self._derived.get(id(kind), []) if str(one.derivation) not in str(block)]
        return sorted(found, key=lambda one: str(one.name))

    def wild(self, particle: Any) -> list[Any]:
        """Return the global elements that a wildcard allows, by name, as far as a limit; no abstract ones."""
        if self._elements is None:
            # xmlschema also lists the elements that schemas themselves are written with.
            known = (one for one in self._maps.elements.values() if not one.abstract and one.target_namespace != _XSD)
            self._elements = sorted(known, key=lambda one: str(one.name))
        if id(particle) not in self._wild:
            self._wild[id(particle)] = [one for one in self._elements if particle.is_matching(one.name)][:_WILD]
        return self._wild[id(particle)]

    def _learn(self, declaration: Any) -> None:
        for one in self.substitutes(declaration):
            self._reach(one.type)

    def _reach(self, kind: Any) -> None:
        """Find every type that an instance may need and settle the depths of all of them together."""
        fresh: list[Any] = []
        users: dict[int, list[Any]] = {}
        waiting = [kind]
        while waiting:
            current = waiting.pop()
            if id(current) in self._types or not current.is_complex():
                continue
            self._types[id(current)] = current
            self._depths[id(current)] = math.inf
            fresh.append(current)
            for needed in self._needed(current):
                users.setdefault(id(needed), []).append(current)
                waiting.append(needed)
        # Those found last are needed by the others; a type is looked at again only when one that it needs has changed.
        while fresh:
            current = fresh.pop()
            depth = self._content(current)
            if depth < self._depths[id(current)]:
                self._depths[id(current)] = depth
                fresh.extend(users.get(id(current), ()))

    def _needed(self, kind: Any) -> Iterator[Any]:
        if kind.abstract:
            yield from self.concrete(kind)
            return
        if kind.name == _ANY_TYPE or kind.has_simple_content():
            return
        waiting = [kind.content]
        while waiting:
            for item in waiting.pop():
                if hasattr(item, "model"):
                    waiting.append(item)
                elif hasattr(item, "process_contents"):
                    if item.min_occurs and item.process_contents == "strict":
                        yield from (one.type for one in self.wild(item))
                else:
                    yield from (one.type for one in self.substitutes(item))

    def _content(self, kind: Any) -> float:
        if kind.abstract:
            return min((self._depths.get(id(one), math.inf) for one in self.concrete(kind)), default=math.inf)
        if kind.name == _ANY_TYPE or kind.has_simple_content():
            return 0.0
        return self._particle(kind.content)

    def _particle(self, particle: Any) -> float:
        if particle.min_occurs == 0 or particle.max_occurs == 0:
            return 0.0
        if hasattr(particle, "model"):
            if particle.model == "choice":
                usable = [one for one in particle if one.max_occurs != 0]
                return min((self._particle(one) for one in usable), default=math.inf if len(particle) else 0.0)
            return max((self._particle(one) for one in particle), default=0.0)
        if hasattr(particle, "process_contents"):
            if particle.process_contents != "strict":
                return 1.0
            return min((1 + self._depth(one.type) for one in self.wild(particle)), default=math.inf)
        return self._element(particle)

    def _element(self, declaration: Any) -> float:
        if declaration.nillable:
            return 1.0
        return min((1 + self._depth(one.type) for one in self.substitutes(declaration)), default=math.inf)

    def _depth(self, kind: Any) -> float:
        return self._depths.get(id(kind), 0.0 if not kind.is_complex() else math.inf)
