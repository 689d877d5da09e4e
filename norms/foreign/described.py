"""The WSDL of one port type, written anew: one file, one SOAP version, schemas imported from the draft's own folder.

The originals may spread this over several files, mix SOAP versions and carry policies; the laboratory, the sandbox
and SOAP toolkits read this one. Source: WSDL 1.1 §2-3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from lxml import etree

from norms.foreign.gathering import WSDL, XSD
from norms.foreign.wsdl import SOAP_BINDINGS, Half, Name, Operation

_TRANSPORT: Final = "http://schemas.xmlsoap.org/soap/http"
_ADDRESS: Final = "https://exemple.invalid"


def description(operations: Sequence[Operation], prefixes: Mapping[str, str], files: Mapping[str, str]) -> bytes:
    """Return the WSDL of the operations of one port type and one SOAP version.

    prefixes: namespace -> prefix; files: namespace -> schema file name in `../schema`.
    """
    interface, soap = operations[0].interface, SOAP_BINDINGS[operations[0].soap]
    names = [name for one in operations for half in (one.request, one.response)
             for name in (half.element, *half.headers)]  # fmt: skip
    used = dict.fromkeys(name.namespace for name in names)
    own = interface.namespace or f"{_ADDRESS}/"
    spaces: dict[str | None, str] = {None: WSDL, "soap": soap, "xs": XSD, "tns": own}
    named = spaces | {prefixes[one]: one for one in used}
    root = etree.Element(f"{{{WSDL}}}definitions", nsmap=cast(Mapping[str, str], named), name=interface.local)
    root.set("targetNamespace", own)
    schema = etree.SubElement(etree.SubElement(root, f"{{{WSDL}}}types"), f"{{{XSD}}}schema")
    for namespace in used:
        etree.SubElement(
            schema, f"{{{XSD}}}import", namespace=namespace, schemaLocation=f"../schema/{files[namespace]}"
        )
    for operation in operations:
        for side, half in (("Request", operation.request), ("Response", operation.response)):
            message = etree.SubElement(root, f"{{{WSDL}}}message", name=f"{operation.name}{side}")
            for part, name in _parts(half):
                element = f"{prefixes[name.namespace]}:{name.local}"
                etree.SubElement(message, f"{{{WSDL}}}part", name=part, element=element)
    port_type = etree.SubElement(root, f"{{{WSDL}}}portType", name=interface.local)
    for operation in operations:
        abstract = etree.SubElement(port_type, f"{{{WSDL}}}operation", name=operation.name)
        etree.SubElement(abstract, f"{{{WSDL}}}input", message=f"tns:{operation.name}Request")
        etree.SubElement(abstract, f"{{{WSDL}}}output", message=f"tns:{operation.name}Response")
    binding = etree.SubElement(
        root, f"{{{WSDL}}}binding", name=f"{interface.local}Binding", type=f"tns:{interface.local}"
    )
    etree.SubElement(binding, f"{{{soap}}}binding", style="document", transport=_TRANSPORT)
    for operation in operations:
        _bound(binding, operation, soap)
    service = etree.SubElement(root, f"{{{WSDL}}}service", name=f"{interface.local}Service")
    port = etree.SubElement(
        service, f"{{{WSDL}}}port", name=f"{interface.local}Port", binding=f"tns:{interface.local}Binding"
    )
    etree.SubElement(port, f"{{{soap}}}address", location=_ADDRESS)
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


def _parts(half: Half) -> list[tuple[str, Name]]:
    return [("body", half.element), *((f"header{number}", name) for number, name in enumerate(half.headers, 1))]


def _bound(binding: etree._Element, operation: Operation, soap: str) -> None:
    bound = etree.SubElement(binding, f"{{{WSDL}}}operation", name=operation.name)
    etree.SubElement(bound, f"{{{soap}}}operation", soapAction=operation.request.action)
    for tag, side, half in (("input", "Request", operation.request), ("output", "Response", operation.response)):
        node = etree.SubElement(bound, f"{{{WSDL}}}{tag}")
        for part, _ in _parts(half)[1:]:
            etree.SubElement(node, f"{{{soap}}}header", message=f"tns:{operation.name}{side}", part=part, use="literal")
        etree.SubElement(node, f"{{{soap}}}body", parts="body", use="literal")
