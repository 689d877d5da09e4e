"""Parsed norms on disk, so that a norm is read once per content. Losing or damaging the cache costs time only.

The folder is POINCON_CACHE, or the user's cache folder. An entry is `sha256 of payload` + payload; what does not
match is rebuilt without a word.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec

from norms.model import Norm

KEPT: Final = 64

_DIGEST_BYTES: Final = 32
_WRITERS: Final = ("model", "cache", "loader", "normfile", "securityfile", "tables", "yamlfile")


def cache_folder() -> Path:
    """Return the folder of the cache; it may not exist yet."""
    moved = os.environ.get("POINCON_CACHE")
    if moved:
        return Path(moved)
    from platformdirs import user_cache_path

    return user_cache_path("poincon", appauthor=False)


def key_of(*parts: str) -> str:
    """Return the name of an entry: a digest of `parts` and of the code that writes entries."""
    return hashlib.sha256(b"\0".join((_code(), *(part.encode() for part in parts)))).hexdigest()


@functools.cache
def _code() -> bytes:
    return b"".join(Path(__file__).with_name(f"{stem}.py").read_bytes() for stem in _WRITERS)


def recall(key: str) -> Norm | None:
    """Return the norm kept under `key`, or None when there is none or it is damaged."""
    try:
        stored = (cache_folder() / "norms" / f"{key}.msgpack").read_bytes()
        if hashlib.sha256(stored[_DIGEST_BYTES:]).digest() != stored[:_DIGEST_BYTES]:
            return None
        return msgspec.msgpack.decode(stored[_DIGEST_BYTES:], type=Norm, dec_hook=_decode_path)
    except (OSError, msgspec.MsgspecError):
        return None


def keep(key: str, norm: Norm) -> None:
    """Keep the norm under `key`; a folder that cannot be written is not an error."""
    payload = msgspec.msgpack.encode(norm, enc_hook=_encode_path)
    folder = cache_folder() / "norms"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".new")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(payload).digest() + payload)
        Path(name).replace(folder / f"{key}.msgpack")
        entries = sorted(folder.glob("*.msgpack"), key=lambda entry: entry.stat().st_mtime)
        for old in entries[:-KEPT]:
            old.unlink()


def _encode_path(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value)} in a norm")


def _decode_path(wanted: type, value: Any) -> Any:
    if wanted is Path:
        return Path(value)
    raise NotImplementedError(f"{wanted} in a norm")
