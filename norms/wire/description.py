"""The service descriptions that a server publishes: its WSDL at ?wsdl, the schemas that it imports at ?xsd=name.

Addresses are those where the server really is, so that a SOAP toolkit can be pointed at it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from lxml import etree

from norms.model import Norm, Service

_KEPT: Final = 64
_REFERENCES: Final = ("schemaLocation", "location")
_ADDRESSES: Final = (
    "{http://schemas.xmlsoap.org/wsdl/soap/}address",
    "{http://schemas.xmlsoap.org/wsdl/soap12/}address",
)
_REFERRING: Final = (
    "{http://www.w3.org/2001/XMLSchema}import",
    "{http://www.w3.org/2001/XMLSchema}include",
    "{http://schemas.xmlsoap.org/wsdl/}import",
)


def describe(norm: Norm, service: Service, address: str, schema: str = "") -> bytes | None:
    """Return the WSDL of a service, or one schema by file name; None when there is none, as for a deposit."""
    if not schema:
        return _rewritten(norm.root / service.wsdl, address) if service.wsdl else None
    path = _files(norm).get(schema)
    return _rewritten(path, address) if path is not None else None


def _files(norm: Norm) -> dict[str, Path]:
    """Return the schema files of a norm and of those it uses, by name; the norm's own win."""
    files: dict[str, Path] = {}
    for part in (*reversed(norm.parents), norm):
        for path in sorted((part.root / "schema").glob("*.xsd")):
            files[path.name] = path
    return files


@lru_cache(_KEPT)
def _rewritten(path: Path, address: str) -> bytes | None:
    if not path.is_file():
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.parse(path, parser).getroot()
    for node in root.iter(*_REFERRING):
        for name in _REFERENCES:
            target = node.get(name)
            if target:
                node.set(name, f"{address}?xsd={PurePosixPath(target).name}")
    for node in root.iter(*_ADDRESSES):
        node.set("location", address)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
