"""The language of messages that people read: French by default, English with POINCON_LANG=en.

The French sentence is the gettext message id; `norms/locale/en` holds the English catalogue.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).with_name("locale")
_imposed: ContextVar[str] = ContextVar("imposed language", default="")


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    """Impose a language ("fr" or "en") on what is said inside: for files whose bytes must not depend on the reader."""
    token = _imposed.set(lang)
    try:
        yield
    finally:
        _imposed.reset(token)


def language() -> str:
    """Return the language imposed by `speaking`, else "en" when POINCON_LANG asks for English, else "fr"."""
    if imposed := _imposed.get():
        return imposed
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


def mark(message: str) -> str:
    """Return the French sentence itself: a literal for the catalogue whose places are filled later, by the reader."""
    return message
