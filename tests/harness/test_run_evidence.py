"""L02: whatever is changed, removed, reordered or truncated in a run folder is detected and located."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.evidence import Damage, read_run, verify_evidence
from harness.merkle import MerkleRoot
from harness.run import run
from tests.harness.lab import case, echo, make_norm, make_suite, options, pong
from tests.harness.servers import serving


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of four cases, one of them failed; the norm's rules stand for anchors too."""
    root = tmp_path_factory.mktemp("evidence")
    norm = make_norm(root / "norms")
    suite = make_suite(norm, *(case(number) for number in range(1, 5)))
    with serving(echo(lambda colour: pong("faux" if colour == "c2" else colour))) as server:
        run(options(norm, suite, server.url, root / "run"))
    return root / "run"


@pytest.fixture(scope="module")
def copy(folder: Path) -> Path:
    target = folder.parent / "copy"
    shutil.copytree(folder, target)
    return target


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def damaged(copy: Path, name: str, content: bytes) -> list[Damage]:
    """Return the damages found while file `name` has `content`."""
    original = (copy / name).read_bytes()
    (copy / name).write_bytes(content)
    try:
        return verify_evidence(copy)
    finally:
        (copy / name).write_bytes(original)


def test_an_untouched_folder_has_no_damage(folder: Path):
    assert verify_evidence(folder) == []


def test_l02_what_run_json_says_of_the_journal_is_run_jsons_own_fault(copy: Path):
    content = (copy / "run.json").read_bytes()
    start = content.index(b'"evidence"')
    for position in range(start, min(start + 400, len(content))):
        changed = bytearray(content)
        changed[position] ^= 1
        assert {damage.file for damage in damaged(copy, "run.json", bytes(changed))} == {"run.json"}, position


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_l02_any_changed_byte_is_found(copy: Path, data: st.DataObject):
    name = data.draw(st.sampled_from(files(copy)))
    content = bytearray((copy / name).read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    found = damaged(copy, name, bytes(content))
    assert found
    assert any(damage.file == name for damage in found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_l02_any_cut_is_found(copy: Path, data: st.DataObject):
    name = data.draw(st.sampled_from(files(copy)))
    content = (copy / name).read_bytes()
    assert any(
        damage.file == name for damage in damaged(copy, name, content[: data.draw(st.integers(0, len(content) - 1))])
    )


@pytest.mark.parametrize("name", ["journal.jsonl", "exchanges.warc.gz", "run.json", "suite.json"])
def test_l02_an_emptied_file_is_found(copy: Path, name: str):
    assert any(damage.file == name for damage in damaged(copy, name, b""))


@pytest.mark.parametrize("name", ["suite.json", "sut.json", "verdicts.json", "run.json", "norm/essai/1.0/norm.yaml"])
def test_l02_a_removed_file_is_named(copy: Path, name: str):
    content = (copy / name).read_bytes()
    (copy / name).unlink()
    try:
        assert [damage.file for damage in verify_evidence(copy)] == [name]
    finally:
        (copy / name).write_bytes(content)


def test_l02_an_added_norm_file_is_named(copy: Path):
    added = copy / "norm" / "essai" / "1.0" / "rules" / "more.sch"
    added.parent.mkdir()
    added.write_text("<x/>")
    try:
        assert [damage.file for damage in verify_evidence(copy)] == ["norm/essai/1.0/rules/more.sch"]
    finally:
        shutil.rmtree(added.parent)


def test_l02_a_changed_journal_line_is_located(copy: Path):
    lines = (copy / "journal.jsonl").read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines):
        changed = line.replace(b'"time":"2', b'"time":"3')
        found = damaged(copy, "journal.jsonl", b"".join([*lines[:number], changed, *lines[number + 1 :]]))
        assert [damage.line for damage in found if damage.file == "journal.jsonl"] == [number + 1]


def test_l02_a_removed_or_moved_journal_line_is_located(copy: Path):
    lines = (copy / "journal.jsonl").read_bytes().splitlines(keepends=True)
    for number in range(1, len(lines) - 2):
        removed = damaged(copy, "journal.jsonl", b"".join([*lines[:number], *lines[number + 1 :]]))
        assert min(damage.line for damage in removed if damage.line) in (number, number + 1)
        swapped = [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]
        moved = damaged(copy, "journal.jsonl", b"".join(swapped))
        assert {number + 1, number + 2} <= {damage.line for damage in moved}


def test_l02_a_changed_record_is_located_by_its_offset(copy: Path):
    record = read_run(copy)
    place = record.places["ESS-S-003"][0]
    content = bytearray((copy / "exchanges.warc.gz").read_bytes())
    content[place.offset + place.length // 2] ^= 1
    found = damaged(copy, "exchanges.warc.gz", bytes(content))
    assert [(damage.file, damage.offset) for damage in found] == [("exchanges.warc.gz", place.offset)]
    assert "ESS-S-003#1.1" in found[0].what


def test_l02_bytes_after_the_end_are_found(copy: Path):
    content = (copy / "exchanges.warc.gz").read_bytes()
    found = damaged(copy, "exchanges.warc.gz", content + content[:50])
    assert [damage.offset for damage in found] == [len(content)]


def test_l02_a_run_without_its_end_is_not_whole(copy: Path):
    lines = (copy / "journal.jsonl").read_bytes().splitlines(keepends=True)
    found = damaged(copy, "journal.jsonl", b"".join(lines[:-1]))
    assert any("pas terminée" in damage.what for damage in found)


def test_l02_rewriting_the_whole_chain_still_shows_in_the_root(folder: Path, tmp_path: Path):
    """Somebody who recomputes everything gets another root than the one a certificate carries."""
    before = read_run(folder).root
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    journal = other / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"verdict":"fail"', b'"verdict":"pass"'))
    assert read_run(other).root != before


def test_merkle_root_is_that_of_rfc_6962():
    def node(data: list[bytes]) -> bytes:
        if not data:
            return sha256(b"").digest()
        if len(data) == 1:
            return sha256(b"\0" + data[0]).digest()
        split = 1
        while split * 2 < len(data):
            split *= 2
        return sha256(b"\1" + node(data[:split]) + node(data[split:])).digest()

    # Source: test vectors of Certificate Transparency (RFC 6962 reference implementation).
    leaves = [
        bytes.fromhex(text)
        for text in (
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"
        )
    ]  # fmt: skip
    assert MerkleRoot(leaves).hexdigest() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    for count in range(20):
        data = [bytes([number]) for number in range(count)]
        assert MerkleRoot(data).hexdigest() == node(data).hex()
