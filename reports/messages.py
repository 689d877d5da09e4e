"""Shows a recorded message: indented, masked, long texts shortened, the element at fault marked.

What a product sends is hostile until shown otherwise: it is parsed without DTD, entities or network, and what does not
parse is shown as plain text (SECURITY, attack T06). Nothing here judges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, cast

from lxml import etree

from harness.reading import BrokenHttp, read_request, read_response
from norms.errors import ParseRefusal
from norms.i18n import tr
from norms.model import Limits
from norms.parsing import parse
from reports.masking import Masker
from reports.wording import whole

Kind = Literal["tag", "name", "value", "text", "note"]

WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
FOLDED: Final = frozenset({f"{{{WSSE}}}Security", "{http://www.w3.org/2000/09/xmldsig#}Signature"})
TEXT_SHOWN = 120
MARKED_TEXT_SHOWN = 600
LINES_AROUND = 30
LINES_SHOWN = 140
BODY_SHOWN = 2_000_000


@dataclass(frozen=True)
class Segment:
    """A piece of a line and what it is, for its colour."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Line:
    """A line of a shown message. number: 1-based in the shown text, 0 for a note about omitted lines."""

    number: int
    depth: int
    segments: tuple[Segment, ...]
    marked: bool = False

    @property
    def text(self) -> str:
        """The line as plain text with its indentation."""
        return "  " * self.depth + "".join(segment.text for segment in self.segments)


@dataclass(frozen=True)
class Parts:
    """A raw HTTP message taken apart. start: what its first line says; body: without any coding."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def take_apart(raw: bytes) -> Parts:
    """Return the parts of a raw HTTP message; bytes that are not HTTP come back whole, as a body without head."""
    answer = raw.startswith(b"HTTP/")
    try:
        message = read_response(raw, BODY_SHOWN) if answer else read_request(raw, BODY_SHOWN)
    except BrokenHttp:
        return Parts("", (), raw[:BODY_SHOWN])
    start = f"HTTP {message.status}" if answer else f"{message.method} {message.target}"
    return Parts(start, message.headers, message.body)


def show(body: bytes, masker: Masker, path: str = "", line: int = 0) -> tuple[Line, ...]:
    """Return the lines of a message body. path / line: place of a finding, the element there is marked."""
    root = _parse(body)
    if root is None:
        return _plain(body, masker, line)
    target = locate(root, path, line)
    writer = _Writer(masker, target)
    writer.element(root, 0)
    return _window(writer.lines)


def _parse(body: bytes) -> etree._Element | None:
    try:
        return parse(body, Limits(body_bytes=BODY_SHOWN))
    except ParseRefusal:
        return None


_STEP: Final = re.compile(r"(?:[\w.-]+:)?([\w.-]+|\*)(?:\[(\d+)\])?$")


def locate(root: etree._Element, path: str, line: int) -> etree._Element | None:
    """Return the element of a path with any prefixes (`/a:b/c[2]/@d`), else the first element of that line, else None.

    Only local names and positions are compared: the reader of a finding may write prefixes of its own.
    """
    found = _follow(root, path)
    if found is not None or line <= 0:
        return found
    return next((element for element in root.iter(etree.Element) if cast(int, element.sourceline) == line), None)


def _follow(root: etree._Element, path: str) -> etree._Element | None:
    steps = [step for step in path.split("/") if step]
    while steps and (steps[-1].startswith("@") or steps[-1].endswith("()")):
        steps.pop()
    if not steps:
        return None
    matches = [_STEP.match(step) for step in steps]
    here: etree._Element | None = None
    for rank, match in enumerate(matches):
        if match is None:
            return None
        name, position = match[1], int(match[2] or 1)
        if rank == 0 and not path.startswith("//"):
            candidates = [root] if _local(root) == name else []
        elif rank == 0:
            candidates = [element for element in root.iter(etree.Element) if _local(element) == name]
        else:
            parent = here if here is not None else root
            candidates = [child for child in parent if isinstance(child.tag, str) and name in ("*", _local(child))]
        if len(candidates) < position:
            return None
        here = candidates[position - 1]
    return here


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


class _Writer:
    """Writes a tree as indented lines."""

    def __init__(self, masker: Masker, target: etree._Element | None) -> None:
        self.lines: list[Line] = []
        self._masker = masker
        self._target = target
        self._kept = set(target.iterancestors()) | {target} if target is not None else set()

    def element(self, element: etree._Element, depth: int) -> None:
        if not isinstance(element.tag, str):
            self._other(element, depth)
            return
        marked = element is self._target
        opening = self._opening(element)
        name = self._name(element)
        children = list(element)
        text = self._text(element.text, marked)
        if children and element.tag in FOLDED and element not in self._kept:
            count = sum(1 for _ in element.iter(etree.Element)) - 1
            note = Segment("note", tr("… {count} éléments de sécurité repliés …", count=whole(count)))
            self._add(depth, (*opening, Segment("tag", ">"), note, *self._closing(name)), marked)
        elif children:
            self._add(depth, (*opening, Segment("tag", ">")), marked)
            if text:
                self._add(depth + 1, (Segment("text", text),), marked)
            for child in children:
                self.element(child, depth + 1)
                if tail := self._text(child.tail, False):
                    self._add(depth + 1, (Segment("text", tail),), False)
            self._add(depth, self._closing(name), False)
        elif text:
            self._add(depth, (*opening, Segment("tag", ">"), Segment("text", text), *self._closing(name)), marked)
        else:
            self._add(depth, (*opening, Segment("tag", "/>")), marked)

    def _other(self, node: etree._Element, depth: int) -> None:
        source = etree.tostring(node, encoding="unicode", with_tail=False)
        self._add(depth, (Segment("note", self._text(source, False)),), False)

    def _opening(self, element: etree._Element) -> tuple[Segment, ...]:
        parent = element.getparent()
        inherited = parent.nsmap if parent is not None else {}
        segments = [Segment("tag", f"<{self._name(element)}")]
        for prefix, uri in sorted(element.nsmap.items(), key=lambda item: item[0] or ""):
            if inherited.get(prefix) != uri:
                segments += self._attribute(f"xmlns:{prefix}" if prefix else "xmlns", uri)
        for key, value in element.attrib.items():
            segments += self._attribute(self._attribute_name(element, str(key)), str(value))
        return tuple(segments)

    def _attribute(self, name: str, value: str) -> tuple[Segment, Segment]:
        return Segment("name", f" {self._masker(name)}="), Segment("value", f'"{self._text(value, False)}"')

    def _attribute_name(self, element: etree._Element, key: str) -> str:
        name = etree.QName(key)
        if name.namespace is None:
            return name.localname
        if name.namespace == "http://www.w3.org/XML/1998/namespace":
            return f"xml:{name.localname}"
        prefix = next((prefix for prefix, uri in element.nsmap.items() if prefix and uri == name.namespace), "?")
        return f"{prefix}:{name.localname}"

    def _name(self, element: etree._Element) -> str:
        name = _local(element)
        return self._masker(f"{element.prefix}:{name}" if element.prefix else name)

    def _closing(self, name: str) -> tuple[Segment, ...]:
        return (Segment("tag", f"</{name}>"),)

    def _text(self, text: str | None, marked: bool) -> str:
        return shorten(self._masker((text or "").strip()), MARKED_TEXT_SHOWN if marked else TEXT_SHOWN)

    def _add(self, depth: int, segments: tuple[Segment, ...], marked: bool) -> None:
        self.lines.append(Line(len(self.lines) + 1, depth, segments, marked))


def shorten(text: str, limit: int) -> str:
    """Return the text, or its beginning with its real length when it has more than `limit` characters."""
    if len(text) <= limit:
        return text
    return text[:limit] + tr("… ({count} caractères)", count=whole(len(text)))


def _plain(body: bytes, masker: Masker, line: int) -> tuple[Line, ...]:
    encoding = "utf-16" if body[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text = masker(body.decode(encoding, "replace"))
    return _window(
        [
            Line(number, 0, (Segment("text", shorten(content, 2 * TEXT_SHOWN)),), number == line)
            for number, content in enumerate(text.splitlines(), 1)
        ]
    )


def _window(lines: list[Line]) -> tuple[Line, ...]:
    """Keep the beginning, or the neighbourhood of the mark when it lies further, and say what is left out."""
    if len(lines) <= LINES_SHOWN:
        return tuple(lines)
    marked = next((index for index, line in enumerate(lines) if line.marked), 0)
    first = max(0, marked - LINES_AROUND) if marked >= LINES_SHOWN - LINES_AROUND else 0
    last = min(len(lines), first + LINES_SHOWN)
    shown = lines[first:last]
    if first:
        shown.insert(0, _omitted(first))
    if last < len(lines):
        shown.append(_omitted(len(lines) - last))
    return tuple(shown)


def _omitted(count: int) -> Line:
    return Line(0, 0, (Segment("note", tr("… {count} lignes omises …", count=whole(count))),))
