"""Runs the cases of a suite on several threads and acknowledges each verdict once its evidence is on the disk.

Workers run cases. The calling thread judges them, writes the evidence, syncs it (one sync for all cases that are
ready), and only then tells the listeners; meanwhile the workers run the next ones. After N cases in a row that the
network spoilt the rest is not run: a case with an exchange that nothing answered is therefore judged by its worker,
before another begins there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

from harness.casework import CaseRun, CaseRunner, State, total_ms
from harness.errors import EvidenceError
from harness.events import CaseFinished, CaseStarted, Event, ExchangeRecorded, Listener
from harness.fixed import fixed_verdict
from harness.locks import GivenLocks
from harness.record import CaseVerdict, Exchange
from harness.recorder import CaseRecord, Recorder
from norms.i18n import tr
from scenarios.model import Case

NETWORK_LIMIT: Final = 5
_ARRIVED: Final = ("answered", "received")

Judge = Callable[[Case, Sequence[Exchange], State, str], CaseVerdict]
"""Of a case, its exchanges, and the state and reason that fix its verdict (`harness.rejudge.judge_recorded`)."""


@dataclass(frozen=True)
class Done:
    """A case that was run and judged but is not acknowledged yet."""

    run: CaseRun
    verdict: CaseVerdict


@dataclass(frozen=True)
class _Answered:
    """A case that was run, every exchange of which was answered, and that is still to be judged."""

    case: Case
    run: CaseRun


@dataclass(frozen=True)
class EngineResult:
    """verdicts: of the cases given, in their order; stopped: why the rest was not run, "" when all was."""

    verdicts: tuple[CaseVerdict, ...]
    stopped: str = ""


@dataclass
class _Fuse:
    """Says when the rest is not to be run: after too many cases in a row that the network spoilt. why: "" = it is."""

    limit: int
    count: int = 0
    why: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def blown(self) -> bool:
        """Whether the rest is not to be run."""
        return bool(self.why)

    def blow(self, why: str) -> None:
        """Let no further case begin; the first reason stays."""
        with self.lock:
            self.why = self.why or why

    def reset(self) -> None:
        """Take a case into account that the network did not spoil."""
        with self.lock:
            self.count = 0

    def note(self, verdict: CaseVerdict) -> None:
        """Take one more verdict into account; a case that was not run says nothing of the network."""
        if verdict.verdict == "not_run":
            return
        with self.lock:
            self.count = self.count + 1 if spoilt_by_network(verdict) else 0
            spoilt = self.count >= self.limit
        if spoilt:
            self.blow(tr("Le produit n'a pas répondu pour {nombre} cas de suite.", nombre=self.limit))


@dataclass
class Engine:
    """Runs cases. judge: pure, called on a worker; listeners: told one event at a time; jobs: cases at once.

    stop_at_fail: leave out the rest once a case has failed, for who wants to know no more than that.
    """

    runner: CaseRunner
    judge: Judge
    recorder: Recorder
    listeners: Sequence[Listener] = ()
    jobs: int = 1
    network_limit: int = NETWORK_LIMIT
    stop_at_fail: bool = False
    _locks: GivenLocks = field(default_factory=GivenLocks, init=False)
    _telling: threading.Lock = field(default_factory=threading.Lock, init=False)

    def run(self, cases: Sequence[Case]) -> EngineResult:
        """Run `cases` and return their verdicts; raises EvidenceError when the evidence cannot be kept."""
        fuse = _Fuse(self.network_limit)
        verdicts: dict[str, CaseVerdict] = {}
        waiting: Iterator[Case] = iter(cases)
        running: list[Future[Done | _Answered | None]] = []
        with ThreadPoolExecutor(self.jobs, thread_name_prefix="case") as pool:
            try:
                ready: list[Done] = []
                while True:
                    # Twice as many as run at once, so that no worker waits while evidence goes to the disk.
                    while len(running) < 2 * self.jobs and (case := next(waiting, None)) is not None:
                        running.append(pool.submit(self._one, case, fuse))
                    self._acknowledge(ready)
                    verdicts.update((done.verdict.id, done.verdict) for done in ready)
                    if not running:
                        break
                    finished = wait(running, return_when=FIRST_COMPLETED).done
                    ended = [future.result() for future in running if future in finished]
                    ready = [self._finished(each, fuse) for each in ended if each is not None]
                    running = [future for future in running if future not in finished]
                    if self.stop_at_fail and any(done.verdict.verdict == "fail" for done in ready):
                        fuse.blow(tr("Un cas est non conforme : le reste n'est pas exécuté."))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        stopped = fuse.why
        if fuse.blown:
            rest = [case for case in cases if case.id not in verdicts]
            verdicts.update((verdict.id, verdict) for verdict in self.leave_out(rest, stopped))
        return EngineResult(tuple(verdicts[case.id] for case in cases), stopped)

    def leave_out(self, cases: Sequence[Case], reason: str) -> list[CaseVerdict]:
        """Record cases as not run, with the reason, and return their verdicts."""
        left = [Done(CaseRun((), "not_run", reason), fixed_verdict(case, "not_run", reason)) for case in cases]
        self._acknowledge(left)
        return [done.verdict for done in left]

    def _one(self, case: Case, fuse: _Fuse) -> Done | _Answered | None:
        """Run one case on a worker; None when the fuse blew before it began."""
        # In role client the state of a person is that of a session, which no other case shares.
        with self._locks.hold(case.given, exclusive=case.exclusive and case.role == "server"):
            if fuse.blown:
                return None
            self._tell(CaseStarted(case.id, str(case.title)))
            run = self._guarded(case)
        if not run.state and all(exchange.outcome in _ARRIVED for exchange in run.exchanges):
            fuse.reset()
            return _Answered(case, run)
        done = self._judged(case, run)
        fuse.note(done.verdict)
        return done

    def _finished(self, ended: Done | _Answered, fuse: _Fuse) -> Done:
        if isinstance(ended, Done):
            return ended
        done = self._judged(ended.case, ended.run)
        if spoilt_by_network(done.verdict):
            fuse.note(done.verdict)
        return done

    def _judged(self, case: Case, run: CaseRun) -> Done:
        if run.state == "error":
            return Done(run, fixed_verdict(case, "error", run.reason))
        try:
            return Done(run, self.judge(case, run.exchanges, run.state, run.reason))
        except Exception as error:  # noqa: BLE001 - a judge that crashes knows nothing: an incident, never a pass
            failed = CaseRun(run.exchanges, "error", f"{type(error).__name__}: {error}")
            return Done(failed, fixed_verdict(case, "error", failed.reason))

    def _guarded(self, case: Case) -> CaseRun:
        try:
            return self.runner.run(case, lambda exchange: self._tell(ExchangeRecorded(exchange)))
        except EvidenceError:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours becomes an incident of this case, never a pass
            return CaseRun((), "error", f"{type(error).__name__}: {error}")

    def _acknowledge(self, ready: Sequence[Done]) -> None:
        for done in ready:
            run, verdict = done.run, done.verdict
            self.recorder.case(
                CaseRecord(verdict.id, verdict.verdict, run.state, run.reason, run.exchanges, total_ms(run.exchanges))
            )
        if ready:
            self.recorder.sync()
        for done in ready:
            self._tell(CaseFinished(done.verdict, total_ms(done.run.exchanges)))

    def _tell(self, event: Event) -> None:
        with self._telling:
            for listener in self.listeners:
                listener(event)


def spoilt_by_network(verdict: CaseVerdict) -> bool:
    """Tell whether nothing but the network kept this case from a verdict."""
    return verdict.verdict == "inconclusive" and any(finding.blame == "NETWORK" for finding in verdict.findings)
