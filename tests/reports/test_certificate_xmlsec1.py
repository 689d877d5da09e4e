"""Plain xmlsec1, the command that the documentation gives to third parties, on what we seal."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from reports.certificate import CERTIFICATE, SELF_DECLARATION, to_xml
from reports.seal import sealed
from tests.reports.reports_pki import NOW, Authority
from tests.reports.reports_samples import content

needs_xmlsec1 = pytest.mark.skipif(shutil.which("xmlsec1") is None, reason="xmlsec1 is not installed")


def xmlsec1(file: Path, authority_file: Path, root: str = "urn:poincon:certificate:1:Certificate") -> bool:
    command = [
        "xmlsec1", "--verify", "--enabled-key-data", "x509", "--trusted-pem", str(authority_file),
        "--verification-gmt-time", f"{NOW:%Y-%m-%d %H:%M:%S}",
        "--id-attr:Id", root, "--id-attr:Id", "SignedProperties", "--id-attr:Id", "KeyInfo", str(file),
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@needs_xmlsec1
@pytest.mark.parametrize("form", [CERTIFICATE, SELF_DECLARATION], ids=lambda form: form.kind)
def test_plain_xmlsec1_accepts_what_we_seal(
    form: Any, authority: Authority, authority_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "document.xml"
    file.write_bytes(sealed(to_xml(content(form)), authority.seal, NOW))
    assert xmlsec1(file, authority_file, f"{form.namespace}:{form.root}")


@needs_xmlsec1
@pytest.mark.parametrize(
    "figure", [b"<Pass>7<", b"<Killed>48<", b"<Total>50<", b"<Records>42<", b"-2026-0001<", b"<Root>e1e1"]
)
def test_plain_xmlsec1_rejects_a_changed_figure(
    figure: bytes, document: bytes, authority_file: Path, tmp_path: Path
) -> None:
    changed = bytes([figure[-2] ^ 1])
    file = tmp_path / "document.xml"
    file.write_bytes(document.replace(figure, figure[:-2] + changed + figure[-1:]))
    assert not xmlsec1(file, authority_file)


@needs_xmlsec1
def test_plain_xmlsec1_rejects_a_seal_of_another_authority(
    document: bytes, stranger: Authority, tmp_path: Path
) -> None:
    file = tmp_path / "document.xml"
    file.write_bytes(document)
    assert not xmlsec1(file, stranger.pem(tmp_path))


@needs_xmlsec1
def test_plain_xmlsec1_rejects_a_bare_key(document: bytes, authority_file: Path, tmp_path: Path) -> None:
    """SECURITY, signature note 8: without --enabled-key-data x509 an attacker's own key would be believed."""
    from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureMethod, XMLSigner

    root = etree.fromstring(document)
    root.remove(root[-1])
    signer = XMLSigner(
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1,
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
    )
    forged = signer.sign(root, key=rsa.generate_private_key(65537, 2048), always_add_key_value=True)
    file = tmp_path / "document.xml"
    file.write_bytes(etree.tostring(forged))
    assert not xmlsec1(file, authority_file)
