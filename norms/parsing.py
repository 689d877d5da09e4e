"""Bytes to a tree, or a refusal: the one door through which messages of others enter.

Refused before a tree exists: more bytes, elements, attributes, text or depth than the limits allow, any DOCTYPE or
processing instruction, any encoding but UTF-8 and UTF-16, and any disagreement between byte order mark, XML
declaration and the charset of the Content-Type. lxml then parses without network, DTD or entities.

Counting tags exactly needs a streaming pass that costs more than parsing. So a few searches over the bytes first try
to *prove* that no limit can be exceeded (an element needs a `<`, an attribute needs a `=`); only what they cannot
prove is counted. Depth is then read off the tree, which libxml2 keeps shallow by itself.
Sources: XML 1.0 §4.3.3; RFC 7303 §3; SOAP 1.2 part 1 §5 (no DTD, no processing instructions).
"""

from __future__ import annotations

import codecs
import re
import threading
from functools import cache
from typing import Final
from xml.parsers import expat

from lxml import etree

from norms.errors import ParseRefusal
from norms.i18n import tr
from norms.model import Limits

_DECLARATION: Final = re.compile(
    r"""<\?xml\s+version\s*=\s*(?:"(?P<v1>[^"]*)"|'(?P<v2>[^']*)')"""
    r"""(?:\s+encoding\s*=\s*(?:"(?P<e1>[^"]*)"|'(?P<e2>[^']*)'))?[^>]*\?>"""
)
_CHARSET: Final = re.compile(r""";\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]*))""", re.IGNORECASE)
_DECLARATION_BYTES: Final = 1024
_SHORTEST_ELEMENT: Final = len(b"<a/>")
_SHORTEST_ATTRIBUTE: Final = len(b' a=""')
_CHUNK: Final = 65_536
_EXCESSIVE_DEPTH: Final = "Excessive depth"
_UTF8: Final = "utf-8"


def parse(body: bytes, limits: Limits, content_type: str | None = None) -> etree._Element:
    """Return the root element. Raises ParseRefusal with a reason of `norms.wire.reasons`.

    content_type: the header of the message when it travelled; its charset must agree with the bytes. Depth counts
    the root as 1; `text_bytes` bounds, in UTF-8, every run of text, attribute value and comment; namespace
    declarations count as attributes.
    """
    if len(body) > limits.body_bytes:
        raise ParseRefusal(
            "too-large",
            tr("Le message compte {count} octets ; {limit} au plus.", count=len(body), limit=limits.body_bytes),
        )
    if not body.strip():
        raise ParseRefusal("malformed", tr("Le message est vide."), 0)
    body = _as_utf8(body, content_type)
    if not _provably_small(body, limits):
        _count(body, limits)
    try:
        root = etree.fromstring(body, _parser())
    except etree.XMLSyntaxError as bad:
        line = bad.lineno or 0
        if _EXCESSIVE_DEPTH in str(bad.msg):
            raise _too_deep(limits, line) from bad
        raise ParseRefusal("malformed", tr("Le XML est mal formé : {why}.", why=bad.msg), line) from bad
    if body.count(b"<") > 2 * limits.depth and _deeper_than(limits.depth)(root):
        raise _too_deep(limits, 0)
    return root


def _too_deep(limits: Limits, line: int) -> ParseRefusal:
    return ParseRefusal("too-deep", tr("Le message a plus de {limit} niveaux d'éléments.", limit=limits.depth), line)


def _as_utf8(body: bytes, content_type: str | None) -> bytes:
    """Return the message in UTF-8 without byte order mark, when everything that names its encoding agrees.

    The parser is told the encoding, so that a declaration of UTF-16 which it still holds has no effect.
    """
    if body.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise _bad_encoding("UTF-32")
    encoding = _UTF8
    if body.startswith(codecs.BOM_UTF16_LE):
        encoding = "utf-16-le"
    elif body.startswith(codecs.BOM_UTF16_BE):
        encoding = "utf-16-be"
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as bad:
        raise _bad_encoding(str(body[bad.start : bad.start + 4].hex(" "))) from bad
    text = text.removeprefix("\ufeff")
    declared = _declared(text[:_DECLARATION_BYTES])
    if declared and not _agrees(declared, encoding):
        raise ParseRefusal(
            "encoding",
            tr(
                "La déclaration XML annonce « {declared} », les octets sont en {actual}.",
                declared=declared,
                actual=encoding,
            ),
            1,
        )
    charset = _charset(content_type)
    if charset and not _agrees(charset, encoding):
        raise ParseRefusal(
            "charset",
            tr(
                "Le Content-Type annonce « {declared} », les octets sont en {actual}.",
                declared=charset,
                actual=encoding,
            ),
        )
    return body.removeprefix(codecs.BOM_UTF8) if encoding == _UTF8 else text.encode()


def _declared(start: str) -> str:
    if not start.startswith("<?xml") or start[5:6] not in (" ", "\t", "\r", "\n"):
        return ""
    declaration = _DECLARATION.match(start)
    if declaration is None:
        raise ParseRefusal("malformed", tr("La déclaration XML est mal formée."), 1)
    version = declaration["v1"] or declaration["v2"] or ""
    if version != "1.0":
        raise ParseRefusal("malformed", tr("La version de XML est « {version} », pas « 1.0 ».", version=version), 1)
    return declaration["e1"] or declaration["e2"] or ""


def _charset(content_type: str | None) -> str:
    found = _CHARSET.search(content_type or "")
    return (found[1] or found[2] or "") if found else ""


def _agrees(name: str, encoding: str) -> bool:
    lowered = name.lower().replace("_", "-")
    if encoding == _UTF8:
        return lowered in ("utf-8", "utf8")
    return lowered in ("utf-16", encoding.replace("16-", "16"))


def _bad_encoding(what: str) -> ParseRefusal:
    return ParseRefusal("encoding", tr("Le message n'est ni en UTF-8 ni en UTF-16 ({what}).", what=what))


def _provably_small(body: bytes, limits: Limits) -> bool:
    """Tell whether a body cannot exceed a limit (but that of depth) nor hold a DOCTYPE or processing instruction."""
    size = len(body)
    after = _after_declaration(body)
    # One byte is found many times faster than two.
    if size > limits.text_bytes or (b"!" in body and b"<!D" in body):
        return False
    if body.find(b"?", after) >= 0 and body.find(b"<?", after) >= 0:
        return False
    if size > _SHORTEST_ELEMENT * limits.elements and body.count(b"<") - body.count(b"</") > limits.elements:
        return False
    allowed = limits.attributes_per_element
    if body.count(b"=") <= allowed:
        return True
    suspects = [tag for tag in body.split(b"<") if len(tag) > _SHORTEST_ATTRIBUTE * allowed]
    return all(tag.count(b"=") <= allowed for tag in suspects)


def _after_declaration(body: bytes) -> int:
    return body.find(b"?>") + 2 if body[:5] == b"<?xml" and body[5:6].isspace() else 0


class _Counter:
    """Handlers of a streaming pass; each raises ParseRefusal as soon as a limit is exceeded."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._depth, self._elements, self._text = limits, 0, 0, 0
        self.parser = expat.ParserCreate(_UTF8)
        self.parser.ordered_attributes = True
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.CommentHandler = self._comment
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.ProcessingInstructionHandler = self._instruction

    @property
    def _line(self) -> int:
        return int(self.parser.CurrentLineNumber)

    def _start(self, _name: str, attributes: list[str]) -> None:
        limits = self._limits
        self._depth += 1
        self._elements += 1
        self._text = 0
        if self._depth > limits.depth:
            raise _too_deep(limits, self._line)
        if self._elements > limits.elements:
            raise ParseRefusal(
                "too-many-elements", tr("Le message a plus de {limit} éléments.", limit=limits.elements), self._line
            )
        if len(attributes) // 2 > limits.attributes_per_element:
            raise ParseRefusal(
                "too-many-attributes",
                tr("Un élément a plus de {limit} attributs.", limit=limits.attributes_per_element),
                self._line,
            )
        for value in attributes[1::2]:
            self._check_text(len(value.encode()))

    def _end(self, _name: str) -> None:
        self._depth -= 1
        self._text = 0

    def _characters(self, data: str) -> None:
        self._text += len(data.encode())
        self._check_text(self._text)

    def _comment(self, data: str) -> None:
        self._text = 0
        self._check_text(len(data.encode()))

    def _check_text(self, size: int) -> None:
        if size > self._limits.text_bytes:
            raise ParseRefusal(
                "text-too-long",
                tr("Un texte compte plus de {limit} octets.", limit=self._limits.text_bytes),
                self._line,
            )

    def _doctype(self, *_names: object) -> None:
        raise ParseRefusal("doctype", tr("Le message contient une déclaration DOCTYPE."), self._line)

    def _instruction(self, target: str, _data: str) -> None:
        raise ParseRefusal(
            "processing-instruction",
            tr("Le message contient l'instruction de traitement « {target} ».", target=target),
            self._line,
        )


def _count(body: bytes, limits: Limits) -> None:
    counter = _Counter(limits)
    try:
        for start in range(0, len(body), _CHUNK):
            counter.parser.Parse(body[start : start + _CHUNK], False)
        counter.parser.Parse(b"", True)
    except expat.ExpatError as bad:
        why = expat.errors.messages.get(bad.code, "")
        raise ParseRefusal("malformed", tr("Le XML est mal formé : {why}.", why=why), bad.lineno) from bad


@cache
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath(f"boolean({'/*' * (depth + 1)})")


_local = threading.local()


def _parser() -> etree.XMLParser:
    """Return this thread's parser: making one costs as much as a small message."""
    parser: etree.XMLParser | None = getattr(_local, "parser", None)
    if parser is None:
        parser = _local.parser = etree.XMLParser(
            encoding=_UTF8,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            huge_tree=False,
            recover=False,
            collect_ids=False,
        )
    return parser
