"""The SAML 2.0 assertion: writing one, and judging what a verified one says.

Source: SAML 2.0 core §2, Web Services Security SAML Token Profile 1.1 (sender-vouches).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from lxml import etree

from norms.errors import SecurityRefusal
from norms.i18n import tr
from norms.model import AssertionPolicy
from norms.wire import names
from norms.wire.instants import read_instant, write_instant
from norms.wire.keys import names_in, same_name
from norms.wire.signature_check import text_of

_CHILDREN: Final = (
    names.ISSUER,
    names.SIGNATURE,
    names.SUBJECT,
    names.CONDITIONS,
    names.AUTHN_STATEMENT,
    names.ATTRIBUTE_STATEMENT,
)
_MOST_ATTRIBUTES: Final = 64


@dataclass(frozen=True)
class Subject:
    """Whom an assertion speaks of.

    name_id: "" = the common name of the signer's certificate; qualifier: NameQualifier, "" = the first of the norm;
    attributes: values by attribute name.
    """

    name_id: str = ""
    qualifier: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AssertionFacts:
    """What a verified assertion says. until: the instant from which it is refused, clock skew included."""

    identifier: str
    issuer: str
    subject: Subject
    until: datetime


@dataclass(frozen=True)
class AssertionPlan:
    """Everything an assertion to be written says; deviations replace parts of it. audience: None = no restriction."""

    issuer: str
    subject: Subject
    not_before: datetime
    not_on_or_after: datetime
    audience: str | None
    attributes: tuple[tuple[str, str], ...]


def write_assertion(plan: AssertionPlan) -> etree._Element:
    """Return an unsigned assertion; its signature's place is after Issuer."""
    saml = f"{{{names.SAML}}}"
    instant, end = write_instant(plan.not_before), write_instant(plan.not_on_or_after)
    root = etree.Element(names.ASSERTION, nsmap={"saml": names.SAML})
    root.set("ID", f"_{secrets.token_hex(16)}")
    root.set("IssueInstant", instant)
    root.set("Version", "2.0")
    etree.SubElement(root, names.ISSUER, Format=names.X509_SUBJECT_NAME).text = plan.issuer
    subject = etree.SubElement(root, names.SUBJECT)
    name = etree.SubElement(subject, names.NAME_ID, Format=names.UNSPECIFIED_NAME, NameQualifier=plan.subject.qualifier)
    name.text = plan.subject.name_id
    confirmation = etree.SubElement(subject, names.CONFIRMATION, Method=names.SENDER_VOUCHES)
    data = etree.SubElement(confirmation, names.CONFIRMATION_DATA, NotOnOrAfter=end)
    conditions = etree.SubElement(root, names.CONDITIONS, NotBefore=instant, NotOnOrAfter=end)
    if plan.audience is not None:
        data.set("Recipient", plan.audience)
        restriction = etree.SubElement(conditions, names.AUDIENCE_RESTRICTION)
        etree.SubElement(restriction, names.AUDIENCE).text = plan.audience
    statement = etree.SubElement(root, f"{saml}AttributeStatement")
    for key, value in plan.attributes:
        attribute = etree.SubElement(statement, names.ATTRIBUTE, Name=key, NameFormat=names.BASIC_ATTRIBUTE)
        etree.SubElement(attribute, names.ATTRIBUTE_VALUE).text = value
    return root


def check_assertion(
    assertion: etree._Element,
    certificate: x509.Certificate,
    policy: AssertionPolicy,
    audience: str | None,
    now: datetime,
    skew: timedelta,
) -> AssertionFacts:
    """Return what the assertion says after judging it. The caller has verified its signature.

    audience: the address it must be meant for, None = not judged; now: aware date.
    Raises SecurityRefusal with the assertion-… codes.
    """
    parts = _parts(assertion)
    issuer = _issuer(parts[names.ISSUER], certificate)
    until = _check_conditions(parts[names.CONDITIONS], policy, audience, now, skew)
    if read_instant(assertion.get("IssueInstant", ""), "assertion-structure") > now + skew:
        raise SecurityRefusal("assertion-not-yet-valid", tr("L'assertion est émise dans le futur."))
    session = parts.get(names.AUTHN_STATEMENT)
    if session is not None and session.get("SessionNotOnOrAfter") is not None:
        end = read_instant(session.get("SessionNotOnOrAfter", ""), "assertion-structure")
        if now >= end + skew:
            raise SecurityRefusal("assertion-expired", tr("La session de l'assertion est terminée."))
    name_id, qualifier = _check_subject(parts[names.SUBJECT], certificate, policy, audience, now, skew)
    attributes = _attributes(parts[names.ATTRIBUTE_STATEMENT], policy)
    return AssertionFacts(assertion.get("ID", ""), issuer, Subject(name_id, qualifier, attributes), until)


def _parts(assertion: etree._Element) -> dict[str, etree._Element]:
    if assertion.get("Version") != "2.0":
        raise _structure(tr("La version de l'assertion n'est pas 2.0."))
    parts = {child.tag: child for child in assertion}
    required = set(_CHILDREN) - {names.AUTHN_STATEMENT}
    if len(parts) != len(assertion) or set(parts) - set(_CHILDREN) or required - set(parts):
        raise _structure(tr("L'assertion contient des éléments inattendus, répétés ou absents."))
    if [child.tag for child in assertion][:3] != list(_CHILDREN[:3]):
        raise _structure(tr("Les éléments de l'assertion ne sont pas dans l'ordre."))
    return parts


def _issuer(element: etree._Element, certificate: x509.Certificate) -> str:
    text = text_of(element, "assertion-issuer")
    if element.get("Format") != names.X509_SUBJECT_NAME or not same_name(text, certificate.subject):
        raise SecurityRefusal(
            "assertion-issuer", tr("L'émetteur de l'assertion n'est pas le sujet du certificat qui la signe.")
        )
    return text


def _check_conditions(
    element: etree._Element, policy: AssertionPolicy, audience: str | None, now: datetime, skew: timedelta
) -> datetime:
    start = read_instant(element.get("NotBefore", ""), "assertion-structure")
    end = read_instant(element.get("NotOnOrAfter", ""), "assertion-structure")
    if now < start - skew:
        raise SecurityRefusal("assertion-not-yet-valid", tr("L'assertion n'est pas encore valide."))
    if now >= end + skew:
        raise SecurityRefusal("assertion-expired", tr("L'assertion a expiré."))
    if end - start > timedelta(seconds=policy.lifetime_seconds):
        raise SecurityRefusal(
            "assertion-lifetime",
            tr("L'assertion vaut plus de {seconds} secondes.", seconds=policy.lifetime_seconds),
        )
    if any(child.tag not in (names.AUDIENCE_RESTRICTION, names.ONE_TIME_USE) for child in element):
        raise _structure(tr("Condition inconnue dans l'assertion."))
    restrictions = element.findall(names.AUDIENCE_RESTRICTION)
    if not restrictions:
        raise SecurityRefusal("assertion-audience", tr("L'assertion ne dit pas à qui elle est destinée."))
    for restriction in restrictions:
        audiences = [text_of(item, "assertion-audience") for item in restriction]
        if not audiences or (audience is not None and audience not in audiences):
            raise SecurityRefusal("assertion-audience", tr("L'assertion n'est pas destinée à ce service."))
    return end + skew


def _check_subject(
    element: etree._Element,
    certificate: x509.Certificate,
    policy: AssertionPolicy,
    audience: str | None,
    now: datetime,
    skew: timedelta,
) -> tuple[str, str]:
    if [child.tag for child in element] != [names.NAME_ID, names.CONFIRMATION]:
        raise SecurityRefusal(
            "assertion-subject", tr("Le sujet de l'assertion doit porter un NameID et une confirmation.")
        )
    name, confirmation = element
    name_id, qualifier = text_of(name, "assertion-subject"), name.get("NameQualifier", "")
    if qualifier not in policy.name_qualifiers:
        raise SecurityRefusal("assertion-subject", tr("NameQualifier refusé : « {name} ».", name=qualifier))
    if not name_id or (policy.subject == "certificate" and name_id not in names_in(certificate.subject)):
        raise SecurityRefusal(
            "assertion-subject", tr("Le NameID n'est pas l'identité que porte le certificat du signataire.")
        )
    if confirmation.get("Method") != names.SENDER_VOUCHES or len(confirmation) > 1:
        raise SecurityRefusal("assertion-subject", tr("La confirmation du sujet n'est pas « sender-vouches »."))
    for data in confirmation:
        _check_confirmation(data, audience, now, skew)
    return name_id, qualifier


def _check_confirmation(data: etree._Element, audience: str | None, now: datetime, skew: timedelta) -> None:
    if data.tag != names.CONFIRMATION_DATA or data.get("InResponseTo") is not None or len(data):
        raise SecurityRefusal("assertion-subject", tr("La confirmation du sujet porte des données refusées."))
    recipient = data.get("Recipient")
    if recipient is not None and (not recipient or (audience is not None and recipient != audience)):
        raise SecurityRefusal("assertion-subject", tr("Le destinataire (Recipient) n'est pas ce service."))
    start, end = data.get("NotBefore"), data.get("NotOnOrAfter")
    if start is not None and now < read_instant(start, "assertion-structure") - skew:
        raise SecurityRefusal("assertion-not-yet-valid", tr("L'assertion n'est pas encore valide."))
    if end is not None and now >= read_instant(end, "assertion-structure") + skew:
        raise SecurityRefusal("assertion-expired", tr("L'assertion a expiré."))


def _attributes(statement: etree._Element, policy: AssertionPolicy) -> dict[str, str]:
    found: dict[str, str] = {}
    if len(statement) > _MOST_ATTRIBUTES:
        raise SecurityRefusal("assertion-attributes", tr("L'assertion porte trop d'attributs."))
    for attribute in statement:
        name = attribute.get("Name", "")
        if attribute.tag != names.ATTRIBUTE or not name or [item.tag for item in attribute] != [names.ATTRIBUTE_VALUE]:
            raise SecurityRefusal(
                "assertion-attributes", tr("Un attribut de l'assertion n'a pas un nom et une valeur.")
            )
        if name in found:
            raise SecurityRefusal("assertion-attributes", tr("L'attribut {name} est répété.", name=name))
        found[name] = text_of(attribute[0], "assertion-attributes")
    missing = [name for name in policy.attributes if not found.get(name, "").strip()]
    if missing:
        raise SecurityRefusal(
            "assertion-attributes", tr("Attributs absents ou vides : {missing}.", missing=", ".join(missing))
        )
    return found


def _structure(what: str) -> SecurityRefusal:
    return SecurityRefusal("assertion-structure", what)
