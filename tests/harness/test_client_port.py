"""The client port on a well-behaved server: bytes kept as they went, connections kept, TLS facts."""

from __future__ import annotations

import hashlib
import ssl
import threading
from pathlib import Path

import pytest

from harness.client_port import ClientPort
from harness.errors import CannotRun
from harness.http_message import HttpRequest, render
from harness.network import TlsClient
from tests.harness.servers import OK, answering, make_pki, read_request, serving


def post(url: str, body: bytes = b"<x/>") -> HttpRequest:
    return HttpRequest(url, "POST", "/service", (("Content-Type", "application/soap+xml; charset=utf-8"),), body)


def test_records_both_directions_exactly_as_on_the_wire():
    seen: list[bytes] = []

    def handler(sock, stop):
        seen.append(read_request(sock))
        sock.sendall(
            b"HTTP/1.1 100 Continue\r\n\r\n"
            b"HTTP/1.1 200 OK\r\ntransfer-ENCODING: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\n\r\n"
        )

    with serving(handler) as server:
        port = ClientPort(5)
        result = port.send(post(server.url, b"<hello/>"), None)
        port.close()
    assert result.outcome == "answered"
    assert result.sent == seen[0] and result.sent.endswith(b"\r\n\r\n<hello/>")
    assert result.received.startswith(b"HTTP/1.1 100 Continue") and result.received.endswith(
        b"2;x=y\r\nab\r\n0\r\n\r\n"
    )
    assert result.duration_ms > 0 and result.sent_at <= result.received_at


def test_keeps_the_connection_and_separates_the_exchanges():
    with serving(answering(OK)) as server:
        port = ClientPort(5)
        results = [port.send(post(server.url, f"<n{number}/>".encode()), None) for number in range(3)]
        port.close()
        assert server.connections == 1
    assert [result.sent.rpartition(b"\r\n")[2] for result in results] == [b"<n0/>", b"<n1/>", b"<n2/>"]
    assert {result.received for result in results} == {OK}


def test_a_fresh_exchange_uses_its_own_connection():
    with serving(answering(OK)) as server:
        port = ClientPort(5)
        port.send(post(server.url), None)
        port.send(post(server.url), None, fresh=True)
        port.send(post(server.url), None)
        port.close()
        assert server.connections == 2


def test_a_kept_connection_closed_without_a_word_is_stale_and_nothing_is_sent_twice():
    def handler(sock, stop):
        read_request(sock)
        sock.sendall(OK)
        read_request(sock)  # takes the second request and closes without a word

    with serving(handler) as server:
        port = ClientPort(5)
        results = [port.send(post(server.url, f"<n{number}/>".encode()), None) for number in range(3)]
        port.close()
        assert server.connections == 2
    assert [(result.outcome, result.stale) for result in results] == [
        ("answered", False),
        ("reset", True),
        ("answered", False),
    ]
    assert [result.sent.count(b"<n") for result in results] == [1, 1, 1]


def test_a_fresh_connection_closed_without_answer_is_a_reset_and_not_repeated():
    with serving(lambda sock, stop: read_request(sock) and None) as server:
        port = ClientPort(5)
        result = port.send(post(server.url), None)
        assert (result.outcome, result.received, server.connections) == ("reset", b"", 1)
        assert result.sent.endswith(b"<x/>")


def test_tls_facts_name_both_certificates(tmp_path: Path):
    pki = make_pki(tmp_path)
    with serving(answering(OK), pki.server) as server:
        port = ClientPort(5)
        result = port.send(post(server.url), pki.client)
        port.close()
    assert result.outcome == "answered"
    assert result.tls.version == "TLSv1.3" and result.tls.cipher.startswith("TLS_")
    client = ssl.PEM_cert_to_DER_cert(
        (tmp_path / "client.pem").read_text().partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----"
    )
    assert result.tls.client == hashlib.sha256(client).hexdigest()
    assert len(result.tls.peer) == 64 and result.tls.peer != result.tls.client


def test_each_tls_identity_has_its_own_connections(tmp_path: Path):
    pki = make_pki(tmp_path)
    bare = TlsClient(authorities=pki.client.authorities)
    with serving(answering(OK), pki.server) as server:
        port = ClientPort(5)
        assert port.send(post(server.url), pki.client).outcome == "answered"
        refused = port.send(post(server.url), bare)
        assert port.send(post(server.url), pki.client).outcome == "answered"
        port.close()
    assert refused.outcome == "tls" and refused.tls.client == ""
    assert refused.detail == "tlsv13 alert certificate required"


def test_raw_bytes_go_out_unchanged():
    with serving(answering(OK)) as server:
        raw = render("POST", "/service", (("Host", "h"), ("content-LENGTH", "4"), ("X-Odd", " twice  ")), b"<x/>")
        result = ClientPort(5).send(post(server.url), None, raw=raw)
    assert (result.outcome, result.sent, result.received) == ("answered", raw, OK)


def test_threads_share_the_port():
    with serving(answering(OK)) as server:
        port = ClientPort(5)
        bodies: list[bytes] = []

        def work(number: int) -> None:
            for turn in range(10):
                body = f"<n{number}-{turn}/>".encode()
                result = port.send(post(server.url, body), None)
                if result.outcome == "answered" and result.sent.endswith(body):
                    bodies.append(body)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        port.close()
        assert len(bodies) == 80 and server.connections <= 8


@pytest.mark.parametrize("url", ["file:///etc/hosts", "ftp://h/x", "https://", "http://h:notaport/", "nonsense"])
def test_an_address_that_is_not_http_is_never_called(url: str):
    with pytest.raises(CannotRun):
        ClientPort(5).send(post(url), None)


def test_an_unusable_identity_is_said_and_never_replaced(tmp_path: Path):
    (tmp_path / "broken.pem").write_text("not a certificate")
    with serving(answering(OK)) as server, pytest.raises(CannotRun):
        client = TlsClient("broken", tmp_path / "broken.pem", tmp_path / "broken.pem")
        ClientPort(5).send(post(server.url.replace("http:", "https:")), client)
