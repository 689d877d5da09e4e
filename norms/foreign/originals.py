"""The files of others as they were given: copied byte for byte, hashed, and looked at again by `norms check`.

`originals/` belongs to the normative files, so the norm's digest covers it; the list has the format of sha256sum.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from norms.foreign.gathering import Kit, digest_of
from norms.i18n import tr
from norms.model import Norm
from norms.norm_problem import NormProblem

FOLDER: Final = "originals"
LIST: Final = "sha256.txt"


def keep(kit: Kit, norm_folder: Path) -> int:
    """Copy the WSDL and XSD files of the kit, and the others that were read; return how many."""
    target = norm_folder / FOLDER
    lines = []
    for path in kit.files:
        if path.suffix.lower() not in (".wsdl", ".xsd") and path not in kit.used:
            continue
        relative = kit.relative(path)
        place = target / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        lines.append(f"{digest_of(place.read_bytes())}  {relative.as_posix()}\n")
    (target / LIST).write_text("".join(lines), encoding="utf-8", newline="\n")
    return len(lines)


def problems(norm: Norm) -> Iterator[NormProblem]:
    """Yield the originals that are no longer as they were given; nothing for a norm without originals."""
    folder = norm.root / FOLDER
    listed = folder / LIST
    if not listed.is_file():
        return
    known: dict[str, str] = {}
    for number, line in enumerate(listed.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        digest, separator, name = line.partition("  ")
        if not separator:
            yield NormProblem(listed, number, tr("Cette ligne de la liste des originaux ne se lit pas."))
            continue
        known[name] = digest
        path = folder / name
        if not path.is_file():
            yield NormProblem(path, 0, tr("Cet original a disparu."), tr("Remettez-le, ou importez de nouveau."))
        elif digest_of(path.read_bytes()) != digest:
            yield NormProblem(
                path,
                0,
                tr("Cet original a changé."),
                tr("Rétablissez-le : on corrige schema/ et wsdl/, pas les originaux."),
            )
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in (*known, LIST) and not name.startswith("."):
            yield NormProblem(path, 0, tr("Ce fichier n'est pas dans la liste des originaux."), tr("Retirez-le."))
