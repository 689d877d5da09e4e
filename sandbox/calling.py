"""The wire of the practice software: one HTTPS request, one answer or none."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import urlsplit

from norms.model import Service
from norms.wire.deposit import MEDIA_TYPE
from sandbox.capture import Capture, Heard
from sandbox.dropping import drop, is_folder

IDLE_SECONDS: Final = 1.0
"""A connection that rested longer is not used again; servers grant several seconds."""


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
    """Posts letters; those that a thread sends to one server in quick succession share a connection.

    limit: most bytes of an answer that are read; capture: where each exchange over HTTPS is written, None = nowhere.
    """

    def __init__(self, context: ssl.SSLContext, limit: int, capture: Capture | None = None) -> None:
        self._context, self._limit, self._capture = context, limit, capture
        self._kept = threading.local()

    def post(self, letter: Letter, seconds: float) -> Posted:
        """Return the answer, or `Posted(0)` when none came within `seconds`."""
        if letter.delay:
            time.sleep(letter.delay)
        if is_folder(letter.url):
            return self._hand_in(letter, seconds)
        heard = Heard(letter.url, _headers(letter.service), letter.body)
        try:
            return self._send(letter, heard, seconds)
        finally:
            if self._capture is not None:
                self._capture.add(heard)

    def _send(self, letter: Letter, heard: Heard, seconds: float) -> Posted:
        """Send a letter and note in `heard` what is sent and what comes back, and when."""
        place = urlsplit(letter.url)
        connection = self._connection(place.hostname or "", place.port, seconds)
        done = False
        try:
            body: bytes | Iterator[bytes] = _cut(letter.body, letter.chunk) if letter.chunk else letter.body
            if connection.sock is None:
                connection.connect()
            heard.reached("connect")
            connection.request("POST", place.path, body, heard.headers, encode_chunked=bool(letter.chunk))
            heard.reached("send")
            answer = connection.getresponse()
            heard.reached("wait")
            content = answer.read(self._limit + 1)
            heard.reached("receive")
            heard.answered(answer.status, answer.getheaders(), content)
            done = len(content) <= self._limit
            return Posted(answer.status, answer.getheader("content-type", ""), content)
        except (OSError, http.client.HTTPException) as error:
            heard.comment = type(error).__name__
            return Posted(0)
        finally:
            if not done:
                connection.close()
            self._kept.last = (connection, time.monotonic())

    def _connection(self, host: str, port: int | None, seconds: float) -> http.client.HTTPSConnection:
        """Return the connection that this thread has just used for that server, else a new one.

        One that has been idle longer may be closed by the server at the moment it is used: nobody could tell that from
        an answer that is withheld.
        """
        last, used = getattr(self._kept, "last", (None, 0.0))
        if last is not None and (last.host, last.port) == (host, port) and time.monotonic() - used < IDLE_SECONDS:
            last.timeout = seconds
            if last.sock is not None:
                last.sock.settimeout(seconds)
            return cast(http.client.HTTPSConnection, last)
        if last is not None:
            last.close()
        return http.client.HTTPSConnection(host, port, context=self._context, timeout=seconds)

    def rest(self) -> None:
        """Close the connection that this thread has kept."""
        last, _ = getattr(self._kept, "last", (None, 0.0))
        if last is not None:
            last.close()
        self._kept.last = (None, 0.0)

    def _hand_in(self, letter: Letter, seconds: float) -> Posted:
        """Put a deposit into a folder; its return counts as an answer of status 200."""
        try:
            body = drop(letter.url, letter.body, seconds, self._limit)
        except OSError:
            return Posted(0)
        return Posted(200, MEDIA_TYPE, body) if body is not None else Posted(0)


def _headers(service: Service) -> dict[str, str]:
    if service.carrier == "deposit":
        return {"Content-Type": MEDIA_TYPE}
    action = service.request.action
    if service.soap == "1.2":
        return {"Content-Type": f'application/soap+xml; charset=utf-8; action="{action}"'}
    return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}


def _cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))
