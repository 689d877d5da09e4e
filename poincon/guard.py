"""Start-up guard: our top-level packages have common names, so say it when a foreign one stands in front of ours."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from norms.errors import PoinconError
from norms.i18n import tr

PACKAGES = ("norms", "scenarios", "sandbox", "harness", "reports")


def refuse_shadows() -> None:
    """Raise PoinconError when an import of one of our packages would load somebody else's."""
    home = Path(__file__).resolve().parent.parent
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        found = Path(spec.origin).resolve().parent.parent if spec is not None and spec.origin else None
        if found != home:
            raise PoinconError(
                tr(
                    "un autre paquet « {name} » masque celui de Poinçon ({found}). "
                    "Installez Poinçon à part (pipx install, uv tool install) ou lancez-le depuis un autre dossier.",
                    name=name,
                    found=found or tr("introuvable"),
                )
            )
