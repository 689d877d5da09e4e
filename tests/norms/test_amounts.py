from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from norms.amounts import difference, percentage, product, read_amount, rounded, total, write_amount
from norms.model import Rounding

CENTS = Rounding("half-up", 2)
AMOUNTS = st.decimals(-(10**9), 10**9, places=4)


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.60", "12.60"), (" 1 ", "1"), ("+.5", "0.5"), ("3.", "3"), ("-0.10", "-0.10"), ("1e3", None), ("1,5", None),
     ("", None), ("NaN", None), ("Infinity", None), ("1 2", None), ("١", None), ("1" * 101, None)],
)  # fmt: skip
def test_amounts_are_read_as_xml_schema_decimals(text: str, value: str | None) -> None:
    assert read_amount(text) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [("half-up", "1.005", "1.01"), ("half-even", "1.005", "1.00"), ("half-down", "1.005", "1.00"),
     ("down", "1.009", "1.00"), ("up", "1.001", "1.01"), ("floor", "-1.001", "-1.01"), ("ceiling", "1.001", "1.01"),
     ("half-up", "-1.005", "-1.01")],
)  # fmt: skip
def test_rounding_is_the_norms(mode: str, value: str, expected: str) -> None:
    assert str(rounded(Decimal(value), Rounding(mode, 2))) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("30", "30.00"),
        ("30.000", "30.00"),
        ("0.125", "0.125"),
        ("1E+3", "1000.00"),
        ("-0.00", "0.00"),
        ("-1.5", "-1.50"),
    ],
)
def test_writing_keeps_every_digit(value: str, text: str) -> None:
    assert write_amount(Decimal(value), CENTS) == text


def test_places_may_be_none() -> None:
    assert write_amount(Decimal("3.0"), Rounding("half-up", 0)) == "3"


@given(AMOUNTS)
def test_what_is_written_is_read_back(value: Decimal) -> None:
    assert read_amount(write_amount(value, CENTS)) == value


@given(st.lists(AMOUNTS, max_size=20))
def test_sum_is_exact_in_any_order(values: list[Decimal]) -> None:
    cents = sum(int(value * 10_000) for value in values)
    assert total(values) == total(reversed(values)) == Decimal(cents) / 10_000


@given(AMOUNTS, AMOUNTS)
def test_difference_undoes_addition(left: Decimal, right: Decimal) -> None:
    assert difference(total([left, right]), right) == left


@given(st.integers(-(10**9), 10**9), st.integers(0, 10**4))
def test_percentage_rounds_half_up_once(cents: int, rate: int) -> None:
    """Against integers: amount in cents, rate in hundredths of a percent."""
    magnitude, sign = abs(cents) * rate, -1 if cents < 0 else 1
    expected = sign * ((magnitude + 5_000) // 10_000)
    assert percentage(Decimal(cents) / 100, Decimal(rate) / 100, CENTS) == Decimal(expected) / 100


def test_product() -> None:
    assert product(Decimal("4.00"), Decimal("3.15"), CENTS) == Decimal("12.60")
    assert product(Decimal("1.5"), Decimal("0.33"), CENTS) == Decimal("0.50")
