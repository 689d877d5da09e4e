"""Simple values: for a simple type, texts that are probably valid, the most ordinary one first.

Each candidate is asked of xmlschema before it is given out; the first engine judges the whole message later. Source:
XML Schema part 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, Final

from norms.foreign.facets import Facets, facets_of
from norms.foreign.patterns import examples

_TRIED: Final = 400
_DAY: Final = re.compile(r"(?!0000|9999)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])")
_WORD: Final = "exemple"
_NESTING: Final = 8
_LONGEST: Final = 4000

_FIXED: Final[dict[str, tuple[str, ...]]] = {
    "boolean": ("true", "false", "1", "0"),
    "float": ("1.0", "0", "1", "-1", "1.5E3", "INF"),
    "double": ("1.0", "0", "1", "-1", "1.5E3", "INF"),
    "duration": ("P1D", "PT1H", "P1Y", "P1M", "PT1M", "PT1S", "P1Y2M3DT4H5M6S", "-P1D"),
    "dateTime": (
        "2026-01-15T09:30:00Z", "2026-01-15T09:30:00", "2026-01-15T09:30:00.000Z", "2026-01-15T09:30:00+01:00",
        "2026-01-15T09:30:00.000", "2026-01-15T09:30:00.000+01:00", "2000-01-01T00:00:00Z", "1970-01-01T00:00:00",
    ),
    "time": ("09:30:00", "09:30:00Z", "09:30:00.000", "09:30:00+01:00"),
    "date": ("2026-01-15", "2026-01-15Z", "2026-01-15+01:00", "2000-01-01", "1970-01-01"),
    "gYearMonth": ("2026-01", "2026-01Z", "2000-12"),
    "gYear": ("2026", "2026Z", "2000"),
    "gMonthDay": ("--01-15", "--01-15Z"),
    "gDay": ("---15", "---15Z"),
    "gMonth": ("--01", "--01Z"),
    "anyURI": ("urn:exemple", "https://exemple.invalid/", "https://exemple.invalid/a"),
    "QName": (_WORD,),
    "language": ("fr", "fr-FR", "en"),
    "ID": ("id1",),
    "IDREF": ("id1",),
    "IDREFS": ("id1",),
}  # fmt: skip


class Values:
    """Makes values. refuse: what an engine did not accept after all is not given out again."""

    def __init__(self) -> None:
        self._found: dict[int, str] = {}
        self._refused: dict[int, set[str]] = {}
        self._types: dict[int, Any] = {}

    def value(self, kind: Any) -> str | None:
        """Return a value of an xmlschema simple type, None when none was found."""
        key = id(kind)
        self._types[key] = kind
        if key not in self._found:
            # What a name means depends on the message around it: the engines are asked about the whole message only.
            tried = islice(dict.fromkeys(candidates(kind)), _TRIED)
            refused = self._refused.get(key, set())
            named = facets_of(kind).primitive in ("QName", "NOTATION")
            found = next((text for text in tried if text not in refused and (named or _valid(kind, text))), None)
            if found is None:
                return None
            self._found[key] = found
        return self._found[key]

    def refuse(self, kind: Any, text: str) -> None:
        """Remember that a value is not valid for both engines."""
        self._refused.setdefault(id(kind), set()).add(text)
        self._found.pop(id(kind), None)


def _valid(kind: Any, text: str) -> bool:
    try:
        return bool(kind.is_valid(text))
    except (ValueError, TypeError, ArithmeticError):
        return False


def candidates(kind: Any, depth: int = 0) -> Iterator[str]:
    """Yield texts for a simple type of xmlschema; not all are valid."""
    facets = facets_of(kind)
    if facets.values:
        yield from facets.values
        return
    if depth > _NESTING:
        return
    if facets.members:
        for member in facets.members:
            yield from islice(candidates(member, depth + 1), 40)
    elif facets.item is not None:
        yield from _lists(facets, depth)
    else:
        yield from _ordinary(facets)
    for alternatives in facets.patterns:
        for pattern in alternatives:
            yield from examples(pattern, _lengths(facets))
    if not facets.patterns:
        yield from _of_length(facets)


def _lists(facets: Facets, depth: int) -> Iterator[str]:
    items = [text for text in islice(candidates(facets.item, depth + 1), 40) if _valid(facets.item, text)]
    count = max(facets.least, 1)
    for shift in range(min(len(items), 5)):
        turned = items[shift:] + items[:shift]
        yield " ".join([turned[0]] * count)
        yield " ".join((turned * count)[:count])
    if not facets.least:
        yield ""


def _ordinary(facets: Facets) -> Iterator[str]:
    """Yield what a primitive type suggests, bounds of the type included."""
    bounds = [text.strip() for text in facets.bounds.values() if text]
    if facets.primitive == "decimal":
        yield from _numbers(facets)
        return
    fixed = _FIXED.get(facets.builtin) or _FIXED.get(facets.primitive)
    if facets.primitive in ("hexBinary", "base64Binary"):
        yield from _binary(facets)
    elif fixed is not None:
        yield from fixed
        yield from bounds
        yield from _numbers(facets) if facets.primitive in ("float", "double") else _neighbours(bounds)
    else:
        yield from _words(facets)


def _words(facets: Facets) -> Iterator[str]:
    for length in (len(_WORD), *_lengths(facets)):
        length = min(max(length, facets.least), facets.most)
        yield (_WORD * (length // len(_WORD) + 1))[:length]
    yield from ("1", "A", "a", "01", "12345678", "2026-01-15", "true")


def _of_length(facets: Facets) -> Iterator[str]:
    if facets.primitive in ("anyURI", "QName", "NOTATION"):
        for length in _lengths(facets):
            yield ("urn:" + _WORD * (length // len(_WORD) + 1))[:length]


def _binary(facets: Facets) -> Iterator[str]:
    import base64

    for count in (*(() if facets.least else (3,)), *_lengths(facets)):
        count = min(max(count, facets.least), facets.most)
        content = b"ABC" * (count // 3) + b"ABC"[: count % 3]
        yield content.hex().upper() if facets.primitive == "hexBinary" else base64.b64encode(content).decode()


def _lengths(facets: Facets) -> list[int]:
    """Return lengths to try, ordinary ones first."""
    least, most = facets.least, min(facets.most, _LONGEST)
    wanted = [max(least, 1), *(least + step for step in range(2, 12)), most]
    return list(dict.fromkeys(length for length in wanted if least <= length <= most)) or [least]


def _numbers(facets: Facets) -> Iterator[str]:
    places = facets.fraction_digits
    step = Decimal(1) if facets.whole or places == 0 else Decimal(1).scaleb(-(places if places is not None else 1))
    low = _decimal(facets.bounds["minInclusive"] or facets.bounds["minExclusive"])
    high = _decimal(facets.bounds["maxInclusive"] or facets.bounds["maxExclusive"])
    tried = [Decimal(1), Decimal(0), Decimal(-1)]
    for bound in (low, high):
        if bound is not None:
            tried += [bound, bound + step, bound - step, bound + 1, bound - 1]
    if low is not None and high is not None:
        tried.append(((low + high) / 2).quantize(step))
    for number in tried:
        yield f"{number:f}"
        if number == number.to_integral_value():
            yield f"{number.to_integral_value():f}"
    for digits in range(2, 20):
        yield ("1234567890" * 2)[:digits]
    if not facets.whole:
        yield from ("1.0", "1.00", "0.1", "0.01", "1.000")


def _neighbours(bounds: list[str]) -> Iterator[str]:
    """Yield the days before and after the bounds of a type of dates, and the years around those of a type of years."""
    for bound in bounds:
        found = _DAY.match(bound)
        for step in (1, -1):
            if found is not None:
                day = date.fromisoformat(found[0]) + timedelta(days=step)
                yield day.isoformat() + bound[found.end() :]
            elif bound[:4].isdigit():
                yield f"{int(bound[:4]) + step:04}{bound[4:]}"


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text.strip()) if text else None
    except InvalidOperation:
        return None
