"""SOAP 1.1 and 1.2 envelopes: their parts and their faults.

Source: SOAP 1.1 §4, SOAP 1.2 part 1 §5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from lxml import etree

from norms.errors import SecurityRefusal
from norms.i18n import tr
from norms.model import Service
from norms.wire.names import SOAP11, SOAP12

__all__ = ["NAMESPACES", "SOAP11", "SOAP12", "Envelope", "fault", "qname", "serialize"]

NAMESPACES: Final[Mapping[str, str]] = {"1.1": SOAP11, "1.2": SOAP12}
_FAULT_CODES: Final = {"1.1": {"Sender": "Client", "Receiver": "Server"}}
_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True)
class Envelope:
    """The parts of an envelope; header is None when the message has none."""

    root: etree._Element
    namespace: str
    header: etree._Element | None
    body: etree._Element

    @classmethod
    def of(cls, root: etree._Element) -> Envelope:
        """Return the parts of `root`.

        Raises SecurityRefusal: envelope-version when it is no SOAP envelope, envelope-structure when it does not hold
        at most one header followed by exactly one body.
        """
        name = etree.QName(root)
        if name.localname != "Envelope" or name.namespace not in (SOAP11, SOAP12):
            raise SecurityRefusal("envelope-version", tr("Le message n'est pas une enveloppe SOAP."))
        namespace = str(name.namespace)
        children = [child for child in root if isinstance(child.tag, str)]
        tags = [child.tag for child in children]
        header_tag, body_tag = f"{{{namespace}}}Header", f"{{{namespace}}}Body"
        if tags == [header_tag, body_tag]:
            return cls(root, namespace, children[0], children[1])
        if tags == [body_tag]:
            return cls(root, namespace, None, children[0])
        raise SecurityRefusal(
            "envelope-structure", tr("L'enveloppe SOAP doit contenir un Header au plus, puis un seul Body.")
        )

    @property
    def payload(self) -> etree._Element | None:
        """The first element of the body, None when the body is empty."""
        return next((child for child in self.body if isinstance(child.tag, str)), None)

    @property
    def is_fault(self) -> bool:
        """Whether the body carries a SOAP fault."""
        payload = self.payload
        return payload is not None and payload.tag == f"{{{self.namespace}}}Fault"

    def blocks(self, tag: str) -> list[etree._Element]:
        """Return the header blocks of that Clark name, in document order."""
        return [] if self.header is None else self.header.findall(tag)


def qname(prefixes: Mapping[str, str], name: str) -> str:
    """Return the Clark name of a `prefix:local` name; a name without prefix has no namespace. Raises KeyError."""
    prefix, colon, local = name.rpartition(":")
    return f"{{{prefixes[prefix]}}}{local}" if colon else local


def namespace_of(service: Service) -> str:
    """Return the SOAP namespace a service speaks."""
    return NAMESPACES[service.soap]


def serialize(root: etree._Element) -> bytes:
    """Return the document as UTF-8 bytes with its XML declaration."""
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def fault(
    soap_version: Literal["1.1", "1.2"],
    code: Literal["Sender", "Receiver"],
    reason_text: str,
    detail: etree._Element | None = None,
    *,
    subcode: tuple[str, str] | None = None,
    headers: tuple[etree._Element, ...] = (),
    language: str = "fr",
) -> bytes:
    """Return a fault envelope.

    detail: the one element put into Detail; subcode: (namespace, local name), SOAP 1.2 only; headers: header blocks.
    """
    return serialize(
        fault_envelope(soap_version, code, reason_text, detail, subcode=subcode, headers=headers, language=language)
    )


def fault_envelope(
    soap_version: Literal["1.1", "1.2"],
    code: Literal["Sender", "Receiver"],
    reason_text: str,
    detail: etree._Element | None = None,
    *,
    subcode: tuple[str, str] | None = None,
    headers: tuple[etree._Element, ...] = (),
    language: str = "fr",
) -> etree._Element:
    """Like `fault`, as a tree: for answers that are still to be signed."""
    space = NAMESPACES[soap_version]
    root = etree.Element(f"{{{space}}}Envelope", nsmap={"soap": space})
    if headers:
        etree.SubElement(root, f"{{{space}}}Header").extend(headers)
    body = etree.SubElement(root, f"{{{space}}}Body")
    if soap_version == "1.1":
        node = etree.SubElement(body, f"{{{space}}}Fault")
        etree.SubElement(node, "faultcode").text = f"soap:{_FAULT_CODES['1.1'][code]}"
        etree.SubElement(node, "faultstring", {_XML_LANG: language}).text = reason_text
        if detail is not None:
            etree.SubElement(node, "detail").append(detail)
        return root
    spaces = {"f": subcode[0]} if subcode else None
    node = etree.SubElement(body, f"{{{space}}}Fault", nsmap=spaces)
    code_node = etree.SubElement(node, f"{{{space}}}Code")
    etree.SubElement(code_node, f"{{{space}}}Value").text = f"soap:{code}"
    if subcode:
        sub = etree.SubElement(code_node, f"{{{space}}}Subcode")
        etree.SubElement(sub, f"{{{space}}}Value").text = f"f:{subcode[1]}"
    reason = etree.SubElement(node, f"{{{space}}}Reason")
    etree.SubElement(reason, f"{{{space}}}Text", {_XML_LANG: language}).text = reason_text
    if detail is not None:
        etree.SubElement(node, f"{{{space}}}Detail").append(detail)
    return root
