"""What was read of a norm's `simulator` folders, kept as long as no file of them has changed.

Reading hundreds of seeded faults takes longer than running a suite.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from norms.behaviour.places import SIMULATOR
from norms.model import Norm

MOST: Final = 32
_T = TypeVar("_T")
_Key = tuple[str, str, tuple[tuple[str, int, int], ...]]


class Kept(Generic[_T]):
    """Keeps what `read` gave for a norm; threads may share it."""

    def __init__(self, read: Callable[[Norm], _T]) -> None:
        self._read = read
        self._found: dict[_Key, _T] = {}
        self._lock = threading.Lock()

    def __call__(self, norm: Norm) -> _T:
        """Return what `read` gives for the norm as its files are now; raises what it raises."""
        key = (str(norm.root), norm.digest, _state(norm))
        with self._lock:
            if key not in self._found:
                while len(self._found) >= MOST:
                    self._found.pop(next(iter(self._found)))
                self._found[key] = self._read(norm)
            return self._found[key]


def _state(norm: Norm) -> tuple[tuple[str, int, int], ...]:
    files = (path for member in norm.family for path in sorted((member.root / SIMULATOR).rglob("*")) if path.is_file())
    return tuple((str(path), (state := path.stat()).st_mtime_ns, state.st_size) for path in files)
