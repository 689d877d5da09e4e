"""Canonical messages of a draft: SOAP envelopes whose parts both schema engines accept.

A value that one of the engines refuses after all is replaced by the next candidate; a message that stays invalid is
not written, and its operation is left out with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from norms.foreign.closing import XSI
from norms.foreign.samples import NoSampleError, Sampler
from norms.foreign.wsdl import Half, Soap
from norms.i18n import tr
from norms.places import line_of
from norms.schema import Schemas
from norms.wire.soap import NAMESPACES

_ROUNDS: Final = 60


class Composer:
    """Writes canonical messages. schemas: compiled from the draft's own files; prefixes: prefix -> namespace."""

    def __init__(self, schemas: Schemas, prefixes: Mapping[str, str]) -> None:
        self._schemas, self._prefixes = schemas, dict(prefixes)
        self._sampler = Sampler(schemas.second_engine().maps, prefixes)

    def message(self, half: Half, soap: Soap) -> bytes:
        """Return the envelope of one direction. Raises NoSampleError when no valid one was found."""
        why = ""
        for generous in (True, False):
            for _ in range(_ROUNDS):
                root, parts = self._written(half, soap, generous=generous)
                faults = [fault for part in parts for fault in self._faults(part)]
                if not faults:
                    return _text(root)
                why = faults[0][1]
                if not self._blame([element for element, _ in faults]):
                    break
        raise NoSampleError(tr("aucun message valide n'a été trouvé : {why}", why=why))

    def _written(self, half: Half, soap: Soap, *, generous: bool) -> tuple[etree._Element, list[etree._Element]]:
        space = NAMESPACES[soap]
        root = etree.Element(f"{{{space}}}Envelope", nsmap={"soap": space, **self._prefixes, "xsi": XSI})
        self._sampler.begin()
        parts = []
        if half.headers:
            header = etree.SubElement(root, f"{{{space}}}Header")
            parts = [self._sampler.payload(name.clark, header, generous=True) for name in half.headers]
        body = etree.SubElement(root, f"{{{space}}}Body")
        parts.append(self._sampler.payload(half.element.clark, body, generous=generous))
        return root, parts

    def _faults(self, part: etree._Element) -> list[tuple[int, str]]:
        """Return what either engine has against a part: (position of the element among those written, sentence)."""
        if self._schemas.valid(part) and self._schemas.second_valid(part):
            return []
        positions = {id(element): number for number, (element, _) in enumerate(self._sampler.made)}
        # On a copy with one element a line, libxml2's lines tell elements apart.
        lines = [element for element in part.iter() if isinstance(element.tag, str)]
        copy = etree.fromstring(etree.tostring(part))
        etree.indent(copy, " ")
        copy = etree.fromstring(etree.tostring(copy))
        by_line = {line_of(node): id(one) for node, one in zip(copy.iter("*"), lines, strict=True)}
        found = [(positions.get(by_line.get(fault.line, 0), -1), fault.text) for fault in self._schemas.faults(copy)]
        for fault in self._schemas.second_faults(part):
            found.append((positions.get(id(fault.element), -1), fault.text))
        return found

    def _blame(self, positions: list[int]) -> bool:
        """Refuse the simple values of the blamed elements; return whether there was any to refuse."""
        refused = False
        for position in positions:
            made: dict[str, tuple[Any, str]] = self._sampler.made[position][1] if position >= 0 else {}
            for kind, text in made.values():
                self._sampler.values.refuse(kind, text)
                refused = True
        return refused


def _text(root: etree._Element) -> bytes:
    """Return a message as people read it: one element a line, only the prefixes that it needs."""
    needed = {str(root.prefix)}
    for node in root.iter("*"):
        if any(str(name).startswith(f"{{{XSI}}}") for name in node.attrib):
            needed.add("xsi")
        # Names may be values too, of xsi:type and of the type QName.
        needed |= {str(value).partition(":")[0] for value in (node.text or "", *node.attrib.values())}
    needed &= {str(prefix) for prefix in root.nsmap}
    etree.cleanup_namespaces(root, keep_ns_prefixes=sorted(needed))
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="unicode").encode() + b"\n"
