"""The `p:` functions that XPath expressions of a norm may call, and the compiler of such expressions.

Dates are ISO (a dateTime counts by its first ten characters), amounts are exact decimals written as strings. An
argument that is not what a function expects gives "NaN", "" or false, never an error: a message of others cannot
stop a check. A table or column that the norm does not have is an error of the norm and raises NormError.

    p:nir-key(nir)                      key of a NIR, two digits, "" when it is not one
    p:luhn(text)  p:finess(text)        true when the key is right
    p:lpp-key(stem)                     key of the first six digits of an LPP code
    p:in-table(code, table, date?)      true when the code is in force on that date (ever, without a usable date)
    p:attr(table, code, name, date?)    attribute of the code on that date, "" when it is not in force
    p:age(birth, date)                  complete years; the birth date may be off the calendar (month 19, day 00)
    p:add-months(date, n)               same day n months later, or the last day of that month
    p:add-days(date, n)                 n days later
    p:days-between(from, to)            number of days, negative when `to` is earlier
    p:amount(text)                      the amount in the norm's writing, to be compared with the functions below
    p:sum(nodes)  p:sub(a, b)           exact
    p:min(a, b)  p:max(a, b)            the smaller, the greater amount, exact
    p:mul(a, b)  p:percent(a, rate)     rounded once, as the norm says
"""

from __future__ import annotations

import calendar
import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from lxml import etree

from norms import amounts, identifiers
from norms.codes import CodeTables
from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm
from norms.xpath import (
    CASE_NAMESPACE,
    FUNCTIONS_NAMESPACE,
    STANDARD_PREFIXES,
    arguments_of,
    compile_xpath,
    literal,
)
from norms.yamlfile import nearest

NOT_A_NUMBER: Final = "NaN"

_STRING: Final = etree.XPath("string()", smart_strings=False)
_NAN: Final = float("nan")


class Functions:
    """The functions bound to one norm: its code tables and its rounding. `extensions`: as lxml takes them."""

    def __init__(self, norm: Norm) -> None:
        self.tables = CodeTables(norm)
        self.namespaces = STANDARD_PREFIXES | norm.prefixes | {"p": FUNCTIONS_NAMESPACE, "case": CASE_NAMESPACE}
        self._rounding, self._shared = norm.rounding, not norm.services
        self._compiled: dict[str, etree.XPath] = {}
        named: dict[str, Callable[..., Any]] = {
            "nir-key": lambda _, nir: identifiers.nir_key(_text(nir)),
            "luhn": lambda _, text: identifiers.luhn(_text(text)),
            "finess": lambda _, text: identifiers.finess(_text(text)),
            "lpp-key": lambda _, stem: identifiers.lpp_key(_text(stem)),
            "in-table": self._in_table,
            "attr": self._attribute,
            "age": _age,
            "add-months": _add_months,
            "add-days": _add_days,
            "days-between": _days_between,
            "amount": self._amount,
            "sum": self._sum,
            "sub": self._sub,
            "min": lambda _, left, right: self._chosen(min, left, right),
            "max": lambda _, left, right: self._chosen(max, left, right),
            "mul": self._mul,
            "percent": self._percent,
        }
        self.extensions = {(FUNCTIONS_NAMESPACE, name): function for name, function in named.items()}

    def compile(self, expression: str) -> etree.XPath:
        """Return the compiled expression, compiled once. Raises NormError."""
        found = self._compiled.get(expression)
        if found is None:
            found = compile_xpath(expression, self.namespaces, self.extensions, smart_strings=True)
            self._compiled[expression] = found
        return found

    def check_tables(self, expression: str) -> None:
        """Raise NormError (without a file) for a table or a column, named by a literal, that the norm does not have.

        A norm without services may leave its tables to the norms that use it: there nothing is wrong.
        """
        if self._shared:
            return
        used = [(given[1], "") for given in arguments_of(expression, "p:in-table") if len(given) > 1]
        used += [(given[0], given[2]) for given in arguments_of(expression, "p:attr") if len(given) > 2]
        for table, column in used:
            name, cell = literal(table), literal(column)
            if name is None:
                continue
            columns = self.tables.table(name).columns
            if cell is not None and cell not in columns:
                raise NormError(
                    tr("La table « {table} » n'a pas de colonne « {column} ».", table=name, column=cell),
                    remedy=nearest(cell, sorted(columns)),
                )

    def _in_table(self, _: object, code: object, table: object, day: object = "") -> bool:
        return self.tables.has(_text(table), _text(code), _day(day))

    def _attribute(self, _: object, table: object, code: object, name: object, day: object = "") -> str:
        return self.tables.attribute(_text(table), _text(code), _text(name), _day(day)) or ""

    def _write(self, value: Decimal | None) -> str:
        return NOT_A_NUMBER if value is None else amounts.write_amount(value, self._rounding)

    def _amount(self, _: object, text: object) -> str:
        return self._write(_decimal(text))

    def _sum(self, _: object, nodes: object) -> str:
        values = [_decimal(node) for node in nodes] if isinstance(nodes, list) else [_decimal(nodes)]
        exact = [value for value in values if value is not None]
        return self._write(amounts.total(exact) if len(exact) == len(values) else None)

    def _sub(self, _: object, left: object, right: object) -> str:
        one, other = _decimal(left), _decimal(right)
        return self._write(None if one is None or other is None else amounts.difference(one, other))

    def _chosen(self, choose: Callable[[Decimal, Decimal], Decimal], left: object, right: object) -> str:
        one, other = _decimal(left), _decimal(right)
        return self._write(None if one is None or other is None else choose(one, other))

    def _mul(self, _: object, left: object, right: object) -> str:
        one, other = _decimal(left), _decimal(right)
        return self._write(None if one is None or other is None else amounts.product(one, other, self._rounding))

    def _percent(self, _: object, amount: object, rate: object) -> str:
        one, other = _decimal(amount), _decimal(rate)
        return self._write(None if one is None or other is None else amounts.percentage(one, other, self._rounding))


_bound: dict[tuple[str, str], Functions] = {}
_met: dict[int, tuple[Norm, Functions]] = {}
_KEPT: Final = 64
_lock = threading.Lock()


def functions_for(norm: Norm) -> Functions:
    """Return the functions of a norm, made once per folder and content."""
    # Asked for thousands of times a second with the same object: the entry holds it, so its id stays its own.
    met = _met.get(id(norm))
    if met is not None:
        return met[1]
    with _lock:
        key = (str(norm.root), norm.digest)
        found = _bound.get(key)
        if found is None:
            found = _bound.setdefault(key, Functions(norm))
        if len(_met) >= _KEPT:
            _met.clear()
        _met[id(norm)] = (norm, found)
    return found


def xpath(norm: Norm, expression: str) -> etree.XPath:
    """Return a compiled expression: call it with an element (and variables as keywords).

    It knows the norm's prefixes, the standard ones of `norms.xpath` and the `p:` functions. Text and attribute results
    know their element (`getparent`). Raises NormError when the expression is wrong.
    """
    return functions_for(norm).compile(expression)


def text_of(value: object) -> str:
    """Return the XPath 1.0 string of a result: of the first node of a node-set, of a number, of a boolean."""
    return _text(value)


def _text(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, etree._Element):
        return str(_STRING(value)) if len(value) else value.text or ""
    return str(value)


def _number(value: float) -> str:
    if value != value:
        return NOT_A_NUMBER
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return str(int(value)) if value == int(value) else f"{Decimal(repr(value)):f}"


def _decimal(value: object) -> Decimal | None:
    return amounts.read_amount(_text(value))


def _day(value: object) -> str:
    text = _text(value).strip()[:10]
    return text if _date(text) is not None else ""


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _age(_: object, birth: object, day: object) -> float:
    born, at = _text(birth).strip()[:10], _text(day).strip()[:10]
    for text in (born, at):
        if not (len(text) == 10 and text[4] == text[7] == "-" and (text[:4] + text[5:7] + text[8:]).isdecimal()):
            return _NAN
    return float(int(at[:4]) - int(born[:4]) - (at[5:] < born[5:]))


def _shifted(text: str, shift: Callable[[date], date]) -> str:
    start = _date(text.strip()[:10])
    if start is None:
        return ""
    try:
        return shift(start).isoformat()
    except (OverflowError, ValueError):
        return ""


def _whole(value: object) -> int | None:
    number = _decimal(value)
    return int(number) if number is not None and number == int(number) else None


def _add_days(_: object, day: object, count: object) -> str:
    days = _whole(count)
    return "" if days is None else _shifted(_text(day), lambda start: start + timedelta(days=days))


def _add_months(_: object, day: object, count: object) -> str:
    months = _whole(count)
    if months is None:
        return ""

    def shift(start: date) -> date:
        year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
        return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))

    return _shifted(_text(day), shift)


def _days_between(_: object, start: object, end: object) -> float:
    first, last = _date(_text(start).strip()[:10]), _date(_text(end).strip()[:10])
    return _NAN if first is None or last is None else float((last - first).days)
