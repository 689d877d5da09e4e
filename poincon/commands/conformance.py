"""`poincon conformance` (make conformance): every norm in use against the embedded sandbox, or one real product."""

from __future__ import annotations

import os
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from harness.driver import Actor
from harness.record import Counts
from harness.run import new_run_folder
from norms import loader
from norms.errors import UsageError
from norms.i18n import tr
from norms.model import Norm
from norms.publication import withdrawn
from poincon.commands.certificate import register_folder
from poincon.conduct import Campaign, campaign_of, run_campaign, write_reports
from poincon.console import note, print_table
from poincon.places import sandbox_data, sandbox_keys
from poincon.practice import driven_by_robot, practice_declaration
from poincon.progress import ProgressDisplay
from poincon.software import ROBOTS, RobotActor
from reports.errors import GateClosedError
from reports.issue import Issued, certify
from reports.kill import KillRecord, kill_rate_for, read_kill_record
from reports.verify import verify_certificate
from reports.wording import run_verdict_word
from sandbox.plan import Plan
from sandbox.serve import Specification, spawn
from scenarios.model import Role
from scenarios.reader import read_scenarios

ROLES: Final[tuple[Role, ...]] = ("server", "client")


@dataclass(frozen=True)
class Line:
    """One line of the table. document: word for what was issued and verified; ok: run passed and document valid."""

    norm: str
    role: str
    verdict: str
    counts: Counts = field(default_factory=Counts)
    seconds: float = 0.0
    folder: Path | None = None
    document: str = ""
    ok: bool = False

    @property
    def cases(self) -> int:
        """How many cases the suite holds, played or not."""
        return sum(_numbers(self.counts))


def conformance(arguments: Namespace) -> int:
    """Run, report, certify and verify; print one table; exit 0 only when every line is well."""
    jobs, out = arguments.jobs, arguments.out
    records = _kill_records(arguments.kill_records)
    if arguments.sut is not None and arguments.norms:
        raise UsageError(tr("--sut nomme déjà la norme : ne donnez pas de NORME avec lui."))
    if arguments.sut is not None:
        lines = [_line(campaign_of(arguments.sut), out, jobs, records)]
    else:
        norms = [norm for norm in map(loader.load, arguments.norms or loader.available()) if _practised(norm)]
        lines = [_practice(norm, role, out, jobs, records) for norm in norms for role in _roles(norm, arguments.role)]
    _print(lines)
    return 0 if lines and all(line.ok for line in lines) else 1


def _practised(norm: Norm) -> bool:
    """Say whether the norm has something to try: shared types have no service, a withdrawn norm certifies nothing."""
    return bool(norm.services) and not list(withdrawn(norm))


def _roles(norm: Norm, wanted: Role | None) -> tuple[Role, ...]:
    """Return the roles to try: the one wanted, else those for which the norm has pages; one without any is told so."""
    if wanted:
        return (wanted,)
    written = {scenario.role for scenario in read_scenarios(norm)}
    return tuple(role for role in ROLES if role in written) or ROLES[:1]


def _practice(norm: Norm, role: Role, out: Path, jobs: int, records: Sequence[KillRecord]) -> Line:
    """Run the suite of one norm for one role: against simulators in a process of their own, or with the robot."""
    if not any(scenario.role == role for scenario in read_scenarios(norm)):
        return Line(norm.ref, role, tr("aucun scénario"))
    data, keys = sandbox_data(), sandbox_keys()
    declaration = data / f"{norm.id}-{norm.version}-{role}.yaml"
    if role == "client":
        declaration.write_text(practice_declaration(norm, {}, keys, role), encoding="utf-8")
        campaign = campaign_of(declaration)
        campaign = replace(campaign, declaration=driven_by_robot(campaign.declaration))
        return _line(campaign, out, max(jobs, ROBOTS), records, RobotActor(norm, keys, Plan()))
    with spawn(Specification(norms=(norm.ref,), data=str(data))) as sandbox:
        declaration.write_text(practice_declaration(norm, sandbox.endpoints(norm=norm.ref), keys), encoding="utf-8")
        return _line(campaign_of(declaration), out, jobs, records)


def _line(
    campaign: Campaign, out: Path, jobs: int, records: Sequence[KillRecord], operator: Actor | None = None
) -> Line:
    started, folder = time.monotonic(), new_run_folder(out, campaign.suite)
    with ProgressDisplay() as progress:
        result = run_campaign(campaign, folder, jobs=jobs, listeners=(progress,), operator=operator)
    write_reports(result.folder)
    measured = next((record for record in records if kill_rate_for(campaign.suite, record)), None)
    document, valid = _certified(result.folder, measured)
    return Line(
        norm=campaign.norm.ref,
        role=campaign.suite.role,
        verdict=run_verdict_word(result.verdicts.verdict),
        counts=result.verdicts.counts,
        seconds=time.monotonic() - started,
        folder=result.folder,
        document=document,
        ok=result.exit_code == 0 and valid,
    )


def _certified(folder: Path, record: KillRecord | None) -> tuple[str, bool]:
    """Issue the document of a run, verify it against evidence and authority; return its word and whether it holds."""
    keys = sandbox_keys()
    try:
        issued = certify(folder, keys.identity("seal"), register_folder(), folder, record)
    except GateClosedError as closed:
        note(str(closed))
        return tr("non délivré"), False
    report = verify_certificate(issued.path, folder, keys.authority)
    if not report.valid:
        note("\n".join(report.lines))
        return tr("non valable"), False
    return _word(issued), True


def _word(issued: Issued) -> str:
    return tr("certificat") if issued.content.kind == "certificate" else tr("bilan signé")


def _kill_records(folder: Path | None) -> list[KillRecord]:
    return [read_kill_record(path) for path in sorted(folder.glob("*.json"))] if folder is not None else []


def _numbers(counts: Counts) -> tuple[int, ...]:
    return (
        counts.passed, counts.fail, counts.inconclusive, counts.error, counts.not_selected + counts.not_run,
    )  # fmt: skip


def _print(lines: Sequence[Line]) -> None:
    """Print a line for each norm, with the counts that any of them has, then where the evidence is."""
    names = (tr("conf."), tr("non conf."), tr("non concl."), tr("incid."), tr("non joué"))
    used = [column for column in range(len(names)) if any(_numbers(line.counts)[column] for line in lines)]
    counted = tuple(names[column] for column in used)
    print_table(
        (tr("norme"), tr("rôle"), tr("cas"), tr("verdict"), *counted, tr("durée"), tr("document")),
        [
            (line.norm, line.role, str(line.cases), line.verdict,
             *(str(_numbers(line.counts)[column]) for column in used),
             f"{line.seconds:.0f} s", line.document or tr("non délivré"))
            for line in lines
        ],
    )  # fmt: skip
    print()
    print(tr("Preuves, bilan (bilan.html) et document signé :"))
    wide = max((len(line.norm) for line in lines), default=0)
    for line in lines:
        if line.folder is not None:
            print(f"  {line.norm:{wide}}  {line.role}  {_nearby(line.folder)}")
    print(tr("Autorité du sceau : {file}", file=_nearby(sandbox_keys().authority)))


def _nearby(path: Path) -> str:
    """Return the path as seen from the working directory, when that is shorter."""
    return min(os.path.relpath(path), str(path.absolute()), key=len)
