"""The dynamic values of scenarios and norms: `${name}`, `${today±Nd|m|y}`, `${now±Ns|m|h}`, `${uuid}`, `${number}`.

Source: docs/formats/scenario.md, "Dynamic values".
"""

from __future__ import annotations

import calendar
import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import UUID

from norms.errors import DataError
from norms.i18n import tr

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
RESERVED: Final = ("today", "now", "uuid", "number")
_PLACE: Final = re.compile(r"\$\{([^{}]*)\}")
_SHIFT: Final = re.compile(r"(today|now)([+-]\d{1,5})([smhdy])")
_UNITS: Final = {"today": "dmy", "now": "smh"}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


def places(text: str) -> Iterator[str]:
    """Yield what stands between the braces of each `${…}` of `text`."""
    for match in _PLACE.finditer(text):
        yield match.group(1)


@lru_cache(maxsize=4096)
def syntax_fault(text: str) -> str:
    """Return the first `${…}` of `text` that the closed vocabulary does not know, "" when all is well.

    A `$` that opens no closed place is a fault too. Names of values are only checked for their shape.
    """
    rest = _PLACE.sub("", text)
    if "${" in rest:
        return "${"
    for place in places(text):
        shift = _SHIFT.fullmatch(place)
        if shift is not None and shift.group(3) in _UNITS[shift.group(1)]:
            continue
        if not NAME.fullmatch(place):
            return "${" + place + "}"
    return ""


def names(text: str) -> frozenset[str]:
    """Return the names of values that `text` uses: what a binding must supply."""
    return frozenset(place for place in places(text) if place not in RESERVED and not _SHIFT.fullmatch(place))


def number_of(identifier: str) -> str:
    """Return nine digits made of a UUID: an invoice number that no other run used."""
    return f"{UUID(identifier).int % 1_000_000_000:09d}"


def shift_date(day: date, number: int, unit: str) -> date:
    """Return `day` moved by `number` days ("d"), months ("m") or years ("y"); a missing day is the month's last."""
    if unit == "d":
        return day + timedelta(days=number)
    month = day.month - 1 + (number if unit == "m" else 12 * number)
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def resolve(
    text: str,
    bindings: Mapping[str, str],
    today: date,
    *,
    now: datetime | None = None,
    uuid: Callable[[], str] | None = None,
    file: Path | str = "",
    line: int = 0,
) -> str:
    """Return `text` with every `${…}` replaced once; what a value contains is not resolved again.

    now: an aware time, needed by `${now}` (default: `today` at midnight UTC); uuid: source of identifiers, needed by
    `${uuid}` and `${number}`; file and line: where `text` was written, for the DataError that an unknown name or a date
    off the calendar raises.
    """

    def one(match: re.Match[str]) -> str:
        place = match.group(1)
        if place == "uuid" and uuid is not None:
            return uuid()
        if place == "number" and uuid is not None:
            return number_of(uuid())
        shift = _SHIFT.fullmatch(place)
        base, number, unit = shift.groups() if shift else (place, "0", "")
        if base == "today" and (not shift or unit in _UNITS[base]):
            return _moved(place, today, int(number), unit or "d").isoformat()
        if base == "now" and (not shift or unit in _UNITS[base]):
            moment = now if now is not None else datetime(today.year, today.month, today.day, tzinfo=UTC)
            moved = moment.astimezone(UTC) + timedelta(seconds=int(number) * _SECONDS.get(unit, 0))
            return moved.strftime("%Y-%m-%dT%H:%M:%SZ")
        if place in bindings:
            return bindings[place]
        raise unknown_name(place, bindings, file, line)

    def _moved(place: str, day: date, number: int, unit: str) -> date:
        try:
            return shift_date(day, number, unit)
        except (ValueError, OverflowError) as bad:
            raise DataError(
                tr("La date « ${{{place}}} » sort du calendrier.", place=place), file=file, line=line
            ) from bad

    return _PLACE.sub(one, text) if "${" in text else text


def unknown_name(place: str, known: Iterable[str], file: Path | str, line: int) -> DataError:
    """Return the error for a `${place}` that nothing supplies."""
    close = difflib.get_close_matches(place, [*known, *RESERVED], n=1, cutoff=0.6)
    return DataError(
        tr("La valeur « ${{{place}}} » est inconnue.", place=place),
        file=file,
        line=line,
        remedy=tr("Vouliez-vous dire « ${{{name}}} » ?", name=close[0])
        if close
        else tr("Donnez-la dans le profil, la population, sut.yaml ou « keep »."),
    )
