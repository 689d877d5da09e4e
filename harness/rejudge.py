"""Judging a recorded run again, from its folder alone: the same program gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from harness.context import JudgeContext
from harness.errors import RunFolderError
from harness.evidence import RunRecord, read_run
from harness.fixed import fixed_verdict
from harness.folder import ANCHORS, NORM, VERDICTS
from harness.judge import judge_case
from harness.record import CaseVerdict, Exchange, Verdicts
from harness.verdicts import assemble, canonical, read_verdicts
from norms.i18n import tr
from norms.loader import load
from norms.model import Norm
from norms.wire.second import second_verifier
from norms.wire.trust import Anchors, load_anchors
from scenarios.model import Case, Suite


@dataclass(frozen=True)
class Difference:
    """A case that is not judged as it was. before / after: verdict and reasons of its findings."""

    case: str
    before: str
    after: str


def recorded_anchors(folder: Path) -> Anchors | None:
    """Return the trust anchors that a run folder holds, None when the run had none."""
    anchors = folder / ANCHORS
    return load_anchors(anchors) if anchors.is_dir() and any(anchors.iterdir()) else None


def recorded_norm(record: RunRecord) -> Norm:
    """Return the norm as the run folder holds it; raises RunFolderError when it is not the one judged by."""
    norm = load(str(record.folder / NORM / record.begun.norm), [record.folder / NORM])
    if norm.digest != record.begun.norm_digest:
        raise RunFolderError(
            tr("La norme conservée n'est pas celle de l'exécution."), file=record.folder / NORM / record.begun.norm
        )
    return norm


def secrets_of(norm: Norm, suite: Suite) -> tuple[str, ...]:
    """Return the values of the suite that people must never see."""
    names = [value.name for value in norm.extra_values if value.secret]
    return tuple(sorted({case.bindings[name] for case in suite.cases for name in names if case.bindings.get(name)}))


def judge_recorded(
    context: JudgeContext, case: Case, exchanges: Sequence[Exchange], state: str, reason: str
) -> CaseVerdict:
    """Return the verdict of a case as it was recorded.

    state: "" to judge the exchanges; "not_run" or "error" when something kept the case from being run to its end. A
    case that fails on what was recorded fails all the same. `${today}` is the day of the case's first exchange.
    """
    if state == "error":
        return fixed_verdict(case, "error", reason)
    if exchanges:
        context = replace(context, today=date.fromisoformat(min(each.sent_at for each in exchanges)[:10]))
    if state == "not_run":
        verdict = judge_case(context, case, exchanges) if exchanges else None
        if verdict is not None and verdict.verdict == "fail":
            return verdict
        return fixed_verdict(case, "not_run", reason)
    return judge_case(context, case, exchanges)


def rejudge_verdicts(folder: Path, tool: str = "") -> Verdicts:
    """Return the verdicts that this program gives on a recorded run. tool: its name and version ("" = the recorded)."""
    record = read_run(folder)
    norm = recorded_norm(record)
    context = JudgeContext(
        norm=norm,
        anchors=recorded_anchors(folder),
        today=date.fromisoformat(record.begun.started[:10]),
        tool=tool or record.begun.tool,
        certificates=record.certificates(),
        secrets=secrets_of(norm, record.suite),
        second_verifier=_second_verifier(record),
    )
    return assemble(record.suite, context.tool, _recorded_verdicts(context, record))


def rejudge(folder: Path, tool: str = "") -> bytes:
    """Return verdicts.json as this program writes it on a recorded run; raises RunFolderError when it is damaged."""
    return canonical(rejudge_verdicts(folder, tool))


def differences(folder: Path, tool: str = "") -> list[Difference]:
    """Return the cases that this program judges otherwise than verdicts.json of the folder says."""
    before = read_verdicts((folder / VERDICTS).read_bytes(), str(folder / VERDICTS))
    old = {case.id: case for case in before.cases}
    return [
        Difference(case.id, _said(old.get(case.id)), _said(case))
        for case in rejudge_verdicts(folder, tool).cases
        if case != old.get(case.id)
    ]


def _second_verifier(record: RunRecord) -> bool:
    """Return whether the run had a second verifier; raises RunFolderError when it had one and there is none here."""
    had = record.begun.second_verifier
    if had and not second_verifier():
        raise RunFolderError(
            tr(
                "L'exécution a été jugée avec un second vérificateur de signatures ({verifier}), absent ici.",
                verifier=had,
            ),
            file=record.folder,
            remedy=tr("Installez « poincon[second] », puis rejugez."),
        )
    return bool(had)


def _recorded_verdicts(context: JudgeContext, record: RunRecord) -> Iterable[CaseVerdict]:
    cases = {case.id: case for case in record.suite.cases}
    for entry in record.cases:
        yield judge_recorded(context, cases[entry.case], record.exchanges(entry.case), entry.state, entry.reason)


def _said(verdict: CaseVerdict | None) -> str:
    if verdict is None:
        return "–"
    found = ", ".join(f"{each.requirement} {each.reason}".strip() for each in verdict.findings)
    return f"{verdict.verdict} ({found})" if found else verdict.verdict
