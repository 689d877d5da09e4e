"""One request carried over mutual TLS, and its answer brought back as it came: under one deadline, within one limit.

What the other side breaks (an answer cut half way, none at all) is brought back broken. What could not be carried is
`NotCarried`. h11 reads the answer; nothing is repeated, decoded or redirected.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

import h11

from norms.i18n import tr

ANSWER_BYTES: Final = 8 * 1024 * 1024
Fields = Sequence[tuple[bytes, bytes]]
_HEAD_BYTES: Final = 65_536
_PIECE: Final = 65_536
_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"content-length",
        b"expect",
        b"host",
    }
)
"""Header fields of one connection (RFC 9110 §7.6.1) and those that each side of the relay writes itself."""


class NotCarried(Exception):  # noqa: N818 - an outcome of the network, told to whoever asked
    """No answer can be brought back. status: HTTP status that says so (502, 504); what: for people."""

    def __init__(self, status: int, what: str) -> None:
        self.status, self.what = status, what
        super().__init__(what)


@dataclass(frozen=True)
class Answer:
    """What came back. status 0 = nothing before the connection was cut; whole: False = cut within the body.

    headers: as received, without those of the connection; length: bytes the body was announced to have, -1 = not said.
    """

    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    whole: bool = False
    length: int = -1


def end_to_end(headers: Fields) -> tuple[tuple[bytes, bytes], ...]:
    """Return the header fields that travel on, in their order."""
    return tuple((name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP)


async def carry(url: str, headers: Fields, body: bytes, tls: ssl.SSLContext, seconds: float) -> Answer:
    """Post `body` and return the answer. headers: of the request, those of the connection excluded.

    seconds: for everything together. Raises NotCarried.
    """
    place = urlsplit(url)
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await _connected(place, tls)
            try:
                return await _exchanged(reader, writer, place, headers, body)
            finally:
                writer.transport.abort()
    except TimeoutError as late:
        raise NotCarried(
            504,
            tr(
                "« {host} » n'a pas donné de réponse complète en {seconds} s.",
                host=place.netloc,
                seconds=f"{seconds:g}",
            ),
        ) from late


async def _connected(place: SplitResult, tls: ssl.SSLContext) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_connection(place.hostname, place.port or 443, ssl=tls)
    except ssl.SSLCertVerificationError as refused:
        raise NotCarried(
            502,
            tr(
                "Le certificat que présente « {host} » n'est pas accepté ({why}). "
                "Vérifiez l'adresse, ou donnez son autorité avec --authority.",
                host=place.netloc,
                why=refused.verify_message,
            ),
        ) from refused
    except ssl.SSLError as failed:
        raise _tls_failed(place, failed) from failed
    except (OSError, UnicodeError) as failed:
        why = (failed.strerror if isinstance(failed, OSError) else "") or str(failed)
        raise NotCarried(502, tr("« {host} » n'est pas joignable : {why}.", host=place.netloc, why=why)) from failed


async def _exchanged(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: SplitResult, headers: Fields, body: bytes
) -> Answer:
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)
    target = (place.path or "/") + (f"?{place.query}" if place.query else "")
    own = [(b"Host", place.netloc.encode("ascii")), (b"Content-Length", b"%d" % len(body))]
    head = http.send(h11.Request(method="POST", target=target, headers=[*own, *headers])) or b""
    writer.write(head + (http.send(h11.Data(data=body)) or b""))
    http.send(h11.EndOfMessage())
    answer = Answer()
    received = bytearray()
    try:
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(_PIECE))
            elif isinstance(event, h11.Response):
                fields = tuple(event.headers.raw_items())
                answer = Answer(event.status_code, end_to_end(fields), length=_announced(fields))
            elif isinstance(event, h11.Data):
                received += event.data
                if len(received) > ANSWER_BYTES:
                    raise NotCarried(
                        502,
                        tr("La réponse de « {host} » dépasse {limit} octets.", host=place.netloc, limit=ANSWER_BYTES),
                    )
            elif isinstance(event, h11.EndOfMessage) or event is h11.PAUSED:
                return _with(answer, received, whole=True)
            elif isinstance(event, h11.ConnectionClosed):
                return _with(answer, received, whole=False)
    except h11.RemoteProtocolError as broken:
        if not answer.status and not reader.at_eof():
            raise NotCarried(
                502, tr("Ce que répond « {host} » n'est pas du HTTP : {why}.", host=place.netloc, why=broken)
            ) from broken
        return _with(answer, received, whole=False)
    except ssl.SSLError as failed:
        raise _tls_failed(place, failed) from failed
    except OSError:
        return _with(answer, received, whole=False)


def _with(answer: Answer, received: bytearray, *, whole: bool) -> Answer:
    return Answer(answer.status, answer.headers, bytes(received), whole, answer.length)


def _announced(fields: Fields) -> int:
    return next((int(value) for name, value in fields if name.lower() == b"content-length"), -1)


def _tls_failed(place: SplitResult, failed: ssl.SSLError) -> NotCarried:
    why = (failed.reason or str(failed)).replace("_", " ").lower()
    return NotCarried(
        502,
        tr(
            "TLS échoue avec « {host} » ({why}) : le certificat du relais y est-il reconnu ?",
            host=place.netloc,
            why=why,
        ),
    )
