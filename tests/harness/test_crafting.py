"""Every HTTP deviation changes what it says and nothing else: a strict receiver refuses it for that reason alone."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from lxml import etree

from harness import crafting
from harness.crafting import plain_request, raw_bytes, shape_request, shape_tree, tls_for
from harness.http_message import HttpRequest, authority, request_target
from harness.network import TlsClient
from harness.reading import HttpMessage, read_request
from norms.errors import ParseRefusal
from norms.model import Norm
from norms.parsing import parse
from norms.wire.head import HeadRefused, check_head
from norms.wire.soap import SOAP11, Envelope, serialize
from scenarios.happenings import HTTP_DEVIATIONS
from tests.harness.lab import REQUEST

URL = "https://amc.example:8443/ping?x=1"
CAP = 10_000_000


def crafted(norm: Norm, deviation: str) -> tuple[bytes, HttpRequest]:
    """Return the bytes on the wire under a deviation, and the request they came from."""
    service = norm.services[0]
    root = etree.fromstring(REQUEST.encode())
    root = shape_tree(root, deviation, service, norm.security.limits)
    request = plain_request(URL, request_target(URL), service, serialize(root))
    request = shape_request(request, deviation, norm, service)
    return raw_bytes(request, deviation), request


def read(norm: Norm, deviation: str) -> HttpMessage:
    raw, _ = crafted(norm, deviation)
    return read_request(raw, CAP)


def refusal(norm: Norm, deviation: str) -> str:
    """Return the reason for which a receiver with the norm's limits refuses, "" when it builds a tree."""
    message = read(norm, deviation)
    try:
        parse(message.body, norm.security.limits, message.header("content-type"))
    except ParseRefusal as refused:
        return refused.reason
    return ""


def test_every_deviation_of_the_vocabulary_is_made_here():
    message = {name for name in HTTP_DEVIATIONS if not crafting.is_tls(name)}
    assert message == crafting.DEVIATIONS


def test_without_deviation_the_request_is_nominal(norm: Norm):
    message = read(norm, "")
    assert (message.method, message.target) == ("POST", "/ping?x=1")
    assert message.header("host") == "amc.example:8443"
    assert message.header("content-type") == 'application/soap+xml; charset=utf-8; action="urn:ping"'
    assert refusal(norm, "") == ""


@pytest.mark.parametrize("deviation", sorted(crafting.DEVIATIONS))
def test_every_deviation_differs_from_the_nominal_request(norm: Norm, deviation: str):
    assert crafted(norm, deviation)[0] != crafted(norm, "")[0]


@pytest.mark.parametrize(
    ("deviation", "reason"),
    [
        ("doctype", "doctype"),
        ("entity-bomb", "doctype"),
        ("external-entity", "doctype"),
        ("oversize", "too-large"),
        ("truncated-xml", "malformed"),
        ("deep-nesting", "too-deep"),
        ("element-flood", "too-many-elements"),
        ("attribute-flood", "too-many-attributes"),
        ("encoding-utf7", "encoding"),
        ("processing-instruction", "processing-instruction"),
    ],
)
def test_a_strict_receiver_refuses_the_document_for_that_reason_alone(norm: Norm, deviation: str, reason: str):
    assert refusal(norm, deviation) == reason


def test_a_mismatched_charset_is_refused(norm: Norm):
    assert refusal(norm, "charset-mismatch") in ("charset", "encoding")


def test_utf16_with_its_mark_is_the_same_document(norm: Norm):
    message = read(norm, "encoding-utf16")
    assert message.body[:2] in (b"\xff\xfe", b"\xfe\xff")
    assert message.header("content-type") == 'application/soap+xml; charset=utf-16; action="urn:ping"'
    sent = parse(message.body, norm.security.limits, message.header("content-type"))
    assert etree.tostring(sent, method="c14n") == etree.tostring(etree.fromstring(REQUEST.encode()), method="c14n")


@pytest.mark.parametrize(("deviation", "method"), [("method-get", "GET"), ("method-put", "PUT")])
def test_method(norm: Norm, deviation: str, method: str):
    message = read(norm, deviation)
    assert message.method == method and bool(message.body) == (method == "PUT")


def test_content_type_and_action(norm: Norm):
    assert read(norm, "content-type-wrong").header("content-type") == "text/plain; charset=utf-8"
    assert read(norm, "content-type-missing").header("content-type") is None
    assert read(norm, "action-missing").header("content-type") == "application/soap+xml; charset=utf-8"
    assert 'action="urn:ping' in str(read(norm, "action-wrong").header("content-type"))
    assert read(norm, "action-wrong").header("content-type") != read(norm, "").header("content-type")


def test_action_of_soap_1_1(norm: Norm):
    from msgspec.structs import replace

    service = replace(norm.services[0], soap="1.1")
    request = plain_request(URL, "/", service, b"<x/>")
    assert ("SOAPAction", '"urn:ping"') in request.headers
    assert not [
        name for name, _ in shape_request(request, "action-missing", norm, service).headers if name == "SOAPAction"
    ]
    wrong = dict(shape_request(request, "action-wrong", norm, service).headers)["SOAPAction"]
    assert wrong not in ('"urn:ping"', "")


def test_the_other_soap_version(norm: Norm):
    assert Envelope.of(etree.fromstring(read(norm, "soap-version-other").body)).namespace == SOAP11


def test_payloads(norm: Norm):
    two = Envelope.of(etree.fromstring(read(norm, "two-payloads").body))
    assert [child.tag for child in two.body] == ["{urn:poincon:test:essai}Ping"] * 2
    assert len(Envelope.of(etree.fromstring(read(norm, "empty-body").body)).body) == 0


def test_other_prefixes_say_the_same(norm: Norm):
    root = etree.fromstring(read(norm, "prefixes-renamed").body)
    nominal = etree.fromstring(read(norm, "").body)
    assert not set(filter(None, root.nsmap)) & set(filter(None, nominal.nsmap))

    def names(tree: etree._Element) -> list[tuple[str, str]]:
        return [(str(node.tag), (node.text or "").strip()) for node in tree.iter(etree.Element)]

    assert names(root) == names(nominal) and b"\n\t" in etree.tostring(root)


def test_unknown_header_that_must_be_understood(norm: Norm):
    header = Envelope.of(etree.fromstring(read(norm, "must-understand-unknown").body)).header
    assert header is not None
    assert header[0].get("{http://www.w3.org/2003/05/soap-envelope}mustUnderstand") == "1"


def test_gzip_path_and_chunks(norm: Norm):
    raw, request = crafted(norm, "content-encoding-gzip")
    assert b"Content-Encoding: gzip" in raw and gzip.decompress(request.body).endswith(b"Envelope>")
    assert read(norm, "unknown-path").target == "/ping/poincon-unknown-path"
    chunked, plain = read(norm, "chunked"), read(norm, "")
    assert chunked.header("transfer-encoding") == "chunked" and chunked.body == plain.body
    check_head(crafted(norm, "chunked")[0].partition(b"\r\n\r\n")[0] + b"\r\n\r\n", norm.security.limits)


def test_two_contrary_lengths_are_refused_by_a_strict_receiver(norm: Norm):
    raw, request = crafted(norm, "duplicate-content-length")
    assert raw.count(b"Content-Length: ") == 2 and raw.endswith(request.body)
    with pytest.raises(HeadRefused):
        check_head(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", norm.security.limits)


def test_tls_deviations(tmp_path: Path):
    nominal = TlsClient("tls", tmp_path / "c.pem", tmp_path / "k.pem", authorities=(tmp_path / "ca.pem",))
    expired = TlsClient("tls-expired", tmp_path / "e.pem", tmp_path / "k.pem")
    assert tls_for("oversize", nominal, {}) is nominal
    bare = tls_for("tls-no-certificate", nominal, {})
    assert bare is not None and bare.certificate is None and bare.authorities == nominal.authorities
    old = tls_for("tls-1.1", nominal, {})
    assert old is not None and old.maximum == "1.1" and old.certificate == nominal.certificate
    assert tls_for("tls-expired", nominal, {"tls-expired": expired}) is expired
    assert tls_for("tls-expired", nominal, {}) is None


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("https://h/p?q=1", "h", "/p?q=1"),
        ("http://h:8080", "h:8080", "/"),
        ("https://user@h:1/x", "h:1", "/x"),
        ("https://[::1]:8443/x", "[::1]:8443", "/x"),
    ],
)
def test_addresses(url: str, host: str, target: str):
    assert (authority(url), request_target(url)) == (host, target)
