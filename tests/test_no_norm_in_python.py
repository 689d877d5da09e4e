"""The house rule "no Python names a norm", proved: what the norms call things is compared with what the code says.

The vocabulary is read from the data of every bundled norm; the code is read as syntax trees, without docstrings.
Two comparisons: a literal or an identifier that IS a word of a norm, and a literal that CONTAINS an unmistakable one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from lxml import etree

from norms.behaviour import load as load_behaviour
from norms.loader import available, load
from norms.model import Norm
from norms.tables import read_csv
from scenarios.reader import read_scenarios

CHECKOUT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("norms", "scenarios", "sandbox", "harness", "reports", "poincon")
XS: Final = "{http://www.w3.org/2001/XMLSchema}"
SCH: Final = "{http://purl.oclc.org/dsdl/schematron}"
STANDARD_NAMESPACES: Final = ("http://www.w3.org/", "http://schemas.xmlsoap.org/", "http://docs.oasis-open.org/")

ALLOWED: Final = {
    "Code": "SOAP 1.2 names a part of its Fault so",
    "Fin": "French for “end”, a heading of the bilan",
    "Id": "attribute of XML Signature and of WS-Security; field of the certificate's XML",
    "Reference": "XML Signature names an element so; field of the signed bilan",
    "Version": "attribute of SAML 2.0; field of the certificate's XML and of the bilan",
    "adresse": "French for “address”, a place in sentences for people",
    "code": "English word",
    "item": "English word",
    "libelle": "column of every code table (docs/formats/norm.md), a place in sentences for people",
    "nombre": "French for “number”, a place in sentences for people",
    "norme": "French for “norm”, an argument shown by the command line",
    "search": "function of the standard module re",
    "service": "English word",
    "services": "English word, key of norm.yaml",
    "type": "English word, builtin of Python",
    "valeur": "French for “value”, a place in sentences for people",
    "version": "English word",
}
"""Words of a norm that are also something else, with what else they are."""

PRACTICE_KEYS: Final = {"amc-flux", "cps-signature"}
"""File names of test certificates that are also kinds of certificates in a norm: allowed where the keys are made."""
PRACTICE_KEY_FILES: Final = {"sandbox/pki.py", "sandbox/pki_issue.py"}

NUMERALS: Final = {
    "norms/identifiers.py": {"12", "18", "19"},  # how letters of a NIR and of a FINESS number count
    "norms/parsing.py": {"16"},  # UTF-16
    "norms/foreign/values.py": {"01"},  # a sample of digits
}
"""File -> result codes of two digits that are numbers there."""

WORD: Final = re.compile(r"\w+(?:-\w+)*")
UNMISTAKABLE: Final = re.compile(r"[A-Z]{3,}|[^\W\d_]+(?:-\w+)+|[A-Za-z]+[a-z][A-Z]\w*")
"""Capitals, parts joined by hyphens, inner capitals: no word of English or French prose looks so by accident."""


@cache
def vocabulary() -> dict[str, str]:
    """Return word -> what it names, of all bundled norms."""
    words: dict[str, str] = {}
    for ref in available([CHECKOUT / "norms"]):
        norm = load(ref, [CHECKOUT / "norms"])
        for sort, word in _words(norm):
            if word:
                words.setdefault(word, f"{sort} of {ref}")
    return words


def _words(norm: Norm) -> Iterator[tuple[str, str]]:
    yield from (("norm", norm.id), ("norm", norm.ref), ("prefix of requirements", norm.derived_prefix))
    yield from (("profile", profile.code) for profile in norm.profiles)
    yield from (("claim", claim.id) for claim in norm.claims)
    yield from (("kind of certificate", kind) for kind in norm.security.kinds)
    for prefix, namespace in norm.prefixes.items():
        if not namespace.startswith(STANDARD_NAMESPACES):
            yield from (("namespace", namespace), ("namespace prefix", prefix))
    for service in norm.services:
        yield from (("message kind", service.kind), ("operation", service.operation), ("path", service.path))
        yield from (("action", service.request.action), ("action", service.response.action))
    for requirement in norm.requirements:
        yield "requirement", requirement.id
        parts = requirement.id.split("-")
        yield from (("prefix of requirements", "-".join(parts[:size])) for size in range(1, len(parts)))
    yield from (("scenario", scenario.id) for scenario in read_scenarios(norm, [CHECKOUT / "scenarios"]))
    for path in norm.root.glob("schema/*.xsd"):
        for node in etree.parse(path).iter(f"{XS}element", f"{XS}attribute"):
            yield etree.QName(node).localname, node.get("name", "")
    for path in norm.root.glob("rules/**/*.sch"):
        yield from (("rule", node.get("id", "")) for node in etree.parse(path).iter(f"{SCH}assert", f"{SCH}report"))
    for path in norm.root.glob("codes/*.csv"):
        yield "code table", path.stem
        if path.stem.startswith("codes-"):
            yield from (("code", row["code"]) for row in read_csv(path, ("code",)))
    if norm.services:
        behaviour = load_behaviour(norm)
        yield from (("pool", pool.name) for pool in behaviour.population.pools)
        yield from (("fault", fault.id) for fault in behaviour.faults)
        yield from (("variant", variant.id) for variant in behaviour.variants)


def said(tree: ast.AST) -> Iterator[tuple[int, bool, str]]:
    """Return (line, whether a literal, text) of every literal and identifier; docstrings and format widths apart."""
    silent: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(node.value)
        elif isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            silent.update(part for part in ast.walk(node.format_spec) if isinstance(part, ast.Constant))
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Constant):
            if node not in silent and isinstance(node.value, str | bytes):
                yield line, True, node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            continue
        for _, value in ast.iter_fields(node):
            for name in value if isinstance(value, list) else [value]:
                if isinstance(name, str):
                    yield from ((line, False, part) for part in name.split("."))


@cache
def addresses() -> tuple[str, ...]:
    """Return the words that are URIs: found anywhere in a text."""
    return tuple(word for word in vocabulary() if "://" in word or word.startswith("urn:"))


def named(source: str, file: str) -> list[tuple[str, str]]:
    """Return (word, where and what) of every word of a norm that a source text says."""
    words, found = vocabulary(), []
    for line, literal, text in said(ast.parse(source)):
        hits = {text} if text in words else set()
        if literal:
            hits |= {word for word in WORD.findall(text) if word in words and UNMISTAKABLE.fullmatch(word)}
            hits |= {word for word in addresses() if word in text}
        found += [(word, f"{file}:{line}: « {word} » is a {words[word]}") for word in sorted(hits)]
    return found


@cache
def everything_named() -> tuple[tuple[str, str, str], ...]:
    """Return (file, word, sentence) for all product code."""
    found = []
    for package in PACKAGES:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            file = path.relative_to(CHECKOUT).as_posix()
            found += [(file, *hit) for hit in named(path.read_text(encoding="utf-8"), file)]
    return tuple(found)


def test_the_norms_have_a_vocabulary() -> None:
    sorts = {what.partition(" of ")[0] for what in vocabulary().values()}
    assert {"message kind", "requirement", "code", "element", "attribute", "pool", "code table", "rule"} <= sorts
    assert len(vocabulary()) > 700


def test_no_python_names_a_norm() -> None:
    wrong = [
        sentence
        for file, word, sentence in everything_named()
        if word not in ALLOWED
        and not (word in PRACTICE_KEYS and file in PRACTICE_KEY_FILES)
        and word not in NUMERALS.get(file, ())
    ]
    assert not wrong, "\n".join(wrong)


def test_every_exception_is_needed() -> None:
    met = {word for _, word, _ in everything_named()}
    assert ALLOWED.keys() - met == set()
    assert PRACTICE_KEYS - met == set()
    assert {file for file, word, _ in everything_named() if word in PRACTICE_KEYS} == PRACTICE_KEY_FILES


def test_no_exception_is_unmistakable() -> None:
    assert [word for word in ALLOWED if UNMISTAKABLE.fullmatch(word)] == []


@pytest.mark.parametrize("sort", ["message kind", "requirement", "code", "pool", "code table", "namespace", "element"])
def test_a_planted_name_is_found(sort: str) -> None:
    """Take a real word of each sort, as a value, an argument of a call and, where it can be one, an identifier."""
    word = next(word for word, what in vocabulary().items() if what.startswith(f"{sort} of") and word not in ALLOWED)
    sources = [f"x = {word!r}", f"f(a, key=[{word!r}])", f"x = f'{word}'", f"x = {word.encode()!r}"]
    if word.isidentifier():
        sources += [f"{word} = 1", f"x.{word}()", f"def {word}(): ...", f"f({word}=1)", f"lambda {word}: 0"]
    for source in sources:
        assert [hit for hit, _ in named(source, "planted.py")] == [word], source


def test_a_name_inside_a_text_is_found_and_a_docstring_is_not() -> None:
    kind = next(word for word, what in vocabulary().items() if what.startswith("message kind"))
    assert named(f"x = 'fault: {kind}'", "planted.py")
    assert named(f"def f():\n    'About {kind}.'", "planted.py") == []
    assert named("x = f'{y:02}'", "planted.py") == []
