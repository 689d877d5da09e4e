"""The listener alone, with limits small enough to be reached in a test."""

from __future__ import annotations

import gc
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from norms.errors import UsageError
from norms.model import Limits
from norms.wire.listener import Listener, Receive, Scope, Send, ServerTls
from sandbox.pki import TestPki

SMALL = Limits(body_bytes=10_000, header_count=20, header_bytes=2_000)
HASTY = Limits(body_bytes=10_000, header_count=20, header_bytes=2_000, header_seconds=0.3, body_seconds=0.4)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the TLS facts and the length of the body."""
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        more = message["more_body"]
    tls = scope["extensions"]["poincon.tls"]
    body = f"{size} {len(tls.get('peer') or b'')} {tls.get('version')} {tls.get('cipher')}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def server_tls(pki: TestPki, **changes: object) -> ServerTls:
    certificate, key = pki.amc_identities()["tls"]
    return ServerTls(certificate, key, (pki.authority,), (pki.revocations,), **changes)  # type: ignore[arg-type]


@pytest.fixture
def listener(pki: TestPki) -> Iterator[Listener]:
    with Listener(echo, "127.0.0.1", 0, server_tls(pki), SMALL) as running:
        yield running


@pytest.fixture
def hasty(pki: TestPki) -> Iterator[Listener]:
    """A listener that gives little time."""
    with Listener(echo, "127.0.0.1", 0, server_tls(pki), HASTY) as running:
        yield running


@contextmanager
def connected(pki: TestPki, listener: Listener, identity: str | None = "tls") -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=str(pki.authority))
    if identity:
        certificate, key = pki.laboratory_identities()[identity]
        context.load_cert_chain(certificate, key)
    with (
        socket.create_connection(listener.address, 10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        yield secure


def drained(secure: ssl.SSLSocket) -> bytes:
    received = b""
    try:
        while not complete(received) and (piece := secure.recv(65536)):
            received += piece
    except (ConnectionError, ssl.SSLError):
        pass
    return received


def complete(received: bytes) -> bool:
    """Tell whether a whole answer has come."""
    head, end, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: ([0-9]+)", head)
    return bool(end) and length is not None and len(body) >= int(length[1])


def status(received: bytes) -> int:
    return int(received.split(b" ", 2)[1]) if received else 0


def exchange(pki: TestPki, listener: Listener, *pieces: bytes) -> bytes:
    with connected(pki, listener) as secure:
        for piece in pieces:
            secure.sendall(piece)
        return drained(secure)


POST = b"POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"


def test_the_application_sees_the_peer_and_tls(pki: TestPki, listener: Listener) -> None:
    received = exchange(pki, listener, POST + b"Content-Length: 3\r\n\r\nabc")
    size, peer, version, cipher = received.rpartition(b"\r\n")[2].decode().split(" ")
    assert (size, version) == ("3", "TLSv1.3")
    assert (int(peer) > 500 and "AES" in cipher) or "CHACHA" in cipher


def test_one_connection_serves_many_requests(pki: TestPki, listener: Listener) -> None:
    with connected(pki, listener) as secure:
        for size in (0, 5, 900):
            secure.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
            received = b""
            while b"\r\n\r\n" not in received or not received.rpartition(b"\r\n")[2]:
                received += secure.recv(65536)
            assert received.rpartition(b"\r\n")[2].startswith(b"%d " % size)


def test_a_chunked_body_is_read(pki: TestPki, listener: Listener) -> None:
    received = exchange(pki, listener, POST + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n")
    assert received.rpartition(b"\r\n")[2].startswith(b"3 ")


@pytest.mark.parametrize(
    "data",
    [
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n",
        POST + b"Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde",
        POST + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        b"POST / HTTP/1.1\nHost: h\nContent-Length: 0\n\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Trailer: smuggled\r\n\r\n",
        b"\x16\x03\x01\x00\xa5 not http at all\r\n\r\n",
    ],
    ids=["cl-te", "double-cl", "obs-fold", "bare-lf", "bare-lf-chunk", "bad-chunk", "trailer", "garbage"],
)
def test_h01_ambiguous_requests_get_400_and_a_closed_connection(pki: TestPki, listener: Listener, data: bytes) -> None:
    received = exchange(pki, listener, data)
    assert status(received) == 400
    assert b"\r\nconnection: close\r\n" in received


def test_h01_a_second_request_before_the_answer_is_refused(pki: TestPki, listener: Listener) -> None:
    twice = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n" * 2
    assert status(exchange(pki, listener, twice)) == 400


def test_h02_a_head_that_never_ends_is_cut(pki: TestPki, hasty: Listener) -> None:
    assert status(exchange(pki, hasty, b"POST / HTTP/1.1\r\nHost: h\r\nX: ")) == 408


def test_h02_a_silent_connection_is_cut(pki: TestPki, hasty: Listener) -> None:
    assert status(exchange(pki, hasty)) == 408


def test_h02_a_body_that_stalls_is_cut(pki: TestPki, hasty: Listener) -> None:
    assert status(exchange(pki, hasty, POST + b"Content-Length: 100\r\n\r\nabc")) == 408


def test_h02_other_clients_are_served_meanwhile(pki: TestPki, listener: Listener) -> None:
    with connected(pki, listener) as slow, connected(pki, listener) as slower:
        slow.sendall(b"POST / HT")
        slower.sendall(POST + b"Content-Length: 100\r\n\r\na")
        assert status(exchange(pki, listener, POST + b"Content-Length: 1\r\n\r\na")) == 200


def test_h03_an_announced_oversize_body_gets_413_before_it_is_sent(pki: TestPki, listener: Listener) -> None:
    assert status(exchange(pki, listener, POST + b"Content-Length: 99999999\r\n\r\n")) == 413


def test_h03_an_endless_chunked_body_gets_413(pki: TestPki, listener: Listener) -> None:
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    assert status(exchange(pki, listener, POST + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 30)) == 413


def test_h03_endless_chunk_extensions_get_413(pki: TestPki, listener: Listener) -> None:
    start = POST + b"Transfer-Encoding: chunked\r\n\r\n1;"
    assert status(exchange(pki, listener, start, *[b"x" * 10_000] * 6)) in (400, 413)


def test_a_refused_connection_is_closed(pki: TestPki, hasty: Listener) -> None:
    with connected(pki, hasty) as secure:
        secure.sendall(b"GARBAGE\r\n\r\n" + POST + b"Content-Length: 0\r\n\r\n")
        assert status(drained(secure)) == 400
        assert secure.recv(100) == b""


def test_h03_a_lying_content_length_desynchronises_nothing(pki: TestPki, listener: Listener) -> None:
    received = exchange(pki, listener, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nabcdef\r\n\r\n")
    assert b"HTTP/1.1 200" not in received.partition(b"HTTP/1.1 400")[2]
    assert status(received) in (200, 400)


def test_h05_too_many_headers_get_431(pki: TestPki, listener: Listener) -> None:
    assert status(exchange(pki, listener, POST + b"X: 1\r\n" * 30 + b"\r\n")) == 431


def test_h05_too_long_headers_get_431(pki: TestPki, listener: Listener) -> None:
    assert status(exchange(pki, listener, POST + b"X: " + b"a" * 5000)) == 431


@pytest.mark.parametrize("identity", [None, "tls-expired", "tls-revoked", "tls-other-authority"])
def test_a_wrong_certificate_is_refused_in_the_handshake(
    pki: TestPki, listener: Listener, identity: str | None
) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)), connected(pki, listener, identity) as secure:
        secure.sendall(POST + b"Content-Length: 0\r\n\r\n")
        if not secure.recv(100):
            raise ConnectionResetError


def test_an_optional_certificate_may_be_absent(pki: TestPki) -> None:
    with (
        Listener(echo, "127.0.0.1", 0, server_tls(pki, client="optional"), SMALL) as lenient,
        connected(pki, lenient, None) as secure,
    ):
        secure.sendall(POST + b"Content-Length: 0\r\n\r\n")
        assert drained(secure).rpartition(b"\r\n")[2].startswith(b"0 0 ")


def test_tls_1_3_may_be_demanded(pki: TestPki) -> None:
    with Listener(echo, "127.0.0.1", 0, server_tls(pki, minimum="1.3"), SMALL) as strict:
        context = ssl.create_default_context(cafile=str(pki.authority))
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with socket.create_connection(strict.address, 10) as plain, pytest.raises(ssl.SSLError):
            context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_an_address_in_use_is_named(pki: TestPki, listener: Listener) -> None:
    other = Listener(echo, *listener.address, server_tls(pki), SMALL)
    with pytest.raises(UsageError, match=str(listener.address[1])):
        other.start()


def test_stop_frees_the_port_and_cuts_connections(pki: TestPki) -> None:
    running = Listener(echo, "127.0.0.1", 0, server_tls(pki), SMALL)
    running.start()
    with connected(pki, running) as secure:
        secure.sendall(b"POST / HT")
        stopping = threading.Thread(target=running.stop)
        stopping.start()
        assert status(drained(secure)) in (0, 408)
        stopping.join(10)
    again = Listener(echo, *running.address, server_tls(pki), SMALL)
    again.start()
    again.stop()
    again.stop()
    gc.collect()


def test_without_tls_it_speaks_plain_http_to_as_many_as_it_may() -> None:
    ask = b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n\r\nabcd"
    with Listener(echo, "127.0.0.1", 0, None, SMALL, most_at_once=1) as running:
        assert running.base == f"http://127.0.0.1:{running.address[1]}"
        with socket.create_connection(running.address, 10) as first:
            first.sendall(ask)
            assert first.recv(65536).startswith(b"HTTP/1.1 200")
            with socket.create_connection(running.address, 10) as second:
                second.sendall(ask)
                assert second.recv(65536).startswith(b"HTTP/1.1 503")
