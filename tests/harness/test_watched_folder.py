"""A watched folder: which files count as deposits, when, and where their answer is written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from harness import deposits
from harness.deposits import RETURNS, FolderWatch
from harness.replies import Reply
from harness.session import Session
from tests.harness.lab import case
from tests.harness.machine import ASK


class Folder:
    """A watched folder and what was taken from it."""

    def __init__(self, root: Path, limit: int = 1000, *, answer: bytes = b"<retour/>") -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.answer, self.come = answer, threading.Event()
        self.session = Session(case(1, ASK, role="client"), {}, lambda _, __, values: values)
        self.watch = FolderWatch(root, self._take, limit, shared=True)
        self.path = Path(url2pathname(urlsplit(self.watch.open(self.session)).path))

    def _take(self, _: Session, url: str, body: bytes) -> Reply:
        self.taken.append((Path(url2pathname(urlsplit(url).path)).name, body))
        self.come.set()
        return Reply(200, "", self.answer)

    def waited(self, count: int) -> list[tuple[str, bytes]]:
        """Return what was taken once there are `count` files, then a moment more in which none may follow."""
        deadline = time.monotonic() + 20
        while len(self.taken) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        return self.taken


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Callable[..., Folder]]:
    made: list[Folder] = []

    def make(**more: object) -> Folder:
        made.append(Folder(tmp_path / "depots", **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.watch.stop()


@pytest.mark.parametrize("name", ["facture.xml", "ma facture n° 1.xml", "façade-été-漢.xml", "100 %25.xml", "x" * 120])
def test_a_file_of_any_name_is_taken_once_and_answered_under_its_name(folder: Callable[..., Folder], name: str):
    watched = folder()
    (watched.path / name).write_bytes(b"<depot/>")
    assert watched.waited(1) == [(name, b"<depot/>")]
    assert (watched.path / RETURNS / name).read_bytes() == b"<retour/>"
    assert [path.name for path in (watched.path / RETURNS).iterdir()] == [name]
    assert (watched.path / name).read_bytes() == b"<depot/>"


def test_what_was_there_before_is_not_the_sessions_unless_it_is_written_anew(
    tmp_path: Path, folder: Callable[..., Folder]
):
    (tmp_path / "depots").mkdir()
    (tmp_path / "depots" / "hier.xml").write_bytes(b"<hier/>")
    (tmp_path / "depots" / "encore.xml").write_bytes(b"<hier/>")
    watched = folder()
    (watched.path / "encore.xml").write_bytes(b"<aujourdhui/>")
    assert watched.waited(1) == [("encore.xml", b"<aujourdhui/>")]


def test_a_file_that_grows_is_taken_when_it_is_whole(folder: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deposits, "SETTLED_SECONDS", 2.0)  # however busy the machine is
    watched = folder()
    with (watched.path / "lente.xml").open("wb") as file:
        for _ in range(8):
            file.write(b"<piece/>")
            file.flush()
            time.sleep(0.12)
    assert watched.waited(1) == [("lente.xml", b"<piece/>" * 8)]


def test_unfinished_empty_and_foreign_entries_do_not_count(folder: Callable[..., Folder]):
    watched = folder()
    for name in ("a.part", "b.tmp", ".c.xml.part"):
        (watched.path / name).write_bytes(b"<depot/>")
    (watched.path / "vide.xml").touch()
    (watched.path / "dossier").mkdir()
    (watched.path / "dossier" / "d.xml").write_bytes(b"<depot/>")
    (watched.path / RETURNS / "e.xml").write_bytes(b"<depot/>")
    (watched.path / "a.part").rename(watched.path / "a.xml")
    assert watched.waited(1) == [("a.xml", b"<depot/>")]


def test_links_are_not_followed(folder: Callable[..., Folder], tmp_path: Path):
    watched = folder()
    (tmp_path / "ailleurs.xml").write_bytes(b"<secret/>")
    try:
        (watched.path / "lien.xml").symlink_to(tmp_path / "ailleurs.xml")
        (watched.path / "perdu.xml").symlink_to(tmp_path / "absent.xml")
    except OSError:
        pytest.skip("no links on this system")
    (watched.path / "vraie.xml").write_bytes(b"<depot/>")
    assert watched.waited(1) == [("vraie.xml", b"<depot/>")]


def test_a_file_that_goes_while_it_is_looked_at_stops_nothing(folder: Callable[..., Folder]):
    watched = folder()
    for number in range(20):
        fleeting = watched.path / f"a{number}.xml"
        fleeting.write_bytes(b"<fugace/>")
        time.sleep(0.02)
        fleeting.unlink()
    (watched.path / "z.xml").write_bytes(b"<depot/>")
    assert watched.waited(1) == [("z.xml", b"<depot/>")]


def test_a_file_that_nobody_may_read_or_answer_keeps_no_other_waiting(
    folder: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch
):
    watched = folder()
    unwilling = Path.open

    def refuse(self: Path, *arguments: object, **more: object) -> object:
        if self.name == "a.xml" and arguments == ("rb",):
            raise PermissionError(13, "refused", str(self))
        return unwilling(self, *arguments, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    (watched.path / RETURNS / "b.xml").mkdir()
    for name in ("a.xml", "b.xml", "c.xml"):
        (watched.path / name).write_bytes(b"<depot/>")
    assert watched.waited(2) == [("b.xml", b"<depot/>"), ("c.xml", b"<depot/>")]
    assert (watched.path / RETURNS / "c.xml").read_bytes() == b"<retour/>"


def test_a_file_beyond_the_limit_is_cut_just_behind_it(folder: Callable[..., Folder]):
    watched = folder(limit=100)
    (watched.path / "grande.xml").write_bytes(b"x" * 5000)
    assert watched.waited(1) == [("grande.xml", b"x" * 101)]


def test_after_its_end_a_session_takes_nothing(folder: Callable[..., Folder]):
    watched = folder()
    watched.watch.close(watched.session)
    (watched.path / "tard.xml").write_bytes(b"<depot/>")
    assert watched.waited(0) == []
