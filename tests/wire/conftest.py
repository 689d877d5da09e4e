from __future__ import annotations

import pytest
from wire_kit import Kit

from sandbox.pki import ensure


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return Kit(ensure(tmp_path_factory.mktemp("wire") / "pki"))
