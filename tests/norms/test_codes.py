from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from norms.codes import CodeTable, CodeTables
from norms.errors import NormError
from norms.model import Norm

HEADER = "code;libelle;valid_from;valid_to;prix\n"


def table(folder: Path, *rows: str) -> CodeTable:
    path = folder / "actes.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return CodeTable(path)


@pytest.mark.parametrize(
    ("day", "price"),
    [
        ("2019-12-31", None),
        ("2020-01-01", "10"),
        ("2020-06-30", "10"),
        ("2020-07-01", None),
        ("2021-01-01", "12"),
        ("2999-01-01", "12"),
        ("", "12"),
    ],
)
def test_code_has_the_attribute_of_the_day(tmp_path: Path, day: str, price: str | None) -> None:
    codes = table(tmp_path, "A;x;2020-01-01;2020-06-30;10", "A;x;2021-01-01;;12", "B;y;;;1")
    assert codes.attribute("A", "prix", day) == price


def test_unknown_code_and_column(tmp_path: Path) -> None:
    codes = table(tmp_path, "A;x;;;1")
    assert codes.find("Z") is None
    with pytest.raises(NormError, match="prixx"):
        codes.attribute("A", "prixx")


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (("A;x;2020-01-01;2020-06-30;1", "A;x;2020-06-30;;2"), 3),
        (("A;x;;;1", "B;x;;;1", "A;x;2020-01-01;;2"), 4),
        (("A;x;2020-01-01;2019-01-01;1",), 2),
        (("A;x;01/01/2020;;1",), 2),
        (("A;x;2020-02-30;;1",), 2),
        ((";x;;;1",), 2),
    ],
)
def test_wrong_periods_are_refused_at_their_line(tmp_path: Path, rows: tuple[str, ...], line: int) -> None:
    with pytest.raises(NormError) as caught:
        table(tmp_path, *rows)
    assert caught.value.line == line


def test_codes_in_force(tmp_path: Path) -> None:
    codes = table(tmp_path, "B;x;2020-01-01;;1", "A;x;;2019-12-31;1")
    assert list(codes.codes("2020-01-01")) == ["B"]
    assert list(codes.codes()) == ["B", "A"]
    assert len(codes) == 2


def test_tables_of_a_norm(make_norm: Callable[..., Norm]) -> None:
    tables = CodeTables(make_norm())
    assert tables.names() == ("genres", "pays")
    assert tables.has("genres", "B", date(2026, 1, 1))
    assert not tables.has("genres", "A")  # the norm's own table replaces its parent's
    assert tables.attribute("pays", "FR", "monnaie", "2026-01-01") == "EUR"
    with pytest.raises(NormError, match="n'existe pas"):
        tables.has("genre", "B")


START = date(2020, 1, 1)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 40)), min_size=1, max_size=8), st.integers(0, 700))
def test_look_up_is_that_of_a_plain_search(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[tuple[int, int]], offset: int
) -> None:
    """Periods laid end to end with gaps; the row found is the one whose period holds the day."""
    periods, at = [], 0
    for length, gap in lengths:
        periods.append((START + timedelta(at), START + timedelta(at + length - 1)))
        at += length + gap
    rows = [f"A;x;{start};{end};{index}" for index, (start, end) in enumerate(periods)]
    codes = table(tmp_path_factory.mktemp("codes"), *reversed(rows))
    day = START + timedelta(offset)
    expected = next((str(index) for index, (start, end) in enumerate(periods) if start <= day <= end), None)
    assert codes.attribute("A", "prix", day.isoformat()) == expected
