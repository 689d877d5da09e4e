"""A01: an assertion serves once, across restarts, and each tenant has its own memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from wire_kit import NORM, NOW, SECURITY, Kit

from norms.errors import DataError
from norms.wire.replay import MemoryReplayCache, ReplayCache, SqliteReplayCache

LATER = NOW + timedelta(seconds=360)


@pytest.fixture(params=["memory", "file"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> ReplayCache:
    return MemoryReplayCache() if request.param == "memory" else SqliteReplayCache(tmp_path / "vu.sqlite")


def test_a01_a_replayed_assertion_is_refused(kit: Kit, cache: ReplayCache) -> None:
    root = kit.request()
    assert kit.reason(root, replay=cache) == ""
    assert kit.reason(root, replay=cache) == "assertion-replayed"
    assert kit.reason(kit.request(), replay=cache) == ""


def test_a01_a_refused_message_does_not_use_its_assertion_up(kit: Kit, cache: ReplayCache) -> None:
    root = kit.request()
    assert kit.reason(root, replay=cache, peer="tls-other-holder") == "assertion-binding"
    assert kit.reason(root, replay=cache) == ""


def test_a_norm_may_accept_repetition(kit: Kit, cache: ReplayCache) -> None:
    assertion = msgspec.structs.replace(SECURITY.request.assertion, replay="accepted")
    policy = msgspec.structs.replace(SECURITY.request, assertion=assertion)
    norm = msgspec.structs.replace(NORM, security=msgspec.structs.replace(SECURITY, request=policy))
    root = kit.request(norm=norm)
    assert kit.reason(root, norm=norm, replay=cache) == kit.reason(root, norm=norm, replay=cache) == ""


def test_a_key_is_forgotten_once_the_assertion_has_expired(cache: ReplayCache) -> None:
    assert cache.first_use("a", LATER, NOW)
    assert not cache.first_use("a", LATER, LATER)
    assert cache.first_use("a", LATER + timedelta(days=1), LATER + timedelta(seconds=1))


def test_memory_does_not_grow_for_ever() -> None:
    cache = MemoryReplayCache()
    for number in range(1000):
        now = NOW + timedelta(seconds=number)
        assert cache.first_use(str(number), now + timedelta(seconds=10), now)
    assert len(cache) <= 11


def test_a01_a_file_survives_a_restart_and_keeps_tenants_apart(tmp_path: Path) -> None:
    file = tmp_path / "sous" / "vu.sqlite"
    first = SqliteReplayCache(file, tenant="A")
    assert first.first_use("a", LATER, NOW)
    first.close()
    assert not SqliteReplayCache(file, tenant="A").first_use("a", LATER, NOW)
    assert SqliteReplayCache(file, tenant="B").first_use("a", LATER, NOW)


def test_of_many_at_once_one_is_first(cache: ReplayCache) -> None:
    wins: list[bool] = []
    start = threading.Barrier(8)

    def use() -> None:
        start.wait()
        wins.append(cache.first_use("a", LATER, NOW))

    _run([use] * 8)
    assert sorted(wins) == [False] * 7 + [True]


def test_a_file_that_is_no_cache_is_named(tmp_path: Path) -> None:
    file = tmp_path / "texte.sqlite"
    file.write_text("ceci n'est pas une base" * 100)
    with pytest.raises(DataError, match="inutilisable"):
        SqliteReplayCache(file)


def _run(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
