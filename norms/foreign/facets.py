"""What a simple type demands, gathered over its derivations from its XML: facets as they are written.

xmlschema keeps decoded values; candidates need the texts. Source: XML Schema part 2 §4.1.2, §4.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from norms.foreign.gathering import XSD

_WIDEST: Final = 1_000_000
_BOUNDS: Final = ("minInclusive", "minExclusive", "maxInclusive", "maxExclusive")
_WHOLE: Final = frozenset({
    "integer", "nonPositiveInteger", "negativeInteger", "long", "int", "short", "byte", "nonNegativeInteger",
    "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte", "positiveInteger",
})  # fmt: skip


@dataclass
class Facets:
    """builtin: nearest type of XML Schema itself; primitive: what that derives from; values: enumeration.

    patterns: alternatives, each list of which must hold; least, most: lengths in the type's own unit; item: type of
    list members; members: types of a union.
    """

    builtin: str = "string"
    primitive: str = "string"
    values: list[str] = field(default_factory=list)
    patterns: list[list[str]] = field(default_factory=list)
    bounds: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_BOUNDS, ""))
    least: int = 0
    most: int = _WIDEST
    fraction_digits: int | None = None
    item: Any = None
    members: tuple[Any, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return self.builtin in _WHOLE


def facets_of(kind: Any) -> Facets:
    """Return the facets of an xmlschema simple type."""
    facets = Facets()
    current = kind
    while current is not None:
        if getattr(current, "target_namespace", "") == XSD and current.name:
            _builtin(facets, current)
            break
        if getattr(current, "item_type", None) is not None:
            facets.item = current.item_type
            break
        if getattr(current, "member_types", None):
            facets.members = tuple(current.member_types)
            break
        _gather(facets, current.elem)
        current = current.base_type
    return facets


def _builtin(facets: Facets, kind: Any) -> None:
    facets.builtin = kind.local_name
    if kind.is_list():
        facets.item = kind.base_type.item_type
        facets.least = max(facets.least, 1)
        return
    primitive = getattr(kind, "primitive_type", None)
    facets.primitive = primitive.local_name if primitive is not None else "string"
    if kind.local_name in _WHOLE:
        for name, value in (("minInclusive", kind.min_value), ("maxInclusive", kind.max_value)):
            if value is not None and not facets.bounds[name] and not facets.bounds[name.replace("In", "Ex")]:
                facets.bounds[name] = str(value)


def _gather(facets: Facets, element: Any) -> None:
    """Add the facets of one derivation step; the most derived came first."""
    if element is None:
        return
    restriction = element if element.tag == f"{{{XSD}}}restriction" else element.find(f".//{{{XSD}}}restriction")
    if restriction is None:
        return
    values, patterns = [], []
    for child in restriction:
        name = str(child.tag).rpartition("}")[2]
        value = child.get("value", "")
        if name == "enumeration":
            values.append(value)
        elif name == "pattern":
            patterns.append(value)
        elif name in _BOUNDS:
            facets.bounds[name] = facets.bounds[name] or value
        elif name in ("length", "minLength", "maxLength", "fractionDigits") and value.strip().isdigit():
            _measure(facets, name, int(value))
    facets.values = facets.values or values
    if patterns:
        facets.patterns.append(patterns)


def _measure(facets: Facets, name: str, value: int) -> None:
    if name == "fractionDigits":
        facets.fraction_digits = value if facets.fraction_digits is None else min(facets.fraction_digits, value)
        return
    if name != "maxLength":
        facets.least = max(facets.least, value)
    if name != "minLength":
        facets.most = min(facets.most, value)
