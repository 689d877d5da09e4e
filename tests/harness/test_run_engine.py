"""The engine: what crashes is an incident and never a pass; nothing is acknowledged before it is on the disk."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.casework import CaseRun
from harness.engine import Engine
from harness.events import CaseFinished, CaseStarted, Event
from harness.journal import FORMAT, Begun
from harness.locks import GivenLocks
from harness.record import CaseVerdict, Exchange
from harness.recorder import Recorder
from harness.run import run
from norms.errors import DataError
from norms.model import Norm
from scenarios.model import Case
from tests.harness.lab import case, echo, make_suite, options, pong
from tests.harness.servers import serving
from tests.harness.test_warc import EXCHANGE


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    (tmp_path / "r").mkdir()
    recorder = Recorder(tmp_path / "r")
    recorder.begin(Begun(FORMAT, "r", "t", "essai/1.0", "n", "s", "2026-01-01T00:00:00Z"))
    return recorder


class Runner:
    """Runs nothing; crash: ids of cases in which this program itself breaks."""

    def __init__(self, crash: Sequence[str] = ()) -> None:
        self._crash = crash

    def run(self, case: Case, record: object) -> CaseRun:
        if case.id in self._crash:
            raise ZeroDivisionError("a fault of ours")
        return CaseRun((EXCHANGE,))

    def close(self) -> None:
        pass


def passes(case: Case, exchanges: Sequence[Exchange], state: str, reason: str) -> CaseVerdict:
    return CaseVerdict(case.id, case.scenario, "pass", case.requirements, checked=1)


def crashes(case: Case, exchanges: Sequence[Exchange], state: str, reason: str) -> CaseVerdict:
    raise RecursionError("a judge that breaks")


def test_a_crash_while_running_is_an_error_of_the_laboratory_for_that_case_alone(recorder: Recorder):
    result = Engine(Runner(["ESS-S-002"]), passes, recorder).run([case(1), case(2), case(3)])
    recorder.close()
    assert [verdict.verdict for verdict in result.verdicts] == ["pass", "error", "pass"]
    assert result.verdicts[1].findings[0].blame == "LAB" and "ZeroDivisionError" in result.verdicts[1].reason


def test_a_crash_of_the_judge_is_an_error_and_never_a_pass(recorder: Recorder):
    result = Engine(Runner(), crashes, recorder).run([case(1)])
    recorder.close()
    assert result.verdicts[0].verdict == "error" and result.verdicts[0].findings[0].blame == "LAB"


def test_a_checker_killed_in_the_middle_of_a_run_lets_no_pass_out(
    norm: Norm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import harness.casejudge as casejudge

    real, calls = casejudge.plan, iter(range(100))

    def dies(*given):
        if next(calls) >= 1:
            raise MemoryError
        return real(*given)

    monkeypatch.setattr(casejudge, "plan", dies)
    suite = make_suite(norm, *(case(number) for number in range(1, 5)))
    with serving(echo()) as server:
        result = run(options(norm, suite, server.url, tmp_path / "r"))
    assert result.verdicts.counts.passed <= 1 and result.verdicts.counts.error >= 3
    assert result.exit_code == 4


def test_a_scenario_that_does_not_fit_is_an_error_of_the_laboratory(norm: Norm, tmp_path: Path):
    from scenarios.model import Expectation, Step

    broken = case(1, Step(send="PING", edits={"//e:Nowhere": "x"}, expect=(Expectation("ESS-002", "accepted"),)))
    with serving(echo()) as server:
        result = run(options(norm, make_suite(norm, broken, case(2)), server.url, tmp_path / "r"))
    assert [verdict.verdict for verdict in result.verdicts.cases[:2]] == ["error", "pass"]
    assert "//e:Nowhere" in result.verdicts.cases[0].reason and result.exit_code == 4


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_verdict_is_told_only_once_its_evidence_is_in_the_files(norm: Norm, tmp_path: Path, jobs: int):
    missing: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, CaseFinished):
            journal = (tmp_path / "r" / "journal.jsonl").read_bytes()
            if f'"event":"case","case":"{event.verdict.id}"'.encode() not in journal:
                missing.append(event.verdict.id)

    suite = make_suite(norm, *(case(number) for number in range(1, 10)))
    with serving(echo()) as server:
        run(options(norm, suite, server.url, tmp_path / "r", jobs=jobs, on_event=(listen,)))
    assert missing == []


def test_listeners_are_called_one_event_at_a_time(norm: Norm, tmp_path: Path):
    inside = threading.Lock()
    clashes: list[Event] = []

    def listen(event: Event) -> None:
        if not inside.acquire(blocking=False):
            clashes.append(event)
            return
        inside.release()

    suite = make_suite(norm, *(case(number) for number in range(1, 20)))
    with serving(echo()) as server:
        run(options(norm, suite, server.url, tmp_path / "r", jobs=6, on_event=(listen,)))
    assert clashes == []


def test_a_listener_that_raises_ends_the_run_and_the_rest_can_be_resumed(norm: Norm, tmp_path: Path):
    def stops(event: Event) -> None:
        if isinstance(event, CaseStarted) and event.case == "ESS-S-003":
            raise DataError("enough")

    suite = make_suite(norm, *(case(number) for number in range(1, 5)))
    with serving(echo()) as server:
        with pytest.raises(DataError):
            run(options(norm, suite, server.url, tmp_path / "r", on_event=(stops,)))
        result = run(options(norm, suite, server.url, tmp_path / "r", resume=True))
    assert result.verdicts.counts.passed == 4


def test_t06_what_a_product_writes_cannot_steer_a_terminal(norm: Norm, tmp_path: Path):
    evil = "&#x9b;31m&lt;script&gt;alert(1)&lt;/script&gt;=cmd|' /C calc'!A0\u202egpj"
    with serving(echo(lambda _: pong(evil))) as server:
        result = run(options(norm, make_suite(norm, case(1)), server.url, tmp_path / "r"))
    actual = result.verdicts.cases[0].findings[0].actual
    assert actual and all(character.isprintable() for character in actual)


def test_exclusive_holders_are_alone_and_shared_ones_are_not():
    locks = GivenLocks()
    shared, alone = threading.Barrier(2, timeout=5), threading.Semaphore(1)
    clashes: list[str] = []

    def share() -> None:
        with locks.hold("p", exclusive=False):
            shared.wait()

    def exclude() -> None:
        with locks.hold("p", exclusive=True):
            if not alone.acquire(blocking=False):
                clashes.append("two at once")
                return
            alone.release()

    threads = [threading.Thread(target=share) for _ in range(2)] + [threading.Thread(target=exclude) for _ in range(5)]
    for thread in threads[:2]:
        thread.start()
    for thread in threads[2:]:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads) and clashes == []
