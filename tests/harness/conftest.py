"""What most tests of the harness start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from norms.model import Norm
from tests.harness.lab import make_norm
from tests.harness.machine import write_keys


@pytest.fixture(scope="session")
def norm(tmp_path_factory: pytest.TempPathFactory) -> Norm:
    """The trial norm."""
    return make_norm(tmp_path_factory.mktemp("norms"))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the keys of a session and of its product."""
    folder = tmp_path_factory.mktemp("pki")
    write_keys(folder)
    return folder
