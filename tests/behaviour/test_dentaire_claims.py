"""The decisions of dentaire about claims: what was guaranteed, under which agreement, and what DEL gave back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from deciding import TODAY, FixedIds, edited, found, person_of

from norms.behaviour import Answer, Behaviour, State, load
from norms.check import checker_for
from norms.loader import load as load_norm
from norms.wire.deposit import enveloped

AGREED = "examples/valid/{kind}.request--couronne-accordee.xml"
DAY = {"//dre:DateFacture": "2026-11-21", "//clc:DateFacture": "2026-11-21"}


class Desk:
    """One world of a norm's partner. commitment: of the crown on 26, guaranteed as invoice 000000001."""

    def __init__(self, ref: str) -> None:
        self.norm = load_norm(ref)
        self.behaviour: Behaviour = load(self.norm)
        self.state = State()
        self.person = person_of(self.behaviour, "patient-accord-connu")
        self.agreement = {"//clc:NumeroAccord": "PEC-20260110-900003", "//dre:NumeroAccord": "PEC-20260110-900003"}
        (self.commitment,) = found(self.ask("CLC", AGREED, {}), "NumeroEngagement")

    def ask(self, kind: str, base: str, edits: dict[str, str]) -> Answer:
        wanted = {**self.person, **DAY, **self.agreement, **edits}
        known = {path: text for path, text in wanted.items() if not path.startswith("//d") or path[2:5] == kind.lower()}
        known = {path: text for path, text in known.items() if not path.startswith("//clc") or kind == "CLC"}
        root = enveloped(edited(self.norm, base.format(kind=kind), known))
        answer = self.behaviour.answer(root, kind, self.state, TODAY, FixedIds())
        assert checker_for(self.norm).check(answer.root, kind, "response") == []
        return answer

    def claim(self, edits: dict[str, str] | None = None) -> list[str]:
        """Claim the crown; return code, status and amount of the return."""
        own = {"//dre:NumeroEngagement": self.commitment, **(edits or {})}
        answer = self.ask("DRE", AGREED, own)
        return [text for name in ("Code", "Statut", "MontantPaye") for text in found(answer, name)]

    def cancel(self) -> str:
        edits = {"//del:NumeroEngagement": self.commitment}
        return found(self.ask("DEL", "messages/{kind}.request.xml", edits), "Code")[0]


@pytest.fixture(params=["dentaire/1.0", "dentaire/1.1"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    yield Desk(request.param)


def test_the_agreed_crown_is_paid(desk: Desk) -> None:
    assert desk.claim() == ["00", "PAYE", "168.00"]
    assert desk.claim() == ["00", "PAYE", "168.00"]  # the same claim again: the same return


@pytest.mark.parametrize(
    ("edits", "code"),
    [
        ({"//dre:NumeroEngagement": ""}, "46"),
        ({"//dre:NumeroEngagement": "ENG-20200101-000001"}, "40"),
        ({"//dre:NumeroFacture": "000000012"}, "40"),
        ({"//dre:NumeroAccord": ""}, "10"),
        ({"//dre:NumeroAccord": "PEC-20260110-900001"}, "11"),
        ({"//dre:Localisation/den:Dent": "27"}, "16"),
        ({"//dre:MontantAMC": "168.01", "//dre:TotalAMC": "168.01"}, "41"),
        ({"//dre:TotalAMC": "167.99"}, "44"),
        ({"//dre:CodeActe": "HBLD425"}, "45"),
    ],
)
def test_what_goes_beyond_the_agreement_or_the_guarantee_is_rejected(
    desk: Desk, edits: dict[str, str], code: str
) -> None:
    assert desk.claim(edits) == [code, "REJETE", "0.00"]


def test_a_cancelled_commitment_pays_nothing(desk: Desk) -> None:
    assert desk.cancel() == "00"
    assert desk.claim() == ["42", "REJETE", "0.00"]


def test_a_commitment_that_was_paid_is_not_cancelled(desk: Desk) -> None:
    desk.claim()
    assert desk.cancel() == "42"


def test_another_content_is_refused_once_the_invoice_is_paid(desk: Desk) -> None:
    desk.claim()
    assert desk.claim({"//dre:MontantAMC": "160.00", "//dre:TotalAMC": "160.00"})[0] == "43"
