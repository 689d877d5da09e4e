"""A run says whether a second verifier of signatures was at hand; judging it again needs the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import rejudge as module
from harness.errors import RunFolderError
from harness.evidence import read_run
from harness.rejudge import rejudge
from harness.run import run
from norms.wire.second import second_verifier
from tests.harness.lab import case, echo, make_norm, make_suite, options
from tests.harness.servers import serving


def test_a_run_names_its_second_verifier_and_is_not_judged_again_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    norm = make_norm(tmp_path / "norms")
    folder = tmp_path / "r"
    with serving(echo()) as server:
        run(options(norm, make_suite(norm, case(1)), server.url, folder))
    assert read_run(folder).begun.second_verifier == second_verifier()
    monkeypatch.setattr(module, "second_verifier", lambda: "")
    if second_verifier():
        with pytest.raises(RunFolderError, match="second vérificateur"):
            rejudge(folder)
    else:
        assert rejudge(folder) == (folder / "verdicts.json").read_bytes()
