"""The judge: a pure function from a suite and its recorded exchanges to verdicts (docs/formats/verdicts.md).

No clock and no network: times are those of the recording. A case fails closed: whatever is missing, crashed or not
evaluated keeps it from passing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.casejudge import CaseJudge
from harness.context import JudgeContext
from harness.evaluation import Judged
from harness.findings import FindingMaker
from harness.record import CaseVerdict, Exchange, Verdicts
from harness.verdicts import assemble, verdict_of_findings
from norms.errors import PoinconError
from norms.i18n import mark, speaking, tr
from scenarios.model import Case, Suite

__all__ = ["JudgeContext", "judge", "judge_case"]


def judge(
    context: JudgeContext,
    suite: Suite,
    exchanges_by_case: Mapping[str, Sequence[Exchange]],
    fixed: Mapping[str, CaseVerdict] | None = None,
    not_run: Mapping[str, str] | None = None,
) -> Verdicts:
    """Return the verdicts of a run.

    exchanges_by_case: what was recorded, by case id; not_run: why a case was not run, by case id; fixed: verdicts of
    cases that are not judged on exchanges (an incident while preparing them). A case that fails on what was recorded
    fails, whatever kept the rest of it from being run.
    """
    cases = []
    for case in suite.cases:
        exchanges = exchanges_by_case.get(case.id, ())
        reason = (not_run or {}).get(case.id)
        if fixed and case.id in fixed:
            cases.append(fixed[case.id])
            continue
        verdict = judge_case(context, case, exchanges) if exchanges or reason is None else None
        if reason is not None and (verdict is None or verdict.verdict != "fail"):
            verdict = CaseVerdict(case.id, case.scenario, "not_run", case.requirements, reason=reason)
        if verdict is not None:
            cases.append(verdict)
    return assemble(suite, context.tool, cases)


def judge_case(context: JudgeContext, case: Case, exchanges: Sequence[Exchange]) -> CaseVerdict:
    """Return the verdict of one case on what was recorded, in any order. Never raises for what a product sent."""
    with speaking("fr"):
        maker = FindingMaker(context)
        try:
            judged = CaseJudge(context, maker, case, exchanges).run()
        except PoinconError as error:
            judged = Judged([maker.incident("", "", "", str(error))])
        except Exception as error:  # noqa: BLE001 - any crash is an incident of ours: never a pass, never a blame
            judged = Judged([maker.incident("", "", "", type(error).__name__)])
        _close(maker, judged)
    return CaseVerdict(
        id=case.id,
        scenario=case.scenario,
        verdict=verdict_of_findings(judged.findings),  # type: ignore[arg-type]
        requirements=case.requirements,
        findings=tuple(judged.findings),
        checked=judged.checked,
    )


def _close(maker: FindingMaker, judged: Judged) -> None:
    """Keep a case from passing when nothing of it, or not all of it, was evaluated."""
    if verdict_of_findings(judged.findings) != "pass":
        return
    if judged.own == 0:
        judged.findings.append(maker.incident("", "", "", tr("aucune attente du scénario n'a été évaluée")))
    elif judged.skipped:
        judged.findings.append(
            maker.unclear(
                "",
                "",
                "",
                "LAB",
                "not-evaluated",
                mark("Des attentes n'ont pas pu être évaluées : {trouve}."),
                tr("toutes les attentes évaluées"),
                tr("{nombre} attentes non évaluées", nombre=judged.skipped),
            )
        )
