"""Errors of the harness.

PoinconError (norms.errors)
├── SelectionError            --select cannot be understood or selects nothing
├── PreflightError            the declaration, certificates or addresses are not ready (list of problems)
├── RunFolderError            a run folder is missing, damaged or of another format
├── EvidenceError             the evidence cannot be written (disk full, clock behind the last entry …): exit 4
├── SuiteFault                the suite makes no sense: an incident of the laboratory
└── CannotRun                 one case cannot be run under this declaration: it becomes not_run with this reason
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from norms.errors import DataError, PoinconError, UsageError


class SelectionError(UsageError):
    """The selection expression is wrong or selects no case."""


@dataclass(frozen=True)
class PreflightProblem:
    """What keeps a run from starting. line: 0 when no line is to blame; remedy: what to do."""

    file: str
    line: int
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{self.what}{' ' + self.remedy if self.remedy else ''}"


class PreflightError(PoinconError):
    """The run must not start: problems hold what is wrong, in the words of the product's file."""

    def __init__(self, problems: Sequence[PreflightProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


class RunFolderError(DataError):
    """A run folder cannot be read."""


class EvidenceError(PoinconError):
    """The evidence cannot be kept, so nothing more may be judged: an incident of the laboratory."""

    exit_code = 4


class CannotRun(PoinconError):  # noqa: N818 - a state of one case, not a fault
    """The laboratory cannot run this case here; the message is the reason that people read."""


class SuiteFault(PoinconError):  # noqa: N818 - a fault of ours
    """The suite asks for something the norm or the recording cannot give: an incident of the laboratory."""
