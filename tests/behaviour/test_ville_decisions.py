"""The decisions of ville/1.1 and annuaire/1.0: routes, refusals, amounts to the cent, engagements."""

from __future__ import annotations

from datetime import date

import pytest
from deciding import TODAY, FixedIds, edited, found, person_of
from lxml import etree

from norms.behaviour import Answer, Behaviour, Overrides, State, load
from norms.check import checker_for
from norms.identifiers import nir_key
from norms.loader import load as load_norm

VILLE, ANNUAIRE = load_norm("ville/1.1"), load_norm("annuaire/1.0")
TOWN, DIRECTORY = load(VILLE), load(ANNUAIRE)


def message(behaviour: Behaviour, kind: str, edits: dict[str, str] | None = None) -> etree._Element:
    return edited(behaviour.norm, f"messages/{kind}.request.xml", edits or {})


def person(pool: str, index: int = 0) -> dict[str, str]:
    return person_of(TOWN, pool, index)


def idb(edits: dict[str, str]) -> Answer:
    return TOWN.answer(message(TOWN, "IDB", edits), "IDB", State(), TODAY, FixedIds())


@pytest.mark.parametrize(
    ("pool", "code", "orientation"),
    [
        ("droits-ouverts", "00", "CALCUL_LPS"),
        ("droits-clos", "03", "SANS_TP"),
        ("droits-futurs", "04", "SANS_TP"),
        ("retroactif", "03", "SANS_TP"),
        ("inconnu", "01", "SANS_TP"),
        ("jumeaux", "00", "CALCUL_LPS"),
        ("date-lunaire", "00", "CALCUL_LPS"),
        ("nir-corse", "00", "CALCUL_LPS"),
        ("clc-obligatoire", "00", "APPEL_CLC"),
        ("formules", "00", "CALCUL_LPS"),
        ("amc-inconnue", "06", "SANS_TP"),
        ("ps-sans-contrat", "05", "SANS_TP"),
        ("homonymes", "02", "SANS_TP"),
        ("fin-de-droits", "00", "CALCUL_LPS"),
    ],
)
def test_each_pool_has_its_route(pool: str, code: str, orientation: str) -> None:
    for index in range(len(TOWN.population.pool(pool))):
        answer = idb(person(pool, index))
        assert (found(answer, "Code"), found(answer, "Orientation")) == ([code], [orientation])


def test_a_past_date_is_judged_on_that_date() -> None:
    past = TOWN.population.pool("retroactif")[0].values["date_ouverte"]
    assert found(idb({**person("retroactif"), "//idb:DateReference": past}), "Code") == ["00"]


def test_the_last_day_of_the_rights_counts_and_the_next_does_not() -> None:
    end = TOWN.population.pool("fin-de-droits")[0].values["fin"]
    assert found(idb({**person("fin-de-droits"), "//idb:DateReference": end}), "Code") == ["00"]
    assert found(idb({**person("fin-de-droits"), "//idb:DateReference": "2031-09-01"}), "Code") == ["03"]


def test_twins_have_the_rights_of_their_rank() -> None:
    assert found(idb(person("jumeaux", 0)), "CodeFormule") == ["021"]
    assert found(idb(person("jumeaux", 1)), "CodeFormule") == ["022"]


def test_another_member_number_is_refused() -> None:
    assert found(idb({**person("droits-ouverts"), "//com:NumeroAdherent": "AUTRE1"}), "Code") == ["07"]


def test_an_act_must_be_in_force_on_the_reference_date() -> None:
    open_rights = person("droits-ouverts")
    assert found(idb({**open_rights, "//idb:CodePrestation": "ZZZ"}), "Code") == ["08"]
    assert found(idb({**open_rights, "//idb:CodePrestation": "AMS"}), "Code") == ["08"]
    dated = {**open_rights, "//idb:CodePrestation": "AMS", "//idb:DateReference": "2023-06-01"}
    assert found(idb(dated), "Code") == ["00"]


def clc(pool: str, state: State, **edits: str) -> Answer:
    changed = {**person(pool), **{f"//clc:{name}": value for name, value in edits.items()}}
    return TOWN.answer(message(TOWN, "CLC", changed), "CLC", state, TODAY, FixedIds())


@pytest.mark.parametrize(
    ("pool", "billed", "base", "amo", "amc", "rest"),
    [
        ("formule-021", "30.00", "30.00", "21.00", "9.00", "0.00"),
        ("formule-021", "45.00", "30.00", "21.00", "9.00", "15.00"),
        ("formule-021", "20.00", "30.00", "14.00", "6.00", "0.00"),
        ("formule-021", "10.00", "8.00", "9.00", "0.00", "1.00"),
        ("formule-022", "30.00", "30.00", "21.00", "7.50", "1.50"),
        ("formule-022", "26.50", "26.50", "18.55", "6.63", "1.32"),
        ("formule-022", "30.00", "30.00", "27.00", "3.00", "0.00"),
        ("formule-023", "33.00", "30.00", "21.00", "12.00", "0.00"),
        ("formule-023", "50.00", "30.00", "21.00", "14.00", "15.00"),
        ("formule-024", "30.00", "30.00", "21.00", "2.50", "6.50"),
        ("formule-024", "3.00", "3.00", "2.10", "0.90", "0.00"),
        ("formule-025", "30.00", "30.00", "21.00", "0.00", "9.00"),
    ],
)
def test_the_amc_share_is_right_to_the_cent(pool: str, billed: str, base: str, amo: str, amc: str, rest: str) -> None:
    answer = clc(pool, State(), MontantFacture=billed, BaseRemboursement=base, MontantAMO=amo)
    assert (found(answer, "MontantAMC"), found(answer, "ResteACharge")) == ([amc], [rest])
    assert (found(answer, "TotalAMC"), found(answer, "TotalResteACharge")) == ([amc], [rest])


def test_every_line_is_calculated_and_summed() -> None:
    root = message(TOWN, "CLC", person("formule-022"))
    lines = root.find(".//clc:Lignes", VILLE.prefixes)
    assert lines is not None
    second = etree.fromstring(etree.tostring(lines[0]))
    second.set("Numero", "2")
    for name, value in (("MontantFacture", "10.00"), ("BaseRemboursement", "10.00"), ("MontantAMO", "7.00")):
        node = second.find(f"clc:{name}", VILLE.prefixes)
        assert node is not None
        node.text = value
    lines.append(second)
    answer = TOWN.answer(root, "CLC", State(), TODAY, FixedIds())
    assert found(answer, "MontantAMC") == ["7.50", "2.50"]
    assert (found(answer, "TotalFacture"), found(answer, "TotalAMC")) == (["40.00"], ["10.00"])


def test_the_same_invoice_has_the_same_engagement_and_another_has_another() -> None:
    state = State()
    first = found(clc("formule-021", state, NumeroFacture="000000001"), "NumeroEngagement")
    again = clc("formule-021", state, NumeroFacture="000000001")
    other = found(clc("formule-021", state, NumeroFacture="000000002"), "NumeroEngagement")
    assert found(again, "NumeroEngagement") == first == ["ENG-20261121-000001"]
    assert again.repeated
    assert other == ["ENG-20261121-000002"]


def test_the_same_invoice_number_with_another_content_is_refused() -> None:
    state = State()
    clc("formule-021", state)
    answer = clc("formule-021", state, NatureAssurance="MA")
    assert (found(answer, "Code"), found(answer, "NumeroEngagement")) == (["09"], [])


def test_an_engagement_that_has_ended_is_forgotten() -> None:
    state = State()
    clc("formule-021", state)
    root = message(TOWN, "CLC", person("formule-021"))
    before = TOWN.answer(root, "CLC", state, date(2026, 12, 21), FixedIds())
    after = TOWN.answer(root, "CLC", state, date(2026, 12, 22), FixedIds())
    assert found(before, "NumeroEngagement") == ["ENG-20261121-000001"]
    assert found(after, "NumeroEngagement") == ["ENG-20261222-000002"]


def test_dates_of_an_engagement() -> None:
    answer = clc("clc-obligatoire", State())
    assert (found(answer, "DateEngagement"), found(answer, "DateExpiration")) == (["2026-11-21"], ["2026-12-21"])


@pytest.mark.parametrize(
    ("pool", "code"),
    [
        ("droits-clos", "03"),
        ("droits-futurs", "04"),
        ("inconnu", "01"),
        ("ps-sans-contrat", "05"),
        ("amc-inconnue", "06"),
    ],
)
def test_a_refusal_engages_nothing(pool: str, code: str) -> None:
    state = State()
    answer = clc(pool, state)
    assert found(answer, "Code") == [code]
    assert not found(answer, "NumeroEngagement") and not len(state.xml)


def test_an_act_closed_since_the_care_is_calculated() -> None:
    old = {"CodePrestation": "AMS", "DateSoins": "2023-06-01"}
    assert found(clc("formule-021", State(), **old), "Code") == ["00"]
    assert found(clc("formule-021", State(), CodePrestation="AMS"), "Code") == ["08"]


@pytest.mark.parametrize("kind", ["IDB", "CLC"])
def test_every_answer_conforms_to_the_norm(kind: str) -> None:
    checker = checker_for(VILLE)
    for pool in TOWN.population.pools:
        for index in range(len(pool.entries)):
            root = message(TOWN, kind, person(pool.name, index))
            answer = TOWN.answer(root, kind, State(), TODAY, FixedIds())
            assert checker.check(answer.root, kind, "response") == [], (pool.name, answer.row)


def test_every_row_is_reached_by_some_pool_or_edit() -> None:
    rows = set()
    for pool in TOWN.population.pools:
        rows.add(idb(person(pool.name)).row)
        rows.add(clc(pool.name, State()).row)
    state = State()
    clc("formule-021", state)
    rows.add(clc("formule-021", state, NatureAssurance="MA").row)
    rows.add(clc("formule-021", state, CodePrestation="ZZZ").row)
    rows.add(idb({**person("droits-ouverts"), "//idb:CodePrestation": "ZZZ"}).row)
    rows.add(idb({**person("droits-ouverts"), "//com:NumeroAdherent": "AUTRE1"}).row)
    edits = {**person("droits-ouverts"), "//com:NumeroAdherent": "AUTRE1"}
    rows.add(TOWN.answer(message(TOWN, "CLC", edits), "CLC", State(), TODAY, FixedIds()).row)
    tables = TOWN.interpreter.decisions.tables  # those of claims have their own tests
    assert rows == {row.id for kind in ("IDB", "CLC") for row in tables[kind].rows}


def test_keys_of_the_population_are_right_and_nobody_is_listed_twice() -> None:
    people = [entry.values for pool in TOWN.population.pools for entry in pool.entries]
    assert all(nir_key(values["nir"]) == values["cle_nir"] for values in people)
    shared = {entry.values["nir"] for name in ("jumeaux", "homonymes") for entry in TOWN.population.pool(name)}
    single = [values["nir"] for values in people if values["nir"] not in shared]
    assert len(single) == len(set(single))


def look_up(edits: dict[str, str]) -> Answer:
    root = message(DIRECTORY, "ADR", edits)
    return DIRECTORY.answer(root, "ADR", State(), TODAY, FixedIds(), Overrides(), "https://h:1/w/x")


@pytest.mark.parametrize(
    ("edits", "code"),
    [
        ({}, "00"),
        ({"//numero_amc": "0099999999"}, "01"),
        ({"//numero_amc": "0099990006"}, "02"),
        ({"//code_type_convention": "ZZ"}, "02"),
        ({"//code_csr": "B2"}, "02"),
        ({"//version_norme_service": "V9.9"}, "03"),
        ({"//typage/type_adresse/item": "MEL"}, "04"),
        ({"//numero_amc": "0099990004", "//code_type_convention": "CM", "//code_csr": "B12"}, "00"),
        ({"//numero_amc": "0099990004", "//code_type_convention": "CM", "//code_csr": "B1"}, "02"),
        ({"//numero_amc": "0099990004", "//code_type_convention": "CM", "//code_csr": "X12"}, "02"),
        ({"//numero_amc": "0099990004", "//code_type_convention": "CM", "//code_csr": "C?"}, "00"),
        ({"//numero_amc": "0099990005", "//code_type_convention": "AC", "//code_csr": "Z9"}, "00"),
    ],
)
def test_the_directory_routes(edits: dict[str, str], code: str) -> None:
    answer = look_up(edits)
    assert found(answer, "code") == [code]
    assert bool(found(answer, "valeur")) == (code == "00")
    assert checker_for(ANNUAIRE).check(answer.root, "ADR", "response") == []


def test_the_directory_gives_addresses_under_its_base() -> None:
    assert found(look_up({}), "valeur") == ["https://h:1/w/x/ville/1.1/idb"]
