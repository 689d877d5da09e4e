"""Fixtures of the tests of norms: a cache of their own and a tiny norm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from tiny_norm import write_norms

from norms.loader import load
from norms.message_check import Checker
from norms.model import Norm

settings.register_profile("poincon", deadline=None)  # a busy machine is no failure
settings.load_profile("poincon")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's cache out of the tests."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("POINCON_CACHE", str(folder))
    monkeypatch.delenv("POINCON_NORMS", raising=False)
    monkeypatch.delenv("POINCON_LANG", raising=False)
    return folder


NormMaker = Callable[..., Norm]


@pytest.fixture
def make_norm(tmp_path: Path) -> NormMaker:
    """Write the tiny norm with changed files (path below the norms' folder -> text or None) and load it."""

    def make(changes: dict[str, str | None] | None = None) -> Norm:
        return load("emprunt/1.0", [write_norms(tmp_path / "norms", changes)])

    return make


@pytest.fixture
def checker(make_norm: NormMaker) -> Checker:
    """The checker of the tiny norm."""
    return Checker(make_norm())
