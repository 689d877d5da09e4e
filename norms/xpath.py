"""XPath 1.0 expressions of norm data: checked when they are read, compiled once, taken apart as text.

libxml2 finds an unknown prefix or function only when it evaluates, which may be never on the messages at hand; so
names are checked here beforehand. Source: XPath 1.0, W3C Recommendation of 16 November 1999.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from lxml import etree

from norms.errors import NormError
from norms.i18n import tr
from norms.yamlfile import nearest

FUNCTIONS_NAMESPACE: Final = "urn:poincon:functions"
CASE_NAMESPACE: Final = "urn:poincon:case:1"
STANDARD_PREFIXES: Final = {
    "p": FUNCTIONS_NAMESPACE,
    "case": CASE_NAMESPACE,
    "soap11": "http://schemas.xmlsoap.org/soap/envelope/",
    "soap12": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
CORE_FUNCTIONS: Final = frozenset({
    "last", "position", "count", "id", "local-name", "namespace-uri", "name", "string", "concat", "starts-with",
    "contains", "substring-before", "substring-after", "substring", "string-length", "normalize-space", "translate",
    "boolean", "not", "true", "false", "lang", "number", "sum", "floor", "ceiling", "round",
})  # fmt: skip
NODE_TYPES: Final = frozenset({"comment", "text", "processing-instruction", "node"})
_OPERATORS: Final = frozenset({"and", "or", "mod", "div"})

_LITERAL: Final = re.compile(r""""[^"]*"|'[^']*'""")
_PREFIX: Final = re.compile(r"(?<![\w.-])([A-Za-z_][\w.-]*):(?=[A-Za-z_*])")
_CALL: Final = re.compile(r"(?<![\w.:-])((?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*)\s*\(")
_VARIABLE: Final = re.compile(r"\$\s*([A-Za-z_][\w.-]*)")

Extensions = Mapping[tuple[str, str], Callable[..., Any]]


def check_names(expression: str, namespaces: Mapping[str, str], extensions: Extensions) -> None:
    """Raise NormError for a prefix or a function that does not exist."""
    bare = _LITERAL.sub("''", expression)
    for prefix in _PREFIX.findall(bare):
        if prefix not in namespaces:
            raise NormError(
                tr("Le préfixe « {prefix} » n'est pas déclaré, dans « {xpath} ».", prefix=prefix, xpath=expression),
                remedy=nearest(prefix, namespaces),
            )
    for name in _CALL.findall(bare):
        prefix, _, local = name.rpartition(":")
        known = (namespaces[prefix], local) in extensions if prefix else local in CORE_FUNCTIONS or local in NODE_TYPES
        if not known and name not in _OPERATORS:
            names = [*CORE_FUNCTIONS, *(f"p:{one}" for uri, one in extensions if uri == FUNCTIONS_NAMESPACE)]
            raise NormError(
                tr("La fonction « {name} » n'existe pas, dans « {xpath} ».", name=name, xpath=expression),
                remedy=nearest(name, names),
            )


def arguments_of(expression: str, function: str) -> Iterator[tuple[str, ...]]:
    """Yield the arguments of every call of `function` in an expression, as they are written."""
    bare = _LITERAL.sub(lambda literal: "_" * len(literal.group()), expression)
    for call in re.finditer(rf"(?<![\w.:-]){re.escape(function)}\s*\(", bare):
        depth, start, arguments = 0, call.end(), list[str]()
        for position in range(call.end(), len(bare)):
            letter = bare[position]
            if letter in ",)" and depth == 0:
                arguments.append(expression[start:position].strip())
                start = position + 1
                if letter == ")":
                    break
            depth += (letter in "([") - (letter in ")]")
        yield tuple(arguments)


def literal(expression: str) -> str | None:
    """Return the text of an expression that is a literal, None for any other."""
    return expression[1:-1] if _LITERAL.fullmatch(expression) else None


def variables(expression: str) -> frozenset[str]:
    """Return the names of the variables that an expression uses, without `$`."""
    return frozenset(_VARIABLE.findall(_LITERAL.sub("''", expression)))


def compile_xpath(
    expression: str, namespaces: Mapping[str, str], extensions: Extensions, *, smart_strings: bool = False
) -> etree.XPath:
    """Compile an expression. Raises NormError (without a file: the caller knows it) when it is wrong.

    smart_strings: whether text and attribute results know their element (`getparent`).
    """
    check_names(expression, namespaces, extensions)
    try:
        return etree.XPath(
            expression, namespaces=dict(namespaces), extensions=dict(extensions), smart_strings=smart_strings
        )
    except (etree.XPathSyntaxError, ValueError) as bad:
        raise NormError(tr("L'expression XPath ne se lit pas : {xpath} ({why}).", xpath=expression, why=bad)) from bad


def split_union(expression: str) -> list[str]:
    """Return the alternatives of a pattern: what stands between `|` outside brackets and literals."""
    alternatives, depth = [""], 0
    for piece in re.findall(r"""[^\[\]()|"']+|"[^"]*"|'[^']*'|.""", expression, re.DOTALL):
        if piece in "[(":
            depth += 1
        elif piece in "])":
            depth -= 1
        if piece == "|" and depth == 0:
            alternatives.append("")
        else:
            alternatives[-1] += piece
    return [alternative.strip() for alternative in alternatives]


def outside_predicates(expression: str) -> str:
    """Return the expression without its predicates and without the content of literals outside them."""
    bare, depth = "", 0
    for piece in re.findall(r"""[^\[\]"']+|"[^"]*"|'[^']*'|.""", expression, re.DOTALL):
        if piece == "[":
            depth += 1
        elif piece == "]":
            depth -= 1
        elif depth == 0:
            bare += piece if piece[0] not in "\"'" else "''"
    return bare
