"""Rules over a whole case: a case is one document, and its messages must agree with each other.

The messages of the case stand in it in the order of the steps, each exchange with its request and its answer:

    <case:case xmlns:case="urn:poincon:case:1">
      <case:exchange kind="…" step="1"><case:request>Envelope</case:request><case:response>Envelope</case:response>
      </case:exchange> …
    </case:case>

A rule speaks of a product by its context: below case:response of one that is a server, below case:request of one that
is a client. Source: docs/formats/norm.md, "rules/chain/*.sch".
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Final, Literal

import msgspec
from lxml import etree

from norms.errors import NormError
from norms.functions import functions_for
from norms.i18n import tr
from norms.model import Norm
from norms.places import line_of, path_of, prefixes_by_namespace
from norms.schematron import Rules, Violation
from norms.xpath import CASE_NAMESPACE

PREFIX: Final = "case"
CASE: Final = f"{{{CASE_NAMESPACE}}}case"
EXCHANGE: Final = f"{{{CASE_NAMESPACE}}}exchange"
REQUEST: Final = f"{{{CASE_NAMESPACE}}}request"
RESPONSE: Final = f"{{{CASE_NAMESPACE}}}response"

_SIDES: Final[dict[str, Literal["request", "response"]]] = {REQUEST: "request", RESPONSE: "response"}


class ChainExchange(msgspec.Struct, frozen=True):
    """One exchange of a case document. step: 1-based; request, response: envelopes, which are copied."""

    kind: str
    step: int
    request: etree._Element
    response: etree._Element


class ChainProblem(msgspec.Struct, frozen=True):
    """A chain rule that does not hold.

    exchange: its 0-based place in the document, -1 outside of any; side: the message of that exchange that holds the
    context node, "" outside of both; path: within that message (outside: within the document); line: of the text that
    the message was parsed from; value: what is there.
    """

    rule: str
    requirement: str
    exchange: int
    side: Literal["request", "response", ""]
    path: str
    line: int
    message: str
    value: str


def case_document(exchanges: Iterable[ChainExchange]) -> etree._Element:
    """Return the document of a case; lines of the messages are kept."""
    root = etree.Element(CASE, nsmap={PREFIX: CASE_NAMESPACE})
    for each in exchanges:
        exchange = etree.SubElement(root, EXCHANGE, kind=each.kind, step=str(each.step))
        etree.SubElement(exchange, REQUEST).append(deepcopy(each.request))
        etree.SubElement(exchange, RESPONSE).append(deepcopy(each.response))
    return root


class Chains:
    """The chain rules of a norm and its parents, compiled. Raises NormError for a rule that cannot be run."""

    def __init__(self, norm: Norm) -> None:
        self.rules = Rules(norm.chains, functions_for(norm))
        self._prefixes = prefixes_by_namespace(norm.prefixes | {PREFIX: CASE_NAMESPACE})
        for file in self.rules.files:
            if file.namespaces.get(PREFIX, CASE_NAMESPACE) != CASE_NAMESPACE:
                raise NormError(
                    tr("Le préfixe « {prefix} » est réservé à « {uri} ».", prefix=PREFIX, uri=CASE_NAMESPACE),
                    file=file.path,
                    remedy=tr("Retirez sa déclaration : il est connu sans elle."),
                )

    def __bool__(self) -> bool:
        """Whether the norm has chain rules."""
        return bool(self.rules.files)

    def problems(self, document: etree._Element) -> list[ChainProblem]:
        """Return the rules that do not hold in a case document. Raises NormError when one cannot be evaluated."""
        numbers = {element: number for number, element in enumerate(document.iterchildren(EXCHANGE))}
        return [self._problem(violation, numbers) for violation in self.rules.violations(document)]

    def _problem(self, violation: Violation, numbers: dict[etree._Element, int]) -> ChainProblem:
        element: etree._Element = violation.element
        envelope, current = None, element
        while (parent := current.getparent()) is not None and current.tag not in _SIDES:
            envelope, current = current, parent
        inside = envelope is not None and current.tag in _SIDES
        exchange = next((each for each in (element, *element.iterancestors()) if each in numbers), None)
        return ChainProblem(
            rule=violation.rule,
            requirement=violation.requirement,
            exchange=-1 if exchange is None else numbers[exchange],
            side=_SIDES[str(current.tag)] if inside else "",
            path=path_of(element, self._prefixes, envelope if inside else None),
            line=line_of(element),
            message=violation.message,
            value="" if len(element) else (element.text or ""),
        )
