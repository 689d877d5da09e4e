"""Nothing that is missing, hostile or shuffled turns into a pass; the same recording gives the same bytes."""

from __future__ import annotations

import random
from dataclasses import replace

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judge_samples import CONTEXT, NIR, answer, case, exchange, expect, fault, judged, one, request, send

from harness.checks.registry import CHECKS
from harness.judge import judge
from harness.masking import masked
from harness.verdicts import canonical
from scenarios.model import Suite

FULL = send(
    expect("valid"),
    expect("accepted"),
    expect("result", value="00"),
    expect("correlated"),
    expect("action"),
    expect("present", at="//m:Ref"),
    expect("equals", at="//m:Ref", value="R1"),
    expect("absent", at="//m:Amount"),
)
GOOD = exchange(answer(rest="<m:Ref>R1</m:Ref>"))
REFUSED = send(expect("refused", values=("fault:E1", "tls", "reset", "http:403")))
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_the_reference_passes():
    assert judged(FULL, GOOD).verdict == "pass"


@FEW
@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_raise_and_never_pass(noise):
    assert judged(FULL, exchange(response=noise)).verdict != "pass"
    assert judged(FULL, exchange(noise)).verdict != "pass"
    assert judged(REFUSED, exchange(response=noise)).verdict != "pass"


@FEW
@given(st.binary(max_size=300))
def test_arbitrary_bytes_of_a_client_never_raise_and_never_pass(noise):
    step = msgspec.structs.replace(send(expect("valid"), expect("present", at="//m:Person")), send="", await_="ASK")
    arrived = exchange(outcome="received", request=noise, response=b"")
    assert judged(step, arrived, role="client").verdict != "pass"
    assert judged(step, msgspec.structs.replace(arrived, request=request(noise)), role="client").verdict != "pass"


@FEW
@given(st.data())
def test_a_cut_or_damaged_answer_never_raises(data):
    raw = GOOD.response
    start = data.draw(st.integers(0, len(raw) - 1))
    length = data.draw(st.integers(1, 12))
    damaged = raw[:start] + data.draw(st.binary(max_size=8)) + raw[start + length :]
    verdict = judged(FULL, exchange(response=damaged))
    assert verdict.verdict in ("pass", "fail", "inconclusive")
    assert judged(FULL, exchange(response=raw[:start])).verdict != "pass"


OUTCOMES = ["timeout", "refused", "reset", "tls", "bad-http", "too-large", "silent", "received"]


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("check", sorted(CHECKS))
def test_no_check_is_met_without_a_message(check, outcome):
    keys = {"at": "//m:Nothing", "table": "codes", "step": 1, "values": ("9", "fault:E1")}
    if check in ("count", "near-now", "within-ms"):
        keys["values"] = ("9",)
    verdict = judged(send(expect(check, **keys)), exchange(outcome=outcome, response=b""))
    assert verdict.verdict != "pass"


@pytest.mark.parametrize(
    "check", sorted(name for name in CHECKS if name not in ("answered", "http-status", "within-ms"))
)
@pytest.mark.parametrize("body", [b"", b"<html/>", b"{}", b"<a>"])
def test_no_check_of_a_message_is_met_without_one(check, body):
    keys = {"at": "//m:Nothing", "table": "codes", "step": 1, "values": ("9", "fault:E1")}
    if check in ("count", "near-now"):
        keys["values"] = ("9",)
    assert judged(send(expect(check, **keys)), exchange(body)).verdict != "pass"


def test_taking_any_exchange_away_never_makes_a_pass():
    steps = (FULL, send(expect("result", value="00")), REFUSED)
    first = exchange(purpose="control", step=3, number=1, at=60.0)
    second = exchange(purpose="step", step=3, number=2, at=61.0, outcome="tls", response=b"")
    recorded = [GOOD, exchange(step=2), first, second, exchange(purpose="control", step=3, number=3, at=62.0)]
    assert judged(steps, *recorded).verdict == "pass"
    for left_out in recorded:
        assert judged(steps, *(each for each in recorded if each is not left_out)).verdict != "pass"


def test_a_fault_never_meets_an_absence():
    assert judged(send(expect("absent", at="//m:Ref")), exchange(fault())).verdict == "fail"


def test_a_crash_outside_the_checks_is_an_incident():
    verdict = judged(FULL, msgspec.structs.replace(GOOD, sent_at="yesterday"))
    assert (verdict.verdict, one(verdict).blame) == ("error", "LAB")


def test_an_unknown_check_is_an_incident():
    assert judged(send(expect("levitates")), exchange()).verdict == "error"


def suite(*cases) -> Suite:
    return Suite("f", "mini/1.0", "1", "reconstruction", "d", "server", cases, (), "digest")


def test_the_same_recording_gives_the_same_bytes_whatever_the_order_and_language(monkeypatch):
    steps = (FULL, REFUSED)
    first, second = msgspec.structs.replace(case(*steps), id="C-1"), msgspec.structs.replace(case(FULL), id="C-2")
    recorded = [
        exchange(answer("10", "<m:Ref>R1</m:Ref>")),
        *(exchange(response=b"\x00", number=number, purpose="retry") for number in (2, 3, 4)),
        exchange(b"<html>", step=2),
    ]
    seen = set()
    shuffle = random.Random(7)
    for turn in range(20):
        monkeypatch.setenv("POINCON_LANG", "en" if turn % 2 else "fr")
        shuffle.shuffle(recorded)
        shuffled = [
            msgspec.structs.replace(
                each, bindings=dict(sorted({"nir": NIR, "b": "1", "a": "2"}.items(), reverse=turn % 3 == 0))
            )
            for each in recorded
        ]
        exchanges = {"C-1": shuffled, "C-2": [GOOD]}
        if turn % 2:
            exchanges = dict(reversed(exchanges.items()))
        seen.add(canonical(judge(CONTEXT, suite(first, second), exchanges)))
    assert len(seen) == 1


def test_findings_hide_identifiers_and_secrets():
    context = replace(CONTEXT, secrets=("hunter22",))
    wrong = answer(rest=f"<m:Ref>{NIR} hunter22</m:Ref>")
    verdict = judged(send(expect("equals", at="//m:Ref", value="${nir}")), exchange(wrong), context=context)
    text = msgspec.json.encode(verdict).decode()
    assert NIR not in text
    assert "hunter22" not in text
    assert "1**********34" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1090763220834", "1**********34"),
        ("109076322083489", "1************89"),
        ("1 09 07 63 220 834 89", "1************89"),
        ("172192B999002", "1**********02"),
        ("x1090763220834y", "x1**********34y"),
        ("10907632208341", "10907632208341"),
        ("2026-11-20T09:30:00Z", "2026-11-20T09:30:00Z"),
        ("a\x1b[31mb\nc", "a\\u001b[31mb c"),
        ("a\u202eb", "a\\u202eb"),
    ],
)
def test_what_people_read_is_masked(text, shown):
    assert masked(text) == shown


def test_a_cut_never_undoes_a_mask():
    assert "109076" not in masked("x" * 230 + NIR + "x" * 50)


def test_secrets_are_hidden_whole():
    assert masked("code 42, 1425", ("42",)) == "code •••, 1425"
    assert masked("abcdefg abcd", ("abcd", "abcdefg", "")) == "••• •••"
