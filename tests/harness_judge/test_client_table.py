"""Rows of the verdict table of role client: what arrived, what did not, and what that says."""

from __future__ import annotations

import pytest
from judge_samples import ask, exchange, expect, judged, one, request, stamp

from harness.record import Told
from scenarios.model import Step


def received(body=None, **changes):
    changes.setdefault("response", b"")
    return exchange(outcome="received", request=request(ask() if body is None else body), **changes)


def silent(seconds=5.0, driver="completed", **changes):
    at = changes.pop("at", 30.0)
    return exchange(
        outcome="silent",
        request=b"",
        response=b"",
        driver=driver,
        sent_at=stamp(at),
        received_at=stamp(at + seconds),
        **changes,
    )


AWAIT = Step(await_="ASK", expect=(expect("equals", at="//m:Person", value="${nir}"), expect("valid", "M-B")))
QUIET = Step(quiet_seconds=5, expect=(expect("absent-next", "M-C", value="TELL"),))
TELL = (
    b'<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope">'
    b'<soap:Body><Tell xmlns="urn:test:mini"/></soap:Body></soap:Envelope>'
)


def client(steps, *exchanges):
    return judged(steps, *exchanges, role="client")


def test_a_request_that_arrives_is_judged():
    assert client(AWAIT, received()).verdict == "pass"
    assert client(AWAIT, received(ask("2"))).verdict == "fail"


def test_a_request_that_cannot_be_read_is_the_products_fault():
    verdict = client(AWAIT, received(b"<broken"))
    assert (verdict.verdict, one(verdict).requirement) == ("fail", "M-B")


def test_a_silent_client_is_not_observed():
    verdict = client((AWAIT, QUIET), silent(step=1))
    assert (verdict.verdict, one(verdict).reason, one(verdict).blame) == ("inconclusive", "not-observed", "")
    assert one(client(AWAIT, silent(step=1, driver="failed"))).blame == "CONFIG"


def test_a_message_of_another_kind_is_not_the_one_awaited():
    assert one(client(AWAIT, received(TELL))).reason == "not-observed"


def test_nothing_came_in_the_quiet_time():
    verdict = client((AWAIT, QUIET), received(), silent(step=2))
    assert (verdict.verdict, verdict.findings) == ("pass", ())


def test_a_forbidden_message_came_in_the_quiet_time():
    verdict = client((AWAIT, QUIET), received(), received(TELL, step=2, kind="TELL"))
    assert (verdict.verdict, one(verdict).reason, one(verdict).requirement) == ("fail", "sent-anyway", "M-C")


@pytest.mark.parametrize(
    "steps_and_exchanges",
    [
        ((QUIET,), (silent(step=1),)),
        ((AWAIT, QUIET), (received(), silent(step=2, driver=""))),
        ((AWAIT, QUIET), (received(), silent(step=2, driver="failed"))),
        ((AWAIT, QUIET), (received(), silent(4.0, step=2))),
        ((AWAIT, QUIET), (received(), received(b"<broken", step=2, kind="TELL"))),
        ((AWAIT, QUIET), (received(), received(ask(), step=2))),
    ],
    ids=["no message before", "no report", "driver failed", "too short", "unreadable message", "no silence recorded"],
)
def test_an_absence_that_cannot_be_affirmed_is_inconclusive(steps_and_exchanges):
    steps, exchanges = steps_and_exchanges
    verdict = client(steps, *exchanges)
    assert (verdict.verdict, one(verdict).reason) == ("inconclusive", "not-observed")


NEXT = Step(quiet_seconds=5, expect=(expect("arrived", "M-C", value="TELL"),))
GRANTED = Told("accepted")


def test_a_message_that_had_to_follow_has_come():
    verdict = client((AWAIT, NEXT), received(), received(TELL, step=2, kind="TELL", number=1), silent(step=2, number=2))
    assert verdict.verdict == "pass"


def test_a_product_that_says_it_succeeded_without_the_message_has_failed():
    verdict = client((AWAIT, NEXT), received(), silent(step=2, told=GRANTED))
    assert (verdict.verdict, one(verdict).reason, one(verdict).requirement) == ("fail", "not-sent", "M-C")


@pytest.mark.parametrize(
    "steps_and_exchanges",
    [
        ((NEXT,), (silent(step=1, told=GRANTED),)),
        ((AWAIT, NEXT), (received(), silent(step=2))),
        ((AWAIT, NEXT), (received(), silent(step=2, told=Told("stopped")))),
    ],
    ids=["no message before", "nothing said", "it says that it stopped"],
)
def test_a_message_that_did_not_follow_may_say_nothing_of_the_product(steps_and_exchanges):
    steps, exchanges = steps_and_exchanges
    verdict = client(steps, *exchanges)
    assert (verdict.verdict, one(verdict).reason) == ("inconclusive", "not-observed")


FAILED = {"kind": "ASK", "detail": "pas de réponse", "response": b"HTTP/1.1 500 \r\n\r\n"}
OTHER = {"kind": "ASK", "detail": "autre réponse", "response": b"HTTP/1.1 200 \r\n\r\n"}


@pytest.mark.parametrize("wrong", [False, True], ids=["right request", "wrong request"])
@pytest.mark.parametrize(("answer", "unclear", "blame"), [(FAILED, "error", "LAB"), (OTHER, "inconclusive", "")])
def test_without_the_answer_that_was_prepared_only_the_request_itself_counts(answer, unclear, blame, wrong):
    ends = Step(quiet_seconds=5, expect=(expect("outcome", "M-C", value="stopped"),))
    asked = received(ask("2") if wrong else None, **answer)
    verdict = client((AWAIT, ends), asked, silent(step=2, told=Told("stopped")))
    assert verdict.verdict == ("fail" if wrong else unclear)
    assert [each.blame for each in verdict.findings] == (["SUT", blame] if wrong else [blame])


def test_what_comes_after_a_failure_of_ours_is_not_held_against_the_product():
    again = received(ask("2"), kind="ASK", number=2)
    assert client(AWAIT, received(**FAILED, number=1), again).verdict == "error"
    late = received(TELL, step=2, **{**FAILED, "kind": "TELL"})
    assert client((AWAIT, QUIET), received(), late).verdict == "error"


def test_a_failure_of_ours_before_the_awaited_message_is_an_incident_too():
    other = received(TELL, number=1, **{**FAILED, "kind": "TELL"})
    assert one(client(AWAIT, other)).blame == "LAB"
    assert client(AWAIT, other, received(kind="ASK", number=2)).verdict == "error"
