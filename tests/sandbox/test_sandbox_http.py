"""The simulator at the HTTP boundary: what the norm's refusals say, and attacks H01–H05 against the whole sandbox."""

from __future__ import annotations

import gzip

import pytest
from sandbox_caller import Caller

from norms.wire.soap import serialize


def test_a_right_request_is_answered(caller: Caller) -> None:
    answer = caller.call("IDB")
    assert (answer.status, answer.text("Code")) == (200, "00")
    assert answer.headers["content-type"].startswith("application/soap+xml")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_another_method_is_405(caller: Caller, method: str) -> None:
    answer = caller.post("IDB", b"", method=method)
    assert (answer.status, answer.error, answer.headers["allow"]) == (405, "HTT-01", "POST")


@pytest.mark.parametrize("media", ["text/xml", "application/json", "multipart/related", ""])
def test_another_media_type_is_415(caller: Caller, media: str) -> None:
    answer = caller.post("IDB", caller.secured("IDB", caller.message("IDB")), headers={"Content-Type": media})
    assert (answer.status, answer.error) == (415, "HTT-02")


def test_h04_a_compressed_body_is_refused_unopened(caller: Caller) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    answer = caller.post("IDB", bomb, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.error) == (415, "HTT-02")


def test_h03_a_body_over_the_limit_is_413(caller: Caller) -> None:
    body = b"POST /ville/1.1/idb HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n"
    assert caller.raw("IDB", body).startswith(b"HTTP/1.1 413 ")


def test_h03_a_norm_may_have_a_lower_limit_than_its_neighbour(directory: Caller) -> None:
    answer = directory.post("ADR", b" " * 300_000, identity="tls-software")
    assert (answer.status, answer.error) == (413, "HTT-04")


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 4\r\nContent-Length: 9\r\n",
        b"X: a\r\n b\r\nContent-Length: 0\r\n",
    ],
)
def test_h01_smuggling_is_refused_by_the_sandbox(caller: Caller, head: bytes) -> None:
    request = b"POST /ville/1.1/idb HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n"
    assert caller.raw("IDB", request).startswith(b"HTTP/1.1 400 ")


def test_h02_a_slow_caller_does_not_hold_the_others(caller: Caller) -> None:
    place = caller.context()
    import socket
    from urllib.parse import urlsplit

    target = urlsplit(caller.url("IDB"))
    with (
        socket.create_connection((target.hostname or "", target.port or 0), 10) as plain,
        place.wrap_socket(plain, server_hostname=target.hostname) as slow,
    ):
        slow.sendall(b"POST /ville/1.1/idb HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n<")
        assert caller.call("IDB").status == 200


@pytest.mark.parametrize(
    "path", [b"/", b"/ville/1.1/idb/../clc", b"/w/other/ville/1.1/idb", b"/%2e%2e/%2e%2e/etc/passwd", b"/ville/1.1/IDB"]
)
def test_h05_an_unknown_path_is_404(caller: Caller, path: bytes) -> None:
    request = b"POST " + path + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert caller.raw("IDB", request).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("path", [b"/ville\0", b"/ville%00", b"http://h/ville/1.1/idb"])
def test_h05_a_path_that_readers_take_differently_is_400(caller: Caller, path: bytes) -> None:
    request = b"POST " + path + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    assert caller.raw("IDB", request).startswith(b"HTTP/1.1 400 ")


def test_one_connection_carries_several_calls(caller: Caller) -> None:
    from http.client import HTTPSConnection
    from urllib.parse import urlsplit

    place = urlsplit(caller.url("IDB"))
    connection = HTTPSConnection(place.hostname or "", place.port, context=caller.context(), timeout=20)
    for _ in range(3):
        body = caller.secured("IDB", caller.message("IDB"))
        connection.request("POST", place.path, body, {"Content-Type": "application/soap+xml"})
        response = connection.getresponse()
        assert (response.status, b"Orientation" in response.read()) == (200, True)
    connection.close()


def test_soap_1_1_faults_travel_with_500(directory: Caller) -> None:
    answer = directory.post("ADR", b"<a/>", identity="tls-software")
    assert (answer.status, answer.text("faultcode"), answer.error) == (500, "soapenv:Client", "SOA-01")


def test_soap_1_1_asks_for_its_action_header(directory: Caller) -> None:
    answer = directory.post(
        "ADR", serialize(directory.message("ADR")), identity="tls-software", headers={"SOAPAction": '"urn:other"'}
    )
    assert answer.error == "HTT-03"
