"""Results kept on disk under a digest of all they depend on: read scenarios, derived cases.

Losing or damaging an entry costs time only: what does not match its digest is made anew. The folder is that of
`norms.cache`.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import tempfile
from pathlib import Path
from typing import Final, TypeVar

import msgspec

import norms
from norms.cache import cache_folder

KEPT: Final = 64
_DIGEST_BYTES: Final = 32
_T = TypeVar("_T")


def entry_of(shelf: str, *parts: str | bytes) -> Path:
    """Return the file of an entry: named by a digest of `parts` and of the program that makes entries."""
    digest = hashlib.sha256(_program())
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return cache_folder() / shelf / f"{digest.hexdigest()}.msgpack"


def recall(entry: Path, kind: type[_T]) -> _T | None:
    """Return what was kept, or None when there is nothing or it is damaged."""
    try:
        stored = entry.read_bytes()
        if hashlib.sha256(stored[_DIGEST_BYTES:]).digest() != stored[:_DIGEST_BYTES]:
            return None
        return msgspec.msgpack.decode(stored[_DIGEST_BYTES:], type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def keep(entry: Path, value: _T) -> _T:
    """Keep `value` and return it; a folder that cannot be written is not an error."""
    payload = msgspec.msgpack.encode(value)
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=entry.parent, suffix=".new", delete=False) as file:
            file.write(hashlib.sha256(payload).digest() + payload)
        Path(file.name).replace(entry)
        entries = sorted(entry.parent.glob("*.msgpack"), key=lambda kept: kept.stat().st_mtime)
        for old in entries[:-KEPT]:
            old.unlink()
    return value


@functools.cache
def _program() -> bytes:
    """Return a digest of the code of scenarios and norms: another program may read or derive otherwise."""
    folders = (Path(__file__).parent, Path(norms.__file__).parent, Path(norms.__file__).with_name("wire"))
    files = sorted(file for folder in folders for file in folder.glob("*.py"))
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).digest()
