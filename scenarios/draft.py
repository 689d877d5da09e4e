"""The scenarios of a new norm version: those of the version that it begins from, under the same ids."""

from __future__ import annotations

import shutil
from pathlib import Path

from norms.errors import UsageError
from norms.i18n import tr
from norms.model import Norm
from scenarios.reader import default_roots


def target_of(root: Path, name: str, version: str) -> Path:
    """Return the folder of a version's scenarios below a root. Raises UsageError when it exists already."""
    folder = root / name / version
    if folder.exists():
        raise UsageError(tr("« {folder} » existe déjà ; rien n'est écrit.", folder=folder))
    return folder


def copy_scenarios(source: Norm, target: Path) -> int:
    """Copy every scenario of `source` itself to target/role/ and return how many.

    Those of the norms that it uses stay with them. Of two with one file name the first wins.
    """
    copied = 0
    for root in default_roots():
        for file in sorted((root / source.id / source.version).glob("*/*.yaml")):
            place = target / file.parent.name / file.name
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)
                copied += 1
    return copied
