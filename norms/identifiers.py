"""Identifiers whose shape or key can be computed. All functions are total: a text of the wrong shape is just wrong.

Sources: NIR key, INSEE notice of the registration number; Luhn, ISO/IEC 7812-1; FINESS and LPP keys, recomputed on the
public registers.
"""

from __future__ import annotations

import re
from typing import Final

_NIR: Final = re.compile(r"[0-9]{5}(?:[0-9]{2}|[0-9][AB])[0-9]{6}")
_CORSICA: Final = {"A": ("2A", "19"), "B": ("2B", "18")}
_DIGITS: Final = re.compile(r"[0-9]+")
_RPPS: Final = re.compile(r"[0-9]{11}")
_FINESS: Final = re.compile(r"[0-9][0-9AB][0-9]{7}")
_FINESS_LETTERS: Final = str.maketrans("AB", "12")
_LPP_STEM: Final = re.compile(r"[0-9]{6}")
_LPP: Final = re.compile(r"[0-9]{7}")
_LPP_WEIGHTS: Final = (2, 3, 4, 5, 6, 7)
_CCAM: Final = re.compile(r"[A-Z]{4}[0-9]{3}")
_NABM: Final = re.compile(r"[0-9]{4}")
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def nir_key(nir: str) -> str:
    """Return the key (2 digits) of a 13 character NIR, or "" when it is not one.

    A Corsican department (2A, 2B at positions 6 and 7) counts as 19 or 18: key = 97 - (number mod 97).
    """
    if not _NIR.fullmatch(nir):
        return ""
    written, counted = _CORSICA.get(nir[6], ("", ""))
    if written and nir[5:7] != written:
        return ""
    digits = nir[:5] + counted + nir[7:] if written else nir
    return f"{97 - int(digits) % 97:02d}"


def luhn(text: str) -> bool:
    """Tell whether a text of digits has a right last digit by Luhn's formula."""
    if not _DIGITS.fullmatch(text):
        return False
    total = 0
    for position, digit in enumerate(reversed(text)):
        total += _DOUBLED[int(digit)] if position % 2 else int(digit)
    return total % 10 == 0


def rpps(text: str) -> bool:
    """Tell whether this is an RPPS number: 11 digits with a right Luhn key."""
    return bool(_RPPS.fullmatch(text)) and luhn(text)


def finess(text: str) -> bool:
    """Tell whether this is a FINESS number: 9 characters, Luhn with the Corsican letter A as 1 and B as 2."""
    return bool(_FINESS.fullmatch(text)) and luhn(text.translate(_FINESS_LETTERS))


def lpp_key(stem: str) -> str:
    """Return the key (1 digit) of the first six digits of an LPP code, or "" when they are not six digits.

    Weighted sum modulo 11, then modulo 10 (weights 2 to 7 from the left).
    """
    if not _LPP_STEM.fullmatch(stem):
        return ""
    return str(sum(weight * int(digit) for weight, digit in zip(_LPP_WEIGHTS, stem, strict=True)) % 11 % 10)


def is_lpp(text: str) -> bool:
    """Tell whether this is an LPP code: 7 digits, the last one being the key."""
    return bool(_LPP.fullmatch(text)) and lpp_key(text[:6]) == text[6]


def is_ccam(text: str) -> bool:
    """Tell whether this has the shape of a CCAM act: 4 letters, 3 digits."""
    return bool(_CCAM.fullmatch(text))


def is_nabm(text: str) -> bool:
    """Tell whether this has the shape of an NABM act: 4 digits."""
    return bool(_NABM.fullmatch(text))
