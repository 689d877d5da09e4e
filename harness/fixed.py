"""Verdicts that do not come from exchanges: a case that could not be run, or an incident of the laboratory."""

from __future__ import annotations

from typing import Literal

from harness.record import CaseVerdict, Finding, Place
from norms.i18n import speaking, tr
from scenarios.model import Case


def fixed_verdict(case: Case, verdict: Literal["not_run", "error"], reason: str) -> CaseVerdict:
    """Return the verdict of a case that is not judged on its exchanges: not_run, or error for an incident of ours."""
    findings: tuple[Finding, ...] = ()
    if verdict == "error":
        with speaking("fr"):
            expected = tr("un cas que le laboratoire sait exécuter")
        findings = (
            Finding(
                requirement="",
                level="",
                severity="",
                verdict="error",
                blame="LAB",
                check="",
                reason="case-not-runnable",
                location=Place(),
                expected=expected,
                actual=reason,
                sentence="",
            ),
        )
    return CaseVerdict(case.id, case.scenario, verdict, case.requirements, findings, 0, reason)
