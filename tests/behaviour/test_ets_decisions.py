"""The decisions of ets: what a stay owes, who pays what to the cent, and engagements that are cancelled for good."""

from __future__ import annotations

import pytest
from deciding import TODAY, FixedIds, edited, found, person_of

from norms.behaviour import Answer, Behaviour, State, load
from norms.check import checker_for
from norms.identifiers import nir_key
from norms.loader import load as load_norm

HOSPITAL = load(load_norm("ets/1.0"))
WIDER = load(load_norm("ets/2.0"))
BOTH = pytest.mark.parametrize("partner", [HOSPITAL, WIDER], ids=["1.0", "2.0"])


def ask(
    partner: Behaviour,
    kind: str,
    example: str = "",
    pool: str = "sejour",
    state: State | None = None,
    edits: dict[str, str] | None = None,
    index: int = 0,
) -> Answer:
    """Answer a canonical message or an example, sent for a person of `pool`, with edits: XPath -> text."""
    norm = partner.norm
    path = f"examples/valid/{kind}.request--{example}.xml" if example else f"messages/{kind}.request.xml"
    root = edited(norm, path, person_of(partner, pool, index) | (edits or {}))
    assert checker_for(norm).check(root, kind, "request") == []
    answer = partner.answer(root, kind, state if state is not None else State(), TODAY, FixedIds())
    assert checker_for(norm).check(answer.root, kind, "response") == []
    return answer


def shares(answer: Answer) -> tuple[list[str], list[str]]:
    return [line["amc"] for line in answer.lines], [line["reste"] for line in answer.lines]


@BOTH
@pytest.mark.parametrize(
    ("example", "pool", "amc", "rest"),
    [
        ("", "sejour", ["400.00", "20.00"], ["0.00", "0.00"]),
        ("", "contrat-partiel", ["200.00", "16.00"], ["200.00", "4.00"]),
        ("deces", "sejour", ["400.00"], ["0.00"]),
        ("transfert-sous-ald", "contrat-partiel", ["0.00", "64.00"], ["0.00", "16.00"]),
        ("chirurgie-ambulatoire", "sejour", ["160.00"], ["0.00"]),
        ("forfait-au-lieu-du-ticket", "sejour", ["0.00", "100.00"], ["0.00", "0.00"]),
        ("plus-de-trente-jours", "sejour", ["2400.00", "200.00", "20.00"], ["0.00", "0.00", "0.00"]),
        ("acte-lourd", "contrat-partiel", ["0.00", "12.00", "80.00"], ["0.00", "12.00", "20.00"]),
        ("acte-lourd-ambulatoire", "sejour", ["0.00", "24.00"], ["0.00", "0.00"]),
        ("seance-de-dialyse", "contrat-partiel", ["33.43"], ["33.42"]),
        ("deux-disciplines", "sejour", ["0.00", "40.00", "92.00", "100.00", "150.00"],
         ["0.00", "0.00", "0.00", "20.00", "30.00"]),
        ("deux-disciplines", "chambre-limitee", ["0.00", "40.00", "92.00", "90.00", "90.00"],
         ["0.00", "0.00", "0.00", "30.00", "90.00"]),
        ("chambre-particuliere", "sejour", ["400.00", "20.00", "152.00"], ["0.00", "0.00", "0.00"]),
        ("chambre-particuliere", "contrat-partiel", ["200.00", "16.00", "0.00"], ["200.00", "4.00", "152.00"]),
        ("passage-urgences", "contrat-partiel", ["9.81"], ["9.80"]),
        ("consultation-externe", "contrat-partiel", ["4.50", "3.86"], ["4.50", "3.85"]),
    ],
)  # fmt: skip
def test_each_line_is_shared_to_the_cent(
    partner: Behaviour, example: str, pool: str, amc: list[str], rest: list[str]
) -> None:
    assert shares(ask(partner, "CLC", example, pool)) == (amc, rest)


STAY = "//ets:Ligne[1]/ets:PrixUnitaire | //ets:Ligne[1]/ets:MontantFacture | //ets:Ligne[1]/ets:BaseRemboursement"
DUE = "//ets:Ligne[1]/ets:MontantAMO | //ets:TotalAMO"


@BOTH
@pytest.mark.parametrize(
    ("example", "price", "amo", "total", "code"),
    [
        ("", "500.05", "400.04", "520.05", "00"),  # 100.01 of patient's share against five forfaits of 20
        ("", "500.00", "400.00", "520.00", "14"),  # equal: the forfaits replace it
        ("forfait-au-lieu-du-ticket", "500.00", "500.00", "600.00", "00"),
        ("forfait-au-lieu-du-ticket", "500.05", "500.05", "600.05", "14"),
    ],
)
def test_the_greater_of_share_and_forfaits_is_due(
    partner: Behaviour, example: str, price: str, amo: str, total: str, code: str
) -> None:
    edits = {STAY: price, DUE: amo, "//ets:TotalFacture": total}
    assert found(ask(partner, "CLC", example, edits=edits), "Code") == [code]


@BOTH
@pytest.mark.parametrize("exit_mode", ["6", "7", "8", "9"])
@pytest.mark.parametrize("days", [3, 4, 5])
def test_the_exit_day_counts_but_for_death_and_transfer(partner: Behaviour, exit_mode: str, days: int) -> None:
    edits = {
        "//ets:ModeSortie": exit_mode,
        "//ets:Ligne[2]/ets:Quantite": str(days),
        "//ets:Ligne[2]/ets:DateFin": f"2025-03-{9 + days:02d}",
        "//ets:Ligne[2]/ets:MontantFacture": f"{20 * days}.00",
        "//ets:TotalFacture": f"{2000 + 20 * days}.00",
    }
    right = 4 if exit_mode in "79" else 5
    expected = "00" if days == right else "13"
    assert found(ask(partner, "CLC", "transfert-sous-ald", edits=edits), "Code") == [expected]


@BOTH
@pytest.mark.parametrize(
    ("nature", "exemption", "rate", "code"),
    [
        ("10", "0", "80", "00"),
        ("10", "2", "80", "00"),
        ("13", "0", "80", "13"),  # the local regime owes the forfait of the exit day
        ("10", "9", "80", "14"),
        ("10", "9", "90", "00"),
        ("13", "9", "90", "14"),
        ("10", "4", "100", "13"),  # no share to pay: the five forfaits are due, one is billed
        ("10", "1", "100", "13"),
        ("41", "0", "80", "14"),
        ("30", "0", "100", "13"),
    ],
)
def test_the_rate_follows_exemption_and_nature(
    partner: Behaviour, nature: str, exemption: str, rate: str, code: str
) -> None:
    edits = {
        "//ets:NaturePrestation": nature,
        "//ets:Exoneration": exemption,
        "//ets:Ligne[1]/ets:TauxAMO": rate,
        DUE: f"{20 * int(rate)}.00",
    }
    assert found(ask(partner, "CLC", edits=edits), "Code") == [code]


@BOTH
@pytest.mark.parametrize(
    ("day", "price", "code"),
    [
        ("2021-12-31", "19.61", "08"),
        ("2022-01-01", "19.61", "00"),
        ("2026-02-28", "19.61", "00"),
        ("2026-02-28", "23.00", "15"),
        ("2026-03-01", "23.00", "00"),
        ("2026-03-01", "9.96", "00"),
        ("2026-03-01", "8.49", "15"),
    ],
)
def test_a_price_is_that_of_its_day(partner: Behaviour, day: str, price: str, code: str) -> None:
    edits = {
        "//ets:DateDebut | //ets:DateFin": day,
        "//ets:DateFacture": "2026-03-02",
        "//ets:PrixUnitaire | //ets:MontantFacture | //ets:TotalFacture": price,
    }
    assert found(ask(partner, "CLC", "passage-urgences", edits=edits), "Code") == [code]


@BOTH
def test_simulation_says_what_the_guarantee_will_and_remembers_nothing(partner: Behaviour) -> None:
    state = State()
    simulated = ask(partner, "SIM", state=state)
    assert not len(state.xml) and not found(simulated, "NumeroEngagement")
    assert found(ask(partner, "CLC", state=state), "TotalAMC") == found(simulated, "TotalAMC") == ["420.00"]


@BOTH
def test_a_cancelled_invoice_is_never_granted_again(partner: Behaviour) -> None:
    state = State()
    first = found(ask(partner, "CLC", state=state), "NumeroEngagement")[0]
    assert found(ask(partner, "CLC", state=state), "NumeroEngagement") == [first]
    cancel = {"//del:NumeroEngagement": first}
    assert found(ask(partner, "DEL", state=state, edits=cancel), "Code") == ["00"]
    assert found(ask(partner, "DEL", state=state, edits=cancel), "Code") == ["21"]
    again = ask(partner, "CLC", state=state)
    assert (found(again, "Code"), found(again, "NumeroEngagement")) == (["24"], [])
    other = {"//ets:NumeroFacture": "000000002"}
    cited = {**other, "//ets:EngagementCite": first}
    citing = "nouvelle-facture-citant-un-engagement"
    assert found(ask(partner, "CLC", citing, state=state, edits=cited), "Code") == ["24"]
    corrected = found(ask(partner, "CLC", state=state, edits=other), "NumeroEngagement")
    assert corrected and corrected != [first]


@BOTH
def test_only_its_holder_cancels_an_engagement(partner: Behaviour) -> None:
    state = State()
    number = found(ask(partner, "CLC", pool="jumeaux", state=state), "NumeroEngagement")[0]
    cancel = {"//del:NumeroEngagement": number}
    elsewhere = {**cancel, "//com:IdentifiantFacturation": "219999026", "//del:FinessJuridique": "219999208"}
    assert found(ask(partner, "DEL", pool="jumeaux", state=state, edits=elsewhere), "Code") == ["22"]
    assert found(ask(partner, "DEL", pool="jumeaux", state=state, edits=cancel, index=1), "Code") == ["25"]
    assert found(ask(partner, "DEL", pool="jumeaux", state=state, edits=cancel), "Code") == ["00"]


@BOTH
@pytest.mark.parametrize(("number", "code"), [("ENG-20210601-000777", "23"), ("ENG-20210601-000778", "20")])
def test_an_expired_engagement_is_told_from_an_unknown_one(partner: Behaviour, number: str, code: str) -> None:
    answer = ask(partner, "DEL", pool="engagement-expire", edits={"//del:NumeroEngagement": number})
    assert found(answer, "Code") == [code]


@BOTH
def test_keys_of_the_population_are_right(partner: Behaviour) -> None:
    for pool in partner.population.pools:
        for entry in pool.entries:
            assert nir_key(entry.values["nir"]) == entry.values["cle_nir"], pool.name


REHABILITATION = {"//com:IdentifiantFacturation": "219999059", "//ets:FinessJuridique": "219999109"}
HOME = {"//com:IdentifiantFacturation": "219999067", "//ets:FinessJuridique": "219999208"}
PUBLIC = {"//com:IdentifiantFacturation": "219999018", "//ets:FinessJuridique": "219999109"}
CLINIC = {"//com:IdentifiantFacturation": "219999307", "//ets:FinessJuridique": "219999406"}


@pytest.mark.parametrize(
    ("example", "where", "amc"),
    [
        ("readaptation", REHABILITATION, ["1008.00", "20.00"]),
        ("psychiatrie-ticket-du", REHABILITATION, ["378.00", "15.00"]),  # 22 forfaits of 15, not of 20
        ("psychiatrie-ald", REHABILITATION, ["0.00", "45.00", "85.00"]),
        ("psychiatrie-temps-partiel", REHABILITATION, ["160.00"]),
        ("psychiatrie-complet-puis-partiel", REHABILITATION, ["0.00", "105.00"]),
        ("domicile", HOME, ["210.00"]),
        ("honoraires-de-clinique", CLINIC, ["160.00", "210.00"]),
        ("honoraires-et-forfait", CLINIC, ["60.00", "20.00", "60.00"]),
    ],
)
def test_each_activity_of_version_2_is_shared_to_the_cent(example: str, where: dict[str, str], amc: list[str]) -> None:
    assert shares(ask(WIDER, "CLC", example, edits=where))[0] == amc


@pytest.mark.parametrize(
    ("example", "where", "code"),
    [
        ("readaptation", HOME, "17"),
        ("domicile", REHABILITATION, "17"),
        ("honoraires-de-clinique", PUBLIC, "18"),
        ("seance-de-dialyse", CLINIC, "15"),
        ("", CLINIC, "00"),
        ("", {**CLINIC, "//com:IdentifiantFacturation": "219999018"}, "10"),
    ],
)
def test_version_2_knows_who_does_what(example: str, where: dict[str, str], code: str) -> None:
    assert found(ask(WIDER, "CLC", example, edits=where), "Code") == [code]


@pytest.mark.parametrize(
    ("fee", "amc"), [("300.00", "60.00"), ("350.00", "110.00"), ("450.00", "210.00"), ("451.00", "210.00")]
)
def test_the_excess_of_a_fee_is_taken_up_to_half_of_its_base(fee: str, amc: str) -> None:
    price = "//ets:Ligne[2]/ets:PrixUnitaire | //ets:Ligne[2]/ets:MontantFacture"
    edits = {**CLINIC, price: fee, "//ets:TotalFacture": f"{float(fee) + 800:.2f}"}
    assert shares(ask(WIDER, "CLC", "honoraires-de-clinique", edits=edits))[0][1] == amc
