"""The kill rate that a certificate prints, read from what `poincon kill-rate --json` recorded."""

from __future__ import annotations

from pathlib import Path

import msgspec

from norms.errors import DataError
from norms.i18n import tr
from reports.certificate import KillRate
from scenarios.model import Suite


class KillRecord(msgspec.Struct, frozen=True):
    """How well a suite finds seeded faults. suite: digest of norm and scenarios, before any declaration.

    survivors: faults that no case found; variants: conformant partners tried; false_alarms: those that a case refused;
    partial: only some faults were tried, which says nothing of the suite.
    """

    norm: str
    role: str
    suite: str
    total: int
    killed: int
    survivors: tuple[str, ...] = ()
    false_alarms: int | tuple[str, ...] = 0
    variants: int | tuple[str, ...] = 0
    tool: str = ""
    partial: bool = False


def read_kill_record(path: Path) -> KillRecord:
    """Read a kill record. Raises DataError when it cannot be read or counts more than there is."""
    try:
        record = msgspec.json.decode(path.read_bytes(), type=KillRecord)
    except (OSError, ValueError) as bad:
        raise DataError(tr("Ce relevé de détection ne se lit pas : {why}.", why=bad), file=path) from bad
    if not 0 <= record.killed <= record.total:
        raise DataError(tr("Ce relevé de détection compte plus de défauts détectés que de défauts."), file=path)
    return record


def kill_rate_for(suite: Suite, record: KillRecord | None) -> KillRate | None:
    """Return the kill rate of this very suite; None when it was not measured, in part only, or on another suite."""
    if (
        record is None
        or record.partial
        or (record.norm, record.role) != (suite.norm, suite.role)
        or record.suite != suite.source
    ):
        return None
    return KillRate(
        record.killed, record.total, _count(record.variants), _count(record.false_alarms), record.tool or "–"
    )


def _count(value: int | tuple[str, ...]) -> int:
    return value if isinstance(value, int) else len(value)
