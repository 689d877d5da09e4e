"""Memory of the assertions already seen, so that none serves twice. One cache per vendor or session."""

from __future__ import annotations

import heapq
import sqlite3
import threading
from datetime import datetime
from pathlib import Path
from typing import Protocol

from norms.errors import DataError
from norms.i18n import tr


class ReplayCache(Protocol):
    """What `norms.wire.verify` asks of a cache; the question and the note are one atomic act."""

    def first_use(self, key: str, until: datetime, now: datetime) -> bool:
        """Note `key` as used and tell whether it was new.

        until: aware date after which the assertion is refused anyway, so that the key may be forgotten.
        """
        ...


class MemoryReplayCache:
    """A cache that lives as long as the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, datetime] = {}
        self._queue: list[tuple[datetime, str]] = []

    def first_use(self, key: str, until: datetime, now: datetime) -> bool:
        """See `ReplayCache.first_use`."""
        with self._lock:
            while self._queue and self._queue[0][0] < now:
                del self._keys[heapq.heappop(self._queue)[1]]
            if key in self._keys:
                return False
            self._keys[key] = until
            heapq.heappush(self._queue, (until, key))
            return True

    def __len__(self) -> int:
        return len(self._keys)


class SqliteReplayCache:
    """A cache in a file: it survives a restart and may be shared by processes and by tenants (kept apart)."""

    def __init__(self, file: Path, tenant: str = "") -> None:
        """Open or create `file`. Raises DataError when it cannot be used."""
        self._tenant = tenant
        self._lock = threading.Lock()
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS used (tenant TEXT, key TEXT, until REAL, PRIMARY KEY (tenant, key)) "
                "WITHOUT ROWID"
            )
            self._connection.execute("CREATE INDEX IF NOT EXISTS used_until ON used (until)")
        except (OSError, sqlite3.Error) as error:
            raise DataError(
                tr("La mémoire des assertions déjà reçues est inutilisable."),
                file=file,
                remedy=tr("Supprimez ce fichier ou choisissez un autre dossier."),
            ) from error

    def first_use(self, key: str, until: datetime, now: datetime) -> bool:
        """See `ReplayCache.first_use`."""
        with self._lock:
            self._connection.execute("DELETE FROM used WHERE until < ?", (now.timestamp(),))
            cursor = self._connection.execute(
                "INSERT INTO used VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (self._tenant, key, until.timestamp())
            )
            return cursor.rowcount == 1

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()
