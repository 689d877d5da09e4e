"""A running sandbox for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_caller import Caller

from norms.loader import load
from norms.model import Norm
from sandbox.pki import TestPki, ensure
from sandbox.serve import Sandbox


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    return ensure(tmp_path_factory.mktemp("sandbox") / "pki")


@pytest.fixture(scope="session")
def ville() -> Norm:
    return load("ville/1.1")


@pytest.fixture(scope="session")
def annuaire() -> Norm:
    return load("annuaire/1.0")


@pytest.fixture(scope="session")
def sandbox(pki: TestPki, ville: Norm, annuaire: Norm) -> Iterator[Sandbox]:
    with Sandbox([ville, annuaire], Path(pki.folder).parent) as running:
        yield running


@pytest.fixture
def caller(sandbox: Sandbox, ville: Norm) -> Caller:
    return Caller(sandbox, ville)


@pytest.fixture
def directory(sandbox: Sandbox, annuaire: Norm) -> Caller:
    return Caller(sandbox, annuaire)
