"""Signatures by others: what xmlsec signs we accept, what we sign xmlsec accepts, and both see alterations."""

from __future__ import annotations

import copy
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from wire_certificates import ANCHORS, KEY, issue
from wire_kit import NORM, NOW, RESPONSE, SERVICE, Kit, assertion_of, flow_of

from norms.wire import names
from norms.wire.deviations import DEVIATIONS
from norms.wire.keys import Identity
from norms.wire.second import cross_check
from norms.wire.secure import Signers, secure_response

xmlsec = pytest.importorskip("xmlsec")
from xmlsec_signing import signed_by_xmlsec  # noqa: E402  it needs xmlsec


def by_xmlsec(kit: Kit, root: etree._Element, **how: object) -> etree._Element:
    """Replace both signatures of a request by xmlsec's."""
    return signed_by_xmlsec(root, kit.others["assertion"], kit.others["flow"], **how)


def test_what_xmlsec_signs_we_accept(kit: Kit) -> None:
    verified = kit.verify(by_xmlsec(kit, kit.request()))
    assert verified.flow_certificate == kit.others["flow"].certificate


@pytest.mark.parametrize("part", ["assertion", "body", "timestamp"])
def test_what_xmlsec_signed_we_refuse_once_altered(kit: Kit, part: str) -> None:
    root = by_xmlsec(kit, kit.request())
    path = {
        "assertion": f".//{names.ATTRIBUTE_VALUE}",
        "body": ".//{urn:essai:question}Nir",
        "timestamp": f".//{names.CREATED}",
    }[part]
    element = root.find(path)
    element.text = element.text.replace("1", "2").replace("0", "1", 1)
    assert kit.reason(root) != ""


def test_s34_a_declared_prefix_is_part_of_the_signature(kit: Kit) -> None:
    """The prefix of an xsi:type value is declared on the envelope, far from the assertion that uses it."""
    root = by_xmlsec(kit, kit.request(), prefixes="xs")
    assert kit.reason(root) == ""
    moved = etree.fromstring(etree.tostring(root).replace(b"http://www.w3.org/2001/XMLSchema", b"urn:autre"))
    assert kit.reason(moved) == "signature-invalid"


def test_s34_an_undeclared_prefix_is_not(kit: Kit) -> None:
    root = by_xmlsec(kit, kit.request())
    moved = etree.fromstring(etree.tostring(root).replace(b"http://www.w3.org/2001/XMLSchema", b"urn:autre"))
    assert kit.reason(moved) == ""


def test_s34_inclusive_canonicalization_is_refused_even_when_true(kit: Kit) -> None:
    root = by_xmlsec(kit, kit.request(), c14n=xmlsec.Transform.C14N)
    assert kit.reason(root) == "signature-algorithm"


def test_what_we_sign_xmlsec_accepts(kit: Kit) -> None:
    for root, direction in ((kit.request(), "request"), (kit.response(), "response")):
        before = etree.tostring(root)
        assert cross_check(root, NORM, SERVICE, direction, kit.anchors) == "agree"
        assert etree.tostring(root) == before


@pytest.mark.parametrize("name", [name for name in DEVIATIONS if "request" in DEVIATIONS[name].directions])
def test_both_verifiers_agree_on_every_deviation(kit: Kit, name: str) -> None:
    assert cross_check(kit.request(name), NORM, SERVICE, "request", kit.anchors) == "agree"


def test_xmlsec_alone_refuses_what_was_altered(kit: Kit) -> None:
    """Not through cross_check, so that agreement on errors of ours cannot hide one."""
    root = kit.request()
    assert _xmlsec_says(kit, root)
    spoiled = copy.deepcopy(root)
    spoiled.find(".//{urn:essai:question}Nir").text = "2"
    assert not _xmlsec_says(kit, spoiled)


def _xmlsec_says(kit: Kit, root: etree._Element) -> bool:
    context = xmlsec.SignatureContext()
    pem = kit.others["flow"].certificate.public_bytes(Encoding.PEM)
    context.key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.CERT_PEM)
    for item in root.iter():
        if item.get(names.WSU_ID):
            context.register_id(item, "Id", names.WSU)
    context.register_id(assertion_of(root), "ID")
    try:
        context.verify(flow_of(root))
    except xmlsec.Error:
        return False
    return True


@pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="xmlsec1 is not installed")
def test_the_xmlsec1_command_accepts_what_we_sign(kit: Kit, tmp_path: Path) -> None:
    file = tmp_path / "requete.xml"
    root = kit.request()
    expressions = [
        "/*/*[1]/*[1]/*[local-name()='Signature']",
        "//*[local-name()='Assertion']/*[local-name()='Signature']",
    ]

    def says(expression: str) -> bool:
        command = [
            "xmlsec1", "--verify", "--enabled-key-data", "x509", "--trusted-pem", str(kit.pki.authority),
            "--id-attr:ID", f"{names.SAML}:Assertion", "--id-attr:Id", "Body", "--id-attr:Id", "Contexte",
            "--id-attr:Id", "Timestamp", "--node-xpath", expression, str(file),
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0

    file.write_bytes(etree.tostring(root))
    assert [says(expression) for expression in expressions] == [True, True]
    assertion_of(root).find(f".//{names.NAME_ID}").text = "99700735741"
    file.write_bytes(etree.tostring(root))
    assert [says(expression) for expression in expressions] == [False, False]


def test_a_path_that_only_the_other_verifier_finds_is_a_disagreement(kit: Kit) -> None:
    """Name constraints: we refuse what we do not support, the other library supports them."""
    constraint = x509.NameConstraints([x509.DNSName("poincon.invalid")], None)
    middle = issue("CN=middle", "CN=root", KEY, ca=True, extension=constraint)
    leaf = issue("CN=leaf,OU=AMC-FLUX", "CN=middle", KEY)
    signers = Signers(flow=Identity("leaf", leaf, (middle,), KEY))
    root = etree.fromstring(secure_response(etree.fromstring(RESPONSE), NORM, SERVICE, signers, NOW))
    assert kit.reason(root, "response", anchors=ANCHORS) == "certificate-untrusted"
    assert cross_check(root, NORM, SERVICE, "response", ANCHORS) == "disagree"
    plain = Signers(flow=Identity("plain", issue("CN=leaf,OU=AMC-FLUX", "CN=root", KEY), (), KEY))
    root = etree.fromstring(secure_response(etree.fromstring(RESPONSE), NORM, SERVICE, plain, NOW))
    assert kit.reason(root, "response", anchors=ANCHORS) == ""
    assert cross_check(root, NORM, SERVICE, "response", ANCHORS) == "agree"
