"""A software whose way depends on what its user asked for, and whose messages leave out what an invoice lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from norms.behaviour import load as load_behaviour
from norms.loader import load
from poincon.software import robot_of
from sandbox.capture import Capture, HarCapture
from sandbox.plan import Plan
from sandbox.robot import Stimulus, Told
from sandbox.serve import Sandbox

HOSPITAL = load("ets/2.0")
ACTS = {"contexte": "ACE", "date_debut": "2025-02-03", "date_fin": "2025-02-03", "date_facture": "2025-02-04"} | {
    **{"prestation": "CS", "mt": "07", "dmt": "174", "supplement": "", "taux_amo": "70", "montant_amo": "21.00"},
    **dict.fromkeys(("prix_unitaire", "prix", "base", "total_facture"), "30.00"),
    "total_amo": "21.00",
}


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox([HOSPITAL.ref], tmp_path_factory.mktemp("hospital")) as sandbox:
        yield sandbox


def act(partner: Sandbox, action: str, capture: Capture | None = None, **data: str) -> Told:
    person = load_behaviour(HOSPITAL).population.pool("sejour")[0].values
    values = {value.name: value.example for value in HOSPITAL.extra_values}
    robot = robot_of(HOSPITAL, partner.pki, Plan(), capture)
    given = {**values, **HOSPITAL.profiles[0].values, **person, "action": action, **data}
    return robot.act(Stimulus(given, partner.endpoints()))


def test_the_same_answers_lead_where_the_user_wants(partner: Sandbox) -> None:
    assert act(partner, "simuler").amounts == {"total_amc": "420.00"}
    assert act(partner, "annuler").message.startswith("Engagement annulé")
    assert act(partner, "transmettre").amounts["paye"] == "420.00"


def test_what_an_invoice_does_not_have_is_left_out(partner: Sandbox, tmp_path: Path) -> None:
    with HarCapture(tmp_path / "acts.har") as capture:
        assert act(partner, "transmettre", capture, **ACTS).amounts["paye"] == "9.00"
    entries = json.loads((tmp_path / "acts.har").read_text("utf-8"))["log"]["entries"]
    claim = etree.fromstring(entries[-1]["request"]["postData"]["text"].encode())
    names = [etree.QName(node).localname for node in claim.iter("*")]
    assert ("Sejour" in names, names.count("Ligne")) == (False, 1)
