"""Dated code tables: which code existed on which day, with which attributes.

A table has the columns `code;libelle;valid_from;valid_to` and any others. A code may have several rows with periods
that do not overlap; an empty date is an open end; both ends belong to the period. A table is read when it is first
asked, and a look-up is a dict access and a bisection. Source: docs/formats/norm.md, "codes/*.csv".
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final

from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm
from norms.tables import Row, read_csv
from norms.yamlfile import nearest

COLUMNS: Final = ("code", "libelle", "valid_from", "valid_to")

_FIRST_DAY: Final = "0001-01-01"
_LAST_DAY: Final = "9999-12-31"


class Period:
    """One row of a table: the code's attributes from `start` to `end`, both ISO dates and both included."""

    __slots__ = ("end", "row", "start")

    def __init__(self, row: Row, start: str, end: str) -> None:
        self.row, self.start, self.end = row, start, end


class CodeTable:
    """A table, read and checked. Raises NormError for a bad date, a period that ends early or one that overlaps."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._periods: dict[str, list[Period]] = {}
        rows = read_csv(path, COLUMNS)
        self._columns = frozenset(rows[0].keys()) if rows else frozenset(COLUMNS)
        dates: set[str] = set()  # a table of thousands of rows has few dates: each is judged once
        for row in rows:
            self._add(row, dates)
        for code, periods in self._periods.items():
            if len(periods) > 1:
                self._order(code, periods)

    def _add(self, row: Row, dates: set[str]) -> None:
        code = row["code"]
        if not code:
            raise NormError(tr("La colonne « {name} » est vide.", name="code"), file=self.path, line=row.line)
        start, end = row["valid_from"] or _FIRST_DAY, row["valid_to"] or _LAST_DAY
        for text in (start, end):
            if text in dates:
                continue
            if not _is_date(text):
                raise NormError(
                    tr("« {value} » n'est pas une date.", value=text),
                    file=self.path,
                    line=row.line,
                    remedy=tr("Écrivez une date AAAA-MM-JJ."),
                )
            dates.add(text)
        if end < start:
            raise NormError(
                tr("Le code « {code} » finit avant de commencer.", code=code), file=self.path, line=row.line
            )
        self._periods.setdefault(code, []).append(Period(row, start, end))

    def _order(self, code: str, periods: list[Period]) -> None:
        periods.sort(key=lambda period: period.start)
        for before, after in pairwise(periods):
            if after.start <= before.end:
                raise NormError(
                    tr("Le code « {code} » a deux périodes qui se chevauchent.", code=code),
                    file=self.path,
                    line=max(before.row.line, after.row.line),
                    remedy=tr("L'autre période est ligne {line}.", line=min(before.row.line, after.row.line)),
                )

    def find(self, code: str, day: str = "") -> Period | None:
        """Return the period of the code that holds the day (ISO date); without a day, its last period."""
        periods = self._periods.get(code)
        if periods is None:
            return None
        if not day:
            return periods[-1]
        index = bisect_right(periods, day, key=lambda period: period.start) - 1
        return periods[index] if index >= 0 and day <= periods[index].end else None

    def attribute(self, code: str, name: str, day: str = "") -> str | None:
        """Return a cell of the code that day, None when it is not in force. Raises NormError for an unknown column."""
        if name not in self._columns:
            raise NormError(
                tr("La colonne « {name} » n'existe pas.", name=name),
                file=self.path,
                line=1,
                remedy=nearest(name, self._columns),
            )
        period = self.find(code, day)
        return None if period is None else period.row[name]

    @property
    def columns(self) -> frozenset[str]:
        """The names of its columns."""
        return self._columns

    def periods(self, code: str) -> tuple[Period, ...]:
        """Return the periods of a code by date, none when the table does not have it."""
        return tuple(self._periods.get(code, ()))

    def codes(self, day: str = "") -> Iterator[str]:
        """Yield the codes in force that day (all codes without a day), in the file's order."""
        return (code for code in self._periods if self.find(code, day) is not None)

    def __len__(self) -> int:
        return len(self._periods)


class CodeTables:
    """The tables of a norm and of its parents by name (the file's name without .csv)."""

    def __init__(self, norm: Norm) -> None:
        self._paths, self._tables, self._lock = norm.tables, dict[str, CodeTable](), threading.Lock()

    def table(self, name: str) -> CodeTable:
        """Return the table, read on first use. Raises NormError when the norm has no such table or it is wrong."""
        found = self._tables.get(name)
        if found is not None:
            return found
        if name not in self._paths:
            raise NormError(
                tr("La table de codes « {name} » n'existe pas.", name=name), remedy=nearest(name, self._paths)
            )
        with self._lock:  # whoever waited here finds the table that another has read
            if name not in self._tables:
                self._tables[name] = CodeTable(self._paths[name])
            return self._tables[name]

    def names(self) -> tuple[str, ...]:
        """Return the names of all tables, sorted."""
        return tuple(sorted(self._paths))

    def has(self, table: str, code: str, day: date | str = "") -> bool:
        """Tell whether the code is in force that day; without a day, whether it ever was."""
        return self.table(table).find(code, str(day)) is not None

    def attribute(self, table: str, code: str, name: str, day: date | str = "") -> str | None:
        """Return the attribute of the code that day, or None when the code is not in force."""
        return self.table(table).attribute(code, name, str(day))


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
