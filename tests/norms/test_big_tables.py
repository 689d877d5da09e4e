"""A whole official table, tens of thousands of rows, in place of a working subset: same answers, same refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from norms.codes import CodeTable, CodeTables
from norms.errors import NormError
from norms.model import Norm

ACTS = 10_000
COLUMNS = ("code", "libelle", "valid_from", "valid_to", "coefficient", "maximum")
CHANGE = 7_654  # the row that a test alters


def rows(acts: int = ACTS) -> Iterator[tuple[str, ...]]:
    """Two periods per act: the coefficient goes up by one on 2019-01-01; every third act closes at the end of 2024."""
    for number in range(acts):
        code, label = f"{number:05d}", f"Acte n° {number}"
        yield code, label, "2010-01-01", "2018-12-31", f"{number % 300}.00", "1"
        yield code, label, "2019-01-01", "" if number % 3 else "2024-12-31", f"{number % 300 + 1}.00", ""


def write(folder: Path, lines: list[str], name: str = "actes.csv", *, mark: bytes = b"", newline: str = "\n") -> Path:
    path = folder / name
    path.write_bytes(mark + newline.join(lines).encode())
    return path


def plain(separator: str = ";") -> list[str]:
    return [separator.join(cells) for cells in (COLUMNS, *rows())]


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> CodeTable:
    return CodeTable(write(tmp_path_factory.mktemp("big"), plain()))


@pytest.mark.parametrize("number", [0, 1, 4_999, 9_999])
def test_every_boundary_of_a_big_table(big: CodeTable, number: int) -> None:
    code, before, after = f"{number:05d}", f"{number % 300}.00", f"{number % 300 + 1}.00"
    assert big.attribute(code, "coefficient", "2009-12-31") is None
    assert big.attribute(code, "coefficient", "2010-01-01") == before
    assert big.attribute(code, "coefficient", "2018-12-31") == before
    assert big.attribute(code, "coefficient", "2019-01-01") == after
    assert big.attribute(code, "coefficient", "2024-12-31") == after
    assert big.attribute(code, "coefficient", "2025-01-01") == (after if number % 3 else None)


def test_a_big_table_knows_what_it_holds(big: CodeTable) -> None:
    assert len(big) == ACTS
    assert big.find("10000") is None and big.find("0") is None
    assert big.columns == frozenset(COLUMNS)
    assert sum(1 for _ in big.codes("2025-01-01")) == ACTS - len(range(0, ACTS, 3))
    assert next(big.codes()) == "00000"


@pytest.mark.parametrize(
    ("altered", "line", "other"),
    [
        ("03827;Acte n° 3827;2018-12-31;;1.00;", 7_657, "7656"),  # begins on the last day of the period before
        ("03826;Acte n° 3826;2024-06-01;;1.00;", 7_657, "7655"),  # the open period of another act's code
    ],
)
def test_overlapping_dates_are_refused_with_file_and_line(tmp_path: Path, altered: str, line: int, other: str) -> None:
    lines = plain()
    assert lines[line - 1].startswith("03827;") and lines[line - 1].split(";")[2] == "2019-01-01"
    lines[line - 1] = altered
    path = write(tmp_path, lines)
    with pytest.raises(NormError) as caught:
        CodeTable(path)
    assert (caught.value.file, caught.value.line) == (str(path), line)
    assert other in caught.value.remedy


@pytest.mark.parametrize("date", ["2019-13-01", "01/01/2019", "2019-1-1", "20190101"])
def test_one_wrong_date_among_thousands_is_found(tmp_path: Path, date: str) -> None:
    lines = plain()
    lines[CHANGE] = lines[CHANGE].replace("2019-01-01", date).replace("2010-01-01", date)
    path = write(tmp_path, lines)
    with pytest.raises(NormError, match=date) as caught:
        CodeTable(path)
    assert (caught.value.file, caught.value.line) == (str(path), CHANGE + 1)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [";", ","])
def test_what_a_spreadsheet_writes_gives_the_same_answers(
    tmp_path: Path, big: CodeTable, separator: str, newline: str
) -> None:
    """Byte order mark, every cell in quotes, separators within quotes, empty rows and cells after the last one."""
    quoted = [separator.join(f'"{cell}"' for cell in cells) + separator for cells in (COLUMNS, *rows())]
    quoted[-1] = quoted[-1].replace("Acte n°", f"Acte{separator} n°")
    lines = [*quoted, "", separator * len(COLUMNS), "  ", ""]
    same = CodeTable(write(tmp_path, lines, mark=b"\xef\xbb\xbf", newline=newline))
    assert len(same) == ACTS
    for code in big.codes():
        for day in ("2018-12-31", "2019-01-01", "2025-01-01", ""):
            assert same.attribute(code, "coefficient", day) == big.attribute(code, "coefficient", day)
    assert same.attribute("09999", "libelle") == f"Acte{separator} n° 9999"


def test_the_official_file_takes_the_place_of_a_subset(make_norm: Callable[..., Norm]) -> None:
    """The same rows and further ones, with a column more: whoever asked the subset gets the same answers."""
    tables = CodeTables(make_norm())
    asked = [(code, day) for code in ("A", "B", "Z") for day in ("2019-01-01", "2026-01-01", "")]
    before = [tables.attribute("genres", code, "libelle", day) for code, day in asked]
    path = tables.table("genres").path
    header, *subset = path.read_text(encoding="utf-8").split()
    further = [";".join([*cells[:4], *[""] * header.count(";")]) for cells in rows()]
    width = header.count(";")
    lines = [f"{header};source", *(f"{row};base officielle" for row in subset), *further]
    assert all(line.count(";") >= width for line in lines)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    after = CodeTable(path)
    assert [after.attribute(code, "libelle", day) for code, day in asked] == before
    assert len(after) == ACTS + len(tables.table("genres"))


def test_a_big_table_is_read_once_however_many_ask_at_once(
    tmp_path: Path, make_norm: Callable[..., Norm], monkeypatch: pytest.MonkeyPatch
) -> None:
    norm = make_norm()
    norm.tables["actes"] = write(tmp_path, plain())
    tables, read = CodeTables(norm), []
    original = CodeTable.__init__

    def counted(self: CodeTable, path: Path) -> None:
        read.append(path)
        original(self, path)

    monkeypatch.setattr(CodeTable, "__init__", counted)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: tables.attribute("actes", "00042", "coefficient", "2020-01-01"), range(16)))
    assert answers == ["43.00"] * 16
    assert len(read) == 1
