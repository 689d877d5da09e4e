"""Examples of patterns match them, in the eyes of both schema engines."""

from __future__ import annotations

import re
from itertools import islice

import pytest
import xmlschema
from foreign_kits import XS
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from norms.foreign.patterns import examples


def typed(pattern: str) -> str:
    escaped = pattern.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return (
        f'<xs:schema xmlns:xs="{XS}"><xs:element name="e"><xs:simpleType><xs:restriction base="xs:string">'
        f'<xs:pattern value="{escaped}"/></xs:restriction></xs:simpleType></xs:element></xs:schema>'
    )


def accepted(pattern: str, text: str) -> bool:
    element = etree.Element("e")
    element.text = text
    first = etree.XMLSchema(etree.fromstring(typed(pattern))).validate(element)
    return first and xmlschema.XMLSchema10(typed(pattern)).is_valid(element)


@pytest.mark.parametrize(
    "pattern",
    ["[A-Z]{2}[0-9]{3,5}", r"\d{13}", r"(0[1-9]|1[0-2])/\d{4}", "[^&lt;]*".replace("&lt;", "<"), r"\p{Lu}\p{Ll}+",
     "[A-Z-[AEIOU]]{3}", r"[\w.]+@\w+\.[a-z]{2,4}", ".{4}", "", "a|b|", r"[+\-]?[0-9]+(,[0-9]{2})?", r"[\]\[]{2}",
     "((ab){2}c)?d", r"\i\c*", r"urn:[a-z]{1,8}:\S+", r"[^\d]{3}", "x{0}y", "^a$"],
)  # fmt: skip
def test_an_example_matches_its_pattern(pattern: str) -> None:
    assert accepted(pattern, next(examples(pattern, [3])))


@pytest.mark.parametrize("length", [2, 5, 9])
def test_an_example_has_the_length_asked_when_the_pattern_allows(length: int) -> None:
    assert len(next(examples("[A-Z][0-9]*", [length]))) == length
    assert len(next(examples("[A-Z]{3}", [length]))) == 3


@pytest.mark.parametrize("pattern", ["(", "a)", "[a", "a{2", "*", r"\p{L", "[]", "(" * 200 + "a" + ")" * 200])
def test_a_pattern_that_is_none_gives_no_example(pattern: str) -> None:
    assert list(examples(pattern, [3])) == []


def test_a_pattern_whose_texts_are_huge_gives_no_example() -> None:
    assert list(examples("((a{9999}){9999}){9999}", [3])) == []


ATOMS = st.sampled_from(["a", "[b-d]", r"\d", "[A-Z0-9]", r"\.", "[^x]", "é", "(yz)"])
QUANTITIES = st.sampled_from(["", "?", "*", "+", "{2}", "{1,3}", "{0,2}"])
PIECES = st.lists(st.tuples(ATOMS, QUANTITIES).map("".join), min_size=1, max_size=5).map("".join)
PATTERNS = st.lists(PIECES, min_size=1, max_size=3).map("|".join)


@settings(max_examples=120, deadline=None)
@given(PATTERNS, st.lists(st.integers(0, 12), min_size=1, max_size=3))
@example("a|a{2}", [0])
def test_every_example_of_a_pattern_matches_it(pattern: str, lengths: list[int]) -> None:
    """These patterns mean the same in Python. libxml2 is no witness: it does not find « a » in a|a{2}."""
    found = list(islice(examples(pattern, lengths), 12))
    assert found
    second = xmlschema.XMLSchema10(typed(pattern))
    for text in dict.fromkeys(found):
        element = etree.Element("e")
        element.text = text
        assert re.fullmatch(pattern, text), text
        assert second.is_valid(element), text
