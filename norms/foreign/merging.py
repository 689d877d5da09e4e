"""The schemas of a folder as one file per namespace: includes put together, imports turned to these files.

libxml2 reads one file per imported namespace and no inline schema; foreign folders have several files of one
namespace, chameleon includes, circles, inline schemas and absolute addresses. So every component is written anew,
once, into the file of its namespace. Source: XML Schema part 1 §4.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Final

import msgspec
from lxml import etree

from norms.errors import NormError
from norms.foreign.components import Settings, Writer, references
from norms.foreign.gathering import XSD, Kit
from norms.i18n import tr
from norms.places import line_of

STANDARD: Final = Path(__file__).with_name("standard")
_GLOBAL: Final = {
    "element": "element", "attribute": "attribute", "simpleType": "type", "complexType": "type", "group": "group",
    "attributeGroup": "attributeGroup", "notation": "notation",
}  # fmt: skip
_XML: Final = "http://www.w3.org/XML/1998/namespace"

Key = tuple[str, str, str]
"""Symbol space, namespace, local name."""


class Component(msgspec.Struct, frozen=True):
    """A top-level component. file: as people know it; line: there."""

    key: Key
    node: etree._Element
    settings: Settings
    file: Path
    line: int


class Merged(msgspec.Struct, frozen=True):
    """One schema file to be written. components: in its order, with where each comes from; imports: namespaces."""

    namespace: str
    components: tuple[Component, ...]
    imports: tuple[str, ...]
    forms: tuple[str, str]


class Assembly:
    """The components of all schemas that a folder's WSDLs reach. standard: namespaces taken from this program."""

    def __init__(self, kit: Kit, schemas: Iterable[tuple[etree._Element, Path]]) -> None:
        self._kit = kit
        self.components: dict[Key, Component] = {}
        self._seen: set[tuple[int, str]] = set()
        self._imports: dict[str, tuple[Path, int]] = {}
        self._forms: dict[str, Counter[tuple[str, str]]] = {}
        self.standard: list[str] = []
        for schema, path in schemas:
            self._take(schema, path, schema.get("targetNamespace", ""))
        self._complete()
        self._check_references()

    def _take(self, schema: etree._Element, path: Path, namespace: str) -> None:
        """Take the components of a schema and of those that it names. An explicit stack: circles are usual."""
        waiting = [(schema, path, namespace)]
        while waiting:
            schema, path, namespace = waiting.pop()
            if (id(schema), namespace) in self._seen:
                continue
            self._seen.add((id(schema), namespace))
            settings = Settings(schema, namespace)
            forms = (settings.elements, settings.attributes)
            for child in schema.iterchildren(f"{{{XSD}}}*"):
                local = etree.QName(child).localname
                if local in _GLOBAL:
                    self._add(child, settings, path)
                    self._forms.setdefault(namespace, Counter())[forms] += 1
                elif local in ("include", "import"):
                    waiting.extend(self._referred(child, path, namespace if local == "include" else None))
                elif local == "redefine":
                    raise NormError(
                        tr("« xs:redefine » n'est pas pris en charge."),
                        file=self._kit.shown(path),
                        line=line_of(child),
                        remedy=tr("Écrivez la définition changée dans le schéma lui-même."),
                    )

    def _referred(
        self, node: etree._Element, path: Path, including: str | None
    ) -> Iterator[tuple[etree._Element, Path, str]]:
        location, line = node.get("schemaLocation"), line_of(node)
        wanted = node.get("namespace", "") if including is None else None
        if wanted is not None:
            self._imports.setdefault(wanted, (path, line))
            if not location:
                return
        try:
            target = self._kit.locate(location or "", path, line, wanted)
        except NormError:
            if wanted is not None and _standard(wanted) is not None:
                return
            raise
        root = self._kit.read(target)
        if root.tag != f"{{{XSD}}}schema":
            if wanted is not None and root.tag.endswith("}definitions"):
                return  # the schemas of a WSDL are taken with the WSDL
            raise NormError(tr("Ce n'est pas un schéma XML."), file=self._kit.shown(target), line=line_of(root))
        own = root.get("targetNamespace", "")
        expected = including if wanted is None else wanted
        if own != expected and not (including is not None and not own):
            raise NormError(
                tr("« {location} » définit l'espace de noms « {own} » et non « {expected} ».",
                   location=location, own=own, expected=expected),
                file=self._kit.shown(path), line=line,
            )  # fmt: skip
        yield root, target, str(expected)

    def _add(self, node: etree._Element, settings: Settings, path: Path) -> None:
        key = (_GLOBAL[etree.QName(node).localname], settings.namespace, node.get("name", ""))
        component = Component(key, node, settings, self._kit.shown(path) if self._inside(path) else path, line_of(node))
        other = self.components.setdefault(key, component)
        if other is not component and _text(other) != _text(component):
            raise NormError(
                tr("« {name} » est défini deux fois, de deux façons ; l'autre est {file}:{line}.",
                   name=key[2], file=other.file, line=other.line),
                file=component.file, line=component.line,
                remedy=tr("Importez séparément les services dont les schémas diffèrent."),
            )  # fmt: skip

    def _inside(self, path: Path) -> bool:
        return path.is_relative_to(self._kit.root)

    def _complete(self) -> None:
        """Find the schemas of namespaces that are named without an address: in the folder, else among the standards."""
        while True:
            present = {key[1] for key in self.components}
            named = {name[0] for component in self.components.values()
                     for _, name, _ in references(component.node, component.settings)}  # fmt: skip
            missing = sorted(({*self._imports, *named}) - present - {XSD, ""} - set(self.standard))
            before = len(self.components)
            for namespace in missing:
                path = self._kit.by_namespace(namespace)
                if path is None:
                    path = _standard(namespace)
                    if path is None or namespace not in named:
                        continue
                    self.standard.append(namespace)
                root = self._kit.read(path) if self._inside(path) else etree.parse(str(path)).getroot()
                self._take(root, path, namespace)
            if len(self.components) == before:
                return

    def _check_references(self) -> None:
        for component in self.components.values():
            for space, (namespace, local), node in references(component.node, component.settings):
                if namespace == XSD or (space, namespace, local) in self.components:
                    continue
                if namespace.startswith("?"):
                    what = tr("Le préfixe « {prefix} » n'est pas déclaré.", prefix=namespace[1:])
                else:
                    what = tr("« {name} » n'est défini par aucun schéma du dossier (espace de noms « {namespace} »).",
                              name=local, namespace=namespace)  # fmt: skip
                raise NormError(
                    what, file=component.file, line=line_of(node),
                    remedy=tr("Ajoutez au dossier le fichier qui le définit."),
                )  # fmt: skip

    def namespaces(self) -> list[str]:
        """Return the namespaces that have components, in the order in which they were met."""
        return list(dict.fromkeys(key[1] for key in self.components))

    def needed(self, elements: Iterable[Key]) -> set[Key]:
        """Return what instances of these elements may use: what they refer to, derived types, substitution groups."""
        return _closure(elements, self._uses) & self.components.keys()

    def users(self, key: Key) -> set[Key]:
        """Return the components whose instances may use a component, itself included."""
        used_by: dict[Key, set[Key]] = {}
        for user, used in self._uses.items():
            for one in used:
                used_by.setdefault(one, set()).add(user)
        return _closure([key], used_by)

    @cached_property
    def _uses(self) -> dict[Key, set[Key]]:
        uses: dict[Key, set[Key]] = {key: set() for key in self.components}
        for key, component in self.components.items():
            for space, (namespace, local), node in references(component.node, component.settings):
                named = (space, namespace, local)
                uses[key].add(named)
                heads = node is component.node and space == "element"
                derives = key[0] == "type" and etree.QName(node).localname in ("extension", "restriction")
                if heads or derives:
                    uses.setdefault(named, set()).add(key)
        return uses

    def merged(self, only: Collection[Key] | None = None) -> list[Merged]:
        """Return the files to write, in the order in which their namespaces were met. only: components to keep."""
        by_namespace: dict[str, list[Component]] = {}
        for component in self.components.values():
            if only is None or component.key in only:
                by_namespace.setdefault(component.key[1], []).append(component)
        files = []
        for namespace, components in by_namespace.items():
            named = dict.fromkeys(
                name[0] for one in components for _, name, _ in references(one.node, one.settings)
            )  # fmt: skip
            imports = tuple(one for one in named if one not in (namespace, XSD))
            forms = self._forms[namespace].most_common(1)[0][0]
            files.append(Merged(namespace, tuple(components), imports, forms))
        return files


def write(file: Merged, prefixes: Mapping[str, str], names: Mapping[str, str]) -> bytes:
    """Return the text of one schema file. prefixes: namespace -> prefix; names: namespace -> file name."""
    used = {namespace for namespace in (file.namespace, *file.imports) if namespace and namespace != _XML}
    for component in file.components:
        used |= {namespace for namespace in component.node.nsmap.values() if namespace in prefixes}
    spaces = {"xs": XSD} | {prefixes[namespace]: namespace for namespace in sorted(used, key=prefixes.__getitem__)}
    root = etree.Element(f"{{{XSD}}}schema", nsmap=spaces)
    if file.namespace:
        root.set("targetNamespace", file.namespace)
    root.set("elementFormDefault", file.forms[0])
    root.set("attributeFormDefault", file.forms[1])
    for namespace in file.imports:
        entry = etree.SubElement(root, f"{{{XSD}}}import")
        if namespace:
            entry.set("namespace", namespace)
        entry.set("schemaLocation", names[namespace])
    writer = Writer(lambda namespace: "xml" if namespace == _XML else prefixes[namespace], file.forms)
    source: Path | None = None
    for component in file.components:
        if component.file != source:
            source = component.file
            root.append(etree.Comment(f" {source.name.replace('--', '- -')} "))
        root.append(writer.written(component.node, component.settings))
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def origin(file: Merged, text: bytes, line: int) -> Component | None:
    """Return the component at a line of a written file, None for none."""
    written = [one for one in etree.fromstring(text) if isinstance(one.tag, str) and one.tag != f"{{{XSD}}}import"]
    before = [one for node, one in zip(written, file.components, strict=True) if line_of(node) <= line]
    return before[-1] if before else None


def _closure(keys: Iterable[Key], edges: Mapping[Key, Collection[Key]]) -> set[Key]:
    found: set[Key] = set()
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found.add(key)
            waiting += edges.get(key, ())
    return found


def _standard(namespace: str) -> Path | None:
    """Return the file of a namespace of the W3C that this program or its second schema engine carries."""
    return _standards().get(namespace)


@cache
def _standards() -> dict[str, Path]:
    import xmlschema

    carried = Path(xmlschema.__file__).parent / "schemas"
    found: dict[str, Path] = {}
    for path in (*sorted(STANDARD.glob("*.xsd")), *sorted(carried.glob("*/*.xsd"))):
        namespace = etree.parse(str(path)).getroot().get("targetNamespace")
        if namespace and namespace != XSD:
            found.setdefault(namespace, path)
    return found


def _text(component: Component) -> bytes:
    """Return a component in a form that tells whether two say the same."""
    writer = Writer(lambda namespace: f"n{abs(hash(namespace))}", ("unqualified", "unqualified"))
    written = writer.written(component.node, component.settings)
    for note in list(written.iter(f"{{{XSD}}}annotation")):
        above = note.getparent()
        if above is not None:
            above.remove(note)
    etree.indent(written)
    return etree.tostring(written, method="c14n")
