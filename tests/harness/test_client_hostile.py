"""Role client: what clumsy and hostile products send is told clearly; the session and its neighbours live on."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from msgspec.structs import replace

from harness import session
from harness.driver import Outcome
from harness.evidence import read_run, verify_evidence
from harness.record import MOST_ARRIVALS, Told
from harness.rejudge import rejudge
from harness.run import RunOptions, run
from norms.model import Limits, Norm
from scenarios.model import Case, Expectation, Step
from tests.harness.hostile import HEAD, MESSAGE, TYPE, Action, Hostile, Played, post, send
from tests.harness.lab import REQUEST, case, make_norm, make_suite
from tests.harness.machine import ASK, Machine, declared, write_keys

REST = Step(quiet_seconds=0.1, line=2)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    authority = write_keys(folder)
    trustme.CA().cert_pem.write_to_path(str(folder / "other-ca.pem"))
    second = authority.issue_cert("second@example.org")
    (folder / "second.pem").write_bytes(b"".join(blob.bytes() for blob in second.cert_chain_pems))
    second.private_key_pem.write_to_path(str(folder / "second.key"))
    return folder


@pytest.fixture(scope="module")
def norm(tmp_path_factory: pytest.TempPathFactory) -> Norm:
    """The trial norm, whose listeners have little patience and take small bodies."""
    found = make_norm(tmp_path_factory.mktemp("norms"))
    limits = Limits(body_bytes=20_000, header_seconds=0.4, body_seconds=0.6)
    return replace(found, security=replace(found.security, limits=limits))


@pytest.fixture
def play(norm: Norm, keys: Path, tmp_path: Path) -> Callable[..., Played]:
    def played(action: Action, *cases: Case) -> Played:
        product = Hostile(keys, action)
        own = cases or (case(1, ASK, role="client"),)
        suite = make_suite(norm, *own, case(2, ASK, role="client"), role="client")
        lent = declared(keys)
        apart = replace(lent, laboratory=replace(lent.laboratory, session="case"))
        run(RunOptions(apart, suite, norm, tmp_path / "r", jobs=2, preflight=False, operator=product))
        assert verify_evidence(tmp_path / "r") == []
        verdicts = read_run(tmp_path / "r").verdicts
        assert verdicts is not None
        first, neighbour, *_ = verdicts.cases
        assert neighbour.verdict == "pass"
        return Played(first, neighbour, product.seen, tmp_path / "r")

    return played


# --- legal, if unusual


@pytest.mark.parametrize(
    "request_of",
    [
        lambda path: b"POST %s HTTP/1.0\r\n%sContent-Length: %d\r\n\r\n%s" % (path, TYPE, len(MESSAGE), MESSAGE),
        lambda path: (
            HEAD % path
            + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(MESSAGE), MESSAGE)
        ),
    ],
    ids=["HTTP/1.0", "chunked"],
)
def test_http_1_0_and_chunked_bodies_are_read(play: Callable[..., Played], request_of: Callable[[bytes], bytes]):
    played = play(lambda product, url: product.raw(url, request_of(urlsplit(url).path.encode())))
    assert played.verdict.verdict == "pass" and b" 200 " in played.seen[0][:20]


def test_a_toolkit_may_ask_for_the_description_first(play: Callable[..., Played]):
    def asks_first(product: Hostile, url: str) -> None:
        path = urlsplit(url).path.encode()
        product.raw(url, b"GET %s?wsdl HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path)
        product.raw(url, b"GET %s?xsd=essai.xsd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path)
        product.raw(url, b"GET %s?xsd=../norm.yaml HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path)
        product.raw(url, post(url))

    played = play(asks_first)
    wsdl, schema, foreign, _ = played.seen
    assert b" 200 " in wsdl[:20] and b"definitions" in wsdl
    assert b" 200 " in schema[:20] and b"targetNamespace" in schema
    assert b" 404 " in foreign[:20] and "décrit" in foreign.decode()
    assert played.verdict.verdict == "pass"
    assert len(read_run(played.folder).exchanges("ESS-S-001")) == 1


# --- what cannot be read, and is nobody's fault for certain


def test_http_without_tls_is_told(play: Callable[..., Played]):
    def speaks_plainly(product: Hostile, url: str) -> None:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2) as plain:
            product.say(plain, post(url))

    played = play(speaks_plainly)
    assert played.finding == ("inconclusive", "CONFIG", "not-observed")
    assert played.verdict.findings[0].actual == "n'est arrivé que : du HTTP sans TLS"


def test_what_is_no_tls_is_told(play: Callable[..., Played]):
    def babbles(product: Hostile, url: str) -> None:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2) as plain:
            product.say(plain, bytes(range(256)) * 4)

    played = play(babbles)
    assert played.finding == ("inconclusive", "CONFIG", "not-observed")
    assert "ne parle pas TLS" in played.verdict.findings[0].actual


def test_a_handshake_that_breaks_off_is_nothing_readable(play: Callable[..., Played]):
    def breaks_off(product: Hostile, url: str) -> None:
        parts = urlsplit(url)
        outgoing = ssl.MemoryBIO()
        hello = product.context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            hello.do_handshake()
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2) as plain:
            plain.sendall(outgoing.read()[:100])

    played = play(breaks_off)
    assert played.finding == ("inconclusive", "", "not-observed")


def test_a_certificate_of_another_authority_is_told(play: Callable[..., Played]):
    def is_a_stranger(product: Hostile, url: str) -> None:
        stranger = ssl.create_default_context(cafile=str(product.folder / "ca.pem"))
        trustme.CA().issue_cert("stranger@example.org").configure_cert(stranger)
        with product.connected(url, stranger) as secure:
            product.say(secure, post(url))

    played = play(is_a_stranger)
    assert played.finding == ("inconclusive", "CONFIG", "not-observed")
    assert "certificat de client est refusé" in played.verdict.findings[0].actual
    (exchange,) = read_run(played.folder).exchanges("ESS-S-001")
    assert exchange.outcome == "tls" and exchange.request == b""


def test_a_product_that_refuses_our_certificate_is_told(play: Callable[..., Played]):
    def trusts_another(product: Hostile, url: str) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            product.connected(url, ssl.create_default_context(cafile=str(product.folder / "other-ca.pem")))

    played = play(trusts_another)
    assert played.finding == ("inconclusive", "CONFIG", "not-observed")
    assert "refuse le certificat du laboratoire" in played.verdict.findings[0].actual


def test_the_address_of_an_earlier_session_is_told(play: Callable[..., Played]):
    def calls_yesterday(product: Hostile, url: str) -> None:
        token = urlsplit(url).path.split("/")[2]
        product.raw(url, post(url, path=urlsplit(url).path.replace(token, "0" * 48)))

    played = play(calls_yesterday)
    assert b" 404 " in played.seen[0][:20] and "terminée" in played.seen[0].decode()
    assert played.finding == ("inconclusive", "CONFIG", "not-observed")
    assert "une autre adresse que celle de la session" in played.verdict.findings[0].actual


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
def test_a_request_without_message_is_told(play: Callable[..., Played], method: str):
    def looks(product: Hostile, url: str) -> None:
        line = f"{method} {urlsplit(url).path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        product.raw(url, line.encode())

    played = play(looks)
    assert b" 405 " in played.seen[0][:20]
    assert played.finding == ("inconclusive", "NETWORK", "not-observed")
    assert f"une requête {method} sans message" in played.verdict.findings[0].actual


@pytest.mark.parametrize(
    ("pieces", "status", "blame"),
    [
        ((b"Content-Length: 30000\r\n\r\n" + b" " * 30_000,), b" 413 ", ""),
        ((b"Transfer-Encoding: chunked\r\n\r\n" + b"7530\r\n" + b" " * 30_000,), b" 413 ", "NETWORK"),
        ((b"Content-Length: 500\r\n\r\n<soap:", ), b" 408 ", "NETWORK"),
        ((b"X-Never-Ends: ",), b" 408 ", ""),
        ((b"X: y\r\n" * 100 + b"\r\n",), b" 431 ", ""),
    ],
    ids=["oversize", "oversize chunked", "slow body", "slow head", "header flood"],
)  # fmt: skip
def test_what_breaks_the_limits_is_cut_and_nothing_readable(
    play: Callable[..., Played], pieces: tuple[bytes, ...], status: bytes, blame: str
):
    played = play(lambda product, url: product.raw(url, HEAD % urlsplit(url).path.encode(), *pieces))
    assert status in played.seen[0][:20]
    assert played.finding == ("inconclusive", blame, "not-observed")


# --- the product's fault


def test_another_method_than_post_fails(play: Callable[..., Played]):
    def puts(product: Hostile, url: str) -> None:
        product.raw(url, post(url).replace(b"POST", b"PUT", 1))

    played = play(puts)
    assert b" 405 " in played.seen[0][:20]
    assert played.finding == ("fail", "SUT", "http-method")


def test_a_compressed_body_fails(play: Callable[..., Played]):
    played = play(send(gzip.compress(MESSAGE), more=b"Content-Encoding: gzip\r\n"))
    assert b" 415 " in played.seen[0][:20] and "compressé" in played.seen[0].decode()
    assert played.finding == ("fail", "SUT", "content-encoding")


@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff\xfe garbage \x1b[31m", b"<a" * 9000, b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"]
)
def test_garbage_in_a_good_request_fails(play: Callable[..., Played], body: bytes):
    played = play(send(body))
    assert b" 400 " in played.seen[0][:20]
    assert played.finding[:2] == ("fail", "SUT")
    assert rejudge(played.folder) == (played.folder / "verdicts.json").read_bytes()


@pytest.mark.parametrize("suffix", ["/autre", "", "/ping/../ping", "/ping?a=b"])
def test_a_path_that_is_not_the_services_is_told_where_the_page_asks(play: Callable[..., Played], suffix: str):
    asked = replace(ASK, expect=(*ASK.expect, Expectation("ESS-004", "called-at")))

    def goes_astray(product: Hostile, url: str) -> None:
        product.raw(url, post(url, path=urlsplit(url).path.removesuffix("/ping") + suffix))

    played = play(goes_astray, case(1, asked, role="client"))
    if suffix == "/ping?a=b":
        assert played.verdict.verdict == "pass"
    else:
        assert played.finding == ("fail", "SUT", "called-elsewhere")


# --- too many


def test_two_products_on_one_session_are_seen(play: Callable[..., Played]):
    def shares(product: Hostile, url: str) -> None:
        product.raw(url, post(url))
        other = ssl.create_default_context(cafile=str(product.folder / "ca.pem"))
        other.load_cert_chain(product.folder / "second.pem", product.folder / "second.key")
        with product.connected(url, other) as secure:
            product.say(secure, post(url))

    played = play(shares, case(1, ASK, REST, role="client"))
    assert played.finding == ("inconclusive", "CONFIG", "several-callers")


def test_a_second_product_that_sends_garbage_is_seen(play: Callable[..., Played]):
    def is_disturbed(product: Hostile, url: str) -> None:
        product.raw(url, post(url))
        other = ssl.create_default_context(cafile=str(product.folder / "ca.pem"))
        other.load_cert_chain(product.folder / "second.pem", product.folder / "second.key")
        with product.connected(url, other) as secure:
            product.say(secure, post(url, b"<x/>"))

    played = play(is_disturbed, case(1, ASK, REST, role="client"))
    assert played.finding == ("inconclusive", "CONFIG", "several-callers")


def test_a_flood_of_requests_is_turned_away_and_not_judged(play: Callable[..., Played]):
    def floods(product: Hostile, url: str) -> None:
        for _ in range(MOST_ARRIVALS + 5):
            product.call(url, REQUEST)

    played = play(floods, case(1, ASK, REST, role="client"))
    assert played.finding == ("inconclusive", "CONFIG", "too-many-calls")
    kept = read_run(played.folder).exchanges("ESS-S-001")
    assert sum(each.outcome == "received" for each in kept) == MOST_ARRIVALS


def test_a_flood_of_bytes_is_turned_away_and_not_judged(play: Callable[..., Played], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(session, "MOST_BYTES", 30_000)

    def floods(product: Hostile, url: str) -> None:
        for _ in range(4):
            product.raw(url, post(url, MESSAGE + b" " * 9_000))

    played = play(floods, case(1, ASK, REST, role="client"))
    assert [b" 200 " in each[:20] for each in played.seen] == [True, True, True, False]
    assert b" 429 " in played.seen[3][:20]
    assert played.finding == ("inconclusive", "CONFIG", "too-many-calls")
    assert played.verdict.findings[0].actual == "3 demandes gardées, d'autres écartées"


def test_slow_products_keep_nobody_else_waiting(play: Callable[..., Played]):
    def crowds(product: Hostile, url: str) -> None:
        crowd = [product.connected(url, product.context) for _ in range(60)]
        for slow in crowd:
            slow.sendall(HEAD % urlsplit(url).path.encode())
        product.raw(url, post(url))
        for slow in crowd:
            slow.close()

    played = play(crowds)
    assert played.verdict.verdict == "pass"


def test_a_neighbour_is_not_disturbed_while_another_floods(norm: Norm, keys: Path, tmp_path: Path):
    """Two runs in one process: what one product does to its own session changes nothing in the other's."""
    done = threading.Event()

    def floods(product: Hostile, url: str) -> None:
        while not done.is_set():
            product.call(url, "<x" * 5000)

    lent = declared(keys)
    suite = make_suite(norm, case(1, ASK, role="client"), role="client")
    bad, good = Hostile(keys, floods), Hostile(keys, lambda product, url: product.raw(url, post(url)))
    flooding = threading.Thread(
        target=run, args=(RunOptions(lent, suite, norm, tmp_path / "bad", preflight=False, operator=bad),)
    )
    flooding.start()
    result = run(RunOptions(lent, suite, norm, tmp_path / "good", preflight=False, operator=good))
    done.set()
    flooding.join()
    assert result.exit_code == 0
    assert len(read_run(tmp_path / "good").exchanges("ESS-S-001")) == 1


def test_a_driver_that_lies_is_told(norm: Norm, keys: Path, tmp_path: Path):
    product = Machine(keys, lambda *_: Outcome("completed", told=Told("accepted", "Tout va bien.")))
    suite = make_suite(norm, case(1, ASK, role="client"), role="client")
    result = run(RunOptions(declared(keys), suite, norm, tmp_path / "r", preflight=False, operator=product))
    assert result.exit_code == 3
    assert result.verdicts.cases[0].findings[0].actual == (
        "le pilote annonce « accepted », mais rien de lisible n'est arrivé"
    )
