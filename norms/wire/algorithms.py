"""The algorithms of XML Signature that this house can compute. What a message may use is the norm's allow-list.

Source: XML Signature 1.1 §6, RFC 9231. Keyed hashes (HMAC) are left out on purpose: a public key must never become
a shared secret.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from lxml import etree

from norms.errors import SecurityRefusal
from norms.i18n import tr
from norms.wire.names import EXC_C14N

RSA_SHA1: Final = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA1: Final = "http://www.w3.org/2000/09/xmldsig#sha1"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
HMAC_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"

_DIGESTS: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {
    SHA256: hashes.SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashes.SHA384,
    "http://www.w3.org/2001/04/xmlenc#sha512": hashes.SHA512,
}
_RSA: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {
    RSA_SHA256: hashes.SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": hashes.SHA384,
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": hashes.SHA512,
}
_EC: Final[dict[str, tuple[Callable[[], hashes.HashAlgorithm], str, int]]] = {
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": (hashes.SHA256, "secp256r1", 32),
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": (hashes.SHA384, "secp384r1", 48),
}
CURVES: Final = frozenset(curve for _, curve, _ in _EC.values())


def digest(uri: str, data: bytes) -> bytes:
    """Return the digest of `data`. Raises SecurityRefusal (signature-algorithm) for an unknown URI."""
    algorithm = _DIGESTS.get(uri)
    if algorithm is None:
        raise _unknown(uri)
    state = hashes.Hash(algorithm())
    state.update(data)
    return state.finalize()


def sign(uri: str, key: Any, data: bytes) -> bytes:
    """Return the signature value of `data`. key: a private key object with `.sign` (a token's may delegate).

    RSA-SHA1 can be written, for the laboratory's deviations; `check_signature` never accepts it.
    """
    if uri in _RSA or uri == RSA_SHA1:
        algorithm = hashes.SHA1() if uri == RSA_SHA1 else _RSA[uri]()
        return bytes(key.sign(data, padding.PKCS1v15(), algorithm))
    if uri in _EC:
        make, _, size = _EC[uri]
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(make())))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    raise _unknown(uri)


def check_signature(uri: str, key: object, value: bytes, data: bytes) -> bool:
    """Tell whether `value` is the signature of `data` under the public key.

    Raises SecurityRefusal: certificate-key when the key is not of the algorithm's type, signature-algorithm when the
    algorithm is not one of ours (SHA-1 and HMAC included).
    """
    if uri in _RSA:
        if not isinstance(key, rsa.RSAPublicKey):
            raise _wrong_key(uri)
        return _holds(lambda: key.verify(value, data, padding.PKCS1v15(), _RSA[uri]()))
    if uri in _EC:
        make, curve, size = _EC[uri]
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != curve:
            raise _wrong_key(uri)
        if len(value) != 2 * size:
            return False
        der = encode_dss_signature(int.from_bytes(value[:size], "big"), int.from_bytes(value[size:], "big"))
        return _holds(lambda: key.verify(der, data, ec.ECDSA(make())))
    raise _unknown(uri)


def canonical(element: etree._Element, uri: str, inclusive: tuple[str, ...] = ()) -> bytes:
    """Return the canonical bytes of an element where it stands.

    uri: only Exclusive C14N without comments is computed; inclusive: prefixes treated as in inclusive C14N.
    Raises SecurityRefusal: signature-algorithm for another URI, signature-structure for content without canonical form
    (a relative namespace name).
    """
    if uri != EXC_C14N:
        raise _unknown(uri)
    try:
        return etree.tostring(
            element, method="c14n", exclusive=True, with_comments=False, inclusive_ns_prefixes=list(inclusive) or None
        )
    except etree.C14NError as error:
        raise SecurityRefusal("signature-structure", tr("Ce contenu n'a pas de forme canonique.")) from error


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except (InvalidSignature, ValueError):  # ValueError: a value of impossible length or range
        return False
    return True


def _unknown(uri: str) -> SecurityRefusal:
    return SecurityRefusal("signature-algorithm", tr("Algorithme refusé : {uri}.", uri=uri or "(absent)"))


def _wrong_key(uri: str) -> SecurityRefusal:
    return SecurityRefusal("certificate-key", tr("La clé du certificat ne convient pas à l'algorithme {uri}.", uri=uri))
