"""Join the tests of Schematron rules into one XPath: "may any of them fail in this document?"

Asking libxml2 once is several times cheaper than visiting each node from Python. The joined expression knows only in
plain cases that an earlier rule of the pattern has taken a node: it may say yes too often, never no too often.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from norms.schematron_reader import CURRENT, Rule
from norms.xpath import split_union

_SIMPLE_FIRST_STEP: Final = re.compile(r"(?:[\w.-]+:)?(?:[\w.-]+|\*)(?=/|$)")
_ABSOLUTE: Final = re.compile(r"/[/\w.:@*-]+")
_LITERAL: Final = re.compile(r""""[^"]*"|'[^']*'""")
_COMPARISON: Final = re.compile(r"[^\[\]()$]*[=<>][^\[\]()$]*")
_TOKEN: Final = re.compile(r"""\$[A-Za-z_][\w.-]*|"[^"]*"|'[^']*'|.""", re.DOTALL)


def matching(context: str) -> str:
    """Return the XPath that selects what an XSLT pattern matches: a relative pattern matches anywhere."""
    return " | ".join(path if path.startswith("/") else f"//{path}" for path in split_union(context))


def any_wrong(rule: Rule, outer: frozenset[str], earlier: Sequence[str] = ()) -> str:
    """Return an expression that is true when a test of the rule may fail, "" when the tests cannot be joined.

    outer: names of the pattern's variables, which the joined expression does not know; earlier: contexts of the rules
    before it in the pattern, used where they are plainly part of this one's. A test is joined with the
    rule's variables replaced by their definitions, which is the same as long as the context node is.
    """
    definitions = {CURRENT: "."}
    for let in rule.lets:
        value = _inlined(let.value, definitions, outer)
        if value is None:
            return ""
        definitions[let.name] = value
    wrong: list[str] = []
    for assertion in rule.assertions:
        test = _inlined(assertion.test, definitions, outer)
        if test is None:
            return ""
        wrong.append(f"boolean({test})" if assertion.report else f"not({test})")
    if not wrong or any(f"${name}" in rule.context for name in outer):
        return ""
    taken = [path for context in earlier for path in split_union(context)]
    return " or ".join(
        f"{_anywhere(path)}{_left(path, taken)}[{' or '.join(wrong)}]" for path in split_union(rule.context)
    )


def _left(path: str, earlier: Sequence[str]) -> str:
    """Return predicates that leave out the nodes of `path` which an earlier `path[comparison]` has taken for sure.

    Only comparisons without brackets, calls and variables: what else a predicate may be (a position) is not negated
    by `not`.
    """
    conditions = [other[len(path) + 1 : -1] for other in earlier if other.startswith(f"{path}[") and other[-1] == "]"]
    return "".join(f"[not({each})]" for each in conditions if _COMPARISON.fullmatch(_LITERAL.sub("''", each)))


def _inlined(expression: str, definitions: Mapping[str, str], outer: frozenset[str]) -> str | None:
    """Return the expression without the rule's variables; None when a predicate makes that unsafe."""
    text, depth = "", 0
    for token in _TOKEN.findall(expression):
        if token == "[":
            depth += 1
        elif token == "]":
            depth -= 1
        elif token[0] == "$" and len(token) > 1:
            name = token[1:]
            if name in outer:
                return None
            if name in definitions:
                value = definitions[name]
                if depth and not _ABSOLUTE.fullmatch(value):
                    return None
                token = f"({value})"
        text += token
    return text


def _anywhere(path: str) -> str:
    """Like `matching` for one alternative; `/descendant::` is faster than `//` and means the same on a bare name."""
    if path.startswith("/"):
        return path
    return f"/descendant::{path}" if _SIMPLE_FIRST_STEP.match(path) else f"//{path}"
