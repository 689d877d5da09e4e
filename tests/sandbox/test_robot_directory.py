"""The practice software finds its services in the directory, goes on to the claim, and departs from that on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from norms.behaviour import Change, Fault
from norms.behaviour import load as load_behaviour
from norms.behaviour.conduct import VARIABLES
from norms.behaviour.expressions import Expression
from norms.behaviour.operators import OPERATORS
from norms.behaviour.software import load_software
from norms.errors import NormError
from norms.loader import load
from norms.model import Text
from norms.wire.trust import Anchors
from norms.yamlfile import Node
from poincon.software import robot_of
from sandbox.calling import Caller, Letter, Posted
from sandbox.pki import TestPki, ensure
from sandbox.plan import Plan
from sandbox.robot import Robot, Stimulus, Told
from sandbox.serve import Sandbox

VILLE, ANNUAIRE = load("ville/1.1"), load("annuaire/1.0")
VALUES = {**{value.name: value.example for value in VILLE.extra_values}, **VILLE.profiles[0].values}
NOWHERE = "https://127.0.0.1:1/nowhere"


@pytest.fixture(scope="module")
def partners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox([VILLE, ANNUAIRE], tmp_path_factory.mktemp("directory")) as sandbox:
        yield sandbox


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Letter]:
    """Return the list to which every request that leaves is added."""
    letters: list[Letter] = []
    real = Caller.post

    def post(self: Caller, letter: Letter, seconds: float) -> Posted:
        letters.append(letter)
        return real(self, letter, seconds)

    monkeypatch.setattr(Caller, "post", post)
    return letters


def deviation(operator: str, *kinds: str, **parameters: str) -> Fault:
    paths = {
        name: Expression(VILLE, Node(text, 1, Path("test.yaml"), name, NormError), VARIABLES)
        for name, text in parameters.items()
        if name == "at"
    }
    return Fault("F", Text("f"), "", (), (Change(OPERATORS[operator], parameters, paths, kinds),))


def act(partners: Sandbox, pool: str, action: str, *faults: Fault, **endpoints: str) -> Told:
    person = load_behaviour(VILLE).population.pool(pool)[0].values
    robot = robot_of(VILLE, partners.pki, Plan(faults))
    data = {**VALUES, **person, "action": action}
    for name in ("numero_amc", "type_convention"):
        data[name] = endpoints.pop(name, data[name])
    return robot.act(Stimulus(data, {"ADR": partners.endpoints()["ADR"], **endpoints}))


def kinds(sent: list[Letter]) -> list[str]:
    return [letter.service.kind for letter in sent]


def test_every_service_is_looked_up_before_it_is_called(partners: Sandbox, sent: list[Letter]) -> None:
    told = act(partners, "clc-obligatoire", "transmettre")
    assert (told.outcome, told.amounts["paye"]) == ("accepted", told.amounts["total_amc"])
    assert kinds(sent) == ["ADR", "IDB", "ADR", "CLC", "ADR", "DRE"]
    assert [letter.url for letter in sent[1::2]] == [partners.endpoints()[kind] for kind in ("IDB", "CLC", "DRE")]


def test_a_claim_is_a_bare_document_of_what_was_guaranteed(partners: Sandbox, sent: list[Letter]) -> None:
    told = act(partners, "clc-obligatoire", "transmettre")
    claim, presented = sent[-1].body, sent[3].body
    assert b"Envelope" not in claim
    assert told.amounts["engagement"].encode() in claim
    invoice = presented.split(b"NumeroFacture>")[1].partition(b"<")[0]
    assert b"NumeroFacture>" + invoice + b"<" in claim


def test_what_the_software_computes_itself_has_no_commitment(partners: Sandbox, sent: list[Letter]) -> None:
    assert act(partners, "droits-ouverts", "transmettre").outcome == "accepted"
    assert kinds(sent)[-1] == "DRE"
    assert b"NumeroEngagement" not in sent[-1].body


@pytest.mark.parametrize(("amc", "shown"), [("0099999999", "01"), ("0099990020", "03")])
def test_a_refusal_of_the_directory_ends_the_errand(
    partners: Sandbox, sent: list[Letter], amc: str, shown: str
) -> None:
    told = act(partners, "droits-ouverts", "droits", numero_amc=amc, IDB=partners.endpoints()["IDB"])
    assert (told.outcome, told.message[:2], kinds(sent)) == ("refused", shown, ["ADR"])


def test_a_directory_that_does_not_answer_is_asked_again_then_stops_it(partners: Sandbox, sent: list[Letter]) -> None:
    told = act(partners, "droits-ouverts", "droits", ADR=NOWHERE)
    assert (told.outcome, kinds(sent)) == ("stopped", ["ADR", "ADR"])


def test_an_address_that_is_not_given_is_said(partners: Sandbox) -> None:
    told = act(partners, "droits-ouverts", "droits", deviation("skip-directory"))
    assert (told.outcome, "IDB" in told.message) == ("failed", True)


def test_it_may_call_a_configured_address(partners: Sandbox, sent: list[Letter]) -> None:
    assert act(partners, "droits-ouverts", "droits", deviation("skip-directory"), IDB=NOWHERE).outcome == "stopped"
    assert kinds(sent) == ["IDB", "IDB"]
    sent.clear()
    assert act(partners, "droits-ouverts", "droits", deviation("keep-address", "IDB"), IDB=NOWHERE).outcome == "stopped"
    assert [(letter.service.kind, letter.url) for letter in sent[1:]] == [("IDB", NOWHERE)] * 2


def test_it_may_take_another_address(partners: Sandbox, sent: list[Letter]) -> None:
    own = deviation("take-address", at="concat(//adresse/valeur, '-', $request//code_service)")
    act(partners, "droits-ouverts", "droits", own)
    assert sent[1].url == partners.endpoints()["IDB"] + "-IDB"


def test_it_may_ignore_a_refusal_of_the_directory(partners: Sandbox, sent: list[Letter]) -> None:
    address = partners.endpoints()["IDB"]
    for fault, called in (
        (deviation("ignore-directory-refusal"), 2),
        (deviation("ignore-directory-refusal", at="//resultat/code = '01'"), 2),
        (deviation("ignore-directory-refusal", at="//resultat/code = '02'"), 1),
    ):
        sent.clear()
        act(partners, "droits-ouverts", "droits", fault, IDB=address, numero_amc="0099999999")
        assert len(sent) == called


def test_it_may_look_everything_up_first(partners: Sandbox, sent: list[Letter]) -> None:
    assert act(partners, "clc-obligatoire", "transmettre", deviation("ask-ahead")).outcome == "accepted"
    assert kinds(sent) == ["ADR", "ADR", "ADR", "IDB", "CLC", "DRE"]


def test_it_may_stop_before_the_claim_or_claim_unbidden(partners: Sandbox, sent: list[Letter]) -> None:
    told = act(partners, "clc-obligatoire", "transmettre", deviation("stop-before", "DRE", kind="DRE"))
    assert (told.outcome, "DRE" in kinds(sent)) == ("accepted", False)
    sent.clear()
    told = act(partners, "droits-clos", "transmettre", deviation("go-on", "DRE", kind="DRE"))
    assert (told.outcome, kinds(sent)) == ("refused", ["ADR", "IDB", "ADR", "DRE"])


def test_it_may_say_and_show_what_it_likes(partners: Sandbox) -> None:
    told = act(
        partners,
        "clc-obligatoire",
        "facturer",
        deviation("tell", name="total_amc", value="1.00"),
        deviation("show-at", "CLC", at="concat('lu : ', //com:Code)"),
    )
    assert (told.amounts["total_amc"], told.message) == ("1.00", "lu : 00")


def test_a_route_may_be_taken_for_another_reason(partners: Sandbox) -> None:
    taken = deviation("take-route", "IDB", route="idb-calcul", at="//com:Code = '03'")
    assert act(partners, "droits-clos", "droits").outcome == "refused"
    assert act(partners, "droits-clos", "droits", taken).outcome == "accepted"


def test_a_server_of_another_authority_gets_nothing_unless_the_software_is_careless(
    partners: Sandbox, tmp_path: Path
) -> None:
    class Strange(TestPki):
        """Our own keys, and another authority that is believed."""

        @property
        def authority(self) -> Path:
            return ensure(tmp_path / "pki").authority

        def anchors(self) -> Anchors:
            return partners.pki.anchors()

    values = {**ANNUAIRE.profiles[0].values, "lps_autorisation": "POINCON-0001", "action": "adresse"}
    person = load_behaviour(ANNUAIRE).population.pool("adresses-connues")[0].values
    stimulus = Stimulus({**values, **person}, partners.endpoints())
    keys = Strange(partners.pki.folder)
    assert robot_of(ANNUAIRE, keys, Plan()).act(stimulus).outcome == "stopped"
    assert robot_of(ANNUAIRE, keys, Plan([deviation("trust-any-server")])).act(stimulus).outcome == "accepted"


def test_a_software_may_only_look_addresses_up(partners: Sandbox, sent: list[Letter]) -> None:
    values = {**ANNUAIRE.profiles[0].values, "lps_autorisation": "POINCON-0001", "action": "adresse"}
    for pool, outcome, shown in (
        ("adresses-connues", "accepted", partners.endpoints()["IDB"]),
        ("amc-inconnue", "refused", "01"),
    ):
        person = load_behaviour(ANNUAIRE).population.pool(pool)[0].values
        told = robot_of(ANNUAIRE, partners.pki, Plan()).act(
            Stimulus({**values, **person}, {"ADR": partners.endpoints()["ADR"]})
        )
        assert (told.outcome, told.message[: len(shown)]) == (outcome, shown)


def test_a_criterion_that_the_attestation_has_not_is_left_out(partners: Sandbox, sent: list[Letter]) -> None:
    values = {**ANNUAIRE.profiles[0].values, "lps_autorisation": "POINCON-0001", "action": "adresse"}
    person = load_behaviour(ANNUAIRE).population.pool("sans-critere")[0].values
    robot_of(ANNUAIRE, partners.pki, Plan()).act(Stimulus({**values, **person}, {"ADR": partners.endpoints()["ADR"]}))
    assert b"code_csr" not in sent[0].body


def test_a_claim_without_return_is_sent_again_as_it_was(partners: Sandbox, sent: list[Letter]) -> None:
    given = {kind: url for kind, url in partners.endpoints().items() if kind != "ADR"}
    person = load_behaviour(VILLE).population.pool("clc-obligatoire")[0].values
    data = {**VALUES, **person, "action": "transmettre"}
    told = robot_of(VILLE, partners.pki, Plan()).act(Stimulus(data, {**given, "DRE": NOWHERE}))
    assert (told.outcome, kinds(sent)) == ("stopped", ["IDB", "CLC", "DRE", "DRE"])
    assert sent[-1].body == sent[-2].body


def test_a_claim_may_go_through_a_folder(partners: Sandbox, sent: list[Letter], tmp_path: Path) -> None:
    (tmp_path / "retour").mkdir()
    conduct = load_software(VILLE).conduct
    hurried = replace(load_software(VILLE), conduct=replace(conduct, waits=0.2, retries=0))
    given = {kind: url for kind, url in partners.endpoints().items() if kind != "ADR"}
    person = load_behaviour(VILLE).population.pool("droits-ouverts")[0].values
    robot = Robot(hurried, robot_of(VILLE, partners.pki, Plan()).means, Plan())
    told = robot.act(Stimulus({**VALUES, **person, "action": "transmettre"}, {**given, "DRE": tmp_path.as_uri()}))
    assert told.outcome == "stopped"
    (claim,) = tmp_path.glob("*.xml")
    assert claim.read_bytes() == sent[-1].body
