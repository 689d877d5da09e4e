"""Cases from the rules of a norm: each rule about requests is broken by its own invalid example.

`fill` would repair many examples (a wrong key becomes the person's right one), so the values that make the example
wrong are written again after it, and the result is checked: it breaks that rule, no other, and no schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec
from lxml import etree

from norms.check import Checker
from norms.errors import DataError
from norms.filling import Clock, canonical_path, read_base
from norms.functions import xpath
from norms.model import Norm, Reaction, Text
from norms.schematron_reader import Assertion
from scenarios.bindings import Source, bind, canonical_texts
from scenarios.constraints import parts
from scenarios.model import Case, Expectation, Step
from scenarios.rendering import build_message

EXAMPLES: Final = Path("examples") / "invalid"
# A case must stay wrong on any day, so it is tried on two that are far apart.
_DAYS: Final = (datetime(2026, 3, 31, 12, tzinfo=UTC), datetime(2031, 11, 2, 12, tzinfo=UTC))


class RuleOutcome(msgspec.Struct, frozen=True):
    """What became of a rule: a step, or why there is none. file: from the norm's folder."""

    rule: str
    requirement: str
    file: str
    line: int
    kind: str = ""
    step: Step | None = None
    gap: Literal["", "no-reaction", "about-answers", "repaired", "whole-case", "other-role"] = ""


def rule_steps(norm: Norm, checker: Checker, reaction: Reaction | None) -> Iterator[RuleOutcome]:
    """Yield one outcome for each rule of the norm and its parents, in the order of the files."""
    source = Source(norm, None)
    for file, assertion in checker.assertions():
        yield _outcome(norm, checker, source, reaction, file.path, assertion)


def _outcome(
    norm: Norm, checker: Checker, source: Source, reaction: Reaction | None, path: Path, rule: Assertion
) -> RuleOutcome:
    name = path.relative_to(norm.root).as_posix() if path.is_relative_to(norm.root) else path.name
    outcome = RuleOutcome(rule.id, rule.role, name, rule.line)
    if path in norm.chains:
        return msgspec.structs.replace(outcome, gap="whole-case")
    found = list(_requests(norm, checker, rule.id))
    if not found:
        return msgspec.structs.replace(outcome, gap="about-answers")
    served = [service.kind for service in norm.tested_services("server")]
    requests = [(example, kind) for example, kind in found if kind in served]
    if not requests:
        return msgspec.structs.replace(outcome, gap="other-role")
    if reaction is None:
        return msgspec.structs.replace(outcome, gap="no-reaction")
    for example, kind in requests:
        for step in _attempts(norm, example, kind, reaction):
            if _breaks_only(norm, checker, source, step, rule.id):
                return msgspec.structs.replace(outcome, kind=kind, step=step)
    return msgspec.structs.replace(outcome, gap="repaired")


def _requests(norm: Norm, checker: Checker, rule: str) -> Iterator[tuple[Path, str]]:
    for example in sorted((norm.root / EXAMPLES).glob(f"{rule}--*.xml")):
        identified = checker.identify(read_base(example))
        if identified is not None and identified[1] == "request":
            yield example, identified[0]


def _attempts(norm: Norm, example: Path, kind: str, reaction: Reaction) -> Iterator[Step]:
    """Yield the example as it is, with what differs from the canonical message restored, with all restored."""
    root, canonical = read_base(example), read_base(canonical_path(norm, kind))
    everything = {
        path: element.text or ""
        for path, element in _filled(norm, root)
        if not any(etree.QName(above).localname == "Header" for above in element.iterancestors())
    }
    usual = {path: element.text or "" for path, element in _filled(norm, canonical)}
    differing = {path: text for path, text in everything.items() if usual.get(path) != text}
    expect = (Expectation(reaction.requirement, "refused", values=reaction.outcomes),)
    base = example.relative_to(norm.root).as_posix()
    for edits in ({}, differing, everything):
        yield Step(send=kind, base=base, edits=edits, expect=expect)


def _filled(norm: Norm, root: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """Yield (XPath, element) for every element that `fill` writes; the XPath names one element."""
    for expression in norm.fill:
        found = xpath(norm, expression)(root)
        elements = [item for item in found if isinstance(item, etree._Element)] if isinstance(found, list) else []
        for number, element in enumerate(elements, start=1):
            yield f"({expression})[{number}]", element


def _breaks_only(norm: Norm, checker: Checker, source: Source, step: Step, rule: str) -> bool:
    profile = norm.profiles[0].code if norm.profiles else ""
    for entry in source.given(norm.default_given, profile, step.base, 0).entries:
        bindings = {**canonical_texts(norm, step.send), **source.bindings(profile, entry)}
        case = Case("", "", "derived", Text(""), Text(""), "server", profile, "", bindings, (step,), (), file=step.base)
        for day in _DAYS:
            clock = Clock(day, lambda: "00000000-0000-4000-8000-000000000000")
            try:
                root = build_message(norm, case, step, bind(bindings, clock), clock)
            except DataError:
                return False
            if not all(checker.schemas.valid(part) for part in parts(checker.schemas, root)):
                return False
            if {problem.rule for problem in checker.rule_problems(root)} != {rule}:
                return False
    return True
