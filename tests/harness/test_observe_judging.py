"""Faults sown into recorded traffic: each is found at its requirement, and what is in order gives nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from recordings import NORM, Talk, entry, har, observe, only, pair, record, seen, swapped, talk, warc, whole

from harness import warc as own
from harness.observation.measures import address
from harness.observation.opening import open_recording
from harness.observation.recognition import SEVERAL, UNKNOWN, Recogniser
from harness.observation.together import MOST_TOGETHER
from harness.record import Exchange, TlsFacts
from sandbox.pki import ensure


def test_traffic_in_order_gives_nothing(tmp_path: Path) -> None:
    observation = observe(warc(tmp_path / "a", [talk("ADR"), *whole()]))
    assert (observation.verdict, observation.exit_code, observation.findings) == ("pass", 0, ())
    assert observation.counts.valid == observation.counts.messages == 8
    assert observation.norms == ("annuaire/1.0", "ville/1.1")
    assert {each.share for each in observation.messages} == {1.0}
    assert (observation.counts.beneficiaries, observation.signatures) == (1, False)


def test_without_a_norm_named_each_message_finds_its_own(tmp_path: Path) -> None:
    assert observe(warc(tmp_path / "a", [talk("ADR"), *whole()]), None).exit_code == 0


SOWN = {
    "schema of a request": ("IDB", "request", "<com:RangGemellaire>1<", "<com:RangGemellaire>x<", "SOC-LPS-001"),
    "schema of an answer": ("IDB", "response", "<com:RangGemellaire>1<", "<com:RangGemellaire>x<", "SOC-GEN-003"),
    "key of a NIR": ("IDB", "request", "<com:CleNir>89<", "<com:CleNir>88<", "SOC-LPS-016"),
    "wrong amount": ("CLC", "response", "<clc:MontantAMC>9.00<", "<clc:MontantAMC>8.00<", "VIL-CLC-002"),
    "correlation": ("IDB", "response", "<wsa:RelatesTo>uuid:5", "<wsa:RelatesTo>uuid:6", "SOC-GEN-004"),
    "action of an answer": ("IDB", "response", "informerDroitsResponse<", "informerDroits<", "SOC-GEN-005"),
    "action of a request": ("IDB", "request", "informerDroits<", "autreChose<", "SOC-LPS-002"),
}


@pytest.mark.parametrize("name", SOWN)
def test_a_fault_is_found_at_its_requirement(tmp_path: Path, name: str) -> None:
    kind, side, before, after, requirement = SOWN[name]
    observation = observe(warc(tmp_path / "a", [swapped(talk(kind), side, before, after)]))
    assert observation.exit_code == 1
    assert (kind, side, "fail", requirement) in seen(observation)
    assert {each.side for each in observation.findings} == {side}
    found = next(each for each in observation.findings if each.finding.requirement == requirement)
    assert found.finding.sentence.startswith("Le système DOIT")
    assert found.examples[0].exchange == 1 and found.examples[0].path
    shares = {each.side: each.share for each in observation.messages}
    assert shares == {side: 0.0, "response" if side == "request" else "request": 1.0}


TOGETHER = {
    "claim above the commitment": (
        [("<dre:MontantAMC>9.00<", "<dre:MontantAMC>9.50<"), ("<dre:TotalAMC>9.00<", "<dre:TotalAMC>9.50<")],
        "SOC-DRE-004",
    ),
    "another commitment": ([("ENG-20261120-000001", "ENG-20261120-000002")], "SOC-DRE-002"),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_messages_of_one_beneficiary_are_judged_together(tmp_path: Path, name: str) -> None:
    changes, requirement = TOGETHER[name]
    guarantee, claim = talk("CLC", 5), talk("DRE", 10)
    for before, after in changes:
        claim = swapped(claim, "request", before, after)
    observation = observe(warc(tmp_path / "a", [claim, guarantee]))  # in another order than that of time
    assert ("DRE", "request", "fail", requirement) in seen(observation)
    assert observation.exit_code == 1
    counted = {(each.kind, each.side): each.invalid for each in observation.messages}
    assert counted["DRE", "request"] == 1 and counted["CLC", "request"] == counted["CLC", "response"] == 0


def test_what_a_broken_message_also_breaks_with_others_is_not_told_twice(tmp_path: Path) -> None:
    claim = swapped(talk("DRE", 10), "request", "ENG-20261120-000001", "ENG-20261120-000002")
    claim = swapped(claim, "request", "<dre:Quantite>1<", "<dre:Quantite>un<")
    observation = observe(warc(tmp_path / "a", [talk("CLC", 5), claim]))
    assert [found for found in seen(observation) if found[1] == "request"] == [
        ("DRE", "request", "fail", "SOC-LPS-001")
    ]


def test_another_beneficiary_is_another_story(tmp_path: Path) -> None:
    claim = swapped(talk("DRE", 10), "request", "ENG-20261120-000001", "ENG-20261120-000002")
    claim = swapped(claim, "request", "<com:RangGemellaire>1<", "<com:RangGemellaire>2<")
    found = {requirement for *_, requirement in seen(observe(warc(tmp_path / "a", [talk("CLC", 5), claim])))}
    assert "SOC-DRE-002" not in found


def test_what_came_before_and_cannot_be_read_leaves_a_rule_open(tmp_path: Path) -> None:
    lost = replace(talk("CLC", 1), response=b"")
    claim = swapped(talk("DRE", 10), "request", "ENG-20261120-000001", "ENG-20261120-000002")
    observation = observe(warc(tmp_path / "a", [lost, talk("CLC", 5), claim]))
    assert ("DRE", "request", "inconclusive", "SOC-DRE-002") in seen(observation)
    assert "manque" in next(each for each in observation.findings if each.kind == "DRE").finding.actual


def test_too_many_exchanges_of_one_beneficiary_are_said_and_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_TOGETHER > 100
    monkeypatch.setattr("harness.observation.together.MOST_TOGETHER", 2)
    observation = observe(warc(tmp_path / "a", whole()))
    assert (observation.verdict, observation.exit_code) == ("inconclusive", 3)
    assert (observation.counts.beneficiaries, observation.counts.not_together) == (0, 1)


def test_a_message_breaks_the_norm_even_where_nothing_can_be_cited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.observation.citing.Citations.of", lambda *_: "")
    wrong = swapped(talk("IDB"), "request", "<com:RangGemellaire>1<", "<com:RangGemellaire>x<")
    observation = observe(warc(tmp_path / "a", [wrong]))
    assert (observation.exit_code, seen(observation)) == (1, [("IDB", "request", "fail", "")])


# -- signatures ----------------------------------------------------------------------------------------------


def test_signatures_are_judged_only_against_authorities(tmp_path: Path) -> None:
    path = warc(tmp_path / "a", [talk("IDB")])
    anchors = ensure(tmp_path / "pki").anchors()
    observation = observe(path, anchors=anchors)
    assert {(side, requirement) for _, side, _, requirement in seen(observation)} == {
        ("request", "SOC-LPS-003"),
        ("response", "SOC-SEC-050"),
    }
    assert observation.signatures


FAULT = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value>'
    b'</s:Code><s:Reason><s:Text xml:lang="fr">non</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>'
)


# -- what is not judged, and what is counted -----------------------------------------------------------------


def test_what_no_norm_knows_is_counted_and_never_judged(tmp_path: Path) -> None:
    stranger = replace(
        talk("IDB"), request=b"<a/>", response=b"<b/>", url="https://u:p@a.test/x/" + "s" * 40 + "?nir=1"
    )
    bare = replace(talk("IDB"), request=b"", response=b"{}", url="https://a.test/y")
    observation = observe(warc(tmp_path / "a", [stranger, stranger, bare]))
    assert (observation.verdict, observation.exit_code, observation.messages) == ("inconclusive", 3, ())
    assert [(each.what, each.reason, each.count) for each in observation.unrecognised] == [
        ("POST https://a.test/x/•••", "inconnu des normes disponibles", 2),
        ("POST https://a.test/y", "sans corps", 1),
    ]


def test_an_answer_sent_as_a_request_is_none(tmp_path: Path) -> None:
    observation = observe(warc(tmp_path / "a", [replace(talk("IDB"), request=talk("IDB").response, response=b"")]))
    assert (observation.exit_code, observation.unrecognised[0].reason) == (3, UNKNOWN)


def test_what_two_norms_know_is_left_to_the_reader(tmp_path: Path) -> None:
    recogniser = Recogniser([NORM, msgspec.structs.replace(NORM, id="autre")])
    (recorded,) = open_recording(warc(tmp_path / "a", [talk("IDB")]))
    assert recogniser.recognise(recorded) == SEVERAL


def test_an_answer_tells_what_a_request_out_of_order_was(tmp_path: Path) -> None:
    observation = observe(warc(tmp_path / "a", [replace(talk("IDB"), request=b"<broken")]))
    assert (only(observation).side, only(observation).finding.reason, observation.exit_code) == (
        "request",
        "malformed",
        1,
    )


def test_a_page_of_a_gateway_is_no_answer_of_the_norm(tmp_path: Path) -> None:
    observation = observe(warc(tmp_path / "a", [replace(talk("IDB"), response=b"<html><br></html>", status=502)]))
    assert (only(observation).side, only(observation).finding.requirement) == ("response", "SOC-GEN-003")


def test_a_refusal_by_http_alone_is_counted(tmp_path: Path) -> None:
    wrong_address = replace(talk("IDB"), response=b"not found", status=404)
    observation = observe(warc(tmp_path / "a", [wrong_address]))
    assert (only(observation).finding.reason, observation.exit_code) == ("http-status", 3)
    refused = replace(talk("DRE", 3), response=b"refused", status=400)
    observation = observe(warc(tmp_path / "b", [refused]))
    assert [(each.kind, each.code) for each in observation.faults] == [("DRE", "HTTP 400")]
    assert [each.rejected for each in observation.claims] == [1]
    assert [each.side for each in observation.messages] == ["request"]


def test_another_norm_is_left_alone_when_one_is_asked_for(tmp_path: Path) -> None:
    folder = NORM.root.parent / "1.0" / "messages"
    other = replace(
        talk("IDB"),
        request=(folder / "IDB.request.xml").read_bytes(),
        response=(folder / "IDB.response.xml").read_bytes(),
    )
    path = warc(tmp_path / "a", [other, talk("ADR")])
    assert [each.norm for each in observe(path).messages] == ["annuaire/1.0"] * 2
    assert {each.norm for each in observe(path, None).messages} == {"annuaire/1.0", "ville/1.0"}


def test_indicators(tmp_path: Path) -> None:
    refused = swapped(talk("IDB", 1, took=100), "response", "<com:Code>00<", "<com:Code>03<")
    rejected = replace(
        talk("DRE", 3, took=7),
        response=(NORM.root / "examples" / "valid" / "DRE.response--rejet.xml").read_bytes(),
    )
    fault = replace(talk("IDB", 4, took=300), response=FAULT, status=500)
    silent = replace(talk("IDB", 5), response=b"")
    observation = observe(
        warc(tmp_path / "a", [talk("IDB", 0, took=20), refused, rejected, talk("DRE", 6, took=9), fault, silent])
    )
    assert [(each.kind, each.code, each.count) for each in observation.refusals] == [("DRE", "41", 1), ("IDB", "03", 1)]
    assert [(each.kind, each.count) for each in observation.faults] == [("IDB", 1)]
    (claims,) = observation.claims
    assert (claims.claims, claims.answered, claims.rejected, claims.share) == (2, 2, 1, 0.5)
    times = {each.kind: (each.answers, each.median_ms, each.p95_ms) for each in observation.times}
    assert times == {"IDB": (3, 100.0, 300.0), "DRE": (2, 7.0, 9.0)}
    assert (observation.counts.unanswered, observation.counts.exchanges) == (1, 6)
    assert (observation.first, observation.last) == ("2026-11-20T09:31:00.000Z", "2026-11-20T09:31:06.009Z")


def test_findings_alike_are_told_once_with_a_few_examples(tmp_path: Path) -> None:
    wrong = swapped(talk("IDB"), "response", "<wsa:RelatesTo>uuid:5", "<wsa:RelatesTo>uuid:6")
    found = only(observe(warc(tmp_path / "a", [replace(wrong, after=float(at)) for at in range(7)])))
    assert (found.count, [each.exchange for each in found.examples]) == (7, [1, 2, 3])


def test_identifiers_are_masked(tmp_path: Path) -> None:
    wrong = swapped(talk("IDB"), "request", "<com:CleNir>89<", "<com:CleNir>88<")
    told = msgspec.json.encode(observe(har(tmp_path / "a", [entry(wrong)]))).decode()
    assert "1090763220834" not in told


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert address("https://u:p@h.test:8443/s/0123456789abcdef01234567/idb?k=v#f") == "https://h.test:8443/s/•••/idb"
    assert address("https://h.test/1090763220834/x") == "https://h.test/1**********34/x"
    assert address("") == ""


def test_what_a_run_staged_is_not_judged_together(tmp_path: Path) -> None:
    def recorded(one: Talk, case: str, **changes: object) -> bytes:
        exchange = Exchange(
            f"{case}#1.1", case, 1, 1, "step", one.kind, one.address, one.asked, one.answered, "answered", "", {}, "",
            "", TlsFacts(), one.http_request(), one.http_response(),
        )  # fmt: skip
        return own.stored(msgspec.structs.replace(exchange, **changes))

    claim = swapped(talk("DRE", 10), "request", "ENG-20261120-000001", "ENG-20261120-000002")
    path = tmp_path / "exchanges.warc"
    for records, found in (
        (recorded(talk("CLC", 5), "A") + recorded(claim, "A"), True),
        (recorded(talk("CLC", 5), "A") + recorded(claim, "B"), False),
        (recorded(talk("CLC", 5), "A") + recorded(claim, "A", security="expired"), False),
    ):
        path.write_bytes(records)
        requirements = {requirement for *_, requirement in seen(observe(path))}
        assert ("SOC-DRE-002" in requirements) is found


def test_a_judge_that_fails_is_an_incident_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("harness.observation.judging.MessageJudge.judge", broken)
    observation = observe(warc(tmp_path / "a", [talk("IDB")]))
    assert (observation.verdict, observation.exit_code, observation.counts.error) == ("error", 4, 2)
    assert {each.finding.blame for each in observation.findings} == {"LAB"}


def test_rules_over_a_case_that_fail_are_an_incident_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("harness.observation.together.case_document", broken)
    observation = observe(warc(tmp_path / "a", whole()))
    assert (observation.verdict, observation.counts.error, observation.counts.valid) == ("error", 1, 5)
    assert (only(observation).finding.check, only(observation).finding.blame) == ("chain", "LAB")


def test_a_truncated_record_is_not_judged(tmp_path: Path) -> None:
    data = pair(talk("IDB")).replace(
        b"WARC-Type: response\r\n", b"WARC-Type: response\r\nWARC-Truncated: length\r\n", 1
    )
    path = tmp_path / "a.warc"
    path.write_bytes(data + record("warcinfo", b""))
    assert (only(observe(path)).finding.reason, observe(path).exit_code) == ("not-recorded", 3)
