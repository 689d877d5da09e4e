"""Check messages and files: the public surface of checking, and the checker of files for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from lxml import etree

from norms.case_check import case_problems
from norms.errors import NormError, ParseRefusal, UsageError
from norms.i18n import tr
from norms.identify import CASE_KIND, Library, Match, is_fault
from norms.loader import available, load
from norms.message_check import Checker, Direction, Problem, checker_for
from norms.model import Limits, Norm
from norms.parsing import parse
from norms.security_check import security_problem
from norms.wire.trust import Anchors

__all__ = ["CASE_KIND", "Checker", "Direction", "FileReport", "Problem", "check_file", "check_files", "checker_for"]

AMBIGUOUS: Final = "ambiguous"


class FileReport(msgspec.Struct, frozen=True):
    """What was found in one file.

    norm, kind, direction: what it was checked as, "" when it could not be told; kind CASE_KIND: a case document;
    refusal: reason code when the file is no acceptable XML, no message of a norm, or may be of several ("ambiguous"),
    with its sentence in `why`.
    """

    path: Path
    norm: str = ""
    kind: str = ""
    direction: str = ""
    problems: tuple[Problem, ...] = ()
    refusal: str = ""
    why: str = ""
    line: int = 0

    @property
    def valid(self) -> bool:
        """Whether the file was checked and nothing is wrong with it."""
        return not self.refusal and not self.problems


def check_files(
    paths: Sequence[Path],
    norm_ref: str | None = None,
    kind: str | None = None,
    roots: Sequence[Path] | None = None,
    *,
    confirm: bool = False,
    anchors: Anchors | None = None,
) -> list[FileReport]:
    """Check files, and every *.xml below folders. Without norm or kind, the payload element tells them.

    Of several norms that know the payload, the one whose version the message declares is taken; where that leaves
    several, the file is refused as ambiguous. A SOAP fault on which all of them agree is reported without a norm.
    confirm: ask the second schema engine about valid messages too; anchors: also check the security of each message
    against these authorities. Raises UsageError for a path or kind that does not exist, NormError for a norm that
    cannot be loaded.
    """
    norms: list[Norm] = []
    failure: NormError | None = None
    for ref in [norm_ref] if norm_ref else available(roots):
        try:
            norms.append(load(ref, roots))
        except NormError as error:
            failure = failure or error
    library = Library(norms, kind, failure)
    return [_check_file(path, library, confirm, anchors) for path in _expand(paths)]


def check_file(path: Path, norm: Norm, *, kind: str | None = None, confirm: bool = False) -> FileReport:
    """Check one file as a message of one norm. kind: its kind where the payload does not tell it, None = it does."""
    return _check_file(path, Library([norm], kind), confirm)


def _expand(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.xml"))
        elif path.is_file():
            yield path
        else:
            raise UsageError(tr("Le fichier « {path} » n'existe pas.", path=path))


def _check_file(path: Path, library: Library, confirm: bool, anchors: Anchors | None = None) -> FileReport:
    try:
        size = path.stat().st_size
        limits = [norm.security.limits for norm in library.norms] or [Limits()]
        largest = max(limit.body_bytes for limit in limits)
        if size > largest:
            what = tr("Le message compte {count} octets ; {limit} au plus.", count=size, limit=largest)
            raise ParseRefusal("too-large", what)
        body = path.read_bytes()
        root = parse(body, max(limits, key=lambda limit: limit.body_bytes))
        matches = library.matches(root)
        if not matches:
            return FileReport(
                path=path, refusal="unknown-operation", why=tr("Aucune norme disponible ne connaît ce message."), line=1
            )
        reports = [_report(path, parse(body, match.norm.security.limits), match, confirm, anchors) for match in matches]
    except ParseRefusal as refusal:
        return FileReport(path=path, refusal=refusal.reason, why=refusal.what, line=refusal.line)
    except OSError as bad:
        raise UsageError(tr("Le fichier « {path} » ne peut pas être lu : {why}.", path=path, why=bad.strerror)) from bad
    if len(reports) == 1:
        return reports[0]
    if is_fault(root) and all(report.problems == reports[0].problems for report in reports):
        return msgspec.structs.replace(reports[0], norm="", kind="")
    refs = ", ".join(report.norm for report in reports)
    why = tr("Plusieurs normes connaissent ce message ({refs}) ; dites laquelle avec --norm.", refs=refs)
    return FileReport(path=path, refusal=AMBIGUOUS, why=why, line=1)


def _report(path: Path, root: etree._Element, match: Match, confirm: bool, anchors: Anchors | None) -> FileReport:
    norm, kind, direction = match
    checker = checker_for(norm)
    if kind == CASE_KIND:
        problems = case_problems(root, checker, confirm=confirm, anchors=anchors)
    else:
        way: Direction = "request" if direction == "request" else "response"
        problems = checker.check(root, kind, way, confirm=confirm)
        insecure = security_problem(root, norm, kind, way, anchors) if anchors is not None else None
        problems += [insecure] if insecure is not None else []
    return FileReport(path=path, norm=norm.ref, kind=kind, direction=direction, problems=tuple(problems))
