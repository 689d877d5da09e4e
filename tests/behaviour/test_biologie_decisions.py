"""The decisions of biologie/1.0: amounts to the cent, dated values and acts, lines that bar each other, forfaits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from deciding import TODAY, FixedIds, edited, found, person_of
from lxml import etree

from norms.behaviour import Answer, State, load
from norms.check import checker_for
from norms.identifiers import nir_key
from norms.loader import load as load_norm

NORM = load_norm("biologie/1.0")
LAB = load(NORM)
PREFIXES = NORM.prefixes


@dataclass(frozen=True)
class Line:
    """One line of an invoice; act "" is a sampling."""

    act: str
    coefficient: str
    price: str = "0.25"
    day: str = "2026-11-20"
    quantity: int = 1
    key: str = "B"
    exemption: str = "0"
    rate: str = "60"

    @property
    def billed(self) -> Decimal:
        return cents(self.quantity * Decimal(self.coefficient) * Decimal(self.price))

    @property
    def amo(self) -> Decimal:
        return cents(self.billed * Decimal(self.rate) / 100)


@dataclass(frozen=True)
class Invoice:
    """An invoice and what surrounds it."""

    lines: tuple[Line, ...]
    day: str = "2026-11-21"
    prescribed: str = ""
    edits: dict[str, str] = field(default_factory=dict)


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def message(kind: str, edits: dict[str, str]) -> etree._Element:
    return edited(NORM, f"messages/{kind}.request.xml", edits)


def person(pool: str, index: int = 0) -> dict[str, str]:
    return person_of(LAB, pool, index)


def clc_request(invoice: Invoice, who: dict[str, str]) -> etree._Element:
    first = min(line.day for line in invoice.lines)
    root = message(
        "CLC", {**who, "//clc:DateFacture": invoice.day, "//clc:DatePrescription": invoice.prescribed or first}
    )
    lines = root.find(".//clc:Lignes", PREFIXES)
    assert lines is not None
    pattern = etree.tostring(lines[0])
    for line in list(lines):
        lines.remove(line)
    for number, line in enumerate(invoice.lines, 1):
        node = etree.fromstring(pattern)
        node.set("Numero", str(number))
        texts = {
            "DateActe": line.day,
            "CodePrestation": line.key,
            "CodeActe": line.act,
            "Quantite": str(line.quantity),
            "Coefficient": line.coefficient,
            "PrixUnitaire": line.price,
            "MontantFacture": str(line.billed),
            "Exoneration": line.exemption,
            "TauxAMO": line.rate,
            "MontantAMO": str(line.amo),
        }
        for name, text in texts.items():
            cell = node.find(f"clc:{name}", PREFIXES)
            assert cell is not None
            cell.text = text
            if not text:
                node.remove(cell)
        lines.append(node)
    totals = {"TotalFacture": "billed", "TotalAMO": "amo"}
    edits = {f"//clc:{name}": str(sum(getattr(one, value) for one in invoice.lines)) for name, value in totals.items()}
    for path, text in {**edits, **invoice.edits}.items():
        for node in root.xpath(path, namespaces=PREFIXES):
            node.text = text
    assert checker_for(NORM).check(root, "CLC", "request") == []
    return root


def clc(who: dict[str, str], *lines: Line, state: State | None = None, **more: object) -> Answer:
    invoice = Invoice(lines, **more)  # type: ignore[arg-type]
    answer = LAB.answer(clc_request(invoice, who), "CLC", state or State(), TODAY, FixedIds())
    assert checker_for(NORM).check(answer.root, "CLC", "response") == []
    return answer


def idb(edits: dict[str, str]) -> Answer:
    return LAB.answer(message("IDB", edits), "IDB", State(), TODAY, FixedIds())


def code(answer: Answer) -> str:
    return found(answer, "Code")[0]


PATIENT = person("ticket-moderateur")
COUNT = Line("1104", "26.00")


@pytest.mark.parametrize(
    ("pool", "line", "amc", "rest"),
    [
        ("ticket-moderateur", COUNT, "2.60", "0.00"),
        ("ticket-moderateur", Line("1104", "26.00", "0.27", "2022-06-14"), "2.81", "0.00"),  # AMO 4.212
        ("ticket-moderateur", Line("7335", "63.00", "0.27", "2022-06-14"), "6.80", "0.00"),  # 17.01, AMO 10.206
        ("moitie-du-ticket", Line("1104", "26.00", "0.27", "2022-06-14"), "1.41", "1.40"),  # half of 2.81
        ("quart-de-la-base", Line("1104", "26.00", "0.27", "2022-06-14"), "1.76", "1.05"),  # a quarter of 7.02
        ("quart-de-la-base", COUNT, "1.63", "0.97"),  # 1.625
        ("soixante-pour-cent-de-la-base", COUNT, "2.60", "0.00"),
        ("sans-part-amc", COUNT, "0.00", "2.60"),
        ("prelevements-a-moitie", Line("", "1.50", "2.52", key="TB"), "0.76", "0.75"),  # half of 1.51
        ("prelevements-a-moitie", COUNT, "2.60", "0.00"),
        ("ticket-moderateur", Line("1577", "25.00", exemption="4", rate="100"), "0.00", "0.00"),
    ],
)
def test_the_amc_share_is_right_to_the_cent(pool: str, line: Line, amc: str, rest: str) -> None:
    answer = clc(person(pool), line, day=line.day)
    assert (code(answer), found(answer, "MontantAMC"), found(answer, "ResteACharge")) == ("00", [amc], [rest])


def test_totals_are_sums_of_rounded_lines_not_calculated_again() -> None:
    """Three samplings of 3.78 €: 3 × 2.27 for the AMO, where 60 % of 11.34 € would be 6.80; 3 × 0.76, not 2.27."""
    answer = clc(person("prelevements-a-moitie"), *[Line("", "1.50", "2.52", key=key) for key in ("TB", "PB", "KMB")])
    assert found(answer, "TotalAMO") == ["6.81"]
    assert found(answer, "TotalAMC") == ["2.28"]
    assert found(answer, "TotalResteACharge") == ["2.25"]


def test_fifty_lines_are_calculated_and_summed() -> None:
    days = [(date(2022, 6, 1) + timedelta(days=number)).isoformat() for number in range(50)]
    answer = clc(person("moitie-du-ticket"), *[Line("0552", "5.00", "0.27", day) for day in days], day="2022-12-31")
    assert found(answer, "MontantAMC") == ["0.27"] * 50
    assert (found(answer, "TotalFacture"), found(answer, "TotalAMO")) == (["67.50"], ["40.50"])
    assert (found(answer, "TotalAMC"), found(answer, "TotalResteACharge")) == (["13.50"], ["13.50"])


@pytest.mark.parametrize(
    ("day", "zone", "price", "result"),
    [
        ("2023-01-31", "MET", "0.27", "00"),
        ("2023-02-01", "MET", "0.26", "00"),
        ("2024-01-14", "MET", "0.26", "00"),
        ("2024-01-14", "MET", "0.25", "10"),
        ("2024-01-15", "MET", "0.26", "10"),
        ("2024-01-15", "MET", "0.250", "00"),
        ("2024-01-15", "ANT", "0.29", "00"),
        ("2024-01-15", "ANT", "0.31", "10"),
        ("2024-01-15", "GRM", "0.31", "00"),
        ("2024-01-14", "GRM", "0.31", "10"),  # no value of that day is known
    ],
)
def test_the_value_of_b_is_that_of_the_zone_on_the_care_date(day: str, zone: str, price: str, result: str) -> None:
    line = Line("1104", "26.00", price.rstrip("0"), day)
    assert code(clc(PATIENT, line, day=day, edits={"//clc:Zone": zone})) == result


@pytest.mark.parametrize(
    ("act", "coefficient", "day", "result"),
    [
        ("0322", "50.00", "2019-01-31", "00"),
        ("0322", "50.00", "2019-02-01", "08"),
        ("4500", "150.00", "2019-01-31", "08"),
        ("4500", "150.00", "2019-02-01", "00"),
        ("1104", "27.00", "2018-04-13", "00"),
        ("1104", "27.00", "2018-04-14", "11"),
        ("9005", "16.00", "2019-03-31", "00"),
        ("9005", "17.00", "2019-03-31", "11"),
        ("9005", "17.00", "2019-04-01", "00"),
        ("9106", "8.00", "2018-04-13", "00"),
        ("9106", "9.00", "2018-04-14", "00"),
        ("9999", "26.00", "2019-04-01", "08"),
    ],
)
def test_an_act_is_judged_on_the_care_date(act: str, coefficient: str, day: str, result: str) -> None:
    assert code(clc(PATIENT, Line(act, coefficient, "0.27", day), day=day)) == result


@pytest.mark.parametrize(
    ("acts", "result"),
    [
        ([("1510", "6.00"), ("0524", "6.00")], "12"),
        ([("0524", "6.00"), ("1104", "26.00"), ("1510", "6.00")], "12"),
        ([("1213", "25.00"), ("1822", "60.00")], "12"),
        ([("0996", "20.00"), ("0580", "5.00")], "12"),
        ([("0320", "60.00"), ("4004", "110.00")], "12"),
        ([("1510", "6.00"), ("1213", "25.00")], "00"),
    ],
)
def test_incompatible_acts_of_one_day(acts: list[tuple[str, str]], result: str) -> None:
    assert code(clc(PATIENT, *[Line(*act) for act in acts])) == result


def test_incompatible_acts_of_two_days_are_calculated() -> None:
    lines = Line("1510", "6.00", day="2026-11-19"), Line("0524", "6.00", day="2026-11-20")
    assert code(clc(PATIENT, *lines)) == "00"


@pytest.mark.parametrize(
    ("act", "coefficient", "maximum"),
    [("1104", "26.00", 1), ("1140", "33.00", 2), ("1206", "27.00", 3), ("1146", "15.00", 5)],
)
def test_the_maximum_of_an_act_counts_all_lines_and_quantities(act: str, coefficient: str, maximum: int) -> None:
    def lines(number: int) -> list[Line]:
        return [Line(act, coefficient, day=f"2026-11-{10 + each}") for each in range(number)]

    assert code(clc(PATIENT, *lines(maximum))) == "00"
    assert code(clc(PATIENT, *lines(maximum + 1))) == "13"
    assert code(clc(PATIENT, Line(act, coefficient, quantity=maximum))) == "00"
    assert (
        code(clc(PATIENT, Line(act, coefficient, quantity=maximum), Line("1124", "6.00"), Line(act, coefficient)))
        == "13"
    )


def test_a_group_of_acts_has_a_maximum_of_its_own() -> None:
    old = [
        Line(act, points, "0.27", "2019-01-15")
        for act, points in (("0322", "50.00"), ("0323", "50.00"), ("0351", "50.00"))
    ]
    assert code(clc(PATIENT, *old, day="2019-01-31")) == "00"
    assert code(clc(PATIENT, *old, Line("0354", "50.00", "0.27", "2019-01-15"), day="2019-01-31")) == "14"
    new = [Line(act, points) for act, points in (("4711", "150.00"), ("4712", "100.00"), ("4714", "50.00"))]
    assert code(clc(PATIENT, *new)) == "00"
    assert code(clc(PATIENT, *new, Line("4715", "50.00"))) == "14"
    proteins = [Line(act, "20.00") for act in ("1814", "1815")]
    assert code(clc(PATIENT, *proteins, *new)) == "00"
    assert code(clc(PATIENT, *proteins, Line("1816", "20.00"))) == "14"


FORFAIT, HPV = Line("9005", "17.00"), Line("9010", "17.00")


def number(text: str) -> dict[str, str]:
    return {"//clc:NumeroFacture": text}


def test_one_preanalytic_forfait_per_person_and_day() -> None:
    state = State()
    assert code(clc(PATIENT, FORFAIT, HPV, state=state)) == "23"
    assert code(clc(PATIENT, FORFAIT, state=state, edits=number("000000001"))) == "00"
    again = clc(PATIENT, FORFAIT, state=state, edits=number("000000001"))
    assert code(again) == "00" and again.repeated
    assert code(clc(PATIENT, FORFAIT, state=state, edits=number("000000002"))) == "23"
    assert code(clc(PATIENT, HPV, state=state, edits=number("000000003"))) == "23"
    other_lab = {"//com:IdentifiantFacturation": "130789555"}
    assert code(clc(PATIENT, FORFAIT, state=state, edits={**number("000000001"), **other_lab})) == "23"
    yesterday = Line("9005", "17.00", day="2026-11-19")
    assert code(clc(PATIENT, yesterday, state=state, edits=number("000000004"))) == "00"
    assert code(clc(person("ticket-moderateur", 1), FORFAIT, state=state, edits=number("000000005"))) == "00"


def test_a_forfait_that_was_refused_is_not_used_up() -> None:
    state = State()
    assert code(clc(PATIENT, FORFAIT, Line("9999", "1.00"), state=state)) == "08"
    assert code(clc(PATIENT, FORFAIT, state=state, edits=number("000000002"))) == "00"


def test_twins_have_a_forfait_each() -> None:
    state = State()
    for invoice, (twin, result) in enumerate([(0, "00"), (1, "00"), (1, "23")]):
        who = person("jumeaux-forfait", twin)
        assert code(clc(who, FORFAIT, state=state, edits=number(f"{invoice:09d}"))) == result


@pytest.mark.parametrize(
    ("day", "result"),
    [
        ("2025-06-06", "24"),  # Friday
        ("2025-06-07", "00"),  # Saturday
        ("2025-06-08", "00"),  # Sunday
        ("2025-06-09", "00"),  # Whit Monday
        ("2025-06-10", "24"),  # Tuesday
        ("2024-05-09", "00"),  # Ascension, a Thursday
        ("2025-07-14", "00"),  # a Monday
    ],
)
def test_the_week_end_supplement_needs_its_day(day: str, result: str) -> None:
    assert code(clc(PATIENT, Line("9004", "26.00", day=day), day=day)) == result


@pytest.mark.parametrize(
    ("care", "invoiced", "result"),
    [
        ("2024-02-29", "2025-02-28", "00"),
        ("2024-02-29", "2025-03-01", "21"),
        ("2025-03-14", "2026-03-14", "00"),
        ("2025-03-14", "2026-03-15", "21"),
    ],
)
def test_an_invoice_is_less_than_a_year_old(care: str, invoiced: str, result: str) -> None:
    assert code(clc(PATIENT, Line("1104", "26.00", day=care), day=invoiced)) == result


@pytest.mark.parametrize(
    ("prescribed", "result"),
    [("2026-11-21", "17"), ("2026-11-20", "00"), ("2025-11-20", "00"), ("2025-11-19", "18")],
)
def test_the_prescription_precedes_the_care_and_is_not_too_old(prescribed: str, result: str) -> None:
    assert code(clc(PATIENT, COUNT, prescribed=prescribed)) == result


@pytest.mark.parametrize(
    ("nature", "exemption", "rate", "result"),
    [
        ("AS", "0", "60", "00"),
        ("AS", "0", "100", "22"),
        ("AS", "4", "100", "00"),
        ("AS", "4", "60", "22"),
        ("MA", "0", "100", "00"),
        ("MA", "0", "60", "22"),
        ("DC", "0", "60", "22"),  # a nature without a rate
    ],
)
def test_the_amo_rate_follows_from_nature_and_exemption(nature: str, exemption: str, rate: str, result: str) -> None:
    line = Line("1104", "26.00", exemption=exemption, rate=rate)
    assert code(clc(PATIENT, line, edits={"//clc:Facture/clc:NatureAssurance": nature})) == result


def test_an_anonymous_nir_needs_no_key_and_has_screening_acts_only() -> None:
    screening, minor = person("anonyme-depistage"), person("anonyme-contraception")
    wrong_key = {"//com:CleNir": "00"}
    hiv, hcg = Line("0388", "50.00", exemption="7", rate="100"), Line("7402", "30.00", exemption="7", rate="100")
    assert code(clc(screening, hiv, edits=wrong_key)) == "15"
    assert code(clc(screening, hcg)) == "16"
    assert code(clc(minor, hcg)) == "15"
    assert code(clc(minor, hcg, hiv)) == "16"
    root = message("IDB", {**minor, **wrong_key})
    assert checker_for(NORM).check(root, "IDB", "request") == []
    assert code(idb({**minor, **wrong_key})) == "15"
    almost = message("IDB", {**minor, "//com:Nir": "2555554441042", "//com:CleNir": "00"})
    assert [problem.rule for problem in checker_for(NORM).check(almost, "IDB", "request")] == ["R-SOC-GEN-001"]


@pytest.mark.parametrize("kind", ["IDB", "CLC"])
def test_every_answer_conforms_to_the_norm(kind: str) -> None:
    for pool in LAB.population.pools:
        for index in range(len(pool.entries)):
            answer = LAB.answer(message(kind, person(pool.name, index)), kind, State(), TODAY, FixedIds())
            assert checker_for(NORM).check(answer.root, kind, "response") == [], (pool.name, answer.row)


def test_keys_of_the_population_are_right() -> None:
    people = [entry.values for pool in LAB.population.pools for entry in pool.entries]
    assert all(nir_key(values["nir"]) == values["cle_nir"] for values in people)
