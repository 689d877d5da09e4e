"""Fifty sessions of five vendors in one process: data, state, evidence and verdicts of each stay its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.evidence import read_run, verify_evidence
from harness.replies import States
from norms.behaviour import State
from norms.model import Norm
from tests.harness.many_sessions import Campaign, Keys, remembering_norm


@pytest.fixture(scope="module")
def norm(tmp_path_factory: pytest.TempPathFactory) -> Norm:
    return remembering_norm(tmp_path_factory.mktemp("norms"))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("pki"))


def test_fifty_sessions_of_five_vendors_leak_nothing(norm: Norm, keys: Keys, tmp_path: Path):
    campaign = Campaign(norm, keys, tmp_path, 50)
    results = campaign.play()
    assert campaign.leaks == []
    assert campaign.reads >= 20_000
    assert len({runner.token for runner in campaign.runners}) == len({runner.url for runner in campaign.runners}) == 50
    peers = dict[int, set[str]]()
    for runner, result in zip(campaign.runners, results, strict=True):
        assert result.exit_code == int(runner.faulty)
        exchanges = read_run(runner.folder).exchanges("ESS-S-001")
        assert {each.tls.peer for each in exchanges if each.outcome == "received"} == {
            path.stem for path in (runner.folder / "peers").iterdir()
        }
        assert all(each.url.startswith(runner.url.rpartition("/")[0]) for each in exchanges if each.url)
        assert verify_evidence(runner.folder) == []
        peers.setdefault(runner.vendor, set()).update(path.stem for path in (runner.folder / "peers").iterdir())
    assert [len(digests) for digests in peers.values()] == [1] * 5
    assert len(set().union(*peers.values())) == 5


def test_a_state_that_sessions_share_is_found(norm: Norm, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shared = State()
    monkeypatch.setattr(States, "of", lambda self, norm: shared)
    campaign = Campaign(norm, keys, tmp_path, 3)
    campaign.play()
    assert any("l'état de" in leak for leak in campaign.leaks)


def test_a_token_that_sessions_share_is_found(norm: Norm, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("harness.clientwork.new_token", lambda: "a" * 48)
    campaign = Campaign(norm, keys, tmp_path, 3)
    campaign.play()
    assert any("entre chez" in leak for leak in campaign.leaks)
    assert any("est dans le dossier de" in leak for leak in campaign.leaks)
