"""`poincon run` and pytest: two front ends, one engine, the same verdicts byte for byte; and what Allure gets."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import pytest
from allure_commons import model2
from front_doors import CHECKOUT, Call, CompleteRun, Practice, Told

PYTEST = ("-m", "pytest", "-p", "no:cacheprovider")
STATUSES = {"passed", "failed", "broken", "skipped"}


@dataclass(frozen=True)
class PytestRun:
    """A suite run by pytest. folder: its run folder; results: its Allure results."""

    folder: Path
    results: Path
    told: Told

    @cached_property
    def allure(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(path.read_bytes()) for path in sorted(self.results.glob("*-result.json"))]


def run_pytest(practice: Practice, sut: Path, where: Path, *more: str) -> PytestRun:
    argv = ["scenarios/ville/1.1", f"--sut={sut}", f"--run-folder={where / 'run'}", f"--alluredir={where / 'allure'}"]
    told = practice.run([*argv, *more], CHECKOUT, PYTEST)
    return PytestRun(where / "run", where / "allure", told)


@pytest.fixture(scope="module")
def by_pytest(practice: Practice, complete_run: CompleteRun, tmp_path_factory: pytest.TempPathFactory) -> PytestRun:
    return run_pytest(practice, complete_run.sut, tmp_path_factory.mktemp("pytest"), "--run-jobs=2", "-vv")


@pytest.fixture(scope="module")
def amiss(practice: Practice, tmp_path_factory: pytest.TempPathFactory) -> PytestRun:
    """Three cases against a partner whose answers lack a header."""
    where = tmp_path_factory.mktemp("amiss")
    sut = practice.declared(where / "sut.yaml", world="without-relation")
    return run_pytest(practice, sut, where, "-k", "VIL-S-003 or VIL-S-005 or SOC-S-042")


def test_both_front_ends_write_the_same_verdicts(by_pytest: PytestRun, complete_run: CompleteRun) -> None:
    assert by_pytest.told.code == 0, by_pytest.told.out
    assert re.search(r"\b258 passed\b", by_pytest.told.out)
    verdicts = (complete_run.folder / "verdicts.json").read_bytes()
    assert (by_pytest.folder / "verdicts.json").read_bytes() == verdicts
    assert len(msgspec.json.decode(verdicts)["cases"]) == 258


def test_a_run_by_pytest_is_a_run(call: Call, by_pytest: PytestRun) -> None:
    assert call("rejudge", by_pytest.folder).code == 0
    assert call("certify", by_pytest.folder, "--out", "certificate.xml").code == 0
    for name in ("bilan.html", "junit.xml", "run.json"):
        assert (by_pytest.folder / name).is_file()


def test_every_case_is_an_item_below_its_page(by_pytest: PytestRun, complete_run: CompleteRun) -> None:
    items = re.findall(r"^(scenarios\S+)::(\S+) PASSED", by_pytest.told.out, re.MULTILINE)
    assert ("scenarios/ville/1.1/server/VIL-S-001.yaml", "VIL-S-001@MED") in items
    assert ("scenarios/socle/1.0/server/SOC-S-020.yaml", "SOC-S-020") in items
    assert {case for _, case in items} == {case.id for case in complete_run.verdicts.cases}


def test_pages_and_items_can_be_named(practice: Practice, complete_run: CompleteRun) -> None:
    server = "scenarios/ville/1.1/server"
    inherited = "scenarios/socle/1.0/server/SOC-S-020.yaml::SOC-S-020"
    argv = [f"{server}/VIL-S-003.yaml", f"{server}/VIL-S-001.yaml::VIL-S-001@CDS", inherited, "--sut", complete_run.sut]
    told = practice.run([*argv, "--collect-only"], CHECKOUT, PYTEST)
    assert told.code == 0, told
    assert [line.rpartition("::")[2] for line in told.out.splitlines() if "::" in line] == [
        "VIL-S-003",
        "VIL-S-001@CDS",
        "SOC-S-020",
    ]


def test_a_case_is_kept_once_whichever_folders_lead_to_it(practice: Practice, complete_run: CompleteRun) -> None:
    argv = ["scenarios/ville/1.1", "scenarios/socle/1.0", "--sut", complete_run.sut, "--collect-only"]
    told = practice.run(argv, CHECKOUT, PYTEST)
    assert told.code == 0, told
    names = [line.rpartition("::")[2] for line in told.out.splitlines() if "::" in line]
    assert sorted(names) == sorted(case.id for case in complete_run.verdicts.cases)


def test_a_selection_gives_a_partial_run(practice: Practice, complete_run: CompleteRun, tmp_path: Path) -> None:
    """Requirements and profiles are keywords as well."""
    by_keyword = run_pytest(practice, complete_run.sut, tmp_path, "-k", "VIL-S-003 or (VIL-IDB-001 and CDS)")
    assert by_keyword.told.code == 3, by_keyword.told.out
    run = msgspec.json.decode((by_keyword.folder / "run.json").read_bytes())
    assert run["partial"]
    assert (run["counts"]["pass"], run["counts"]["not_run"]) == (2, len(complete_run.verdicts.cases) - 2)
    assert [case["id"] for case in run["cases"] if case["verdict"] == "pass"] == ["VIL-S-001@CDS", "VIL-S-003"]


def test_a_failure_is_told_in_the_words_of_the_norm(amiss: PytestRun) -> None:
    assert amiss.told.code == 1, amiss.told.out
    assert re.search(r"2 failed, 1 passed", amiss.told.out)
    for text in (
        "VIL-S-003  non conforme",
        "Exigence  SOC-GEN-004",
        "Attendu   le rappel de",
        "Constaté  aucun rappel",
    ):
        assert text in amiss.told.out
    assert "Traceback" not in amiss.told.out
    assert "bilan : " in amiss.told.out


def test_inconclusive_has_its_letter(practice: Practice, mute: Path, tmp_path: Path) -> None:
    told = run_pytest(practice, mute, tmp_path, "-k", "VIL-S-003 or VIL-S-005").told
    assert told.code == 3, told.out
    assert re.search(r"^II\b", told.out, re.MULTILINE)
    assert "2 inconclusive" in told.out
    assert "En cause  le réseau ou la disponibilité du service" in told.out


def test_a_run_that_pytest_gives_up_ends_and_certifies_nothing(call: Call, practice: Practice, tmp_path: Path) -> None:
    sut = practice.declared(tmp_path / "sut.yaml", world="without-relation")
    stopped = run_pytest(practice, sut, tmp_path, "-x")
    assert stopped.told.code == 1, stopped.told
    assert "stopping after 1 failures" in stopped.told.out
    assert "Traceback" not in stopped.told.out + stopped.told.err
    assert not (stopped.folder / "run.json").exists()
    assert call("certify", stopped.folder).code == 1


def test_without_a_declaration_the_plugin_stays_out_of_the_way(practice: Practice, tmp_path: Path) -> None:
    """It is loaded wherever Poinçon is installed: other projects' tests must not notice, even the broken ones."""
    (tmp_path / "test_broken.py").write_text("def test_it(:\n", encoding="utf-8")
    told = practice.run(["scenarios/ville/1.1", tmp_path], CHECKOUT, PYTEST)
    assert told.code == 2
    assert "1 error" in told.out
    assert "VIL-S" not in told.out
    assert "Traceback" not in told.err + told.out


def test_a_wrong_declaration_is_one_sentence(practice: Practice, tmp_path: Path) -> None:
    (tmp_path / "sut.yaml").write_text("produit: {}\n", encoding="utf-8")
    told = practice.run(["scenarios/ville/1.1", "--sut", tmp_path / "sut.yaml"], CHECKOUT, PYTEST)
    assert told.code == 4
    assert "sut.yaml:1: La clé « produit » est inconnue" in told.err
    assert "Traceback" not in told.err + told.out


# -- Allure --------------------------------------------------------------------------------------------------


def rebuilt(result: dict[str, Any]) -> model2.TestResult:
    """Build the model of allure-python-commons from a result: an unknown field is a TypeError."""
    steps = [step(item) for item in result.pop("steps", [])]
    labels = [model2.Label(**label) for label in result.pop("labels")]
    attachments = [model2.Attachment(**item) for item in result.pop("attachments", [])]
    details = model2.StatusDetails(**result.pop("statusDetails", {}))
    return model2.TestResult(**result, steps=steps, labels=labels, attachments=attachments, statusDetails=details)


def step(item: dict[str, Any]) -> model2.TestStepResult:
    attachments = [model2.Attachment(**each) for each in item.pop("attachments", [])]
    steps = [step(each) for each in item.pop("steps", [])]
    return model2.TestStepResult(**item, steps=steps, attachments=attachments)


@pytest.fixture(params=["pytest --alluredir", "poincon report --format allure"])
def results(request: pytest.FixtureRequest, by_pytest: PytestRun, call: Call, tmp_path: Path) -> Path:
    if request.param.startswith("pytest"):
        return by_pytest.results
    folder = tmp_path / "allure"
    assert call("report", by_pytest.folder, "--format", "allure", "--out", folder).code == 0
    return folder


def test_allure_results_are_of_its_model(results: Path) -> None:
    seen = []
    for path in results.glob("*-result.json"):
        result = rebuilt(msgspec.json.decode(path.read_bytes()))
        seen.append(result.name.split()[0])
        labels: dict[str, list[str]] = {}
        for label in result.labels:
            labels.setdefault(label.name, []).append(label.value)
        assert result.status in STATUSES
        assert result.start <= result.stop
        assert labels["norm"] == ["ville/1.1"]
        assert labels["profile"][0] in {"MED", "CDS", "AUX", "SF"}
        assert all(requirement.startswith(("VIL-", "SOC-")) for requirement in labels["requirement"])
        assert result.steps, "every case of this suite has an exchange"
        for each in result.steps:
            assert each.attachments
            for attachment in each.attachments:
                assert (results / attachment.source).is_file()
    assert len(seen) == len(set(seen)) == 258


def test_allure_results_mask_identities(results: Path) -> None:
    nir = re.compile(r"[12]\d{2}(0[1-9]|1[0-2])(\d{2}|2[AB])\d{6}")
    for path in results.iterdir():
        for found in re.finditer(r"<com:Nir>([^<]*)</com:Nir>", path.read_text(encoding="utf-8")):
            assert not nir.fullmatch(found[1]), (path.name, found[1])


def test_allure_tells_a_failure(amiss: PytestRun) -> None:
    statuses = {result["name"].split()[0]: result["status"] for result in amiss.allure}
    assert statuses["SOC-S-042"] == "passed"
    assert statuses["VIL-S-003"] in ("failed", "broken")
    failed = next(result for result in amiss.allure if result["name"].startswith("VIL-S-003"))
    assert "SOC-GEN-004" in failed["statusDetails"]["message"] + failed["statusDetails"]["trace"]
    assert any(each["name"].startswith("SOC-GEN-004") for each in failed["steps"])


ALLURE = shutil.which("allure")


@pytest.mark.skipif(ALLURE is None, reason="no `allure` command here (npm install -g allure)")
def test_the_allure_command_reads_our_results(results: Path, tmp_path: Path) -> None:
    assert ALLURE is not None
    report = tmp_path / "report"
    subprocess.run(
        [ALLURE, "generate", str(results), "-o", str(report)], cwd=tmp_path, capture_output=True, check=True, timeout=90
    )
    assert (report / "index.html").is_file()
    said = "".join(path.read_text("utf-8") for path in report.rglob("*.json") if "summary" in path.name)
    assert re.search(r'"passed": *258\b', said)
