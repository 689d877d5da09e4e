"""junit.xml and Allure results: what keeps a run from being conforme is red in a CI server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from harness.record import CaseVerdict, Counts, Verdicts
from reports.allure import write_allure
from reports.junit import junit, write_junit
from tests.reports.reports_samples import failing, passing, subject, verdicts

SNAPSHOT = Path(__file__).with_name("junit.snapshot.xml")
SKIPPED = CaseVerdict("C", "S", "not_run", ("ESS-001",), reason="le réseau ne répond plus")


def suite_of(told: Verdicts) -> etree._Element:
    suite = etree.fromstring(junit(subject(told))).find("testsuite")
    assert suite is not None
    return suite


def test_the_file_is_the_one_that_was_approved(tmp_path: Path) -> None:
    assert write_junit(subject(), tmp_path / "junit.xml").read_bytes() == SNAPSHOT.read_bytes().replace(b"\r\n", b"\n")


def test_a_conforme_run_is_green() -> None:
    suite = suite_of(passing())
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (
        "7",
        "0",
        "0",
        "0",
    )


def test_each_state_has_its_mark() -> None:
    suite = suite_of(failing())
    assert len(suite.findall("testcase/failure[@type='fail']")) == 2
    assert len(suite.findall("testcase/error[@type='inconclusive']")) == 1
    assert len(suite.findall("testcase/skipped")) == 1


def test_a_run_that_executed_nothing_is_red() -> None:
    suite = suite_of(verdicts("inconclusive", Counts(not_run=1), (SKIPPED,)))
    assert suite.get("errors") == "1"
    assert suite.find("testcase/error[@type='nothing-tested']") is not None


def test_an_empty_run_is_red() -> None:
    assert suite_of(verdicts("inconclusive", Counts(), ())).get("errors") == "1"


def test_a_partial_run_without_any_failure_is_red() -> None:
    done = CaseVerdict("D", "S", "pass", ("ESS-001",))
    suite = suite_of(verdicts("inconclusive", Counts(passed=1, not_run=1), (done, SKIPPED)))
    assert suite.find("testcase/error[@type='partial']") is not None


def test_a_case_that_did_not_pass_and_has_no_finding_is_red() -> None:
    bare = CaseVerdict("D", "S", "error", ("ESS-001",), reason="le contrôle a échoué")
    error = suite_of(verdicts("error", Counts(error=1), (bare,))).find("testcase/error")
    assert error is not None
    assert error.get("message") == "le contrôle a échoué"


def test_allure_results_tell_each_case_with_its_labels_and_exchanges(tmp_path: Path) -> None:
    pytest.importorskip("allure_commons")
    folder = write_allure(subject(), tmp_path / "allure")
    results = [json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*-result.json")]
    by_name = {result["fullName"].rsplit(":", 1)[-1]: result for result in results}
    assert len(by_name) == 7
    broken = by_name["ESS-S-002@MED"]
    assert broken["status"] == "failed"
    labels = {(label["name"], label["value"]) for label in broken["labels"]}
    assert {("norm", "essai/1.0"), ("requirement", "ESS-002"), ("profile", "MED"), ("severity", "blocker")} <= labels
    assert by_name["ESS-S-003@MED"]["status"] == "broken"
    assert by_name["ESS-S-005@MED"]["status"] == "skipped"
    names = [attachment["source"] for attachment in broken["steps"][0]["attachments"]]
    assert len(names) == 2
    shown = "".join((folder / name).read_text(encoding="utf-8") for name in names)
    assert "<q:Code>99</q:Code>" in shown
    assert "1090763220834" not in shown
    assert "motdepasse-secret" not in shown
