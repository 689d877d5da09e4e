"""What an XPath selects in a message, with the place where people find it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from lxml import etree

from norms.model import Norm
from norms.places import line_of, path_of, prefixes_by_namespace
from norms.xpath import STANDARD_PREFIXES

_TEXT: Final = etree.XPath("string()")


@dataclass(frozen=True)
class Spot:
    """Something an XPath selected.

    text: without surrounding white space; place: its path, or how to work it out (most places are never shown);
    line: 1-based in the body, 0 unknown.
    """

    text: str
    place: str | Callable[[], str]
    line: int

    @property
    def path(self) -> str:
        """The path of the element, "" for a computed value."""
        return self.place if isinstance(self.place, str) else self.place()


def spot_of(element: etree._Element, norm: Norm) -> Spot:
    """Return an element with its text and its place."""
    return _element(element, norm)


def spots(selected: object, norm: Norm) -> list[Spot]:
    """Return what a compiled XPath selected: nodes, attributes and texts; true, a number or a string is one spot.

    False selects nothing.
    """
    if isinstance(selected, list):
        return [_spot(item, norm) for item in selected]
    if isinstance(selected, bool):
        return [Spot("true", "", 0)] if selected else []
    if isinstance(selected, float):
        return [Spot(f"{selected:.15g}", "", 0)]
    return [Spot(str(selected).strip(), "", 0)]


def _names(norm: Norm) -> Mapping[str, str]:
    """Return namespace -> prefix: the norm's own prefixes, then those of the standards."""
    return prefixes_by_namespace(STANDARD_PREFIXES) | prefixes_by_namespace(norm.prefixes)


def _element(element: etree._Element, norm: Norm) -> Spot:
    return Spot(str(_TEXT(element)).strip(), partial(_path, element, norm), line_of(element))


def _path(element: etree._Element, norm: Norm, attribute: str = "") -> str:
    path = path_of(element, _names(norm)) if isinstance(element.tag, str) else ""
    return f"{path}/@{etree.QName(attribute).localname}" if attribute else path


def _spot(item: object, norm: Norm) -> Spot:
    if isinstance(item, etree._Element):
        return _element(item, norm)
    text = str(item).strip()
    parent = item.getparent() if isinstance(item, etree._ElementUnicodeResult) else None
    if not isinstance(item, etree._ElementUnicodeResult) or parent is None:
        return Spot(text, "", 0)
    attribute = str(item.attrname) if item.is_attribute and item.attrname else ""
    return Spot(text, partial(_path, parent, norm, attribute), line_of(parent))
