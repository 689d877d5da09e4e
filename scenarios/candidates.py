"""Values to try around a constraint. Whether one is a case is decided by both schema engines, never here.

Strings grow and shrink from the canonical value until the engine's answer changes, so that patterns need no reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

from scenarios.constraints import Constraint, Spot

LONGEST: Final = 300
_OTHERS: Final = "é!zZaA0X"
_WRONG_TYPES: Final = {
    "date": ("2026-02-30", "2026-13-01", "demain"),
    "dateTime": ("2026-02-30T09:30:00Z", "2026-11-20T25:00:00Z", "demain"),
    "time": ("25:00:00",),
    "gYear": ("an2026",),
    "gYearMonth": ("2026-13",),
    "boolean": ("oui",),
    "base64Binary": ("!!!!",),
    "hexBinary": ("XY",),
}
_WRONG_NUMBER: Final = ("1,5", "un", "1.5", "")


def negatives(spot: Spot, constraint: Constraint, valid: Callable[[str], bool]) -> Iterator[str]:
    """Yield texts that may break `constraint` (a facet or data type) at `spot`, best first."""
    if constraint.sort == "datatype":
        yield from _WRONG_TYPES.get(constraint.name, _WRONG_NUMBER)
        return
    number = _number(spot.value)
    if number is not None and constraint.name in _NUMBERS:
        yield from _NUMBERS[constraint.name](Decimal(constraint.limit), _step(spot))
        return
    yield from (text for text in (_longest(spot.value, valid, beyond=True),) if text is not None)
    yield from (text for text in (_shortest(spot.value, valid, beyond=True),) if text is not None)
    for place in dict.fromkeys((0, len(spot.value) // 2, len(spot.value) - 1)):
        for other in _OTHERS if spot.value else ():
            yield spot.value[:place] + other + spot.value[place + 1 :]
    yield from ("X" + spot.value, spot.value + "-", spot.value + "Z", spot.value + "+01:00", "-" + spot.value)


def positives(spot: Spot, constraint: Constraint, valid: Callable[[str], bool]) -> Iterator[str]:
    """Yield texts at the edge of `constraint` that may be valid and differ from the canonical one."""
    if constraint.name == "enumeration":
        yield from (text for text in constraint.limit.split(" | ") if text != spot.value)
    elif constraint.name in ("minInclusive", "maxInclusive"):
        yield constraint.limit
    elif constraint.name == "minExclusive":
        yield str(Decimal(constraint.limit) + _step(spot))
    elif constraint.name == "maxExclusive":
        yield str(Decimal(constraint.limit) - _step(spot))
    elif constraint.name == "totalDigits":
        places = int(dict(spot.bounds).get("fractionDigits", "0"))
        digits = int(constraint.limit)
        yield "9" * (digits - places) + ("." + "9" * places if places else "")
    elif constraint.name == "fractionDigits" and int(constraint.limit):
        yield f"{spot.value.split('.')[0]}.{'1' * int(constraint.limit)}"
    elif constraint.name in ("pattern", "length", "minLength", "maxLength"):
        for text in (_longest(spot.value, valid), _shortest(spot.value, valid)):
            if text is not None and text != spot.value:
                yield text


def _longest(value: str, valid: Callable[[str], bool], beyond: bool = False) -> str | None:
    """Return the longest valid text that repeats the last character, or the first beyond it; None when unbounded."""
    tail = value[-1:] or "A"
    for count in range(1, LONGEST + 1):
        if not valid(value + tail * count):
            return value + tail * (count if beyond else count - 1)
    return None


def _shortest(value: str, valid: Callable[[str], bool], beyond: bool = False) -> str | None:
    """Return the shortest valid beginning of the text, or the first that is too short; None when "" is valid."""
    for length in range(len(value) - 1, -1, -1):
        if not valid(value[:length]):
            return value[: length if beyond else length + 1]
    return None if beyond else ""


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _step(spot: Spot) -> Decimal:
    bounds = dict(spot.bounds)
    places = bounds.get("fractionDigits", "0" if "nteger" in bounds.get("datatype", "") else "2")
    return Decimal(1).scaleb(-int(places))


_NUMBERS: Final[dict[str, Callable[[Decimal, Decimal], tuple[str, ...]]]] = {
    "minInclusive": lambda limit, step: (str(limit - step),),
    "maxInclusive": lambda limit, step: (str(limit + step),),
    "minExclusive": lambda limit, _: (str(limit),),
    "maxExclusive": lambda limit, _: (str(limit),),
    "totalDigits": lambda limit, _: ("1" * (int(limit) + 1), "1" * int(limit) + ".1"),
    "fractionDigits": lambda limit, _: ("1." + "1" * (int(limit) + 1),),
}
