"""One component of a foreign schema, written anew so that it can stand in another file.

What the file around it said (default namespace, form, block and final) is written on the component itself, and every
qualified name gets the prefix that the norm uses. Source: XML Schema part 1 §3.3.2, §3.15.2, §4.2.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, cast

from lxml import etree

from norms.foreign.gathering import XSD

_QNAMES: Final = ("type", "ref", "base", "substitutionGroup", "itemType", "refer")
_XPATH_NAME: Final = re.compile(r"(?<![\w:.-])([\w.-]+):(?=[\w*])(?!:)")
_PREFIXED: Final = re.compile(r"\s*([A-Za-z_][\w.-]*):([A-Za-z_][\w.-]*)\s*")
_DERIVATIONS: Final = ("#all", "extension", "restriction")
# Attribute -> kind of component -> the words that it may hold there.
_DEFAULTED: Final = {
    "block": {"element": (*_DERIVATIONS, "substitution"), "complexType": _DERIVATIONS},
    "final": {
        "element": _DERIVATIONS, "complexType": _DERIVATIONS, "simpleType": ("#all", "restriction", "list", "union")
    },
}  # fmt: skip

PrefixOf = Callable[[str], str]
"""Namespace -> prefix that the written file declares for it; KeyError when it declares none."""


class Settings:
    """What a schema element says about all that is in it. namespace: the effective target namespace (chameleon)."""

    def __init__(self, schema: etree._Element, namespace: str) -> None:
        self.namespace = namespace
        self.chameleon = not schema.get("targetNamespace") and bool(namespace)
        self.elements = schema.get("elementFormDefault", "unqualified")
        self.attributes = schema.get("attributeFormDefault", "unqualified")
        self.block = schema.get("blockDefault", "")
        self.final = schema.get("finalDefault", "")


class Writer:
    """Writes components. prefix_of: asked for every namespace named; forms: what the written file defaults to."""

    def __init__(self, prefix_of: PrefixOf, forms: tuple[str, str]) -> None:
        self._prefix_of, self._forms = prefix_of, forms

    def written(self, component: etree._Element, settings: Settings) -> etree._Element:
        """Return a copy of a top-level component; comments go, annotations stay."""
        return self._element(component, settings, None)

    def _element(self, node: etree._Element, settings: Settings, parent: etree._Element | None) -> etree._Element:
        local = etree.QName(node).localname
        # Identifiers and attributes of other vocabularies mean nothing to a schema, and may clash once files are one.
        attributes = {str(key): str(value) for key, value in node.attrib.items() if str(key)[0] != "{" and key != "id"}
        spaces: dict[str, str] = {}
        for name in _QNAMES:
            if name in attributes:
                attributes[name] = self._qname(attributes[name], node, settings)
        if "memberTypes" in attributes:
            names = attributes["memberTypes"].split()
            attributes["memberTypes"] = " ".join(self._qname(one, node, settings) for one in names)
        if local in ("selector", "field") and "xpath" in attributes:
            attributes["xpath"] = _XPATH_NAME.sub(
                lambda found: self._prefixed(found[1], node) + ":", attributes["xpath"]
            )
        for name in ("value", "default", "fixed"):
            found = _PREFIXED.fullmatch(attributes.get(name, ""))
            if found and found[1] in node.nsmap and self._holds_names(node, settings):
                attributes[name] = self._named_value(found[1], found[2], node, spaces)
        if parent is None:
            _default(attributes, "block", local, settings.block)
            _default(attributes, "final", local, settings.final)
        elif local in ("element", "attribute") and "name" in attributes:
            index = int(local == "attribute")
            own = (settings.elements, settings.attributes)[index]
            if own != self._forms[index]:
                attributes.setdefault("form", own)
            _default(attributes, "block", local, settings.block)
        tag = f"{{{XSD}}}{local}"
        if parent is None:
            written = etree.Element(tag, attributes, nsmap={"xs": XSD, **spaces})
        else:
            written = etree.SubElement(parent, tag, attributes, nsmap=spaces or None)
        for child in node:
            if not isinstance(child.tag, str):
                continue
            if etree.QName(child).namespace != XSD:
                continue
            if child.tag in (f"{{{XSD}}}documentation", f"{{{XSD}}}appinfo"):
                _note(child, written)
            else:
                self._element(child, settings, written)
        return written

    def _holds_names(self, node: etree._Element, settings: Settings) -> bool:
        """Tell whether the value of a facet, or the default of a declaration, is itself a qualified name."""
        above = node.getparent()
        typed = node.get("type") or ("" if above is None else above.get("base", ""))
        return bool(typed) and resolve(str(typed), node, settings) in ((XSD, "QName"), (XSD, "NOTATION"))

    def _named_value(self, prefix: str, local: str, node: etree._Element, spaces: dict[str, str]) -> str:
        """Return a qualified name as a value; `spaces` gets the declaration when the file makes none of its own."""
        namespace = str(node.nsmap[prefix])
        try:
            return f"{self._prefix_of(namespace)}:{local}"
        except KeyError:
            spaces[prefix] = namespace
            return f"{prefix}:{local}"

    def _qname(self, text: str, node: etree._Element, settings: Settings) -> str:
        namespace, local = resolve(text, node, settings)
        if not namespace:
            return local
        return f"xs:{local}" if namespace == XSD else f"{self._prefix_of(namespace)}:{local}"

    def _prefixed(self, prefix: str, node: etree._Element) -> str:
        namespace = node.nsmap.get(prefix)
        return self._prefix_of(str(namespace)) if namespace else prefix


def _default(attributes: dict[str, str], key: str, local: str, words: str) -> None:
    """Write what the file said about all components of a kind, as far as the kind knows the words."""
    known = " ".join(word for word in words.split() if word in _DEFAULTED[key].get(local, ()))
    if known and key not in attributes:
        attributes[key] = known


def resolve(text: str, node: etree._Element, settings: Settings) -> tuple[str, str]:
    """Return namespace and local name of a qualified name as it stands; an undeclared prefix gives "?prefix"."""
    prefix, _, local = text.strip().rpartition(":")
    if prefix == "xml":
        return "http://www.w3.org/XML/1998/namespace", local
    spaces: Mapping[str | None, str] = cast(Mapping["str | None", str], node.nsmap)
    namespace = spaces.get(prefix or None)
    if namespace is None:
        return (f"?{prefix}" if prefix else settings.namespace if settings.chameleon else ""), local
    return namespace, local


def references(component: etree._Element, settings: Settings) -> list[tuple[str, tuple[str, str], etree._Element]]:
    """Return (symbol space, name, element that names it) for everything that a component refers to."""
    found = []
    for node in component.iter(f"{{{XSD}}}*"):
        local = etree.QName(node).localname
        for attribute in (*_QNAMES, "memberTypes"):
            for text in node.get(attribute, "").split():
                space = "type"
                if attribute == "ref":
                    space = local
                elif attribute == "substitutionGroup":
                    space = "element"
                elif attribute == "refer":
                    continue
                found.append((space, resolve(text, node, settings), node))
    return found


def _note(node: etree._Element, parent: etree._Element) -> None:
    """Copy the words of an annotation; what it holds of other vocabularies is for other programs."""
    if etree.QName(node).localname == "documentation":
        text = " ".join("".join(map(str, node.itertext())).split())
        if text:
            etree.SubElement(parent, f"{{{XSD}}}documentation").text = text
