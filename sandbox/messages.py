"""What passes between the ASGI application and a partner: one HTTP request, one reply."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """headers: lower-case names; peer: DER of the caller's certificate, None when it showed none."""

    method: str
    headers: dict[str, str]
    body: bytes
    peer: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """status, type and body of an answer, and how it leaves.

    delay: seconds before the first byte; keep_bytes: how many bytes of the body leave before the connection is cut,
    None = all; chunk: size of the chunks, 0 = one body of known length; close: cut without any answer; mix: seconds to
    wait for another answer to be confused with, 0 = never.
    """

    status: int
    content_type: str
    body: bytes
    delay: float = 0
    keep_bytes: int | None = None
    chunk: int = 0
    close: bool = False
    mix: float = 0
    headers: dict[str, str] = field(default_factory=dict)
