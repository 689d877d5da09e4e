"""The structural gate: what a secured message must look like before any cryptography is done on it.

A signature proves that some element was signed, not that it stands where the reader looks. The gate closes that gap:
every part at its one place, every reference to the very element that will be read. Source: docs/formats/security.md.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Final, Literal, cast

from lxml import etree

from norms.errors import SecurityRefusal
from norms.i18n import tr
from norms.model import DirectionPolicy, Norm, Service
from norms.wire import names
from norms.wire.signature_check import SignatureForm, Target, read_signature
from norms.wire.soap import Envelope, namespace_of, qname

Direction = Literal["request", "response"]

_NAME: Final = re.compile(r"[A-Za-z_][\w.\-]{0,255}")

_identifiers = etree.XPath("//@*[translate(local-name(), 'ID', 'id') = 'id']")
_instructions = etree.XPath("boolean(//processing-instruction())")
_WATCHED: Final = (
    names.SECURITY,
    names.ASSERTION,
    names.SIGNATURE,
    names.OBJECT,
    names.MANIFEST,
    f"{{{names.XENC}}}*",
    f"{{{names.XENC11}}}*",
    *(f"{{{names.SAML}}}Encrypted{what}" for what in ("Assertion", "Attribute", "ID")),
)
_EXPECTED: Final = frozenset({names.SECURITY, names.ASSERTION, names.SIGNATURE})


@dataclass(frozen=True)
class Layout:
    """A message whose form is right. Parts that the profile does not carry are None."""

    envelope: Envelope
    timestamp: etree._Element | None = None
    assertion: etree._Element | None = None
    assertion_id: str = ""
    assertion_signature: SignatureForm | None = None
    flow_signature: SignatureForm | None = None


def signs_nothing(policy: DirectionPolicy) -> bool:
    """Tell whether a direction carries nothing in wsse:Security."""
    return policy.assertion is None and policy.flow is None and policy.timestamp is None


def policy_of(norm: Norm, direction: Direction) -> DirectionPolicy:
    """Return what the norm's profile says of one direction."""
    return norm.security.request if direction == "request" else norm.security.response


def pass_gate(root: etree._Element, norm: Norm, service: Service, direction: Direction) -> Layout:
    """Return the layout of a message; nothing has been digested or verified yet.

    Raises SecurityRefusal with the reason codes of structure (doctype … signature-coverage, assertion-missing …).
    """
    policy = policy_of(norm, direction)
    _check_document(root)
    envelope = Envelope.of(root)
    if envelope.namespace != namespace_of(service):
        raise SecurityRefusal("envelope-version", tr("Le service attend SOAP {version}.", version=service.soap))
    if signs_nothing(policy):
        return Layout(envelope)
    watched: dict[str, list[etree._Element]] = defaultdict(list)
    for element in root.iter(*_WATCHED):
        watched[element.tag].append(element)
    security = _security(root, envelope, watched[names.SECURITY])
    parts = _parts(watched, security, policy)
    _check_identifiers(root)
    timestamp, assertion = parts.get(names.TIMESTAMP), parts.get(names.ASSERTION)
    assertion_signature, assertion_id = None, ""
    if assertion is not None:
        assertion_id = _identifier(assertion, "ID", tr("l'assertion"))
        target = Target("assertion", assertion_id, assertion)
        assertion_signature = read_signature(
            assertion.findall(names.SIGNATURE)[0], (target,), norm.security.algorithms, enveloped=True
        )
    flow = parts.get(names.SIGNATURE)
    flow_signature = None
    if flow is not None and policy.flow is not None:
        targets = flow_targets(envelope, norm, service, direction, timestamp, assertion)
        flow_signature = read_signature(flow, targets, norm.security.algorithms, enveloped=False)
    return Layout(envelope, timestamp, assertion, assertion_id, assertion_signature, flow_signature)


def flow_targets(
    envelope: Envelope,
    norm: Norm,
    service: Service,
    direction: Direction,
    timestamp: etree._Element | None,
    assertion: etree._Element | None,
) -> tuple[Target, ...]:
    """Return what the flow signature of this message must cover, each part with its identifier."""
    policy = policy_of(norm, direction)
    targets: list[Target] = []
    for cover in policy.flow.covers if policy.flow else ():
        if cover == "body":
            targets.append(_target("body", envelope.body))
        elif cover == "timestamp" and timestamp is not None:
            targets.append(_target("timestamp", timestamp))
        elif cover == "assertion" and assertion is not None:
            targets.append(Target("assertion", _identifier(assertion, "ID", "assertion"), assertion))
        elif cover == "headers":
            for name in service.headers if direction == "request" else service.response_headers:
                blocks = envelope.blocks(qname(norm.prefixes, name))
                if len(blocks) > 1:
                    raise SecurityRefusal("envelope-structure", tr("L'en-tête {name} est répété.", name=name))
                if not blocks and not (direction == "response" and envelope.is_fault):
                    raise SecurityRefusal("header-missing", tr("L'en-tête {name} est absent.", name=name))
                targets += [_target(name, block) for block in blocks]
    return tuple(targets)


def _check_document(root: etree._Element) -> None:
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.doctype:
        raise SecurityRefusal("doctype", tr("Une déclaration DOCTYPE est interdite dans un message."))
    if _instructions(root):
        raise SecurityRefusal(
            "processing-instruction", tr("Une instruction de traitement est interdite dans un message.")
        )


def _security(root: etree._Element, envelope: Envelope, found: list[etree._Element]) -> etree._Element:
    if not found:
        raise SecurityRefusal("security-missing", tr("L'en-tête wsse:Security est absent."))
    if len(found) > 1 or found[0].getparent() is not envelope.header:
        raise _structure(tr("Un seul wsse:Security est admis, directement dans le Header."))
    if next(found[0].iter(etree.Comment), None) is not None or _comment_in_text(root):
        raise _structure(tr("Un commentaire coupe une valeur ou se trouve dans wsse:Security."))
    return found[0]


def _comment_in_text(root: etree._Element) -> bool:
    """Tell whether a comment stands beside a text: readers that take the first text node would read half of it."""
    parents = {comment.getparent() for comment in root.iter(etree.Comment)}
    return any(
        (parent.text or "").strip() or any((child.tail or "").strip() for child in parent)
        for parent in parents
        if parent is not None
    )


def _parts(
    watched: dict[str, list[etree._Element]], security: etree._Element, policy: DirectionPolicy
) -> dict[str, etree._Element]:
    """Return the children of Security by tag: those the policy wants, once each, and no other."""
    assertions, signatures = watched[names.ASSERTION], watched[names.SIGNATURE]
    children = [child for child in security if isinstance(child.tag, str)]
    tags = [child.tag for child in children]
    if policy.assertion and not assertions:
        raise SecurityRefusal("assertion-missing", tr("L'assertion SAML est absente."))
    if len(assertions) > (1 if policy.assertion else 0):
        raise SecurityRefusal("assertion-multiple", tr("Le message porte des assertions de trop."))
    if policy.timestamp and names.TIMESTAMP not in tags:
        raise SecurityRefusal("timestamp-missing", tr("L'horodatage wsu:Timestamp est absent."))
    if tags.count(names.TIMESTAMP) > (1 if policy.timestamp else 0):
        raise SecurityRefusal("timestamp-structure", tr("Le message porte des horodatages de trop."))
    if not watched.keys() <= _EXPECTED:
        raise _structure(tr("ds:Object, ds:Manifest et chiffrement XML sont interdits."))
    own = [child for child in assertions[0] if child.tag == names.SIGNATURE] if assertions else []
    if assertions and not own:
        raise SecurityRefusal("signature-missing", tr("L'assertion n'est pas signée."))
    if policy.flow and names.SIGNATURE not in tags:
        raise SecurityRefusal("signature-missing", tr("La signature du flux est absente."))
    wanted = [
        tag
        for tag, policed in (
            (names.TIMESTAMP, policy.timestamp),
            (names.ASSERTION, policy.assertion),
            (names.SIGNATURE, policy.flow),
        )
        if policed
    ]
    if sorted(tags) != sorted(wanted) or len(signatures) != len(own) + tags.count(names.SIGNATURE) or len(own) > 1:
        raise _structure(tr("wsse:Security ou l'assertion contient des éléments inattendus ou mal placés."))
    if (security.text or "").strip() or any((child.tail or "").strip() for child in children):
        raise _structure(tr("Texte inattendu dans wsse:Security."))
    return {child.tag: child for child in children}


def _check_identifiers(root: etree._Element) -> None:
    seen: set[str] = set()
    for value in cast(list[str], _identifiers(root)):
        value = value.strip()
        if value in seen:
            raise SecurityRefusal("duplicate-id", tr("L'identifiant « {value} » est porté deux fois.", value=value))
        seen.add(value)


def _target(name: str, element: etree._Element) -> Target:
    return Target(name, _identifier(element, names.WSU_ID, name), element)


def _identifier(element: etree._Element, attribute: str, name: str) -> str:
    value = element.get(attribute, "")
    if not _NAME.fullmatch(value):
        raise SecurityRefusal("signature-coverage", tr("La partie « {name} » n'a pas d'identifiant.", name=name))
    return value


def _structure(what: str) -> SecurityRefusal:
    return SecurityRefusal("signature-structure", what)
