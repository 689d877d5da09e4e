"""Begin a norm version from another: a copy of its folder, a draft that people then edit.

Only norm.yaml is changed (seven keys, comments kept) and CHANGES.md written anew; the manifest and the record of a
withdrawal stay behind.
Source: docs/formats/norm.md, "From one version to the next".
"""

from __future__ import annotations

import codecs
import shutil
import tempfile
from datetime import date
from pathlib import Path
from typing import Final

from norms.digest import MANIFEST, WITHDRAWAL
from norms.editing import set_keys
from norms.errors import UsageError
from norms.i18n import tr, tr_in
from norms.model import Norm
from norms.normfile import NORM_NAME, NORM_VERSION
from norms.roots import NORM_FILE

HISTORY: Final = "CHANGES.md"
_SKIPPED: Final = (".*", "__pycache__")
_LEFT_BEHIND: Final = (MANIFEST, WITHDRAWAL)


def split_ref(ref: str) -> tuple[str, str]:
    """Return id and version of "id/version". Raises UsageError for anything else."""
    name, _, version = ref.partition("/")
    if not NORM_NAME.fullmatch(name) or not NORM_VERSION.fullmatch(version):
        raise UsageError(
            tr("« {ref} » n'est pas le nom d'une version : écrivez norme/version, par exemple « {example} ».",
               ref=ref, example="norme/1.2")
        )  # fmt: skip
    return name, version


def draft(source: Norm, ref: str, root: Path, today: date) -> Path:
    """Copy `source` to root/id/version as a draft named `ref` and return that folder.

    today: its first day in force until somebody decides it. A copy below another root than its source's takes along
    the norms of `uses`, which schemas reach by relative paths; those already there are left alone. Raises UsageError
    (name, existing target) and NormError (a norm.yaml in which a key cannot be set); then there is no such folder.
    """
    name, version = split_ref(ref)
    target = root / name / version
    if target.exists():
        raise UsageError(tr("« {folder} » existe déjà ; rien n'est écrit.", folder=target))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as work:
        copy = Path(work) / version
        shutil.copytree(
            source.root,
            copy,
            ignore=shutil.ignore_patterns(*_SKIPPED, *_LEFT_BEHIND),
            copy_function=shutil.copyfile,
        )  # writable, whatever the source is
        _rename(copy / NORM_FILE, source, name, version, today)
        (copy / HISTORY).write_bytes(_history(source, name, version, copy / HISTORY))
        copy.rename(target)
    if root.resolve() != source.root.resolve().parent.parent:
        _take_along(source, root)
    return target


def _take_along(source: Norm, root: Path) -> None:
    for parent in source.parents:
        place = root / parent.root.parent.name / parent.root.name
        if not place.exists():
            shutil.copytree(parent.root, place, ignore=shutil.ignore_patterns(*_SKIPPED), copy_function=shutil.copyfile)
        _take_along(parent, root)


def _rename(file: Path, source: Norm, name: str, version: str, today: date) -> None:
    wanted = {
        "id": name,
        "version": version,
        "revision": "1",
        "status": "draft",
        "valid_from": today.isoformat(),
        "valid_to": "",
        "replaces": source.ref if name == source.id else "",
    }
    set_keys(file, wanted, source.root / NORM_FILE)


def _history(source: Norm, name: str, version: str, old: Path) -> bytes:
    """Return CHANGES.md begun in French, which is the language of norms; the source's history follows."""
    begun = tr_in(
        "fr",
        "# {name} {version} – changements\n\n## Révision 1 (projet)\n"
        "Rédigée à partir de {source}, révision {revision}.\n"
        "Rien n'a encore changé ; écrivez ici chaque changement et sa raison.\n",
        name=name,
        version=version,
        source=source.ref,
        revision=source.revision,
    ).encode()
    past = old.read_bytes().removeprefix(codecs.BOM_UTF8).strip() if old.is_file() else b""
    below = b"\n".join(b"#" + line if line.startswith(b"#") else line for line in past.splitlines())
    return b"\n".join((begun, below, b"")) if below else begun
