"""Read the CSV files of a norm: UTF-8 with or without BOM, `;` or `,`, blanks around cells ignored.

Source: docs/formats/norm.md, "CSV files".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from norms.errors import DataError, NormError
from norms.i18n import tr
from norms.yamlfile import nearest

MAXIMUM_BYTES: Final = 64 * 1_048_576


class Row:
    """One record. `row["code"]` is a cell without surrounding blanks; line: 1-based line where the record starts."""

    __slots__ = ("_cells", "_columns", "line")

    def __init__(self, columns: dict[str, int], cells: list[str], line: int) -> None:
        self._columns, self._cells, self.line = columns, cells, line

    def __getitem__(self, column: str) -> str:
        return self._cells[self._columns[column]]

    def get(self, column: str, default: str = "") -> str:
        """Return the cell, or `default` when the file has no such column."""
        index = self._columns.get(column)
        return default if index is None else self._cells[index]

    def keys(self) -> tuple[str, ...]:
        """Return the column names in the file's order."""
        return tuple(self._columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)


def read_csv(
    path: Path,
    columns: Sequence[str],
    optional: Sequence[str] | None = None,
    error: type[DataError] = NormError,
) -> list[Row]:
    """Return the records of a file that has all of `columns`.

    optional: further columns that are known; any other is then refused. None: every further column is welcome.
    Rows without any text are skipped. Errors name file and line.
    """
    delimiter, lines = _lines(path, error)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows: list[Row] = []
    line = 1
    try:
        header = [cell.strip() for cell in next(reader, [])]
        while header and not header[-1]:
            header.pop()
        index = _header(header, columns, optional, path, error)
        width, line = len(header), reader.line_num + 1
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if any(cells):
                if any(cells[width:]):
                    raise error(
                        tr("La ligne a {count} cellules pour {width} colonnes.", count=len(cells), width=width),
                        file=path,
                        line=line,
                        remedy=tr("Mettez entre guillemets une cellule qui contient le séparateur."),
                    )
                rows.append(Row(index, cells[:width] + [""] * (width - len(cells)), line))
            line = reader.line_num + 1
    except csv.Error as bad:
        raise error(
            tr("Le tableau ne se lit pas : un guillemet est mal placé ou n'est pas refermé."),
            file=path,
            line=line,
            remedy=tr("Vérifiez les guillemets de cette ligne."),
        ) from bad
    return rows


def _lines(path: Path, error: type[DataError]) -> tuple[str, list[str]]:
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise error(tr("Le fichier est trop gros."), file=path, remedy=tr("Découpez-le."))
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as missing:
        raise error(tr("Le fichier n'existe pas."), file=path, remedy=tr("Créez-le ou corrigez son nom.")) from missing
    except UnicodeDecodeError as bad:
        line = path.read_bytes()[: bad.start].count(b"\n") + 1
        raise error(
            tr("Le fichier n'est pas en UTF-8."), file=path, line=line, remedy=tr("Enregistrez-le en UTF-8.")
        ) from bad
    except OSError as unreadable:
        raise error(tr("Le fichier ne peut pas être lu : {why}.", why=unreadable.strerror), file=path) from unreadable
    lines = list(io.StringIO(text, newline=""))
    first = lines[0] if lines else ""
    return (";" if ";" in first or "," not in first else ","), lines


def _header(
    header: list[str], columns: Sequence[str], optional: Sequence[str] | None, path: Path, error: type[DataError]
) -> dict[str, int]:
    index: dict[str, int] = {}
    for position, name in enumerate(header):
        if not name or name in index:
            raise error(
                tr("La colonne {position} n'a pas de nom ou répète un nom.", position=position + 1),
                file=path,
                line=1,
                remedy=tr("Donnez à chaque colonne son propre nom."),
            )
        if optional is not None and name not in columns and name not in optional:
            raise error(
                tr("La colonne « {name} » est inconnue.", name=name),
                file=path,
                line=1,
                remedy=nearest(name, (*columns, *optional)),
            )
        index[name] = position
    for name in columns:
        if name not in index:
            raise error(
                tr("La colonne « {name} » manque.", name=name),
                file=path,
                line=1,
                remedy=tr("La première ligne doit contenir : {names}.", names=";".join(columns)),
            )
    return index
