"""Every named check: one message that meets it, one that does not, and the finding that says so."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from judge_samples import CONTEXT, NIR, NORM, answer, exchange, expect, fault, judged, one, response, send

from harness.checks.registry import CHECKS
from harness.context import JudgeContext
from scenarios.vocabulary import CHECKS as VOCABULARY

AT_CODE = "//m:Result/m:Code"
TIME = "<m:Time>{}</m:Time>"


def amounts(*values: str, total: str = "") -> str:
    return "".join(f"<m:Amount>{value}</m:Amount>" for value in values) + (
        f"<m:Total>{total}</m:Total>" if total else ""
    )


def ref(text: str) -> bytes:
    return answer(rest=f"<m:Ref>{text}</m:Ref>")


# check, keys, good answer, bad answer, reason
PAIRS = [
    ("valid", {}, answer(), answer("12345"), "schema"),
    ("valid", {}, answer(rest=amounts("1", "2", total="3")), answer(rest=amounts("1", "2", total="4")), "rule:M-R-1"),
    ("accepted", {}, answer(), fault(), "unexpected-fault"),
    ("result", {"value": "00"}, answer("00"), answer("10"), "result"),
    ("fault", {}, fault(), answer(), "not-refused"),
    ("fault", {"values": ("E1", "E2")}, fault("E2"), fault("E3"), "fault-code"),
    ("fault-class", {"value": "Sender"}, fault(), fault(soap_code="Receiver"), "fault-class"),
    ("refused", {"values": ("fault:E1", "http:403")}, fault("E1"), answer(), "not-refused"),
    ("refused", {"value": "fault"}, fault("E9"), answer(), "not-refused"),
    ("refused", {"value": "result:10"}, answer("10"), answer("00"), "not-refused"),
    ("schema-accepted", {"value": "fault:E1"}, fault("E2"), fault("E1"), "valid-message-refused"),
    ("schema-accepted", {"value": "fault"}, answer("10"), fault(), "valid-message-refused"),
    ("correlated", {}, answer(), answer(relates="uuid:2"), "correlation"),
    ("action", {}, answer(), answer(action="urn:other"), "action"),
    ("code", {"at": AT_CODE, "value": "10", "table": "codes"}, answer("10"), answer("00"), "code"),
    ("code", {"at": AT_CODE, "values": ("77", "10"), "table": "codes"}, answer("10"), answer("77"), "code-table"),
    ("in-table", {"at": AT_CODE, "table": "codes"}, answer("10"), answer("20"), "code-table"),
    ("equals", {"at": "//m:Ref", "value": "${nir}"}, ref(f" {NIR} "), ref("2"), "value"),
    (
        "equals",
        {"at": "//m:Answer/@Kind", "value": "x"},
        answer(attributes=' Kind="x"'),
        answer(attributes=' Kind="y"'),
        "value",
    ),
    ("differs", {"at": "//m:Ref", "value": "1"}, ref("2"), ref("1"), "value-forbidden"),
    (
        "amount",
        {"at": "//m:Amount", "value": "9.00"},
        answer(rest=amounts("9.0")),
        answer(rest=amounts("9.01")),
        "amount",
    ),
    (
        "amount",
        {"at": "//m:Amount", "value": "9"},
        answer(rest=amounts("9", "9.0")),
        answer(rest=amounts("9", "8")),
        "amount",
    ),
    ("matches", {"at": "//m:Ref", "value": "A[0-9]+"}, ref("A12"), ref("A12b"), "pattern"),
    ("excludes", {"value": "SECRET"}, ref("x"), ref("a SECRET b"), "disclosed"),
    ("excludes", {"value": "SECRET"}, fault(), answer(attributes=' Kind="SECRET"'), "disclosed"),
    (
        "near-now",
        {"at": "//m:Time", "value": "60"},
        answer(rest=TIME.format("2026-11-20T10:00:40+01:00")),
        answer(rest=TIME.format("2026-11-20T09:02:00Z")),
        "clock",
    ),
    (
        "near-now",
        {"at": "//m:Time", "value": "60"},
        answer(rest=TIME.format("2026-11-20T09:00:11Z")),
        answer(rest=TIME.format("2026-11-20T09:00:11")),
        "clock",
    ),
    ("not-before", {"at": "//m:Ref", "value": "2026-11-20"}, ref("2026-11-20"), ref("2026-11-19"), "too-early"),
    ("not-before", {"at": "//m:Ref", "value": "2026-11-20"}, answer(), ref("demain"), "too-early"),
    ("present", {"at": "//m:Ref"}, answer(rest="<m:Ref/>"), answer(), "missing"),
    ("absent", {"at": "//m:Ref"}, answer(), answer(rest="<m:Ref/>"), "forbidden"),
    ("count", {"at": "//m:Amount", "value": "2"}, answer(rest=amounts("1", "2")), answer(rest=amounts("1")), "count"),
]


@pytest.mark.parametrize(("check", "keys", "good", "bad", "reason"), PAIRS)
def test_check_tells_good_from_bad(check, keys, good, bad, reason):
    step = send(expect(check, **keys))
    passed = judged(step, exchange(good))
    assert (passed.verdict, passed.findings) == ("pass", ())
    assert passed.checked >= 1
    failed = judged(step, exchange(bad))
    found = one(failed)
    assert (failed.verdict, found.verdict, found.blame, found.reason) == ("fail", "fail", "SUT", reason)
    assert found.requirement == ("M-RULE" if reason.startswith("rule:") else "M-A")
    assert found.sentence == f"Le système DOIT respecter {found.requirement}."
    assert found.expected and found.actual and found.message.format(**found.params)


@pytest.mark.parametrize("check", ["equals", "differs", "amount", "matches", "code", "in-table", "near-now"])
def test_an_xpath_that_selects_nothing_misses_the_expectation(check):
    keys = {"table": "codes"} if check == "in-table" else {"value": "5"}
    found = one(judged(send(expect(check, at="//m:Ref", **keys)), exchange()))
    assert (found.reason, found.location.path) == ("missing", "//m:Ref")


def dated(version_at: str) -> JudgeContext:
    services = tuple(msgspec.structs.replace(each, version_at=version_at, version="2.1") for each in NORM.services)
    norm = msgspec.structs.replace(NORM, services=services, digest=f"mini with {version_at}")
    return replace(CONTEXT, norm=norm)


def test_the_version_that_the_service_declares():
    step, context = send(expect("version"), expect("accepted")), dated("//m:Answer/@Kind")
    assert judged(step, exchange(answer(attributes=' Kind="2.1"')), context=context).verdict == "pass"
    for attributes in (' Kind="2.10"', ""):
        found = judged(step, exchange(answer(attributes=attributes)), context=context).findings
        assert ("version", "M-A", "SUT") in [(each.reason, each.requirement, each.blame) for each in found]


def test_a_norm_that_says_no_place_of_the_version_cannot_ask_for_it():
    assert judged(send(expect("version"), expect("accepted")), exchange()).verdict == "error"


def test_the_same_text_as_in_an_earlier_step():
    steps = (send(expect("present", at="//m:Ref")), send(expect("same-as-step", at="//m:Ref", step=1)))
    first = exchange(ref("1"))
    assert judged(steps, first, exchange(ref("1"), step=2)).verdict == "pass"
    assert one(judged(steps, first, exchange(ref("2"), step=2))).reason == "differs-from-step"
    assert one(judged(steps, first, exchange(answer(), step=2))).reason == "missing"


def test_another_text_than_in_an_earlier_step():
    steps = (send(expect("present", at="//m:Ref")), send(expect("differs-from-step", at="//m:Ref", step=1)))
    first = exchange(ref("1"))
    assert judged(steps, first, exchange(ref("2"), step=2)).verdict == "pass"
    assert one(judged(steps, first, exchange(ref("1"), step=2))).reason == "same-as-step"


def test_a_text_that_only_one_of_two_steps_has_is_not_the_same():
    steps = (send(expect("accepted")), send(expect("same-as-step", at="//m:Ref", step=1)))
    assert one(judged(steps, exchange(), exchange(ref("1"), step=2))).reason == "differs-from-step"


def test_a_text_that_neither_step_has_says_nothing_and_is_no_pass_by_itself():
    only = (send(), send(expect("same-as-step", at="//m:Ref", step=1)))
    assert judged(only, exchange(), exchange(step=2)).verdict == "error"
    beside = (send(), send(expect("accepted"), expect("same-as-step", at="//m:Ref", step=1)))
    assert judged(beside, exchange(), exchange(step=2)).verdict == "pass"


def test_another_text_than_in_a_step_that_had_none_is_inconclusive():
    steps = (send(expect("accepted")), send(expect("differs-from-step", at="//m:Ref", step=1)))
    verdict = judged(steps, exchange(), exchange(ref("1"), step=2))
    assert (verdict.verdict, one(verdict).reason) == ("inconclusive", "not-evaluated")


def parallel(check: str, *refs: str):
    exchanges = [
        exchange(answer(rest=f"<m:Ref>{ref}</m:Ref>" if ref else ""), number=n) for n, ref in enumerate(refs, 1)
    ]
    return judged(send(expect(check, at="//m:Ref"), parallel=len(refs)), *exchanges)


def test_texts_that_must_differ_among_simultaneous_answers():
    assert parallel("unique-across-parallel", "1", "2", "3").verdict == "pass"
    assert one(parallel("unique-across-parallel", "1", "2", "1")).reason == "not-unique"
    assert one(parallel("unique-across-parallel", "1", "")).reason == "missing"


def test_texts_that_must_agree_among_simultaneous_answers():
    assert parallel("consistent-across-parallel", "1", "1").verdict == "pass"
    assert one(parallel("consistent-across-parallel", "1", "2")).reason == "inconsistent"


@pytest.mark.parametrize(
    ("status", "wanted", "verdict"),
    [(200, "200", "pass"), (202, "2xx", "pass"), (500, "200", "fail"), (404, "2xx", "fail")],
)
def test_http_status(status, wanted, verdict):
    told = judged(send(expect("http-status", value=wanted)), exchange(response=response(answer(), status)))
    assert told.verdict == verdict
    assert [found.reason for found in told.findings] == ([] if verdict == "pass" else ["http-status"])


def test_time_of_an_answer_says_no_time():
    assert judged(send(expect("within-ms", value="600")), exchange()).verdict == "pass"
    found = one(judged(send(expect("within-ms", value="400")), exchange()))
    assert (found.reason, found.actual) == ("too-slow", "davantage")


def test_answered_needs_an_answer():
    assert judged(send(expect("answered")), exchange()).verdict == "pass"
    assert judged(send(expect("answered")), exchange(outcome="timeout", response=b"")).verdict == "inconclusive"


def test_a_correlation_that_is_missing():
    body = answer().replace(b"<wsa:RelatesTo>uuid:1</wsa:RelatesTo>", b"")
    assert one(judged(send(expect("correlated")), exchange(body))).reason == "not-correlated"


def test_the_registry_and_the_vocabulary_have_the_same_names():
    assert set(CHECKS) == set(VOCABULARY)


def test_a_check_without_the_values_it_needs_is_an_incident_of_ours():
    found = one(judged(send(expect("equals", at="//m:Ref")), exchange(answer(rest="<m:Ref/>"))))
    assert (found.verdict, found.blame) == ("error", "LAB")


@pytest.mark.parametrize("kind", ["text/xml; charset=utf-8", "text/html", ""])
def test_a_message_travels_under_the_media_type_of_its_soap_version(kind):
    verdict = judged(send(expect("accepted")), exchange(response=response(answer(), kind=kind)))
    assert (verdict.verdict, one(verdict).reason, one(verdict).requirement) == ("fail", "media-type", "M-VAL")
