"""A watched folder: files that a product drops are requests of its session, answers are files of the same name.

What was there before the session began is not the session's. A file counts once its size no longer changes; it is
read, never moved nor deleted. Answers are written into the sub-folder `retour`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.replies import Reply
from harness.session import Session

RETURNS: Final = "retour"
POLL_SECONDS: Final = 0.1
_UNFINISHED: Final = (".part", ".tmp")

Taker = Callable[[Session, str, bytes], Reply]
"""Of a session, the address of a file and its bytes (at most one more than the limit): the answer."""


@dataclass
class _Watched:
    """A folder of a session. done: files that need no more attention; growing: sizes seen last time."""

    session: Session
    folder: Path
    done: set[str] = field(default_factory=set)
    growing: dict[str, int] = field(default_factory=dict)


class FolderWatch:
    """Watches one folder per session. limit: most bytes of a file that are read; shared: all sessions use `root`."""

    def __init__(self, root: Path, take: Taker, limit: int, *, shared: bool) -> None:
        self._root, self._take, self._limit, self._shared = root, take, limit, shared
        self._watched: dict[int, _Watched] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="deposits")
        self._thread.start()

    def open(self, session: Session) -> str:
        """Watch for a session; return the address of its folder (file URI)."""
        folder = (self._root if self._shared else self._root / session.token).resolve()
        (folder / RETURNS).mkdir(parents=True, exist_ok=True)
        watched = _Watched(session, folder, done={path.name for path in folder.iterdir()})
        with self._lock:
            self._watched[id(session)] = watched
        return folder.as_uri()

    def close(self, session: Session) -> None:
        """Watch no longer for that session."""
        with self._lock:
            self._watched.pop(id(session), None)

    def stop(self) -> None:
        """Stop watching at all."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            with self._lock:
                watched = list(self._watched.values())
            for each in watched:
                # A folder that is locked or gone for a moment is looked at again.
                with contextlib.suppress(OSError):
                    self._look(each)

    def _look(self, watched: _Watched) -> None:
        with os.scandir(watched.folder) as entries:
            files = sorted((entry.name, entry.stat().st_size) for entry in entries if entry.is_file())
        for name, size in files:
            if name in watched.done or name.endswith(_UNFINISHED):
                continue
            if watched.growing.get(name) != size:
                watched.growing[name] = size
                continue
            path = watched.folder / name
            with path.open("rb") as file:
                body = file.read(self._limit + 1)
            watched.done.add(name)
            if watched.session.admits():
                self._answer(path, self._take(watched.session, path.as_uri(), body))

    def _answer(self, path: Path, reply: Reply) -> None:
        if reply.ending != "complete" or not reply.body:
            return
        answer = path.parent / RETURNS / path.name
        draft = answer.with_name(answer.name + _UNFINISHED[0])
        draft.write_bytes(reply.body)
        draft.replace(answer)
