"""One thing that a verification looked at."""

from __future__ import annotations

import msgspec


class Check(msgspec.Struct, frozen=True):
    """One thing that was checked. name: in the reader's language; detail: what was found, or why it is refused."""

    name: str
    ok: bool
    detail: str = ""
