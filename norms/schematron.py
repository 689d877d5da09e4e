"""ISO Schematron compiled once to precompiled XPath 1.0. One verb: `Rules.violations(root)`.

Supported (ISO/IEC 19757-3): schema, ns, title, p, phase/active, pattern (also abstract, is-a, param), rule (also
abstract, extends), let at every level, assert, report, name, value-of, emph, dir, span; `current()`. In a pattern the
first rule whose context holds a node decides for that node. A context selects elements. Anything else is refused with
file and line, never skipped. Each assert and report has @id (rule id) and @role (id of the requirement), the latter
possibly inherited from its rule. Source: docs/formats/norm.md, "rules/*.sch".

Most messages break no rule, so tests are joined into one expression that tells whether any may fail
(`norms.schematron_joining`). Only then, and for tests that cannot be joined, are nodes visited.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
from lxml import etree

from norms.errors import NormError
from norms.functions import Functions, text_of
from norms.i18n import tr
from norms.schematron_foreign import ForeignRules
from norms.schematron_joining import any_wrong, matching
from norms.schematron_reader import (
    CURRENT,
    XPATH1_BINDINGS,
    Assertion,
    Let,
    Pattern,
    Rule,
    RuleFile,
    read_rules,
)
from norms.xpath import compile_xpath, variables
from norms.yamlfile import nearest

Values = dict[str, Any]


class Violation(msgspec.Struct, frozen=True):
    """An assert that does not hold, or a report that does, at one element."""

    rule: str
    requirement: str
    element: Any
    message: str


class _Compiler:
    """Compiles the expressions of one file; errors name file and line. known: names of the variables in scope."""

    def __init__(self, file: RuleFile, functions: Functions, known: frozenset[str] = frozenset()) -> None:
        self._file, self._functions, self._known = file, functions, known
        self._namespaces: Mapping[str, str] = {**functions.namespaces, **file.namespaces}

    def knowing(self, name: str) -> _Compiler:
        """Return a compiler for the inside of a variable's scope."""
        return _Compiler(self._file, self._functions, self._known | {name})

    def compile(self, expression: str, line: int) -> etree.XPath:
        try:
            for name in variables(expression) - self._known:
                what = tr("La variable « ${name} » n'est pas définie, dans « {xpath} ».", name=name, xpath=expression)
                raise NormError(what, remedy=nearest(name, self._known) if self._known else "")
            self._functions.check_tables(expression)
            return compile_xpath(expression, self._namespaces, self._functions.extensions)
        except NormError as error:
            if error.file:
                raise
            raise NormError(error.what, file=self._file.path, line=line, remedy=error.remedy) from error


class _Lets:
    """Variables in the order of their definition; each may use those before it. scope: a compiler that knows them."""

    def __init__(self, lets: Sequence[Let], scope: _Compiler) -> None:
        compiled: list[tuple[str, etree.XPath]] = []
        for let in lets:
            compiled.append((let.name, scope.compile(let.value, let.line)))
            scope = scope.knowing(let.name)
        self._lets, self.scope = tuple(compiled), scope

    def added(self, values: Values, node: etree._Element) -> Values:
        if self._lets:
            values = dict(values)
            for name, expression in self._lets:
                values[name] = _as_variable(expression(node, **values))
        return values


def _as_variable(value: object) -> object:
    """Return a result as lxml takes it for a variable: attributes and texts become elements of the same string."""
    if not isinstance(value, list):
        return value
    return [item if isinstance(item, etree._Element) else _element_of(str(item)) for item in value]


def _element_of(text: str) -> etree._Element:
    element = etree.Element("value")
    element.text = text
    return element


class _Test:
    def __init__(self, assertion: Assertion, compiler: _Compiler) -> None:
        self._assertion = assertion
        self._expression = compiler.compile(f"boolean({assertion.test})", assertion.line)
        self._parts = tuple(
            part if isinstance(part, str) else compiler.compile(f"string({part.select})", assertion.line)
            for part in assertion.parts
        )

    @property
    def id(self) -> str:
        return self._assertion.id

    def violation(self, node: etree._Element, values: Values) -> Violation | None:
        if bool(self._expression(node, **values)) is not self._assertion.report:
            return None
        text = "".join(part if isinstance(part, str) else text_of(part(node, **values)) for part in self._parts)
        return Violation(self._assertion.id, self._assertion.role, node, " ".join(text.split()))


class _Rule:
    """wrong: an expression that is true when a test may fail somewhere, "" when only a visit of the nodes can tell."""

    def __init__(self, rule: Rule, compiler: _Compiler, outer: frozenset[str], earlier: Sequence[str]) -> None:
        self._select = compiler.compile(matching(rule.context), rule.line)
        self._lets = _Lets(rule.lets, compiler.knowing(CURRENT))
        self._tests = tuple(_Test(assertion, self._lets.scope) for assertion in rule.assertions)
        self.wrong = any_wrong(rule, outer, earlier)

    def nodes(self, root: etree._Element, values: Values) -> list[etree._Element]:
        return cast(list[etree._Element], self._select(root, **values))

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(test.id for test in self._tests)

    def violations(self, node: etree._Element, values: Values) -> Iterator[Violation]:
        values = self._lets.added({**values, CURRENT: [node]}, node)
        for test in self._tests:
            violation = test.violation(node, values)
            if violation is not None:
                yield violation


class _Pattern:
    """wrong: as of its rules, joined."""

    def __init__(self, pattern: Pattern, compiler: _Compiler) -> None:
        self._lets = _Lets(pattern.lets, compiler)
        own = frozenset(let.name for let in pattern.lets)
        contexts = [rule.context for rule in pattern.rules]
        self._rules = tuple(
            _Rule(rule, self._lets.scope, own, contexts[:number]) for number, rule in enumerate(pattern.rules)
        )
        self.wrong = " or ".join(rule.wrong for rule in self._rules if rule.wrong)
        self._visited = tuple((number, rule) for number, rule in enumerate(self._rules) if not rule.wrong)

    @property
    def has_visited(self) -> bool:
        return bool(self._visited)

    def violations(self, root: etree._Element, values: Values) -> Iterator[Violation]:
        values = self._lets.added(values, root)
        taken: set[etree._Element] = set()
        for rule in self._rules:
            for node in rule.nodes(root, values):
                if node not in taken:
                    taken.add(node)
                    yield from rule.violations(node, values)

    def exercised(self, root: etree._Element, values: Values) -> Iterator[str]:
        values = self._lets.added(values, root)
        taken: set[etree._Element] = set()
        for rule in self._rules:
            nodes = set(rule.nodes(root, values)) - taken
            if nodes:
                taken |= nodes
                yield from rule.ids

    def violations_of_visited(self, root: etree._Element, values: Values) -> Iterator[Violation]:
        """Like `violations` when no joined test can fail: only the other rules are looked at."""
        values = self._lets.added(values, root)
        for number, rule in self._visited:
            nodes = rule.nodes(root, values)
            if nodes:
                taken = {node for earlier in self._rules[:number] for node in earlier.nodes(root, values)}
                for node in nodes:
                    if node not in taken:
                        yield from rule.violations(node, values)


class _File:
    def __init__(self, file: RuleFile, functions: Functions, phase_name: str) -> None:
        compiler = _Compiler(file, functions)
        patterns, lets = file.in_phase(phase_name)
        self._lets = _Lets(lets, compiler)
        self._patterns = tuple(_Pattern(pattern, self._lets.scope) for pattern in patterns)
        self._each_wrong = tuple(self._joined([pattern]) for pattern in self._patterns)
        self._wrong = self._joined(self._patterns)
        self._visited = tuple(pattern for pattern in self._patterns if pattern.has_visited)

    def _joined(self, patterns: Sequence[_Pattern]) -> etree.XPath | None:
        wrong = " or ".join(pattern.wrong for pattern in patterns if pattern.wrong)
        return self._lets.scope.compile(f"boolean({wrong})", 0) if wrong else None

    def violations(self, root: etree._Element) -> Iterator[Violation]:
        values = self._lets.added({}, root)
        if self._wrong is None or not self._wrong(root, **values):
            for pattern in self._visited:
                yield from pattern.violations_of_visited(root, values)
            return
        for pattern, wrong in zip(self._patterns, self._each_wrong, strict=True):
            if wrong is not None and wrong(root, **values):
                yield from pattern.violations(root, values)
            else:
                yield from pattern.violations_of_visited(root, values)

    def exercised(self, root: etree._Element) -> Iterator[str]:
        values = self._lets.added({}, root)
        for pattern in self._patterns:
            yield from pattern.exercised(root, values)


class _ForeignFile:
    """A file whose query binding is not XPath 1.0."""

    def __init__(self, file: RuleFile, phase_name: str) -> None:
        self._rules = ForeignRules(file, *file.in_phase(phase_name))

    def violations(self, root: etree._Element) -> Iterator[Violation]:
        return (Violation(*violation) for violation in self._rules.violations(root))

    def exercised(self, root: etree._Element) -> Iterator[str]:
        return self._rules.exercised(root)


class Rules:
    """The compiled rules of a norm, in the order of files and patterns. Safe to share between threads.

    phase: name of a phase, "" for each file's default. Raises NormError (file, line) for what cannot be run.
    """

    def __init__(self, paths: Sequence[Path], functions: Functions, phase: str = "") -> None:
        self.files = tuple(read_rules(path) for path in paths)
        self._compiled = tuple(
            _File(file, functions, phase) if file.binding in XPATH1_BINDINGS else _ForeignFile(file, phase)
            for file in self.files
        )

    def violations(self, root: etree._Element) -> list[Violation]:
        """Return every violation in a document (its root element), in the order of the rules.

        Raises NormError when a rule cannot be evaluated (an argument of the wrong type): the message is not checked.
        """
        found: list[Violation] = []
        for file, compiled in zip(self.files, self._compiled, strict=True):
            try:
                found.extend(compiled.violations(root))
            except etree.XPathError as bad:
                what = tr("Une règle ne peut pas être évaluée sur ce message : {why}.", why=bad)
                raise NormError(
                    what, file=file.path, remedy=tr("Vérifiez les types des variables et arguments.")
                ) from bad
        return found

    def exercised(self, root: etree._Element) -> frozenset[str]:
        """Return the ids of the rules that a document puts to the test, broken or not."""
        return frozenset(identifier for file in self._compiled for identifier in file.exercised(root))

    def assertions(self) -> Iterator[tuple[RuleFile, Assertion]]:
        """Yield every assert and report with its file, those of inactive phases too."""
        return ((file, assertion) for file in self.files for assertion in file.assertions())
