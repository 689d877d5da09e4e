"""Endpoints that must not be trusted: each gets an outcome within the deadline + 1 s, in bounded memory."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
import time
import tracemalloc
import zlib
from pathlib import Path

import pytest

from harness.client_port import ClientPort, WireResult
from harness.network import Deadline, ExchangeFailure, Resolver, TlsClient
from tests.harness.servers import OK, Handler, answering, make_pki, read_request, server_context, serving
from tests.harness.test_client_port import post

DEADLINE = 0.6
CAP = 1_000_000


def call(url: str, tls: TlsClient | None = None, *, raw: bool = False) -> WireResult:
    port = ClientPort(DEADLINE, CAP)
    started = time.monotonic()
    request = post(url)
    result = port.send(
        request, tls, raw=b"POST /s HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n<x/>" if raw else None
    )
    port.close()
    assert time.monotonic() - started < DEADLINE + 1
    return result


def dripping(prefix: bytes, piece: bytes) -> Handler:
    def handle(sock, stop):
        read_request(sock)
        sock.sendall(prefix)
        while not stop.wait(0.02):
            sock.sendall(piece)

    return handle


def flooding(prefix: bytes, piece: bytes) -> Handler:
    def handle(sock, stop):
        read_request(sock)
        sock.sendall(prefix)
        while not stop.is_set():
            sock.sendall(piece)

    return handle


def once(answer: bytes) -> Handler:
    def handle(sock, stop):
        read_request(sock)
        sock.sendall(answer)

    return handle


def mute(sock: socket.socket, stop: threading.Event) -> None:
    stop.wait()


def reset(sock: socket.socket, stop: threading.Event) -> None:
    read_request(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def half_closed(sock: socket.socket, stop: threading.Event) -> None:
    read_request(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    sock.shutdown(socket.SHUT_WR)
    stop.wait()


def bomb(size: int) -> bytes:
    body = gzip.compress(b"\0" * size, mtime=0)
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def deflate_bomb(size: int) -> bytes:
    body = zlib.compress(b"\0" * size, 9)
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(body) + body


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HOSTILE: dict[str, tuple[Handler, set[str]]] = {
    "T02-drip-head": (dripping(b"", b"H"), {"timeout", "bad-http"}),
    "T02-drip-header-lines": (dripping(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n"), {"timeout"}),
    "T02-drip-body": (dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"z"), {"timeout"}),
    "T02-drip-chunks": (dripping(CHUNKED, b"1\r\nz\r\n"), {"timeout"}),
    "T02-mute": (mute, {"timeout"}),
    "T02-endless-header-lines": (flooding(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000), {"too-large", "bad-http"}),
    "T02-endless-header-line": (flooding(b"HTTP/1.1 200 OK\r\nx: ", b"y" * 8192), {"too-large", "bad-http"}),
    "T02-endless-body": (flooding(b"HTTP/1.1 200 OK\r\n\r\n", b"z" * 65536), {"too-large"}),
    "T02-endless-chunks": (flooding(CHUNKED, b"1000\r\n" + b"z" * 4096 + b"\r\n"), {"too-large"}),
    "T02-endless-chunk-extension": (flooding(CHUNKED + b"1;", b"e" * 4096), {"too-large", "bad-http"}),
    "T02-endless-interim-answers": (flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 200), {"too-large"}),
    "T01-gzip-bomb": (once(bomb(300_000_000)), {"too-large"}),
    "T01-deflate-bomb": (once(deflate_bomb(300_000_000)), {"too-large"}),
    "T01-gzip-that-is-none": (once(OK.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")), {"answered"}),
    "reset": (reset, {"reset"}),
    "half-close": (half_closed, {"reset"}),
    "close-without-answer": (lambda sock, stop: None, {"reset"}),
    "garbage": (once(b"\x00\xff garbage \r\n\r\n\x1b[31m"), {"bad-http"}),
    "garbage-without-end": (once(b"SSH-2.0-OpenSSH_9.7"), {"bad-http"}),
    "other-protocol": (once(b"HTTP/9.9 abc def\r\n\r\n"), {"bad-http"}),
    "contrary-lengths": (once(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n<a/>"), {"bad-http"}),
    "negative-length": (once(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n<a/>"), {"bad-http"}),
    "bad-chunk": (once(CHUNKED + b"zz\r\nhello\r\n"), {"bad-http"}),
    "cut-chunk": (once(CHUNKED + b"5\r\nhe"), {"reset"}),
}


@pytest.mark.parametrize("raw", [False, True], ids=["plain", "raw"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_endpoint_gets_an_outcome_in_time(name: str, raw: bool):
    handler, outcomes = HOSTILE[name]
    with serving(handler) as server:
        result = call(server.url, raw=raw)
    assert result.outcome in outcomes, (result.outcome, result.detail)
    assert len(result.received) <= CAP
    assert (result.detail != "") == (result.outcome != "answered")


@pytest.mark.parametrize("name", ["T01-gzip-bomb", "T02-endless-body", "T02-endless-header-line"])
def test_t01_t02_memory_stays_bounded(name: str):
    with serving(HOSTILE[name][0]) as server:
        tracemalloc.start()
        try:
            call(server.url)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 20_000_000


@pytest.mark.parametrize(
    "location", ["http://127.0.0.1:1/", "http://169.254.169.254/latest", "file:///etc/passwd", "/service"]
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_t03_a_redirect_is_an_answer_and_never_followed(location: str, status: int):
    answer = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    with serving(answering(answer)) as server:
        result = call(server.url)
        assert server.connections == 1
    assert (result.outcome, result.received) == ("answered", answer)


def test_t04_a_name_is_resolved_once_for_the_run(monkeypatch: pytest.MonkeyPatch):
    answers = iter(["127.0.0.1", "169.254.169.254"])
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, **_: [(0, 0, 0, "", (next(answers), port))])
    resolver = Resolver()
    first = resolver.resolve("http", "rebinding.example", 80, Deadline(1))
    assert first.ip == "127.0.0.1"
    assert resolver.resolve("http", "rebinding.example", 80, Deadline(1)) == first


def test_t04_a_name_with_several_addresses_keeps_the_one_that_answers(monkeypatch: pytest.MonkeyPatch):
    with serving(answering(OK)) as server:
        number = int(server.url.rpartition(":")[2].partition("/")[0])
        found = [(0, 0, 0, "", (address, number)) for address in ("127.0.0.2", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with monkeypatch.context() as patched:
            real = socket.create_connection

            def only_the_second(address, **more):
                if address[0] == "127.0.0.2":
                    raise ConnectionRefusedError
                monkeypatch.undo()
                return real(address, **more)

            patched.setattr(socket, "create_connection", only_the_second)
            assert Resolver().resolve("http", "two.example", number, Deadline(2)).ip == "127.0.0.1"


def test_t02_a_resolver_that_hangs_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch):
    release = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        release.wait(10)
        raise OSError("released")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(ExchangeFailure) as caught:
        Resolver().resolve("http", "slow.example", 80, Deadline(0.2))
    release.set()
    assert caught.value.outcome == "timeout"


def test_unknown_name_and_closed_port_are_refused():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
    assert call(f"http://127.0.0.1:{number}/").outcome == "refused"
    assert call("http://name.invalid/").outcome == "refused"


class TestT05InvalidTls:
    """T05: never a silent fall-back to an insecure connection; the outcome is "tls" with the reason."""

    def test_self_signed_or_unknown_authority(self, tmp_path: Path):
        pki, other = make_pki(tmp_path), make_pki(_sub(tmp_path, "other"))
        with serving(answering(OK), other.server) as server:
            result = call(server.url, pki.client)
        assert result.outcome == "tls" and "certificate of the server refused" in result.detail
        assert result.sent == b""

    def test_no_authority_configured_trusts_nobody(self, tmp_path: Path):
        pki = make_pki(tmp_path)
        with serving(answering(OK), pki.server) as server:
            assert call(server.url, TlsClient()).outcome == "tls"

    def test_wrong_name(self, tmp_path: Path):
        pki = make_pki(tmp_path)
        with serving(answering(OK), server_context(pki.authority, "other.example")) as server:
            result = call(server.url, pki.client)
        assert result.outcome == "tls" and "certificate of the server refused" in result.detail

    def test_expired(self, tmp_path: Path):
        from datetime import UTC, datetime

        pki = make_pki(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pki.authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)).configure_cert(context)
        with serving(answering(OK), context) as server:
            result = call(server.url, pki.client)
        assert result.outcome == "tls" and "expired" in result.detail

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
    def test_server_that_only_speaks_tls_1_0(self, tmp_path: Path):
        pki = make_pki(tmp_path)
        pki.server.set_ciphers("ALL:@SECLEVEL=0")
        pki.server.minimum_version = pki.server.maximum_version = ssl.TLSVersion.TLSv1
        with serving(answering(OK), pki.server) as server:
            assert call(server.url, pki.client).outcome == "tls"

    def test_server_that_only_has_weak_ciphers(self, tmp_path: Path):
        pki = make_pki(tmp_path)
        pki.server.maximum_version = ssl.TLSVersion.TLSv1_2
        pki.server.set_ciphers("AES128-SHA:@SECLEVEL=0")
        with serving(answering(OK), pki.server) as server:
            assert call(server.url, pki.client).outcome == "tls"

    def test_plain_http_behind_https(self):
        def plain(sock: socket.socket, stop: threading.Event) -> None:
            sock.recv(65536)
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        with serving(plain) as server:
            result = call(server.url.replace("http:", "https:"), TlsClient())
        assert result.outcome == "tls"

    def test_handshake_that_never_ends(self):
        with serving(mute) as server:
            assert call(server.url.replace("http:", "https:"), TlsClient()).outcome == "timeout"

    def test_handshake_that_drips(self):
        def drip(sock: socket.socket, stop: threading.Event) -> None:
            sock.recv(65536)
            sock.sendall(b"\x16\x03\x03\x40\x00")
            while not stop.wait(0.02):
                sock.sendall(b"\0")

        with serving(drip) as server:
            assert call(server.url.replace("http:", "https:"), TlsClient()).outcome in ("timeout", "tls")

    def test_handshake_cut(self):
        with serving(lambda sock, stop: sock.recv(10) and None) as server:
            assert call(server.url.replace("http:", "https:"), TlsClient()).outcome == "tls"

    def test_an_offer_of_tls_1_1_is_refused_by_a_modern_server(self, tmp_path: Path):
        from dataclasses import replace

        pki = make_pki(tmp_path)
        with serving(answering(OK), pki.server) as server:
            result = call(server.url, replace(pki.client, maximum="1.1"))
        assert result.outcome == "tls" and "version" in result.detail


def test_an_early_refusal_of_a_large_body_is_read(tmp_path: Path):
    def refuse(sock: socket.socket, stop: threading.Event) -> None:
        sock.recv(1000)
        sock.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        stop.wait()

    with serving(refuse) as server:
        port = ClientPort(3)
        result = port.send(post(server.url, b"x" * 20_000_000), None)
    assert result.outcome == "answered" and result.received.startswith(b"HTTP/1.1 413")
    assert len(result.sent) < 20_000_000


def test_t02_a_peer_that_never_reads_a_large_body_ends_with_the_deadline():
    with serving(mute) as server:
        port = ClientPort(DEADLINE, CAP)
        started = time.monotonic()
        result = port.send(post(server.url, b"x" * 20_000_000), None)
        assert time.monotonic() - started < DEADLINE + 1
    assert (result.outcome, result.received) == ("timeout", b"")


def _sub(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name
