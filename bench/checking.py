"""The message check against a hand-written check of the same schemas and rules, and against xmlschema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from lxml import etree

from bench.measuring import Row, at_least, interleaved, median, per_call, ratio
from bench.sample import Message, messages_of
from norms.check import Checker, checker_for
from norms.functions import Functions, functions_for
from norms.model import Norm
from norms.parsing import parse
from norms.schematron_joining import matching
from norms.schematron_reader import CURRENT, Rule, read_rules

GROUP = "message check"
ROUNDS = 7
SECONDS = 0.12
SLOW_SECONDS = 0.4

Test = Callable[..., Any]


def measure(norm: Norm) -> list[Row]:
    """CPU time of one thread on valid messages without signatures; mean over the canonical messages of a norm."""
    checker, messages = checker_for(norm), messages_of(norm)
    by_hand = HandMade(norm, checker)
    exercised = [len(checker.rules.exercised(_parsed(message, norm))) for message in messages]
    for message in messages:
        ours, theirs = _ours(message, norm, checker), by_hand.check(message.body)
        if ours or theirs:
            raise AssertionError(f"{message.name}: a canonical message must be valid: {ours} {theirs}")

    def everything(check: Callable[[Message], object]) -> Callable[[], float]:
        return lambda: per_call(lambda: [check(message) for message in messages], SECONDS) / len(messages)

    rounds = interleaved(
        {
            "ours": everything(lambda message: _ours(message, norm, checker)),
            "hand": everything(lambda message: by_hand.check(message.body)),
            "bare": everything(lambda message: by_hand.without_rules(message.body)),
        },
        ROUNDS,
    )
    second = interleaved(
        {
            "ours": everything(lambda message: _schemas_only(message, norm, checker)),
            "xmlschema": lambda: (
                per_call(lambda: [_xmlschema(message, checker) for message in messages], SLOW_SECONDS) / len(messages)
            ),
        },
        5,
    )
    total = sum(1 for _ in checker.rules.assertions())
    evaluated = f"{total} rules compiled; {min(exercised)}–{max(exercised)} meet their context in one message"
    return [
        Row(GROUP, "throughput ÷ the same by hand (lxml parse, XMLSchema, bare XPaths)", ratio(rounds, "hand", "ours"),
            "×", f"{1 / median(rounds, 'hand'):,.0f} messages/s by hand", at_least(0.8), evaluated),
        Row(GROUP, "parse, limits and XSD alone ÷ lxml parse and xmlschema", ratio(second, "xmlschema", "ours"), "×",
            f"{1 / median(second, 'xmlschema'):,.0f} messages/s with xmlschema", at_least(20),
            f"with all rules on our side: {median(second, 'xmlschema') / median(rounds, 'ours'):.1f}×"),
        Row(GROUP, "valid messages without signatures, one core", 1 / median(rounds, "ours"), "messages/s",
            f"{1 / median(rounds, 'bare'):,.0f} with parse and XMLSchema alone", at_least(3000),
            f"{len(messages)} canonical messages of {norm.ref}, {_size(messages)} bytes on average"),
    ]  # fmt: skip


def _size(messages: list[Message]) -> int:
    return sum(len(message.body) for message in messages) // len(messages)


def _parsed(message: Message, norm: Norm) -> etree._Element:
    return parse(message.body, norm.security.limits)


def _ours(message: Message, norm: Norm, checker: Checker) -> list[Any]:
    return checker.check(_parsed(message, norm), message.kind, message.direction)


def _schemas_only(message: Message, norm: Norm, checker: Checker) -> bool:
    return all(checker.schemas.valid(part) for part in parts_of(_parsed(message, norm), checker))


def _xmlschema(message: Message, checker: Checker) -> bool:
    root = etree.fromstring(message.body)
    return all(checker.schemas.second_valid(part) for part in parts_of(root, checker))


def parts_of(root: etree._Element, checker: Checker) -> list[etree._Element]:
    """Return what is validated: header blocks and payload whose declaration the schemas know."""
    return [child for section in root for child in section if child.tag in checker.schemas.elements]


class HandMade:
    """What somebody would write who knows this norm: no limits, no places, no second opinion; true or false per rule.

    Contexts and tests are the norm's own XPaths, compiled beforehand; its functions are the same Python.
    """

    def __init__(self, norm: Norm, checker: Checker) -> None:
        self._checker = checker
        self._validate = checker.schemas.valid
        self._patterns = [
            [_HandRule(rule, functions_for(norm), file.namespaces) for rule in pattern.rules]
            for path in norm.rules
            for file in [read_rules(path)]
            for pattern in file.in_phase()[0]
            if not pattern.lets and not file.in_phase()[1]
        ]

    def without_rules(self, body: bytes) -> etree._Element | None:
        """Return the tree of a message that is valid by its schemas, None otherwise."""
        root = etree.fromstring(body)
        return root if all(self._validate(part) for part in parts_of(root, self._checker)) else None

    def check(self, body: bytes) -> list[str]:
        """Return the ids of the rules that a message breaks."""
        root = self.without_rules(body)
        if root is None:
            return ["schema"]
        broken: list[str] = []
        for rules in self._patterns:
            taken: set[etree._Element] = set()
            for rule in rules:
                for node in cast(list[etree._Element], rule.context(root)):
                    if node not in taken:
                        taken.add(node)
                        broken += rule.broken(node)
        return broken


class _HandRule:
    def __init__(self, rule: Rule, functions: Functions, namespaces: dict[str, str]) -> None:
        def compiled(expression: str) -> etree.XPath:
            return etree.XPath(
                expression,
                namespaces={**functions.namespaces, **namespaces},
                extensions=functions.extensions,
                smart_strings=False,
            )

        self.context = compiled(matching(rule.context))
        self._lets = [(let.name, compiled(let.value)) for let in rule.lets]
        self._tests = [(one.id, one.report, compiled(f"boolean({one.test})")) for one in rule.assertions]

    def broken(self, node: etree._Element) -> list[str]:
        values: dict[str, Any] = {CURRENT: [node]}
        for name, expression in self._lets:
            values[name] = expression(node, **values)
        return [name for name, report, test in self._tests if bool(test(node, **values)) is report]
