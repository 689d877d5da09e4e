"""The front doors as a person or a script opens them: in this process or in one of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.record import Verdicts
from norms.loader import load
from norms.model import Norm
from poincon.practice import practice_declaration
from sandbox.pki import TestPki
from sandbox.serve import Spawned

CHECKOUT = Path(__file__).resolve().parent.parent.parent
LIMIT = 100.0


@dataclass(frozen=True)
class Told:
    """What a command answered: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        return msgspec.json.decode(self.out)


Call = Callable[..., Told]


@dataclass(frozen=True)
class Practice:
    """A running sandbox with its keys. data: what POINCON_DATA names, so that nothing of the user's is touched."""

    data: Path
    pki: TestPki
    sandbox: Spawned

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
        return {**os.environ, "POINCON_DATA": str(self.data), "PYTHONPATH": path}

    def text(self, ref: str = "ville/1.1", world: str = "", endpoints: Mapping[str, str] | None = None) -> str:
        """Return a ready declaration of the partner of that world, or of a product at other addresses."""
        norm = load(ref)
        addresses = endpoints if endpoints is not None else self.sandbox.endpoints(world, ref)
        return practice_declaration(norm, addresses, self.pki)

    def declared(self, file: Path, ref: str = "ville/1.1", world: str = "") -> Path:
        """Write that declaration and return its file."""
        file.write_text(self.text(ref, world), encoding="utf-8")
        return file

    def run(self, argv: Sequence[str | Path], cwd: Path, python: Sequence[str] = ("-m", "poincon")) -> Told:
        """Carry out one command in a process of its own."""
        done = subprocess.run(
            [sys.executable, *python, *map(str, argv)],
            cwd=cwd,
            env=self.environment,
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )
        return Told(done.returncode, done.stdout.decode(), done.stderr.decode())


@dataclass(frozen=True)
class CompleteRun:
    """A whole run of a suite by `poincon run --json`, and what it said. sut: its declaration."""

    folder: Path
    sut: Path
    norm: Norm
    told: Told

    @property
    def verdicts(self) -> Verdicts:
        return msgspec.json.decode((self.folder / "verdicts.json").read_bytes(), type=Verdicts)


def written(folder: Path, files: Mapping[str, str]) -> Path:
    """Write text files below `folder` and return it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
