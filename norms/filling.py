"""Write values into the canonical messages of a norm: the `fill` of norm.yaml, and the places that XPaths name.

Deterministic: the same message, bindings and clock give the same tree. Source: docs/formats/norm.md ("fill").
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final
from uuid import uuid4

from lxml import etree

from norms.dynamic import resolve, syntax_fault
from norms.errors import DataError, NormError
from norms.functions import functions_for, xpath
from norms.i18n import tr
from norms.model import Norm
from norms.roots import NORM_FILE
from norms.wire.deposit import enveloped

_KEPT_POSITIONS: Final = 1024
_ATTRIBUTE: Final = re.compile(r"(.*)/@((?:[\w.-]+:)?[\w.-]+)", re.DOTALL)
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_positions: dict[tuple[object, ...], tuple[tuple[int, str, str], ...] | None] = {}


@dataclass(frozen=True)
class Clock:
    """The time and the identifiers of one message. now: aware; uuid: source of `${uuid}`."""

    now: datetime
    uuid: Callable[[], str]

    @cached_property
    def today(self) -> date:
        """The UTC day of `now`."""
        return self.now.astimezone(UTC).date()

    @classmethod
    def real(cls) -> Clock:
        """Return the clock of the machine with random identifiers."""
        return cls(datetime.now(UTC), lambda: str(uuid4()))


def canonical_path(norm: Norm, kind: str, direction: str = "request") -> Path:
    """Return the file of the canonical message of `kind`."""
    return norm.root / "messages" / f"{kind}.{direction}.xml"


def read_base(path: Path) -> etree._Element:
    """Return a fresh tree of a message file of a norm, a bare document in an envelope.

    Raises NormError when it is missing or not XML.
    """
    return _tree(_content(path), path)


def filled_message(norm: Norm, path: Path, bindings: Mapping[str, str], clock: Clock) -> etree._Element:
    """Return the message of `path` with the values of the norm's `fill`; entries that match nothing are ignored.

    Raises DataError when a value is unknown, NormError when the message cannot be read.
    """
    content = _content(path)
    root = _tree(content, path)
    file = norm.root / NORM_FILE
    # One value per place: a ${uuid} written at two places gives two identifiers.
    for target, text in _filled(norm, root, content):
        target.write(value_of(text, bindings, clock, file, 0))
    return root


def freshened(norm: Norm, root: etree._Element, clock: Clock) -> etree._Element:
    """Return a copy of a filled message under new identifiers and times, to be sent anew.

    Numbers (`${number}`: an invoice) stay.
    """
    fresh = copy.deepcopy(root)
    for expression, text in norm.fill.items():
        if "${uuid}" in text or "${now" in text:
            for target in targets(norm, fresh, expression):
                target.write(value_of(text, {}, clock, norm.root / NORM_FILE, 0))
    return fresh


class Target:
    """A place of a message that an edit changes: an element (attribute "") or one of its attributes."""

    def __init__(self, element: etree._Element, attribute: str = "") -> None:
        self.element, self.attribute = element, attribute

    def write(self, text: str) -> None:
        """Set the attribute, or make `text` the element's only content."""
        if self.attribute:
            self.element.set(self.attribute, text)
            return
        for child in list(self.element):
            self.element.remove(child)
        self.element.text = text

    def delete(self) -> None:
        """Take the attribute or the element out; text after an element stays."""
        if self.attribute:
            del self.element.attrib[self.attribute]
            return
        parent = self.element.getparent()
        assert parent is not None  # targets never offers the root for removal
        tail, before = self.element.tail, self.element.getprevious()
        parent.remove(self.element)
        if tail and tail.strip():
            if before is None:
                parent.text = (parent.text or "") + tail
            else:
                before.tail = (before.tail or "") + tail

    def append(self, holder: etree._Element) -> None:
        """Append the children of `holder`."""
        for child in list(holder):
            self.element.append(child)


@lru_cache(maxsize=4096)
def _split(expression: str) -> tuple[str, str]:
    """Return the XPath of an element and the name of its attribute, "" when the expression names none."""
    match = _ATTRIBUTE.fullmatch(expression)
    return (match.group(1), match.group(2)) if match else (expression, "")


def targets(norm: Norm, root: etree._Element, expression: str, existing: bool = False) -> list[Target]:
    """Return the places that `expression` names. existing: only those that can be taken out."""
    path, name = _split(expression)
    found = xpath(norm, path)(root)
    elements = [item for item in found if isinstance(item, etree._Element)] if isinstance(found, list) else []
    if not name:
        return [Target(element) for element in elements if not existing or element.getparent() is not None]
    attribute = _clark(norm, name)
    return [Target(element, attribute) for element in elements if not existing or attribute in element.attrib]


def _filled(norm: Norm, root: etree._Element, content: bytes) -> Iterator[tuple[Target, str]]:
    """Yield the places that `fill` writes, in its order, with their texts.

    Where no expression looks at values and only leaves are written, the places are the same in every tree of the same
    bytes: they are looked up once and kept by their position in the document.
    """
    key = (content, norm.digest, *norm.fill.items())
    if key not in _positions:
        if len(_positions) >= _KEPT_POSITIONS:
            _positions.clear()
        _positions[key] = _fixed_positions(norm, root)
    known = _positions[key]
    if known is not None:
        nodes = list(root.iter())
        yield from ((Target(nodes[position], attribute), text) for position, attribute, text in known)
        return
    for expression, text in norm.fill.items():
        yield from ((target, text) for target in targets(norm, root, expression))


def _fixed_positions(norm: Norm, root: etree._Element) -> tuple[tuple[int, str, str], ...] | None:
    """Return (position, attribute, text) of every place that `fill` writes, None when they may change in between."""
    if any("[" in expression or "(" in expression for expression in norm.fill):
        return None
    order = {node: position for position, node in enumerate(root.iter())}
    found = [(target, text) for expression, text in norm.fill.items() for target in targets(norm, root, expression)]
    if any(len(target.element) and not target.attribute for target, _ in found):
        return None
    return tuple((order[target.element], target.attribute, text) for target, text in found)


def value_of(text: str, bindings: Mapping[str, str], clock: Clock, file: Path | str, line: int) -> str:
    """Return `text` with its dynamic values. file, line: where it was written, for the DataError of a bad one."""
    bad = syntax_fault(text)
    if bad:
        raise DataError(tr("« {place} » n'est pas une valeur dynamique.", place=bad), file=file, line=line)
    value = resolve(text, bindings, clock.today, now=clock.now, uuid=clock.uuid, file=file, line=line)
    if _NOT_XML.search(value):
        raise DataError(
            tr("Un caractère de la valeur n'existe pas en XML."), file=file, line=line, remedy=tr("Retirez-le.")
        )
    return value


def _clark(norm: Norm, name: str) -> str:
    prefix, colon, local = name.partition(":")
    return f"{{{functions_for(norm).namespaces[prefix]}}}{local}" if colon else name


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _content(path: Path) -> bytes:
    try:
        stat = path.stat()
        return _bytes(path, stat.st_mtime_ns, stat.st_size)
    except OSError as missing:
        raise NormError(tr("Le message n'existe pas."), file=path, remedy=tr("Créez ce fichier.")) from missing


def _tree(content: bytes, path: Path) -> etree._Element:
    try:
        return enveloped(etree.fromstring(content, _parser()))
    except etree.XMLSyntaxError as bad:
        raise NormError(tr("Le message ne se lit pas : {why}.", why=bad.msg or ""), file=path) from bad


@lru_cache(maxsize=256)
def _bytes(path: Path, _modified: int, _size: int) -> bytes:
    return path.read_bytes()
