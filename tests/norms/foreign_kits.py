"""Small folders of WSDL and XSD files, as somebody else might give them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from norms.foreign.draft import Imported, import_folder

XS: Final = "http://www.w3.org/2001/XMLSchema"
TNS: Final = "urn:test:livre"
DAY: Final = date(2026, 1, 2)
BINDING: Final = {
    "1.1": "http://schemas.xmlsoap.org/wsdl/soap/",
    "1.2": "http://schemas.xmlsoap.org/wsdl/soap12/",
}


def written(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def schema(body: str, namespace: str = TNS, more: str = 'elementFormDefault="qualified"') -> str:
    """Return an `xs:schema` whose own namespace has the prefix t."""
    target = f'targetNamespace="{namespace}" xmlns:t="{namespace}"' if namespace else ""
    return f'<xs:schema xmlns:xs="{XS}" {target} {more}>{body}</xs:schema>'


def binding(soap: str, operations: str, name: str = "B", style: str = "document", use: str = "literal") -> str:
    """Return a binding of the port type P. operations: names separated by blanks."""
    bound = "".join(
        f'<operation name="{one}"><s:operation soapAction="urn:{one}"/>'
        f'<input><s:body use="{use}"/></input><output><s:body use="{use}"/></output></operation>'
        for one in operations.split()
    )
    return (
        f'<binding name="{name}" type="t:P" xmlns:s="{BINDING[soap]}">'
        f'<s:binding style="{style}" transport="http://schemas.xmlsoap.org/soap/http"/>{bound}</binding>'
    )


def interface(operations: str) -> str:
    """Return messages and port type: operation `prendre` carries the elements `t:prendre` and `t:prendreReponse`."""
    names = operations.split()
    messages = "".join(
        f'<message name="{one}{side}"><part name="body" element="t:{one}{side}"/></message>'
        for one in names
        for side in ("", "Reponse")
    )
    described = "".join(
        f'<operation name="{one}"><input message="t:{one}"/><output message="t:{one}Reponse"/></operation>'
        for one in names
    )
    return f'{messages}<portType name="P">{described}</portType>'


def wsdl(types: str, body: str = "", operations: str = "prendre", soap: str = "1.1") -> str:
    """Return a WSDL. types: schemas; body: what follows them, else interface and binding of the operations."""
    return (
        f'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="{TNS}" targetNamespace="{TNS}" name="Livres">'
        f"<types>{types}</types>{body or interface(operations) + binding(soap, operations)}</definitions>"
    )


def payloads(request: str, response: str = '<xs:element name="ok" type="xs:boolean"/>') -> str:
    """Return the two global elements of the operation `prendre` with these particles in a sequence."""
    return "".join(
        f'<xs:element name="{name}"><xs:complexType><xs:sequence>{content}</xs:sequence></xs:complexType></xs:element>'
        for name, content in (("prendre", request), ("prendreReponse", response))
    )


def imported(folder: Path, work: Path, files: Mapping[str, str | bytes]) -> Imported:
    """Write a kit and make a draft of it."""
    return import_folder(written(folder, files), "livres", "1.0", work, DAY)


def message(made: Imported, name: str = "PRENDRE.request") -> str:
    """Return the text of a canonical message."""
    return (made.folder / "messages" / f"{name}.xml").read_text("utf-8")
