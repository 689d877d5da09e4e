"""A seal and its authority, made once for the whole folder: RSA keys are slow to make."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.certificate import to_xml
from reports.seal import sealed
from tests.reports.reports_pki import NOW, Authority, make_authority
from tests.reports.reports_samples import content


@pytest.fixture(scope="session")
def authority() -> Authority:
    return make_authority("Autorité d’essai")


@pytest.fixture(scope="session")
def stranger() -> Authority:
    return make_authority("Autre autorité")


@pytest.fixture(scope="session")
def authority_file(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return authority.pem(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def document(authority: Authority) -> bytes:
    return sealed(to_xml(content()), authority.seal, NOW)
