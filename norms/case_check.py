"""Check a case document read from a file: each message by itself, then the rules over the whole case.

Here nobody is tested, so the rules about both sides apply. Source: docs/formats/norm.md, "rules/chain/*.sch".
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Final

import msgspec
from lxml import etree

from norms.chains import CASE, EXCHANGE, PREFIX, REQUEST, RESPONSE
from norms.i18n import tr
from norms.message_check import Checker, Direction, Problem
from norms.places import line_of, name_of, path_of, prefixes_by_namespace
from norms.security_check import security_problem
from norms.wire.trust import Anchors
from norms.xpath import CASE_NAMESPACE

STRUCTURE: Final = "case-structure"
_SIDES: Final[tuple[tuple[str, Direction], ...]] = ((REQUEST, "request"), (RESPONSE, "response"))


def is_case(root: etree._Element) -> bool:
    """Tell whether a document is a case."""
    return bool(root.tag == CASE)


def messages_of(root: etree._Element) -> Iterator[tuple[str, Direction, etree._Element]]:
    """Yield kind, direction and a copy of each message of a case document, as a document of its own."""
    for exchange, direction, _, message in _messages(root):
        yield exchange.get("kind", ""), direction, deepcopy(message)


def case_problems(
    root: etree._Element, checker: Checker, *, confirm: bool = False, anchors: Anchors | None = None
) -> list[Problem]:
    """Return what is wrong with a case document: its structure, else its messages, then the rules over all of it.

    confirm: as of `Checker.check`; anchors: also check the security of each message against these authorities. Paths
    and lines are those of the whole document.
    """
    prefixes = prefixes_by_namespace(checker.norm.prefixes | {PREFIX: CASE_NAMESPACE})
    problems = [
        Problem("structure", STRUCTURE, "", path_of(element, prefixes), line_of(element), sentence)
        for element, sentence in _structure(root, checker, prefixes)
    ]
    if problems:
        return problems
    places: dict[tuple[int, str], str] = {}
    numbers = {exchange: number for number, exchange in enumerate(root.iterchildren(EXCHANGE))}
    for exchange, direction, side, message in _messages(root):
        place = places[numbers[exchange], direction] = path_of(side, prefixes)
        alone, kind = deepcopy(message), exchange.get("kind", "")
        found = checker.check(alone, kind, direction, confirm=confirm)
        if anchors is not None:
            insecure = security_problem(alone, checker.norm, kind, direction, anchors)
            found += [insecure] if insecure is not None else []
        problems += [msgspec.structs.replace(problem, path=place + problem.path) for problem in found]
    for broken in checker.chains.problems(root):
        path = places.get((broken.exchange, broken.side), "") + broken.path
        problems.append(
            Problem("rule", broken.rule, broken.requirement, path, broken.line, broken.message, broken.value)
        )
    return problems


def _messages(root: etree._Element) -> Iterator[tuple[etree._Element, Direction, etree._Element, etree._Element]]:
    """Yield (exchange, direction, its case:request or case:response, the message in it)."""
    for exchange in root.iterchildren(EXCHANGE):
        for tag, direction in _SIDES:
            for side in exchange.iterchildren(tag):
                for message in side.iterchildren("*"):
                    yield exchange, direction, side, message


def _structure(
    root: etree._Element, checker: Checker, prefixes: dict[str, str]
) -> Iterator[tuple[etree._Element, str]]:
    exchanges = list(root.iterchildren("*"))
    if not exchanges:
        yield root, tr("Le cas ne contient aucun échange.")
    last = 0
    for exchange in exchanges:
        if exchange.tag != EXCHANGE:
            yield exchange, tr("« {name} » n'est pas un échange.", name=name_of(exchange, prefixes))
            continue
        kind, step = exchange.get("kind", ""), exchange.get("step", "")
        if checker.norm.service(kind) is None:
            yield exchange, tr("Le message « {kind} » est inconnu.", kind=kind)
        if not (step.isascii() and step.isdecimal() and int(step) >= max(last, 1)):
            yield exchange, tr("Le numéro d'étape « {step} » ne suit pas le précédent.", step=step)
        else:
            last = int(step)
        if [side.tag for side in exchange.iterchildren("*")] != [REQUEST, RESPONSE]:
            yield exchange, tr("Un échange contient une demande, puis une réponse.")
        for side in exchange.iterchildren(REQUEST, RESPONSE):
            if len(list(side.iterchildren("*"))) != 1:
                yield side, tr("« {name} » contient un seul message.", name=name_of(side, prefixes))
