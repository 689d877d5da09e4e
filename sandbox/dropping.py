"""Handing in a document through a watched folder: it appears there whole, its return in `retour` under the same name.

Source: docs/formats/conduct.md, "Deposits".
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname
from uuid import uuid4

RETURNS: Final = "retour"
SCHEME: Final = "file"
_PAUSE: Final = 0.05


def is_folder(url: str) -> bool:
    """Tell whether an address is a folder of this machine."""
    return urlsplit(url).scheme == SCHEME


def drop(url: str, body: bytes, seconds: float, limit: int) -> bytes | None:
    """Write `body` into the folder at `url` and return what comes back within `seconds`, None when nothing does.

    limit: most bytes of the return that are read. Raises OSError when the folder cannot be written to.
    """
    folder = Path(url2pathname(urlsplit(url).path))
    name = f"{uuid4()}.xml"
    unfinished = folder / f".{name}.part"
    unfinished.write_bytes(body)
    unfinished.replace(folder / name)
    deadline = time.monotonic() + seconds
    while True:
        try:
            with (folder / RETURNS / name).open("rb") as returned:
                return returned.read(limit + 1)
        except FileNotFoundError:
            if time.monotonic() >= deadline:
                return None
        time.sleep(_PAUSE)
