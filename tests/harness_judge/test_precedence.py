"""One deviation, one root: what depends on a failed premise is left out, never met, never blamed again."""

from __future__ import annotations

from judge_samples import answer, exchange, expect, fault, judged, one, response, send

AT = {"at": "//m:Ref"}


def requirements(verdict):
    return [(found.requirement, found.check) for found in verdict.findings]


def test_a_body_that_is_no_xml_is_blamed_on_validity_alone():
    step = send(expect("result", value="00"), expect("correlated", "M-B"), expect("present", "M-C", **AT))
    for body in (b"<html>", b"not xml", b"", b"<!DOCTYPE x><x/>", b"<x/>"):
        verdict = judged(step, exchange(body))
        assert requirements(verdict) == [("M-VAL", "valid")], body
        assert verdict.verdict == "fail"


def test_a_redirect_is_not_followed_and_is_named():
    found = one(
        judged(send(expect("result", value="00")), exchange(response=response(b"", 302, "Location: http://x/")))
    )
    assert found.reason == "redirect"


def test_another_message_of_the_norm_is_not_the_answer():
    told = answer().replace(b"m:Answer", b"m:Told").replace(b"<m:Result><m:Code>00</m:Code></m:Result>", b"")
    verdict = judged(send(expect("result", value="00")), exchange(told))
    assert (requirements(verdict), one(verdict).reason) == ([("M-VAL", "valid")], "unknown-operation")


def test_an_envelope_of_the_other_soap_version_is_named():
    other = answer().replace(b"http://www.w3.org/2003/05/soap-envelope", b"http://schemas.xmlsoap.org/soap/envelope/")
    assert one(judged(send(expect("result", value="00")), exchange(other))).reason == "envelope-version"


def test_two_payloads_are_no_message():
    twice = answer().replace(b"</soap:Body>", b"<m:Told/></soap:Body>")
    assert one(judged(send(expect("result", value="00")), exchange(twice))).reason == "envelope-structure"


def test_a_value_that_breaks_the_schema_is_also_judged_by_those_who_ask_for_it():
    step = send(expect("equals", "M-B", value="x", **AT), expect("code", "M-C", at="//m:Code", value="00"))
    invalid = answer("12345", "<m:Ref>x</m:Ref>")
    assert requirements(judged(step, exchange(invalid))) == [("M-VAL", "valid"), ("M-C", "code")]


def test_a_fault_whose_code_breaks_a_rule_is_not_blamed_for_its_code_again():
    step = send(expect("refused", value="fault:E1"))
    broken = fault("E2").replace(b"<m:Severity>erreur</m:Severity><m:Code>E2</m:Code>", b"<m:Code>E2</m:Code>")
    assert requirements(judged(step, exchange(broken))) == [("M-VAL", "valid")]
    assert requirements(judged(step, exchange(fault("E2")))) == [("M-A", "refused")]


def test_what_the_answer_to_an_accepted_request_holds_is_no_matter():
    step = send(
        expect("http-status", "M-B", value="400"), expect("refused", value="fault:E1"), expect("correlated", "M-C")
    )
    strange = answer("12345", relates="uuid:9")
    assert requirements(judged(step, exchange(strange))) == [("M-A", "refused")]
    assert requirements(judged(step, exchange(response=response(fault("E1"), 500)))) == [
        ("M-B", "http-status"),
        ("M-C", "correlated"),
    ]


def test_the_steps_own_citation_of_validity_stands_alone():
    verdict = judged(send(expect("valid", "M-B")), exchange(answer("12345")))
    assert requirements(verdict) == [("M-B", "valid")]


def test_rules_are_not_reported_of_a_message_of_the_wrong_structure():
    wrong = answer(rest="<m:Amount>1</m:Amount><m:Total>2</m:Total><m:Ref/><m:Ref/>")
    assert requirements(judged(send(expect("accepted")), exchange(wrong))) == [("M-VAL", "valid")]


def test_a_broken_rule_leaves_the_values_to_be_judged():
    step = send(expect("amount", "M-B", at="//m:Total", value="3"))
    wrong = answer(rest="<m:Amount>1</m:Amount><m:Total>2</m:Total>")
    assert requirements(judged(step, exchange(wrong))) == [("M-RULE", "valid"), ("M-B", "amount")]


def test_the_result_before_what_depends_on_it():
    step = send(expect("absent", "M-B", **AT), expect("result", value="10"), expect("count", "M-C", value="0", **AT))
    verdict = judged(step, exchange(answer("00", "<m:Ref/>")))
    assert requirements(verdict) == [("M-A", "result")]


def test_a_code_outside_its_table_before_the_result():
    step = send(
        expect("result", value="00"),
        expect("in-table", "M-B", at="/soap:Envelope/soap:Body/m:Answer/m:Result/m:Code", table="codes"),
    )
    assert requirements(judged(step, exchange(answer("77")))) == [("M-B", "in-table")]
    assert requirements(judged(step, exchange(answer("10")))) == [("M-A", "result")]


def test_a_wrong_status_before_an_unreadable_body():
    step = send(expect("http-status", "M-B", value="200"), expect("result", value="00"))
    assert requirements(judged(step, exchange(response=response(b"<html>", 500)))) == [("M-B", "http-status")]
    assert requirements(judged(step, exchange(response=response(answer(), 500)))) == [("M-B", "http-status")]


def test_an_accepted_request_is_blamed_once():
    step = send(
        expect("refused", value="fault:E1"), expect("fault-class", "M-B", value="Sender"), expect("absent", "M-C", **AT)
    )
    assert requirements(judged(step, exchange(answer(rest="<m:Ref/>")))) == [("M-A", "refused")]


def test_values_of_an_expected_fault_are_judged():
    step = send(expect("fault", value="E1"), expect("equals", "M-B", at="//m:Severity", value="fatale"))
    assert requirements(judged(step, exchange(fault()))) == [("M-B", "equals")]
    assert requirements(judged(step, exchange(fault("E2")))) == [("M-A", "fault")]


def test_two_refusals_of_one_step_are_each_judged_on_a_fault():
    step = send(expect("fault", value="E1"), expect("fault-class", "M-B", value="Receiver"))
    assert requirements(judged(step, exchange(fault()))) == [("M-B", "fault-class")]


def test_a_later_step_is_not_blamed_for_what_an_earlier_one_did_not_achieve():
    steps = (send(expect("result", value="00")), send(expect("result", "M-B", value="00")))
    verdict = judged(steps, exchange(answer("10")), exchange(answer("10"), step=2))
    assert requirements(verdict) == [("M-A", "result")]


def test_a_later_step_is_judged_when_only_a_value_was_wrong():
    steps = (send(expect("present", **AT)), send(expect("result", "M-B", value="00")))
    verdict = judged(steps, exchange(), exchange(answer("10"), step=2))
    assert requirements(verdict) == [("M-A", "present"), ("M-B", "result")]


def test_copies_of_a_parallel_step_say_the_same_once():
    step = send(expect("result", value="00"), parallel=3)
    verdict = judged(step, *(exchange(answer("10"), number=number) for number in (1, 2, 3)))
    assert len(verdict.findings) == 1


def test_a_must_is_cited_before_a_should():
    step = send(expect("present", "M-SHOULD", **AT), expect("equals", "M-B", value="1", **AT))
    assert requirements(judged(step, exchange(fault()))) == [("M-B", "equals")]


def test_a_fault_where_only_a_should_needs_a_normal_answer_is_a_remark():
    step = send(expect("accepted", "M-SHOULD"), expect("absent", "M-SHOULD", **AT))
    verdict = judged(step, exchange(fault()))
    assert (verdict.verdict, [found.verdict for found in verdict.findings]) == ("pass", ["remark"])
    broken = fault().replace(b"<m:Severity>erreur</m:Severity>", b"")
    assert judged(step, exchange(broken)).verdict == "fail"
    assert judged((step, send(expect("accepted"))), exchange(fault()), exchange(step=2)).verdict == "inconclusive"


def test_a_premise_that_only_a_should_asks_for_cannot_let_the_case_pass():
    step = send(expect("result", "M-SHOULD", value="00"), expect("absent", "M-B", **AT))
    verdict = judged(step, exchange(answer("10")))
    assert [found.verdict for found in verdict.findings] == ["remark", "inconclusive"]
    assert verdict.verdict == "inconclusive"


def test_a_finding_says_where():
    found = one(judged(send(expect("result", value="10")), exchange()))
    assert found.location.exchange == "C-1#1.1"
    assert found.location.path == "/soap:Envelope/soap:Body/m:Answer/m:Result/m:Code"
    assert found.location.line == 3
    other_prefix = answer().replace(b"xmlns:m", b"xmlns:zz").replace(b"m:", b"zz:").replace(b"zz:zz", b"zz")
    assert b"zz:Answer" in other_prefix
    assert one(judged(send(expect("result", value="10")), exchange(other_prefix))).location == found.location
