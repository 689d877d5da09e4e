"""`poincon sut init | check` and `poincon run`."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import msgspec

from harness import preflight
from harness.errors import PreflightError
from harness.record import CaseVerdict, Verdicts
from harness.runfile import RunFile
from norms import loader
from norms.errors import UsageError
from norms.i18n import tr
from poincon.conduct import campaign_of, write_reports
from poincon.console import print_json
from poincon.guided import run_guided
from poincon.places import sandbox_keys
from poincon.practice import trial_prefill
from reports.wording import blame_words, relayed_sentence, run_verdict_word, verdict_word
from scenarios.template import sut_template

SHOWN_FINDINGS = 12


def init(arguments: Namespace) -> int:
    """Write a commented sut.yaml for a product of that norm; the laboratory's own keys of role client stand in it."""
    norm = loader.load(arguments.norm)
    known = None
    if arguments.role == "client":
        folder = arguments.out.parent if arguments.out else Path()
        known = trial_prefill(norm, sandbox_keys(arguments.data), "client", folder)
    text = sut_template(norm, arguments.role, known)
    if arguments.out is None:
        sys.stdout.write(text)
        return 0
    if arguments.out.exists():
        raise UsageError(tr("« {file} » existe déjà ; il n'est pas remplacé.", file=arguments.out))
    arguments.out.write_text(text, encoding="utf-8")
    pki = sandbox_keys(arguments.data)
    print(tr("Écrit : {file}. Remplissez-le, puis : poincon sut check {file}", file=arguments.out))
    print(tr("Clés et certificats d'essai : {folder}", folder=pki.folder))
    return 0


def check(arguments: Namespace) -> int:
    """Say everything that would make a run fail for reasons of configuration; exit 2 when there is any."""
    cases = 0
    try:
        campaign = campaign_of(arguments.sut)
    except PreflightError as error:
        problems = list(error.problems)
    else:
        cases = len(campaign.suite.cases)
        problems = preflight.check(campaign.norm, campaign.declaration, campaign.suite)
    if arguments.json:
        print_json([{"file": p.file, "line": p.line, "what": p.what, "remedy": p.remedy} for p in problems])
    else:
        for problem in problems:
            print(problem)
        if not problems:
            print(tr("Prêt : {cases} cas à exécuter.", cases=cases))
    return 2 if problems else 0


def run(arguments: Namespace) -> int:
    """Run the suite on the product of a declaration, write the reports, and return the run's exit code."""
    campaign = campaign_of(arguments.sut)
    result = run_guided(campaign, arguments.out, jobs=arguments.jobs, select=arguments.select, resume=arguments.resume)
    bilan = write_reports(result.folder)
    if arguments.json:
        sys.stdout.write((result.folder / "run.json").read_text(encoding="utf-8"))
        return result.exit_code
    print("\n".join((*summary(result.verdicts), *relayed(result.folder))))
    if result.stopped:
        print(result.stopped)
    print(tr("Bilan : {file}", file=bilan))
    print(tr("JUnit : {file}", file=result.folder / "junit.xml"))
    print(tr("Preuves : {folder}", folder=result.folder))
    if result.exit_code and result.verdicts.verdict == "pass":
        print(
            tr(
                "Sélection partielle : ce passage ne vaut pas pour un certificat (code de sortie {code}).",
                code=result.exit_code,
            )
        )
    return result.exit_code


def summary(verdicts: Verdicts) -> Iterator[str]:
    """Yield the lines that a terminal shows at the end of a run: findings first, every count last."""
    amiss = [case for case in verdicts.cases if case.verdict in ("fail", "error", "inconclusive")]
    for case in amiss[:SHOWN_FINDINGS]:
        yield from case_lines(case)
    if len(amiss) > SHOWN_FINDINGS:
        yield tr("… et {more} autres cas : voir le bilan.", more=len(amiss) - SHOWN_FINDINGS)
    counts = verdicts.counts
    yield (
        f"{verdicts.norm} : {run_verdict_word(verdicts.verdict)}"
        f" – {counts.passed} {verdict_word('pass')}, {counts.fail} {verdict_word('fail')},"
        f" {counts.inconclusive} {verdict_word('inconclusive')}, {counts.error} {verdict_word('error')},"
        f" {counts.not_run} {verdict_word('not_run')}, {counts.not_selected} {verdict_word('not_selected')}"
    )


def relayed(folder: Path) -> Iterator[str]:
    """Yield the sentence that a run with relayed exchanges is told with, nothing for any other."""
    if count := msgspec.json.decode((folder / "run.json").read_bytes(), type=RunFile).relayed:
        yield relayed_sentence(count)


def case_lines(case: CaseVerdict) -> Iterator[str]:
    """Yield what a terminal shows of a case: requirement, expected, actual, and who is to blame."""
    yield f"{case.id}  {verdict_word(case.verdict)}"
    if case.reason:
        yield f"  {case.reason}"
    for finding in case.findings:
        if finding.verdict == "remark":
            continue
        place = f" {finding.location.path}" if finding.location.path else ""
        line = f" ({tr('ligne')} {finding.location.line})" if finding.location.line else ""
        yield f"  {tr('Exigence')}  {finding.requirement}  {finding.sentence}"
        yield f"  {tr('Attendu')}   {finding.expected}"
        yield f"  {tr('Constaté')}  {finding.actual}{place}{line}"
        yield f"  {tr('En cause')}  {blame_words(finding.blame)}"


def folder_of(run: Path) -> Path:
    """Return the run folder that a person named, or refuse a directory that is none."""
    if not (run / "journal.jsonl").is_file():
        raise UsageError(tr("« {folder} » n'est pas un dossier d'exécution : journal.jsonl y manque.", folder=run))
    return run
