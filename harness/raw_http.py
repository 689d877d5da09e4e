"""Requests that no HTTP library would send: bytes as given on a fresh connection, the answer read strictly.

h11 reads the answer (the parser under httpcore2), so that both ways of sending judge an answer alike.
"""

from __future__ import annotations

import h11
import httpcore2

from harness.http_message import BodyMeter
from harness.network import ExchangeFailure, TeeStream

_READ = 65_536
_INCOMPLETE_HEAD = 100 * 1024


def send_raw(stream: TeeStream, request: bytes, method: str, response_bytes: int) -> None:
    """Send `request` and read one complete answer; both stay in `stream`. Raises ExchangeFailure.

    method: what the request's first line says (an answer to HEAD has no body); response_bytes: cap on raw and on
    inflated bytes of the answer.
    """
    try:
        stream.write(request)
    except httpcore2.WriteError:
        # As in the stream itself: an early answer counts.
        pass
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=_INCOMPLETE_HEAD)
    parser.send(h11.Request(method=method, target="/", headers=[("Host", "unused")]))
    parser.send(h11.EndOfMessage())
    meter: BodyMeter | None = None
    try:
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                data = stream.read(_READ)
                if not data and not stream.received:
                    raise ExchangeFailure("reset", "closed without an answer")
                parser.receive_data(data)
            elif isinstance(event, h11.Response):
                stream.limit = response_bytes
                meter = BodyMeter(event.headers.raw_items(), response_bytes)
            elif isinstance(event, h11.Data):
                if meter is not None:
                    meter.feed(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) or event is h11.PAUSED:
                return
            elif isinstance(event, h11.ConnectionClosed):
                raise ExchangeFailure("reset", "closed before a complete answer")
    except h11.RemoteProtocolError as error:
        raise broken(stream, str(error)) from error


def broken(stream: TeeStream, what: str) -> ExchangeFailure:
    """Return the failure for bytes that HTTP cannot read: a cut answer ("reset") or none at all ("bad-http")."""
    looks_like_http = bytes(stream.received[:5]) == b"HTTP/"
    if stream.closed_by_peer and (looks_like_http or not stream.received):
        return ExchangeFailure("reset", f"closed before a complete answer: {what}")
    return ExchangeFailure("bad-http", what)
