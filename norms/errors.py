"""Errors of the norm library.

    PoinconError                  every error meant for a person; str() is the whole message
    ├── UsageError                the command line or an argument is wrong
    ├── DataError                 a file that somebody wrote is wrong (file, line, remedy)
    │   └── NormError             … inside a norm folder
    ├── ParseRefusal              a message is refused before it becomes a tree (reason code)
    └── SecurityRefusal           a signature, assertion or certificate is refused (reason code)

Messages are in the reader's language (see `norms.i18n`); reason codes are stable identifiers of the program.
"""

from __future__ import annotations

from pathlib import Path


class PoinconError(Exception):
    """An error that a person reads: one sentence, no traceback."""

    exit_code = 2


class UsageError(PoinconError):
    """The command or an argument cannot be understood or carried out."""


class DataError(PoinconError):
    """A data file is wrong.

    file: the file as the person knows it; line: 1-based, 0 when unknown; what: the fault in one sentence;
    remedy: what to do, one sentence, may be empty.
    """

    def __init__(self, what: str, *, file: Path | str = "", line: int = 0, remedy: str = "") -> None:
        self.what, self.file, self.line, self.remedy = what, str(file), line, remedy
        place = f"{self.file}:{line}: " if self.file and line else f"{self.file}: " if self.file else ""
        super().__init__(f"{place}{what}{' ' + remedy if remedy else ''}")


class NormError(DataError):
    """A norm folder is wrong."""


class ParseRefusal(PoinconError):  # noqa: N818 - a refusal is an outcome, not a fault of ours
    """Bytes that must not become a tree. reason: a code of `norms.wire.reasons`; line: 1-based or 0."""

    def __init__(self, reason: str, what: str, line: int = 0) -> None:
        self.reason, self.what, self.line = reason, what, line
        super().__init__(what)


class SecurityRefusal(PoinconError):  # noqa: N818 - as above
    """A message whose security is refused. reason: a code of `norms.wire.reasons`; what: the detail for people."""

    def __init__(self, reason: str, what: str) -> None:
        self.reason, self.what = reason, what
        super().__init__(what)
