"""Three SOAP toolkits of others reach the services of Ville through the relay: they sign nothing, and are answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any

import pytest
from foreign_clients import each_toolkit, relay, usable
from front_doors import Practice

PERSON: dict[str, Any] = {
    "Professionnel": {"IdentifiantFacturation": "751234567", "Rpps": "99900063480", "CodeSpecialite": "01"},
    "Beneficiaire": {"Nir": "1090763220834", "CleNir": "89", "DateNaissance": "2009-07-15", "RangGemellaire": "1"},
    "Couverture": {
        "NumeroAMC": "0099990001", "TypeConvention": "RO", "CritereSecondaire": "A1", "NumeroAdherent": "ADH000001",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def relayed(practice: Practice) -> Iterator[dict[str, str]]:
    """The addresses of a relay in front of the practice partner of Ville."""
    targets = [f"{kind}={url}" for kind, url in practice.sandbox.endpoints("", "ville/1.1").items()]
    with relay(practice.environment, "--norm", "ville/1.1", "--to", *targets) as said:
        yield said["endpoints"]


def the(value: Any) -> Any:
    """Return the only member: one toolkit gives a repeated element that stands once without its list."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


@each_toolkit
def test_the_rights_of_a_beneficiary(name: str, relayed: dict[str, str]) -> None:
    body = {
        "Version": "1.1", **PERSON, "DateReference": date.today().isoformat(), "NatureAssurance": "AS",
        "Prestations": {"CodePrestation": ["G"]},
    }  # fmt: skip
    answer = usable(name).ask(f"{relayed['IDB']}?wsdl", "informerDroits", body)["answer"]
    assert answer["Resultat"]["Code"] == "00"
    assert (answer["Beneficiaire"]["Nir"], answer["Orientation"]) == ("1090763220834", "CALCUL_LPS")
    formula = the(answer["Garantie"])
    assert [formula[name] for name in ("CodePrestation", "CodeFormule")] == ["G", "021"]
    assert the(formula["Parametre"]) == "100"


@each_toolkit
def test_the_amounts_of_a_calculation(name: str, relayed: dict[str, str]) -> None:
    today = date.today().isoformat()
    body = {
        "Version": "1.1", **PERSON,
        "Facture": {"NumeroFacture": f"{Random().randrange(10**9):09d}", "DateFacture": today, "NatureAssurance": "AS"},
        "Lignes": {"Ligne": [{
            "Numero": "1", "DateSoins": today, "CodePrestation": "G", "Quantite": "1", "Coefficient": "1.00",
            "PrixUnitaire": "30.00", "MontantFacture": "30.00", "BaseRemboursement": "30.00", "TauxAMO": "70",
            "MontantAMO": "21.00",
        }]},
        "Totaux": {"TotalFacture": "30.00", "TotalAMO": "21.00"},
    }  # fmt: skip
    answer = usable(name).ask(f"{relayed['CLC']}?wsdl", "calculerDroits", body)["answer"]
    assert answer["Resultat"]["Code"] == "00"
    assert answer["Engagement"]["NumeroEngagement"].startswith("ENG-")
    line, totals = the(answer["Lignes"]["Ligne"]), answer["Totaux"]
    assert [line[name] for name in ("MontantFacture", "MontantAMO", "MontantAMC", "ResteACharge")] == [
        "30.00", "21.00", "9.00", "0.00",
    ]  # fmt: skip
    assert [totals[name] for name in ("TotalAMC", "TotalResteACharge")] == ["9.00", "0.00"]


@each_toolkit
def test_a_refusal_and_a_fault_reach_the_toolkit(name: str, relayed: dict[str, str]) -> None:
    body = {
        "Version": "1.1", **PERSON, "DateReference": date.today().isoformat(), "NatureAssurance": "AS",
        "Prestations": {"CodePrestation": ["G"]},
    }  # fmt: skip
    stranger = {**body, "Couverture": {**PERSON["Couverture"], "NumeroAMC": "0099999999"}}
    refused = usable(name).ask(f"{relayed['IDB']}?wsdl", "informerDroits", stranger)["answer"]
    assert refused["Resultat"]["Code"] != "00"
    wrong_key = {**body, "Beneficiaire": {**PERSON["Beneficiaire"], "CleNir": "00"}}
    assert "fault" in usable(name).ask(f"{relayed['IDB']}?wsdl", "informerDroits", wrong_key)
