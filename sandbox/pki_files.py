"""Putting a complete set of files in place at once: readers see the old folder or the new one, never a mixture."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from norms.errors import DataError
from norms.i18n import tr

MANIFEST: Final = "pki.json"


def is_current(folder: Path, layout: str, at: datetime) -> bool:
    """Tell whether `folder` holds a complete set of this layout that is still good at an aware date."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        return bool(manifest["layout"] == layout and datetime.fromisoformat(manifest["renew"]) > at)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def install(folder: Path, files: Mapping[str, bytes], layout: str, renew: datetime) -> None:
    """Make `folder` hold exactly `files`. renew: aware date from which the set is out of date.

    Whoever comes second leaves what the first one installed. Raises DataError when the folder holds something else
    than an earlier set, or cannot be written.
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
        _swap(fresh, folder)
    except OSError as error:
        raise DataError(
            tr("Impossible d'écrire la PKI de test ({error}).", error=error.strerror or type(error).__name__),
            file=folder,
            remedy=tr("Choisissez un dossier où vous pouvez écrire."),
        ) from error
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


def _swap(fresh: Path, folder: Path) -> None:
    try:
        fresh.rename(folder)
    except OSError:
        if not (folder / MANIFEST).is_file():  # otherwise somebody else was faster, and theirs is as good
            raise
