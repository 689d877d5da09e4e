from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from norms.filling import Clock
from norms.loader import load
from norms.model import Norm
from scenarios.declaration import Declaration, read_sut

NORMS = Path(__file__).parent / "data" / "norms"


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POINCON_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def toy(_own_cache: None) -> Norm:
    return load("jouet/1.0", [NORMS])


@pytest.fixture
def clock() -> Clock:
    numbers = count(1)
    return Clock(datetime(2026, 3, 31, 8, 30, tzinfo=UTC), lambda: f"00000000-0000-4000-8000-{next(numbers):012d}")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str, name: str = "JOU-S-001.yaml", role: str = "server") -> Path:
        path = tmp_path / "jouet" / "1.0" / role / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


SUT = """\
product:
  vendor: Les Jouets
  name: Coffre
  version: "3.2"
  norm: jouet/1.0
  role: server
  profiles: [PETIT, GRAND]
  endpoints:
    PRET: https://jouets.example/pret
    RENDU: https://jouets.example/rendu
laboratory:
  values: {guichet: "G7"}
ics:
  ICS-RENDU: yes
ixit:
  comptoir: Nord
"""


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., Declaration]:
    def declare(*changes: tuple[str, str]) -> Declaration:
        text = SUT
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "sut.yaml"
        path.write_text(text, encoding="utf-8")
        return read_sut(path)

    return declare
