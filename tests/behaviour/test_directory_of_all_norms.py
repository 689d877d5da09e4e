"""The practice directory knows every address of every norm: one look-up, one address, the right one."""

from __future__ import annotations

from datetime import date

import pytest
from deciding import FixedIds, edited, found

from norms.behaviour import Answer, Overrides, State, load
from norms.behaviour.population import population_of
from norms.loader import load as load_norm
from norms.model import Service

BASE = "https://h:1/w/x"
TODAY = date(2026, 11, 22)
DIRECTORY = load(load_norm("annuaire/1.0"))
DOMAINS = {"ville": "MED", "ets": "HOSP", "dentaire": "DENT", "biologie": "LABO", "fournisseurs": "FOUR"}
VERSIONS = "ville/1.0 ville/1.1 ets/1.0 ets/2.0 dentaire/1.0 dentaire/1.1 biologie/1.0 fournisseurs/1.0"
NORMS = {ref: load_norm(ref) for ref in VERSIONS.split()}
SPECIAL = {"0099999999", "0099990006", "0099990007", "0099990020", "0099990021"}
"""AMCs that the directory does not know, or that do not serve everything."""


def look_up(ref: str, kind: str, amc: str = "0099990001", convention: str = "RO", criterion: str = "A1") -> Answer:
    name, _, version = ref.partition("/")
    values = {
        "//numero_amc": amc,
        "//code_type_convention": convention,
        "//code_csr": criterion,
        "//domaine_conventionnel": DOMAINS[name],
        "//code_service": kind,
        "//code_norme_service": kind,
        "//version_norme_service": f"V{version}",
    }
    root = edited(DIRECTORY.norm, "messages/ADR.request.xml", values)
    return DIRECTORY.answer(root, "ADR", State(), TODAY, FixedIds(), Overrides(), BASE)


def services(ref: str) -> tuple[Service, ...]:
    return NORMS[ref].services


@pytest.mark.parametrize("ref", NORMS)
def test_one_look_up_finds_exactly_the_address_of_the_service(ref: str) -> None:
    for service in services(ref):
        assert found(look_up(ref, service.kind), "valeur") == [f"{BASE}{service.path}"], service.kind


@pytest.mark.parametrize("ref", NORMS)
def test_the_deposit_of_claims_is_beside_the_services(ref: str) -> None:
    assert found(look_up(ref, "DRE"), "valeur") == [f"{BASE}/{ref}/dre"]
    assert found(look_up(ref, "DRE", "0099990023"), "code") == ["02"]


@pytest.mark.parametrize("ref", NORMS)
def test_every_person_is_led_to_the_services_of_the_norm(ref: str) -> None:
    people = [entry.values for pool in population_of(NORMS[ref]).pools for entry in pool.entries]
    keys = {(each["numero_amc"], each["type_convention"], each.get("critere_secondaire", "")) for each in people}
    served = {key for key in keys if key[0] not in SPECIAL}
    assert served
    for key in served:
        assert found(look_up(ref, services(ref)[0].kind, *key), "code") == ["00"], key
    for key in keys - served:
        assert found(look_up(ref, "CLC", *key), "code") != ["00"], key


@pytest.mark.parametrize(
    ("key", "rights", "calculation"),
    [
        (("0099990004", "CM", "B12"), "00", "00"),
        (("0099990004", "CM", "C7"), "00", "00"),
        (("0099990004", "CM", ""), "02", "02"),
        (("0099990005", "AC", ""), "00", "00"),
        (("0099990020", "RO", "A1"), "03", "03"),
        (("0099990021", "RO", "A1"), "00", "02"),
        (("0099990023", "RO", "A1"), "00", "00"),
        (("0099999999", "RO", "A1"), "01", "01"),
    ],
)
def test_the_amcs_of_the_chains_are_served_alike_in_every_norm(
    key: tuple[str, str, str], rights: str, calculation: str
) -> None:
    for ref in NORMS:
        assert found(look_up(ref, "IDB", *key), "code") == [rights], ref
        assert found(look_up(ref, "CLC", *key), "code") == [calculation], ref


def test_an_old_number_of_another_domain_is_no_address_of_ours() -> None:
    assert found(look_up("dentaire/1.0", "IDB", "0099990007"), "valeur") == []
    assert found(look_up("ville/1.0", "IDB", "0099990007"), "valeur") == ["https://amc-essai.example/ville/1.0/idb"]


def test_a_mailbox_stands_beside_the_deposit_and_is_given_when_it_is_asked_for() -> None:
    name = "//typage/type_adresse/item"
    edits = {"//numero_amc": "0099990022", "//code_service": "DRE", "//code_norme_service": "DRE"}
    edits |= {"//version_norme_service": "V1.0"}
    for type_, value in (("MEL", "factures@amc-essai.example"), ("URL", f"{BASE}/ville/1.0/dre")):
        root = edited(DIRECTORY.norm, "messages/ADR.request.xml", {**edits, name: type_})
        answer = DIRECTORY.answer(root, "ADR", State(), TODAY, FixedIds(), Overrides(), BASE)
        assert found(answer, "valeur") == [value]


def test_an_address_may_be_one_that_nobody_can_guess() -> None:
    assert found(look_up("ets/2.0", "SIM", "0099990030"), "valeur") == [f"{BASE}/ets/2.0/sim/b7"]
