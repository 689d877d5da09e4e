"""Derived cases on disk: the second schema engine is slow, and a norm that did not change gives the same cases.

Losing or damaging an entry costs time only: what does not match its digest is derived anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import tempfile
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from norms.cache import cache_folder, key_of
from norms.model import Norm
from scenarios.bindings import POPULATION

KEPT: Final = 64
_DIGEST_BYTES: Final = 32
_T = TypeVar("_T")


def recall(norm: Norm, kind: type[_T]) -> _T | None:
    """Return what was kept for `norm`, or None."""
    try:
        stored = _entry(norm).read_bytes()
        if hashlib.sha256(stored[_DIGEST_BYTES:]).digest() != stored[:_DIGEST_BYTES]:
            return None
        return msgspec.msgpack.decode(stored[_DIGEST_BYTES:], type=kind)
    except (OSError, msgspec.MsgspecError):
        return None


def keep(norm: Norm, value: _T) -> _T:
    """Keep `value` for `norm` and return it; a folder that cannot be written is not an error."""
    payload, entry = msgspec.msgpack.encode(value), _entry(norm)
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=entry.parent, suffix=".new", delete=False) as file:
            file.write(hashlib.sha256(payload).digest() + payload)
        Path(file.name).replace(entry)
        entries = sorted(entry.parent.glob("*.msgpack"), key=lambda kept: kept.stat().st_mtime)
        for old in entries[:-KEPT]:
            old.unlink()
    return value


def _entry(norm: Norm) -> Path:
    population = norm.root / POPULATION
    people = population.read_bytes() if population.is_file() else b""
    key = key_of("derived", norm.digest, norm.ref, hashlib.sha256(people).hexdigest(), _code())
    return cache_folder() / "derived" / f"{key}.msgpack"


@functools.cache
def _code() -> str:
    """Return a digest of this package's code: another tool version may derive otherwise."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
