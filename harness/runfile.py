"""run.json: the result of a run for machines, derived wholly from the journal, the verdicts and the declaration.

Source: docs/formats/run.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from harness.errors import RunFolderError
from harness.folder import SUT, SutRecord, canonical
from harness.journal import Begun, Entry
from harness.record import CaseVerdict, Counts, Place, Verdicts
from harness.verdicts import exit_code
from norms.i18n import tr

FORMAT: Final = "poincon/run-result/1"


class ProductName(msgspec.Struct, frozen=True):
    """Who was tested."""

    vendor: str
    name: str
    version: str


class FindingLine(msgspec.Struct, frozen=True):
    """A finding as machines need it; verdicts.json has all of it."""

    requirement: str
    level: str
    verdict: str
    blame: str
    location: Place
    expected: str
    actual: str


class CaseLine(msgspec.Struct, frozen=True):
    """A case and its findings. duration_ms: time its exchanges took; reason: why it was not run or not selected."""

    id: str
    verdict: str
    requirements: tuple[str, ...]
    duration_ms: float
    findings: tuple[FindingLine, ...]
    reason: str = ""


class Evidence(msgspec.Struct, frozen=True):
    """What binds the evidence. journal: SHA-256 of its last line; entries: its lines; root: Merkle root."""

    journal: str
    entries: int
    root: str


class RunFile(msgspec.Struct, frozen=True):
    """The content of run.json. partial: only some cases were selected; stopped: why the run ended early.

    relayed: how many exchanges the relay carried, not written when none: such a run cannot be certified.
    """

    format: str
    run: str
    tool: str
    product: ProductName
    norm: str
    norm_digest: str
    suite: str
    role: str
    started: str
    finished: str
    partial: bool
    certification: bool
    stopped: str
    verdict: str
    exit_code: int
    counts: Counts
    cases: tuple[CaseLine, ...]
    evidence: Evidence
    relayed: int | msgspec.UnsetType = msgspec.UNSET


def exit_code_of(verdicts: Verdicts, begun: Begun) -> int:
    """Return the exit code of a run (docs/formats/verdicts.md); a certification run that left cases out cannot pass."""
    return exit_code(verdicts, partial=bool(begun.select) and begun.certification)


def run_file(
    folder: Path,
    begun: Begun,
    cases: Sequence[Entry],
    finished: Entry,
    verdicts: Verdicts,
    head: str,
    entries: int,
    root: str,
) -> bytes:
    """Return the bytes of run.json; raises RunFolderError when sut.json cannot be read."""
    durations = {entry.case: entry.duration_ms for entry in cases}
    try:
        sut = msgspec.json.decode((folder / SUT).read_bytes(), type=SutRecord)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RunFolderError(tr("Ce fichier ne se lit pas : {erreur}.", erreur=error), file=folder / SUT) from error
    return canonical(
        RunFile(
            format=FORMAT,
            run=begun.run,
            tool=begun.tool,
            product=ProductName(sut.vendor, sut.name, sut.version),
            norm=begun.norm,
            norm_digest=begun.norm_digest,
            suite=begun.suite,
            role=verdicts.role,
            started=begun.started,
            finished=finished.time,
            partial=bool(begun.select),
            certification=begun.certification,
            stopped=finished.stopped,
            verdict=verdicts.verdict,
            exit_code=exit_code_of(verdicts, begun),
            counts=verdicts.counts,
            cases=tuple(_line(case, durations.get(case.id, 0.0)) for case in verdicts.cases),
            evidence=Evidence(head, entries, root),
            relayed=sum(entry.relayed for entry in cases) or msgspec.UNSET,
        )
    )


def _line(case: CaseVerdict, duration_ms: float) -> CaseLine:
    return CaseLine(
        id=case.id,
        verdict=case.verdict,
        requirements=case.requirements,
        duration_ms=duration_ms,
        findings=tuple(
            FindingLine(
                each.requirement, each.level, each.verdict, each.blame, each.location, each.expected, each.actual
            )
            for each in case.findings
        ),
        reason=case.reason,
    )
