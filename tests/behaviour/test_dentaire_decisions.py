"""The decisions of dentaire/1.0 and 1.1: agreements and what they bound, limits and their return, examinations."""

from __future__ import annotations

import pytest
from deciding import TODAY, FixedIds, found, person_of
from lxml import etree

from norms.behaviour import Answer, Behaviour, State, load
from norms.check import checker_for
from norms.identifiers import nir_key
from norms.loader import load as load_norm

BEFORE, SINCE = load(load_norm("dentaire/1.0")), load(load_norm("dentaire/1.1"))
DENTISTS = pytest.mark.parametrize("dentist", [BEFORE, SINCE], ids=["1.0", "1.1"])


class Desk:
    """One partner that remembers, asked for one person of a pool; every answer must conform to the norm."""

    def __init__(self, dentist: Behaviour, pool: str) -> None:
        self.dentist, self.state, self.number = dentist, State(), 0
        self.person = person_of(dentist, pool)

    def ask(self, kind: str, base: str = "", edits: dict[str, str] | None = None) -> Answer:
        """Send the canonical request, or the example `base`, as a new invoice or quote unless `edits` say otherwise."""
        norm = self.dentist.norm
        folder, name = (
            ("examples/valid", f"{kind}.request--{base}.xml") if base else ("messages", f"{kind}.request.xml")
        )
        root = etree.parse(norm.root / folder / name).getroot()
        self.number += 1
        pieces = {"//clc:NumeroFacture": f"{self.number:09d}", "//den:NumeroDevis": f"{self.number:09d}"}
        dates = {"//clc:DateFacture": "2026-11-21", "//den:DateDevis": "2026-11-21", "//den:DateSoins": "2026-11-21"}
        for path, value in {**pieces, **dates, **self.person, **(edits or {})}.items():
            nodes = root.xpath(path, namespaces=norm.prefixes)
            assert nodes or path in pieces or path in dates, path
            for node in nodes:
                node.text = value
        assert checker_for(norm).check(root, kind, "request") == []
        answer = self.dentist.answer(root, kind, self.state, TODAY, FixedIds())
        assert checker_for(norm).check(answer.root, kind, "response") == []
        return answer

    def cancel(self, answer: Answer) -> str:
        return code(self.ask("DEL", edits={"//del:NumeroEngagement": found(answer, "NumeroEngagement")[0]}))


def code(answer: Answer) -> str:
    return found(answer, "Code")[0]


def shares(answer: Answer) -> list[str]:
    return found(answer, "MontantAMC")


def bill(fees: str, base: str, amo: str, rate: str = "60") -> dict[str, str]:
    return {
        "//den:MontantFacture": fees,
        "//den:BaseRemboursement": base,
        "//den:TauxAMO": rate,
        "//den:MontantAMO": amo,
        "//den:TotalFacture": fees,
        "//den:TotalAMO": amo,
    }


def tooth(number: str) -> dict[str, str]:
    return {"//den:Dent": number}


def on(day: str) -> dict[str, str]:
    return {"//den:DateSoins": day}


@DENTISTS
@pytest.mark.parametrize(
    ("base", "amc", "rest"),
    [
        ("trois-soins", ["11.72", "40.00", "13.38"], ["0.00", "0.00", "0.00"]),
        ("couronne-rac0", ["226.70"], ["0.00"]),
        ("couronne-moderee", ["228.00"], ["260.00"]),
        ("couronne-libre", ["168.00"], ["460.00"]),
        ("trois-paniers", ["226.70", "228.00", "11.72"], ["0.00", "260.00", "0.00"]),
        ("molaire-exoneree", ["0.00"], ["0.00"]),
    ],
)
def test_each_basket_has_its_share(dentist: Behaviour, base: str, amc: list[str], rest: list[str]) -> None:
    answer = Desk(dentist, "sans-accord").ask("CLC", base)
    assert (shares(answer), found(answer, "ResteACharge")) == (amc, rest)


@DENTISTS
def test_half_a_cent_is_rounded_up(dentist: Behaviour) -> None:
    assert shares(Desk(dentist, "soins-partiels").ask("CLC", "trois-soins")) == ["8.79", "30.00", "10.04"]


@DENTISTS
@pytest.mark.parametrize(
    ("day", "fees", "base", "amo", "rate", "result"),
    [
        ("2019-12-31", "320.00", "107.50", "75.25", "70", "00"),
        ("2019-12-31", "320.01", "107.50", "75.25", "70", "20"),
        ("2020-01-01", "290.00", "120.00", "84.00", "70", "00"),
        ("2020-01-01", "290.01", "120.00", "84.00", "70", "20"),
        ("2024-12-31", "290.01", "120.00", "72.00", "60", "20"),
        ("2025-01-01", "298.70", "120.00", "72.00", "60", "00"),
        ("2025-01-01", "298.71", "120.00", "72.00", "60", "20"),
    ],
)
def test_the_fee_limit_is_that_of_the_care_date(
    dentist: Behaviour, day: str, fees: str, base: str, amo: str, rate: str, result: str
) -> None:
    answer = Desk(dentist, "anciens-droits").ask("CLC", "couronne-rac0", {**bill(fees, base, amo, rate), **on(day)})
    assert code(answer) == result


@DENTISTS
def test_a_zirconia_crown_on_a_molar_joins_the_basket_without_rest_in_2026(dentist: Behaviour) -> None:
    act = {"//den:CodeActe": "HBLD073", **tooth("36"), **bill("453.20", "120.00", "72.00")}
    desk = Desk(dentist, "sans-accord")
    before = desk.ask("CLC", "couronne-rac0", {**act, "//den:CodePrestation": "CZ1", **on("2025-12-31")})
    since = desk.ask("CLC", "couronne-rac0", {**act, "//den:CodePrestation": "CZ0", **on("2026-01-01")})
    assert (found(before, "ResteACharge"), found(since, "ResteACharge")) == (["153.20"], ["0.00"])


@DENTISTS
def test_the_annual_limit_runs_out_and_leaves_the_patients_share(dentist: Behaviour) -> None:
    desk = Desk(dentist, "plafond")
    answers = [desk.ask("CLC", "couronne-libre", tooth(number)) for number in ("26", "36", "16")]
    assert [shares(answer) for answer in answers] == [["288.00"], ["112.00"], ["48.00"]]
    assert shares(Desk(dentist, "plafond").ask("CLC", "deux-couronnes-libres")) == ["288.00", "112.00"]


@DENTISTS
def test_a_limit_is_of_one_year_and_of_one_person(dentist: Behaviour) -> None:
    desk = Desk(dentist, "jumelle-premiere")
    desk.ask("CLC", "couronne-libre", {**on("2025-12-31"), "//den:CodeActe": "HBLD425"})
    assert shares(desk.ask("CLC", "couronne-libre", on("2026-01-01"))) == ["288.00"]
    desk.person = Desk(dentist, "jumelle-seconde").person
    assert shares(desk.ask("CLC", "couronne-libre", on("2026-01-01"))) == ["288.00"]


@DENTISTS
def test_simulations_and_agreements_use_up_nothing(dentist: Behaviour) -> None:
    desk = Desk(dentist, "plafond")
    assert shares(desk.ask("SIM")) == shares(desk.ask("PEC")) == ["288.00"]
    assert shares(desk.ask("CLC", "couronne-libre", tooth("36"))) == ["288.00"]
    assert shares(desk.ask("SIM")) == ["112.00"]


@DENTISTS
def test_one_crown_per_tooth_and_one_prosthesis_too_many(dentist: Behaviour) -> None:
    desk = Desk(dentist, "sans-accord")
    first = desk.ask("CLC", "couronne-rac0")
    assert code(desk.ask("CLC", "couronne-rac0")) == "18"
    assert code(desk.ask("CLC", "couronne-rac0", tooth("47"))) == "00"
    assert desk.cancel(first) == "00"
    assert code(desk.ask("CLC", "couronne-rac0")) == "00"
    counted = Desk(dentist, "nombre")
    assert code(counted.ask("CLC", "couronne-moderee")) == "00"
    assert code(counted.ask("CLC", "couronne-moderee", tooth("15"))) == "19"
    assert code(counted.ask("CLC", "couronne-rac0")) == "00"


@DENTISTS
def test_an_agreement_serves_once_for_its_acts_and_comes_back(dentist: Behaviour) -> None:
    desk = Desk(dentist, "accord")
    assert code(desk.ask("CLC", "couronne-libre")) == "10"
    number = found(desk.ask("PEC"), "NumeroAccord")[0]
    cited = {"//clc:NumeroAccord": number}
    assert code(desk.ask("CLC", "couronne-accordee", {**cited, **tooth("27")})) == "16"
    guaranteed = desk.ask("CLC", "couronne-accordee", cited)
    assert (shares(guaranteed), found(guaranteed, "NumeroAccord")) == (["168.00"], [number])
    assert code(desk.ask("CLC", "couronne-accordee", cited)) == "15"
    assert desk.cancel(guaranteed) == "00"
    assert desk.cancel(guaranteed) == "24"
    assert code(desk.ask("CLC", "couronne-accordee", cited)) == "00"


@DENTISTS
@pytest.mark.parametrize(
    ("quoted", "billed", "agreed", "given"),
    [
        ("700.00", "700.00", "168.00", "168.00"),
        ("200.00", "700.00", "128.00", "128.00"),
        ("700.00", "150.00", "168.00", "78.00"),
    ],
)
def test_a_guarantee_stays_within_the_agreement(
    dentist: Behaviour, quoted: str, billed: str, agreed: str, given: str
) -> None:
    desk = Desk(dentist, "accord")
    quote = desk.ask("PEC", edits=bill(quoted, "120.00", "72.00"))
    cited = {"//clc:NumeroAccord": found(quote, "NumeroAccord")[0]}
    invoice = desk.ask("CLC", "couronne-accordee", {**cited, **bill(billed, "120.00", "72.00")})
    assert (shares(quote), shares(invoice)) == ([agreed], [given])


@DENTISTS
@pytest.mark.parametrize(
    ("day", "result"), [("2026-01-09", "17"), ("2026-01-10", "00"), ("2026-07-10", "00"), ("2026-07-11", "14")]
)
def test_an_agreement_holds_from_its_decision_to_its_last_day(dentist: Behaviour, day: str, result: str) -> None:
    cited = {"//clc:NumeroAccord": "PEC-20260110-900001", **on(day)}
    assert code(Desk(dentist, "accord-connu").ask("CLC", "couronne-accordee", cited)) == result


@DENTISTS
@pytest.mark.parametrize(
    ("pool", "decision", "result"), [("accord-attente", "ATTENTE", "12"), ("accord-refuse", "REFUS", "13")]
)
def test_what_is_not_agreed_guarantees_nothing(dentist: Behaviour, pool: str, decision: str, result: str) -> None:
    desk = Desk(dentist, pool)
    answer = desk.ask("PEC")
    assert (found(answer, "Decision"), shares(answer)) == ([decision], [])
    cited = {"//clc:NumeroAccord": found(answer, "NumeroAccord")[0]}
    assert code(desk.ask("CLC", "couronne-accordee", cited)) == result


@pytest.mark.parametrize("pool", ["examen-jeune", "examen-partiel"])
@pytest.mark.parametrize(
    ("act", "price", "amo", "amc"),
    [
        ("BDA", "40.00", "24.00", "16.00"),
        ("BDB", "52.00", "31.20", "20.80"),
        ("BDD", "64.00", "38.40", "25.60"),
        ("BDP", "64.00", "38.40", "25.60"),
        ("BDE", "40.00", "24.00", "16.00"),
    ],
)
def test_an_examination_is_shared_to_the_cent(pool: str, act: str, price: str, amo: str, amc: str) -> None:
    edits = {"//den:CodePrestation": act, **bill(price, price, amo), **on("2026-01-20")}
    answer = Desk(SINCE, pool).ask("CLC", "examen", edits)
    assert (shares(answer), found(answer, "ResteACharge")) == ([amc], ["0.00"])


def test_the_supplement_completes_an_examination() -> None:
    assert shares(Desk(SINCE, "examen-jeune").ask("CLC", "examen-et-supplement")) == ["16.00", "9.20"]
    alone = {"//den:CodePrestation": "BDH", **bill("23.00", "23.00", "13.80")}
    assert code(Desk(SINCE, "examen-jeune").ask("CLC", "examen", alone)) == "34"


@pytest.mark.parametrize(
    ("base", "day", "result"),
    [("examen-bdc", "2025-03-31", "00"), ("examen", "2025-03-31", "08"), ("examen", "2025-04-01", "00")],
)
def test_the_codes_of_examinations_change_on_1_april_2025(base: str, day: str, result: str) -> None:
    # A request under a code that is not in force has no base or rate to be checked against.
    assert code(Desk(SINCE, "examen-jeune").ask("CLC", base, on(day))) == result


@pytest.mark.parametrize(
    ("pool", "day", "result"),
    [
        ("examen-trois-ans", "2025-05-09", "30"),
        ("examen-trois-ans", "2025-05-10", "00"),
        ("examen-vingt-cinq-ans", "2025-09-19", "00"),
        ("examen-vingt-cinq-ans", "2025-09-20", "30"),
        ("examen-lunaire", "2026-01-20", "00"),
    ],
)
def test_examinations_are_for_ages_three_to_twenty_four(pool: str, day: str, result: str) -> None:
    assert code(Desk(SINCE, pool).ask("CLC", "examen", on(day))) == result


@pytest.mark.parametrize(
    ("presumed", "real", "day", "result"),
    [
        ("2026-03-15", "2026-03-20", "2025-09-14", "31"),
        ("2026-03-15", "2026-03-20", "2025-09-15", "00"),
        ("2025-12-01", "2025-12-10", "2026-06-10", "00"),
        ("2025-12-01", "2025-12-10", "2026-06-11", "31"),
        ("2025-12-10", "2025-11-25", "2026-05-25", "00"),
        ("2025-12-10", "2025-11-25", "2026-05-26", "31"),
        ("2025-02-28", "2025-08-31", "2026-02-28", "00"),
    ],
)
def test_the_window_of_a_maternity(presumed: str, real: str, day: str, result: str) -> None:
    edits = {"//clc:DatePresumee": presumed, "//clc:DateAccouchement": real, **on(day)}
    assert code(Desk(SINCE, "maternite").ask("CLC", "examen-maternite", edits)) == result


def test_one_examination_per_maternity_and_per_age() -> None:
    mother = Desk(SINCE, "maternite-repetee")
    terms = [("2025-05-20", "2025-04-10"), ("2025-05-20", "2025-08-01"), ("2026-05-10", "2026-05-04")]
    asked = [{"//clc:DatePresumee": term, "//clc:DateAccouchement": term, **on(day)} for term, day in terms]
    assert [code(mother.ask("CLC", "examen-maternite", edits)) for edits in asked] == ["00", "32", "00"]
    child = Desk(SINCE, "examen-anniversaire")
    first = child.ask("CLC", "examen", on("2026-06-01"))
    assert code(child.ask("CLC", "examen", on("2026-06-14"))) == "33"
    assert code(child.ask("CLC", "examen", on("2026-06-15"))) == "00"
    assert child.cancel(first) == "00"
    assert code(child.ask("CLC", "examen", on("2026-06-14"))) == "00"


def test_no_consultation_on_the_date_of_an_examination() -> None:
    assert code(Desk(SINCE, "examen-jeune").ask("CLC", "examen-et-consultation", on("2026-01-20"))) == "35"
    assert shares(Desk(SINCE, "examen-jeune").ask("CLC", "examen-et-soins")) == ["16.00", "11.72"]
    for first, second in (("examen", "consultation"), ("consultation", "examen")):
        desk = Desk(SINCE, "examen-consultation")
        assert code(desk.ask("CLC", first, on("2026-02-02"))) == "00"
        assert code(desk.ask("CLC", second, on("2026-02-02"))) == "35"
        assert code(desk.ask("CLC", second, on("2026-02-03"))) == "00"


@pytest.mark.parametrize(("day", "amc"), [("2025-05-10", "40.00"), ("2025-11-10", "40.00"), ("2025-11-11", "30.00")])
def test_care_that_follows_an_examination_has_the_whole_share_for_six_months(day: str, amc: str) -> None:
    edits = {"//den:DateExamen": "2025-05-10", **on(day)}
    assert shares(Desk(SINCE, "examen-partiel").ask("CLC", "soins-apres-examen", edits)) == [amc]


def test_prevention_is_not_exempted_while_the_cover_is_valid() -> None:
    assert code(Desk(SINCE, "examen-jeune").ask("CLC", "examen-exonere", on("2026-01-20"))) == "37"
    assert code(Desk(SINCE, "examen-droits-clos").ask("CLC", "examen", on("2026-01-20"))) == "03"


@DENTISTS
def test_keys_of_the_population_are_right_and_member_numbers_unique(dentist: Behaviour) -> None:
    own = [pool for pool in dentist.population.pools if pool.entries[0].values["numero_adherent"].startswith("DEN")]
    people = [entry.values for pool in own for entry in pool.entries]
    assert all(nir_key(values["nir"]) == values["cle_nir"] for values in people)
    members = [values["numero_adherent"] for values in people]
    assert len(members) == len(set(members))
