"""What the WSDLs of a folder describe: document/literal operations over SOAP 1.1 or 1.2, with their headers.

An operation that this laboratory cannot speak to (rpc, encoded, one-way, another transport …) is left out with a
sentence; a folder without any other is refused with the first of these. Sources: WSDL 1.1 §2-3, WSDL 1.1 binding
extension for SOAP 1.2, WS-Addressing 1.0 metadata §4.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec
from lxml import etree

from norms.errors import NormError
from norms.foreign.gathering import WSDL, XSD, Kit
from norms.i18n import tr
from norms.places import line_of

SOAP_BINDINGS: Final[dict[Literal["1.1", "1.2"], str]] = {
    "1.2": "http://schemas.xmlsoap.org/wsdl/soap12/",
    "1.1": "http://schemas.xmlsoap.org/wsdl/soap/",
}
_TRANSPORTS: Final = ("http://schemas.xmlsoap.org/soap/http", "http://www.w3.org/2003/05/soap/bindings/HTTP/")
_ACTIONS: Final = (
    "{http://www.w3.org/2007/05/addressing/metadata}Action",
    "{http://www.w3.org/2006/05/addressing/wsdl}Action",
    "{http://www.w3.org/2005/08/addressing}Action",
)

_TOLD: Final = 200

Soap = Literal["1.1", "1.2"]


class Name(msgspec.Struct, frozen=True, order=True):
    """A qualified name; namespace "" = none."""

    namespace: str
    local: str

    @property
    def clark(self) -> str:
        """The name as lxml and xmlschema write it."""
        return f"{{{self.namespace}}}{self.local}" if self.namespace else self.local


class Half(msgspec.Struct, frozen=True):
    """One direction of an operation: payload element, header elements, action."""

    element: Name
    headers: tuple[Name, ...]
    action: str


class Operation(msgspec.Struct, frozen=True):
    """An operation to be served. interface: its port type; file, line: where the port type says it."""

    name: str
    interface: Name
    soap: Soap
    request: Half
    response: Half
    file: Path
    line: int
    documentation: str = ""


class LeftOut(msgspec.Struct, frozen=True):
    """An operation that is not taken, and why, in a sentence."""

    name: str
    file: Path
    line: int
    why: str


class _UnfitError(Exception):
    """An operation cannot be taken; its text is the sentence for people."""


class Described(msgspec.Struct, frozen=True):
    """Everything that the WSDLs say. schemas: `xs:schema` elements with the file they stand in."""

    operations: tuple[Operation, ...]
    left_out: tuple[LeftOut, ...]
    schemas: tuple[tuple[etree._Element, Path], ...]


def describe(kit: Kit, preferred: Soap = "1.2") -> Described:
    """Read every WSDL of the kit. preferred: which SOAP version is taken where a port type has both.

    Raises NormError when a file cannot be read, a reference leads nowhere, a port type has two operations of one
    name, or no operation is left.
    """
    found: dict[tuple[Name, str], Operation] = {}
    left_out: dict[tuple[Name, str], LeftOut] = {}
    schemas: dict[int, tuple[etree._Element, Path]] = {}
    for path in kit.descriptions():
        closure = _Closure(kit, path)
        closure.check_names()
        for bound in sorted(closure.bindings(path), key=lambda bound: bound.soap != preferred):
            for operation in bound.element.iterfind(f"{{{WSDL}}}operation"):
                name = operation.get("name", "")
                key = (bound.interface, name)
                if key in found:
                    continue
                try:
                    found[key] = closure.operation(bound, operation)
                    left_out.pop(key, None)
                except _UnfitError as why:
                    line = line_of(operation)
                    left_out.setdefault(key, LeftOut(name, kit.relative(path), line, str(why)))
        schemas.update((id(element), (element, file)) for element, file in closure.schemas())
    if not found:
        first = next(iter(left_out.values()), None)
        if first is None:
            raise NormError(
                tr("Aucun WSDL du dossier ne lie une opération à SOAP 1.1 ou 1.2."),
                file=kit.shown(kit.descriptions()[0]),
            )
        raise NormError(f"{first.name} : {first.why}", file=kit.given / first.file, line=first.line)
    return Described(tuple(found.values()), tuple(left_out.values()), tuple(schemas.values()))


class _Bound(msgspec.Struct, frozen=True):
    """A SOAP binding with its version, the style it gives by default, and the name of its port type."""

    element: etree._Element
    soap: Soap
    style: str
    interface: Name
    transport: str


class _Closure:
    """A WSDL and everything it imports: where names are looked up."""

    def __init__(self, kit: Kit, path: Path) -> None:
        self._kit = kit
        self._roots: dict[Path, etree._Element] = {}
        self._schema_files: dict[Path, etree._Element] = {}
        waiting = [path]
        while waiting:
            current = waiting.pop(0)
            if current in self._roots or current in self._schema_files:
                continue
            root = kit.read(current)
            if root.tag == f"{{{XSD}}}schema":
                self._schema_files[current] = root
                continue
            self._roots[current] = root
            for node in root.iterfind(f"{{{WSDL}}}import"):
                if node.get("location"):
                    waiting.append(kit.locate(node.get("location", ""), current, line_of(node)))
        self._messages = self._named("message")
        self._interfaces = self._named("portType")

    def _named(self, sort: str) -> dict[Name, tuple[etree._Element, Path]]:
        found: dict[Name, tuple[etree._Element, Path]] = {}
        for path, root in self._roots.items():
            for node in root.iterfind(f"{{{WSDL}}}{sort}"):
                found.setdefault(Name(root.get("targetNamespace", ""), node.get("name", "")), (node, path))
        return found

    def schemas(self) -> Iterator[tuple[etree._Element, Path]]:
        """Yield the schemas inside the WSDLs, and those that a `wsdl:import` names."""
        for path, root in self._roots.items():
            for node in root.iterfind(f"{{{WSDL}}}types/{{{XSD}}}schema"):
                yield node, path
        yield from ((root, path) for path, root in self._schema_files.items())

    def check_names(self) -> None:
        """Raise NormError for a port type that has two operations of one name."""
        for node, path in self._interfaces.values():
            seen: dict[str, int] = {}
            for operation in node.iterfind(f"{{{WSDL}}}operation"):
                name = operation.get("name", "")
                if name in seen:
                    raise NormError(
                        tr("L'opération « {name} » est définie deux fois (la première est ligne {line}).",
                           name=name, line=seen[name]),
                        file=self._kit.shown(path), line=line_of(operation),
                    )  # fmt: skip
                seen[name] = line_of(operation)

    def bindings(self, path: Path) -> list[_Bound]:
        """Return the SOAP bindings that the WSDL itself holds."""
        found = []
        for node in self._roots[path].iterfind(f"{{{WSDL}}}binding") if path in self._roots else ():
            for soap, namespace in SOAP_BINDINGS.items():
                extension = node.find(f"{{{namespace}}}binding")
                if extension is not None:
                    interface = self._name(node.get("type", ""), node, path)
                    found.append(
                        _Bound(
                            node, soap, extension.get("style", "document"), interface,
                            extension.get("transport", _TRANSPORTS[0]),
                        )
                    )  # fmt: skip
        return found

    def operation(self, bound: _Bound, node: etree._Element) -> Operation:
        """Return an operation of a binding. Raises _UnfitError when it cannot be taken."""
        space = SOAP_BINDINGS[bound.soap]
        if bound.transport not in _TRANSPORTS:
            raise _UnfitError(tr("le transport « {uri} » n'est pas HTTP.", uri=bound.transport))
        extension = node.find(f"{{{space}}}operation")
        style = bound.style if extension is None else extension.get("style", bound.style)
        if style != "document":
            raise _UnfitError(tr("le style « {style} » n'est pas pris en charge ; seul « document/literal » l'est.",
                            style=style))  # fmt: skip
        abstract, file = self._abstract(bound.interface, node.get("name", ""))
        if abstract.find(f"{{{WSDL}}}output") is None or abstract.find(f"{{{WSDL}}}input") is None:
            raise _UnfitError(
                tr("l'opération n'a pas de demande et de réponse ; un échange à sens unique ne se juge pas.")
            )
        action = "" if extension is None else extension.get("soapAction", "")
        return Operation(
            name=node.get("name", ""),
            interface=bound.interface,
            soap=bound.soap,
            request=self._half(node, abstract, "input", bound.soap, action, file),
            response=self._half(node, abstract, "output", bound.soap, "", file),
            file=self._kit.relative(file),
            line=line_of(abstract),
            documentation=" ".join(abstract.findtext(f"{{{WSDL}}}documentation", "").split())[:_TOLD],
        )

    def _abstract(self, interface: Name, name: str) -> tuple[etree._Element, Path]:
        found = self._interfaces.get(interface)
        if found is None:
            raise _UnfitError(tr("le portType « {name} » n'est défini nulle part.", name=interface.local))
        for operation in found[0].iterfind(f"{{{WSDL}}}operation"):
            if operation.get("name") == name:
                return operation, found[1]
        raise _UnfitError(tr("le portType « {name} » ne définit pas cette opération.", name=interface.local))

    def _half(
        self, node: etree._Element, abstract: etree._Element, side: str, soap: Soap, action: str, file: Path
    ) -> Half:
        space = SOAP_BINDINGS[soap]
        bound, described = node.find(f"{{{WSDL}}}{side}"), abstract.find(f"{{{WSDL}}}{side}")
        if bound is None or described is None:
            raise _UnfitError(tr("la liaison ne dit rien de « {side} ».", side=side))
        body = next(bound.iter(f"{{{space}}}body"), None)
        parts = self._parts(self._name(described.get("message", ""), described, file))
        headers = [self._header(one, file) for one in bound.iter(f"{{{space}}}header")]
        for extension in ([] if body is None else [body], bound.iter(f"{{{space}}}header")):
            if any(one.get("use", "literal") != "literal" for one in extension):
                raise _UnfitError(tr("l'usage « encoded » n'est pas pris en charge ; seul « document/literal » l'est."))
        if body is not None and body.get("parts") is not None:
            wanted = body.get("parts", "").split()
            parts = {name: part for name, part in parts.items() if name in wanted}
        else:
            own = self._name(described.get("message", ""), described, file)
            taken = {name for message, name, _ in headers if message == own}
            parts = {name: part for name, part in parts.items() if name not in taken}
        if len(parts) != 1:
            raise _UnfitError(
                tr("le corps de « {side} » a {count} parties ; une seule, avec un élément, se juge.",
                   side=side, count=len(parts))
            )  # fmt: skip
        element = self._element(*next(iter(parts.values())))
        actions = (described.get(name, "") for name in _ACTIONS)
        return Half(
            element=element,
            headers=tuple(dict.fromkeys(name for _, _, name in headers)),
            action=action or next(filter(None, actions), ""),
        )

    def _parts(self, message: Name) -> dict[str, tuple[etree._Element, Path]]:
        found = self._messages.get(message)
        if found is None:
            raise _UnfitError(tr("le message « {name} » n'est défini nulle part.", name=message.local))
        return {part.get("name", ""): (part, found[1]) for part in found[0].iterfind(f"{{{WSDL}}}part")}

    def _header(self, node: etree._Element, file: Path) -> tuple[Name, str, Name]:
        message = self._name(node.get("message", ""), node, file)
        part = self._parts(message).get(node.get("part", ""))
        if part is None:
            raise _UnfitError(tr("la partie d'en-tête « {name} » n'est définie nulle part.", name=node.get("part", "")))
        return message, node.get("part", ""), self._element(*part)

    def _element(self, part: etree._Element, file: Path) -> Name:
        if part.get("element") is None:
            raise _UnfitError(tr("la partie « {name} » désigne un type, pas un élément.", name=part.get("name", "")))
        name = self._name(part.get("element", ""), part, file)
        if not name.namespace:
            raise _UnfitError(tr("l'élément « {name} » n'a pas d'espace de noms.", name=name.local))
        return name

    def _name(self, text: str, node: etree._Element, file: Path) -> Name:
        prefix, _, local = text.strip().rpartition(":")
        spaces: dict[str | None, str] = dict(node.nsmap)
        if prefix and prefix not in spaces:
            raise NormError(
                tr("Le préfixe « {prefix} » n'est pas déclaré.", prefix=prefix),
                file=self._kit.shown(file),
                line=line_of(node),
            )
        return Name(spaces.get(prefix or None, "") or "", local)


def elements_of(operations: Iterable[Operation]) -> list[Name]:
    """Return every payload and header element, each once, in order."""
    halves = [half for operation in operations for half in (operation.request, operation.response)]
    return list(dict.fromkeys(name for half in halves for name in (half.element, *half.headers)))
