"""Every row of the verdict table: what happened → verdict and blame."""

from __future__ import annotations

import gzip
from dataclasses import replace

import msgspec
import pytest
from judge_samples import (
    CONTEXT,
    NORM,
    answer,
    case,
    exchange,
    expect,
    fault,
    judged,
    lost,
    one,
    response,
    send,
)

from harness.judge import judge_case
from harness.record import SERVER_CERTIFICATE_REFUSED
from norms.check import Checker, Problem
from norms.model import Always

RESULT = send(expect("result", value="00"))
CONTROL = {"purpose": "control", "number": 2, "at": 12.0}
RETRY = {"purpose": "retry", "number": 3, "at": 13.0}
NO_CERTIFICATE = send(expect("refused", values=("tls", "fault:E1")), http="tls-no-certificate")


def summary(verdict):
    found = one(verdict)
    return verdict.verdict, found.blame, found.requirement


# --- no answer --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["timeout", "refused", "reset", "bad-http", "tls"])
def test_no_answer_twice_beside_a_good_control_is_the_products_fault(outcome):
    verdict = judged(RESULT, lost(outcome), exchange(**CONTROL), lost(outcome, **RETRY))
    assert summary(verdict) == ("fail", "SUT", "M-ANS")
    assert one(verdict).reason == outcome


@pytest.mark.parametrize("outcome", ["timeout", "refused", "reset", "bad-http"])
def test_no_answer_to_the_control_either_is_the_networks(outcome):
    verdict = judged(RESULT, lost(outcome), lost(outcome, **CONTROL), lost(outcome, **RETRY))
    assert summary(verdict) == ("inconclusive", "NETWORK", "M-ANS")


@pytest.mark.parametrize(
    "others",
    [
        [],
        [exchange(**CONTROL)],
        [lost("timeout", **RETRY)],
        [exchange(**CONTROL), exchange(**RETRY)],
        [exchange(**CONTROL), lost("reset", **RETRY)],
        [exchange(response=response(answer(), 503), **CONTROL), lost("timeout", **RETRY)],
        [exchange(b"<html/>", **CONTROL), lost("timeout", **RETRY)],
    ],
    ids=[
        "alone",
        "no retry",
        "no control",
        "retry works",
        "retry fails otherwise",
        "control 503",
        "control unreadable",
    ],
)
def test_without_a_good_control_and_the_same_failure_again_nobody_is_blamed(others):
    assert summary(judged(RESULT, lost("timeout"), *others)) == ("inconclusive", "NETWORK", "M-ANS")


def test_an_answer_whose_http_has_no_end_is_broken_http():
    cut = response(answer())[:-5]
    verdict = judged(RESULT, exchange(response=cut), exchange(**CONTROL), exchange(response=cut, **RETRY))
    assert summary(verdict) == ("fail", "SUT", "M-ANS")
    assert summary(judged(RESULT, exchange(response=cut))) == ("inconclusive", "NETWORK", "M-ANS")


def test_an_answer_beyond_the_cap_is_the_products_fault():
    assert summary(judged(RESULT, lost("too-large"))) == ("fail", "SUT", "M-ANS")


def test_a_compressed_bomb_is_the_products_fault_and_is_not_inflated():
    bomb = gzip.compress(b"\0" * 40_000_000)
    verdict = judged(RESULT, exchange(response=response(bomb, 200, "Content-Encoding: gzip")))
    assert summary(verdict) == ("fail", "SUT", "M-ANS")
    assert one(verdict).reason == "too-large"


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detail", [f"{SERVER_CERTIFICATE_REFUSED}: certificate has expired", "unsupported protocol"])
def test_what_the_server_itself_shows_in_tls_is_its_fault_when_it_shows_it_again(detail):
    verdict = judged(
        RESULT, lost("tls", detail=detail), lost("tls", detail=detail, **CONTROL), lost("tls", detail=detail, **RETRY)
    )
    assert summary(verdict) == ("fail", "SUT", "M-ANS")
    assert detail in one(verdict).actual
    assert judged(RESULT, lost("tls", detail=detail)).verdict == "inconclusive"


def test_tls_that_never_works_is_configuration():
    alert = {"detail": "tlsv1 alert unknown ca"}
    verdict = judged(RESULT, lost("tls", **alert), lost("tls", **alert, **CONTROL), lost("tls", **alert, **RETRY))
    assert summary(verdict) == ("inconclusive", "CONFIG", "M-ANS")


# --- a refusal is expected --------------------------------------------------------------------------------------------


def bracket(middle, before=None, after=None):
    first = before or exchange(purpose="control", number=1, at=10.0)
    last = after or exchange(purpose="control", number=3, at=13.0)
    return first, middle, last


@pytest.mark.parametrize("outcome", ["tls", "reset"])
def test_a_refused_connection_counts_between_two_good_controls(outcome):
    verdict = judged(NO_CERTIFICATE, *bracket(lost(outcome, number=2, http="tls-no-certificate")))
    assert (verdict.verdict, verdict.findings, verdict.checked) == ("pass", (), 1)


@pytest.mark.parametrize("missing", [0, 2])
def test_a_refused_connection_does_not_count_without_both_controls(missing):
    recorded = list(bracket(lost("tls", number=2, http="tls-no-certificate")))
    del recorded[missing]
    verdict = judged(NO_CERTIFICATE, *recorded)
    assert summary(verdict) == ("inconclusive", "NETWORK", "M-A")
    assert one(verdict).reason == "refusal-not-bracketed"


def test_a_refused_connection_does_not_count_beside_a_failed_control():
    dead = lost("timeout", purpose="control", number=3, at=13.0)
    verdict = judged(NO_CERTIFICATE, *bracket(lost("tls", number=2, http="tls-no-certificate"), after=dead))
    assert summary(verdict) == ("inconclusive", "NETWORK", "M-A")


def test_our_own_refusal_of_the_server_is_not_the_servers_refusal():
    detail = f"{SERVER_CERTIFICATE_REFUSED}: self-signed certificate"
    verdict = judged(NO_CERTIFICATE, *bracket(lost("tls", number=2, http="tls-no-certificate", detail=detail)))
    assert verdict.verdict == "inconclusive"


def test_a_reset_is_no_tls_refusal_of_a_message_that_was_sent_normally():
    step = send(expect("refused", value="tls"))
    assert judged(step, *bracket(lost("reset", number=2))).verdict == "inconclusive"


def test_a_refusal_seen_again_between_two_controls_counts():
    step = send(expect("refused", value="reset"), http="oversize")
    recorded = [
        lost("reset", http="oversize"),
        exchange(**CONTROL),
        lost("reset", http="oversize", **RETRY),
        exchange(purpose="control", number=4, at=14.0),
    ]
    assert judged(step, *recorded).verdict == "pass"
    assert judged(step, *recorded[:3]).verdict == "inconclusive"


def test_a_timeout_is_no_refusal():
    verdict = judged(NO_CERTIFICATE, *bracket(lost("timeout", number=2)))
    assert summary(verdict) == ("inconclusive", "NETWORK", "M-A")


def test_an_answer_where_a_refusal_was_due_is_the_products_fault():
    verdict = judged(NO_CERTIFICATE, *bracket(exchange(number=2)))
    assert summary(verdict) == ("fail", "SUT", "M-A")
    assert one(verdict).reason == "not-refused"


def test_a_fault_that_is_listed_needs_no_control():
    assert judged(NO_CERTIFICATE, exchange(fault("E1"))).verdict == "pass"


def test_a_refusal_by_http_alone_is_enough_when_it_is_listed():
    step = send(
        expect("refused", values=("fault:E1", "http:4xx")), expect("equals", "M-B", at="//m:Severity", value="erreur")
    )
    for body in (b"", b"<html>no</html>", b"garbage"):
        verdict = judged(step, exchange(response=response(body, 403, kind="text/html")))
        assert (verdict.verdict, verdict.findings) == ("pass", ())
    assert judged(step, exchange(response=response(b"", 500))).verdict == "fail"
    assert judged(step, exchange(response=response(answer(), 403))).verdict == "fail"


# --- an answer arrived ------------------------------------------------------------------------------------------------


def test_an_unexpected_fault_is_one_finding_that_says_which():
    step = send(
        expect("valid", "M-C"),
        expect("present", "M-B", at="//m:Ref"),
        expect("result", value="00"),
        expect("http-status", "M-C", value="200"),
    )
    verdict = judged(step, exchange(response=response(fault("E7"), 400)))
    assert summary(verdict) == ("fail", "SUT", "M-A")
    assert one(verdict).check == "result"
    assert "E7" in one(verdict).actual
    assert "refusé" in one(verdict).actual


def test_a_fault_where_only_validity_was_asked_is_still_no_answer():
    verdict = judged(send(expect("valid")), exchange(fault()))
    assert (verdict.verdict, one(verdict).reason) == ("fail", "unexpected-fault")


def test_a_preparatory_step_that_is_refused_is_configuration_and_ends_the_case():
    steps = (send(), send(expect("result", value="00")))
    verdict = judged(steps, exchange(fault()), exchange(fault(), step=2))
    assert (verdict.verdict, one(verdict).blame, one(verdict).reason) == ("inconclusive", "CONFIG", "preamble")


def test_a_kept_value_that_is_missing_is_configuration():
    steps = (send(expect("accepted"), keep={"ref": "//m:Ref"}), send(expect("result", value="00")))
    verdict = judged(steps, exchange())
    assert (one(verdict).blame, one(verdict).reason) == ("CONFIG", "kept-value-missing")
    assert verdict.verdict == "inconclusive"


def test_a_kept_value_is_not_missed_twice():
    steps = (send(expect("present", at="//m:Ref"), keep={"ref": "//m:Ref"}), send(expect("result", value="00")))
    verdict = judged(steps, exchange())
    assert [found.reason for found in verdict.findings if found.verdict == "fail"] == ["missing"]
    assert verdict.verdict == "fail"


class Split(Checker):
    """A checker whose engines disagree."""

    def check(self, *_args, **_keys):
        return [Problem("schema", "pattern", "", "/soap:Envelope", 1, "motif", "x", split=True)]


class Crash(Checker):
    """A checker that crashes."""

    def check(self, *_args, **_keys):
        raise RuntimeError("boom")


def test_engines_that_disagree_are_the_norms_matter(monkeypatch):
    monkeypatch.setattr("harness.checks.messages.checker_for", Split)
    assert summary(judged(RESULT, exchange())) == ("inconclusive", "NORM", "M-VAL")
    # A value that is wrong in any reading of the schema is still the product's.
    verdict = judged(RESULT, exchange(answer("10")))
    assert [found.blame for found in verdict.findings] == ["NORM", "SUT"]
    assert verdict.verdict == "fail"


def test_a_checker_that_raises_is_an_incident_and_its_message_counts_as_not_checked(monkeypatch):
    monkeypatch.setattr("harness.checks.messages.checker_for", Crash)
    verdict = judged(RESULT, exchange(answer("10")))
    assert summary(verdict) == ("error", "LAB", "M-VAL")
    assert verdict.checked == 0


def test_a_should_that_is_not_met_is_a_remark():
    verdict = judged(send(expect("accepted"), expect("present", "M-SHOULD", at="//m:Ref")), exchange())
    assert (verdict.verdict, one(verdict).verdict, one(verdict).level) == ("pass", "remark", "SHOULD")


def test_an_expectation_without_requirement_is_informative():
    verdict = judged(send(expect("accepted"), expect("present", "", at="//m:Ref")), exchange())
    assert (verdict.verdict, one(verdict).verdict) == ("pass", "remark")


def test_an_unknown_requirement_is_an_incident():
    verdict = judged(send(expect("present", "M-NOWHERE", at="//m:Ref")), exchange())
    assert (verdict.verdict, one(verdict).blame) == ("error", "LAB")


def test_always_applies_to_the_kinds_and_the_role_it_names():
    def with_always(always):
        norm = msgspec.structs.replace(NORM, always=(always,))
        return judged(RESULT, exchange(), context=replace(CONTEXT, norm=norm))

    absent_ref = {"check": "present", "at": "//m:Ref"}
    assert with_always(Always("M-B", **absent_ref)).verdict == "fail"
    assert with_always(Always("M-B", kinds=("TELL",), **absent_ref)).verdict == "pass"
    assert with_always(Always("M-CLIENT", **absent_ref)).verdict == "pass"


# --- nothing, or not all, was recorded --------------------------------------------------------------------------------


def test_a_case_without_expectations_of_its_own_is_never_a_pass():
    verdict = judged(send(), exchange())
    assert (verdict.verdict, one(verdict).blame) == ("error", "LAB")


def test_a_case_without_steps_or_exchanges_is_never_a_pass():
    assert judge_case(CONTEXT, case(), ()).verdict == "error"
    assert judge_case(CONTEXT, case(RESULT), ()).verdict == "inconclusive"


def test_a_step_that_was_not_recorded_is_inconclusive():
    verdict = judged((RESULT, RESULT), exchange())
    assert (verdict.verdict, one(verdict).reason) == ("inconclusive", "exchange-missing")
    verdict = judged(send(expect("accepted"), parallel=3), exchange(), exchange(number=2))
    assert (verdict.verdict, one(verdict).reason) == ("inconclusive", "exchange-missing")
