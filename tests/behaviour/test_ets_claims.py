"""The decisions of ets about claims: a stay that CLC guaranteed and DEL did not give back is paid once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from deciding import TODAY, FixedIds, edited, found, person_of

from norms.behaviour import Answer, Behaviour, State, load
from norms.check import checker_for
from norms.loader import load as load_norm
from norms.wire.deposit import enveloped

GUARANTEED = {"//ets:NumeroFacture": "000000011"}
TOTAL = "//dre:Ligne[1]/dre:MontantAMC"


class Hospital:
    """One world of a norm's partner: a guarantee of 420 euros for invoice 000000011."""

    def __init__(self, ref: str) -> None:
        self.norm = load_norm(ref)
        self.behaviour: Behaviour = load(self.norm)
        self.state = State()
        (self.commitment,) = found(self.ask("CLC", GUARANTEED), "NumeroEngagement")

    def ask(self, kind: str, edits: dict[str, str]) -> Answer:
        person = person_of(self.behaviour, "sejour")
        root = enveloped(edited(self.norm, f"messages/{kind}.request.xml", {**person, **edits}))
        answer = self.behaviour.answer(root, kind, self.state, TODAY, FixedIds())
        assert checker_for(self.norm).check(answer.root, kind, "response") == []
        return answer

    def claim(self, edits: dict[str, str] | None = None) -> Answer:
        own = {"//dre:NumeroFacture": "000000011", "//dre:NumeroEngagement": self.commitment}
        return self.ask("DRE", own | (edits or {}))


@pytest.fixture(params=["ets/1.0", "ets/2.0"])
def hospital(request: pytest.FixtureRequest) -> Iterator[Hospital]:
    yield Hospital(request.param)


def test_the_guaranteed_stay_is_paid(hospital: Hospital) -> None:
    answer = hospital.claim()
    told = [found(answer, name) for name in ("Code", "Statut", "MontantPaye", "NumeroEngagement")]
    assert told == [["00"], ["PAYE"], ["420.00"], [hospital.commitment]]


def test_a_commitment_that_was_given_back_pays_nothing(hospital: Hospital) -> None:
    assert found(hospital.ask("DEL", {"//del:NumeroEngagement": hospital.commitment}), "Code") == ["00"]
    answer = hospital.claim()
    assert [found(answer, name) for name in ("Code", "Statut", "MontantPaye")] == [["42"], ["REJETE"], ["0.00"]]


@pytest.mark.parametrize(
    ("edits", "code"),
    [
        ({"//dre:NumeroEngagement": ""}, "46"),
        ({"//dre:NumeroEngagement": "ENG-20200101-000001"}, "40"),
        ({"//dre:NumeroFacture": "000000012"}, "40"),
        ({TOTAL: "400.01", "//dre:TotalAMC": "420.01"}, "41"),
        ({TOTAL: "400.01"}, "44"),
        ({"//dre:Ligne[2]/dre:Prestation": "ATU"}, "45"),
        ({"//dre:Sejour/dre:DateEntree": "2019-12-31"}, "04"),
        ({"//dre:FinessJuridique": "219999208"}, "10"),
    ],
)
def test_each_rejection_has_its_code(hospital: Hospital, edits: dict[str, str], code: str) -> None:
    answer = hospital.claim(edits)
    assert [found(answer, name) for name in ("Code", "Statut", "MontantPaye")] == [[code], ["REJETE"], ["0.00"]]


def test_another_content_is_refused_once_the_invoice_is_paid(hospital: Hospital) -> None:
    hospital.claim()
    assert found(hospital.claim({TOTAL: "399.00", "//dre:TotalAMC": "419.00"}), "Code") == ["43"]
