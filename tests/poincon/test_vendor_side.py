"""The vendor's side, whole: declaration, driver, `poincon run`, verdict. One honest product, four that are not."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from front_doors import Practice

from harness.record import Verdicts
from norms.loader import load
from poincon.practice import practice_declaration

LPS = Path(__file__).with_name("lps.py")


def verdicts_of(practice: Practice, folder: Path, behaviour: str) -> tuple[int, Verdicts]:
    text = practice_declaration(load("ville/1.1"), {}, practice.pki, "client")
    command = f'"{sys.executable}" "{LPS.as_posix()}" "{practice.pki.folder.as_posix()}" {behaviour}'
    text = text.replace('command: "python pilote.py"', f"command: '{command}'").replace('quiet: "3"', 'quiet: "0.5"')
    sut = folder / "sut.yaml"
    sut.write_text(text.replace('exchange: "30"', 'exchange: "3"'), encoding="utf-8")
    told = practice.run(["run", "--sut", sut, "--out", folder / "run"], folder)
    assert "Traceback" not in told.err, told.err
    return told.code, msgspec.json.decode((folder / "run" / "verdicts.json").read_bytes(), type=Verdicts)


def test_an_honest_product_passes(practice: Practice, tmp_path: Path) -> None:
    code, verdicts = verdicts_of(practice, tmp_path, "honest")
    assert (code, verdicts.verdict, verdicts.counts.passed) == (0, "pass", len(verdicts.cases))
    assert verdicts.cases


def test_a_product_that_does_nothing_was_not_observed(practice: Practice, tmp_path: Path) -> None:
    code, verdicts = verdicts_of(practice, tmp_path, "silent")
    assert (code, verdicts.counts.passed) == (3, 0)
    assert {case.verdict for case in verdicts.cases} == {"inconclusive"}


@pytest.mark.parametrize(
    ("behaviour", "requirement"),
    [("wrong-identity", "SOC-LPS-005"), ("goes-on", "VIL-LPS-008"), ("unsigned", "SOC-LPS-003")],
)
def test_a_fault_of_the_product_is_found_at_its_requirement(
    practice: Practice, tmp_path: Path, behaviour: str, requirement: str
) -> None:
    code, verdicts = verdicts_of(practice, tmp_path, behaviour)
    assert code == 1
    cited = {finding.requirement for case in verdicts.cases for finding in case.findings if finding.verdict == "fail"}
    assert cited == {requirement}
