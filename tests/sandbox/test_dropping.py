"""A document handed in through a folder, and its return."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from norms.loader import load
from sandbox.calling import Caller, Letter
from sandbox.dropping import drop, is_folder


def answering(folder: Path, seen: list[str], returned: bytes) -> threading.Thread:
    """Watch `folder` and answer the first document whole in it."""
    (folder / "retour").mkdir()

    def watch() -> None:
        for _ in range(500):
            for found in folder.glob("*.xml"):
                seen.append(found.read_text(encoding="utf-8"))
                unfinished = folder / "retour" / "x.part"
                unfinished.write_bytes(returned)
                unfinished.replace(folder / "retour" / found.name)
                return
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_the_return_has_the_name_of_the_deposit(tmp_path: Path) -> None:
    seen: list[str] = []
    thread = answering(tmp_path, seen, b"<retour/>")
    assert drop(tmp_path.as_uri(), b"<depot/>", 10, 100) == b"<retour/>"
    thread.join()
    assert seen == ["<depot/>"]
    assert [path.suffix for path in tmp_path.iterdir() if path.is_file()] == [".xml"]


def test_no_return_is_nothing_and_a_long_one_is_cut(tmp_path: Path) -> None:
    assert drop(tmp_path.as_uri(), b"<depot/>", 0, 100) is None
    other = tmp_path / "other"
    other.mkdir()
    thread = answering(other, [], b"x" * 50)
    assert drop(other.as_uri(), b"<depot/>", 10, 10) == b"x" * 11
    thread.join()


def test_the_caller_takes_a_folder_for_an_address(tmp_path: Path) -> None:
    service = load("ville/1.1").service("DRE")
    assert service is not None
    thread = answering(tmp_path, [], b"<retour/>")
    caller = Caller(None, 100)  # type: ignore[arg-type]
    reply = caller.post(Letter(tmp_path.as_uri(), service, b"<depot/>"), 10)
    thread.join()
    assert (reply.status, reply.body) == (200, b"<retour/>")
    assert caller.post(Letter((tmp_path / "absent").as_uri(), service, b"<depot/>"), 1).status == 0
    assert not is_folder("https://127.0.0.1/x")
