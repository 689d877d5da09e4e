"""Hides what no reader of a report needs: social security numbers, secret values, control characters.

Everything that comes from a product passes here before it reaches a document (SECURITY, attack T06).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from norms.masking import HIDDEN, mask_nir

# Codes that move a terminal's cursor or colours, then every other control character but tab and line feed;
# the direction overrides of Unicode can make a line read as another one.
_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])?")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")


def printable(text: str) -> str:
    """Return the text without terminal codes; control and direction characters become `[x07]`, `[u202e]`."""
    text = _ANSI.sub("[x1b]", text.replace("\r\n", "\n"))
    return _CONTROL.sub(lambda match: _picture(match.group()), text)


def _picture(character: str) -> str:
    code = ord(character)
    return f"[x{code:02x}]" if code < 0x100 else f"[u{code:04x}]"


class Masker:
    """Applies every mask. secrets: values of the declaration that must not be read; short ones are ignored.

    A secret of fewer than four characters would hide unrelated text everywhere, so it is left alone.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= 4}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """Return the text fit for a reader."""
        if self._secrets is not None:
            text = self._secrets.sub(HIDDEN, text)
        return mask_nir(printable(text))
