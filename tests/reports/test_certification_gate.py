"""The certification gate: it opens for a complete, conforme, intact run and for nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from harness.folder import SutRecord
from harness.record import CaseVerdict, Counts
from norms.model import Claim, Withdrawal
from reports.gate import Facts, reasons
from tests.reports.reports_samples import CASES, failing, finding, norm, passing, suite, verdicts

SUT = SutRecord(
    format="poincon/sut/1",
    vendor="Éditeur",
    name="Serveur AMC",
    version="4.2.1",
    norm="essai/1.0",
    role="server",
    profiles=("MED",),
    endpoints={},
    ics={"ICS-ASK": "yes", "ICS-SIG": "no"},
    ixit={},
    identities={},
    certification=True,
    exchange_seconds=10.0,
)
SOURCE = "77" * 32
GOOD = Facts(
    partial=False,
    stopped="",
    sut=SUT,
    suite=suite(source=SOURCE),
    verdicts=passing(),
    taken=frozenset(case.id for case in CASES),
    current=norm(),
    source=SOURCE,
    rejudged=True,
    today=date(2026, 11, 21),
)


def refused(**changes: Any) -> str:
    facts = Facts(**{**{name: getattr(GOOD, name) for name in Facts.__dataclass_fields__}, **changes})
    return "\n".join(reasons(facts))


def told(*cases: CaseVerdict, **counts: int) -> Any:
    """Verdicts with the sample's own cases replaced by id."""
    changed = {case.id: case for case in cases}
    all_cases = tuple(changed.get(case.id, case) for case in passing().cases)
    return verdicts("pass", Counts(**{"passed": 7, "not_selected": 1, **counts}), all_cases)


def test_the_gate_opens_for_a_complete_conforme_run() -> None:
    assert refused() == ""


def test_remarks_keep_nobody_out() -> None:
    remark = finding("ESS-003", "remark", "SUT", "ESS-S-004@MED")
    case = CaseVerdict("ESS-S-004@MED", "ESS-S-004", "pass", ("ESS-003",), (remark,), 1)
    assert refused(verdicts=told(case)) == ""


def test_a_case_that_no_authority_allows_is_left_out_with_its_reason() -> None:
    case = CaseVerdict("ESS-S-005@MED", "ESS-S-005", "not_run", ("ESS-004",), reason="l’autorité n’émet pas de faux")
    assert refused(verdicts=told(case, passed=6, not_run=1)) == ""


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rejudged": False}, "Jugées de nouveau"),
        ({"partial": True}, "partiel"),
        ({"stopped": "Le produit n’a pas répondu"}, "interrompu"),
        ({"relayed": 3}, "Échanges relayés : 3."),
        ({"sut": msgspec.structs.replace(SUT, certification=False)}, "essai sans certification"),
        ({"current": None}, "n’est pas installée"),
        ({"current": norm(revision="3")}, "la révision en cours est 3"),
        ({"current": norm(digest="00" * 32)}, "ont changé depuis le passage, sans nouvelle révision"),
        ({"source": "00" * 32}, "scénarios de la norme ont changé"),
        ({"current": norm(status="withdrawn")}, "retirée"),
        ({"current": norm(valid_to="2026-11-20")}, "pas en vigueur"),
        ({"current": norm(valid_from="2027-01-01")}, "pas en vigueur"),
        ({"sut": msgspec.structs.replace(SUT, ics={"ICS-ASK": "yes"})}, "ne répond pas à ICS-SIG"),
        ({"sut": msgspec.structs.replace(SUT, ics={})}, "ne répond pas à ICS-ASK"),
        ({"sut": msgspec.structs.replace(SUT, ics={"ICS-ASK": "no", "ICS-SIG": "no"})}, "répond non à ICS-ASK"),
        ({"sut": msgspec.structs.replace(SUT, profiles=())}, "aucun profil"),
        ({"suite": suite(digest="00" * 32, source=SOURCE)}, "ne sont pas ceux de la suite"),
        ({"suite": suite(CASES[:-1], source=SOURCE)}, "d’aucun cas de la suite"),
        ({"taken": frozenset()}, "n’ont pas eu leur tour"),
        ({"verdicts": failing()}, "Cas non conformes : 2."),
        ({"verdicts": failing()}, "Cas non concluants : 1."),
        ({"verdicts": told(passed=8)}, "Les totaux du passage"),
        ({"verdicts": msgspec.structs.replace(passing(), verdict="inconclusive")}, "n’est pas « conforme »"),
    ],
)
def test_the_gate_says_why_it_stays_closed(change: dict[str, Any], sentence: str) -> None:
    assert sentence in refused(**change)


@pytest.mark.parametrize(
    ("case", "counts", "sentence"),
    [
        (
            CaseVerdict("ESS-S-005@MED", "S", "error", ("ESS-004",)),
            {"passed": 6, "error": 1},
            "Incidents du laboratoire : 1.",
        ),
        (CaseVerdict("ESS-S-005@MED", "S", "not_run", ("ESS-004",)), {"passed": 6, "not_run": 1}, "sans raison"),
        (CaseVerdict("ESS-S-005@MED", "S", "pass", ("ESS-004",), checked=0), {}, "sans que rien ait été contrôlé"),
        (
            CaseVerdict(
                "ESS-S-005@MED", "S", "pass", ("ESS-004",), (finding("ESS-004", "fail", "SUT", "ESS-S-005@MED"),), 1
            ),
            {},
            "sans que rien ait été contrôlé",
        ),
    ],
)
def test_a_case_that_proves_nothing_keeps_the_gate_closed(
    case: CaseVerdict, counts: dict[str, int], sentence: str
) -> None:
    assert sentence in refused(verdicts=told(case, **counts))


def test_a_missing_case_keeps_the_gate_closed() -> None:
    short = verdicts("pass", Counts(passed=6, not_selected=1), passing().cases[:-1])
    assert "n’ont pas eu leur tour" in refused(verdicts=short)


def test_a_run_in_which_nothing_passed_is_refused() -> None:
    assert "Aucun cas" in refused(suite=suite((), source=SOURCE), verdicts=verdicts("pass", Counts(), ()))


def test_every_claim_that_the_norm_has_or_inherits_wants_an_answer() -> None:
    inherited = Claim("ICS-COM", "Le produit est-il à l’heure ?", "optional", ())
    assert "ICS-COM" in refused(current=norm(claims=(*norm().claims, inherited)))


def test_a_norm_that_is_used_may_be_withdrawn_and_a_publication_altered() -> None:
    parent = norm(id="commun", withdrawal=Withdrawal(date="2026-11-20", reason="Remplacée."))
    assert "commun/1.0 est retirée depuis le 2026-11-20 : Remplacée." in refused(current=norm(parents=(parent,)))
    assert "a changé : requirements.csv" in refused(altered="La norme essai/1.0 a changé : requirements.csv (modifié).")
