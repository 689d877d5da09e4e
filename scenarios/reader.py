"""Find and read the scenarios of a norm version.

Source: docs/formats/scenario.md. A scenarios root holds `<norm>/<version>/{server,client}/<ID>.yaml`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import scenarios
from norms.model import Norm
from scenarios import shelf
from scenarios.model import Scenario
from scenarios.page import PageReader

ROOTS_VARIABLE = "POINCON_SCENARIOS"


def default_roots() -> tuple[Path, ...]:
    """Return the bundled scenarios folder, then the folders of the environment variable POINCON_SCENARIOS."""
    extra = os.environ.get(ROOTS_VARIABLE, "")
    return (Path(scenarios.__file__).parent, *(Path(entry) for entry in extra.split(os.pathsep) if entry))


def scenario_files(norm: Norm, roots: Sequence[Path] | None = None) -> list[tuple[Path, Path]]:
    """Return (root, file) of every scenario of `norm` and of the norms it uses, sorted by role and name in each folder.

    A norm without services has pages only for those that use it: none of its own can run.
    """
    found: list[tuple[Path, Path]] = []
    for root in default_roots() if roots is None else roots:
        for member in norm.family if norm.services else ():
            for role in ("client", "server"):
                folder = root / member.id / member.version / role
                found.extend((root, path) for path in sorted(folder.glob("*.yaml"), key=lambda path: path.name))
    return found


def read_scenarios(norm: Norm, roots: Sequence[Path] | None = None) -> list[Scenario]:
    """Return every scenario of `norm`, sorted by id; raise DataError at the first fault of a file.

    roots: folders that hold `<norm>/<version>/` (default: `default_roots`).
    """
    files = scenario_files(norm, roots)
    # The examples and messages that pages name are part of the norm's digest.
    contents = [part for root, path in files for part in (path.relative_to(root).as_posix(), path.read_bytes())]
    entry = shelf.entry_of("scenarios", norm.ref, norm.digest, *contents)
    kept = shelf.recall(entry, list[Scenario])
    if kept is not None:
        return kept
    reader = PageReader(norm)
    found = [reader.read(path, root) for root, path in files]
    return shelf.keep(entry, sorted(found, key=lambda scenario: scenario.id))
