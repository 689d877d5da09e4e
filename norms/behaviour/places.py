"""Where the files of a practice partner lie: the `simulator` folders of a norm and of the norms that it uses."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from norms.model import Norm

SIMULATOR: Final = "simulator"
POPULATION: Final = "population.yaml"
DECISIONS: Final = "decisions.yaml"
FAULTS: Final = "faults.yaml"
VARIANTS: Final = "variants.yaml"
ANSWERS: Final = "answers"
CONDUCT: Final = "conduct.yaml"
CLIENT_FAULTS: Final = "client-faults.yaml"
CLIENT_VARIANTS: Final = "client-variants.yaml"


def simulator_files(norm: Norm, name: str) -> tuple[Path, ...]:
    """Return the files (or folders) of that name that exist, those of the norm last: what is read later wins."""
    found = (member.root / SIMULATOR / name for member in reversed(norm.family))
    return tuple(path for path in found if path.exists())


def inherited(norm: Norm, path: Path) -> bool:
    """Tell whether a file belongs to a norm that this one uses."""
    return any(parent.root in path.parents for parent in norm.parents)
