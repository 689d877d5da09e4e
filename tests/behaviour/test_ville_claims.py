"""The decisions of ville about claims: what CLC committed is paid once, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from deciding import TODAY, FixedIds, edited, found, person_of

from norms.behaviour import Answer, Behaviour, State, load
from norms.check import checker_for
from norms.loader import load as load_norm
from norms.wire.deposit import enveloped

INVOICE = "//clc:NumeroFacture"
CLAIMED = "//dre:NumeroFacture"
COMMITMENT = "//dre:NumeroEngagement"
TOTAL = "//dre:MontantAMC | //dre:TotalAMC"
SUBJECT = "calcul-par-amc"
REJECTED: tuple[dict[str, str], ...] = (
    {COMMITMENT: ""},
    {COMMITMENT: "ENG-20200101-000001"},
    {CLAIMED: "000000012"},
    {TOTAL: "7.51"},
    {"//dre:TotalAMC": "7.49"},
    {"//dre:CodePrestation": "ZZZ"},
    {"//dre:DateSoins": "2019-12-31", "//dre:CodePrestation": "C"},
    {"//com:NumeroAdherent": "ADH999999"},
)


class Practice:
    """One world of a norm's partner: a guarantee of 7.50 for invoice 000000011, then claims."""

    def __init__(self, ref: str) -> None:
        self.norm = load_norm(ref)
        self.behaviour: Behaviour = load(self.norm)
        self.state = State()
        person = person_of(self.behaviour, SUBJECT)
        message = edited(self.norm, "messages/CLC.request.xml", {**person, INVOICE: "000000011"})
        answer = self.behaviour.answer(message, "CLC", self.state, TODAY, FixedIds())
        (self.commitment,) = found(answer, "NumeroEngagement")

    def claim(self, edits: dict[str, str] | None = None, pool: str = SUBJECT, day: date = TODAY) -> Answer:
        person = person_of(self.behaviour, pool)
        claimed = {CLAIMED: "000000011", COMMITMENT: self.commitment, TOTAL: "7.50"}
        root = enveloped(edited(self.norm, "messages/DRE.request.xml", {**person, **claimed, **(edits or {})}))
        answer = self.behaviour.answer(root, "DRE", self.state, day, FixedIds())
        assert checker_for(self.norm).check(answer.root, "DRE", "response") == []
        return answer

    def code(self, edits: dict[str, str] | None = None, pool: str = SUBJECT, day: date = TODAY) -> str:
        (code,) = found(self.claim(edits, pool, day), "Code")
        return code


@pytest.fixture(params=["ville/1.0", "ville/1.1"])
def practice(request: pytest.FixtureRequest) -> Iterator[Practice]:
    yield Practice(request.param)


def test_what_was_committed_is_paid(practice: Practice) -> None:
    answer = practice.claim()
    told = [found(answer, name) for name in ("Code", "Statut", "MontantPaye", "NumeroFacture", "NumeroEngagement")]
    assert told == [["00"], ["PAYE"], ["7.50"], ["000000011"], [practice.commitment]]


def test_a_claim_sent_again_has_the_same_return_and_another_content_is_refused(practice: Practice) -> None:
    first, again = practice.claim(), practice.claim(day=TODAY + timedelta(days=1))
    assert again.values["date_paiement"] == first.values["date_paiement"]
    assert practice.code({TOTAL: "7.00"}) == "43"


@pytest.mark.parametrize(
    ("edits", "code"), list(zip(REJECTED, ("46", "40", "40", "41", "44", "45", "04", "07"), strict=True))
)
def test_each_rejection_has_its_code_and_pays_nothing(practice: Practice, edits: dict[str, str], code: str) -> None:
    answer = practice.claim(edits)
    assert [found(answer, name) for name in ("Code", "Statut", "MontantPaye")] == [[code], ["REJETE"], ["0.00"]]


def test_a_commitment_pays_one_invoice_and_expires(practice: Practice) -> None:
    late = TODAY + timedelta(days=61)
    assert Practice(practice.norm.ref).code(day=late) == "40"
    assert practice.code() == "00"
    assert practice.code({CLAIMED: "000000012"}) == "42"


def test_a_contract_that_the_software_calculates_needs_no_commitment(practice: Practice) -> None:
    assert practice.code({COMMITMENT: "", TOTAL: "9.00"}, "droits-ouverts") == "00"


def test_every_row_is_reached(practice: Practice) -> None:
    told = [practice.claim(edits) for edits in REJECTED]
    told += [practice.claim(), practice.claim({TOTAL: "7.00"}), practice.claim({CLAIMED: "000000012"})]
    told += [practice.claim({COMMITMENT: ""}, pool.name) for pool in practice.behaviour.population.pools]
    rows = {row.id for row in practice.behaviour.interpreter.decisions.tables["DRE"].rows}
    assert rows - {"dre-hors-profession"} == {answer.row for answer in told}
