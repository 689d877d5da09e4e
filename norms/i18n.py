"""The language of messages that people read: French by default, English with POINCON_LANG=en.

The French sentence is the gettext message id; `norms/locale/en` holds the English catalogue.
"""

from __future__ import annotations

import gettext
import os
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).with_name("locale")


def language() -> str:
    """Return "en" when POINCON_LANG asks for English, else "fr"."""
    return "en" if os.environ.get("POINCON_LANG", "fr").lower().startswith("en") else "fr"


@cache
def _catalogue(lang: str) -> gettext.NullTranslations:
    if lang == "fr":
        return gettext.NullTranslations()
    return gettext.translation("poincon", LOCALE, [lang], fallback=True)


def tr(message: str, /, **values: object) -> str:
    """Return `message` (a French sentence with {named} places) in the reader's language, places filled."""
    text = _catalogue(language()).gettext(message)
    return text.format(**values) if values else text


def tr_in(lang: str, message: str, /, **values: object) -> str:
    """Like `tr`, in the language named ("fr" or "en"): for files whose bytes must not depend on the reader."""
    text = _catalogue(lang).gettext(message)
    return text.format(**values) if values else text
