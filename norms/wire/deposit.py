"""Documents that are handed in bare, without SOAP: claims and what comes back of them.

The wire and the files of a norm hold the bare document; whoever looks at it sees it in an empty SOAP 1.2 envelope, so
that schemas, rules and XPath work alike for every message. Source: docs/formats/norm.md, "carrier".
"""

from __future__ import annotations

from typing import Any, Final, cast

from lxml import etree

from norms.wire.names import SOAP11, SOAP12

MEDIA_TYPE: Final = "application/xml; charset=utf-8"
_ENVELOPES: Final = frozenset({f"{{{SOAP11}}}Envelope", f"{{{SOAP12}}}Envelope"})


def is_bare(root: etree._Element) -> bool:
    """Tell whether a document is no SOAP envelope."""
    return root.tag not in _ENVELOPES


def enveloped(root: etree._Element) -> etree._Element:
    """Return an envelope: `root` itself when it is one, else a new one that takes `root` in as its payload."""
    if not is_bare(root):
        return root
    envelope = etree.Element(f"{{{SOAP12}}}Envelope", nsmap={"soap": SOAP12})
    etree.SubElement(envelope, f"{{{SOAP12}}}Body").append(root)
    return envelope


def document_of(element: etree._Element) -> etree._Element | None:
    """Return the root of the bare document in which an element stands, None when it is in an envelope that was sent.

    An envelope that `enveloped` made has no line in any text.
    """
    top = element.getroottree().getroot()
    if is_bare(top) or cast(Any, top).sourceline:
        return None
    return next((child for body in top for child in body), None)


def bared(envelope: etree._Element) -> bytes:
    """Return the payload of an envelope as a document of its own; raises ValueError when there is not exactly one."""
    (payload,) = (child for body in envelope.findall("{*}Body") for child in body if isinstance(child.tag, str))
    alone = etree.fromstring(etree.tostring(payload, with_tail=False))
    etree.cleanup_namespaces(alone)
    return etree.tostring(alone, encoding="UTF-8", xml_declaration=True)
