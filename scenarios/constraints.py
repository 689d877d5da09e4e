"""The constraints of a norm's XML schemas, and where the canonical requests meet them.

A constraint is one facet of a simple type (all patterns, or all enumerated values, of one restriction count as one),
one built-in data type, one occurrence bound of an element, or one required attribute. It is named by its schema file
and the rank of its XSD element in that file, which both lxml and xmlschema count alike.
Sources: XML Schema 1.0 part 1 §3.9 (particles), §3.5 (attribute uses); part 2 §4.3 (facets).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import msgspec
from lxml import etree

from norms.filling import canonical_path, read_base
from norms.functions import functions_for
from norms.model import Norm, Service
from norms.places import line_of
from norms.schema import XSD, Schemas, roots_of, walk

Sort = Literal["facet", "datatype", "required", "maximum", "attribute"]

FACETS: Final = (
    "length", "minLength", "maxLength", "pattern", "enumeration", "minInclusive", "maxInclusive", "minExclusive",
    "maxExclusive", "totalDigits", "fractionDigits",
)  # fmt: skip
_GROUPED: Final = ("pattern", "enumeration")
_FREE_TYPES: Final = frozenset(
    f"{{{XSD}}}{name}" for name in ("string", "normalizedString", "token", "anySimpleType", "anyType", "anyURI")
)


class Constraint(msgspec.Struct, frozen=True, order=True):
    """One constraint of a schema. file: name from the folder of norms; rank: of its XSD element, from 0; line: 1-based.

    name: facet, built-in type, element or attribute; limit: its value ("" for required); owner: type or element that
    it belongs to, for people.
    """

    file: str
    rank: int
    sort: Sort
    name: str
    limit: str
    owner: str
    line: int

    @property
    def key(self) -> str:
        """The stable name of the constraint: the same in the next version of the norm if the constraint is."""
        return f"{self.owner}|{self.sort}|{self.name}|{self.limit}"


class Spot(msgspec.Struct, frozen=True):
    """A place of a canonical request that meets constraints.

    path: XPath of an element, or element/@attribute; value: its canonical text; leaf: it holds text; parent: XPath of
    the parent element.
    """

    kind: str
    path: str
    value: str
    leaf: bool
    parent: str
    constraints: tuple[Constraint, ...]
    bounds: tuple[tuple[str, str], ...] = ()


class SchemaMap:
    """The schemas of a norm with their constraints, and the spots of its canonical requests."""

    def __init__(self, norm: Norm) -> None:
        self.norm = norm
        self.files = walk(norm.schemas, roots_of(norm))
        roots = [member.root.resolve().parent.parent for member in norm.family]
        self._names = {file: _relative(file, roots) for file in self.files}
        self.constraints: dict[tuple[str, int, Sort], Constraint] = {}
        for file in sorted(self.files, key=self._names.__getitem__):
            for constraint in _constraints_of(self._names[file], file):
                self.constraints[constraint.file, constraint.rank, constraint.sort] = constraint

    def path_of(self, constraint: Constraint) -> Path:
        """Return the schema file of a constraint."""
        return next(path for path, name in self._names.items() if name == constraint.file)

    def spots(self) -> Iterator[Spot]:
        """Yield the spots of every canonical request, in document order."""
        import xmlschema

        quick = Schemas(self.norm.schemas, roots_of(self.norm))
        second = xmlschema.XMLSchema10([str(path) for path in self.norm.schemas], allow="local", defuse="always")
        ranks: dict[int, dict[int, int]] = {}
        for service in self.norm.tested_services("server"):
            path = canonical_path(self.norm, service.kind)
            if path.is_file():
                for part in parts(quick, read_base(path)):
                    declaration = second.maps.elements.get(part.tag)
                    if declaration is not None:
                        yield from self._walk(service, part, declaration, ranks, "")

    def _walk(
        self, service: Service, node: etree._Element, declared: Any, ranks: dict[int, dict[int, int]], parent: str
    ) -> Iterator[Spot]:
        path = self._path(node)
        constraints = list(self._of(declared, ("required", "maximum"), ranks))
        simple = _simple(declared.type)
        bounds: tuple[tuple[str, str], ...] = ()
        if simple is not None:
            found, bounds = self._simple(simple, declared, ranks)
            constraints += found
        text = (node.text or "").strip()
        yield Spot(service.kind, path, text, simple is not None, parent, tuple(constraints), bounds)
        for name, attribute in _attributes(declared.type):
            value = node.get(name)
            if value is not None:
                found, bounds = self._simple(attribute.type, attribute, ranks)
                own = [*self._of(attribute, ("attribute",), ranks), *found]
                yield Spot(service.kind, f"{path}/@{self._name(name)}", value, True, path, tuple(own), bounds)
        if simple is None and hasattr(declared.type.content, "iter_elements"):
            known = {item.name: item for item in declared.type.content.iter_elements() if item.name}
            for child in node.iterchildren(etree.Element):
                below = known.get(child.tag)
                if below is not None:
                    yield from self._walk(service, child, below, ranks, path)

    def _simple(
        self, simple: Any, carrier: Any, ranks: dict[int, dict[int, int]]
    ) -> tuple[list[Constraint], tuple[tuple[str, str], ...]]:
        """Return the constraints of a simple type and of those it restricts, and all their limits by facet name."""
        found = list(self._of(carrier, ("datatype",), ranks))
        bounds: list[tuple[str, str]] = []
        step = simple
        while step is not None and step.elem is not None and hasattr(step, "facets"):
            for facet in step.facets.values():
                elem = getattr(facet, "elem", None)
                if elem is not None:
                    found += self._at(facet.schema, elem, ("facet",), ranks)
            tag = f"{{{XSD}}}restriction"
            restriction = step.elem if step.elem.tag == tag else step.elem.find(tag)
            if restriction is not None:
                found += self._at(step.schema, restriction, ("datatype",), ranks)
            step = step.base_type
        unique = list(dict.fromkeys(found))
        bounds.extend((item.name, item.limit) for item in unique if item.sort == "facet")
        bounds.extend(("datatype", item.name) for item in unique if item.sort == "datatype")
        return unique, tuple(bounds)

    def _of(self, component: Any, sorts: Iterable[Sort], ranks: dict[int, dict[int, int]]) -> list[Constraint]:
        return self._at(component.schema, component.elem, sorts, ranks) if component.elem is not None else []

    def _at(self, schema: Any, elem: Any, sorts: Iterable[Sort], ranks: dict[int, dict[int, int]]) -> list[Constraint]:
        by_identity = ranks.setdefault(id(schema), {id(node): rank for rank, node in enumerate(schema.root.iter())})
        rank = by_identity.get(id(elem))
        file = _file_of(schema.url or "")
        if rank is None or file not in self._names:
            return []
        keys = [(self._names[file], rank, sort) for sort in sorts]
        return [self.constraints[key] for key in keys if key in self.constraints]

    def _path(self, node: etree._Element) -> str:
        names = []
        while True:
            parent = node.getparent()
            name = self._name(node.tag)
            if parent is not None:
                same = [child for child in parent.iterchildren(etree.Element) if child.tag == node.tag]
                if len(same) > 1:
                    name += f"[{same.index(node) + 1}]"
            names.append(name)
            if parent is None:
                return "/" + "/".join(reversed(names))
            node = parent

    def _name(self, tag: str) -> str:
        name = etree.QName(tag)
        if not name.namespace:
            return name.localname
        prefixes = {uri: prefix for prefix, uri in functions_for(self.norm).namespaces.items()}
        prefixes |= {uri: prefix for prefix, uri in self.norm.prefixes.items()}
        return f"{prefixes[name.namespace]}:{name.localname}"


def parts(schemas: Schemas, envelope: etree._Element) -> list[etree._Element]:
    """Return the parts of an envelope that the schemas describe: payloads and header blocks, each alone."""
    return [
        part
        for area in envelope.iterchildren(etree.Element)
        for part in area.iterchildren(etree.Element)
        if schemas.knows(part)
    ]


def xsd_elements(path: Path) -> list[etree._Element]:
    """Return the elements of a schema file in document order: a constraint's rank counts them."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return list(etree.parse(str(path), parser).getroot().iter(etree.Element))


def _constraints_of(name: str, path: Path) -> Iterator[Constraint]:
    grouped: set[tuple[etree._Element, str]] = set()
    for rank, node in enumerate(xsd_elements(path)):
        local, line, owner = etree.QName(node).localname, line_of(node), _owner(node)
        parent = node.getparent()
        place = etree.QName(parent).localname if parent is not None else ""
        if local in FACETS and parent is not None and place == "restriction":
            limits = [child.get("value", "") for child in parent.iterchildren(node.tag)]
            if local not in _GROUPED:
                yield Constraint(name, rank, "facet", local, node.get("value", ""), owner, line)
            elif (parent, local) not in grouped:
                grouped.add((parent, local))
                yield Constraint(name, rank, "facet", local, " | ".join(limits), owner, line)
        elif local == "restriction" and place == "simpleType" and _builtin(node, "base"):
            yield Constraint(name, rank, "datatype", _builtin(node, "base"), "", owner, line)
        elif local == "element" and place in ("sequence", "choice", "all"):
            label = str(node.get("name") or node.get("ref", ""))
            if node.get("minOccurs", "1") != "0":
                yield Constraint(name, rank, "required", label, node.get("minOccurs", "1"), owner, line)
            if node.get("maxOccurs", "1") != "unbounded":
                yield Constraint(name, rank, "maximum", label, node.get("maxOccurs", "1"), owner, line)
            if _builtin(node, "type"):
                yield Constraint(name, rank, "datatype", _builtin(node, "type"), "", f"{owner}/{label}", line)
        elif local == "attribute" and node.get("use") == "required":
            yield Constraint(name, rank, "attribute", str(node.get("name") or node.get("ref", "")), "", owner, line)


def _builtin(node: etree._Element, attribute: str) -> str:
    """Return the local name of the built-in type that restricts the text, "" for a free or a user's type."""
    prefix, _, local = node.get(attribute, "").rpartition(":")
    tag = f"{{{node.nsmap.get(prefix or None)}}}{local}"
    return local if tag.startswith(f"{{{XSD}}}") and tag not in _FREE_TYPES else ""


def _owner(node: etree._Element) -> str:
    """Return the name of the nearest enclosing type or element."""
    for above in node.iterancestors():
        if above.get("name"):
            return above.get("name", "")
    return ""


def _simple(xsd_type: Any) -> Any:
    if xsd_type.is_simple():
        return xsd_type
    return xsd_type.content if xsd_type.has_simple_content() else None


def _attributes(xsd_type: Any) -> list[tuple[str, Any]]:
    attributes = getattr(xsd_type, "attributes", None) or {}
    return [(name, attribute) for name, attribute in attributes.items() if name]


def _file_of(url: str) -> Path:
    parts_ = urlsplit(url)
    return Path(url2pathname(unquote(parts_.path)) if parts_.scheme == "file" else url).resolve()


def _relative(file: Path, roots: Iterable[Path]) -> str:
    return next((file.relative_to(root).as_posix() for root in roots if file.is_relative_to(root)), file.name)
