"""What no reader needs to see: social security numbers are reduced to their ends, secrets to dots."""

from __future__ import annotations

import re
from typing import Final

_GAP: Final = r"[ .\u00a0\u202f-]?"
_NIR: Final = re.compile(
    rf"(?<!\d)\d{_GAP}\d\d{_GAP}\d\d{_GAP}\d[0-9ABab]{_GAP}\d{{3}}{_GAP}\d{{3}}(?:{_GAP}\d\d)?(?!\d)"
)
HIDDEN: Final = "•••"


def mask_nir(text: str) -> str:
    """Return the text with every social security number, its key or not, reduced to its ends: `1**********34`."""
    return _NIR.sub(_ends, text)


def _ends(match: re.Match[str]) -> str:
    token = "".join(character for character in match.group() if character.isalnum())
    return f"{token[0]}{'*' * (len(token) - 3)}{token[-2:]}"
