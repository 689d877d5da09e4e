"""Instants as WS-Security and SAML write them: xs:dateTime in UTC, with a Z."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from norms.errors import SecurityRefusal
from norms.i18n import tr

_UTC: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


def write_instant(instant: datetime) -> str:
    """Return an aware date as text with milliseconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def read_instant(text: str, reason: str) -> datetime:
    """Return the aware date of a text; surrounding blanks are allowed. Raises SecurityRefusal(reason)."""
    text = text.strip()
    if not _UTC.fullmatch(text):
        raise SecurityRefusal(reason, tr("Date illisible ou sans « Z » : « {text} ».", text=text[:40]))
    try:
        return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00")
    except ValueError as error:
        raise SecurityRefusal(reason, tr("Date impossible : « {text} ».", text=text[:40])) from error
