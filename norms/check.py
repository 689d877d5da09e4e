"""Check messages and files: the public surface of checking, and the checker of files for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from lxml import etree

from norms.errors import NormError, ParseRefusal, SecurityRefusal, UsageError
from norms.functions import functions_for, text_of
from norms.i18n import tr
from norms.loader import available, load
from norms.message_check import Checker, Direction, Problem, checker_for
from norms.model import Limits, Norm
from norms.parsing import parse
from norms.security_check import security_problem
from norms.wire.soap import NAMESPACES, Envelope
from norms.wire.trust import Anchors
from norms.yamlfile import nearest

__all__ = ["Checker", "Direction", "FileReport", "Problem", "check_file", "check_files", "checker_for"]


class FileReport(msgspec.Struct, frozen=True):
    """What was found in one file.

    norm, kind, direction: what it was checked as, "" when it could not be told; refusal: reason code when the file is
    no acceptable XML or no message of the norm, with its sentence in `why`.
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

    Of several norms that know the payload, the one whose version the message declares is taken, else the last by
    name. confirm: ask the second schema engine about valid messages too; anchors: also check the security of
    each message against these authorities. Raises UsageError for a path or kind that
    does not exist, NormError for a norm that cannot be loaded.
    """
    norms: list[Norm] = []
    failure: NormError | None = None
    for ref in [norm_ref] if norm_ref else available(roots):
        try:
            norms.append(load(ref, roots))
        except NormError as error:
            failure = failure or error
    library = _Library(norms, kind, failure)
    return [_check_file(path, library, confirm, anchors) for path in _expand(paths)]


def check_file(path: Path, norm: Norm, *, confirm: bool = False) -> FileReport:
    """Check one file as a message of one norm."""
    return _check_file(path, _Library([norm], None, None), confirm)


class _Library:
    """The norms that a file may belong to. A norm that did not load matters only when no other fits."""

    def __init__(self, norms: Sequence[Norm], kind: str | None, failure: NormError | None) -> None:
        self.norms = [norm for norm in norms if norm.services and (kind is None or norm.service(kind) is not None)]
        self.kind, self._failure = kind, failure
        if not self.norms:
            if failure is not None:
                raise failure
            kinds = [service.kind for norm in norms for service in norm.services]
            if kind is None:
                raise UsageError(tr("Aucune norme avec des services n'est disponible."))
            raise UsageError(tr("Le message « {kind} » est inconnu.", kind=kind) + " " + nearest(kind, kinds))

    def identify(self, root: etree._Element) -> tuple[Norm, str, Direction] | None:
        found = [match for norm in self.norms for match in self._matches(norm, root)]
        if not found and self._failure:
            raise self._failure
        declared = [match for match in found if _declares(match[0], match[1], root)]
        candidates = declared or found
        return candidates[-1] if candidates else None

    def _matches(self, norm: Norm, root: etree._Element) -> Iterator[tuple[Norm, str, Direction]]:
        if not norm.services:
            return
        identified = checker_for(norm).identify(root)
        if identified is not None and self.kind in (None, identified[0]):
            yield norm, *identified
        elif _is_fault(root):
            for service in norm.services:
                if NAMESPACES[service.soap] == etree.QName(root).namespace and self.kind in (None, service.kind):
                    yield norm, service.kind, "response"
                    break
        elif self.kind is not None:
            yield norm, self.kind, "request"


def _is_fault(root: etree._Element) -> bool:
    try:
        return Envelope.of(root).is_fault
    except SecurityRefusal:
        return False


def _declares(norm: Norm, kind: str, root: etree._Element) -> bool:
    service = norm.service(kind)
    if service is None or not service.version_at:
        return False
    return text_of(functions_for(norm).compile(service.version_at)(root)) == service.version


def _expand(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.xml"))
        elif path.is_file():
            yield path
        else:
            raise UsageError(tr("Le fichier « {path} » n'existe pas.", path=path))


def _check_file(path: Path, library: _Library, confirm: bool, anchors: Anchors | None = None) -> FileReport:
    try:
        size = path.stat().st_size
        limits = [norm.security.limits for norm in library.norms] or [Limits()]
        largest = max(limit.body_bytes for limit in limits)
        if size > largest:
            what = tr("Le message compte {count} octets ; {limit} au plus.", count=size, limit=largest)
            raise ParseRefusal("too-large", what)
        body = path.read_bytes()
        root = parse(body, max(limits, key=lambda limit: limit.body_bytes))
        match = library.identify(root)
        if match is None:
            return FileReport(
                path=path, refusal="unknown-operation", why=tr("Aucune norme disponible ne connaît ce message."), line=1
            )
        norm, kind, direction = match
        root = parse(body, norm.security.limits)
    except ParseRefusal as refusal:
        return FileReport(path=path, refusal=refusal.reason, why=refusal.what, line=refusal.line)
    except OSError as bad:
        raise UsageError(tr("Le fichier « {path} » ne peut pas être lu : {why}.", path=path, why=bad.strerror)) from bad
    problems = checker_for(norm).check(root, kind, direction, confirm=confirm)
    insecure = security_problem(root, norm, kind, direction, anchors) if anchors is not None else None
    problems = [*problems, insecure] if insecure is not None else problems
    return FileReport(path=path, norm=norm.ref, kind=kind, direction=direction, problems=tuple(problems))
