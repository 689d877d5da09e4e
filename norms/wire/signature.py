"""Writing XML signatures, right ones and (for the laboratory's deviations) wrong ones.

Source: XML Signature 1.1, restricted to the profile of docs/formats/security.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from norms.model import Algorithms
from norms.wire import names
from norms.wire.algorithms import HMAC_SHA256, SHA1, canonical, digest
from norms.wire.keys import Identity

_XSLT: Final = "http://www.w3.org/TR/1999/REC-xslt-19991116"
_UNKNOWN_TRANSFORM: Final = "urn:poincon:transform:unknown"
_STYLESHEET: Final = (
    '<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform" version="1.0">'
    '<x:template match="/"><x:copy-of select="."/></x:template></x:stylesheet>'
)


@dataclass(frozen=True)
class Style:
    """What a signature element says. transform: a transform that no profile allows, "" = none."""

    signature: str
    digest: str
    canonicalization: str
    transform: Literal["", "xslt", "unknown"] = ""
    key_info: Literal["certificate", "key-value"] = "certificate"

    @classmethod
    def of(cls, algorithms: Algorithms) -> Style:
        """The style of a profile: the first algorithm of each of its lists."""
        return cls(algorithms.signature[0], algorithms.digest[0], algorithms.canonicalization[0])


def sign(
    covered: Sequence[tuple[str, etree._Element]], identity: Identity, style: Style, *, enveloped: bool = False
) -> etree._Element:
    """Return a ds:Signature over elements, to be put in its place by the caller.

    covered: (id, element) in the order of the references, each element standing where it will be sent;
    enveloped: the signature goes into the (only) element, which must not hold it yet.
    """
    signature = etree.Element(names.SIGNATURE, nsmap={"ds": names.DS})
    info = etree.SubElement(signature, names.SIGNED_INFO)
    etree.SubElement(info, names.CANONICALIZATION_METHOD, Algorithm=style.canonicalization)
    etree.SubElement(info, names.SIGNATURE_METHOD, Algorithm=style.signature)
    for identifier, element in covered:
        reference = etree.SubElement(info, names.REFERENCE, URI=f"#{identifier}")
        transforms = etree.SubElement(reference, names.TRANSFORMS)
        if enveloped:
            etree.SubElement(transforms, names.TRANSFORM, Algorithm=names.ENVELOPED)
        _forbidden_transform(transforms, style)
        etree.SubElement(transforms, names.TRANSFORM, Algorithm=style.canonicalization)
        etree.SubElement(reference, names.DIGEST_METHOD, Algorithm=style.digest)
        value = _digest(style.digest, canonical(element, style.canonicalization))
        etree.SubElement(reference, names.DIGEST_VALUE).text = base64.b64encode(value).decode()
    value = _value(identity, style, canonical(info, style.canonicalization))
    etree.SubElement(signature, names.SIGNATURE_VALUE).text = base64.b64encode(value).decode()
    key_info = etree.SubElement(signature, names.KEY_INFO)
    if style.key_info == "key-value":
        _key_value(key_info, identity)
    else:
        data = etree.SubElement(key_info, names.X509_DATA)
        for certificate in identity.encoded:
            etree.SubElement(data, names.X509_CERTIFICATE).text = certificate
    return signature


def _digest(uri: str, data: bytes) -> bytes:
    """Like `digest`; a deviation may also write SHA-1, which no verification of ours computes."""
    return hashlib.sha1(data, usedforsecurity=False).digest() if uri == SHA1 else digest(uri, data)


def _value(identity: Identity, style: Style, data: bytes) -> bytes:
    if style.signature == HMAC_SHA256:  # the confusion attack: the public key used as a shared secret
        secret = identity.certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return hmac.digest(secret, data, "sha256")
    return identity.sign(style.signature, data)


def _forbidden_transform(transforms: etree._Element, style: Style) -> None:
    if style.transform == "xslt":
        etree.SubElement(transforms, names.TRANSFORM, Algorithm=_XSLT).append(etree.fromstring(_STYLESHEET))
    elif style.transform == "unknown":
        etree.SubElement(transforms, names.TRANSFORM, Algorithm=_UNKNOWN_TRANSFORM)


def _key_value(key_info: etree._Element, identity: Identity) -> None:
    key = identity.certificate.public_key()
    value = etree.SubElement(etree.SubElement(key_info, f"{{{names.DS}}}KeyValue"), f"{{{names.DS}}}RSAKeyValue")
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        for name, number in (("Modulus", numbers.n), ("Exponent", numbers.e)):
            content = number.to_bytes((number.bit_length() + 7) // 8, "big")
            etree.SubElement(value, f"{{{names.DS}}}{name}").text = base64.b64encode(content).decode()
