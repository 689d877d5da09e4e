"""Showing recorded messages: the element at fault is found and marked, hostile bytes stay text."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from reports.masking import Masker
from reports.messages import LINES_SHOWN, locate, show, take_apart

BODY = b'<a:r xmlns:a="urn:a">\n <a:x>1</a:x>\n <a:x k="v">2</a:x>\n <b/>\n</a:r>'
MASK = Masker()


def marked(path: str, line: int = 0, body: bytes = BODY) -> list[str]:
    return [shown.text.strip() for shown in show(body, MASK, path, line) if shown.marked]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a:r/a:x[2]", '<a:x k="v">2</a:x>'),
        ("/z:r/y:x", "<a:x>1</a:x>"),
        ("/a:r/a:x[2]/@k", '<a:x k="v">2</a:x>'),
        ("//b", "<b/>"),
        ("/a:r/b/text()", "<b/>"),
    ],
)
def test_a_path_marks_its_element_whatever_its_prefixes(path: str, expected: str) -> None:
    assert marked(path) == [expected]


def test_a_line_marks_its_element_when_the_path_leads_nowhere() -> None:
    assert marked("/a:r/a:absent", 3) == ['<a:x k="v">2</a:x>']


@pytest.mark.parametrize("path", ["/other", "/a:r/a:x[9]", "count(//x)", "", "/a:r/a:x[@k='v']"])
def test_nothing_is_marked_when_nothing_is_meant(path: str) -> None:
    assert marked(path) == []


@given(st.binary(max_size=200), st.text(max_size=40), st.integers(0, 50))
def test_any_bytes_can_be_shown(body: bytes, path: str, line: int) -> None:
    assert all("\x00" not in shown.text for shown in show(body, MASK, path, line))


@given(st.text(max_size=40))
def test_any_path_can_be_looked_for(path: str) -> None:
    root = etree.fromstring(BODY)
    found = locate(root, path, 0)
    assert found is None or found.getroottree().getroot() is root


def test_a_document_type_is_shown_as_text_and_never_expanded() -> None:
    body = b'<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/hostname">]><r>&e;</r>'
    assert show(body, MASK)[0].text == body.decode()


def test_security_is_folded_unless_the_finding_lies_in_it() -> None:
    security = (
        b'<w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">'
    )
    body = b"<e>" + security + b"<w:T/><w:U/></w:Security></e>"
    assert any("2 éléments de sécurité repliés" in shown.text for shown in show(body, MASK))
    assert marked("/e/w:Security/w:U", body=body) == ["<w:U/>"]


def test_a_long_message_shows_the_neighbourhood_of_its_fault() -> None:
    body = b"<r>" + b"".join(b"<x>%d</x>" % rank for rank in range(1000)) + b"</r>"
    shown = show(body, MASK, "/r/x[900]")
    assert len(shown) <= LINES_SHOWN + 2
    assert [line.number for line in shown if line.marked] == [901]


def test_long_texts_are_cut_and_say_their_length() -> None:
    body = b"<r><v>" + b"A" * 5000 + b"</v></r>"
    assert "(5\u202f000 caractères)" in show(body, MASK)[1].text


def test_chunked_and_compressed_answers_are_shown_in_clear() -> None:
    packed = gzip.compress(BODY)
    raw = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
        + f"{len(packed):x}\r\n".encode() + packed + b"\r\n0\r\n\r\n"
    )  # fmt: skip
    assert take_apart(raw).body == BODY


def test_bytes_that_are_not_http_are_shown_whole() -> None:
    assert take_apart(b"SSH-2.0-OpenSSH\r\n").body == b"SSH-2.0-OpenSSH\r\n"
