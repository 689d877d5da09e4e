from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tiny_norm import write_norms

from norms.digest import MANIFEST, Difference, compare_manifest, manifest, norm_digest, simulator_digest
from norms.errors import NormError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_norms(tmp_path) / "emprunt" / "1.0"


def test_digest_is_that_of_the_manifest(folder: Path) -> None:
    assert norm_digest(folder) == hashlib.sha256(manifest(folder).encode()).hexdigest()
    line = f"{hashlib.sha256((folder / 'ics.csv').read_bytes()).hexdigest()}  ics.csv\n"
    assert line in manifest(folder)


def test_every_normative_file_counts(folder: Path) -> None:
    before = norm_digest(folder)
    for name in ("norm.yaml", "rules/emprunt.sch", "examples/invalid/R-001--retour-avant.xml"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content + b"\n")
        assert norm_digest(folder) != before
        (folder / name).write_bytes(content)
    assert norm_digest(folder) == before


def test_simulator_has_its_own_digest(folder: Path) -> None:
    normative, simulator = norm_digest(folder), simulator_digest(folder)
    (folder / "simulator" / "faults.yaml").write_text("[x]\n", encoding="utf-8")
    assert norm_digest(folder) == normative
    assert simulator_digest(folder) != simulator


def test_hidden_files_and_the_manifest_do_not_count(folder: Path) -> None:
    before = norm_digest(folder)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / MANIFEST).write_text(manifest(folder), encoding="utf-8")
    assert norm_digest(folder) == before


def test_parents_change_the_digest(folder: Path) -> None:
    assert len({norm_digest(folder), norm_digest(folder, ["a"]), norm_digest(folder, ["b"])}) == 3


def test_differences_from_the_manifest_are_located(folder: Path) -> None:
    (folder / MANIFEST).write_text(manifest(folder), encoding="utf-8")
    assert compare_manifest(folder) == []
    (folder / "ics.csv").write_text("x", encoding="utf-8")
    (folder / "ixit.csv").unlink()
    (folder / "new.csv").write_text("x", encoding="utf-8")
    assert compare_manifest(folder) == [
        Difference("ics.csv", "changed"),
        Difference("ixit.csv", "missing"),
        Difference("new.csv", "added"),
    ]


def test_unreadable_manifest_is_refused(folder: Path) -> None:
    with pytest.raises(NormError):
        compare_manifest(folder)
    (folder / MANIFEST).write_text("abc norm.yaml\n", encoding="utf-8")
    with pytest.raises(NormError) as caught:
        compare_manifest(folder)
    assert caught.value.line == 1
