"""The decisions of fournisseurs/1.0: prices, contracts, prior agreements, and what the AMC remembers of a person."""

from __future__ import annotations

import itertools

import pytest
from deciding import TODAY, FixedIds, edited, found, person_of
from lxml import etree

from norms.behaviour import Answer, State, load
from norms.check import checker_for
from norms.identifiers import lpp_key, nir_key
from norms.loader import load as load_norm

NORM = load_norm("fournisseurs/1.0")
SUPPLIERS = load(NORM)
CANONICAL = "messages/CLC.request.xml"
RENTAL = "examples/valid/CLC.request--location-quatre-semaines.xml"
CPAP = "examples/valid/CLC.request--ppc-accord-prealable.xml"
WHEELCHAIR = "examples/valid/CLC.request--fauteuil-numero-de-serie.xml"
NUMBERS = itertools.count(1)


def person(pool: str, index: int = 0) -> dict[str, str]:
    return person_of(SUPPLIERS, pool, index)


def request(file: str, edits: dict[str, str], without: str = "") -> etree._Element:
    root = edited(NORM, file, edits)
    for node in root.xpath(without, namespaces=NORM.prefixes) if without else ():
        node.getparent().remove(node)
    return root


def clc(
    pool: str, edits: dict[str, str], *, file: str = CANONICAL, state: State | None = None, without: str = ""
) -> Answer:
    """Bill with edits of the elements named; the invoice has a number of its own unless they give one."""
    changed = {"//clc:NumeroFacture": f"{next(NUMBERS):09}", **person(pool)}
    changed |= {f"//{path}": value for path, value in edits.items()}
    kept = state if state is not None else State()
    answer = SUPPLIERS.answer(request(file, changed, without), "CLC", kept, TODAY, FixedIds())
    assert checker_for(NORM).check(answer.root, "CLC", "response") == [], answer.row
    return answer


def line(code: str, billed: str, base: str, amo: str, day: str = "2025-03-10", quantity: str = "1") -> dict[str, str]:
    return {
        "clc:CodeLPP": code,
        "clc:Quantite": quantity,
        "clc:PrixUnitaire": f"{float(billed) / int(quantity):.2f}",
        "clc:MontantFacture": billed,
        "clc:BaseRemboursement": base,
        "clc:MontantAMO": amo,
        "clc:DateDelivrance": day,
        "clc:DateFacture": max(day, "2025-03-10"),
        "clc:DatePrescription": day,
    }


def period(start: str, end: str, weeks: str) -> dict[str, str]:
    return {
        "clc:Debut": start,
        "clc:Fin": end,
        "clc:Semaines": weeks,
        "clc:Quantite": weeks,
        "clc:DateDelivrance": start,
        "clc:DatePrescription": start,
    }


@pytest.mark.parametrize(
    ("pool", "code", "billed", "base", "amo", "amc", "rest"),
    [
        ("contrat-ticket-moderateur", "1285619", "53.81", "53.81", "32.29", "21.52", "0.00"),
        ("contrat-ticket-moderateur", "1285619", "79.00", "53.81", "32.29", "21.52", "25.19"),
        ("contrat-ticket-moderateur", "2118823", "8.00", "8.00", "4.80", "3.20", "0.00"),
        ("contrat-pourcentage", "2118823", "14.00", "9.25", "5.55", "8.33", "0.12"),
        ("contrat-pourcentage", "2118823", "9.25", "9.25", "5.55", "3.70", "0.00"),
        ("contrat-pourcentage", "2118823", "13.88", "9.25", "5.55", "8.33", "0.00"),
        ("contrat-depassement", "1285619", "79.00", "53.81", "32.29", "46.71", "0.00"),
        ("contrat-depassement", "2118823", "39.25", "9.25", "5.55", "33.70", "0.00"),
        ("contrat-depassement", "2118823", "39.26", "9.25", "5.55", "33.70", "0.01"),
        ("contrat-montant-annuel", "2118823", "405.55", "9.25", "5.55", "400.00", "0.00"),
        ("contrat-montant-annuel", "2118823", "405.56", "9.25", "5.55", "400.00", "0.01"),
    ],
)
def test_the_amc_share_is_right_to_the_cent(
    pool: str, code: str, billed: str, base: str, amo: str, amc: str, rest: str
) -> None:
    answer = clc(pool, line(code, billed, base, amo))
    assert (found(answer, "MontantAMC"), found(answer, "ResteACharge")) == ([amc], [rest])


SOCKS = ("2181945", "320.00", "228.12", "136.87")


def test_an_annual_amount_is_used_up_and_starts_anew_with_the_year_of_delivery() -> None:
    state = State()
    given = []
    for day in ("2025-03-10", "2025-06-10", "2025-12-31", "2026-01-01", "2025-09-01"):
        answer = clc("contrat-montant-annuel", line(*SOCKS, day=day, quantity="4"), state=state)
        given.append((*found(answer, "MontantAMC"), *found(answer, "ForfaitRestant")))
    assert given == [
        ("183.13", "216.87"),
        ("183.13", "33.74"),
        ("33.74", "0.00"),
        ("183.13", "216.87"),
        ("0.00", "0.00"),
    ]


def test_families_and_twins_have_accounts_of_their_own() -> None:
    state = State()
    clc("jumelles-montant-annuel", line(*SOCKS, quantity="4"), state=state)
    collar = clc("jumelles-montant-annuel", line("2118823", "9.25", "9.25", "5.55"), state=state)
    twin = clc("secondes-jumelles", line(*SOCKS, quantity="4"), state=state)
    assert (found(collar, "ForfaitRestant"), found(twin, "ForfaitRestant")) == (["396.30"], ["216.87"])


def test_an_invoice_shown_again_takes_nothing_more() -> None:
    state = State()
    bill = {**line(*SOCKS, quantity="4"), "clc:NumeroFacture": "900000001"}
    first, again = (clc("contrat-montant-annuel", bill, state=state) for _ in range(2))
    after = clc("contrat-montant-annuel", line(*SOCKS, quantity="4"), state=state)
    assert found(again, "NumeroEngagement") == found(first, "NumeroEngagement") and again.repeated
    assert found(after, "ForfaitRestant") == ["33.74"]


@pytest.mark.parametrize(
    ("edits", "code"),
    [
        (line("1296787", "20.00", "12.20", "7.32"), "00"),
        (line("1296787", "20.01", "12.20", "7.32"), "10"),
        (line("1296787", "12.20", "12.19", "7.31"), "11"),
        (line("1296787", "11.00", "12.20", "7.32"), "11"),
        (line("2118823", "9.25", "9.25", "5.55", day="2025-07-02") | {"clc:DatePrescription": "2025-01-02"}, "00"),
        (line("2118823", "9.25", "9.25", "5.55", day="2025-07-03") | {"clc:DatePrescription": "2025-01-02"}, "16"),
        (line("2223342", "40.00", "40.00", "24.00", day="2019-12-31"), "23"),
        (line("2223342", "40.00", "40.00", "24.00", day="2020-01-01"), "08"),
        (line("1296787", "12.20", "12.20", "7.32", day="2017-12-31"), "04"),
        (line("1296787", "12.20", "12.20", "7.32", day="2040-01-01"), "03"),
    ],
)
def test_a_line_is_judged_on_its_delivery_date(edits: dict[str, str], code: str) -> None:
    assert found(clc("contrat-ticket-moderateur", edits), "Code") == [code]


@pytest.mark.parametrize(
    ("edits", "without", "code"),
    [
        ({}, "", "00"),
        ({}, "//clc:EntentePrealable", "12"),
        ({"clc:Decision": "REFUS"}, "", "13"),
        (period("2025-08-17", "2025-11-15", "13"), "", "00"),
        (period("2025-08-18", "2025-11-16", "13"), "", "14"),
        ({"clc:DateDecision": "2025-03-03"}, "", "00"),
        ({"clc:DateDecision": "2025-03-04"}, "", "15"),
        ({"clc:Decision": "TACITE", "clc:DateDemande": "2025-02-16"}, "//clc:DateDecision", "00"),
        ({"clc:Decision": "TACITE", "clc:DateDemande": "2025-02-17"}, "//clc:DateDecision", "15"),
        ({"clc:Decision": "TACITE", "clc:DateDemande": "2024-08-18"}, "//clc:DateDecision", "14"),
    ],
)
def test_a_prior_agreement_counts_while_it_lasts(edits: dict[str, str], without: str, code: str) -> None:
    assert found(clc("contrat-ticket-moderateur", edits, file=CPAP, without=without), "Code") == [code]


def rented(state: State, *edits: dict[str, str], file: str = RENTAL) -> list[str]:
    merged = {name: value for part in edits for name, value in part.items()}
    return found(clc("contrat-ticket-moderateur", merged, file=file, state=state), "Code")


def test_a_day_of_rental_is_paid_once() -> None:
    state = State()
    assert rented(state) == ["00"]
    assert rented(state, period("2025-01-06", "2025-02-02", "4")) == ["17"]
    assert rented(state, period("2024-12-10", "2025-01-06", "4")) == ["17"]
    assert rented(state, period("2024-12-09", "2025-01-05", "4")) == ["00"]
    assert rented(state, period("2025-02-03", "2025-03-02", "4")) == ["00"]


def priced(code: str, billed: str, amo: str) -> dict[str, str]:
    return {
        "clc:CodeLPP": code,
        "clc:MontantFacture": billed,
        "clc:BaseRemboursement": billed,
        "clc:MontantAMO": amo,
    }


def test_the_follow_on_code_waits_for_the_weeks_of_the_first() -> None:
    state = State()
    follow_on = {**priced("1260418", "5.36", "3.22"), "clc:PrixUnitaire": "1.34"}
    assert rented(state, follow_on) == ["19"]
    assert rented(state, period("2025-01-06", "2025-06-29", "25"), priced("1225646", "55.25", "33.15")) == ["00"]
    assert rented(state, period("2025-06-30", "2025-07-13", "2"), priced("1225646", "4.42", "2.65")) == ["18"]
    assert rented(state, follow_on, period("2025-07-07", "2025-08-03", "4")) == ["19"]
    assert rented(state, period("2025-06-30", "2025-07-06", "1"), priced("1225646", "2.21", "1.33")) == ["00"]
    assert rented(state, follow_on, period("2025-07-07", "2025-08-03", "4")) == ["00"]


def test_thirteen_weeks_in_any_forty() -> None:
    state = State()
    four = priced("1132608", "80.64", "48.38")
    dated = {"clc:DateDemande": "2025-10-01", "clc:DateDecision": "2025-10-08"}
    assert rented(state, file=CPAP) == ["00"]
    assert rented(state, four, dated, period("2025-11-10", "2025-12-07", "4"), file=CPAP) == ["18"]
    assert rented(state, four, dated, period("2025-11-11", "2025-12-08", "4"), file=CPAP) == ["00"]


@pytest.mark.parametrize(
    ("days", "codes"),
    [
        (("2022-01-10", "2025-01-09"), ["00", "20"]),
        (("2022-01-10", "2025-01-10"), ["00", "00"]),
        (("2025-01-10", "2022-01-11"), ["00", "20"]),
        (("2025-01-10", "2022-01-10"), ["00", "00"]),
    ],
)
def test_a_device_is_bought_again_after_its_time(days: tuple[str, str], codes: list[str]) -> None:
    state = State()
    told = [
        found(
            clc("contrat-ticket-moderateur", line("1285619", "53.81", "53.81", "32.29", day=day), state=state), "Code"
        )
        for day in days
    ]
    assert told == [[code] for code in codes]


def test_a_serial_number_is_sold_once_whoever_buys() -> None:
    state = State()
    sold = [
        found(clc(pool, {"clc:NumeroSerie": number}, file=WHEELCHAIR, state=state), "Code")
        for pool, number in (
            ("contrat-ticket-moderateur", "VHP-1"),
            ("contrat-pourcentage", "VHP-1"),
            ("contrat-pourcentage", "VHP-2"),
        )
    ]
    assert sold == [["00"], ["22"], ["00"]]


def test_two_installations_do_not_share_a_memory() -> None:
    state = State()
    assert rented(state) == ["00"]
    assert rented(state, {"ctx:Instance": "00000000-0000-4000-8000-000000000002"}) == ["00"]


def test_keys_of_population_and_codes_are_right() -> None:
    people = [entry.values for pool in SUPPLIERS.population.pools for entry in pool.entries]
    assert all(nir_key(values["nir"]) == values["cle_nir"] for values in people)
    codes = (NORM.root / "codes" / "lpp.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert all(lpp_key(row[:6]) == row[6] for row in codes)
