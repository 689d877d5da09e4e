from __future__ import annotations

import codecs
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from norms.errors import ParseRefusal
from norms.model import Limits
from norms.parsing import parse
from norms.wire.reasons import REASONS

LIMITS = Limits()


def reason(body: bytes | str, limits: Limits = LIMITS, content_type: str | None = None) -> str:
    """Return why a message is refused, "" when it is accepted."""
    try:
        parse(body.encode() if isinstance(body, str) else body, limits, content_type)
    except ParseRefusal as refusal:
        assert refusal.reason in REASONS
        return refusal.reason
    return ""


# The attacks of the catalogue that concern the parser.

ENTITY = '<!DOCTYPE a [<!ENTITY x SYSTEM "{address}">]><a>&x;</a>'
EXPONENTIAL = (
    '<!DOCTYPE a [<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12)) + "]>"
)


def test_p01_external_entity_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    for address in (secret.as_uri(), "http://127.0.0.1:9/"):
        assert reason(ENTITY.format(address=address)) == "doctype"


def test_p02_external_subset_is_refused() -> None:
    assert reason('<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>') == "doctype"
    assert reason('<!DOCTYPE a PUBLIC "-//x" "file:///etc/hosts"><a/>') == "doctype"


def test_p03_exponential_entities_are_refused_in_text_and_attribute() -> None:
    assert reason(f"{EXPONENTIAL}<a>&l11;</a>") == "doctype"
    assert reason(f'{EXPONENTIAL}<a b="&l11;"/>') == "doctype"


def test_p04_quadratic_entities_are_refused() -> None:
    assert reason(f'<!DOCTYPE a [<!ENTITY x "{"x" * 50_000}">]><a>{"&x;" * 5_000}</a>') == "doctype"


def test_p05_parameter_entities_are_refused() -> None:
    assert reason('<!DOCTYPE a [<!ENTITY % x "%y;"><!ENTITY % y "%x;">%x;]><a/>') == "doctype"


def test_p06_xinclude_stays_inert() -> None:
    root = parse(
        b'<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="file:///etc/hosts" parse="text"/></a>', LIMITS
    )
    assert root[0].tag == "{http://www.w3.org/2001/XInclude}include"
    assert root.xpath("string()") == ""


@pytest.mark.parametrize(
    "text", ['<?xml-stylesheet href="x.xsl"?><a/>', "<a><?php x?></a>", "<a/><?x?>", '<?xml version="1.0"?><?x?><a/>']
)
def test_p07_processing_instruction_is_refused(text: str) -> None:
    assert reason(text) == "processing-instruction"


@pytest.mark.parametrize("depth", [65, 300, 5_000, 100_000])
def test_p08_deep_nesting_is_refused(depth: int) -> None:
    assert reason("<a>" * depth + "</a>" * depth) == "too-deep"
    assert reason("<a>" * depth) in ("too-deep", "malformed")


def test_p08_depth_counts_an_empty_element() -> None:
    assert reason("<a>" * 63 + "<b/>" + "</a>" * 63) == ""
    assert reason("<a>" * 64 + "<b/>" + "</a>" * 64) == "too-deep"


def test_p09_huge_tokens_are_refused() -> None:
    huge = "x" * (LIMITS.text_bytes + 1)
    for text in (f"<a>{huge}</a>", f'<a b="{huge}"/>', f"<a><!--{huge}--></a>", f"<a><![CDATA[{huge}]]></a>"):
        assert reason(text) == "text-too-long"
    assert reason(f"<a>{'x' * 20_000_000}</a>") == "too-large"
    assert reason(f"<{'x' * 20_000_000}/>") == "too-large"


def test_p10_node_flood_is_refused() -> None:
    assert reason("<r>" + "<a/>" * 20_000 + "</r>") == "too-many-elements"
    assert reason("<r>" + "<a/>" * 300_000 + "</r>") == "too-large"


def test_p11_attribute_and_namespace_floods_are_refused() -> None:
    assert reason("<a " + " ".join(f'a{n}="x"' for n in range(20_000)) + "/>") == "too-many-attributes"
    assert reason("<a " + " ".join(f'xmlns:a{n}="u:{n}"' for n in range(20_000)) + "/>") == "too-many-attributes"


@pytest.mark.parametrize("before", ["", "<b/>", f"<b>{'=' * 400}</b>", f'<b x="{"=" * 400}"/>'])
def test_the_shortest_attributes_are_counted_exactly(before: str) -> None:
    names = [*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", *(f"a{n}" for n in range(12))]
    assert len(names) == LIMITS.attributes_per_element + 1
    for count, expected in ((len(names) - 1, ""), (len(names), "too-many-attributes")):
        written = " ".join(f'{name}=""' for name in names[:count])
        assert reason(f"<r>{before}<a {written}/></r>") == expected


@pytest.mark.parametrize(
    "text", ["<a>?</a>", "<a>&lt;?x?&gt;</a>", "<a>!</a>", "<a><!--D--></a>", "<a><![CDATA[<?x?>]]></a>"]
)
def test_marks_that_open_nothing_are_accepted(text: str) -> None:
    assert reason(text) == ""


@pytest.mark.parametrize("encoding", ["utf-7", "cp500", "utf-32", "utf-32-le", "iso-8859-1", "utf-16-le", "utf-16-be"])
def test_p12_other_encodings_are_refused(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><a>é</a>'
    assert reason(text.encode(encoding)) in ("encoding", "malformed")
    assert reason(text.encode("utf-8")) == "encoding"


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"<a/>", "text/xml; charset=iso-8859-1", "charset"),
        (b"<a/>", "text/xml; charset=utf-16", "charset"),
        (b"<a/>", 'application/soap+xml; action="x"; charset="UTF-8"', ""),
        (b"<a/>", "application/soap+xml", ""),
        (codecs.BOM_UTF16_LE + "<a/>".encode("utf-16-le"), "text/xml; charset=utf-8", "charset"),
        (codecs.BOM_UTF16_LE + "<a/>".encode("utf-16-le"), "text/xml; charset=utf-16", ""),
        (codecs.BOM_UTF16_BE + "<a/>".encode("utf-16-be"), "text/xml; charset=UTF-16LE", "charset"),
        (codecs.BOM_UTF8 + b'<?xml version="1.0" encoding="UTF-16"?><a/>', None, "encoding"),
        (codecs.BOM_UTF16_LE + '<?xml version="1.0" encoding="UTF-8"?><a/>'.encode("utf-16-le"), None, "encoding"),
        (codecs.BOM_UTF16_BE + '<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16-be"), None, ""),
    ],
)
def test_p13_everything_that_names_the_encoding_must_agree(
    body: bytes, content_type: str | None, expected: str
) -> None:
    assert reason(body, content_type=content_type) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"<a>\xff</a>", b"<a>\xc0\x80</a>", b"<a>\xed\xa0\x80</a>", b"\x00<a/>", b"<a>\x00</a>", b"<a>&#0;</a>",
        b"<a>&#xD800;</a>", b"<a>\x01</a>", b'<a b="1" b="2"/>', b'<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>',
        b"<a/><b/>", b"<a/>x", b'<?xml version="1.1"?><a/>', b'<?xml version="2.0"?><a/>', b"<a>", b"</a>", b"", b"  ",
        b"<a><b></a></b>", b"<p:a/>", b"<a>&unknown;</a>", b"<a b=c/>", b'<a b="<"/>', b"<a>]]></a>", b"<1/>",
        b"<!-- a -- b --><a/>", b' <?xml version="1.0"?><a/>', b'<?xml encoding="UTF-8"?><a/>',
        codecs.BOM_UTF16_LE + b"<",
        codecs.BOM_UTF16_LE + "<a>".encode("utf-16-le") + b"\x00\xd8" + "</a>".encode("utf-16-le"),
    ],
)  # fmt: skip
def test_p14_what_is_not_well_formed_is_refused(body: bytes) -> None:
    assert reason(body) in ("malformed", "encoding", "processing-instruction")


def test_attacks_on_a_large_body_are_refused_by_the_streaming_pass() -> None:
    padding = f"<!--{'x' * 200_000}-->" * 2
    assert reason(f'<!DOCTYPE a [<!ENTITY x "y">]>{padding}<a>&x;</a>') == "doctype"
    assert reason(f"{padding}<a><?x?></a>") == "processing-instruction"
    assert reason(f"{padding}{'<a>' * 65}") == "too-deep"
    assert reason(f"{padding}<a>&x;</a>") == "malformed"
    assert reason(f"{padding}<a/>") == ""


# What is not an attack passes.


def test_markup_inside_comment_and_cdata_is_text() -> None:
    root = parse(b"<a><!-- <!DOCTYPE x> <?x?> --><![CDATA[<!DOCTYPE x><?y?>]]></a>", LIMITS)
    assert root.xpath("string()") == "<!DOCTYPE x><?y?>"


def test_text_is_that_of_every_encoding() -> None:
    declared = '<?xml version="1.0" encoding="UTF-16"?>\n'
    for body in (
        "<a>é€😀</a>".encode(),
        codecs.BOM_UTF8 + "<?xml version='1.0' encoding='utf-8' standalone='yes'?><a>é€😀</a>".encode(),
        "\ufeff<a>é€😀</a>".encode("utf-16-le"),
        f"\ufeff{declared}<a>é€😀</a>".encode("utf-16-be"),
    ):
        assert parse(body, LIMITS).text == "é€😀"


def test_lines_are_those_of_the_message() -> None:
    root = parse(b'<?xml version="1.0"?>\n<a>\n  <b/>\n</a>', LIMITS)
    assert (root.sourceline, root[0].sourceline) == (2, 3)
    with pytest.raises(ParseRefusal) as caught:
        parse(b"<a>\n<b>\n</a>", LIMITS)
    assert caught.value.line == 3


def test_threads_parse_at_once() -> None:
    found: list[str | None] = []

    def work() -> None:
        for number in range(50):
            found.append(parse(f"<a>{number}</a>".encode(), LIMITS).text)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == sorted((str(n) for n in range(50) for _ in range(4)), key=str)


# Limits hold exactly: generated documents against counts of the tree.

SMALL = Limits(body_bytes=400, depth=4, elements=8, attributes_per_element=3, text_bytes=12)
TEXT = st.text(st.sampled_from("xé<&=\n "), max_size=8)
NAMES = st.sampled_from("abcdef")


@st.composite
def trees(draw: st.DrawFn, depth: int = 5) -> etree._Element:
    element = etree.Element(draw(NAMES), {name: draw(TEXT) for name in draw(st.sets(NAMES, max_size=5))})
    element.text = draw(TEXT)
    for _ in range(draw(st.integers(0, 3)) if depth else 0):
        child = (
            draw(trees(depth - 1))
            if draw(st.integers(0, 4))
            else etree.Comment(draw(st.sampled_from(["=<", "x" * 13])))
        )
        child.tail = draw(TEXT)
        element.append(child)
    return element


def expected_refusals(root: etree._Element, size: int, limits: Limits) -> set[str]:
    """Every limit that a document exceeds, read off the tree."""
    if size > limits.body_bytes:
        return {"too-large"}
    elements = list(root.iter(etree.Element))
    runs = [str(text) for element in elements for text in element.xpath("text()")]
    texts = [*runs, *(value for element in elements for value in element.attrib.values()),
             *(comment.text for comment in root.iter(etree.Comment))]  # fmt: skip
    found = set()
    if max(int(element.xpath("count(ancestor-or-self::*)")) for element in elements) > limits.depth:
        found.add("too-deep")
    if len(elements) > limits.elements:
        found.add("too-many-elements")
    if max(len(element.attrib) for element in elements) > limits.attributes_per_element:
        found.add("too-many-attributes")
    if max((len(text.encode()) for text in texts), default=0) > limits.text_bytes:
        found.add("text-too-long")
    return found


@settings(max_examples=300)
@given(trees(), st.sampled_from([SMALL, Limits(body_bytes=5_000, depth=3), Limits(elements=5), Limits(text_bytes=20)]))
def test_limits_hold_exactly(root: etree._Element, limits: Limits) -> None:
    body = etree.tostring(root, encoding="utf-8", xml_declaration=False)
    expected = expected_refusals(root, len(body), limits)
    found = reason(body, limits)
    assert found in expected if expected else found == ""


@pytest.mark.parametrize(
    ("inside", "outside", "name"),
    [
        ("<a>" * 4 + "</a>" * 4, "<a>" * 5 + "</a>" * 5, "too-deep"),
        ("<a>" * 3 + "<b/>" + "</a>" * 3, "<a>" * 4 + "<b/>" + "</a>" * 4, "too-deep"),
        ("<a>" + "<b/>" * 7 + "</a>", "<a>" + "<b/>" * 8 + "</a>", "too-many-elements"),
        (
            '<a b="" c="" xmlns:d=""/>'.replace('d=""', 'd="u"'),
            '<a b="" c="" d="" xmlns:e="u"/>',
            "too-many-attributes",
        ),
        (f"<a>{'é' * 6}</a>", f"<a>{'é' * 6}x</a>", "text-too-long"),
        (f"<a>{' ' * 12}<b/>{' ' * 12}</a>", f"<a>&#32;{' ' * 12}</a>", "text-too-long"),
        (f"<a>{' ' * 12}</a>".ljust(400), f"<a>{' ' * 12}</a>".ljust(401), "too-large"),
    ],
)
def test_each_limit_at_its_edge(inside: str, outside: str, name: str) -> None:
    assert reason(inside, SMALL) == ""
    assert reason(outside, SMALL) == name


@given(st.binary(max_size=60))
def test_any_bytes_are_a_tree_or_a_refusal(body: bytes) -> None:
    for prefix in (b"", b"<a>", b"<?xml version='1.0'", codecs.BOM_UTF16_LE):
        reason(prefix + body)
