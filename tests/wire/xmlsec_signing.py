"""Signatures made by xmlsec, not by us, in the places where the norm's security profile wants them."""

from __future__ import annotations

import xmlsec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from norms.wire import names
from norms.wire.keys import Identity


def signed_by_xmlsec(
    root: etree._Element, assertion_signer: Identity, flow_signer: Identity, *, prefixes: str = "", c14n: object = None
) -> etree._Element:
    """Replace both signatures of a secured request by xmlsec's and return it read again.

    prefixes: names of an InclusiveNamespaces list, "" = none; c14n: canonicalization of ds:SignedInfo.
    """
    assertion = root.find(f".//{names.ASSERTION}")
    security = root.find(f".//{names.SECURITY}")
    assertion.remove(assertion.find(names.SIGNATURE))
    security.remove(security.find(names.SIGNATURE))
    method = c14n or xmlsec.Transform.EXCL_C14N
    own = xmlsec.template.create(assertion, method, xmlsec.Transform.RSA_SHA256, ns="ds")
    assertion.insert(1, own)
    _reference(own, assertion.get("ID"), prefixes, enveloped=True)
    _sign(own, assertion_signer, [assertion])
    flow = xmlsec.template.create(security, method, xmlsec.Transform.RSA_SHA256, ns="ds")
    security.append(flow)
    covered = [*(item for item in root.iter() if item.get(names.WSU_ID)), assertion]
    for item in covered:
        _reference(flow, item.get(names.WSU_ID) or item.get("ID"), prefixes)
    _sign(flow, flow_signer, covered)
    return etree.fromstring(etree.tostring(root))


def _reference(signature: etree._Element, identifier: str, prefixes: str, *, enveloped: bool = False) -> None:
    reference = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri=f"#{identifier}")
    if enveloped:
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    transform = xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
    if prefixes:
        xmlsec.template.transform_add_c14n_inclusive_namespaces(transform, prefixes.split())


def _sign(signature: etree._Element, identity: Identity, covered: list[etree._Element]) -> None:
    data = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    xmlsec.template.x509_data_add_certificate(data)
    context = xmlsec.SignatureContext()
    key = identity.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context.key = xmlsec.Key.from_memory(key, xmlsec.KeyFormat.PEM)
    context.key.load_cert_from_memory(identity.certificate.public_bytes(Encoding.PEM), xmlsec.KeyFormat.CERT_PEM)
    for item in covered:
        if item.tag == names.ASSERTION:
            context.register_id(item, "ID")
        else:
            context.register_id(item, "Id", names.WSU)
    context.sign(signature)
