"""Role client: what the product sends is recorded, answers are as the scenario says, no driver stops the laboratory."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from harness.driver import Outcome, Stimulus
from harness.evidence import read_run, verify_evidence
from harness.record import Told
from harness.rejudge import rejudge
from harness.run import RunOptions, run
from norms.model import Norm
from scenarios.model import Expectation, Step
from tests.harness.lab import REQUEST, case, make_suite
from tests.harness.machine import ASK, HUSH, Machine, asks, declared, play


def test_a_request_that_arrives_is_recorded_judged_and_answered(norm: Norm, keys: Path, tmp_path: Path):
    result, product = play(norm, keys, tmp_path / "r", asks, case(1, ASK, role="client"))
    assert result.exit_code == 0
    assert product.answers[0][0] == 200 and b"<e:Couleur>bleu</e:Couleur>" in product.answers[0][1]
    (exchange,) = read_run(tmp_path / "r").exchanges("ESS-S-001")
    assert (exchange.outcome, exchange.kind, exchange.driver) == ("received", "PING", "completed")
    assert exchange.request.startswith(b"POST /s/") and exchange.request.endswith(b"</soap:Envelope>")
    assert exchange.response.endswith(product.answers[0][1])
    assert len(exchange.tls.peer) == 64 and (tmp_path / "r" / "peers" / f"{exchange.tls.peer}.der").is_file()
    assert verify_evidence(tmp_path / "r") == []
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()


def test_a_wrong_request_fails(norm: Norm, keys: Path, tmp_path: Path):
    def asks_wrong(product: Machine, stimulus: Stimulus) -> None:
        product.call(stimulus.endpoints["PING"], REQUEST.replace("bleu", "rouge"))

    result, _ = play(norm, keys, tmp_path / "r", asks_wrong, case(1, ASK, role="client"))
    assert result.exit_code == 1 and result.verdicts.cases[0].findings[0].blame == "SUT"


def test_a_silent_product_is_not_observed(norm: Norm, keys: Path, tmp_path: Path):
    result, _ = play(norm, keys, tmp_path / "r", lambda *_: None, case(1, ASK, role="client"))
    assert result.exit_code == 3
    (exchange,) = read_run(tmp_path / "r").exchanges("ESS-S-001")
    assert (exchange.outcome, exchange.driver) == ("silent", "completed")


def test_a_driver_that_fails_is_a_matter_of_configuration(norm: Norm, keys: Path, tmp_path: Path):
    def fails(*_: object) -> Outcome:
        return Outcome("failed", "écran introuvable")

    result, _ = play(norm, keys, tmp_path / "r", fails, case(1, ASK, role="client"))
    assert result.verdicts.cases[0].findings[0].blame == "CONFIG"
    assert read_run(tmp_path / "r").exchanges("ESS-S-001")[0].detail == "écran introuvable"


def test_a_silence_that_is_kept_passes(norm: Norm, keys: Path, tmp_path: Path):
    result, _ = play(norm, keys, tmp_path / "r", asks, case(1, ASK, HUSH, role="client"))
    assert result.exit_code == 0
    assert [exchange.outcome for exchange in read_run(tmp_path / "r").exchanges("ESS-S-001")] == ["received", "silent"]


def test_a_message_sent_anyway_before_the_driver_is_done_breaks_the_silence(norm: Norm, keys: Path, tmp_path: Path):
    def asks_twice(product: Machine, stimulus: Stimulus) -> None:
        asks(product, stimulus)
        asks(product, stimulus)

    result, _ = play(norm, keys, tmp_path / "r", asks_twice, case(1, ASK, HUSH, role="client"))
    assert result.exit_code == 1
    assert [(each.step, each.outcome) for each in read_run(tmp_path / "r").exchanges("ESS-S-001")] == [
        (1, "received"), (2, "received"), (2, "silent")
    ]  # fmt: skip


def test_what_the_product_sends_can_be_used_in_the_answer(norm: Norm, keys: Path, tmp_path: Path):
    step = replace(ASK, keep={"vue": "//e:Ping/e:Couleur"}, edits={"//e:Pong/e:Couleur": "vu ${vue}"})
    _, product = play(norm, keys, tmp_path / "r", asks, case(1, step, role="client"))
    assert b"<e:Couleur>vu bleu</e:Couleur>" in product.answers[0][1]


@pytest.mark.parametrize(
    ("reply", "status", "text"),
    [
        ("http:503", 503, b""),
        ("slow:0.1", 200, b"bleu"),
        ("reset", 0, b""),
        ("fault:X-1", 500, b"X-1"),
        ("example:messages/PING.response.xml", 200, b"bleu"),
    ],
)
def test_replies(norm: Norm, keys: Path, tmp_path: Path, reply: str, status: int, text: bytes):
    _, product = play(norm, keys, tmp_path / "r", asks, case(1, replace(ASK, reply=reply), role="client"))
    assert product.answers[0][0] == status and text in product.answers[0][1]


def test_a_truncated_reply_is_a_cut_document(norm: Norm, keys: Path, tmp_path: Path):
    _, product = play(norm, keys, tmp_path / "r", asks, case(1, replace(ASK, reply="truncated-xml"), role="client"))
    status, body = product.answers[0]
    assert status == 200 and body.startswith(b"<?xml") and not body.rstrip().endswith(b"Envelope>")


def test_the_address_of_another_session_is_nobodys(norm: Norm, keys: Path, tmp_path: Path):
    def guesses(product: Machine, stimulus: Stimulus) -> None:
        token = urlsplit(stimulus.endpoints["PING"]).path.split("/")[2]
        assert len(token) == 48
        product.call(stimulus.endpoints["PING"].replace(token, "0" * 48), REQUEST)

    result, product = play(norm, keys, tmp_path / "r", guesses, case(1, ASK, role="client"))
    assert product.answers[0][0] == 404 and result.verdicts.counts.inconclusive == 1


def test_a_request_that_is_no_message_of_the_norm_is_recorded_and_fails(norm: Norm, keys: Path, tmp_path: Path):
    def babbles(product: Machine, stimulus: Stimulus) -> None:
        product.call(stimulus.endpoints["PING"], "<not soap")

    result, product = play(norm, keys, tmp_path / "r", babbles, case(1, ASK, role="client"))
    assert product.answers[0][0] == 400
    assert result.exit_code == 1 and result.verdicts.cases[0].findings[0].blame == "SUT"


def test_without_driver_or_operator_the_case_is_not_run(norm: Norm, keys: Path, tmp_path: Path):
    suite = make_suite(norm, case(1, ASK, role="client"), role="client")
    result = run(RunOptions(declared(keys), suite, norm, tmp_path / "r", preflight=False))
    assert result.verdicts.cases[0].verdict == "not_run" and result.exit_code == 3


def test_cases_of_one_run_are_served_side_by_side(norm: Norm, keys: Path, tmp_path: Path):
    together = threading.Barrier(3, timeout=10)

    addresses = list[str]()

    def asks_together(product: Machine, stimulus: Stimulus) -> None:
        together.wait()
        addresses.append(stimulus.endpoints["PING"])
        asks(product, stimulus)

    product = Machine(keys, asks_together)
    suite = make_suite(norm, *(case(number, ASK, role="client") for number in (1, 2, 3)), role="client")
    declaration = declared(keys)
    apart = replace(declaration, laboratory=replace(declaration.laboratory, session="case"))
    result = run(RunOptions(apart, suite, norm, tmp_path / "r", jobs=3, preflight=False, operator=product))
    assert result.exit_code == 0 and result.verdicts.counts.passed == 3
    assert len(set(addresses)) == 3


def test_a_person_writes_one_address_for_the_whole_run(norm: Norm, keys: Path, tmp_path: Path):
    addresses, busy = list[str](), threading.Lock()

    def asks_alone(product: Machine, stimulus: Stimulus) -> None:
        assert busy.acquire(blocking=False)
        addresses.append(stimulus.endpoints["PING"])
        asks(product, stimulus)
        busy.release()

    product = Machine(keys, asks_alone)
    suite = make_suite(norm, *(case(number, ASK, role="client") for number in (1, 2, 3)), role="client")
    result = run(RunOptions(declared(keys), suite, norm, tmp_path / "r", jobs=3, preflight=False, operator=product))
    assert result.verdicts.counts.passed == 3
    assert len(addresses) == 3 and len(set(addresses)) == 1


def test_after_its_end_a_session_is_closed(norm: Norm, keys: Path, tmp_path: Path):
    def comes_back(product: Machine, stimulus: Stimulus) -> None:
        for address in earlier:
            product.call(address, REQUEST)
        asks(product, stimulus)
        earlier.append(stimulus.endpoints["PING"])

    earlier, product = list[str](), Machine(keys, comes_back)
    suite = make_suite(norm, *(case(number, ASK, role="client") for number in (1, 2)), role="client")
    declaration = declared(keys)
    apart = replace(declaration, laboratory=replace(declaration.laboratory, session="case"))
    result = run(RunOptions(apart, suite, norm, tmp_path / "r", preflight=False, operator=product))
    assert [status for status, _ in product.answers] == [200, 404, 200]
    assert "terminée" in product.answers[1][1].decode()
    assert result.verdicts.counts.passed == 2


def stops(product: Machine, stimulus: Stimulus) -> Outcome:
    asks(product, stimulus)
    return Outcome("completed", "", Told("stopped"))


STOPPED = Step(quiet_seconds=0.1, expect=(Expectation("ESS-004", "outcome", value="stopped"),), line=3)


def test_an_answer_that_the_scenario_cannot_prepare_says_nothing_of_the_product(norm: Norm, keys: Path, tmp_path: Path):
    """The simulator refuses, say, so the product rightly stops: a page that wants it to stop would pass for nothing."""
    spoilt = replace(ASK, edits={"//e:Absent": "noir"})
    result, product = play(norm, keys, tmp_path / "r", stops, case(1, spoilt, STOPPED, role="client"))
    assert product.answers[0][0] == 200
    verdict = result.verdicts.cases[0]
    (finding,) = verdict.findings
    assert (verdict.verdict, result.exit_code, finding.reason) == ("inconclusive", 3, "answered-otherwise")
    assert "//e:Absent" in finding.actual
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()


def test_an_answer_that_we_fail_to_make_is_our_incident(norm: Norm, keys: Path, tmp_path: Path):
    spoilt = replace(ASK, reply="example:absent.xml")
    result, product = play(norm, keys, tmp_path / "r", stops, case(1, spoilt, STOPPED, role="client"))
    assert product.answers[0][0] == 500
    verdict = result.verdicts.cases[0]
    assert (verdict.verdict, result.exit_code, [each.blame for each in verdict.findings]) == ("error", 4, ["LAB"])
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()
