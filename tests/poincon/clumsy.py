"""What a refusal must look like, how files are spoilt, and a scenario to spoil."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from front_doors import Told

PAGE = """\
id: ANN-S-900
title: {fr: "Essai", en: "Trial"}
role: server
purpose: {fr: "Vérifier."}
steps:
  - send: ADR
    expect:
      - {requirement: ANN-ADR-001, check: accepted}
"""


def refusal(told: Told, code: int, *words: str) -> str:
    """Assert that a command said what is wrong and did nothing else; return what it said."""
    assert "Traceback" not in told.err + told.out, told.err
    assert told.code == code, (told.code, told.err, told.out)
    assert told.err.startswith("poincon: "), told.err
    assert told.err.count("poincon: ") == 1, told.err
    missing = [word for word in words if word not in told.err]
    assert not missing, f"{missing} not in: {told.err}"
    return told.err


def spoil(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Change a file; it is an error of the test when nothing changes."""
    content = file.read_bytes()
    changed = change(content)
    assert changed != content
    file.write_bytes(changed)


def cut(share: float) -> Callable[[bytes], bytes]:
    """Return a change that keeps the first part of a file."""
    return lambda content: content[: int(len(content) * share)]
