"""The register: numbers are given once, and a changed line is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.errors import RegisterError
from reports.register import FILE, HEAD, LOCK, START, Issue, open_register, read_register


def issue(number: str) -> Issue:
    return Issue(
        0, START, number, "certificate", "2026-11-21T12:00:00Z", "essai/1.0", "server", "É", "P", "1", "s", "e", "d"
    )


def fill(folder: Path, count: int) -> Path:
    for _ in range(count):
        with open_register(folder) as register:
            register.append(issue(register.next_number("IAMC", "ets-v2", 2026)))
    return folder / FILE


def test_numbers_follow_each_other_within_a_norm_and_a_year(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    with open_register(tmp_path) as register:
        assert [known.number for known in register.issues] == ["IAMC-ETSV2-2026-0001", "IAMC-ETSV2-2026-0002"]
        assert register.next_number("IAMC", "ets-v2", 2026) == "IAMC-ETSV2-2026-0003"
        assert register.next_number("IAMC", "ets-v2", 2027) == "IAMC-ETSV2-2027-0001"
        assert register.next_number("IAMC", "ville", 2026) == "IAMC-VILLE-2026-0001"
        assert register.next_number("BILAN", "ets-v2", 2026) == "BILAN-ETSV2-2026-0001"


def test_a_number_is_never_used_twice(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    with open_register(tmp_path) as register, pytest.raises(RegisterError, match="déjà au registre"):
        register.append(issue("IAMC-ETSV2-2026-0001"))


def test_a_register_held_by_somebody_else_is_waited_for_then_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.register._WAIT", 0.0)
    (tmp_path / LOCK).write_text("1")
    with pytest.raises(RegisterError, match=LOCK), open_register(tmp_path):
        pass
    assert (tmp_path / LOCK).exists()


def test_the_lock_is_released_when_an_issue_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), open_register(tmp_path):
        raise ZeroDivisionError
    assert not (tmp_path / LOCK).exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_any_changed_byte_is_found(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / FILE
    if not path.exists():
        fill(tmp_path, 3)
    good = path.read_bytes()
    position = data.draw(st.integers(0, len(good) - 1))
    changed = bytearray(good)
    changed[position] ^= data.draw(st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128]))
    path.write_bytes(bytes(changed))
    try:
        with pytest.raises(RegisterError):
            read_register(path)
    finally:
        path.write_bytes(good)


@pytest.mark.parametrize("cut", [1, 40])
def test_a_line_cut_short_is_found(tmp_path: Path, cut: int) -> None:
    path = fill(tmp_path, 2)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(RegisterError, match="ligne 2"):
        read_register(path)


def test_lines_removed_or_reordered_are_found(tmp_path: Path) -> None:
    path = fill(tmp_path, 3)
    first, second, third = path.read_bytes().splitlines(keepends=True)
    for lines in ((), (first,), (first, second), (second, third), (first, third), (second, first, third)):
        path.write_bytes(b"".join(lines))
        with pytest.raises(RegisterError):
            read_register(path)


def test_a_crash_between_the_two_files_is_repaired_by_the_next_issue(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    old = (tmp_path / HEAD).read_bytes()
    fill(tmp_path, 1)
    (tmp_path / HEAD).write_bytes(old)
    path = fill(tmp_path, 1)
    assert len(read_register(path)) == 3


@pytest.mark.parametrize("content", [b"", b"{}", b'{"issues":1,"last":"00"}', b'{"issues":-1,"last":""}'])
def test_a_changed_head_is_found(tmp_path: Path, content: bytes) -> None:
    path = fill(tmp_path, 2)
    (tmp_path / HEAD).write_bytes(content)
    with pytest.raises(RegisterError):
        read_register(path)
