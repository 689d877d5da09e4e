"""A run killed at any point is resumed: no acknowledged case is lost, none stands twice; a full disk passes nothing."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from harness.errors import EvidenceError, RunFolderError
from harness.events import CaseFinished, Event
from harness.evidence import read_run, verify_evidence
from harness.journal import FORMAT, Begun
from harness.recorder import CaseRecord, Recorder
from harness.rejudge import rejudge
from harness.run import run
from norms.model import Norm
from tests.harness.lab import case, echo, make_norm, make_suite, options
from tests.harness.servers import serving
from tests.harness.test_warc import EXCHANGE

CASES = 6
_KILLED = """
import os, signal, sys
from pathlib import Path
import harness.recorder as recorder
from harness.run import run
from norms.loader import load
from tests.harness.lab import case, make_suite, options

root, url, out, limit = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
written = 0

class Dying:
    \"\"\"A file that dies in the middle of a write once `limit` bytes were written in all.\"\"\"
    def __init__(self, path):
        self.file = path.open("ab", buffering=0)
    def write(self, data):
        global written
        for start in range(0, len(data), 64):
            piece = data[start:start + 64]
            self.file.write(piece)
            written += len(piece)
            if written >= limit:
                os.kill(os.getpid(), signal.SIGKILL)
    def flush(self):
        pass
    def fileno(self):
        return self.file.fileno()
    def close(self):
        self.file.close()

norm = load(str(root / "essai" / "1.0"), [root])
suite = make_suite(norm, *(case(number) for number in range(1, {cases} + 1)))
def acknowledged(event):
    if type(event).__name__ == "CaseFinished":
        print(event.verdict.id, flush=True)
run(options(norm, suite, url, out, opener=Dying, on_event=(acknowledged,)))
""".replace("{cases}", str(CASES))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("norms")


@pytest.fixture(scope="module")
def norm(root: Path) -> Norm:
    return make_norm(root)


def suite_of(norm: Norm):
    return make_suite(norm, *(case(number) for number in range(1, CASES + 1)))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("limit", [900, 1700, 2600, 3400, 5200, 7300])
def test_kill_9_in_the_middle_of_a_write_then_resume(norm: Norm, root: Path, tmp_path: Path, limit: int):
    with serving(echo()) as server:
        killed = subprocess.run(
            [sys.executable, "-c", _KILLED, str(root), server.url, str(tmp_path / "r"), str(limit)],
            capture_output=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            text=True,
            check=False,
        )
        assert killed.returncode == -9, killed.stderr
        acknowledged = killed.stdout.split()
        kept = read_run(tmp_path / "r").cases
        assert [entry.case for entry in kept][: len(acknowledged)] == acknowledged
        result = run(options(norm, suite_of(norm), server.url, tmp_path / "r", resume=True))
    assert result.exit_code == 0 and result.verdicts.counts.passed == CASES
    record = read_run(tmp_path / "r")
    assert [entry.case for entry in record.cases] == [f"ESS-S-{number:03}" for number in range(1, CASES + 1)]
    assert verify_evidence(tmp_path / "r") == []
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()


def recorded(folder: Path, count: int = 3) -> Path:
    """Write a record that was interrupted after `count` cases."""
    folder.mkdir()
    recorder = Recorder(folder)
    recorder.begin(Begun(FORMAT, "r", "t", "essai/1.0", "n", "s", "2026-01-01T00:00:00Z"))
    for number in range(count):
        recorder.case(CaseRecord(f"C-{number}", "pass", "", "", (EXCHANGE,), 1.0))
        recorder.sync()
    recorder.close()
    return folder


def test_resume_at_every_byte_keeps_the_whole_cases_and_nothing_else(tmp_path: Path):
    """The journal cut anywhere: what is kept is exactly the cases whose last line is whole."""
    folder = recorded(tmp_path / "r")
    journal = (folder / "journal.jsonl").read_bytes()
    warc = (folder / "exchanges.warc.gz").read_bytes()
    first = journal.index(b"\n") + 1
    for cut in range(first, len(journal) + 1, 17):
        (folder / "journal.jsonl").write_bytes(journal[:cut])
        (folder / "exchanges.warc.gz").write_bytes(warc)
        recorder = Recorder(folder)
        kept = recorder.resume()
        recorder.close()
        assert len(kept.cases) == journal[:cut].count(b'"exchanges":1,"duration_ms":1.0}\n')
        whole = sum(place.length for places in kept.exchanges.values() for place in places)
        start = kept.exchanges["C-0"][0].offset if kept.cases else (folder / "exchanges.warc.gz").stat().st_size
        assert (folder / "exchanges.warc.gz").stat().st_size == start + whole
        assert (folder / "journal.jsonl").read_bytes().count(b'"event":"exchange"') == len(kept.cases)


def test_resume_drops_a_case_whose_records_did_not_reach_the_disk(tmp_path: Path):
    folder = recorded(tmp_path / "r")
    warc = (folder / "exchanges.warc.gz").read_bytes()
    (folder / "exchanges.warc.gz").write_bytes(warc[:-1])
    recorder = Recorder(folder)
    assert [entry.case for entry in recorder.resume().cases] == ["C-0", "C-1"]
    recorder.close()


def test_l02_a_journal_changed_before_its_end_is_not_resumed(tmp_path: Path):
    folder = recorded(tmp_path / "r")
    journal = (folder / "journal.jsonl").read_bytes()
    (folder / "journal.jsonl").write_bytes(journal.replace(b'"C-1"', b'"C-9"', 1))
    with pytest.raises(RunFolderError) as caught:
        Recorder(folder).resume()
    assert caught.value.line == 4


def test_l04_a_clock_behind_the_last_entry_is_refused(tmp_path: Path):
    folder = recorded(tmp_path / "r")
    with pytest.raises(EvidenceError, match="horloge"):
        Recorder(folder, clock=lambda: datetime.now(UTC) - timedelta(hours=3)).resume()


def test_a_finished_run_is_not_run_again(norm: Norm, tmp_path: Path):
    with serving(echo()) as server:
        first = run(options(norm, suite_of(norm), server.url, tmp_path / "r"))
        before = {path.name: path.read_bytes() for path in (tmp_path / "r").iterdir() if path.is_file()}
        seen = server.connections
        again = run(options(norm, suite_of(norm), server.url, tmp_path / "r", resume=True))
        assert server.connections == seen
    assert again.verdicts == first.verdicts
    assert {path.name: path.read_bytes() for path in (tmp_path / "r").iterdir() if path.is_file()} == before


def test_another_suite_is_not_mixed_into_an_interrupted_run(norm: Norm, tmp_path: Path):
    with serving(echo()) as server:
        run(options(norm, suite_of(norm), server.url, tmp_path / "r"))
        with pytest.raises(RunFolderError):
            run(options(norm, make_suite(norm, case(1)), server.url, tmp_path / "r", resume=True))


class FullDisk(io.BytesIO):
    """A file on a disk with room for `room` bytes more."""

    def __init__(self, path: Path, room: int) -> None:
        super().__init__()
        self._file: BinaryIO = path.open("ab")
        self._room = room

    def write(self, data) -> int:  # type: ignore[override]
        if len(data) > self._room:
            raise OSError(28, "No space left on device")
        self._room -= len(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()


@pytest.mark.parametrize("room", [0, 700, 1500, 2500])
def test_a_full_disk_ends_the_run_as_an_incident_and_lets_no_pass_out(norm: Norm, tmp_path: Path, room: int):
    events: list[Event] = []
    with serving(echo()) as server, pytest.raises(EvidenceError) as caught:
        run(
            options(norm, suite_of(norm), server.url, tmp_path / "r", jobs=2, on_event=(events.append,),
                    opener=lambda path: FullDisk(path, room))
        )  # fmt: skip
    assert caught.value.exit_code == 4
    acknowledged = {event.verdict.id for event in events if isinstance(event, CaseFinished)}
    assert len(acknowledged) < CASES
    assert not (tmp_path / "r" / "verdicts.json").exists() and not (tmp_path / "r" / "run.json").exists()
    on_disk = (tmp_path / "r" / "journal.jsonl").read_bytes() if (tmp_path / "r" / "journal.jsonl").exists() else b""
    assert all(f'"event":"case","case":"{name}"'.encode() in on_disk for name in acknowledged)


def test_after_a_failed_write_nothing_more_is_accepted(tmp_path: Path):
    (tmp_path / "r").mkdir()
    recorder = Recorder(tmp_path / "r", opener=lambda path: FullDisk(path, 1200))
    recorder.begin(Begun(FORMAT, "r", "t", "essai/1.0", "n", "s", "2026-01-01T00:00:00Z"))
    with pytest.raises(EvidenceError):
        for _ in range(10):
            recorder.case(CaseRecord("C", "pass", "", "", (EXCHANGE,), 1.0))
    with pytest.raises(EvidenceError):
        recorder.sync()
    recorder.close()
