"""Digests of a norm folder: what freezes a publication and tells two states apart.

The manifest has the format of sha256sum (`hex  path`, sorted by path); the digest of a folder is the SHA-256 of
that text, so anybody can compute it without this program. Source: docs/formats/norm.md, "Publication".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from norms.errors import NormError
from norms.i18n import tr

MANIFEST: Final = "manifest.sha256"
WITHDRAWAL: Final = "withdrawal.yaml"
SIMULATOR: Final = "simulator"
_NOT_DATA: Final = frozenset({"__pycache__"})


class Difference(msgspec.Struct, frozen=True):
    """A file that is not as published. kind: "changed", "missing" or "added"."""

    path: str
    kind: str


def normative_files(folder: Path) -> list[Path]:
    """Return every file of the norm, sorted by path.

    Not of the norm are simulator/, the manifest, the record of a withdrawal and hidden files.
    """
    apart = (SIMULATOR, MANIFEST, WITHDRAWAL)
    return [path for path in _files(folder) if path.relative_to(folder).parts[0] not in apart]


def manifest(folder: Path, instead: Mapping[Path, bytes] | None = None) -> str:
    """Return the manifest text of the normative files. instead: contents that files are about to get."""
    return _manifest(folder, normative_files(folder), instead)


def norm_digest(folder: Path, parents: Sequence[str] = ()) -> str:
    """Return the digest (hex) of the normative files of a folder.

    parents: digests of the norms it uses; with them, the digest changes when one of those changes.
    """
    own = hashlib.sha256(manifest(folder).encode()).hexdigest()
    return own if not parents else hashlib.sha256("\n".join((own, *parents)).encode()).hexdigest()


def simulator_digest(folder: Path) -> str:
    """Return the digest (hex) of simulator/: population, decisions, answers, variants, faults."""
    below = folder / SIMULATOR
    return hashlib.sha256(_manifest(below, list(_files(below))).encode()).hexdigest()


def compare_manifest(folder: Path) -> list[Difference]:
    """Compare the folder with its manifest.sha256. Raises NormError when that file is missing or unreadable."""
    path = folder / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as bad:
        raise NormError(tr("Le manifeste de publication ne peut pas être lu."), file=path) from bad
    published: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        digest, separator, name = line.partition("  ")
        if not separator or len(digest) != 64:
            raise NormError(tr("Cette ligne du manifeste ne se lit pas."), file=path, line=number)
        published[name] = digest
    actual = {name: digest for digest, name in (line.split("  ", 1) for line in manifest(folder).splitlines())}
    return [
        *(Difference(name, "changed") for name in published if name in actual and actual[name] != published[name]),
        *(Difference(name, "missing") for name in published if name not in actual),
        *(Difference(name, "added") for name in actual if name not in published),
    ]


def _files(folder: Path) -> Iterator[Path]:
    found = (
        path
        for path in folder.rglob("*")
        if not any(part.startswith(".") or part in _NOT_DATA for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    yield from sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _manifest(folder: Path, files: Sequence[Path], instead: Mapping[Path, bytes] | None = None) -> str:
    given = instead or {}
    contents = ((path, given[path] if path in given else path.read_bytes()) for path in files)
    return "".join(
        f"{hashlib.sha256(content).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path, content in contents
    )
