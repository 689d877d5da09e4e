"""docs/votre-logiciel-en-dix-minutes.md is true: its commands are carried out in their order, and answer what it shows.

As for docs/ajouter-une-norme.md: a line that begins with `$` is carried out, the lines below it must stand in the
answer in that order, `…` standing for anything; `<!-- fait: … -->` does what the page tells people to do by hand.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from test_page_ajouter_une_norme import STEP, answers, commands

from poincon.__main__ import main

CHECKOUT = Path(__file__).resolve().parent.parent
FILE = CHECKOUT / "docs" / "votre-logiciel-en-dix-minutes.md"
PAGE = FILE.read_text(encoding="utf-8")
INSTALLING = "pipx install poincon-0.1.0-py3-none-any.whl"


def by_hand(done: str, home: Path) -> None:
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    known = {"PYTHON": sys.executable, "EXEMPLES": str(CHECKOUT / "docs" / "exemples"), "PYTHONPATH": path}
    subprocess.run(["bash", "-ec", done], check=True, cwd=home, env={**os.environ, **known})


@pytest.mark.timeout(300)
def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POINCON_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    monkeypatch.delenv("POINCON_LANG", raising=False)
    carried_out = 0
    for step in STEP.finditer(PAGE):
        if step["sort"] == "fait":
            by_hand(step["done"], tmp_path)
        for command, shown in commands(step["block"] or "") if step["language"] == "console" else ():
            if command == INSTALLING:
                continue  # the wheel has tests of its own: tests/poincon/test_wheel.py
            word, *words = shlex.split(command)
            assert word == "poincon", command
            try:
                main(words)
            except SystemExit:
                assert words == ["--version"]
            told = capsys.readouterr()
            assert not answers(told.out + told.err, shown, tmp_path), (
                command,
                answers(told.out, shown, tmp_path),
                told,
            )
            carried_out += 1
    assert carried_out > 6
    assert not (tmp_path / "elsewhere").exists(), "the page leaves nothing outside its folder"


def test_every_link_of_the_page_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", PAGE) if "://" not in link]
    assert len(links) > 5
    assert not [link for link in links if not (FILE.parent / link).is_file()]
