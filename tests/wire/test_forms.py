"""Forms that the profile does not know: each is refused, however well it is signed."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Callable

import msgspec
import pytest
from lxml import etree
from wire_kit import NORM, SECURITY, Change, Kit, assertion_of, ds, flow_of, own_signature_of, saml

from norms.model import Tls
from norms.wire import names


def attribute(path: str, name: str, value: str) -> Change:
    """Set an attribute of an element of the assertion ("" = the assertion itself)."""

    def change(root: etree._Element) -> None:
        element = assertion_of(root).find(path) if path else assertion_of(root)
        element.set(name, value)

    return change


def child(path: str, tag: str) -> Change:
    """Append an empty element to an element of the assertion."""

    def change(root: etree._Element) -> None:
        etree.SubElement(assertion_of(root).find(path), tag)

    return change


def _subject_last(root: etree._Element) -> None:
    assertion_of(root).append(assertion_of(root).find(names.SUBJECT))


def _no_name(root: etree._Element) -> None:
    assertion_of(root).find(f".//{names.NAME_ID}").text = ""


def _many_attributes(root: etree._Element) -> None:
    statement = assertion_of(root).find(names.ATTRIBUTE_STATEMENT)
    for number in range(64):
        extra = etree.SubElement(statement, names.ATTRIBUTE, Name=f"a{number}")
        etree.SubElement(extra, names.ATTRIBUTE_VALUE).text = "x"


def _element_in_issuer(root: etree._Element) -> None:
    etree.SubElement(assertion_of(root).find(names.ISSUER), "{urn:x}a")


def _two_confirmations(root: etree._Element) -> None:
    subject = assertion_of(root).find(names.SUBJECT)
    subject.append(copy.deepcopy(subject[1]))


def _two_confirmation_data(root: etree._Element) -> None:
    confirmation = assertion_of(root).find(f".//{names.CONFIRMATION}")
    confirmation.append(copy.deepcopy(confirmation[0]))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (attribute("", "Version", "1.1"), "assertion-structure"),
        (_subject_last, "assertion-structure"),
        (attribute(names.ISSUER, "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"), "assertion-issuer"),
        (_element_in_issuer, "assertion-issuer"),
        (child(names.CONDITIONS, saml("ProxyRestriction")), "assertion-structure"),
        (attribute(names.CONDITIONS, "NotBefore", "2099-01-01T00:00:00Z"), "assertion-not-yet-valid"),
        (attribute(names.CONDITIONS, "NotOnOrAfter", "2020-01-01T00:00:00Z"), "assertion-expired"),
        (_no_name, "assertion-subject"),
        (_two_confirmations, "assertion-subject"),
        (_two_confirmation_data, "assertion-subject"),
        (child(names.SUBJECT, saml("BaseID")), "assertion-subject"),
        (child(f".//{names.CONFIRMATION_DATA}", ds("KeyInfo")), "assertion-subject"),
        (attribute(f".//{names.CONFIRMATION_DATA}", "NotBefore", "2099-01-01T00:00:00Z"), "assertion-not-yet-valid"),
        (_many_attributes, "assertion-attributes"),
        (attribute(names.ATTRIBUTE_STATEMENT + "/*[1]", "Name", ""), "assertion-attributes"),
        (child(f"{names.ATTRIBUTE_STATEMENT}/*[1]/*[1]", "{urn:x}a"), "assertion-attributes"),
        (child(names.ATTRIBUTE_STATEMENT, "{urn:x}a"), "assertion-attributes"),
        (child(f".//{names.AUDIENCE}", "{urn:x}a"), "assertion-audience"),
    ],
)
def test_an_assertion_that_says_more_or_less_is_refused(kit: Kit, change: Change, reason: str) -> None:
    assert kit.reason(kit.resigned(change)) == reason


def test_an_assertion_may_be_for_one_use_and_have_more_attributes(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        etree.SubElement(assertion_of(root).find(names.CONDITIONS), names.ONE_TIME_USE)
        extra = etree.SubElement(assertion_of(root)[-1], names.ATTRIBUTE, Name="autre")
        etree.SubElement(extra, names.ATTRIBUTE_VALUE)

    assert kit.reason(kit.resigned(change)) == ""


def at(path: str, change: Change) -> Change:
    """Apply a change to an element of the flow signature."""
    return lambda root: change(flow_of(root).find(path))


def _set(name: str, value: str) -> Change:
    return lambda element: element.set(name, value)


def _add(tag: str, **attributes: str) -> Change:
    return lambda element: etree.SubElement(element, tag, **attributes) is None or None


def _remove(tag: str) -> Change:
    return lambda element: element.remove(element.find(tag))


def _many_certificates(element: etree._Element) -> None:
    for _ in range(5):
        element.append(copy.deepcopy(element[0]))


def _comment(element: etree._Element) -> None:
    element.append(etree.Comment("x"))


INFO, METHOD, C14N = names.SIGNED_INFO, f".//{names.SIGNATURE_METHOD}", f".//{names.CANONICALIZATION_METHOD}"
REFERENCE, TRANSFORM = f".//{names.REFERENCE}", f".//{names.TRANSFORM}"
PREFIXES = names.INCLUSIVE_NAMESPACES


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (at(INFO, _set("Nouveau", "x")), "signature-structure"),
        (at(INFO, _remove(names.CANONICALIZATION_METHOD)), "signature-structure"),
        (at(INFO, lambda info: info.insert(0, info[1])), "signature-structure"),
        (at(".", _remove(names.SIGNATURE_VALUE)), "signature-structure"),
        (at(".", _set("Nouveau", "x")), "signature-structure"),
        (at(".", _comment), "signature-structure"),
        (at(METHOD, _set("Nouveau", "x")), "signature-algorithm"),
        (at(METHOD, lambda method: setattr(method, "text", "x")), "signature-algorithm"),
        (at(C14N, _set("Nouveau", "x")), "signature-algorithm"),
        (at(C14N, _add("{urn:x}a")), "signature-algorithm"),
        (at(REFERENCE, _set("Type", "x")), "signature-structure"),
        (at(REFERENCE, _remove(names.DIGEST_VALUE)), "signature-structure"),
        (at(REFERENCE, lambda reference: setattr(reference, "tag", ds("Renvoi"))), "signature-structure"),
        (at(f".//{names.TRANSFORMS}", _set("Nouveau", "x")), "signature-transform"),
        (at(TRANSFORM, _set("Nouveau", "x")), "signature-transform"),
        (at(TRANSFORM, _add("{urn:x}a")), "signature-transform"),
        (at(TRANSFORM, _add(PREFIXES, PrefixList=" ".join(f"p{n}" for n in range(65)))), "signature-transform"),
        (at(TRANSFORM, lambda t: _add(PREFIXES)(t) or _add(PREFIXES)(t)), "signature-transform"),
        (at(f".//{names.DIGEST_METHOD}", _set("Nouveau", "x")), "signature-algorithm"),
        (at(f".//{names.DIGEST_VALUE}", _set("Nouveau", "x")), "signature-structure"),
        (at(f".//{names.DIGEST_VALUE}", lambda value: setattr(value, "text", "bruit !")), "signature-structure"),
        (at(names.SIGNATURE_VALUE, _add("{urn:x}a")), "signature-structure"),
        (at(f".//{names.X509_DATA}", _many_certificates), "key-info"),
        (at(f".//{names.X509_DATA}", _add(ds("X509SubjectName"))), "key-info"),
        (at(names.KEY_INFO, _add(names.X509_DATA)), "key-info"),
    ],
)
def test_a_signature_of_another_form_is_refused(kit: Kit, change: Change, reason: str) -> None:
    assert kit.reason(kit.changed(change)) == reason


def test_the_enveloped_transform_takes_no_parameters(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        etree.SubElement(own_signature_of(root).find(TRANSFORM), "{urn:x}a")

    assert kit.reason(kit.changed(change)) == "signature-transform"


def test_identifiers_inside_a_signature_are_allowed(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        flow_of(root).set("Id", "signature")
        flow_of(root).find(names.KEY_INFO).set("Id", "cle")

    assert kit.reason(kit.changed(change)) == ""


def test_binding_needs_a_connection_even_where_no_kind_of_it_is_asked(kit: Kit) -> None:
    norm = msgspec.structs.replace(NORM, security=msgspec.structs.replace(SECURITY, tls=Tls()))
    assert kit.reason(kit.request(), norm=norm) == ""
    assert kit.reason(kit.request(), norm=norm, peer="") == "certificate-missing"


@pytest.mark.parametrize(
    "change",
    [
        lambda timestamp: timestamp.remove(timestamp[0]),
        lambda timestamp: timestamp.append(timestamp[0]),
        lambda timestamp: etree.SubElement(timestamp, "{urn:x}a"),
        lambda timestamp: etree.SubElement(timestamp[0], "{urn:x}a"),
    ],
)
def test_a_timestamp_holds_created_then_expires(kit: Kit, change: Change) -> None:
    root = kit.resigned(lambda root: change(root.find(f".//{names.TIMESTAMP}")))
    assert kit.reason(root) == "timestamp-structure"


@pytest.mark.parametrize("find", [flow_of, own_signature_of])
def test_the_value_of_another_signature_is_refused(kit: Kit, find: Callable[[etree._Element], etree._Element]) -> None:
    other = find(kit.request()).find(names.SIGNATURE_VALUE).text

    def change(root: etree._Element) -> None:
        find(root).find(names.SIGNATURE_VALUE).text = other

    assert kit.reason(kit.changed(change)) == "signature-invalid"


def test_a_digest_made_right_again_after_an_alteration_is_refused(kit: Kit) -> None:
    def change(root: etree._Element) -> None:
        root.find(".//{urn:essai:question}Nir").text = "2"
        content = etree.tostring(root[1], method="c14n", exclusive=True, with_comments=False)
        value = base64.b64encode(hashlib.sha256(content).digest()).decode()
        flow_of(root).find(f".//{names.REFERENCE}/{names.DIGEST_VALUE}").text = value

    assert kit.reason(kit.changed(change)) == "signature-invalid"
