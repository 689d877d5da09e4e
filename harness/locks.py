"""Who may use which test person at the same time: exclusive cases alone, the others together."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Iterator


class GivenLocks:
    """One lock per person: an exclusive holder has it alone, others share it. Waiting exclusives come first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._shared: defaultdict[str, int] = defaultdict(int)
        self._exclusive: set[str] = set()
        self._waiting: defaultdict[str, int] = defaultdict(int)

    @contextlib.contextmanager
    def hold(self, name: str, *, exclusive: bool) -> Iterator[None]:
        """Hold `name` for the length of the block."""
        with self._changed:
            if exclusive:
                self._waiting[name] += 1
                self._changed.wait_for(lambda: name not in self._exclusive and not self._shared[name])
                self._waiting[name] -= 1
                self._exclusive.add(name)
            else:
                self._changed.wait_for(lambda: name not in self._exclusive and not self._waiting[name])
                self._shared[name] += 1
        try:
            yield
        finally:
            with self._changed:
                if exclusive:
                    self._exclusive.discard(name)
                else:
                    self._shared[name] -= 1
                self._changed.notify_all()
