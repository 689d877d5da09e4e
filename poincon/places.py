"""Where the front doors keep what is not in a run folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.pki import TestPki


def sandbox_data(chosen: Path | None = None) -> Path:
    """Return the folder of the sandbox's keys: `chosen`, else below POINCON_DATA, else below the user's data folder."""
    if chosen is not None:
        return chosen
    if from_environment := os.environ.get("POINCON_DATA"):
        return Path(from_environment) / "sandbox"
    from platformdirs import user_data_path

    return user_data_path("poincon", appauthor=False) / "sandbox"


def sandbox_keys(chosen: Path | None = None) -> TestPki:
    """Return the sandbox's keys and certificates, made on first use. chosen: as of `sandbox_data`."""
    from sandbox.pki import ensure

    return ensure(sandbox_data(chosen) / "pki")
