"""The practice software against the practice partner, over the wire: what it asks, believes and tells."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from norms.behaviour.software import load_software
from norms.loader import load
from poincon.software import robot_of
from sandbox.plan import Plan
from sandbox.robot import Stimulus, Told
from sandbox.serve import Sandbox, World

VILLE = load("ville/1.1")
SOFTWARE = load_software(VILLE)


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    worlds = {
        "": World(),
        "unsigned": World(faults=("F-SEC-34",)),
        "cut": World(faults=("F-GEN-03",)),
    }
    with Sandbox(["ville/1.1"], tmp_path_factory.mktemp("robot"), worlds=worlds) as sandbox:
        yield sandbox


def act(partner: Sandbox, pool: str, action: str, *faults: str, world: str = "", **data: str) -> Told:
    person = next(iter(partner_population(pool)))
    profile = VILLE.profiles[0].values
    values = {value.name: value.example for value in VILLE.extra_values}
    plan = Plan([fault for fault in SOFTWARE.faults if fault.id in faults])
    robot = robot_of(VILLE, partner.pki, plan)
    endpoints = partner.endpoints(world, "ville/1.1") if world else partner.endpoints()
    return robot.act(Stimulus({**values, **profile, **person, "action": action, **data}, endpoints))


def partner_population(pool: str) -> list[dict[str, str]]:
    from norms.behaviour import load as load_behaviour

    return [entry.values for entry in load_behaviour(VILLE).population.pool(pool)]


def test_rights_are_asked_and_granted(partner: Sandbox) -> None:
    assert act(partner, "droits-ouverts", "droits").outcome == "accepted"


def test_a_refusal_is_shown(partner: Sandbox) -> None:
    told = act(partner, "droits-clos", "facturer")
    assert told.outcome == "refused"
    assert told.message.startswith("03 : ")


def test_the_amount_committed_is_told(partner: Sandbox) -> None:
    told = act(partner, "clc-obligatoire", "facturer")
    assert told.outcome == "accepted"
    assert told.amounts["total_amc"] == "7.50"
    assert told.amounts["engagement"]


def test_an_answer_without_signature_is_not_believed_unless_the_software_is_careless(partner: Sandbox) -> None:
    assert act(partner, "droits-ouverts", "droits", world="unsigned").outcome == "stopped"
    assert act(partner, "droits-ouverts", "droits", "CF-CRO-01", world="unsigned").outcome == "accepted"


def test_no_answer_stops_it_after_another_try(partner: Sandbox) -> None:
    told = act(partner, "date-lunaire", "droits", world="cut")
    assert (told.outcome, told.message) == ("stopped", "Le service ne répond pas.")


def test_what_it_cannot_do_it_says(partner: Sandbox) -> None:
    assert act(partner, "droits-ouverts", "voler").outcome == "failed"
    robot = robot_of(VILLE, partner.pki, Plan())
    assert "est inconnue" in robot.act(Stimulus({"action": "droits"}, partner.endpoints())).message


def test_the_command_speaks_the_driver_protocol(partner: Sandbox, tmp_path: Path) -> None:
    person = {**VILLE.profiles[0].values, **partner_population("droits-clos")[0], "lps_autorisation": "POINCON-0001"}
    stimulus = {"format": "poincon/stimulus/1", "case": "C", "step": 1, "text": "", "endpoints": partner.endpoints()}
    lines = [json.dumps({**stimulus, "data": {**person, "action": "droits"}}), "pas du JSON"]
    done = subprocess.run(
        [sys.executable, "-m", "poincon", "sandbox", "robot", "ville/1.1", "--data", partner.pki.folder.parent],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=120,
        check=True,
    )
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["outcome"], second["outcome"]) == ("refused", "failed")
