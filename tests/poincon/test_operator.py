"""A person in the place of a driver: what he reads, what he may answer, and what becomes of it in a real run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from front_doors import Call, Practice

from harness.driver import FORMAT, Outcome, Stimulus
from harness.record import Verdicts
from norms.loader import load
from poincon.conduct import Campaign, campaign_of
from poincon.guided import RunStopped, run_guided
from poincon.operator import Operator
from poincon.practice import practice_declaration
from poincon.software import robot_of
from poincon.stimulus_card import Cards
from sandbox import robot
from sandbox.plan import Plan

NOW = "2026-11-20T09:31:02.000Z"
ENDPOINTS = {"IDB": "https://localhost:8443/s/abc/idb"}
DONE, ENDING, SHOWN, AMOUNTS, WHY = "c'est fait ·", "Comment cela finit-il", "Message affiché", "Montants", "Pourquoi"


class Person:
    """Who reads the screen: answers the last question by its words. A word that is called acts first."""

    def __init__(self, **answers: str | Callable[[], str]) -> None:
        self.answers, self.text = answers, ""
        self.tired = 40

    def write(self, text: str) -> None:
        self.text += text

    def read(self) -> str:
        self.tired -= 1
        lines = [line for line in self.text.splitlines() if line.strip("> ")]
        questions = {"done": DONE, "ending": ENDING, "shown": SHOWN, "amounts": AMOUNTS, "why": WHY}
        asked = next((name for name, words in questions.items() if words in lines[-1]), "done")
        answer = self.answers.get(asked, "")
        said = answer if isinstance(answer, str) else answer()
        return "" if self.tired < 0 or said == "gone" else f"{said}\n"


@pytest.fixture(scope="module")
def campaign(practice: Practice, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    sut = tmp_path_factory.mktemp("operator") / "sut.yaml"
    text = practice_declaration(load("ville/1.1"), {}, practice.pki, "client")
    text = text.replace('quiet: "3"', 'quiet: "0.2"').replace('exchange: "30"', 'exchange: "3"')
    sut.write_text(text[: text.index("driver:")] + text[text.index("reset:") :], encoding="utf-8")
    return campaign_of(sut)


def operator_of(campaign: Campaign, person: Person, seconds: float = 20.0) -> Operator:
    return Operator(Cards(campaign.norm, campaign.suite, campaign.declaration), person.read, person.write, seconds)


def stimulus(campaign: Campaign, scenario: str) -> Stimulus:
    case = next(case for case in campaign.suite.cases if case.id == scenario)
    return Stimulus(FORMAT, case.id, 1, "Interrogez les droits.", dict(case.bindings), ENDPOINTS)


def asked(campaign: Campaign, person: Person, scenario: str = "VIL-C-001", *, arrives: bool = True) -> Outcome:
    """One stimulus; while the person reads the card, a request arrives."""
    made = operator_of(campaign, person)
    key = person.answers.get("done", "")

    def once() -> str:
        if arrives:
            made.arrived(scenario, "IDB", NOW, "")
        person.answers["done"] = "" if key in ("i", "d", "?", "x") else key
        return key if isinstance(key, str) else key()

    person.answers["done"] = once
    return made.act(stimulus(campaign, scenario))


def test_the_card_says_what_to_do_with_whom_and_where(campaign: Campaign) -> None:
    person = Person()
    outcome = asked(campaign, person)
    case = next(case for case in campaign.suite.cases if case.id == "VIL-C-001")
    assert outcome.report == "completed"
    for expected in (str(case.title), str(case.purpose), "Interrogez les droits.", ENDPOINTS["IDB"], "IDB reçu à "):
        assert expected in person.text
    for name in ("nir", "date_naissance", "numero_adherent"):
        assert case.bindings[name] in person.text
    assert "adresse" not in case.bindings and "numero_facture" not in person.text.split("LA PERSONNE")[1]


def test_the_screen_is_asked_for_only_where_the_page_judges_it(campaign: Campaign) -> None:
    without, with_it = Person(), Person(ending="r", shown="Refus 03", amounts="total_amc=9,00 reste=0")
    assert asked(campaign, without).told.outcome == "" and ENDING not in without.text
    judged = next(
        case.id for case in campaign.suite.cases for step in case.steps[:3] for each in step.expect
        if each.check == "outcome" and case.steps[0].stimulus
    )  # fmt: skip
    told = asked(campaign, with_it, judged).told
    assert (told.outcome, told.shown, told.amounts) == ("refused", "Refus 03", {"total_amc": "9.00", "reste": "0"})


def test_the_screen_can_always_be_told(campaign: Campaign) -> None:
    assert asked(campaign, Person(done="e", ending="s")).told.outcome == "stopped"
    assert asked(campaign, Person(done="e", ending="p")).told.outcome == ""


@pytest.mark.parametrize(("key", "shown"), [("i", "À FAIRE"), ("d", "AUTRES VALEURS"), ("?", "passer ce cas")])
def test_what_may_be_read_again(campaign: Campaign, key: str, shown: str) -> None:
    person = Person(done=key)
    assert asked(campaign, person).report == "completed"
    assert person.text.count(shown) == (2 if key == "i" else 1)


def test_a_wrong_key_does_nothing_but_show_the_right_ones(campaign: Campaign) -> None:
    person = Person(done="x")
    assert asked(campaign, person).report == "completed"
    assert "« x » n'est pas une des touches" in person.text


def test_an_enter_too_many_declares_nothing_done(campaign: Campaign) -> None:
    person = Person(done=iter(["", "gone"]).__next__)
    outcome = operator_of(campaign, person).act(stimulus(campaign, "VIL-C-001"))
    assert "Rien n'est encore arrivé" in person.text and outcome.skipped


def test_a_case_that_is_skipped_says_why(campaign: Campaign) -> None:
    outcome = asked(campaign, Person(done="p", why="pas de lecteur de carte"))
    assert outcome.skipped and outcome.message == "passé par l'opérateur : pas de lecteur de carte"


def test_who_says_nothing_gives_up_the_case_and_not_the_run(campaign: Campaign) -> None:
    silence = threading.Event()
    person = Person(done=lambda: str(silence.wait(20)))
    outcome = operator_of(campaign, person, 0.2).act(stimulus(campaign, "VIL-C-001"))
    silence.set()
    assert (outcome.report, outcome.skipped) == ("failed", False) and "n'a rien dit" in outcome.message


def test_what_cannot_be_read_is_shown_as_such(campaign: Campaign) -> None:
    person = Person()
    operator_of(campaign, person).arrived("VIL-C-001", "", NOW, "pas du XML \x1b[2J")
    assert "un message que la norme ne connaît pas" in person.text and "\x1b" not in person.text


class Practised(Person):
    """A person whose product is the practice software: it acts when the person is asked whether it is done."""

    def __init__(self, campaign: Campaign, practice: Practice, stops_at: int = 0, **answers: str) -> None:
        super().__init__(done=self._acts, **answers)
        self.tired, self._stops_at, self._count = 400, stops_at, 0
        self._robot = robot_of(campaign.norm, practice.pki, Plan([], []))
        self.operator = operator_of(campaign, self)
        self.operator.act = self._noting(self.operator.act)  # type: ignore[method-assign]

    def _noting(self, act: Callable[[Stimulus], Outcome]) -> Callable[[Stimulus], Outcome]:
        def noting(stimulus: Stimulus) -> Outcome:
            self.stimulus = stimulus
            return act(stimulus)

        return noting

    def _acts(self) -> str:
        self._count += 1
        if self._count == self._stops_at:
            return "q"
        told = self._robot.again().act(robot.Stimulus(self.stimulus.data, self.stimulus.endpoints))
        self.answers |= {"ending": told.outcome[0], "shown": told.message}
        return "e"


def verdicts(folder: Path) -> Verdicts:
    return msgspec.json.decode((folder / "verdicts.json").read_bytes(), type=Verdicts)


SOME = "VIL-C-001 VIL-C-002 VIL-C-003"


def test_a_run_with_a_person_passes_as_with_a_driver(campaign: Campaign, practice: Practice, tmp_path: Path) -> None:
    person = Practised(campaign, practice)
    result = run_guided(campaign, tmp_path / "run", select=SOME, jobs=4, operator=person.operator)
    assert [case.verdict for case in result.verdicts.cases if case.verdict != "not_run"] == ["pass"] * 3
    assert "Cas 3 sur 3" in person.text and "= VIL-C-002 : conforme" in person.text
    assert person.text.count("ADRESSES") == 1, "one address for the whole run"
    assert person.text.index("= VIL-C-001") < person.text.index("Cas 2 sur 3")


def test_who_skips_every_case_passes_none(campaign: Campaign, tmp_path: Path) -> None:
    person = Person(done="p", why="non")
    result = run_guided(campaign, tmp_path / "run", select=SOME, operator=operator_of(campaign, person))
    reasons = {case.verdict: case.reason for case in result.verdicts.cases if case.id in SOME.split()}
    assert (result.exit_code, reasons) == (3, {"not_run": "passé par l'opérateur : non"})


def test_who_says_done_and_did_nothing_passes_none(campaign: Campaign, tmp_path: Path) -> None:
    person = Person(ending="a", done="e")
    result = run_guided(campaign, tmp_path / "run", select=SOME, operator=operator_of(campaign, person))
    assert (result.exit_code, result.verdicts.counts.passed) == (3, 0)


def test_a_case_skipped_after_its_message_came_does_not_pass(
    campaign: Campaign, practice: Practice, tmp_path: Path
) -> None:
    person = Practised(campaign, practice)
    acts = person._acts
    person.answers["done"] = lambda: "p" if acts() else ""
    result = run_guided(campaign, tmp_path / "run", select="VIL-C-001", operator=person.operator)
    assert (result.exit_code, result.verdicts.counts.passed) == (3, 0)
    assert "IDB reçu à" in person.text


def test_who_stops_can_go_on(campaign: Campaign, practice: Practice, tmp_path: Path) -> None:
    person = Practised(campaign, practice, stops_at=2)
    with pytest.raises(RunStopped, match="--resume") as stopped:
        run_guided(campaign, tmp_path / "run", select=SOME, operator=person.operator)
    assert stopped.value.exit_code == 3 and not (tmp_path / "run" / "verdicts.json").exists()
    again = Practised(campaign, practice)
    result = run_guided(campaign, tmp_path / "run", select=SOME, resume=True, operator=again.operator)
    assert result.verdicts.counts.passed == 3
    assert "Cas 2 sur 2" in again.text and "1 cas déjà faits sont gardés" in again.text


def test_without_a_driver_and_without_a_terminal_nothing_starts(
    campaign: Campaign, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    told = call("run", "--sut", campaign.declaration.file, "--out", tmp_path / "run")
    assert told.code == 2 and "pilote (driver)" in told.err and "terminal" in told.err
    assert not (tmp_path / "run").exists()
