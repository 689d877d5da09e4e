"""From a run folder to what the reports tell about. Source: docs/formats/run.md."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from harness.errors import RunFolderError
from harness.evidence import RunRecord, read_run
from harness.folder import SUT, SutRecord
from harness.rejudge import recorded_anchors, recorded_norm
from norms.i18n import tr
from norms.wire.trust import Anchors, load_anchors
from reports.subject import Product, RunFacts, Subject

RECOGNISED: Final = "POINCON_RECOGNISED"


def subject_of(folder: Path) -> Subject:
    """Return what a finished run tells, with the very norm files that it was run against.

    Raises RunFolderError (no run, damaged, not finished) or DataError.
    """
    record = read_run(folder)
    if record.verdicts is None or record.finished is None:
        raise RunFolderError(
            tr("Ce passage n’est pas terminé : il n’a pas de verdicts."),
            file=folder,
            remedy=tr("Reprenez-le avec --resume."),
        )
    return Subject(
        facts=_facts(record, declared(folder)),
        norm=recorded_norm(record),
        suite=record.suite,
        verdicts=record.verdicts,
        exchanges=record.exchanges,
    )


def declared(folder: Path) -> SutRecord:
    """Return the declaration as the run recorded it. Raises RunFolderError."""
    path = folder / SUT
    try:
        return msgspec.json.decode(path.read_bytes(), type=SutRecord)
    except (OSError, ValueError) as bad:
        raise RunFolderError(tr("Ce fichier ne se lit pas : {erreur}.", erreur=bad), file=path) from bad


def _facts(record: RunRecord, sut: SutRecord) -> RunFacts:
    finished = record.finished
    stopped = finished.stopped if finished is not None else ""
    return RunFacts(
        id=record.begun.run,
        tool=record.begun.tool,
        started_at=record.begun.started,
        finished_at=finished.time if finished is not None else "",
        product=Product(sut.vendor, sut.name, sut.version),
        profiles=sut.profiles,
        claims=sut.ics,
        endpoints=sut.endpoints,
        partial=bool(record.begun.select),
        stopped=stopped,
        sandbox_authority=not _recognised(recorded_anchors(record.folder)),
        evidence_root=record.root,
        evidence_records=record.entries,
        durations={entry.case: entry.duration_ms for entry in record.cases},
        relayed=sum(entry.relayed for entry in record.cases),
    )


def recognised_authorities() -> Anchors | None:
    """Return the authorities that the association recognises: a PEM file or folder named by POINCON_RECOGNISED.

    None when none is named: then nothing is recognised and every document says that it has no legal value.
    """
    named = os.environ.get(RECOGNISED, "")
    return load_anchors(Path(named)) if named else None


def _recognised(used: Anchors | None) -> bool:
    known = recognised_authorities()
    if used is None or known is None:
        return False
    return all(authority in known.authorities for authority in used.authorities)
