"""The decisions of biologie and fournisseurs about claims: a commitment is paid once; each domain has its refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from deciding import TODAY, FixedIds, edited, found, person_of

from norms.behaviour import Answer, State, load
from norms.check import checker_for
from norms.loader import load as load_norm
from norms.wire.deposit import enveloped

INVOICE = "//dre:NumeroFacture"
COMMITMENT = "//dre:NumeroEngagement"
SHARE = "//dre:MontantAMC | //dre:TotalAMC"
RENTAL = "examples/valid/CASE--deux-locations-facturees-qui-se-suivent.xml"


@dataclass(frozen=True)
class Domain:
    """A norm, one of its persons for whom CLC must calculate, and what CLC commits for the canonical invoice."""

    ref: str
    pool: str
    committed: str


LABORATORY = Domain("biologie/1.0", "calcul-par-l-amc-moitie", "1.30")
SUPPLIER = Domain("fournisseurs/1.0", "calcul-par-l-amc", "2.44")
BOTH = (LABORATORY, SUPPLIER)


class Partner:
    """One world of a norm's partner: a guarantee for invoice 000000011, then claims."""

    def __init__(self, domain: Domain) -> None:
        self.norm = load_norm(domain.ref)
        self.behaviour = load(self.norm)
        self.state = State()
        self.person = person_of(self.behaviour, domain.pool)
        self.claimed = {INVOICE: "000000011", SHARE: domain.committed}
        edits = {**self.person, "//clc:NumeroFacture": "000000011"}
        answer = self.behaviour.answer(
            edited(self.norm, "messages/CLC.request.xml", edits), "CLC", self.state, TODAY, FixedIds()
        )
        (commitment,) = found(answer, "NumeroEngagement")
        self.claimed[COMMITMENT] = commitment

    def claim(self, edits: Mapping[str, str] | None = None) -> Answer:
        whole = {**self.person, **self.claimed, **(edits or {})}
        root = enveloped(edited(self.norm, "messages/DRE.request.xml", whole))
        answer = self.behaviour.answer(root, "DRE", self.state, TODAY, FixedIds())
        assert checker_for(self.norm).check(answer.root, "DRE", "response") == []
        return answer


@pytest.mark.parametrize("domain", BOTH, ids=lambda domain: domain.ref)
def test_what_was_committed_is_paid_once(domain: Domain) -> None:
    partner = Partner(domain)
    told = [found(partner.claim(), name) for name in ("Code", "Statut", "MontantPaye")]
    assert told == [["00"], ["PAYE"], [domain.committed]]
    assert found(partner.claim({INVOICE: "000000012"}), "Code") == ["42"]
    assert found(partner.claim({SHARE: "1.00"}), "Code") == ["43"]


REJECTED: tuple[tuple[Domain, dict[str, str], str], ...] = (
    *((domain, {COMMITMENT: ""}, "46") for domain in BOTH),
    *((domain, {COMMITMENT: "ENG-20200101-000001"}, "40") for domain in BOTH),
    *((domain, {SHARE: "2.45"}, "41") for domain in BOTH),
    *((domain, {"//dre:TotalFacture": "99.00"}, "44") for domain in BOTH),
    (LABORATORY, {"//dre:TotalB": "27.00"}, "44"),
    (LABORATORY, {"//dre:CodePrestation": "HN"}, "45"),
    (LABORATORY, {"//dre:CodeActe": "0322"}, "45"),
    (LABORATORY, {"//com:CodeSpecialite": "01"}, "20"),
    (SUPPLIER, {"//dre:CodeLPP": "2223342"}, "45"),
)


@pytest.mark.parametrize(("domain", "edits", "code"), REJECTED)
def test_each_rejection_has_its_code_and_pays_nothing(domain: Domain, edits: dict[str, str], code: str) -> None:
    answer = Partner(domain).claim(edits)
    assert [found(answer, name) for name in ("Code", "Statut", "MontantPaye")] == [[code], ["REJETE"], ["0.00"]]


@pytest.mark.parametrize(
    ("start", "end", "code"), [("2026-11-09", "2026-12-06", "00"), ("2026-11-08", "2026-12-05", "17")]
)
def test_a_day_of_rental_is_claimed_once(start: str, end: str, code: str) -> None:
    norm = load_norm("fournisseurs/1.0")
    partner, state = load(norm), State()
    person = person_of(partner, "droits-ouverts")
    case = edited(norm, RENTAL, person)
    codes = []
    for number, claim in enumerate(case.iter("{*}DRE"), 1):
        if number == 2:
            for place, day in (("DateDelivrance", start), ("Debut", start), ("Fin", end)):
                for node in claim.iter(f"{{*}}{place}"):
                    node.text = day
        answer = partner.answer(enveloped(claim), "DRE", state, TODAY, FixedIds())
        codes += found(answer, "Code")
    assert codes == ["00", code]
