"""Sample elements: the least content that a schema requires, with ordinary values.

A choice takes its first branch that can be closed; inside a type that is being written already, the branch that
closes soonest, so that every recursion ends. Optional content is left out, but for a payload that would be empty:
then its optional children, or attributes, are written once, because an empty message shows nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from norms.errors import PoinconError
from norms.foreign.closing import XSI, Closing
from norms.foreign.values import Values
from norms.i18n import tr

# What a sample may have; a receiver's limits (`norms.model.Limits`) are above both.
ELEMENTS: Final = 4000
DEPTH: Final = 50
_XSD: Final = "http://www.w3.org/2001/XMLSchema"
_ANY_TYPE: Final = f"{{{_XSD}}}anyType"
_EXAMPLE: Final = "urn:poincon:exemple"


class NoSampleError(PoinconError):
    """No instance of an element can be written; the text says why."""


class Sampler:
    """Writes instances. maps: global components of xmlschema; prefixes: prefix -> namespace for `xsi:type`.

    made: for each element written last, the simple values in it (attribute name or "" -> type and text).
    """

    def __init__(self, maps: Any, prefixes: Mapping[str, str]) -> None:
        self._maps, self._closing, self.values = maps, Closing(maps), Values()
        self._prefixes = {namespace: prefix for prefix, namespace in prefixes.items()}
        self.made: list[tuple[etree._Element, dict[str, tuple[Any, str]]]] = []
        self._stack: list[int] = []
        self._count, self._ids, self._least = 0, 0, False

    def payload(self, name: str, parent: etree._Element, *, generous: bool) -> etree._Element:
        """Append an instance of a global element to `parent`. generous: write optional children of an empty one.

        Raises NoSampleError.
        """
        declaration = self._maps.elements.get(name)
        if declaration is None:
            raise NoSampleError(tr("l'élément « {name} » n'est défini par aucun schéma", name=name))
        if math.isinf(self._closing.element(declaration)):
            raise NoSampleError(tr("« {name} » n'a pas d'instance finie", name=declaration.local_name))
        for least in (False, True):
            self._count, self._stack, self._least = 0, [], least
            before, made = len(parent), len(self.made)
            try:
                written = self._element(declaration, parent)
            except _TooManyError:
                del parent[before:]
                del self.made[made:]
                continue
            if generous and not len(written) and not written.attrib and not (written.text or "").strip():
                self._generous(declaration, written)
            return written
        raise NoSampleError(tr("« {name} » demande plus de {count} éléments ou de {depth} niveaux",
                               name=declaration.local_name, count=ELEMENTS, depth=DEPTH))  # fmt: skip

    def begin(self) -> None:
        """Forget what was written before: a new message begins."""
        self.made, self._ids = [], 0

    def _generous(self, declaration: Any, written: etree._Element) -> None:
        kind = declaration.type
        if not kind.is_complex() or kind.abstract or kind.has_simple_content() or kind.name == _ANY_TYPE:
            return
        self._stack.append(id(kind))
        self._optional(kind.content, written)
        self._stack.pop()
        if not len(written):
            self._attributes(kind, written, ("required", "optional"))

    def _optional(self, group: Any, parent: etree._Element) -> None:
        for item in group:
            if item.max_occurs == 0 or hasattr(item, "process_contents"):
                continue
            before, made, stack = len(parent), len(self.made), len(self._stack)
            try:
                if hasattr(item, "model"):
                    self._optional(item, parent)
                else:
                    self._closing.element(item)
                    self._element(item, parent)
            except (NoSampleError, _TooManyError):
                del parent[before:]
                del self.made[made:]
                del self._stack[stack:]
            if group.model == "choice" and len(parent) > before:
                return

    def _element(self, declaration: Any, parent: etree._Element) -> etree._Element:
        self._count += 1
        if self._count > ELEMENTS or len(self._stack) > DEPTH:
            raise _TooManyError
        chosen = self._chosen(self._closing.substitutes(declaration), self._closing.element)
        if chosen is None:
            if declaration.nillable and not declaration.abstract:
                return self._nil(declaration, parent)
            raise NoSampleError(tr("« {name} » ne peut pas se fermer", name=declaration.local_name))
        nested = id(chosen.type) in self._stack
        if chosen.nillable and (nested or math.isinf(self._closing.type(chosen.type))):
            return self._nil(chosen, parent)
        written = etree.SubElement(parent, chosen.name)
        self.made.append((written, {}))
        kind = chosen.type
        if kind.is_complex() and kind.abstract:
            kind = self._chosen(self._closing.concrete(kind, str(chosen.block)), self._closing.type)
            if kind is None:
                raise NoSampleError(tr("« {name} » ne peut pas se fermer", name=chosen.local_name))
            written.set(f"{{{XSI}}}type", self._qualified(kind.name))
        self._content(chosen, kind, written)
        return written

    def _nil(self, declaration: Any, parent: etree._Element) -> etree._Element:
        written = etree.SubElement(parent, declaration.name)
        self.made.append((written, {}))
        written.set(f"{{{XSI}}}nil", "true")
        if declaration.type.is_complex():
            self._attributes(declaration.type, written)
        return written

    def _content(self, declaration: Any, kind: Any, written: etree._Element) -> None:
        given = declaration.fixed if declaration.fixed is not None else declaration.default
        if not kind.is_complex():
            self._text(kind, given, written)
            return
        if kind.name == _ANY_TYPE:
            return
        self._attributes(kind, written)
        if kind.has_simple_content():
            self._text(kind.content, given, written)
            return
        if kind.mixed and given is not None:
            written.text = given
            return
        self._stack.append(id(kind))
        self._particles(kind.content, written)
        self._stack.pop()

    def _text(self, kind: Any, given: str | None, written: etree._Element) -> None:
        text = given if given is not None else self._value(kind, written.tag)
        written.text = text
        self.made[-1][1][""] = (kind, text)

    def _attributes(self, kind: Any, written: etree._Element, uses: tuple[str, ...] = ("required",)) -> None:
        noted = self.made[-1][1]
        for name, attribute in kind.attributes.items():
            if name is None or attribute.use not in uses:
                continue
            given = attribute.fixed if attribute.fixed is not None else attribute.default
            text = given if given is not None else self._value(attribute.type, name)
            written.set(name, text)
            noted[name] = (attribute.type, text)

    def _value(self, kind: Any, name: object) -> str:
        text = self.values.value(kind)
        if text is None:
            label = str(name).rpartition("}")[2]
            raise NoSampleError(tr("aucune valeur n'a été trouvée pour « {name} »", name=label))
        if _is_id(kind):
            self._ids += 1
            return text if self._ids == 1 else f"{text}-{self._ids}"
        return text

    def _particles(self, group: Any, parent: etree._Element) -> None:
        for _ in range(group.min_occurs):
            if group.model == "choice":
                usable = [one for one in group if one.max_occurs != 0]
                empty = next((one for one in usable if one.min_occurs == 0), None)
                chosen = self._chosen(usable, self._closing.group)
                if chosen is None:
                    if empty is None and usable:
                        raise NoSampleError(tr("aucune branche d'un choix ne peut se fermer"))
                    continue
                self._particle(chosen, parent, max(chosen.min_occurs, 1) if chosen is not empty else 0)
            else:
                for item in group:
                    self._particle(item, parent, item.min_occurs)

    def _particle(self, item: Any, parent: etree._Element, count: int) -> None:
        if hasattr(item, "model"):
            if count:
                self._particles(item, parent)
            return
        for _ in range(count):
            if hasattr(item, "process_contents"):
                self._wild(item, parent)
            else:
                self._closing.element(item)
                self._element(item, parent)

    def _wild(self, item: Any, parent: etree._Element) -> None:
        """Write what a wildcard demands: an element that the schemas know, else one of a namespace of our own."""
        if item.process_contents != "strict":
            for name in (f"{{{_EXAMPLE}}}exemple", "exemple"):
                if item.is_matching(name):
                    self.made.append((etree.SubElement(parent, name), {}))
                    return
        known = [one for one in self._closing.wild(item) if not math.isinf(self._closing.element(one))]
        if known:
            self._element(min(known, key=self._closing.element), parent)
            return
        for namespace in _named(item):
            if item.process_contents != "strict":
                self.made.append((etree.SubElement(parent, f"{{{namespace}}}exemple"), {}))
                return
        raise NoSampleError(tr("aucun élément connu ne convient à xs:any"))

    def _chosen(self, options: list[Any], depth: Any) -> Any:
        """Return the first option that closes; inside a recursion, or when the message grew too big, the shallowest."""
        closing = [one for one in options if not math.isinf(depth(one))]
        if not closing:
            return None
        nested = len(self._stack) != len(set(self._stack))
        return min(closing, key=depth) if nested or self._least else closing[0]

    def _qualified(self, name: str) -> str:
        qname = etree.QName(name)
        return f"{self._prefixes[qname.namespace]}:{qname.localname}" if qname.namespace else qname.localname


class _TooManyError(Exception):
    """A message has more elements or levels than a sample may have."""


def _is_id(kind: Any) -> bool:
    current, steps = kind, 0
    while current is not None and steps < 50:
        if current.name == f"{{{_XSD}}}ID":
            return True
        current, steps = current.base_type, steps + 1
    return False


def _named(item: Any) -> Iterator[str]:
    for namespace in item.namespace:
        if not str(namespace).startswith("##") and namespace:
            yield str(namespace)
        elif namespace == "##targetNamespace":
            yield str(item.target_namespace)
