"""A second opinion on signatures, by libraries that share no code with `norms.wire.signature_check` and `trust`.

Optional: needs python-xmlsec. Where the two verifiers disagree, a finding is inconclusive, never a verdict.
"""

from __future__ import annotations

import copy
from datetime import timedelta
from types import ModuleType
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError
from lxml import etree

from norms.errors import SecurityRefusal
from norms.model import Norm, Service
from norms.wire import names
from norms.wire.gate import Direction, pass_gate
from norms.wire.signature_check import SignatureForm, check_value
from norms.wire.trust import Anchors, has_path

Opinion = Literal["agree", "disagree", "unavailable"]


def cross_check(root: etree._Element, norm: Norm, service: Service, direction: Direction, anchors: Anchors) -> Opinion:
    """Tell whether both verifiers say the same of every signature of a message, and of its signer's authority.

    What is compared: digests, signature values, and a signer that we find no path for. The structural gate, kinds of
    certificates, dates and revocation are rules of the profile, on which a general library has no opinion: a message
    that the gate refuses gives "agree". So does a path that only the other library refuses, by rules of the public
    web. The message is not changed.
    """
    xmlsec = _library()
    if xmlsec is None:
        return "unavailable"
    tree = copy.deepcopy(root.getroottree())
    try:
        layout = pass_gate(tree.getroot(), norm, service, direction)
    except SecurityRefusal:
        return "agree"
    for form in (layout.assertion_signature, layout.flow_signature):
        if form is None:
            continue
        if _own(form) != _xmlsec(xmlsec, form):
            return "disagree"
        if not has_path(form.certificate, form.intermediates, anchors) and _other_path(form, anchors):
            return "disagree"
    return "agree"


def second_verifier() -> str:
    """Return name and version of the second verifier, "" when there is none here."""
    xmlsec = _library()
    return "" if xmlsec is None else f"python-xmlsec {xmlsec.__version__}"


def _library() -> ModuleType | None:
    try:
        import xmlsec
    except Exception:  # noqa: BLE001  a build against another libxml2 raises its own error: no second opinion then
        return None
    return xmlsec


def _own(form: SignatureForm) -> bool:
    try:
        check_value(form)
    except SecurityRefusal:
        return False
    return True


def _xmlsec(xmlsec: ModuleType, form: SignatureForm) -> bool:
    context = xmlsec.SignatureContext()
    for reference in form.references:
        target = reference.target.element
        if target.tag == names.ASSERTION:
            context.register_id(target, "ID")
        else:
            context.register_id(target, "Id", names.WSU)
    try:
        pem = form.certificate.public_bytes(Encoding.PEM)
        context.key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.CERT_PEM)
        context.verify(form.element)
    except xmlsec.Error:
        return False
    return True


def _other_path(form: SignatureForm, anchors: Anchors) -> bool:
    """Tell whether the X.509 verifier of the cryptography library finds a path, the dates left aside."""
    leaf = form.certificate
    inside = max(leaf.not_valid_before_utc, *(item.not_valid_before_utc for item in anchors.authorities))
    issuers = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)
    verifier = (
        PolicyBuilder()
        .store(Store(list(anchors.authorities)))
        .time(inside + timedelta(seconds=1))
        .extension_policies(ca_policy=issuers, ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    try:
        verifier.verify(leaf, list(form.intermediates))
    except (VerificationError, ValueError, x509.UnsupportedGeneralNameType):
        return False
    return True
