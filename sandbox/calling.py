"""The wire of the practice software: one HTTPS request, one answer or none."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from norms.model import Service


@dataclass(frozen=True, slots=True)
class Letter:
    """A request to post. delay: seconds before it leaves; chunk: size of the chunks, 0 = one body of known length."""

    url: str
    service: Service
    body: bytes
    delay: float = 0
    chunk: int = 0


@dataclass(frozen=True, slots=True)
class Posted:
    """What came back. status 0 = nothing: silence, a cut connection, or something that is not HTTP."""

    status: int
    content_type: str = ""
    body: bytes = b""


class Caller:
    """Posts letters, each on a connection of its own. limit: most bytes of an answer that are read."""

    def __init__(self, context: ssl.SSLContext, limit: int) -> None:
        self._context, self._limit = context, limit

    def post(self, letter: Letter, seconds: float) -> Posted:
        """Return the answer, or `Posted(0)` when none came within `seconds`."""
        if letter.delay:
            time.sleep(letter.delay)
        place = urlsplit(letter.url)
        connection = http.client.HTTPSConnection(
            place.hostname or "", place.port, context=self._context, timeout=seconds
        )
        try:
            body: bytes | Iterator[bytes] = _cut(letter.body, letter.chunk) if letter.chunk else letter.body
            connection.request("POST", place.path, body, _headers(letter.service), encode_chunked=bool(letter.chunk))
            answer = connection.getresponse()
            return Posted(answer.status, answer.getheader("content-type", ""), answer.read(self._limit + 1))
        except (OSError, http.client.HTTPException):
            return Posted(0)
        finally:
            connection.close()


def _headers(service: Service) -> dict[str, str]:
    action = service.request.action
    if service.soap == "1.2":
        return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
    return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}


def _cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))
