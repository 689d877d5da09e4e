"""What an XPath selects in a message, with the place where people find it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from norms.model import Norm
from norms.places import line_of, path_of, prefixes_by_namespace
from norms.xpath import STANDARD_PREFIXES

_TEXT: Final = etree.XPath("string()")


@dataclass(frozen=True)
class Spot:
    """Something an XPath selected.

    text: without surrounding white space; path: "" for a computed value; line: 1-based in the body, 0 unknown.
    """

    text: str
    path: str
    line: int


def spot_of(element: etree._Element, norm: Norm) -> Spot:
    """Return an element with its text and its place."""
    return _element(element, _names(norm))


def spots(selected: object, norm: Norm) -> list[Spot]:
    """Return what a compiled XPath selected: nodes, attributes and texts; true, a number or a string is one spot.

    False selects nothing.
    """
    if isinstance(selected, list):
        names = _names(norm)
        return [_spot(item, names) for item in selected]
    if isinstance(selected, bool):
        return [Spot("true", "", 0)] if selected else []
    if isinstance(selected, float):
        return [Spot(f"{selected:.15g}", "", 0)]
    return [Spot(str(selected).strip(), "", 0)]


def _names(norm: Norm) -> Mapping[str, str]:
    """Return namespace -> prefix: the norm's own prefixes, then those of the standards."""
    return prefixes_by_namespace(STANDARD_PREFIXES) | prefixes_by_namespace(norm.prefixes)


def _element(element: etree._Element, names: Mapping[str, str]) -> Spot:
    path = path_of(element, names) if isinstance(element.tag, str) else ""
    return Spot(str(_TEXT(element)).strip(), path, line_of(element))


def _spot(item: object, names: Mapping[str, str]) -> Spot:
    if isinstance(item, etree._Element):
        return _element(item, names)
    text = str(item).strip()
    parent = item.getparent() if isinstance(item, etree._ElementUnicodeResult) else None
    if not isinstance(item, etree._ElementUnicodeResult) or parent is None:
        return Spot(text, "", 0)
    path = path_of(parent, names)
    if item.is_attribute and item.attrname:
        path += f"/@{etree.QName(item.attrname).localname}"
    return Spot(text, path, line_of(parent))
