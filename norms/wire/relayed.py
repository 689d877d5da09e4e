"""The mark of a message that the relay carried: whoever records it can tell, and nothing of it is ever certified.

Source: docs/formats/relay.md, "The mark".
"""

from __future__ import annotations

import re
from typing import Final

HEADER: Final = "Poincon-Relay"
"""HTTP header field of every request that the relay carries and of every answer that it hands back."""
VALUE: Final = "1"
_MARK: Final = re.compile(rb"^poincon-relay[ \t]*:", re.IGNORECASE | re.MULTILINE)


def bears_mark(message: bytes) -> bool:
    """Tell whether the head of a raw HTTP message bears the relay's header, whatever its value."""
    return _MARK.search(message.partition(b"\r\n\r\n")[0]) is not None
