"""`poincon conformance` (make conformance): every norm in use against the embedded sandbox, or one real product."""

from __future__ import annotations

import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from harness.run import RunResult, new_run_folder
from norms import loader
from norms.i18n import tr
from norms.model import Norm
from norms.publication import withdrawn
from poincon.commands.certificate import register_folder
from poincon.conduct import Campaign, campaign_of, run_campaign, write_reports
from poincon.console import note, print_table
from poincon.places import sandbox_data
from poincon.practice import practice_declaration
from poincon.progress import ProgressDisplay
from reports.errors import GateClosedError
from reports.issue import certify
from reports.verify import verify_certificate
from reports.wording import run_verdict_word
from sandbox.pki import ensure
from sandbox.serve import Specification, spawn
from scenarios.reader import read_scenarios


@dataclass(frozen=True)
class Line:
    """One line of the table. certificate: file, "" when none was issued; ok: run passed and certificate verified."""

    norm: str
    cases: int
    verdict: str
    seconds: float
    bilan: Path
    certificate: str
    ok: bool


def conformance(arguments: Namespace) -> int:
    """Run, report, certify and verify; print one table; exit 0 only when every line is well."""
    jobs, out = arguments.jobs, arguments.out
    if arguments.sut is not None:
        lines = [_line(campaign_of(arguments.sut), out, jobs)]
    else:
        norms = [norm for norm in map(loader.load, loader.available()) if _practised(norm)]
        lines = [_practice(norm, out, jobs) for norm in norms]
    print_table(
        (tr("norme"), tr("cas"), tr("verdict"), tr("durée"), tr("certificat ou bilan")),
        [
            (line.norm, str(line.cases), line.verdict, f"{line.seconds:.1f} s", line.certificate or tr("non délivré"))
            for line in lines
        ],
    )
    for line in lines:
        print(tr("{norm} : {bilan}", norm=line.norm, bilan=line.bilan))
        print(tr("{norm} : preuves {folder}", norm=line.norm, folder=line.bilan.parent))
    print(tr("Autorité du sceau : {file}", file=ensure(sandbox_data() / "pki").authority))
    return 0 if lines and all(line.ok for line in lines) else 1


def _practised(norm: Norm) -> bool:
    return bool(norm.services and read_scenarios(norm)) and not list(withdrawn(norm))


def _practice(norm: Norm, out: Path, jobs: int) -> Line:
    """Run the suite of one norm against simulators in a process of their own."""
    data = sandbox_data()
    with spawn(Specification(norms=(norm.ref,), data=str(data))) as sandbox:
        declaration = data / f"{norm.id}-{norm.version}.yaml"
        declaration.write_text(
            practice_declaration(norm, sandbox.endpoints(norm=norm.ref), ensure(data / "pki")), encoding="utf-8"
        )
        return _line(campaign_of(declaration), out, jobs)


def _line(campaign: Campaign, out: Path, jobs: int) -> Line:
    started = time.monotonic()
    with ProgressDisplay() as progress:
        result = run_campaign(campaign, new_run_folder(out, campaign.suite), jobs=jobs, listeners=(progress,))
    bilan = write_reports(result.folder)
    certificate = _certified(result)
    return Line(
        norm=campaign.norm.ref,
        cases=len(result.verdicts.cases),
        verdict=run_verdict_word(result.verdicts.verdict),
        seconds=time.monotonic() - started,
        bilan=bilan,
        certificate=str(certificate) if certificate else "",
        ok=result.exit_code == 0 and certificate is not None,
    )


def _certified(result: RunResult) -> Path | None:
    """Issue the certificate and verify it against evidence and authority; None when the gate stays closed."""
    pki = ensure(sandbox_data() / "pki")
    target = result.folder / "certificate.xml"
    try:
        certify(result.folder, pki.identity("seal"), register_folder(), target)
    except GateClosedError as closed:
        note(str(closed))
        return None
    report = verify_certificate(target, result.folder, pki.authority)
    if not report.valid:
        note("\n".join(report.lines))
        return None
    return target
