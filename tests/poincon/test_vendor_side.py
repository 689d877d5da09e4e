"""The vendor's side, whole: declaration, driver, `poincon run`, verdict. Two honest products, four that are not."""

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


def verdicts_of(practice: Practice, folder: Path, command: str, mode: str, *select: str) -> tuple[int, Verdicts]:
    text = practice_declaration(load("ville/1.1"), {}, practice.pki, "client")
    text = text.replace('command: "python pilote.py"', f"command: '{command}'").replace(
        "mode: one-shot", f"mode: {mode}"
    )
    text = text.replace('quiet: "3"', 'quiet: "0.5"').replace('exchange: "30"', 'exchange: "3"')
    sut = folder / "sut.yaml"
    sut.write_text(text, encoding="utf-8")
    told = practice.run(["run", "--sut", sut, "--out", folder / "run", *select], folder)
    assert "Traceback" not in told.err, told.err
    return told.code, msgspec.json.decode((folder / "run" / "verdicts.json").read_bytes(), type=Verdicts)


def of_product(practice: Practice, folder: Path, behaviour: str) -> tuple[int, Verdicts]:
    """One page, against a product of a few lines."""
    command = f'"{sys.executable}" "{LPS.as_posix()}" "{practice.pki.folder.as_posix()}" {behaviour}'
    return verdicts_of(practice, folder, command, "one-shot", "--select", "VIL-C-001")


def test_the_practice_software_passes_the_whole_suite_through_the_driver_protocol(
    practice: Practice, tmp_path: Path
) -> None:
    data = practice.pki.folder.parent.as_posix()
    command = f'"{sys.executable}" -m poincon sandbox robot ville/1.1 --data "{data}"'
    code, verdicts = verdicts_of(practice, tmp_path, command, "persistent")
    assert (code, verdicts.verdict, verdicts.counts.passed) == (0, "pass", len(verdicts.cases))
    assert len(verdicts.cases) > 20


def test_an_honest_product_passes(practice: Practice, tmp_path: Path) -> None:
    _, verdicts = of_product(practice, tmp_path, "honest")
    assert [case.verdict for case in verdicts.cases if case.id == "VIL-C-001"] == ["pass"]


def test_a_product_that_does_nothing_was_not_observed(practice: Practice, tmp_path: Path) -> None:
    code, verdicts = of_product(practice, tmp_path, "silent")
    assert (code, verdicts.counts.passed) == (3, 0)
    assert [case.verdict for case in verdicts.cases if case.id == "VIL-C-001"] == ["inconclusive"]


@pytest.mark.parametrize(
    ("behaviour", "requirement"),
    [("wrong-identity", "SOC-LPS-005"), ("goes-on", "VIL-LPS-008"), ("unsigned", "SOC-LPS-003")],
)
def test_a_fault_of_the_product_is_found_at_its_requirement(
    practice: Practice, tmp_path: Path, behaviour: str, requirement: str
) -> None:
    code, verdicts = of_product(practice, tmp_path, behaviour)
    assert code == 1
    cited = {finding.requirement for case in verdicts.cases for finding in case.findings if finding.verdict == "fail"}
    assert cited == {requirement}
