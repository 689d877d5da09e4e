"""Where something is in a message: the path and line that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from lxml import etree

from norms.wire.deposit import document_of


def line_of(element: etree._Element) -> int:
    """Return the 1-based line of the element's start tag, 0 when it was not parsed from text."""
    return int(cast(Any, element).sourceline or 0)


def path_of(element: etree._Element, prefixes: Mapping[str, str], top: etree._Element | None = None) -> str:
    """Return the XPath of an element from the root of its document, or from the ancestor `top` as if it were that.

    prefixes: namespace -> prefix of the norm, so that the path does not depend on the message's own prefixes; a
    number is written only where siblings have the same name. The envelope into which a bare document was put is left
    out.
    """
    top = document_of(element) if top is None else top
    steps: list[str] = []
    current: etree._Element | None = element
    while current is not None:
        parent = None if current is top else current.getparent()
        twins = [] if parent is None else list(parent.iterchildren(str(current.tag)))
        number = f"[{twins.index(current) + 1}]" if len(twins) > 1 else ""
        steps.append(f"{name_of(current, prefixes)}{number}")
        current = parent
    return "/" + "/".join(reversed(steps))


def name_of(element: etree._Element, prefixes: Mapping[str, str]) -> str:
    """Return the element's name with the norm's prefix; without one, when the norm has none for its namespace."""
    name = etree.QName(element)
    prefix = prefixes.get(name.namespace or "")
    return f"{prefix}:{name.localname}" if prefix else name.localname


def prefixes_by_namespace(prefixes: Mapping[str, str]) -> dict[str, str]:
    """Return namespace -> prefix; of two prefixes of one namespace the first wins."""
    return {uri: prefix for prefix, uri in reversed(list(prefixes.items()))}
