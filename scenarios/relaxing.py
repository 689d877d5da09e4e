"""Schemas with exactly one constraint taken away: the proof that a negative case breaks that constraint alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final

from lxml import etree

from norms.errors import NormError
from norms.schema import XSD, Schemas
from scenarios.constraints import Constraint, SchemaMap, xsd_elements

_NUMERIC: Final = frozenset(
    f"{{{XSD}}}{name}"
    for name in ("minInclusive", "maxInclusive", "minExclusive", "maxExclusive", "totalDigits", "fractionDigits")
)


class Relaxer:
    """A copy of a norm's schemas on disk, in which one constraint at a time is relaxed. A context manager."""

    def __init__(self, schema_map: SchemaMap) -> None:
        self._map = schema_map
        self._folder = tempfile.TemporaryDirectory(prefix="schemas-", ignore_cleanup_errors=True)
        self._root = Path(self._folder.name).resolve()
        self._common = _common([*schema_map.files])
        for path in schema_map.files:
            copy = self._copy(path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
        self._entry = [self._copy(path.resolve()) for path in schema_map.norm.schemas]

    def __enter__(self) -> Relaxer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def without(self, constraint: Constraint) -> Schemas | None:
        """Return the schemas without `constraint`; None when libxml2 does not accept them (ambiguous content …)."""
        path = self._map.path_of(constraint)
        nodes = xsd_elements(path)
        _relax(nodes[constraint.rank], constraint)
        copy = self._copy(path)
        copy.write_bytes(etree.tostring(nodes[0].getroottree(), encoding="utf-8"))
        try:
            return Schemas(self._entry, [self._root])
        except NormError:
            return None
        finally:
            copy.write_bytes(path.read_bytes())

    def _copy(self, path: Path) -> Path:
        return self._root / path.relative_to(self._common)


def _common(paths: list[Path]) -> Path:
    common = paths[0].parent
    while not all(path.is_relative_to(common) for path in paths):
        common = common.parent
    return common


def _relax(node: etree._Element, constraint: Constraint) -> None:
    if constraint.sort == "required":
        node.set("minOccurs", "0")
    elif constraint.sort == "maximum":
        node.set("maxOccurs", "unbounded")
    elif constraint.sort == "attribute":
        del node.attrib["use"]
    elif constraint.sort == "datatype":
        attribute = "base" if etree.QName(node).localname == "restriction" else "type"
        prefix = next(prefix for prefix, uri in node.nsmap.items() if uri == XSD)
        node.set(attribute, f"{prefix}:string" if prefix else "string")
        for facet in [child for child in node.iterchildren(etree.Element) if child.tag in _NUMERIC]:
            node.remove(facet)
    else:
        parent = node.getparent()
        assert parent is not None  # a facet stands in a restriction
        for facet in list(parent.iterchildren(node.tag)):
            parent.remove(facet)
