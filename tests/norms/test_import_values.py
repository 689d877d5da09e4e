"""Sample values are valid in both schema engines, and are found wherever a type has an ordinary value."""

from __future__ import annotations

from decimal import Decimal

import pytest
import xmlschema
from foreign_kits import XS
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from norms.foreign.values import Values

BUILTINS = (
    "string normalizedString token language NMTOKEN NMTOKENS Name NCName ID anyURI boolean decimal integer "
    "nonPositiveInteger negativeInteger long int short byte nonNegativeInteger unsignedLong unsignedInt unsignedShort "
    "unsignedByte positiveInteger float double duration dateTime time date gYearMonth gYear gMonthDay gDay gMonth "
    "hexBinary base64Binary QName"
)


def schema_of(definition: str) -> str:
    return f'<xs:schema xmlns:xs="{XS}"><xs:element name="e" type="T"/>{definition}</xs:schema>'


def sample(definition: str) -> str | None:
    """Return the value found for the type T, after asking both engines about it."""
    text = schema_of(definition)
    second = xmlschema.XMLSchema10(text)
    value = Values().value(second.elements["e"].type)
    if value is not None:
        element = etree.Element("e")
        element.text = value
        first = etree.XMLSchema(etree.fromstring(text))
        assert first.validate(element), (definition, value, first.error_log)
        assert second.is_valid(element), (definition, value)
    return value


def restricted(base: str, facets: str) -> str:
    return f'<xs:simpleType name="T"><xs:restriction base="xs:{base}">{facets}</xs:restriction></xs:simpleType>'


@pytest.mark.parametrize("builtin", BUILTINS.split())
def test_every_built_in_type_has_a_value(builtin: str) -> None:
    assert sample(restricted(builtin, "")) is not None


@pytest.mark.parametrize(
    ("base", "facets", "value"),
    [
        ("string", '<xs:enumeration value="roman"/><xs:enumeration value="essai"/>', "roman"),
        ("string", '<xs:enumeration value="trop long"/><xs:enumeration value="bd"/><xs:maxLength value="3"/>', "bd"),
        ("string", '<xs:length value="3"/>', "exe"),
        ("int", '<xs:minInclusive value="10"/><xs:maxInclusive value="12"/>', "10"),
        ("decimal", '<xs:minExclusive value="0"/><xs:maxExclusive value="1"/>', None),
        ("decimal", '<xs:minInclusive value="0.01"/><xs:maxInclusive value="0.99"/><xs:fractionDigits value="2"/>',
         None),
        ("integer", '<xs:pattern value="[0-9]{9}"/>', None),
        ("date", '<xs:minInclusive value="2030-01-01"/>', "2030-01-01"),
        ("date", '<xs:minExclusive value="2030-01-01"/><xs:maxExclusive value="2030-01-03"/>', "2030-01-02"),
        ("gYear", '<xs:minExclusive value="2030"/>', "2031"),
        ("dateTime", '<xs:minExclusive value="2030-01-31T00:00:00Z"/>', None),
        ("dateTime", '<xs:pattern value=".*Z"/>', "2026-01-15T09:30:00Z"),
        ("date", r'<xs:pattern value="\d{4}-\d{2}-\d{2}"/>', "2026-01-15"),
        ("hexBinary", '<xs:length value="4"/>', None),
        ("base64Binary", '<xs:minLength value="5"/>', None),
        ("anyURI", '<xs:maxLength value="10"/>', None),
        ("gYear", '<xs:maxInclusive value="1999"/>', "1999"),
        ("token", '<xs:pattern value="[A-Z]{2}"/><xs:maxLength value="2"/>', "AB"),
        ("byte", '<xs:totalDigits value="1"/>', "1"),
    ],
)  # fmt: skip
def test_facets_are_honoured(base: str, facets: str, value: str | None) -> None:
    found = sample(restricted(base, facets))
    assert found is not None
    assert value in (None, found)


@pytest.mark.parametrize(
    "definition",
    [
        '<xs:simpleType name="T"><xs:list itemType="xs:int"/></xs:simpleType>',
        '<xs:simpleType name="T"><xs:restriction base="L"><xs:length value="3"/></xs:restriction></xs:simpleType>'
        '<xs:simpleType name="L"><xs:list itemType="xs:date"/></xs:simpleType>',
        '<xs:simpleType name="T"><xs:union memberTypes="xs:int xs:date"/></xs:simpleType>',
        '<xs:simpleType name="T"><xs:restriction base="U"><xs:pattern value=".*-.*"/></xs:restriction></xs:simpleType>'
        '<xs:simpleType name="U"><xs:union memberTypes="xs:int xs:date"/></xs:simpleType>',
        '<xs:simpleType name="T"><xs:restriction base="M"><xs:pattern value="A.*"/></xs:restriction></xs:simpleType>'
        '<xs:simpleType name="M"><xs:restriction base="xs:string"><xs:pattern value=".*[0-9]"/></xs:restriction>'
        '</xs:simpleType>',
    ],
)  # fmt: skip
def test_lists_unions_and_steps_of_restriction(definition: str) -> None:
    assert sample(definition) is not None


def test_a_type_without_values_has_none() -> None:
    assert sample(restricted("string", '<xs:pattern value="[a-z]{3}"/><xs:maxLength value="2"/>')) is None


def test_a_refused_value_is_not_given_out_again() -> None:
    kind = xmlschema.XMLSchema10(schema_of(restricted("int", ""))).elements["e"].type
    values = Values()
    first = values.value(kind)
    assert first is not None
    values.refuse(kind, first)
    assert values.value(kind) not in (first, None)


LENGTHS = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(["string", "token", "NCName", "anyURI", "hexBinary", "base64Binary", "NMTOKENS"]), LENGTHS)
def test_any_length_is_met(base: str, bounds: list[int]) -> None:
    low, high = bounds
    assume(high > 0 and not (base == "anyURI" and high < 5) and not (base == "NMTOKENS" and low == 0))
    facets = f'<xs:minLength value="{low}"/><xs:maxLength value="{high}"/>'
    assert sample(restricted(base, facets)) is not None


NUMBERS = st.decimals(Decimal("-9999"), Decimal("9999"), places=2)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(["decimal", "integer", "double"]), NUMBERS, NUMBERS, st.integers(2, 4), st.booleans())
def test_any_range_is_met(base: str, one: Decimal, other: Decimal, places: int, exclusive: bool) -> None:
    low, high = sorted((one, other))
    assume(high - low >= 2)
    word = "Exclusive" if exclusive else "Inclusive"
    digits = f'<xs:fractionDigits value="{places}"/>' if base == "decimal" else ""
    shown = [f"{bound:f}" for bound in (low, high)] if base != "integer" else [str(int(low)), str(int(high))]
    assume(base != "integer" or int(high) - int(low) >= 2)
    facets = f'<xs:min{word} value="{shown[0]}"/><xs:max{word} value="{shown[1]}"/>{digits}'
    assert sample(restricted(base, facets)) is not None


WORDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x24F, exclude_categories=["Cc", "Zs"],
                              exclude_characters="<>&\""), min_size=1, max_size=12)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5, unique=True), st.integers(1, 12))
def test_the_first_enumerated_value_that_the_other_facets_allow(words: list[str], longest: int) -> None:
    assume(any(len(word) <= longest for word in words))
    values = "".join(f'<xs:enumeration value="{word}"/>' for word in words)
    text = schema_of(restricted("string", f'{values}<xs:maxLength value="{longest}"/>'))
    kind = xmlschema.XMLSchema10(text).elements["e"].type
    assert Values().value(kind) == next(word for word in words if len(word) <= longest)
