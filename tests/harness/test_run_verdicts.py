"""Runs on a product of our own: verdicts, what is sent and recorded, controls and retries, stopping."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from harness.errors import SelectionError
from harness.events import CaseFinished, Event, ExchangeRecorded, RunFinished, RunStarted
from harness.evidence import read_run, verify_evidence
from harness.rejudge import differences, rejudge
from harness.run import run
from norms.model import Norm
from scenarios.model import Expectation, Step
from tests.harness.lab import case, echo, make_suite, options, pong
from tests.harness.servers import serving

COLOUR = "//e:Pong/e:Couleur"


def test_a_conformant_product_passes_and_its_folder_is_whole(norm: Norm, tmp_path: Path):
    events: list[Event] = []
    suite = make_suite(norm, case(1), case(2))
    with serving(echo()) as server:
        result = run(options(norm, suite, server.url, tmp_path / "r", on_event=(events.append,)))
    assert result.exit_code == 0 and result.verdicts.verdict == "pass"
    assert (result.verdicts.counts.passed, result.verdicts.counts.not_selected) == (2, 1)
    assert verify_evidence(tmp_path / "r") == []
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert names == {
        "run.json", "suite.json", "sut.json", "verdicts.json", "journal.jsonl", "exchanges.warc.gz", "norm"
    }  # fmt: skip
    assert isinstance(events[0], RunStarted) and isinstance(events[-1], RunFinished)
    kinds = [type(event) for event in events]
    assert kinds.count(ExchangeRecorded) == 2 and kinds.count(CaseFinished) == 2


def test_a_wrong_answer_fails_with_its_place(norm: Norm, tmp_path: Path):
    with serving(echo(lambda _: pong("rouge"))) as server:
        result = run(options(norm, make_suite(norm, case(1)), server.url, tmp_path / "r"))
    assert result.exit_code == 1
    finding = result.verdicts.cases[0].findings[0]
    assert (finding.requirement, finding.blame, finding.location.exchange) == ("ESS-002", "SUT", "ESS-S-001#1.1")


@pytest.mark.parametrize("at_once", [True, False])
def test_the_rest_is_left_out_once_a_case_has_failed(norm: Norm, tmp_path: Path, at_once: bool):
    suite = make_suite(norm, *(case(number) for number in range(1, 9)))
    with serving(echo(lambda colour: pong("rouge" if colour == "c2" else colour))) as server:
        result = run(options(norm, suite, server.url, tmp_path / "r", stop_at_fail=at_once))
    counts = result.verdicts.counts
    assert (counts.fail, result.exit_code, bool(result.stopped), counts.not_run > 0) == (1, 1, at_once, at_once)
    assert counts.passed + counts.fail + counts.not_run == 8
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()


def test_values_kept_from_an_answer_are_sent_in_the_next_step(norm: Norm, tmp_path: Path):
    steps = (
        Step(send="PING", edits={"//e:Couleur": "vert"}, keep={"vue": COLOUR}),
        Step(send="PING", edits={"//e:Couleur": "${vue}-bis"},
             expect=(Expectation("ESS-002", "equals", at=COLOUR, value="${vue}-bis"),)),
    )  # fmt: skip
    with serving(echo()) as server:
        result = run(options(norm, make_suite(norm, case(1, *steps)), server.url, tmp_path / "r"))
    assert result.exit_code == 0
    exchanges = read_run(tmp_path / "r").exchanges("ESS-S-001")
    assert b"vert-bis" in exchanges[1].request and exchanges[1].bindings["vue"] == "vert"


def test_a_kept_value_that_is_missing_is_never_a_pass(norm: Norm, tmp_path: Path):
    steps = (
        Step(send="PING", keep={"vue": "//e:Absent"}),
        Step(send="PING", edits={"//e:Couleur": "${vue}"}, expect=(Expectation("ESS-002", "present", at=COLOUR),)),
    )
    with serving(echo()) as server:
        result = run(options(norm, make_suite(norm, case(1, *steps)), server.url, tmp_path / "r"))
    assert result.exit_code == 3 and result.verdicts.cases[0].findings[0].blame == "CONFIG"


def test_parallel_sends_leave_at_once(norm: Norm, tmp_path: Path):
    together = threading.Barrier(4, timeout=5)

    def answer(colour: str) -> str:
        together.wait()
        return pong(colour)

    step = Step(send="PING", parallel=4, expect=(Expectation("ESS-002", "present", at=COLOUR),))
    with serving(echo(answer)) as server:
        result = run(options(norm, make_suite(norm, case(1, step)), server.url, tmp_path / "r"))
    assert result.exit_code == 0
    exchanges = read_run(tmp_path / "r").exchanges("ESS-S-001")
    assert sorted(exchange.id for exchange in exchanges) == [f"ESS-S-001#1.{number}" for number in (1, 2, 3, 4)]
    assert len({exchange.request for exchange in exchanges}) == 4


def test_a_kept_connection_that_closes_is_no_failure_and_the_request_is_made_anew(norm: Norm, tmp_path: Path):
    connection = threading.local()

    def answer(colour: str) -> str | None:
        connection.requests = getattr(connection, "requests", 0) + 1
        return pong(colour) if connection.requests == 1 else None

    with serving(echo(answer)) as server:
        result = run(options(norm, make_suite(norm, case(1), case(2)), server.url, tmp_path / "r"))
    assert result.exit_code == 0
    tries = read_run(tmp_path / "r").exchanges("ESS-S-002")
    assert [(each.purpose, each.outcome) for each in tries] == [("stale", "reset"), ("step", "answered")]
    identifiers = {re.search(rb"<e:Id>([^<]+)<", each.request)[1] for each in tries}
    assert len(identifiers) == 2


def test_a_failure_that_happens_again_while_the_control_succeeds_is_the_products(norm: Norm, tmp_path: Path):
    with serving(echo(lambda colour: None if colour == "c1" else pong(colour))) as server:
        result = run(options(norm, make_suite(norm, case(1)), server.url, tmp_path / "r"))
    purposes = [exchange.purpose for exchange in read_run(tmp_path / "r").exchanges("ESS-S-001")]
    assert purposes == ["step", "control", "retry"]
    assert result.exit_code == 1 and result.verdicts.cases[0].findings[0].blame == "SUT"


def test_t07_a_failure_that_does_not_happen_again_is_inconclusive_and_all_bytes_are_kept(norm: Norm, tmp_path: Path):
    refused = iter([True])

    def answer(colour: str) -> str | None:
        return None if colour == "c1" and next(refused, False) else pong(colour)

    with serving(echo(answer)) as server:
        result = run(options(norm, make_suite(norm, case(1)), server.url, tmp_path / "r"))
    assert result.exit_code == 3 and result.verdicts.cases[0].findings[0].blame == "NETWORK"
    assert [exchange.outcome for exchange in read_run(tmp_path / "r").exchanges("ESS-S-001")] == [
        "reset", "answered", "answered"
    ]  # fmt: skip


def test_a_product_that_answers_no_more_stops_the_run(norm: Norm, tmp_path: Path):
    suite = make_suite(norm, *(case(number) for number in range(1, 8)))
    with serving(echo(lambda _: None)) as server:
        result = run(options(norm, suite, server.url, tmp_path / "r", network_limit=3))
    counts = result.verdicts.counts
    assert (counts.passed, counts.inconclusive, counts.not_run) == (0, 3, 4)
    assert result.exit_code == 3 and "3 cas" in result.stopped
    assert "3 cas" in result.verdicts.cases[6].reason
    assert verify_evidence(tmp_path / "r") == []
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()


def test_a_step_that_the_transport_may_refuse_stands_between_controls(norm: Norm, tmp_path: Path):
    step = Step(send="PING", edits={"//e:Couleur": "noir"}, expect=(Expectation("ESS-003", "refused", value="reset"),))
    with serving(echo(lambda colour: None if colour == "noir" else pong(colour))) as server:
        result = run(options(norm, make_suite(norm, case(1, step)), server.url, tmp_path / "r"))
    assert result.exit_code == 0
    assert [exchange.purpose for exchange in read_run(tmp_path / "r").exchanges("ESS-S-001")] == [
        "control", "step", "control"
    ]  # fmt: skip


def test_an_identity_that_nobody_gave_leaves_the_case_out_with_the_reason(norm: Norm, tmp_path: Path):
    step = Step(send="PING", http="tls-expired", expect=(Expectation("ESS-003", "refused", value="tls"),))
    with serving(echo()) as server:
        result = run(options(norm, make_suite(norm, case(1, step), case(2)), server.url, tmp_path / "r"))
    assert result.verdicts.cases[0].verdict == "not_run" and "tls-expired" in result.verdicts.cases[0].reason
    assert result.exit_code == 0
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()


def test_only_what_is_selected_runs_and_a_certification_run_cannot_pass_on_a_part(norm: Norm, tmp_path: Path):
    with serving(echo()) as server:
        result = run(options(norm, make_suite(norm, case(1), case(2)), server.url, tmp_path / "r", select="*-S-002"))
    assert [verdict.verdict for verdict in result.verdicts.cases[:2]] == ["not_run", "pass"]
    assert result.exit_code == 3
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()


@pytest.mark.parametrize("expression", ["ESS-X-*", "", " , ", "!ESS-*", "profile:Z"])
def test_an_empty_selection_is_an_error_before_anything_is_sent(norm: Norm, tmp_path: Path, expression: str):
    with serving(echo()) as server:
        with pytest.raises(SelectionError):
            run(options(norm, make_suite(norm, case(1)), server.url, tmp_path / "r", select=expression))
        assert server.connections == 0
    assert not (tmp_path / "r").exists()


def test_a_run_in_which_nothing_was_tested_does_not_pass(norm: Norm, tmp_path: Path):
    result = run(options(norm, make_suite(norm), "http://127.0.0.1:9/", tmp_path / "r"))
    assert result.exit_code == 3 and result.verdicts.verdict == "inconclusive"


@pytest.mark.parametrize("jobs", [1, 4])
def test_judging_again_gives_the_same_bytes(norm: Norm, tmp_path: Path, jobs: int):
    suite = make_suite(norm, *(case(number) for number in range(1, 13)))
    with serving(echo(lambda colour: pong("faux" if colour in ("c3", "c7") else colour))) as server:
        result = run(options(norm, suite, server.url, tmp_path / "r", jobs=jobs))
    assert result.verdicts.counts.fail == 2
    written = (tmp_path / "r" / "verdicts.json").read_bytes()
    assert {rejudge(tmp_path / "r") for _ in range(5)} == {written}
    assert differences(tmp_path / "r") == []


def test_the_number_of_jobs_changes_no_verdict(norm: Norm, tmp_path: Path):
    suite = make_suite(norm, *(case(number) for number in range(1, 13)))
    with serving(echo(lambda colour: pong("faux" if colour == "c3" else colour))) as server:
        for jobs in (1, 5):
            run(options(norm, suite, server.url, tmp_path / str(jobs), jobs=jobs))
    assert (tmp_path / "1" / "verdicts.json").read_bytes() == (tmp_path / "5" / "verdicts.json").read_bytes()


def test_exclusive_cases_never_meet(norm: Norm, tmp_path: Path):
    inside = threading.Semaphore(1)
    met: list[str] = []

    def answer(colour: str) -> str:
        if not inside.acquire(blocking=False):
            met.append(colour)
            return pong(colour)
        try:
            return pong(colour)
        finally:
            inside.release()

    suite = make_suite(norm, *(case(number, exclusive=True, given="p") for number in range(1, 11)))
    with serving(echo(answer)) as server:
        result = run(options(norm, suite, server.url, tmp_path / "r", jobs=5))
    assert result.exit_code == 0 and met == []
