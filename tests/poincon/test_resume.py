"""A run killed in the middle is resumed by `poincon run --resume`: every case once, the verdicts of an unbroken run."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from front_doors import Call, Practice

CASE = b'"event":"case"'
LIMIT = 60.0


def case_lines(folder: Path) -> list[bytes]:
    """Return the whole lines of the journal that end a case."""
    try:
        content = (folder / "journal.jsonl").read_bytes()
    except FileNotFoundError:
        return []
    return [line for line in content.splitlines(keepends=True) if CASE in line and line.endswith(b"\n")]


def events(folder: Path, name: str) -> list[dict[str, object]]:
    entries = map(msgspec.json.decode, (folder / "journal.jsonl").read_bytes().splitlines())
    return [entry for entry in entries if entry["event"] == name]


@pytest.fixture(scope="module")
def sut(practice: Practice, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return practice.declared(tmp_path_factory.mktemp("declaration") / "sut.yaml", "annuaire/1.0")


@pytest.fixture(scope="module")
def unbroken(practice: Practice, sut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("unbroken")
    told = practice.run(["run", "--sut", sut, "--out", where / "run"], where)
    assert told.code == 0, told
    return where / "run"


def killed_after(number: int, practice: Practice, argv: Sequence[str | Path], folder: Path) -> None:
    """Start a run and kill it as soon as `number` cases are acknowledged in its journal."""
    process = subprocess.Popen(
        [sys.executable, "-m", "poincon", *map(str, argv)],
        cwd=folder.parent,
        env=practice.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + LIMIT
    while len(case_lines(folder)) < number:
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.kill()
    assert process.wait(LIMIT) not in (0, 1, 2, 3, 4)


@pytest.mark.parametrize("number", [1, 20, 45])
def test_a_killed_run_is_resumed(
    number: int, practice: Practice, sut: Path, unbroken: Path, call: Call, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    argv: list[str | Path] = ["run", "--sut", sut, "--out", folder]
    killed_after(number, practice, argv, folder)
    acknowledged = case_lines(folder)
    total = len(case_lines(unbroken))
    assert number <= len(acknowledged) < total
    assert not (folder / "run.json").exists()

    early = call("certify", folder)
    assert early.code == 1
    assert not (folder / "certificate.xml").exists(), "an interrupted run certifies nothing"

    told = call(*argv, "--resume")
    assert told.code == 0, told
    lines = case_lines(folder)
    assert lines[: len(acknowledged)] == acknowledged, "what was acknowledged stays as it was"
    cases = [entry["case"] for entry in events(folder, "case")]
    assert len(cases) == len(set(cases)) == total
    assert set(cases) == {entry["case"] for entry in events(unbroken, "case")}
    assert len(events(folder, "run-resumed")) == 1
    assert (folder / "verdicts.json").read_bytes() == (unbroken / "verdicts.json").read_bytes()
    assert call("rejudge", folder).code == 0
    assert call("certify", folder).code == 0


def test_a_run_killed_twice(practice: Practice, sut: Path, unbroken: Path, call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    argv: list[str | Path] = ["run", "--sut", sut, "--out", folder]
    killed_after(3, practice, argv, folder)
    killed_after(len(case_lines(folder)) + 3, practice, [*argv, "--resume"], folder)
    assert call(*argv, "--resume").code == 0
    assert len(events(folder, "run-resumed")) == 2
    cases = [entry["case"] for entry in events(folder, "case")]
    assert len(cases) == len(set(cases)) == len(case_lines(unbroken))
    assert (folder / "verdicts.json").read_bytes() == (unbroken / "verdicts.json").read_bytes()
    assert call("rejudge", folder).code == 0
