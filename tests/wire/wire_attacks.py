"""Hostile requests by the id of the attack they carry out. Each entry: what is done, and the allowed reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree
from wire_kit import (
    Change,
    Kit,
    assertion_of,
    clone,
    ds,
    flow_of,
    own_signature_of,
    saml,
    security_of,
)

from norms.wire import names

Build = Callable[[Kit], etree._Element]
WITH_COMMENTS = f"{names.EXC_C14N}WithComments"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XPATH2 = "http://www.w3.org/2002/06/xmldsig-filter2"
RSA15 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"


@dataclass(frozen=True)
class Attack:
    """id: of the catalogue; what: the variant; reasons: reason codes of which one must be given."""

    id: str
    what: str
    reasons: str
    build: Build


def deviated(name: str) -> Build:
    return lambda kit: kit.request(name)


def changed(change: Change) -> Build:
    return lambda kit: kit.changed(change)


def resigned(change: Change, **signers: str) -> Build:
    return lambda kit: kit.resigned(change, **signers)  # type: ignore[arg-type]


def _text(find: Callable[[etree._Element], etree._Element], path: str, value: str) -> Change:
    def change(root: etree._Element) -> None:
        find(root).find(path).text = value

    return change


def _attribute(find: Callable[[etree._Element], etree._Element], path: str, name: str, value: str | None) -> Change:
    def change(root: etree._Element) -> None:
        element = find(root).find(path) if path != "." else find(root)
        if value is None:
            del element.attrib[name]
        else:
            element.set(name, value)

    return change


def _append(find: Callable[[etree._Element], etree._Element], xml: str) -> Change:
    def change(root: etree._Element) -> None:
        find(root).append(etree.fromstring(xml))

    return change


def _transforms(*uris: str) -> Change:
    def change(root: etree._Element) -> None:
        holder = own_signature_of(root).find(f".//{names.TRANSFORMS}")
        for child in list(holder):
            holder.remove(child)
        for uri in uris:
            etree.SubElement(holder, names.TRANSFORM, Algorithm=uri)

    return change


def _xpath_transform(uri: str, expression: str) -> Change:
    def change(root: etree._Element) -> None:
        transform = etree.Element(names.TRANSFORM, Algorithm=uri)
        etree.SubElement(transform, ds("XPath")).text = expression
        own_signature_of(root).find(f".//{names.TRANSFORMS}").insert(0, transform)

    return change


def _same_identifier(name: str) -> Change:
    def change(root: etree._Element) -> None:
        body = root[1]
        etree.SubElement(body[0], "{urn:essai:question}Double").set(name, body.get(names.WSU_ID, ""))

    return change


def _second_info(root: etree._Element) -> None:
    signature = own_signature_of(root)
    signature.insert(0, clone(signature[0]))


def _second_info_in_object(root: etree._Element) -> None:
    holder = etree.SubElement(own_signature_of(root), names.OBJECT)
    holder.append(clone(own_signature_of(root)[0]))


def _comment_in(find: Callable[[etree._Element], etree._Element]) -> Change:
    def change(root: etree._Element) -> None:
        element = find(root)
        text = element.text or ""
        comment = etree.Comment("x")
        comment.tail, element.text = text[3:], text[:3]
        element.insert(0, comment)

    return change


def _instruction_in(find: Callable[[etree._Element], etree._Element]) -> Change:
    def change(root: etree._Element) -> None:
        element = find(root)
        text = element.text or ""
        instruction = etree.ProcessingInstruction("x", "y")
        instruction.tail, element.text = text[3:], text[:3]
        element.insert(0, instruction)

    return change


def _digest_value(root: etree._Element) -> etree._Element:
    return own_signature_of(root).find(f".//{names.DIGEST_VALUE}")


def _name_id(root: etree._Element) -> etree._Element:
    return assertion_of(root).find(f".//{names.NAME_ID}")


def _nir(root: etree._Element) -> etree._Element:
    return root.find(".//{urn:essai:question}Nir")


def _truncated_hmac(root: etree._Element) -> None:
    method = flow_of(root).find(f".//{names.SIGNATURE_METHOD}")
    method.set("Algorithm", "http://www.w3.org/2000/09/xmldsig#hmac-sha1")
    etree.SubElement(method, ds("HMACOutputLength")).text = "8"


def _truncated_rsa(root: etree._Element) -> None:
    etree.SubElement(flow_of(root).find(f".//{names.SIGNATURE_METHOD}"), ds("HMACOutputLength")).text = "8"


def _without_references(root: etree._Element) -> None:
    info = flow_of(root)[0]
    for reference in info.findall(names.REFERENCE):
        info.remove(reference)


def _thousand_transforms(root: etree._Element) -> None:
    holder = own_signature_of(root).find(f".//{names.TRANSFORMS}")
    for _ in range(1000):
        holder.append(clone(holder[1]))


def _thousand_references(root: etree._Element) -> None:
    info = flow_of(root)[0]
    for _ in range(1000):
        info.append(clone(info[2]))


def _key_info(xml: str, find: Callable[[etree._Element], etree._Element] = flow_of, *, alone: bool = True) -> Change:
    def change(root: etree._Element) -> None:
        info = find(root).find(names.KEY_INFO)
        if alone:
            info.remove(info[0])
        info.append(etree.fromstring(xml))

    return change


def _encrypted(place: Callable[[etree._Element], etree._Element]) -> Change:
    return _append(
        place,
        f'<x:EncryptedData xmlns:x="{names.XENC}"><x:EncryptionMethod Algorithm="{names.XENC}aes128-cbc"/>'
        f'<k:KeyInfo xmlns:k="{names.DS}"><x:EncryptedKey><x:EncryptionMethod Algorithm="{RSA15}"/>'
        "</x:EncryptedKey></k:KeyInfo></x:EncryptedData>",
    )


def _fake_object(content: str, find: Callable[[etree._Element], etree._Element]) -> Change:
    return _append(find, f'<d:Object xmlns:d="{names.DS}">{content}</d:Object>')


def _extra_assertion_child(name: str) -> Change:
    def change(root: etree._Element) -> None:
        etree.SubElement(assertion_of(root), saml(name))

    return change


def _repeated_attribute(root: etree._Element) -> None:
    statement = assertion_of(root).find(names.ATTRIBUTE_STATEMENT)
    statement.append(clone(statement[0]))


def _inclusive_everywhere(root: etree._Element) -> None:
    for element in own_signature_of(root).iter(names.CANONICALIZATION_METHOD, names.TRANSFORM):
        if element.get("Algorithm") == names.EXC_C14N:
            element.set("Algorithm", INCLUSIVE)


def _compressed(root: etree._Element) -> None:
    import base64
    import zlib

    bomb = base64.b64encode(zlib.compress(b"<a/>" * 250_000)).decode()
    security = security_of(root)
    security.remove(assertion_of(root))
    etree.SubElement(security, f"{{{names.WSSE}}}BinarySecurityToken", EncodingType="deflate").text = bomb


def _weak(uri: str, element: str, path: Callable[[etree._Element], etree._Element] = flow_of) -> Change:
    def change(root: etree._Element) -> None:
        path(root).find(f".//{ds(element)}").set("Algorithm", uri)

    return change


_KEY_VALUE = (
    f'<d:KeyValue xmlns:d="{names.DS}"><d:RSAKeyValue><d:Modulus>AQAB</d:Modulus><d:Exponent>AQAB</d:Exponent>'
    "</d:RSAKeyValue></d:KeyValue>"
)
_RETRIEVAL = f'<d:RetrievalMethod xmlns:d="{names.DS}" URI="http://127.0.0.1:9/cle"/>'
_PROPERTIES = '<x:SignedProperties xmlns:x="http://uri.etsi.org/01903/v1.3.2#" Id="p"/>'
_WRAPPED = "assertion-multiple signature-structure"

ATTACKS: tuple[Attack, ...] = (
    *(Attack(f"S{n:02}", f"wrapping-{n}", _WRAPPED, deviated(f"assertion-wrapped-{n}")) for n in range(1, 9)),
    Attack("S09", "object-in-assertion", "signature-structure", changed(_fake_object(_PROPERTIES, own_signature_of))),
    Attack("S09", "object-in-flow", "signature-structure", changed(_fake_object(_PROPERTIES, flow_of))),
    Attack("S09", "manifest", "signature-structure",
           changed(_fake_object(f'<d:Manifest xmlns:d="{names.DS}"/>', flow_of))),
    Attack("S09", "manifest-elsewhere", "signature-structure",
           changed(_append(lambda root: root[0], f'<d:Manifest xmlns:d="{names.DS}"/>'))),
    Attack("S10", "body-in-header", "signature-reference signature-coverage", deviated("body-wrapped")),
    *(
        Attack("S11", f"duplicate-{name.rpartition('}')[2]}-{index}", "duplicate-id", changed(_same_identifier(name)))
        for index, name in enumerate(("ID", "Id", "id", "iD", names.WSU_ID, f"{{{names.XML}}}id", "{urn:x}Id"))
    ),
    Attack("S11", "deviation", "duplicate-id", deviated("duplicate-id")),
    Attack("S12", "assertion-signature-removed", "signature-missing", deviated("assertion-unsigned")),
    Attack("S12", "flow-signature-removed", "signature-missing", deviated("flow-missing")),
    Attack("S12", "all-removed", "security-missing", deviated("security-missing")),
    Attack("S13", "two-signed-infos", "signature-structure", changed(_second_info)),
    Attack("S13", "signed-info-in-object", "signature-structure", changed(_second_info_in_object)),
    Attack("S13", "comment-in-digest", "signature-structure", changed(_comment_in(_digest_value))),
    Attack("S15", "comment-in-name", "signature-structure", deviated("comment-in-identity")),
    Attack("S15", "comment-in-body-value", "signature-structure", changed(_comment_in(_nir))),
    Attack("S15", "c14n-with-comments", "signature-algorithm",
           changed(_weak(WITH_COMMENTS, "CanonicalizationMethod", own_signature_of))),
    Attack("S15", "transform-with-comments", "signature-transform",
           changed(_transforms(names.ENVELOPED, WITH_COMMENTS))),
    Attack("S16", "instruction-in-name", "processing-instruction", changed(_instruction_in(_name_id))),
    Attack("S16", "instruction-in-body", "processing-instruction", changed(_instruction_in(_nir))),
    Attack("S17", "hmac-with-public-key", "signature-algorithm", deviated("algorithm-hmac")),
    Attack("S18", "hmac-8-bits", "signature-algorithm", changed(_truncated_hmac)),
    Attack("S18", "output-length-on-rsa", "signature-algorithm", changed(_truncated_rsa)),
    Attack("S20", "rsa-sha1", "signature-algorithm", deviated("algorithm-sha1")),
    Attack("S20", "digest-sha1", "signature-algorithm", changed(_weak(f"{names.DS}sha1", "DigestMethod"))),
    Attack("S20", "rsa-md5", "signature-algorithm",
           changed(_weak("http://www.w3.org/2001/04/xmldsig-more#rsa-md5", "SignatureMethod"))),
    Attack("S20", "digest-ripemd160", "signature-algorithm",
           changed(_weak(f"{names.XENC}ripemd160", "DigestMethod", own_signature_of))),
    Attack("S20", "dsa-sha1", "signature-algorithm", changed(_weak(f"{names.DS}dsa-sha1", "SignatureMethod"))),
    Attack("S22", "encrypted-body", "signature-structure", changed(_encrypted(lambda root: root[1]))),
    Attack("S22", "encrypted-key-in-security", "signature-structure", changed(_encrypted(security_of))),
    Attack("S22", "encrypted-assertion", "signature-structure assertion-missing",
           changed(_append(security_of, f'<x:EncryptedAssertion xmlns:x="{names.SAML}"/>'))),
    Attack("S23", "no-algorithm", "signature-algorithm", changed(_weak("", "SignatureMethod"))),
    Attack("S23", "none", "signature-algorithm", changed(_weak("none", "SignatureMethod"))),
    Attack("S23", "empty-value", "signature-structure", changed(_text(flow_of, names.SIGNATURE_VALUE, ""))),
    Attack("S23", "no-reference", "signature-coverage", changed(_without_references)),
    Attack("S24", "xslt", "signature-transform", deviated("transform-xslt")),
    Attack("S25", "xpath-nothing", "signature-transform", changed(_xpath_transform(XPATH, "not(//.)"))),
    Attack("S25", "xpath-all", "signature-transform", changed(_xpath_transform(XPATH, "true()"))),
    Attack("S25", "filter2", "signature-transform", changed(_xpath_transform(XPATH2, "//*"))),
    Attack("S26", "unknown", "signature-transform", deviated("transform-unknown")),
    Attack("S26", "out-of-order", "signature-transform", changed(_transforms(names.EXC_C14N, names.ENVELOPED))),
    Attack("S26", "missing", "signature-transform", changed(_transforms(names.EXC_C14N))),
    Attack("S26", "none", "signature-transform", changed(_transforms())),
    Attack("S26", "twice", "signature-transform",
           changed(_transforms(names.ENVELOPED, names.ENVELOPED, names.EXC_C14N))),
    Attack("S27", "thousand-transforms", "signature-transform", changed(_thousand_transforms)),
    Attack("S27", "thousand-references", "signature-reference", changed(_thousand_references)),
    Attack("S28", "bare-key", "key-info", deviated("key-value-only")),
    Attack("S28", "bare-key-in-assertion", "key-info", changed(_key_info(_KEY_VALUE, own_signature_of))),
    Attack("S28", "no-key-info", "key-info",
           changed(lambda root: flow_of(root).find(names.KEY_INFO).clear())),
    Attack("S29", "assertion-same-subject-other-authority", "certificate-untrusted",
           deviated("assertion-other-authority")),
    Attack("S29", "flow-same-subject-other-authority", "certificate-untrusted", deviated("flow-other-authority")),
    Attack("S30", "retrieval-method", "key-info", changed(_key_info(_RETRIEVAL))),
    Attack("S30", "retrieval-method-beside", "key-info", changed(_key_info(_RETRIEVAL, alone=False))),
    *(
        Attack("S30", f"external-reference-{index}", "signature-reference",
               changed(_attribute(flow_of, f".//{names.REFERENCE}", "URI", uri)))
        for index, uri in enumerate(("http://127.0.0.1:9/", "file:///etc/hosts", "", "#xpointer(/)", "cid:1"))
    ),
    Attack("S31", "key-value-beside-certificate", "key-info", changed(_key_info(_KEY_VALUE, alone=False))),
    Attack("S32", "other-holder", "assertion-binding", deviated("assertion-other-holder")),
    Attack("S32", "other-holder-for-our-name", "assertion-issuer",
           resigned(lambda root: None, assertion="assertion-other-holder")),
    Attack("S32", "our-card-for-another-name", "assertion-subject",
           resigned(_text(assertion_of, f".//{names.NAME_ID}", "99700735741"))),
    Attack("S33", "expired", "certificate-expired", deviated("assertion-expired-key")),
    Attack("S33", "not-yet-valid", "certificate-not-yet-valid",
           resigned(lambda root: None, assertion="assertion-not-yet-valid")),
    Attack("S33", "revoked", "certificate-revoked", deviated("assertion-revoked-key")),
    Attack("S33", "wrong-usage", "certificate-usage", deviated("assertion-wrong-kind")),
    Attack("S33", "flow-expired", "certificate-expired", deviated("flow-expired-key")),
    Attack("S33", "flow-wrong-kind", "certificate-usage", deviated("flow-wrong-kind")),
    Attack("S33", "flow-revoked", "certificate-revoked", resigned(lambda root: None, flow="flow-revoked")),
    Attack("S34", "inclusive-c14n", "signature-algorithm", changed(_inclusive_everywhere)),
    Attack("S34", "c14n-1.1", "signature-transform",
           changed(_transforms(names.ENVELOPED, "http://www.w3.org/2006/12/xml-c14n11"))),
    Attack("A02", "expired", "assertion-expired", deviated("assertion-expired")),
    Attack("A02", "not-before", "assertion-not-yet-valid", deviated("assertion-not-yet-valid")),
    Attack("A02", "too-long", "assertion-lifetime", deviated("assertion-lifetime")),
    Attack("A02", "no-end", "assertion-structure",
           resigned(_attribute(assertion_of, names.CONDITIONS, "NotOnOrAfter", None))),
    Attack("A02", "no-zone", "assertion-structure",
           resigned(_attribute(assertion_of, names.CONDITIONS, "NotBefore", "2026-11-20T09:30:00"))),
    Attack("A02", "session-over", "assertion-expired",
           resigned(_append(assertion_of, f'<x:AuthnStatement xmlns:x="{names.SAML}" '
                                          'SessionNotOnOrAfter="2020-01-01T00:00:00Z"/>'))),
    Attack("A02", "confirmation-over", "assertion-expired",
           resigned(_attribute(assertion_of, f".//{names.CONFIRMATION_DATA}", "NotOnOrAfter", "2020-01-01T00:00:00Z"))),
    Attack("A02", "issued-tomorrow", "assertion-not-yet-valid",
           resigned(_attribute(assertion_of, ".", "IssueInstant", "2099-01-01T00:00:00Z"))),
    Attack("A03", "wrong-audience", "assertion-audience", deviated("assertion-audience")),
    Attack("A03", "no-audience", "assertion-audience", deviated("assertion-no-audience")),
    Attack("A03", "empty-restriction", "assertion-audience",
           resigned(lambda root: assertion_of(root).find(f".//{names.AUDIENCE_RESTRICTION}").clear())),
    Attack("A03", "audience-with-suffix", "assertion-audience",
           resigned(_text(assertion_of, f".//{names.AUDIENCE}", "https://localhost:8443/essai/1.0/question/"))),
    Attack("A04", "wrong-recipient", "assertion-subject",
           resigned(_attribute(assertion_of, f".//{names.CONFIRMATION_DATA}", "Recipient", "https://x.invalid/"))),
    Attack("A04", "empty-recipient", "assertion-subject",
           resigned(_attribute(assertion_of, f".//{names.CONFIRMATION_DATA}", "Recipient", ""))),
    Attack("A05", "bearer", "assertion-subject",
           resigned(_attribute(assertion_of, f".//{names.CONFIRMATION}", "Method",
                               "urn:oasis:names:tc:SAML:2.0:cm:bearer"))),
    Attack("A05", "no-method", "assertion-subject",
           resigned(_attribute(assertion_of, f".//{names.CONFIRMATION}", "Method", None))),
    Attack("A05", "in-response-to", "assertion-subject",
           resigned(_attribute(assertion_of, f".//{names.CONFIRMATION_DATA}", "InResponseTo", "_1"))),
    Attack("A06", "two-assertions", "assertion-multiple", deviated("assertion-two")),
    Attack("A06", "repeated-attribute", "assertion-attributes", resigned(_repeated_attribute)),
    Attack("A06", "encrypted-attribute", "signature-structure",
           resigned(lambda root: etree.SubElement(assertion_of(root)[-1], saml("EncryptedAttribute")))),
    Attack("A06", "missing-attribute", "assertion-attributes", deviated("assertion-attribute-missing")),
    Attack("A06", "second-value", "assertion-attributes",
           resigned(lambda root: etree.SubElement(assertion_of(root)[-1][0], names.ATTRIBUTE_VALUE))),
    Attack("A06", "advice", "assertion-structure", resigned(_extra_assertion_child("Advice"))),
    Attack("A06", "second-conditions", "assertion-structure", resigned(_extra_assertion_child("Conditions"))),
    Attack("A07", "deflated-token", "assertion-missing", changed(_compressed)),
)  # fmt: skip
