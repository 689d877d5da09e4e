"""What `norms check` finds in a norm folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from norms.errors import DataError


class NormProblem(msgspec.Struct, frozen=True):
    """One thing to correct in a norm. line: 1-based, 0 when the file as a whole is meant.

    severity: "error" stops a publication; "warning" is worth a look.
    """

    file: Path
    line: int
    sentence: str
    remedy: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place}: {self.sentence}{' ' + self.remedy if self.remedy else ''}"


def problem_of(error: DataError, file: Path) -> NormProblem:
    """Return an error as a problem; `file` where the error names none."""
    return NormProblem(Path(error.file) if error.file else file, error.line, error.what, error.remedy)
