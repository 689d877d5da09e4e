"""Where norms are found: the folder of this package, then the folders of POINCON_NORMS."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from norms.errors import NormError
from norms.i18n import tr
from norms.yamlfile import nearest

NORM_FILE: Final = "norm.yaml"


def default_roots() -> tuple[Path, ...]:
    """Return the bundled folder, then the entries of POINCON_NORMS (separated like PATH)."""
    extra = os.environ.get("POINCON_NORMS", "")
    return (Path(__file__).parent, *(Path(entry) for entry in extra.split(os.pathsep) if entry))


def available(roots: Sequence[Path] | None = None) -> list[str]:
    """Return the names ("id/version") of all norms found, sorted, each once."""
    found = {
        f"{path.parent.parent.name}/{path.parent.name}"
        for root in (default_roots() if roots is None else roots)
        for path in root.glob(f"*/*/{NORM_FILE}")
    }
    return sorted(found)


def locate(ref: str, roots: Sequence[Path] | None = None) -> Path:
    """Return the folder of "id/version" (the first root that has it), or of a folder path. Raises NormError."""
    places = default_roots() if roots is None else roots
    parts = ref.replace("\\", "/").split("/")
    if len(parts) == 2 and all(part not in ("", ".", "..") for part in parts):
        for root in places:
            folder = root / parts[0] / parts[1]
            if (folder / NORM_FILE).is_file():
                return folder
    folder = Path(ref)
    if (folder / NORM_FILE).is_file():
        return folder.resolve()
    if folder.is_dir():
        raise NormError(
            tr("Ce dossier ne contient pas de fichier {name}.", name=NORM_FILE),
            file=folder,
            remedy=tr("Donnez le dossier d'une version, par exemple norms/<norme>/<version>."),
        )
    raise NormError(tr("La norme « {ref} » est inconnue.", ref=ref), remedy=nearest(ref, available(places)))
