from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from norms.errors import NormError
from norms.functions import functions_for, text_of, xpath
from norms.loader import load
from norms.model import Norm
from norms.xpath import variables

Make = Callable[..., Norm]
DOCUMENT = etree.fromstring(
    '<r xmlns="urn:test:emprunt" xmlns:x="urn:x" n="7"><a>1.10</a><a>2.<!-- c -->2</a><d>2026-01-31T10:00:00Z</d>'
    "<code>B</code><b><c>x</c><c>y</c></b></r>"
)


@pytest.fixture
def evaluate(make_norm: Make) -> Callable[[str], object]:
    norm = make_norm()
    return lambda expression: xpath(norm, expression)(DOCUMENT)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("p:nir-key('1090763220834')", "89"),
        ("p:nir-key(e:a)", ""),
        ("p:luhn('99900063480')", True),
        ("p:luhn(99900063481)", False),
        ("p:finess('0B0152872')", True),
        ("p:lpp-key('110002')", "8"),
        ("p:in-table(e:code, 'genres', e:d)", True),
        ("p:in-table('A', 'genres')", False),
        ("p:attr('pays', 'FR', 'monnaie', '2026-01-01')", "EUR"),
        ("p:attr('pays', 'XX', 'monnaie')", ""),
        ("p:age('2009-07-15', '2026-07-14')", 16.0),
        ("p:age('2009-07-15', '2026-07-15')", 17.0),
        ("p:age('1972-19-00', '2026-01-01')", 53.0),
        ("p:add-months(e:d, 1)", "2026-02-28"),
        ("p:add-months(e:d, -11)", "2025-02-28"),
        ("p:add-months('2024-02-29', 12)", "2025-02-28"),
        ("p:add-months('2026-13-01', 1)", ""),
        ("p:add-months(e:d, 'x')", ""),
        ("p:add-months(e:d, 1000000)", ""),
        ("p:add-days(e:d, 1)", "2026-02-01"),
        ("p:add-days(e:d, 1.5)", ""),
        ("p:days-between('2026-01-31', '2026-02-02')", 2.0),
        ("p:days-between('2026-02-02', '2026-01-31')", -2.0),
        ("p:amount('30')", "30.00"),
        ("p:sum(e:a)", "3.30"),
        ("p:sum(e:zzz)", "0.00"),
        ("p:sum(e:code)", "NaN"),
        ("p:sub('1', '0.9')", "0.10"),
        ("p:min('10', '9.5')", "9.50"),
        ("p:max('10', '9.5')", "10.00"),
        ("p:min('0.10000000000000000001', '0.1')", "0.10"),
        ("p:max('0.10000000000000000001', '0.1')", "0.10000000000000000001"),
        ("p:max(' -3 ', '-3.01')", "-3.00"),
        ("p:min('rien', '1')", "NaN"),
        ("p:max('1', '')", "NaN"),
        ("p:mul('4.00', '3.15')", "12.60"),
        ("p:mul('4.00', e:code)", "NaN"),
        ("p:percent('12.60', 60)", "7.56"),
        ("p:percent('0.01', '50')", "0.01"),
        ("p:sum(@n)", "7.00"),
        ("number(p:days-between(e:code, e:d)) > 0", False),
        ("p:nir-key(e:b/e:c)", ""),
        ("string(p:amount(true()))", "NaN"),
        ("p:amount(0.5)", "0.50"),
    ],
)
def test_function(evaluate: Callable[[str], object], expression: str, value: object) -> None:
    assert evaluate(expression) == value


def test_unknown_table_is_an_error_of_the_norm(evaluate: Callable[[str], object]) -> None:
    with pytest.raises(NormError, match="genre"):
        evaluate("p:in-table('A', 'genre')")


@pytest.mark.parametrize(
    ("expression", "remedy"),
    [
        ("ee:a", "« e »"),
        ("p:som(e:a)", "« p:sum »"),
        ("substrin(e:a, 1)", "« substring »"),
        ("e:a[", ""),
        ("document('x.xml')", ""),
        ("key('k', 1)", ""),
        ("e:a[ee:b]", "« e »"),
    ],
)
def test_wrong_expression_is_refused_before_any_message(make_norm: Make, expression: str, remedy: str) -> None:
    with pytest.raises(NormError) as caught:
        xpath(make_norm(), expression)
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    "expression",
    ["e:a[. = 'x:y(z)']", "ancestor-or-self::e:a", "child::node()", "e:* and (1 or 2)", "not (e:a)", "(1) mod (2)",
     "e:a[contains(., \"p:none('\")]", "self::e:b/descendant::text()", "@x:* | e:a".replace("x:", "e:"),
     "processing-instruction('x')"],
)  # fmt: skip
def test_right_expressions_are_not_refused(make_norm: Make, expression: str) -> None:
    xpath(make_norm(), expression)(DOCUMENT)


def test_expressions_are_compiled_once_and_take_variables(make_norm: Make) -> None:
    norm = make_norm()
    assert xpath(norm, "e:a[. = $v]") is xpath(norm, "e:a[. = $v]")
    assert functions_for(norm) is functions_for(make_norm())
    assert text_of(xpath(norm, "e:a[. = $v]")(DOCUMENT, v="1.10")) == "1.10"


def test_attribute_results_know_their_element(make_norm: Make) -> None:
    found = xpath(make_norm(), "@n")(DOCUMENT)
    assert isinstance(found, list)
    assert found[0].getparent() is DOCUMENT  # type: ignore[union-attr]


def test_variables_are_found_outside_literals() -> None:
    assert variables("$a + '$b' + $ c-d") == {"a", "c-d"}


@pytest.mark.parametrize(
    ("value", "text"),
    [([], ""), ("x", "x"), (3.0, "3"), (0.1, "0.1"), (True, "true"), (False, "false"), (float("nan"), "NaN"),
     (float("-inf"), "-Infinity"), (DOCUMENT[1], "2.2"), ([DOCUMENT[4]], "xy"), (1e-7, "0.0000001")],
)  # fmt: skip
def test_text_of_a_result(value: object, text: str) -> None:
    assert text_of(value) == text


DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@given(DAYS, st.integers(-600, 600))
def test_months_keep_the_day_or_end_the_month(start: date, months: int) -> None:
    norm = load("commun/1.0")
    moved = date.fromisoformat(str(xpath(norm, f"p:add-months('{start}', {months})")(DOCUMENT)))
    assert (moved.year * 12 + moved.month) - (start.year * 12 + start.month) == months
    last = calendar.monthrange(moved.year, moved.month)[1]
    assert moved.day == min(start.day, last)


@given(DAYS, DAYS)
def test_age_is_the_number_of_birthdays(birth: date, day: date) -> None:
    norm = load("commun/1.0")
    age = int(float(str(xpath(norm, f"p:age('{birth}', '{day}')")(DOCUMENT))))
    today = (day.year, day.month, day.day)
    birthdays = sum((birth.year + years, birth.month, birth.day) <= today for years in range(1, 250))
    assert max(age, 0) == birthdays
