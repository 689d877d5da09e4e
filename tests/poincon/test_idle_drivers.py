"""A driver that calls nothing earns nothing: neither one that is idle nor one that says all went well."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from front_doors import Practice

from harness.record import Verdicts
from norms.loader import load
from poincon.practice import practice_declaration

SAYS = 'import sys; sys.stdin.readline(); print(\'{"outcome": "%s", "message": "accord 00 03 LOG-01"}\')'
DRIVERS = {
    "does nothing and says it is done": SAYS % "completed",
    "always says accepted": SAYS % "accepted",
    "always says refused": SAYS % "refused",
    "always says stopped": SAYS % "stopped",
    "always says failed": SAYS % "failed",
    "ends at once": "pass",
    "hangs": "import time; time.sleep(60)",
    "floods": "while True: print('x' * 1000)",
}


def run(practice: Practice, folder: Path, program: str, *more: str | Path) -> tuple[int, Verdicts]:
    (folder / "driver.py").write_text(program, encoding="utf-8")
    text = practice_declaration(load("ville/1.1"), {}, practice.pki, "client")
    driver = f'driver: {{command: \'"{sys.executable}" -I -S driver.py\', timeout: "0.7"}}\n'
    text = text[: text.index("driver:")] + driver + text[text.index("reset:") :]
    (folder / "sut.yaml").write_text(text.replace('quiet: "3"', 'quiet: "0.1"'), encoding="utf-8")
    told = practice.run(["run", "--sut", "sut.yaml", "--out", "run", *more], folder)
    assert "Traceback" not in told.err, told.err
    return told.code, msgspec.json.decode((folder / "run" / "verdicts.json").read_bytes(), type=Verdicts)


@pytest.mark.parametrize("name", DRIVERS)
def test_nothing_observed_is_nothing_earned(practice: Practice, tmp_path: Path, name: str) -> None:
    code, verdicts = run(practice, tmp_path, DRIVERS[name], "--select", "VIL-C-001 VIL-C-002")
    assert (code, verdicts.counts.passed, verdicts.counts.inconclusive) == (3, 0, 2)


@pytest.mark.parametrize("name", ["does nothing and says it is done", "always says accepted"])
def test_of_the_whole_suite_every_case_is_not_observed(practice: Practice, tmp_path: Path, name: str) -> None:
    code, verdicts = run(practice, tmp_path, DRIVERS[name], "--jobs", "6")
    assert code == 3 and verdicts.verdict == "inconclusive"
    for case in verdicts.cases:
        if case.verdict != "not_run":
            assert (case.id, case.verdict, {finding.reason for finding in case.findings}) == (
                case.id, "inconclusive", {"not-observed"}
            )  # fmt: skip
    assert verdicts.counts.inconclusive > 20


def test_a_lie_is_told_as_one(practice: Practice, tmp_path: Path) -> None:
    _, verdicts = run(practice, tmp_path, DRIVERS["always says accepted"], "--select", "VIL-C-001")
    (found,) = next(case.findings for case in verdicts.cases if case.id == "VIL-C-001")
    assert found.actual == "le pilote annonce « accepted », mais rien de lisible n'est arrivé"
