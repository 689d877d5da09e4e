"""A seal and its authority, made once for the whole folder: RSA keys are slow to make."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.reports_pki import Authority, make_authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    return make_authority("Autorité d’essai")


@pytest.fixture(scope="session")
def stranger() -> Authority:
    return make_authority("Autre autorité")


@pytest.fixture(scope="session")
def authority_file(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority.pem(tmp_path_factory.mktemp("authority"))
