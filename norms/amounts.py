"""Amounts as exact decimals: read, computed, rounded as the norm says, written. No binary floating point.

Source: docs/formats/norm.md, "rounding".
"""

from __future__ import annotations

import decimal
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from norms.model import Rounding

_AMOUNT: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_MODES: Final = {
    "half-up": decimal.ROUND_HALF_UP,
    "half-even": decimal.ROUND_HALF_EVEN,
    "half-down": decimal.ROUND_HALF_DOWN,
    "up": decimal.ROUND_UP,
    "down": decimal.ROUND_DOWN,
    "ceiling": decimal.ROUND_CEILING,
    "floor": decimal.ROUND_FLOOR,
    "05up": decimal.ROUND_05UP,
}
_LONGEST: Final = 100
_EXACT: Final = decimal.Context(prec=4 * _LONGEST)
_HUNDRED: Final = Decimal(100)


def read_amount(text: str) -> Decimal | None:
    """Return the value of an xs:decimal with blanks around it or not; None for other texts and over 100 characters."""
    stripped = text.strip(" \t\r\n")
    return Decimal(stripped) if len(stripped) <= _LONGEST and _AMOUNT.fullmatch(stripped) else None


def rounded(value: Decimal, rounding: Rounding) -> Decimal:
    """Return the value with exactly `rounding.places` decimals."""
    return value.quantize(Decimal(1).scaleb(-rounding.places), rounding=_MODES[rounding.mode], context=_EXACT)


def write_amount(value: Decimal, rounding: Rounding) -> str:
    """Write without exponent, with at least `rounding.places` decimals and no zero after them; nothing is rounded."""
    whole, _, decimals = f"{value:f}".partition(".")
    decimals = decimals.rstrip("0").ljust(rounding.places, "0")
    text = f"{whole}.{decimals}" if decimals else whole
    return text.removeprefix("-") if not value else text


def total(values: Iterable[Decimal]) -> Decimal:
    """Return the exact sum; 0 for no value."""
    result = Decimal(0)
    for value in values:
        result = _EXACT.add(result, value)
    return result


def difference(left: Decimal, right: Decimal) -> Decimal:
    """Return left - right, exactly."""
    return _EXACT.subtract(left, right)


def product(left: Decimal, right: Decimal, rounding: Rounding) -> Decimal:
    """Return left x right, rounded once."""
    return rounded(_EXACT.multiply(left, right), rounding)


def percentage(amount: Decimal, rate: Decimal, rounding: Rounding) -> Decimal:
    """Return `rate` hundredths of the amount, rounded once."""
    return rounded(_EXACT.divide(_EXACT.multiply(amount, rate), _HUNDRED), rounding)
