"""Rewrites the markup (XML, XSD, WSDL, Schematron, templates) and the XPath of a norm under other names.

Markup is rewritten tag by tag, XPath token by token: a word is renamed for what it is at its place, never because it
looks like one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from norm_renaming import TOKEN, Names

_TAG: Final = re.compile(
    r'<(?P<end>/?)(?P<name>[\w.-]+(?::[\w.-]+)?)(?P<rest>(?:\s+[\w.:-]+\s*=\s*"[^"]*")*)(?P<last>\s*/?>)'
)
_ATTRIBUTE: Final = re.compile(r'(?P<before>\s+)(?P<name>[\w.:-]+)(?P<equal>\s*=\s*)"(?P<value>[^"]*)"')
_BOUND: Final = re.compile(r"""xmlns:([\w.-]+)\s*=\s*["']([^"']*)["']""")
_PLACE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_ADDRESS: Final = re.compile(r"(?<=\$\{)(?P<start>address_|untrusted_)(?P<kind>\w+)(?=\})")
_OPERATORS: Final = frozenset({"and", "or", "div", "mod"})
_XPATHS: Final = frozenset({"context", "test", "select", "path"})
_TYPES: Final = frozenset({"type", "base", "itemType", "message", "binding"})


class Markup:
    """Rewrites the XML and the XPath of a norm. Words without a new name stay."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._variables = {f"${name}" for name in names.result_values}

    # --- XPath

    def xpath(self, text: str, results: bool = False) -> str:
        """Return an expression; results: a text in it is a result code."""
        last = ""

        def token(found: re.Match[str]) -> str:
            nonlocal last
            said = found[0]
            if found["literal"]:
                return f"{said[0]}{self._literal(said[1:-1], last, results)}{said[0]}"
            if found["name"] and not found["call"] and said not in _OPERATORS:
                last = said
                return self.qname(said)
            if found["variable"] or found["attribute"] or found["name"] == "local-name":
                last = found["name"] or said
            return f"@{self.names.attributes.get(said[1:], said[1:])}" if found["attribute"] else said

        return TOKEN.sub(token, text)

    def _literal(self, text: str, last: str, results: bool) -> str:
        names = self.names
        if last == "@kind":
            return names.kinds.get(text, text)
        if last == "local-name":
            return names.by_local_name.get(text, text)
        if last == "$action":
            return names.stimuli.get(text, text)
        if last == "@pool":
            return names.pools.get(text, text)
        if results or last in names.result_at or last in self._variables:
            text = names.results.get(text, text)
        return names.tables.get(text, names.errors.get(text, names.words.get(text, text)))

    def qname(self, name: str) -> str:
        """Return the name of an element as it stands in XPath, tags and norm.yaml."""
        prefix, colon, local = name.partition(":")
        if not colon:
            return self.names.local.get(name, name)
        return self.names.elements.get(name) or f"{self.names.prefixes.get(prefix, prefix)}:{local}"

    # --- markup

    def markup(self, text: str) -> str:
        """Return an XML document, a template of one, or a piece."""
        places: list[str] = []

        def hide(found: re.Match[str]) -> str:
            places.append(self._place(found[0]))
            return f"PLACE{len(places) - 1}PLACE"

        text = _PLACE.sub(hide, text)
        text = self._addresses(text)
        result = "|".join(map(re.escape, sorted(self.names.result_at)))
        text = (
            re.sub(
                rf"(<(?:{result})>)([^<]*)",
                lambda found: found[1] + self.names.results.get(found[2].strip(), found[2]),
                text,
            )
            if result
            else text
        )
        text = re.sub(r"(?<=>)[^<>\s]+(?=<)", lambda found: self._text(found[0]), text)
        target = re.search(r'targetNamespace="([^"]*)"', text)
        form = 'elementFormDefault="qualified"' in text
        bound = {prefix: uri for prefix, uri in _BOUND.findall(text) if prefix not in self.names.prefixes}
        schema = (target[1] if target else "", form)
        text = _TAG.sub(lambda found: self._tag(found, schema, bound), text)
        return re.sub(r"PLACE(\d+)PLACE", lambda found: places[int(found[1])], text)

    def _place(self, place: str) -> str:
        if any(re.search(rf"\b{name}\b", place) for name in self.names.result_values):
            return re.sub(r"(?<=')[^']*(?=')", lambda found: self.names.results.get(found[0], found[0]), place)
        return place

    def _text(self, text: str) -> str:
        return self.names.errors.get(text, self.names.words.get(text, self._addresses(text)))

    def _addresses(self, text: str) -> str:
        """Return a text in which the addresses of a session, named after the kinds, have their new names."""
        kinds = {old.lower(): new.lower() for old, new in self.names.kinds.items()}
        return _ADDRESS.sub(lambda found: found["start"] + kinds.get(found["kind"], found["kind"]), text)

    def _tag(self, tag: re.Match[str], schema: tuple[str, bool], bound: Mapping[str, str]) -> str:
        name = tag["name"]
        prefix, _, local = name.rpartition(":")
        ours = (
            prefix in self.names.prefixes
            or bound.get(prefix) in self.names.namespaces
            or name in self.names.local
            or "PLACE" in name
            or prefix == "case"
        )

        def attribute(found: re.Match[str]) -> str:
            old, value = found["name"], found["value"]
            if old.startswith("xmlns:"):
                new = f"xmlns:{self.names.prefixes.get(old[6:], old[6:])}"
                value = self.names.namespaces.get(value, value)
            else:
                new = self.names.attributes.get(old, old) if ours else old
                value = self._value(local, old, value, schema)
            return f'{found["before"]}{new}{found["equal"]}"{value}"'

        known = next(iter(self.names.prefixes_of(bound.get(prefix, ""))), "")
        new = f"{prefix}:{self.qname(f'{known}:{local}').partition(':')[2]}" if known else self.qname(name)
        return f"<{tag['end']}{new}{_ATTRIBUTE.sub(attribute, tag['rest'])}{tag['last']}"

    def _value(self, tag: str, attribute: str, value: str, schema: tuple[str, bool]) -> str:
        names = self.names
        if attribute in _XPATHS or (tag in ("let", "param") and attribute == "value"):
            return self.xpath(value)
        if attribute in ("ref", "element"):
            return self.qname(value)
        if attribute in _TYPES:
            prefix, colon, local = value.partition(":")
            return f"{names.prefixes.get(prefix, prefix)}{colon}{local}"
        if attribute in ("schemaLocation", "location"):
            for old, new in names.norms.items():
                value = value.replace(f"/{old}/", f"/{new}/")
            return value
        match tag, attribute:
            case "element", "name":
                return self._declared(value, *schema)
            case "attribute", "name":
                return names.attributes.get(value, value)
            case "assert" | "report", "id":
                return names.rules.get(value, value)
            case "ns", "prefix":
                return names.prefixes.get(value, value)
            case "exchange", "kind":
                return names.kinds.get(value, value)
        return names.namespaces.get(value, names.requirements.get(value, names.words.get(value, value)))

    def _declared(self, name: str, target: str, form: bool) -> str:
        for prefix in self.names.prefixes_of(target):
            new = self.names.elements.get(f"{prefix}:{name}")
            if new is not None and (form or name not in self.names.local):
                return new.partition(":")[2]
        return self.names.local.get(name, name)
