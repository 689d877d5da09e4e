"""The verdicts of a run: counting them, the verdict of the whole, the exit code, and their canonical bytes.

Source: docs/formats/verdicts.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from harness.record import CaseVerdict, Counts, Finding, Verdicts
from norms.errors import DataError
from norms.i18n import tr, tr_in
from scenarios.model import Suite

FORMAT: Final = "poincon/verdicts/1"
_ORDER: Final = ("fail", "error", "inconclusive")
"""The worst first: what a case is when its findings differ, and what a run is when its cases do."""
EXIT: Final = {"pass": 0, "fail": 1, "inconclusive": 3, "error": 4}


def verdict_of_findings(findings: Iterable[Finding]) -> str:
    """Return the verdict of a case from what was found; remarks never change it."""
    found = {finding.verdict for finding in findings}
    return next((verdict for verdict in _ORDER if verdict in found), "pass")


def count(cases: Iterable[CaseVerdict]) -> Counts:
    """Return how many cases have each verdict."""
    number = Counter(case.verdict for case in cases)
    return Counts(
        passed=number["pass"],
        fail=number["fail"],
        inconclusive=number["inconclusive"],
        error=number["error"],
        not_selected=number["not_selected"],
        not_run=number["not_run"],
    )


def overall(counts: Counts) -> str:
    """Return the verdict of a run; one in which nothing was judged is inconclusive, never a pass."""
    if counts.fail:
        return "fail"
    if counts.error:
        return "error"
    return "pass" if counts.passed and not counts.inconclusive else "inconclusive"


def assemble(suite: Suite, tool: str, cases: Iterable[CaseVerdict]) -> Verdicts:
    """Return the verdicts of a run over `suite`: its cases in its order, then those that were not selected.

    cases: one verdict per case that was taken on, in any order; a case of the suite without one was not run.
    """
    given = {case.id: case for case in cases}
    missing = tr_in("fr", "aucun verdict n'a été rendu")
    judged = [
        given.get(case.id) or CaseVerdict(case.id, case.scenario, "not_run", case.requirements, reason=missing)
        for case in suite.cases
    ]
    judged += [CaseVerdict(each.id, each.id, "not_selected", (), reason=each.reason) for each in suite.not_selected]
    counts = count(judged)
    return Verdicts(
        format=FORMAT,
        tool=tool,
        norm=suite.norm,
        norm_digest=suite.norm_digest,
        suite=suite.digest,
        role=suite.role,
        verdict=overall(counts),  # type: ignore[arg-type]
        counts=counts,
        cases=tuple(judged),
    )


def exit_code(verdicts: Verdicts, *, partial: bool = False) -> int:
    """Return the exit code of a run: 1 any fail, 4 any error, 3 inconclusive or nothing tested, 0 all pass.

    partial: a certification run that left cases out; it is inconclusive at best.
    """
    code = EXIT[overall(verdicts.counts)]
    return 3 if partial and code == 0 else code


def canonical(verdicts: Verdicts) -> bytes:
    """Return the bytes of verdicts.json: UTF-8, keys sorted, one-space indentation, one line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(verdicts, order="sorted"), indent=1) + b"\n"


def read_verdicts(content: bytes, file: str = "") -> Verdicts:
    """Return the verdicts of a verdicts.json. Raises DataError."""
    try:
        verdicts = msgspec.json.decode(content, type=Verdicts)
    except (msgspec.MsgspecError, UnicodeDecodeError) as bad:
        raise DataError(tr("Ce fichier ne contient pas de verdicts lisibles : {why}.", why=bad), file=file) from bad
    if verdicts.format != FORMAT:
        raise DataError(tr("Le format « {nom} » est inconnu.", nom=verdicts.format), file=file)
    return verdicts
