"""What the engine tells the world while it runs. Writers and progress displays listen; nothing comes back from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.record import CaseVerdict, Exchange, Verdicts


@dataclass(frozen=True)
class RunStarted:
    """The run begins. cases: how many will be run; kept: how many a resumed run already had."""

    run: str
    folder: Path
    norm: str
    cases: int
    kept: int = 0


@dataclass(frozen=True)
class CaseStarted:
    """A case begins. title: in the reader's language."""

    case: str
    title: str


@dataclass(frozen=True)
class ExchangeRecorded:
    """An exchange has ended; it is safe on the disk only when its case has finished."""

    exchange: Exchange


@dataclass(frozen=True)
class CaseFinished:
    """A case is judged and its evidence is on the disk: its verdict is acknowledged."""

    verdict: CaseVerdict
    duration_ms: float


@dataclass(frozen=True)
class RunFinished:
    """Every case has its verdict. stopped: why the run ended early, "" when it did not."""

    folder: Path
    verdicts: Verdicts
    exit_code: int
    stopped: str = ""


Event = RunStarted | CaseStarted | ExchangeRecorded | CaseFinished | RunFinished
Listener = Callable[[Event], None]
"""Called one event at a time, never from two threads at once; an exception ends the run."""
