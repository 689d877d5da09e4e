from __future__ import annotations

import pytest
from lxml import etree

from norms.model import Limits
from norms.parsing import parse
from norms.wire.deposit import bared, document_of, enveloped, is_bare
from norms.wire.names import SOAP11, SOAP12

CLAIM = b'<d:Facture xmlns:d="urn:essai"><d:Ligne Numero="1">7.00</d:Ligne><!-- fin --></d:Facture>'


def test_a_bare_document_is_put_into_an_envelope_and_taken_out_again() -> None:
    root = etree.fromstring(CLAIM)
    assert is_bare(root)
    envelope = enveloped(root)
    assert envelope.tag == f"{{{SOAP12}}}Envelope" and not is_bare(envelope)
    assert [child.tag for child in envelope[0]] == ["{urn:essai}Facture"]
    alone = bared(envelope)
    assert etree.tostring(etree.fromstring(alone), method="c14n") == etree.tostring(
        etree.fromstring(CLAIM), method="c14n"
    )
    assert alone.startswith(b"<?xml") and SOAP12.encode() not in alone


@pytest.mark.parametrize("soap", [SOAP11, SOAP12])
def test_an_envelope_stays_what_it_is(soap: str) -> None:
    sent = etree.fromstring(f'<s:Envelope xmlns:s="{soap}"><s:Body><a/></s:Body></s:Envelope>')
    assert enveloped(sent) is sent and not is_bare(sent)


def test_an_envelope_of_nobody_is_a_document() -> None:
    assert is_bare(etree.fromstring('<Envelope xmlns="urn:essai"/>'))


@pytest.mark.parametrize("payloads", ["", "<a/><b/>"])
def test_only_one_payload_can_stand_alone(payloads: str) -> None:
    sent = etree.fromstring(f'<s:Envelope xmlns:s="{SOAP12}"><s:Body>{payloads}</s:Body></s:Envelope>')
    with pytest.raises(ValueError):
        bared(sent)


def test_the_place_of_an_element_is_in_its_document_unless_an_envelope_was_sent() -> None:
    bare = enveloped(parse(CLAIM, Limits()))
    line = bare.find(".//{urn:essai}Ligne")
    assert line is not None
    document = document_of(line)
    assert document is not None and document.tag == "{urn:essai}Facture"
    sent = parse(
        b'<s:Envelope xmlns:s="' + SOAP12.encode() + b'"><s:Body>' + CLAIM + b"</s:Body></s:Envelope>", Limits()
    )
    inside = sent.find(".//{urn:essai}Ligne")
    assert inside is not None and document_of(inside) is None
    assert document_of(etree.fromstring(CLAIM)[0]) is None
