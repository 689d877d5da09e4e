"""`poincon check FILE…`: judge messages without any server."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence

from norms.check import CASE_KIND, FileReport, check_files
from norms.i18n import tr
from norms.wire.trust import Anchors
from poincon.console import print_json
from poincon.places import sandbox_keys


def check_messages(arguments: Namespace) -> int:
    """Check files or folders of messages; exit 0 when all are valid, 1 when one is not, 3 when there is none."""
    anchors = _anchors(arguments) if arguments.security else None
    reports = check_files(arguments.files, arguments.norm, arguments.message, anchors=anchors)
    if arguments.json:
        print_json([{**_plain(report), "valid": report.valid} for report in reports])
    else:
        for report in reports:
            print("\n".join(_lines(report)))
        if len(reports) != 1:
            print("\n".join(_summary(reports)))
    if not reports:
        return 3
    return 0 if all(report.valid for report in reports) else 1


def _anchors(arguments: Namespace) -> Anchors:
    from norms.wire.trust import load_anchors

    if arguments.authority is not None:
        return load_anchors(arguments.authority)
    return sandbox_keys().anchors()


def _plain(report: FileReport) -> dict[str, object]:
    return {name: getattr(report, name) for name in report.__struct_fields__} | {"path": str(report.path)}


def _summary(reports: Sequence[FileReport]) -> Iterator[str]:
    """Yield how many messages there are, then how many of each norm and kind with what was said of them."""
    invalid = sum(not report.valid for report in reports)
    yield tr("{total} message(s), dont {invalid} non valide(s).", total=len(reports), invalid=invalid)
    counts: dict[str, list[int]] = {}
    for report in reports:
        name = tr("refusé ({reason})", reason=report.refusal) if report.refusal else _known(report)
        counts.setdefault(name, [0, 0])[0 if report.valid else 1] += 1
    width = max(map(len, counts), default=0)
    for name, (valid, wrong) in sorted(counts.items()):
        yield "  " + tr(
            "{name} : {valid} valide(s), {invalid} non valide(s)", name=name.ljust(width), valid=valid, invalid=wrong
        )


def _known(report: FileReport) -> str:
    """Return what a file was checked as, for people."""
    if report.kind == CASE_KIND:
        return tr("{norm} cas entier", norm=report.norm)
    if not report.norm:
        return tr("Fault SOAP de plusieurs normes")
    return f"{report.norm} {report.kind} {report.direction}"


def _lines(report: FileReport) -> Iterator[str]:
    known = _known(report)
    if report.refusal:
        place = f":{report.line}" if report.line else ""
        yield f"{report.path}{place}: {report.why} ({report.refusal})"
        return
    if report.valid:
        yield tr("{file} : valide ({known}).", file=report.path, known=known)
        return
    yield tr("{file} : non valide ({known}).", file=report.path, known=known)
    for problem in report.problems:
        yield f"{report.path}:{problem.line}: {problem.message}"
        if problem.path:
            yield f"    {problem.path}" + (f" = « {problem.value} »" if problem.value else "")
        cited = " ".join(name for name in (problem.requirement, problem.rule) if name)
        if cited:
            yield f"    {cited}"
        if problem.split:
            yield "    " + tr(
                "Les deux moteurs de schéma ne sont pas d'accord : la norme est en cause, pas le message."
            )
