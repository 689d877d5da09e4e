"""Putting the security that a norm prescribes (or a deviation from it) on a message.

Source: docs/formats/security.md; Web Services Security 1.0.
"""

from __future__ import annotations

import copy
from datetime import datetime

from lxml import etree

from norms.model import Norm, Service
from norms.wire import names
from norms.wire.assertion import Subject, write_assertion
from norms.wire.deposit import bared
from norms.wire.deviations import DEVIATIONS, adapt
from norms.wire.gate import signs_nothing
from norms.wire.instants import write_instant
from norms.wire.recipe import Context, Parts, Recipe, Signers, new_identifier, right_recipe
from norms.wire.signature import sign
from norms.wire.soap import Envelope, qname, serialize

__all__ = ["DEVIATIONS", "Signers", "Subject", "secure_request", "secure_response"]

etree.register_namespace("wsu", names.WSU)


def secure_request(
    root: etree._Element,
    norm: Norm,
    service: Service,
    signers: Signers,
    subject: Subject | None,
    audience: str,
    now: datetime,
    deviation: str = "",
    *,
    replay_of: etree._Element | None = None,
) -> bytes:
    """Return a request with its security, as bytes. `root` itself stays as it is.

    A deposit has no security of its own: it leaves bare, whatever the deviation.
    subject: whom the assertion speaks of; None = the signer, without attributes; audience: the address called; now:
    aware date; deviation: a name of `DEVIATIONS`; replay_of: for assertion-replayed, the root of an earlier secured
    request. A wsse:Security already there is replaced. Raises UsageError: missing signer, or a deviation that is
    unknown or makes no sense for this service.
    """
    return _secure(root, Context(norm, service, "request", signers, now, replay_of), subject, audience, deviation)


def secure_response(
    root: etree._Element, norm: Norm, service: Service, signers: Signers, now: datetime, deviation: str = ""
) -> bytes:
    """Return a response (or fault) with its security, as bytes. See `secure_request`."""
    return _secure(root, Context(norm, service, "response", signers, now), None, "", deviation)


def _secure(root: etree._Element, context: Context, subject: Subject | None, audience: str, deviation: str) -> bytes:
    if context.service.carrier == "deposit":
        return bared(root)
    if signs_nothing(context.policy) and not deviation:
        return serialize(root)
    recipe = right_recipe(context, subject, audience)
    if deviation:
        recipe = adapt(recipe, context, deviation)
    root = copy.deepcopy(root)
    envelope = _envelope(root)
    if recipe.present and envelope.header is not None:
        security = etree.Element(names.SECURITY, nsmap={"wsse": names.WSSE, "wsu": names.WSU})
        envelope.header.insert(0, security)
        _fill(Parts(envelope, security), recipe, context)
    return serialize(root)


def _envelope(root: etree._Element) -> Envelope:
    """Return the envelope with a header that holds no security yet."""
    envelope = Envelope.of(root)
    if envelope.header is None:
        header = etree.Element(f"{{{envelope.namespace}}}Header")
        envelope.body.addprevious(header)
        return Envelope.of(root)
    for old in envelope.header.findall(names.SECURITY):
        envelope.header.remove(old)
    return envelope


def _fill(parts: Parts, recipe: Recipe, context: Context) -> None:
    if recipe.timestamp:
        _add_timestamp(parts.security, *recipe.timestamp)
    _add_assertion(parts.security, recipe)
    if recipe.before_flow:
        recipe.before_flow(parts)
    if recipe.flow_signer and recipe.flow_style:
        covered = _covered(parts, recipe, context)
        parts.security.append(sign(covered, recipe.flow_signer, recipe.flow_style))
    if recipe.after_flow:
        recipe.after_flow(parts)


def _add_timestamp(security: etree._Element, created: datetime, expires: datetime) -> None:
    timestamp = etree.SubElement(security, names.TIMESTAMP)
    etree.SubElement(timestamp, names.CREATED).text = write_instant(created)
    etree.SubElement(timestamp, names.EXPIRES).text = write_instant(expires)


def _add_assertion(security: etree._Element, recipe: Recipe) -> None:
    if recipe.replayed is not None:
        security.append(recipe.replayed)
    elif recipe.assertion:
        for _ in range(recipe.copies):
            assertion = write_assertion(recipe.assertion)
            security.append(assertion)
            if recipe.assertion_signer and recipe.assertion_style:
                covered = [(assertion.get("ID", ""), assertion)]
                signature = sign(covered, recipe.assertion_signer, recipe.assertion_style, enveloped=True)
                assertion.insert(1, signature)


def _covered(parts: Parts, recipe: Recipe, context: Context) -> list[tuple[str, etree._Element]]:
    found: list[tuple[str, etree._Element]] = []
    for cover in recipe.covers:
        if cover == "body":
            found.append((_identify(parts.envelope.body, "body"), parts.envelope.body))
        elif cover == "timestamp":
            found += [(_identify(item, "timestamp"), item) for item in parts.security.findall(names.TIMESTAMP)]
        elif cover == "headers":
            for name in context.header_names():
                blocks = parts.envelope.blocks(qname(context.norm.prefixes, name))
                found += [(_identify(block, "header"), block) for block in blocks]
        elif cover == "assertion" and parts.assertion is not None:
            found.append((parts.assertion.get("ID", ""), parts.assertion))
    return found


def _identify(element: etree._Element, prefix: str) -> str:
    identifier = new_identifier(prefix)
    element.set(names.WSU_ID, identifier)
    return identifier
