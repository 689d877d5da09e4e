"""A service for which only a client is tested: nothing of it in the server suite, all of it in the client's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from norms.errors import DataError
from norms.loader import load
from norms.model import Norm
from scenarios.derived import derivation
from scenarios.ledger import gap_text, ledger
from scenarios.reader import read_scenarios

NORM = Path(__file__).parent / "data" / "norms" / "jouet"
PAGE = """\
id: {id}
title: {{fr: "Un prêt"}}
role: {role}
purpose: {{fr: "Vérifier."}}
steps:
  - {step}: PRET
    expect:
      - {{requirement: {requirement}, check: valid}}
"""


@pytest.fixture
def loan_of_clients(tmp_path: Path) -> Norm:
    """The toy norm, whose loans are tested with role client only."""
    folder = tmp_path / "norms" / "jouet"
    shutil.copytree(NORM, folder)
    file = folder / "1.0" / "norm.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count("path: /jouet/pret\n") == 1
    file.write_text(text.replace("path: /jouet/pret\n", "path: /jouet/pret\n    roles: [client]\n"), encoding="utf-8")
    return load("jouet/1.0", [tmp_path / "norms"])


def test_no_case_of_the_server_suite_is_derived_for_it(toy: Norm, loan_of_clients: Norm) -> None:
    assert {case.steps[0].send for case in derivation(toy).cases} == {"PRET", "RENDU"}
    assert {case.steps[0].send for case in derivation(loan_of_clients).cases} == {"RENDU"}


def test_the_ledger_says_why_its_rules_have_no_case(toy: Norm, loan_of_clients: Norm) -> None:
    before, after = (
        {row.requirement: row for row in ledger(norm).rows if row.source == "rule"} for norm in (toy, loan_of_clients)
    )
    assert before["JOU-004"].negative and not before["JOU-004"].gap
    assert (after["JOU-004"].negative, after["JOU-004"].gap) == ("", "other-role")
    assert "aucun service" in gap_text("other-role")


def test_a_page_may_await_it_and_not_send_it(loan_of_clients: Norm, tmp_path: Path) -> None:
    def written(role: str, step: str, requirement: str) -> Path:
        name = f"JOU-{role[0].upper()}-001"
        file = tmp_path / role / "jouet" / "1.0" / role / f"{name}.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(PAGE.format(id=name, role=role, step=step, requirement=requirement), encoding="utf-8")
        return tmp_path / role

    (scenario,) = read_scenarios(loan_of_clients, [written("client", "await", "JOU-008")])
    assert scenario.steps[0].await_ == "PRET"
    with pytest.raises(DataError, match="PRET"):
        read_scenarios(loan_of_clients, [written("server", "send", "JOU-002")])
