"""A watched folder: files that a product drops are requests of its session, answers are files of the same name.

What was there before the session began is not the session's, unless it is written anew. A file counts once it has not
changed for a moment and is not empty; it is read, never moved nor deleted. Answers are written into the sub-folder
`retour`. Links are not followed.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

from harness.replies import Reply
from harness.session import Session
from norms.i18n import tr

RETURNS: Final = "retour"
POLL_SECONDS: Final = 0.1
SETTLED_SECONDS: Final = 0.3
_UNFINISHED: Final = (".part", ".tmp")

Taker = Callable[[Session, str, bytes], Reply]
"""Of a session, the address of a file and its bytes (at most one more than the limit): the answer."""


class _State(NamedTuple):
    """What tells whether a file has changed: bytes, and when it was last written (ns)."""

    size: int
    written: int


@dataclass
class _Watched:
    """A folder of a session. done: files as they were when taken, or before; growing: since when one has not changed
    (monotonic seconds).
    """

    session: Session
    folder: Path
    done: dict[str, _State] = field(default_factory=dict)
    growing: dict[str, tuple[_State, float]] = field(default_factory=dict)


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
        watched = _Watched(session, folder, done=_files(folder))
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
        present = _files(watched.folder)
        watched.growing = {name: seen for name, seen in watched.growing.items() if name in present}
        for name, state in sorted(present.items()):
            if watched.session.overrun:
                return
            # One file that cannot be read keeps nobody else waiting.
            with contextlib.suppress(OSError):
                if watched.done.get(name) != state and self._settled(watched, name, state):
                    self._hand_in(watched, name, state)

    def _settled(self, watched: _Watched, name: str, state: _State) -> bool:
        """Tell whether a file is as it was a moment ago."""
        now = time.monotonic()
        seen, since = watched.growing.get(name, (None, now))
        if seen != state:
            watched.growing[name] = (state, now)
            return False
        return state.size > 0 and now - since >= SETTLED_SECONDS

    def _hand_in(self, watched: _Watched, name: str, state: _State) -> None:
        path = watched.folder / name
        with path.open("rb") as file:
            body = file.read(self._limit + 1)
        watched.done[name] = state
        reply = self._take(watched.session, path.as_uri(), body)
        if reply.ending != "complete" or not reply.body:
            return
        give_back = partial(_give_back, watched, name, reply.body)
        if reply.delay:  # a return that is meant to come late keeps nobody else waiting
            later = threading.Timer(reply.delay, give_back)
            later.daemon = True
            later.start()
        else:
            give_back()


def _give_back(watched: _Watched, name: str, body: bytes) -> None:
    """Write a return so that it appears whole; when it cannot be written, the case is an incident."""
    draft = watched.folder / RETURNS / f".{uuid4().hex}.part"
    try:
        draft.write_bytes(body)
        draft.replace(draft.with_name(name))
    except OSError as failed:
        watched.session.fail(
            tr("Le retour « {nom} » n'a pas pu être écrit : {why}.", nom=name, why=failed.strerror or failed)
        )


def _files(folder: Path) -> dict[str, _State]:
    """Return the files of a folder that are finished, by name."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(_UNFINISHED):
                continue
            # It may go while it is looked at.
            with contextlib.suppress(OSError):
                if entry.is_file(follow_symlinks=False):
                    # Not entry.stat(): on Windows it may tell an old size of a file that is being written.
                    now = Path(entry.path).lstat()
                    found[entry.name] = _State(now.st_size, now.st_mtime_ns)
    return found
