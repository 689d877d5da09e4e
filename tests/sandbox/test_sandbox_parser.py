"""The simulator and hostile XML over the wire: attacks P01–P16. The parser itself is proven in its own tests."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sandbox_caller import Answer, Caller

from norms.wire.soap import serialize

SOAP_TYPE = "application/soap+xml"


def refused(answer: Answer, *codes: str) -> None:
    assert answer.status in (400, 413, 415)
    assert answer.error in codes


def with_doctype(caller: Caller, doctype: str, reference: str = "") -> bytes:
    text = serialize(caller.message("IDB")).decode().partition("?>")[2]
    return f"<?xml version='1.0'?>{doctype}{text.replace('>AS<', f'>{reference}<')}".encode()


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "doctype",
    [
        pytest.param('<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">', id="P02"),
        pytest.param('<!DOCTYPE a SYSTEM "file:///etc/passwd">', id="P02-file"),
        pytest.param(f'<!DOCTYPE a [<!ENTITY e0 "x">{BOMB}]>', id="P03"),
        pytest.param(f'<!DOCTYPE a [<!ENTITY e0 "{"x" * 50_000}">]>', id="P04"),
        pytest.param("<!DOCTYPE a [<!ENTITY % p \"<!ENTITY q 'x'>\"> %p; %p;]>", id="P05"),
        pytest.param("<!DOCTYPE a>", id="bare"),
    ],
)
def test_p02_to_p05_any_doctype_is_refused_at_once(caller: Caller, doctype: str) -> None:
    started = time.monotonic()
    refused(caller.post("IDB", with_doctype(caller, doctype, "&e0;")), "XML-02")
    assert time.monotonic() - started < 2


def test_p01_no_entity_is_read_from_a_file_or_an_address(caller: Caller, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("LE-SECRET")
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        for uri in (secret.as_uri(), f"http://127.0.0.1:{trap.getsockname()[1]}/x"):
            answer = caller.post("IDB", with_doctype(caller, f'<!DOCTYPE a [<!ENTITY x SYSTEM "{uri}">]>', "&x;"))
            refused(answer, "XML-02")
            assert b"LE-SECRET" not in answer.body
        with pytest.raises(TimeoutError):
            trap.accept()


def test_p06_xinclude_stays_inert(caller: Caller, tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text("<a>LE-SECRET</a>")
    text = serialize(caller.message("IDB")).decode()
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret.as_uri()}"/>'
    answer = caller.post("IDB", text.replace("<idb:NatureAssurance>", include + "<idb:NatureAssurance>").encode())
    assert answer.status == 400
    assert b"LE-SECRET" not in answer.body


def test_p07_processing_instructions_are_refused(caller: Caller) -> None:
    text = serialize(caller.message("IDB")).decode()
    body = text.replace("?>", '?><?xml-stylesheet type="text/xsl" href="http://127.0.0.1:9/x.xsl"?>', 1).encode()
    refused(caller.post("IDB", body), "XML-03")


@pytest.mark.parametrize("depth", [100, 300, 100_000])
def test_p08_deep_nesting_is_refused(caller: Caller, depth: int) -> None:
    refused(caller.post("IDB", b"<a>" * depth + b"</a>" * depth), "XML-05")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'<a b="' + b"x" * 500_000 + b'"/>', id="attribute"),
        pytest.param(b"<a>" + b"x" * 500_000 + b"</a>", id="text"),
        pytest.param(b"<a><!--" + b"x" * 500_000 + b"--></a>", id="comment"),
        pytest.param(b"<" + b"x" * 500_000 + b"/>", id="name"),
    ],
)
def test_p09_huge_tokens_are_refused(caller: Caller, body: bytes) -> None:
    refused(caller.post("IDB", body), "XML-05", "XML-01", "SOA-01")


def test_p10_a_flood_of_elements_is_refused(caller: Caller) -> None:
    refused(caller.post("IDB", b"<a>" + b"<b/>" * 200_000 + b"</a>"), "XML-05")


def test_p11_a_flood_of_attributes_is_refused(caller: Caller) -> None:
    attributes = b" ".join(b'a%d="1"' % number for number in range(2_000))
    refused(caller.post("IDB", b"<a " + attributes + b"/>"), "XML-05")
    declarations = b" ".join(b'xmlns:n%d="u"' % number for number in range(2_000))
    refused(caller.post("IDB", b"<a " + declarations + b"/>"), "XML-05")


@pytest.mark.parametrize("encoding", ["utf-7", "utf-32", "cp500", "iso-8859-1"])
def test_p12_other_encodings_are_refused(caller: Caller, encoding: str) -> None:
    text = serialize(caller.message("IDB")).decode().partition("?>")[2]
    body = f"<?xml version='1.0' encoding='{encoding}'?>{text}".encode(encoding)
    refused(caller.post("IDB", body, headers={"Content-Type": SOAP_TYPE}), "XML-04", "XML-01")


def test_p13_a_contrary_charset_is_refused(caller: Caller) -> None:
    body = serialize(caller.message("IDB"))
    refused(caller.post("IDB", body, headers={"Content-Type": f"{SOAP_TYPE}; charset=utf-16"}), "XML-04")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a>",
        b"<a b='1' b='2'/>",
        b"<a/><b/>",
        b"<a>\0</a>",
        b"<a>\xff\xfe</a>",
        b"<a>\xed\xa0\x80</a>",
        b"<?xml version='1.1'?><a/>",
        b"not xml",
        b"<a>&undefined;</a>",
    ],
)
def test_p14_malformed_documents_are_sender_faults(caller: Caller, body: bytes) -> None:
    answer = caller.post("IDB", body)
    refused(answer, "XML-01", "XML-04", "SOA-01")
    assert answer.text("Value") == "soap:Sender"


def test_p15_schema_locations_are_ignored(caller: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        root = caller.message("IDB")
        root.set(
            "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation",
            f"urn:x http://127.0.0.1:{trap.getsockname()[1]}/x.xsd",
        )
        caller.post("IDB", caller.secured("IDB", root))
        with pytest.raises(TimeoutError):
            trap.accept()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_p14_no_mutation_of_a_message_gives_a_5xx_or_is_accepted(caller: Caller, data: st.DataObject) -> None:
    body = bytearray(serialize(caller.message("IDB")))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        cut = data.draw(st.integers(0, 30))
        body[place : place + cut] = data.draw(st.binary(max_size=12))
    answer = caller.post("IDB", bytes(body) or b" ")
    assert 400 <= answer.status < 500
