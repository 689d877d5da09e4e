"""docs/ajouter-une-norme.md is true: its commands are carried out in their order, and answer what it shows.

A line that begins with `$` is carried out; the lines below it must stand in the answer in that order, `…` standing for
anything. What the page tells people to do by hand is done by the hidden line `<!-- fait: … -->` beside it; a hidden
`<!-- page: FILE -->` writes the block above it to that file.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from poincon.__main__ import main

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = (CHECKOUT / "docs" / "ajouter-une-norme.md").read_text(encoding="utf-8")
STEP = re.compile(r"```(?P<language>\w*)\n(?P<block>.*?)```|<!-- (?P<sort>fait|page): (?P<done>.*?) -->", re.DOTALL)
VARYING = re.compile(r"\d{4}-\d{2}-\d{2}|\b[0-9a-f]{64}\b")


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console block with the lines shown below it."""
    for piece in re.split(r"(?m)^\$ ", block)[1:]:
        command, *shown = piece.splitlines()
        yield command, [line for line in shown if line.strip("… ")]


def answers(said: str, shown: list[str], home: Path) -> str:
    """Return the first line shown that does not stand in what was said, "" when all do, in their order."""
    lines = iter(VARYING.sub("#", said.replace(str(home), "/labo")).splitlines())
    for line in shown:
        wanted = re.compile(".*".join(map(re.escape, VARYING.sub("#", line).split("…"))))
        if not any(wanted.fullmatch(re.sub(" {2,}", "  ", one).rstrip()) or wanted.fullmatch(one) for one in lines):
            return line
    return ""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POINCON_DATA", str(tmp_path / "laboratoire"))
    for name in ("POINCON_LANG", "POINCON_NORMS", "POINCON_SCENARIOS", "POINCON_AUTHORITY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def serve(command: str) -> tuple[subprocess.Popen[str], str]:
    """Start a command that serves until it is interrupted; return it with what it said so far."""
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    serving = subprocess.Popen(
        [sys.executable, "-u", "-m", *shlex.split(command)],
        env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert serving.stdout is not None
    said = []
    for line in serving.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            break
    return serving, "".join(said)


@pytest.mark.timeout(400)
def test_the_page_is_true(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    block, serving, carried_out = "", [], 0
    try:
        for step in STEP.finditer(PAGE):
            if step["sort"] == "fait":
                subprocess.run(["bash", "-ec", step["done"]], check=True, cwd=home)
            elif step["sort"] == "page":
                (home / step["done"]).write_text(block, encoding="utf-8")
            elif step["language"] != "console":
                block = step["block"]
            else:
                for command, shown in commands(step["block"]):
                    word, *words = shlex.split(command.replace("/labo/", f"{home}/"))
                    if word == "export":
                        monkeypatch.setenv(*words[0].split("=", 1))
                        continue
                    if "sandbox serve" in command:
                        child, said = serve(command)
                        serving.append(child)
                    else:
                        assert word == "poincon", command
                        main(words)
                        told = capsys.readouterr()
                        said = told.out + told.err
                    assert not answers(said, shown, home), (command, answers(said, shown, home), said)
                    carried_out += 1
    finally:
        for child in serving:
            child.send_signal(signal.SIGINT)
            child.wait(20)
            if child.stdout is not None:
                child.stdout.close()
    assert carried_out > 15


def test_every_command_of_a_norms_life_is_on_the_page() -> None:
    told = {" ".join(command.split()[1:3]) for step in STEP.finditer(PAGE) if step["language"] == "console"
            for command, _ in commands(step["block"])}  # fmt: skip
    lifecycle = {"norms new", "norms check", "norms diff", "norms publish", "norms revise", "norms withdraw",
                 "norms import", "suite coverage", "sandbox serve", "norms list"}  # fmt: skip
    assert lifecycle <= told
