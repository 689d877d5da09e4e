"""What the relay adds to a request, and what it leaves alone: the body, header blocks that are there, signatures."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from lxml import etree

from norms.filling import Clock
from norms.loader import load
from norms.model import Norm
from norms.wire import names
from norms.wire.secure import Signers
from sandbox.completing import Completed, Completer
from sandbox.pki import TestPki

SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
CLOCK = Clock(datetime(2026, 11, 22, 10, 0, tzinfo=UTC), lambda: "0f8fad5b-d9cb-469f-a165-70867728950e")
ADDRESS = "https://recette.exemple.fr/idb"


def completer(norm: Norm, pki: TestPki) -> Completer:
    identities = pki.laboratory_identities()
    signers = Signers(*(pki.identity(identities[use][0].stem) for use in ("assertion", "flow")))
    return Completer(norm, signers, {"lps_autorisation": "ESSAI-0007"})


def completed(norm: Norm, pki: TestPki, body: bytes, content_type: str = "application/soap+xml") -> Completed:
    return completer(norm, pki).complete(norm.services[:1], body, content_type, ADDRESS, CLOCK)


def canonical(norm: Norm) -> etree._Element:
    kind = norm.services[0].kind
    return etree.parse(norm.root / "messages" / f"{kind}.request.xml").getroot()


def without(root: etree._Element, *locals_: str) -> bytes:
    """Return the message without these header blocks."""
    for block in list(root[0]):
        if etree.QName(block).localname in locals_:
            root[0].remove(block)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def test_a_block_that_is_there_stays_and_one_that_is_not_is_made_new(ville: Norm, pki: TestPki) -> None:
    done = completed(ville, pki, without(canonical(ville), "MessageID"))
    assert done.added == ("Security", "MessageID")
    root = etree.fromstring(done.body)
    assert root.findtext(".//{*}MessageID") == "uuid:0f8fad5b-d9cb-469f-a165-70867728950e"
    assert root.findtext(".//{*}ContexteLPS/{*}Temps") == "2026-11-20T09:30:00Z", "the product's own, stale as it is"
    assert root.findtext(".//{*}NumeroAutorisation") == "POINCON-0001"


def test_a_context_that_is_missing_is_filled_for_this_instant(ville: Norm, pki: TestPki) -> None:
    root = etree.fromstring(completed(ville, pki, without(canonical(ville), "ContexteLPS")).body)
    assert root.findtext(".//{*}ContexteLPS/{*}Temps") == "2026-11-22T10:00:00Z"
    assert root.findtext(".//{*}NumeroAutorisation") == "ESSAI-0007"


@pytest.mark.parametrize(
    ("billing", "attributes"),
    [
        ("751234567", {"identifiantFacturation": "751234567", "codeSpecialiteAMO": "01", "secteurActivite": "SA07"}),
        ("756012345", {"identifiantFacturation": "756012345", "codeSpecialiteAMO": "24", "secteurActivite": "SA07"}),
        ("999999999", {"identifiantFacturation": "999999999", "codeSpecialiteAMO": "24", "secteurActivite": "SA07"}),
    ],
)
def test_the_assertion_speaks_of_whom_the_message_speaks(
    billing: str, attributes: dict[str, str], ville: Norm, pki: TestPki
) -> None:
    sent = canonical(ville)
    sent.find(".//{*}IdentifiantFacturation").text = billing
    sent.find(".//{*}CodeSpecialite").text = attributes["codeSpecialiteAMO"]
    sent.find(".//{*}CodePrestation").text = "AMI" if attributes["codeSpecialiteAMO"] == "24" else "G"
    root = etree.fromstring(completed(ville, pki, etree.tostring(sent)).body)
    found = {node.get("Name"): node.findtext("{*}AttributeValue") for node in root.iter(names.ATTRIBUTE)}
    assert found == attributes


def test_a_header_that_contradicts_the_body_does_not_decide_whom_the_assertion_speaks_of(pki: TestPki) -> None:
    ets = load("ets/1.0")
    sent = canonical(ets)
    sent.find(".//{*}IdentifiantFacturation").text = "219999034"
    sent.find(".//{*}Emetteur").text = "219999018"
    root = etree.fromstring(completed(ets, pki, etree.tostring(sent)).body)
    found = {node.get("Name"): node.findtext("{*}AttributeValue") for node in root.iter(names.ATTRIBUTE)}
    assert found["identifiantFacturation"] == "219999034"


def test_a_security_header_without_any_signature_is_replaced(ville: Norm, pki: TestPki) -> None:
    sent = canonical(ville)
    own = etree.SubElement(sent[0], names.SECURITY)
    etree.SubElement(own, f"{{{names.WSSE}}}UsernameToken")
    root = etree.fromstring(completed(ville, pki, etree.tostring(sent)).body)
    (security,) = root.iter(names.SECURITY)
    assert [etree.QName(part).localname for part in security] == ["Timestamp", "Assertion", "Signature"]


def test_one_signature_is_enough_to_leave_everything_alone(ville: Norm, pki: TestPki) -> None:
    sent = canonical(ville)
    security = etree.SubElement(sent[0], names.SECURITY)
    assertion = etree.SubElement(security, names.ASSERTION)
    etree.SubElement(assertion, names.SIGNATURE)
    body = without(sent, "MessageID")
    assert completed(ville, pki, body) == Completed(body, untouched="elle est déjà signée")


def test_a_message_in_utf_16_stays_in_utf_16(ville: Norm, pki: TestPki) -> None:
    sent = canonical(ville)
    sent.find(".//{*}Nom").text = "Éditeur"
    text = '<?xml version="1.0" encoding="UTF-16"?>' + etree.tostring(sent, encoding="unicode")
    done = completed(ville, pki, text.encode("utf-16"), "application/soap+xml; charset=utf-16")
    assert done.body[:2] in (b"\xff\xfe", b"\xfe\xff")
    assert etree.fromstring(done.body).findtext(".//{*}Nom") == "Éditeur"


def test_a_norm_without_security_changes_nothing(annuaire: Norm, pki: TestPki) -> None:
    body = (annuaire.root / "messages" / "ADR.request.xml").read_bytes()
    done = completed(annuaire, pki, body, "text/xml")
    assert (done.body, done.added) == (body, ())


def test_a_request_of_the_wrong_soap_version_is_completed_and_left_to_the_endpoint(ville: Norm, pki: TestPki) -> None:
    old = "http://schemas.xmlsoap.org/soap/envelope/"
    body = etree.tostring(canonical(ville)).replace(b"http://www.w3.org/2003/05/soap-envelope", old.encode())
    done = completed(ville, pki, body)
    assert done.added == ("Security",)
    assert etree.fromstring(done.body).tag == f"{{{old}}}Envelope"
