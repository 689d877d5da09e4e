"""The XML schemas of a norm, compiled together: libxml2 gives the working verdict, xmlschema the second opinion.

A generated schema imports those of the norm and of its parents. Files are walked first: whatever they include or
import must lie inside the norms' folders; nothing else is ever opened, and no network. Addresses in messages
(xsi:schemaLocation) are ignored by both engines.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import msgspec
from lxml import etree

from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm
from norms.places import line_of

XSD: Final = "http://www.w3.org/2001/XMLSchema"

_REFERENCES: Final = tuple(f"{{{XSD}}}{name}" for name in ("include", "import", "redefine"))
_WARNING: Final = etree.ErrorLevels.WARNING
_MAXIMUM_BYTES: Final = 16 * 1_048_576


class SchemaFile(msgspec.Struct, frozen=True):
    """One XSD. references: files that it includes or imports; elements: local names of its global elements."""

    path: Path
    namespace: str
    references: tuple[Path, ...]
    elements: tuple[str, ...]


class SchemaFault(msgspec.Struct, frozen=True):
    """What libxml2 says about an element. kind: its name of the broken constraint; path: from the part's root."""

    kind: str
    path: str
    line: int
    text: str


class SecondFault(msgspec.Struct, frozen=True):
    """What xmlschema says. element: the lxml element it blames, None when it names none."""

    element: Any
    text: str


def roots_of(norm: Norm) -> tuple[Path, ...]:
    """Return the folders inside which schemas may refer to each other: those that hold the norm and its parents."""
    above = (root for parent in norm.parents for root in roots_of(parent))
    return tuple(dict.fromkeys((norm.root.resolve().parent.parent, *above)))


def walk(schemas: Iterable[Path], roots: Sequence[Path]) -> dict[Path, SchemaFile]:
    """Return every file reached from `schemas`. Raises NormError (file, line) for one that is outside or unreadable."""
    found: dict[Path, SchemaFile] = {}
    waiting = [path.resolve() for path in schemas]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = _read(path, roots)
            waiting.extend(found[path].references)
    return found


def _read(path: Path, roots: Sequence[Path]) -> SchemaFile:
    try:
        content = path.read_bytes()
    except OSError as bad:
        raise NormError(tr("Le fichier n'existe pas."), file=path, remedy=tr("Créez-le ou corrigez son nom.")) from bad
    if len(content) > _MAXIMUM_BYTES:
        raise NormError(tr("Le fichier est trop gros."), file=path)
    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as bad:
        raise NormError(tr("Le XML est mal formé : {why}.", why=bad.msg), file=path, line=bad.lineno or 0) from bad
    if cast(Any, root.getroottree()).docinfo.doctype:
        raise NormError(tr("Un schéma n'a pas de DOCTYPE."), file=path, line=1, remedy=tr("Retirez-le."))
    if root.tag != f"{{{XSD}}}schema":
        raise NormError(tr("Ce n'est pas un schéma XML."), file=path, line=line_of(root))
    references = []
    for child in root.iterchildren(*_REFERENCES):
        location = child.get("schemaLocation")
        if location:
            references.append(_inside(path, location, roots, line_of(child)))
    return SchemaFile(
        path=path,
        namespace=root.get("targetNamespace", ""),
        references=tuple(references),
        elements=tuple(child.get("name", "") for child in root.iterchildren(f"{{{XSD}}}element")),
    )


def _inside(path: Path, location: str, roots: Sequence[Path], line: int) -> Path:
    parts = urlsplit(location)
    target = (path.parent / unquote(parts.path)).resolve()
    if parts.scheme or parts.netloc or not any(target.is_relative_to(root) for root in roots):
        raise NormError(
            tr("« {location} » est hors du dossier des normes.", location=location),
            file=path,
            line=line,
            remedy=tr("Un schéma n'inclut et n'importe que des fichiers des normes, par un chemin relatif."),
        )
    if not target.is_file():
        raise NormError(
            tr("Le fichier « {location} » n'existe pas.", location=location),
            file=path,
            line=line,
            remedy=tr("Créez-le ou corrigez son nom."),
        )
    return target


class _OnlyThese(etree.Resolver):
    """Lets libxml2 open the walked files and the generated texts, and answers an empty document for anything else."""

    def __init__(self, files: Iterable[Path], generated: dict[str, str]) -> None:
        super().__init__()
        self._files, self._generated = frozenset(files), generated

    def resolve(self, system_url: str | None, _public_id: str | None, context: Any) -> Any:  # type: ignore[override]
        """Return the document for an address: called by lxml."""
        url, answers = system_url or "", cast(Any, self)
        if url in self._generated:
            return self.resolve_string(self._generated[url], context, base_url=url)
        parts = urlsplit(url)
        path = Path(url2pathname(parts.path) if parts.scheme == "file" else url).resolve()
        if path in self._files:
            return answers.resolve_filename(str(path), context)
        return answers.resolve_empty(context)


def _combined(files: Sequence[SchemaFile]) -> tuple[str, dict[str, str]]:
    """Return a schema that imports all files, and the generated schemas that it needs: one per namespace in two files.

    libxml2 imports a namespace once, so several files of one namespace are included by a schema of that namespace.
    """
    by_namespace: dict[str, list[SchemaFile]] = {}
    for file in files:
        by_namespace.setdefault(file.namespace, []).append(file)
    root = etree.Element(f"{{{XSD}}}schema", nsmap={"xs": XSD})
    generated: dict[str, str] = {}
    for number, (namespace, members) in enumerate(by_namespace.items()):
        location = members[0].path.as_uri()
        if len(members) > 1:
            location = f"poincon:{number}"
            union = etree.Element(f"{{{XSD}}}schema", nsmap={"xs": XSD})
            if namespace:
                union.set("targetNamespace", namespace)
            for member in members:
                etree.SubElement(union, f"{{{XSD}}}include", schemaLocation=member.path.as_uri())
            generated[location] = etree.tostring(union, encoding="unicode")
        entry = etree.SubElement(root, f"{{{XSD}}}import", schemaLocation=location)
        if namespace:
            entry.set("namespace", namespace)
    return etree.tostring(root, encoding="unicode"), generated


class Schemas:
    """The compiled schemas of a norm. namespaces: those they define; elements: global elements as `{namespace}name`.

    Safe to share between threads. Raises NormError when a file is wrong or libxml2 does not accept the whole.
    """

    def __init__(self, schemas: Sequence[Path], roots: Sequence[Path]) -> None:
        self.files = walk(schemas, roots)
        self._entry = tuple(self.files[path.resolve()] for path in schemas)
        self.namespaces = frozenset(file.namespace for file in self.files.values())
        self.elements = frozenset(
            f"{{{file.namespace}}}{name}" if file.namespace else name
            for file in self.files.values()
            for name in file.elements
        )
        self._quick = self._compile()
        self._telling: etree.XMLSchema | None = None
        self._second: Any = None
        self._lock, self._quick_lock = threading.Lock(), threading.Lock()

    def _compile(self) -> etree.XMLSchema:
        text, generated = _combined(self._entry)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        parser.resolvers.add(_OnlyThese(self.files, generated))
        try:
            return etree.XMLSchema(etree.fromstring(text, parser))
        except etree.XMLSchemaParseError as bad:
            first = next((entry for entry in cast(Any, bad.error_log) if entry.level > _WARNING), None)
            name = unquote(urlsplit(first.filename or "").path) if first is not None else ""
            raise NormError(
                tr("libxml2 refuse le schéma : {why}", why=first.message if first is not None else str(bad)),
                file=name,
                line=first.line if first is not None else 0,
            ) from bad

    def knows(self, element: etree._Element) -> bool:
        """Tell whether the schemas have a global declaration of this element."""
        return element.tag in self.elements

    def valid(self, part: etree._Element) -> bool:
        """Tell whether libxml2 finds the part (a payload or header block, validated by itself) valid."""
        # lxml keeps the error handlers of all threads that validate with one schema on one stack: left at the same
        # time, one thread gets the handler of another, which is freed with its thread.
        with self._quick_lock:
            return self._quick.validate(part)

    def faults(self, part: etree._Element) -> list[SchemaFault]:
        """Return what libxml2 has against the part, in its order."""
        with self._lock:
            if self._telling is None:
                self._telling = self._compile()
            self._telling.validate(part)
            return [
                SchemaFault(kind=entry.type_name, path=entry.path or "", line=entry.line, text=entry.message)
                for entry in cast(Any, self._telling.error_log)
            ]

    def second_faults(self, part: etree._Element) -> list[SecondFault]:
        """Return what xmlschema has against the part. Slow: about a hundred times the first engine."""
        return list(self._second_opinion(part))

    def second_valid(self, part: etree._Element) -> bool:
        """Tell whether xmlschema finds the part valid."""
        return next(self._second_opinion(part), None) is None

    def _second_opinion(self, part: etree._Element) -> Iterator[SecondFault]:
        from xmlschema import XMLSchemaException

        # Names in values (xsi:type, QName) may have prefixes that the envelope around the part declares.
        spaces = {prefix or "": uri for prefix, uri in part.nsmap.items()}
        try:
            for error in self.second_engine().iter_errors(part, use_location_hints=False, namespaces=spaces):
                yield SecondFault(error.elem, str(error.reason or error.message))
        except XMLSchemaException as bad:  # raised, not collected, for an xsi:type that names no type
            yield SecondFault(None, str(bad.args[0] if bad.args else bad))
        except ArithmeticError as bad:  # raised for a date beyond what the engine can count
            yield SecondFault(None, str(bad))

    def _build_second(self) -> Any:
        import xmlschema

        try:
            return xmlschema.XMLSchema10([str(file.path) for file in self._entry], allow="local", defuse="always")
        except (xmlschema.XMLSchemaException, ValueError) as bad:
            raise NormError(tr("xmlschema refuse le schéma : {why}", why=str(bad).partition("\n")[0])) from bad

    def prepare_second(self) -> None:
        """Build the second engine now. Raises NormError when xmlschema does not accept the schemas."""
        self.second_engine()

    def second_engine(self) -> Any:
        """Return xmlschema's schema object, whose declarations can be looked at. Raises NormError as above."""
        with self._lock:
            if self._second is None:
                self._second = self._build_second()
            return self._second
