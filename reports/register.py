"""The register of issued documents: one line each, chained by SHA-256, so that no number is used twice.

`register.jsonl` in the data folder of the laboratory; `register.head` beside it holds length and last digest, so
that a cut end is found as well. A document is identified by the digest of its signed content, never by its file (some
bytes of a file are not signed). Source: docs/formats/certificate.md.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from norms.i18n import tr
from reports.errors import RegisterError

FILE: Final = "register.jsonl"
HEAD: Final = "register.head"
LOCK: Final = "register.lock"
START: Final = "0" * 64
_WAIT: Final = 10.0


class Issue(msgspec.Struct, frozen=True):
    """One issued document. prev: SHA-256 of the line before; digest: SHA-256 (hex) of the canonical signed content."""

    seq: int
    prev: str
    number: str
    kind: str
    at: str
    norm: str
    role: str
    vendor: str
    product: str
    version: str
    suite: str
    evidence: str
    digest: str


class Head(msgspec.Struct, frozen=True):
    """What register.head says. issues: number of lines; last: SHA-256 of the last one."""

    issues: int
    last: str


class Register:
    """The register while its lock is held; made by `open_register`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.issues = read_register(path)

    def next_number(self, prefix: str, norm_id: str, year: int) -> str:
        """Return the next free number: `PREFIX-NORM-YEAR-RANK`, ranks from 0001 for each norm and year."""
        slug = re.sub(r"[^0-9A-Z]", "", norm_id.upper())
        series = f"{prefix}-{slug}-{year:04}-"
        ranks = (int(issue.number.removeprefix(series)) for issue in self.issues if issue.number.startswith(series))
        return f"{series}{max(ranks, default=0) + 1:04}"

    def append(self, issue: Issue) -> None:
        """Write an issue as the next line; its seq and prev are set here. Raises RegisterError."""
        if any(known.number == issue.number for known in self.issues):
            raise RegisterError(tr("Le numéro {number} est déjà au registre.", number=issue.number))
        prev = _digest(msgspec.json.encode(self.issues[-1])) if self.issues else START
        line = msgspec.json.encode(msgspec.structs.replace(issue, seq=len(self.issues), prev=prev))
        head = self._path.with_name(HEAD)
        draft = head.with_suffix(".part")
        try:
            with self._path.open("ab") as file:
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
            draft.write_bytes(msgspec.json.encode(Head(len(self.issues) + 1, _digest(line))))
            draft.replace(head)
        except OSError as failed:
            raise RegisterError(tr("Le registre {file} ne peut pas être écrit.", file=self._path)) from failed
        self.issues.append(msgspec.json.decode(line, type=Issue))


def read_register(path: Path) -> list[Issue]:
    """Return the issues of a register file, [] when there is none. Raises RegisterError at the first broken line."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as failed:
        raise RegisterError(tr("Le registre {file} ne peut pas être lu.", file=path)) from failed
    issues: list[Issue] = []
    prev = START
    for number, line in enumerate(lines[:-1], 1):
        try:
            issue = msgspec.json.decode(line, type=Issue)
        except ValueError:  # msgspec's errors, and bytes that are no UTF-8
            raise _broken(path, number) from None
        if (issue.seq, issue.prev) != (number - 1, prev) or msgspec.json.encode(issue) != line:
            raise _broken(path, number)
        issues.append(issue)
        prev = _digest(line)
    if lines[-1]:
        raise _broken(path, len(lines))
    _check_head(path, [_digest(line) for line in lines[:-1]])
    return issues


def _check_head(path: Path, digests: list[str]) -> None:
    """Check the end against register.head. A process killed between the two writes leaves one line more, no less."""
    try:
        head = msgspec.json.decode(path.with_name(HEAD).read_bytes(), type=Head)
    except FileNotFoundError:
        head = Head(0, START)
    except (OSError, ValueError):
        raise _broken(path.with_name(HEAD), 1) from None
    last = digests[head.issues - 1] if 0 < head.issues <= len(digests) else START
    if not 0 <= len(digests) - head.issues <= 1 or last != head.last:
        raise _broken(path, len(digests))


@contextmanager
def open_register(folder: Path) -> Iterator[Register]:
    """Hold the register of a data folder (made when missing) for one issue. Raises RegisterError.

    The lock is a file that only one process can create; a process killed in between leaves it behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / LOCK
    _take(lock)
    try:
        yield Register(folder / FILE)
    finally:
        lock.unlink(missing_ok=True)


def _take(lock: Path) -> None:
    deadline = time.monotonic() + _WAIT
    while True:
        try:
            with lock.open("x", encoding="ascii") as file:
                file.write(str(os.getpid()))
            return
        except FileExistsError:
            if time.monotonic() > deadline:
                raise RegisterError(
                    tr(
                        "Le registre est occupé. Si aucune délivrance n’est en cours, supprimez {file} et recommencez.",
                        file=lock,
                    )
                ) from None
            time.sleep(0.05)
        except OSError as failed:
            raise RegisterError(tr("Le registre {file} ne peut pas être écrit.", file=lock)) from failed


def _broken(path: Path, line: int) -> RegisterError:
    return RegisterError(tr("Le registre {file} est altéré à la ligne {line}.", file=path, line=line))


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
