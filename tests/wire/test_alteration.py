"""Whatever is changed in a part that a signature covers, the message is refused."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from wire_kit import Kit, assertion_of, security_of

from norms.wire import names

LETTERS = st.text("abcXYZ0123456789é", min_size=1, max_size=4)


def covered(root: etree._Element) -> list[etree._Element]:
    """Every element under a signature: body, timestamp, service header, assertion with its own signature."""
    header, body = root
    parts = [
        body,
        security_of(root).find(names.TIMESTAMP),
        header.find("{urn:essai:contexte}Contexte"),
        assertion_of(root),
    ]
    return [item for part in parts for item in part.iter() if isinstance(item.tag, str)]


@pytest.fixture(scope="module")
def original(kit: Kit) -> bytes:
    return etree.tostring(kit.request())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_text_or_attribute_is_refused(kit: Kit, original: bytes, data: st.DataObject) -> None:
    root = etree.fromstring(original)
    element = data.draw(st.sampled_from(covered(root)))
    places = ["text", "tail", *element.attrib, "tag", "new-attribute", "removed", "child"]
    place = data.draw(st.sampled_from(places))
    if place == "text":
        element.text = (element.text or "") + data.draw(LETTERS)
    elif place == "tail" and element.getparent() not in (root, root[0], security_of(root)):
        element.tail = data.draw(LETTERS) + (element.tail or "")
    elif place == "tag":
        element.tag = f"{element.tag}x"
    elif place == "new-attribute":
        element.set("nouveau", data.draw(LETTERS))
    elif place == "removed" and element.getparent() is not None:
        element.getparent().remove(element)
    elif place == "child":
        etree.SubElement(element, "{urn:essai}enfant")
    elif place in element.attrib:
        element.set(place, data.draw(LETTERS) + element.get(place, ""))
    else:
        element.text = "autre" + (element.text or "")
    assert kit.reason(etree.fromstring(etree.tostring(root))) != ""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_of_a_signature_is_refused_or_changes_nothing(
    kit: Kit, original: bytes, data: st.DataObject
) -> None:
    """A flipped character of the bytes: refused, unless both trees have the same canonical form."""
    start, end = original.index(b"<wsse:Security"), original.index(b"</wsse:Security>")
    position = data.draw(st.integers(start, end - 1))
    flipped = bytearray(original)
    flipped[position] = data.draw(st.sampled_from(b"AZaz09+/=<>\"' "))
    try:
        root = etree.fromstring(bytes(flipped))
    except etree.XMLSyntaxError:
        return
    reason = kit.reason(root)
    assert reason != "internal"
    if not reason:
        assert etree.tostring(root, method="c14n") == etree.tostring(etree.fromstring(original), method="c14n")
