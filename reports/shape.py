"""The only form a sealed document may have, checked before any cryptography is done on it.

A signature proves that some element was signed; the shape proves that it is the root that people read. Everything that
the signature does not cover (the frame of ds:Signature itself) has exactly one allowed form, so that no byte of the
document can change what it says. Source: docs/formats/certificate.md; SECURITY, signature notes 1–4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from norms.errors import ParseRefusal
from norms.i18n import tr
from norms.model import Limits
from norms.parsing import parse
from reports.certificate import FORMS, Form, schema
from reports.errors import ReportError
from reports.seal import C14N, DIGEST, SIGNATURE

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
SIGNED_PROPERTIES: Final = "http://uri.etsi.org/01903#SignedProperties"
ENVELOPED: Final = f"{DS}enveloped-signature"
LIMITS: Final = Limits(body_bytes=4_194_304, depth=24, elements=60_000, text_bytes=65_536)


class ShapeError(ReportError):
    """The file is not a sealed document of the one allowed form."""


@dataclass(frozen=True)
class SealedDocument:
    """A file of the right shape, its signature not yet verified. certificates: base64 DER, the seal's own first."""

    form: Form
    root: etree._Element
    certificates: tuple[str, ...]
    signing_time: str


def read_shape(data: bytes) -> SealedDocument:
    """Return the document in `data`. Raises ShapeError."""
    try:
        root = parse(data, LIMITS)
    except ParseRefusal as refusal:
        raise ShapeError(tr("Ce fichier n’est pas un document scellé lisible : {why}", why=refusal.what)) from refusal
    form = FORMS.get(str(root.tag))
    if form is None:
        raise ShapeError(tr("La racine de ce fichier n’est ni celle d’un certificat ni celle d’un bilan signé."))
    if any(not isinstance(node.tag, str) for node in root.iter()):
        raise ShapeError(tr("Un document scellé ne contient ni commentaire ni instruction de traitement."))
    schema_of_form = schema(form.kind)
    try:
        schema_of_form.assertValid(root)
    except etree.DocumentInvalid as bad:
        raise ShapeError(tr("Le document ne suit pas son schéma : {why}", why=bad)) from bad
    if len(list(root.iter(f"{{{DS}}}Signature"))) != 1:
        raise ShapeError(tr("Un document scellé porte une signature et une seule."))
    _check_identifiers(root)
    return _signature(form, root, root[-1])


def _check_identifiers(root: etree._Element) -> None:
    values = [
        str(value)
        for element in root.iter()
        for name, value in element.attrib.items()
        if etree.QName(str(name)).localname.lower() == "id"
    ]
    if len(values) != len(set(values)):
        raise ShapeError(tr("Un identifiant apparaît deux fois dans le document."))


def _signature(form: Form, root: etree._Element, signature: etree._Element) -> SealedDocument:
    signature_id = _attributes(signature, "Id")[0]
    info, value, key_info, container = _children(signature, "SignedInfo", "SignatureValue", "KeyInfo", "Object")
    _attributes(value)
    _attributes(container)
    key_id = _attributes(key_info, "Id")[0]
    (x509_data,) = _children(key_info, "X509Data")
    certificates = _children(x509_data, *["X509Certificate"] * len(x509_data))
    (qualifying,) = _children(container, "QualifyingProperties", namespace=XADES)
    if _attributes(qualifying, "Target") != [f"#{signature_id}"]:
        raise _wrong(qualifying)
    (properties,) = _children(qualifying, "SignedProperties", namespace=XADES)
    properties_id = _attributes(properties, "Id")[0]
    _check_info(info, (form.identifier, properties_id, key_id))
    signed, _ = _children(properties, "SignedSignatureProperties", "SignedDataObjectProperties", namespace=XADES)
    time, _ = _children(signed, "SigningTime", "SigningCertificateV2", namespace=XADES)
    return SealedDocument(form, root, tuple(item.text or "" for item in certificates), time.text or "")


def _check_info(info: etree._Element, identifiers: Sequence[str]) -> None:
    """Check that exactly the root, the signed properties and the key are signed, by the algorithms of the profile."""
    _attributes(info)
    method, algorithm, *references = _children(
        info, "CanonicalizationMethod", "SignatureMethod", *["Reference"] * len(identifiers)
    )
    _algorithm(method, C14N)
    _algorithm(algorithm, SIGNATURE)
    for rank, (reference, identifier) in enumerate(zip(references, identifiers, strict=True)):
        if reference.get("URI") != f"#{identifier}":
            raise _wrong(reference)
        parts = ("Transforms", "DigestMethod", "DigestValue") if rank == 0 else ("DigestMethod", "DigestValue")
        *transforms, digest, _ = _children(reference, *parts)
        _algorithm(digest, DIGEST)
        for transform in transforms:
            enveloped, canonical = _children(transform, "Transform", "Transform")
            _algorithm(enveloped, ENVELOPED)
            _algorithm(canonical, C14N)
    if references[1].get("Type") != SIGNED_PROPERTIES:
        raise _wrong(references[1])


def _algorithm(element: etree._Element, wanted: str) -> None:
    if _attributes(element, "Algorithm") != [wanted] or len(element):
        raise _wrong(element)


def _attributes(element: etree._Element, *names: str) -> list[str]:
    """Return the values of exactly these attributes."""
    if set(element.attrib) != set(names):
        raise _wrong(element)
    return [str(element.get(name)) for name in names]


def _children(element: etree._Element, *names: str, namespace: str = DS) -> list[etree._Element]:
    """Return the children, which must have exactly these names, in this order, and no text between them."""
    if [child.tag for child in element] != [f"{{{namespace}}}{name}" for name in names] or not names:
        raise _wrong(element)
    between = (element.text, *(child.tail for child in element))
    if any(text and text.strip() for text in between):
        raise _wrong(element)
    return list(element)


def _wrong(element: etree._Element) -> ShapeError:
    name = etree.QName(element).localname
    return ShapeError(tr("La signature n’a pas la forme attendue (élément {name}).", name=name))
