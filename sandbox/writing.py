"""Conformant ways of writing the same answer, applied before it is signed."""

from __future__ import annotations

from lxml import etree


def rename_prefixes(root: etree._Element) -> etree._Element:
    """Return the same infoset under prefixes that nobody would expect."""
    spaces = sorted({str(etree.QName(node).namespace or "") for node in root.iter(etree.Element)} - {""})
    spaces += sorted(
        {str(etree.QName(str(name)).namespace or "") for node in root.iter(etree.Element) for name in node.attrib}
        - {"", *spaces, "http://www.w3.org/XML/1998/namespace"}
    )
    prefixes: dict[str, str] = {f"n{index}q": space for index, space in enumerate(spaces)}
    return _copy(root, prefixes)


def _copy(node: etree._Element, prefixes: dict[str, str]) -> etree._Element:
    renamed = etree.Element(node.tag, {str(name): str(value) for name, value in node.attrib.items()}, nsmap=prefixes)
    renamed.text = node.text
    for child in node:
        if isinstance(child.tag, str):
            copied = _copy(child, {})
            copied.tail = child.tail
            renamed.append(copied)
    return renamed


def indent(root: etree._Element) -> None:
    """Put every element on its own line, with tabs: blanks between elements mean nothing."""
    etree.indent(root, space="\t")


def compact(root: etree._Element) -> None:
    """Take out all blanks between elements."""
    for node in root.iter(etree.Element):
        if len(node):
            if node.text is not None and not node.text.strip():
                node.text = None
            for child in node:
                if child.tail is not None and not child.tail.strip():
                    child.tail = None
