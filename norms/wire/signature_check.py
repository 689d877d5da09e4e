"""Reading a ds:Signature: its form first, with nothing computed, then its digests and its value.

Only the forms of docs/formats/security.md are read; everything else is refused before any cryptography.
"""

from __future__ import annotations

import base64
import binascii
import copy
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.utils import CryptographyDeprecationWarning
from lxml import etree

from norms.errors import SecurityRefusal
from norms.i18n import tr
from norms.model import Algorithms
from norms.wire import names
from norms.wire.algorithms import canonical, check_signature, digest

_LONGEST_CHAIN: Final = 5
_LONGEST_BASE64: Final = 16_384
_LONGEST_PREFIXES: Final = 64
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,  # an exception where warnings are errors
)


@dataclass(frozen=True)
class Target:
    """An element that a signature must cover. name: what it is, for people and for `Verified.covered`."""

    name: str
    identifier: str
    element: etree._Element


@dataclass(frozen=True)
class Canonicalization:
    """An allowed canonicalization and the prefixes its signer declared as inclusive."""

    uri: str
    inclusive: tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """One reference whose form is right."""

    target: Target
    canonicalization: Canonicalization
    digest: str
    value: bytes


@dataclass(frozen=True)
class SignatureForm:
    """A signature whose form is right and whose truth is still unknown."""

    element: etree._Element
    info: etree._Element
    canonicalization: Canonicalization
    algorithm: str
    references: tuple[Reference, ...]
    value: bytes
    certificate: x509.Certificate
    intermediates: tuple[x509.Certificate, ...]
    enveloped: bool


def read_signature(
    element: etree._Element, targets: Sequence[Target], allowed: Algorithms, *, enveloped: bool
) -> SignatureForm:
    """Return the form of a signature that covers exactly `targets`.

    Raises SecurityRefusal: signature-structure, -algorithm, -transform, -reference, -coverage, key-info.
    """
    info, value, key_info = _children(
        element, names.SIGNED_INFO, names.SIGNATURE_VALUE, names.KEY_INFO, attributes=("Id",)
    )
    parts = _elements(info)
    if len(parts) < 2 or [part.tag for part in parts[:2]] != [names.CANONICALIZATION_METHOD, names.SIGNATURE_METHOD]:
        raise _structure(tr("SignedInfo mal formé."))
    if set(info.attrib) - {"Id"}:
        raise _structure(tr("SignedInfo mal formé."))
    references = parts[2:]
    if len(references) > len(targets):
        raise SecurityRefusal("signature-reference", tr("La signature porte des références de trop."))
    _only_algorithm(parts[1])
    algorithm = _allowed(parts[1], allowed.signature)
    certificate, *intermediates = _key_info(key_info)
    return SignatureForm(
        element=element,
        info=info,
        canonicalization=_canonicalization(parts[0], allowed, "signature-algorithm"),
        algorithm=algorithm,
        references=_references(references, targets, allowed, enveloped),
        value=_decoded(value),
        certificate=certificate,
        intermediates=tuple(intermediates),
        enveloped=enveloped,
    )


def check_value(form: SignatureForm) -> None:
    """Check the value and every digest. Raises SecurityRefusal: signature-invalid, certificate-key."""
    try:
        key = form.certificate.public_key()
    except ValueError as error:
        raise SecurityRefusal("certificate-key", tr("La clé publique du certificat est illisible.")) from error
    info = canonical(form.info, form.canonicalization.uri, form.canonicalization.inclusive)
    if not check_signature(form.algorithm, key, form.value, info):
        raise SecurityRefusal("signature-invalid", tr("La valeur de la signature est fausse."))
    for reference in form.references:
        content = reference.target.element
        if form.enveloped:
            content = _without(content, form.element)
        found = digest(
            reference.digest, canonical(content, reference.canonicalization.uri, reference.canonicalization.inclusive)
        )
        if not hmac.compare_digest(found, reference.value):
            raise SecurityRefusal(
                "signature-invalid",
                tr("Le contenu de « {name} » a changé depuis sa signature.", name=reference.target.name),
            )


def text_of(element: etree._Element, reason: str) -> str:
    """Return the text of an element that may hold nothing but text; SecurityRefusal(reason) otherwise."""
    if len(element):
        raise SecurityRefusal(
            reason, tr("L'élément {name} ne doit contenir que du texte.", name=etree.QName(element).localname)
        )
    return element.text or ""


def _references(
    elements: Sequence[etree._Element], targets: Sequence[Target], allowed: Algorithms, enveloped: bool
) -> tuple[Reference, ...]:
    waiting = {f"#{target.identifier}": target for target in targets}
    found: list[Reference] = []
    for element in elements:
        if element.tag != names.REFERENCE or set(element.attrib) - {"URI", "Id"}:
            raise _structure(tr("SignedInfo mal formé."))
        target = waiting.pop(element.get("URI", ""), None)
        if target is None:
            raise SecurityRefusal(
                "signature-reference",
                tr("La référence « {uri} » ne désigne aucun élément à signer.", uri=element.get("URI", "")),
            )
        transforms, method, value = _children(
            element, names.TRANSFORMS, names.DIGEST_METHOD, names.DIGEST_VALUE, attributes=("URI", "Id")
        )
        _only_algorithm(method)
        canonicalization = _transforms(transforms, allowed, enveloped)
        found.append(Reference(target, canonicalization, _allowed(method, allowed.digest), _decoded(value)))
    if waiting:
        missing = ", ".join(target.name for target in waiting.values())
        raise SecurityRefusal("signature-coverage", tr("La signature ne couvre pas : {missing}.", missing=missing))
    return tuple(found)


def _transforms(element: etree._Element, allowed: Algorithms, enveloped: bool) -> Canonicalization:
    transforms = _elements(element)
    expected = 2 if enveloped else 1
    uris = [transform.get("Algorithm", "") for transform in transforms]
    right = len(transforms) == expected and all(transform.tag == names.TRANSFORM for transform in transforms)
    if right and enveloped:
        right = uris[0] == names.ENVELOPED and not len(transforms[0])
    if not right or element.attrib:
        raise SecurityRefusal(
            "signature-transform", tr("Transformations refusées : {uris}.", uris=", ".join(uris) or "(aucune)")
        )
    return _canonicalization(transforms[-1], allowed, "signature-transform")


def _canonicalization(element: etree._Element, allowed: Algorithms, reason: str) -> Canonicalization:
    uri = element.get("Algorithm", "")
    if uri not in allowed.canonicalization or list(element.attrib) != ["Algorithm"]:
        raise SecurityRefusal(reason, tr("Algorithme refusé : {uri}.", uri=uri or "(absent)"))
    children = _elements(element)
    if not children:
        return Canonicalization(uri, ())
    prefixes = children[0].get("PrefixList", "").split()
    if (
        len(children) != 1
        or children[0].tag != names.INCLUSIVE_NAMESPACES
        or len(children[0])
        or len(prefixes) > _LONGEST_PREFIXES
    ):
        raise SecurityRefusal(reason, tr("Paramètres de canonicalisation refusés."))
    return Canonicalization(uri, tuple(prefixes))


def _key_info(element: etree._Element) -> list[x509.Certificate]:
    data = _elements(element)
    certificates = _elements(data[0]) if len(data) == 1 and data[0].tag == names.X509_DATA else []
    if not 1 <= len(certificates) <= _LONGEST_CHAIN or any(item.tag != names.X509_CERTIFICATE for item in certificates):
        raise SecurityRefusal(
            "key-info", tr("KeyInfo doit contenir un X509Data, et lui seul, fait de certificats X.509.")
        )
    return [_certificate(text_of(item, "key-info")) for item in certificates]


@lru_cache(maxsize=512)
def _certificate(text: str) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(_base64(text))
        # The library reads these on demand: a certificate is refused here, or nowhere.
        _ = certificate.subject, certificate.issuer, certificate.extensions, certificate.signature_hash_algorithm
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc, certificate.serial_number
    except _UNREADABLE as error:
        raise SecurityRefusal("key-info", tr("Le certificat de KeyInfo est illisible.")) from error
    return certificate


def _decoded(element: etree._Element) -> bytes:
    if set(element.attrib) - {"Id"}:
        raise _structure(tr("Signature mal formée."))
    try:
        value = _base64(text_of(element, "signature-structure"))
    except ValueError as error:
        raise _structure(tr("Valeur en base 64 illisible dans la signature.")) from error
    if not value:
        raise _structure(tr("Valeur vide dans la signature."))
    return value


def _base64(text: str) -> bytes:
    compact = "".join(text.split())
    if len(compact) > _LONGEST_BASE64:
        raise ValueError("too long")
    try:
        value = base64.b64decode(compact.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error
    if base64.b64encode(value).decode() != compact:  # unused bits set: a second spelling of the same value
        raise ValueError("not canonical base64")
    return value


def _without(element: etree._Element, signature: etree._Element) -> etree._Element:
    """Return a copy of the element without its signature, in the same namespace context (enveloped transform)."""
    position = element.index(signature)
    # A deep copy forgets the prefixes declared above it; PrefixList may name them.
    context = etree.Element("context", nsmap=cast(dict[str, str], element.nsmap))
    clone = copy.deepcopy(element)
    clone.tail = None
    context.append(clone)
    removed = clone[position]
    if removed.tail:
        if position:
            clone[position - 1].tail = (clone[position - 1].tail or "") + removed.tail
        else:
            clone.text = (clone.text or "") + removed.tail
    clone.remove(removed)
    return clone


def _children(element: etree._Element, *tags: str, attributes: tuple[str, ...]) -> list[etree._Element]:
    children = _elements(element)
    if [child.tag for child in children] != list(tags) or set(element.attrib) - set(attributes):
        raise _structure(tr("{name} mal formé.", name=etree.QName(element).localname))
    return children


def _elements(element: etree._Element) -> list[etree._Element]:
    """Return the children; text between them, comments and other nodes have no business in a signature."""
    children = list(element)
    text = element.text
    for child in children:
        if not isinstance(child.tag, str):
            raise _structure(tr("Commentaire ou instruction dans une signature."))
        text = child.tail if not text or text.isspace() else text
    if text and not text.isspace():
        raise _structure(tr("Texte inattendu dans une signature."))
    return children


def _only_algorithm(element: etree._Element) -> None:
    if len(element) or (element.text or "").strip() or list(element.attrib) != ["Algorithm"]:
        raise SecurityRefusal("signature-algorithm", tr("Paramètres d'algorithme refusés."))


def _allowed(element: etree._Element, uris: Sequence[str]) -> str:
    uri = element.get("Algorithm", "")
    if uri not in uris:
        raise SecurityRefusal("signature-algorithm", tr("Algorithme refusé : {uri}.", uri=uri or "(absent)"))
    return uri


def _structure(what: str) -> SecurityRefusal:
    return SecurityRefusal("signature-structure", what)
