"""What people read holds neither a national identifier in full nor a secret, and nothing a terminal would obey."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from norms.masking import HIDDEN, mask_nir

_SHORT_SECRET: Final = 4
MAXIMUM: Final = 240


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` fit for people: secrets hidden, identifiers of 13 characters (key or not) reduced to their ends.

    Control characters become escapes; a text longer than MAXIMUM is cut, after masking, so that no cut undoes a mask.
    """
    text = masked_in_full(text, secrets)
    return text if len(text) <= MAXIMUM else text[: MAXIMUM - 1] + "…"


def masked_in_full(text: str, secrets: Iterable[str] = ()) -> str:
    """Like `masked`, whatever the length of the text."""
    for secret in sorted({value for value in secrets if value}, key=lambda value: (-len(value), value)):
        if len(secret) >= _SHORT_SECRET:
            text = text.replace(secret, HIDDEN)
        else:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    text = mask_nir(text)
    return "".join(character if character.isprintable() else _escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character in "\n\r\t\u00a0\u202f\u2009":
        return " "
    return f"\\u{ord(character):04x}"
