"""Arguments of a call, taken apart as text, and the tables that an expression names."""

from __future__ import annotations

import pytest

from norms.errors import NormError
from norms.functions import functions_for
from norms.loader import load
from norms.xpath import arguments_of, literal


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("f(a, 'b')", [("a", "'b'")]),
        ("f(g(a, b), c[d, e])", [("g(a, b)", "c[d, e]")]),
        ("f('a, (b', c) + f(d)", [("'a, (b'", "c"), ("d",)]),
        ("f(f(a))", [("f(a)",), ("a",)]),
        ("x:f(a) and y-f(b) and 'f(c)'", []),
        ("f(a", [()]),
    ],
)
def test_arguments_stand_between_commas_outside_of_brackets(expression: str, found: list[tuple[str, ...]]) -> None:
    assert list(arguments_of(expression, "f")) == found


def test_a_literal_is_one_pair_of_quotes() -> None:
    assert [literal(text) for text in ("'a'", '"b"', "'a' and 'b'", "c")] == ["a", "b", None, None]


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("p:in-table(concat(a, 'x'), 'prestation')", "« prestation »"),
        ("p:attr('prestation', a, 'prix')", "« prestation »"),
        ("p:attr('prestations', concat(a, ',', b), 'prise', c)", "« prise »"),
    ],
)
def test_unknown_tables_and_columns_are_named(expression: str, word: str) -> None:
    with pytest.raises(NormError, match=word):
        functions_for(load("ville/1.1")).check_tables(expression)


def test_known_tables_and_computed_names_pass() -> None:
    town = functions_for(load("ville/1.1"))
    town.check_tables(
        "p:attr('prestations', a, 'prix') and p:in-table(a, $table) and p:attr('prestations', a, $column)"
    )


def test_a_norm_without_services_may_name_the_tables_of_others() -> None:
    functions_for(load("socle/1.0")).check_tables("p:in-table(a, 'prestations')")
