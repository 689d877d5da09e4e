"""Putting a complete set of files in place at once: readers see the old folder or the new one, never a mixture."""

from __future__ import annotations

import json
import shutil
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from norms.errors import DataError
from norms.i18n import tr

MANIFEST: Final = "pki.json"
_PATIENCE: Final = 60.0


def is_current(folder: Path, layout: str, at: datetime) -> bool:
    """Tell whether `folder` holds a complete set of this layout that is still good at an aware date."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        return bool(manifest["layout"] == layout and datetime.fromisoformat(manifest["renew"]) > at)
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other threads and processes out while a set is made; a process that dies lets them in at once.

    Raises DataError when the place cannot be written, or somebody else takes longer than a minute.
    """
    lock = folder.with_name(f".{folder.name}.lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        # SQLite's exclusive transaction is a lock of the operating system on every platform.
        connection = sqlite3.connect(lock, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        with closing(connection):
            connection.execute("BEGIN EXCLUSIVE")
            yield
    except (OSError, sqlite3.Error) as error:
        raise _unwritable(folder, error) from error


def install(folder: Path, files: Mapping[str, bytes], layout: str, renew: datetime) -> None:
    """Make `folder` hold exactly `files`; the caller is `alone`. renew: aware date from which the set is out of date.

    Raises DataError when the folder holds something else than an earlier set, or cannot be written.
    """
    manifest = json.dumps({"layout": layout, "renew": renew.isoformat()}).encode()
    fresh = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        fresh.mkdir(parents=True)
        for name, content in files.items():
            (fresh / name).write_bytes(content)
        for key in fresh.glob("*.key.pem"):
            key.chmod(0o600)
        (fresh / MANIFEST).write_bytes(manifest)
        _clear(folder)
        fresh.rename(folder)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _clear(folder: Path) -> None:
    """Move an out-of-date set away; keep anything that is not ours."""
    if not folder.exists():
        return
    if not any(folder.iterdir()):
        folder.rmdir()
        return
    if not (folder / MANIFEST).is_file():
        raise DataError(
            tr("Ce dossier contient autre chose qu'une PKI de test."),
            file=folder,
            remedy=tr("Indiquez un dossier vide ou à créer."),
        )
    old = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    folder.rename(old)
    shutil.rmtree(old, ignore_errors=True)


def _unwritable(folder: Path, error: Exception) -> DataError:
    return DataError(
        tr("Impossible d'écrire la PKI de test ({error}).", error=str(error)),
        file=folder,
        remedy=tr("Choisissez un dossier où vous pouvez écrire."),
    )
