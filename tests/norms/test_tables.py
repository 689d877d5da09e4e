from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from norms.errors import NormError
from norms.tables import read_csv


def write(folder: Path, content: bytes | str) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [";", ","])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_spreadsheet_shapes_are_understood(tmp_path: Path, mark: bytes, separator: str, newline: str) -> None:
    text = newline.join(
        [f"code{separator}libelle{separator}", f" 01 {separator}Été ", "", f"{separator}{separator}", "02"]
    )
    rows = read_csv(write(tmp_path, mark + text.encode()), ["code", "libelle"])
    assert [(row["code"], row["libelle"], row.line) for row in rows] == [("01", "Été", 2), ("02", "", 5)]


def test_line_is_where_the_record_starts(tmp_path: Path) -> None:
    rows = read_csv(write(tmp_path, 'a;b\n"x\ny";1\nz;2\n'), ["a", "b"])
    assert [(row["a"], row.line) for row in rows] == [("x\ny", 2), ("z", 4)]


def test_row_gives_columns_that_may_be_absent(tmp_path: Path) -> None:
    row = read_csv(write(tmp_path, "a;b\n1;2\n"), ["a"])[0]
    assert (row.get("b"), row.get("c"), row.get("c", "-"), row.keys()) == ("2", "", "-", ("a", "b"))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a\n1\n", 1),  # a column is missing
        ("a;b;a\n", 1),  # a column twice
        ("a;;b\n", 1),  # a column without name
        ("a;b;autre\n", 1),  # an unknown column
        ("a;b\n1;2;3\n", 2),  # a cell too many
        ('a;b\n1;"2\n', 2),  # an open quote
        (b"a;b\n1;\xe9\n", 2),  # not UTF-8
        ("", 1),  # no header
    ],
)
def test_wrong_file_is_refused_at_its_line(tmp_path: Path, content: str | bytes, line: int) -> None:
    with pytest.raises(NormError) as caught:
        read_csv(write(tmp_path, content), ["a", "b"], ())
    assert caught.value.line == line


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NormError, match="n'existe pas"):
        read_csv(tmp_path / "absent.csv", ["a"])


CELL = st.text(st.characters(exclude_categories=("C", "Z")), max_size=5)


@given(st.lists(st.tuples(CELL.filter(bool), CELL), max_size=6))
def test_what_a_spreadsheet_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]]
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([("a", "b"), *cells])
    rows = read_csv(write(tmp_path_factory.mktemp("t"), text.getvalue()), ["a", "b"])
    assert [(row["a"], row["b"]) for row in rows] == cells
