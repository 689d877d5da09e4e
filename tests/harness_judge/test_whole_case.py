"""A case is one document: what its messages say of the same thing is judged by the rules over all of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from judge_samples import (
    CONTEXT,
    HERE,
    NORM,
    answer,
    ask,
    case,
    envelope,
    exchange,
    expect,
    fault,
    judged,
    one,
    request,
    response,
    send,
)

from harness.chainjudge import ChainJudge
from harness.context import JudgeContext
from harness.evaluation import Judged
from harness.findings import FindingMaker
from harness.judge import judge
from harness.observed import Observed
from harness.record import CaseVerdict, Exchange
from harness.verdicts import canonical
from scenarios.model import Step, Suite

CHAINED = replace(CONTEXT, norm=msgspec.structs.replace(NORM, chains=(HERE / "chain.sch",), digest="mini-with-a-chain"))
ACCEPTED = send(expect("accepted"))
TWO = (ACCEPTED, ACCEPTED)


def ref(text: str, **changes: object) -> Exchange:
    return exchange(answer(rest=f"<m:Ref>{text}</m:Ref>"), **changes)


def total(text: str, **changes: object) -> Exchange:
    return exchange(answer(rest=f"<m:Amount>{text}</m:Amount><m:Total>{text}</m:Total>"), **changes)


def together(steps: Step | tuple[Step, ...], *exchanges: Exchange, context: JudgeContext = CHAINED) -> CaseVerdict:
    return judged(steps, *exchanges, context=context)


def test_messages_that_agree_pass_and_count_as_one_expectation_more():
    verdict = together(TWO, ref("R1"), ref("R1", step=2))
    assert (verdict.verdict, verdict.findings) == ("pass", ())
    assert verdict.checked == judged(TWO, ref("R1"), ref("R1", step=2)).checked + 1


def test_a_contradiction_is_told_where_it_stands_with_its_own_requirement():
    found = one(together(TWO, ref("R1"), ref("R2", step=2)))
    assert (found.requirement, found.level, found.verdict, found.blame) == ("M-C", "MUST", "fail", "SUT")
    assert (found.check, found.reason) == ("chain", "rule:M-K-REF")
    place = found.location
    assert (place.exchange, place.path, place.line) == ("C-1#2.1", "/soap:Envelope/soap:Body/m:Answer", 3)
    assert found.expected == "la règle M-K-REF respectée"
    assert found.actual == "La référence « R2 » DOIT rester la même."
    assert (found.message, found.params["detail"]) == ("Règle {regle} : {detail}", found.actual)


def test_a_rule_that_binds_to_no_must_is_a_remark():
    verdict = together(TWO, total("2.00"), total("1.50", step=2))
    assert (verdict.verdict, one(verdict).verdict, one(verdict).requirement) == ("pass", "remark", "M-SHOULD")
    assert together(TWO, total("1.50"), total("1.5", step=2)).findings == ()


def test_the_context_tells_whom_a_rule_binds():
    others = [exchange(request=request(ask(person)), step=step) for step, person in enumerate(("A", "B"), 1)]
    assert together(TWO, *others).findings == ()  # our own requests are no matter of a server
    awaiting = tuple(msgspec.structs.replace(step, send="", await_="ASK") for step in TWO)
    arrived = [
        msgspec.structs.replace(each, outcome="received", response=response(answer(rest=f"<m:Ref>{each.step}</m:Ref>")))
        for each in others
    ]
    found = one(judged(awaiting, *arrived, role="client", context=CHAINED))
    assert (found.requirement, found.reason, found.location.exchange) == ("M-CLIENT", "rule:M-K-PERSON", "C-1#2.1")


@pytest.mark.parametrize(
    "changes",
    [{"security": "expired"}, {"http": "method-get"}, {"purpose": "control"}, {"purpose": "retry"}],
)
def test_what_deviates_or_was_sent_for_another_purpose_is_not_in_the_document(changes: dict[str, str]):
    verdict = together(TWO, ref("R1"), ref("R2", number=2, **changes), ref("R1", step=2))
    assert verdict.findings == ()
    plain = together(TWO, ref("R1"), ref("R2", number=2), ref("R1", step=2))
    assert [found.location.exchange for found in plain.findings] == ["C-1#1.2", "C-1#2.1"]


def test_a_refusal_as_a_soap_fault_is_in_the_document():
    refused = send(expect("refused", value="fault:E1"))
    sorry = answer().replace(b"</m:Code>", b"</m:Code><m:Label>sorry</m:Label>")
    after = (exchange(sorry, step=2),)
    assert together((refused, ACCEPTED), exchange(response=response(fault(), 500)), *after).findings == ()
    assert one(together(TWO, exchange(), *after)).requirement == "M-B"


def test_a_refusal_by_http_alone_is_not_in_the_document():
    refused = send(expect("refused", values=("http:403", "fault:E1")))
    verdict = together((ACCEPTED, refused, ACCEPTED), ref("R1"),
                       exchange(response=response(b"", 403), step=2), ref("R2", step=3))  # fmt: skip
    assert one(verdict).location.exchange == "C-1#3.1"


def test_the_document_ends_where_a_step_fails_for_itself():
    three = (send(expect("result", value="00")),) * 3
    broken, wrong = answer(rest="<m:Total>x</m:Total><m:Ref>R2</m:Ref>"), answer("01", "<m:Ref>R2</m:Ref>")
    for second, check in ((broken, "valid"), (wrong, "result"), (fault(), "result")):
        assert one(together(three, ref("R1"), exchange(second, step=2), ref("R3", step=3))).check == check
        later = together(three, ref("R1"), ref("R2", step=2), exchange(second, step=3))
        assert [found.check for found in later.findings] == [check, "chain"]


@pytest.mark.parametrize(("reason", "told"), [("signature-invalid", 0), ("structure", 0), ("schema-split", 1)])
def test_a_message_whose_content_cannot_be_relied_on_ends_the_document(reason: str, told: int):
    chain, service = ChainJudge(CHAINED, FindingMaker(CHAINED), "response"), NORM.services[0]
    finding = msgspec.structs.replace(one(judged(ACCEPTED, exchange(fault()))), reason=reason)
    chain.add([Observed(NORM, service, ref("R1"), "response")], Judged())
    chain.add([Observed(NORM, service, ref("R2", step=2), "response")], Judged([finding]))
    chain.add([Observed(NORM, service, ref("R1", step=3), "response")], Judged())
    assert len(chain.run().findings) == 2 * told


def test_a_request_of_ours_that_is_no_envelope_keeps_its_exchange_out():
    assert together(TWO, ref("R1"), ref("R2", step=2, request=request(b"<x/>"))).findings == ()


def test_no_more_than_twenty_findings_say_the_same():
    many = [ref(f"R{step}", step=step) for step in range(1, 30)]
    assert len(together((ACCEPTED,) * 29, *many).findings) == 20


def test_copies_of_a_parallel_step_stand_in_their_order_whatever_ended_first():
    step = send(expect("accepted"), parallel=2)
    last = ref("R2", bindings={"copy": "2"})
    first = ref("R1", number=2, bindings={"copy": "1"})
    assert one(together(step, last, first)).location.exchange == "C-1#1.1"
    assert one(together(step, first, last)).location.exchange == "C-1#1.1"


def test_a_rule_that_cannot_be_evaluated_is_our_incident(tmp_path: Path):
    bad = tmp_path / "bad.sch"
    text = (HERE / "chain.sch").read_text(encoding="utf-8")
    bad.write_text(text.replace('test="not(m:Ref) or', "test=\"p:in-table(m:Ref, 'rien') or"), encoding="utf-8")
    context = replace(CHAINED, norm=msgspec.structs.replace(CHAINED.norm, chains=(bad,), digest="mini-bad-chain"))
    verdict = together(TWO, ref("R1"), ref("R1", step=2), context=context)
    found = one(verdict)
    assert (verdict.verdict, found.blame, found.reason, found.requirement) == ("error", "LAB", "laboratory", "")
    assert "rien" in found.actual


def test_the_whole_case_alone_lets_no_case_pass():
    verdict = together(send(), ref("R1"))
    assert (verdict.verdict, one(verdict).blame) == ("error", "LAB")


def test_the_same_recording_gives_the_same_bytes_in_any_order():
    suite = Suite("f", "mini/1.0", "1", "p", "d", "server", (case(*TWO, ACCEPTED),), (), "s")
    recorded = [ref("R1"), ref("R2", step=2), total("1", step=3)]
    one_way = canonical(judge(CHAINED, suite, {"C-1": recorded}))
    assert b"M-K-REF" in one_way
    assert canonical(judge(CHAINED, suite, {"C-1": recorded[::-1]})) == one_way


def test_messages_are_judged_as_they_came_after_the_document_was_made():
    """The document holds copies: namespaces and places of the messages stay what they were."""
    own_prefix = answer(rest="<m:Ref>R1</m:Ref>").replace(b"m:", b"x:").replace(b":m=", b":x=")
    found = one(together(TWO, exchange(own_prefix), ref("R2", step=2)))
    assert found.location.path == "/soap:Envelope/soap:Body/m:Answer"
    assert together(TWO, exchange(envelope("<m:Told/>")), ref("R2", step=2)).verdict == "fail"
