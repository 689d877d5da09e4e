"""Canonical messages: the required content of any schema, valid in both engines, never without end."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from foreign_kits import TNS, imported, message, payloads, schema, wsdl
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from norms.check import check_file
from norms.errors import NormError
from norms.foreign.draft import Imported
from norms.loader import load

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


def draft(tmp_path: Path, request: str, more: str = "") -> Imported:
    """Import a kit whose request has these particles; check its two messages as `norms check` does."""
    made = imported(tmp_path / "kit", tmp_path / "work", {"l.wsdl": wsdl(schema(payloads(request) + more))})
    norm = load(str(made.folder), [tmp_path / "work"])
    for direction in ("request", "response"):
        report = check_file(made.folder / "messages" / f"PRENDRE.{direction}.xml", norm, confirm=True)
        assert report.valid, report
        assert (report.norm, report.kind, report.direction) == ("livres/1.0", "PRENDRE", direction)
    return made


def content(made: Imported) -> list[etree._Element]:
    root = etree.fromstring(message(made).encode())
    return list(root[-1][0])


def names(made: Imported) -> list[str]:
    return [etree.QName(child).localname for child in content(made)]


def complex_type(name: str, body: str, more: str = "") -> str:
    return f'<xs:complexType name="{name}" {more}>{body}</xs:complexType>'


def extended(name: str, base: str, body: str, more: str = "") -> str:
    return complex_type(name, f'<xs:complexContent><xs:extension base="{base}">{body}</xs:extension>'
                              "</xs:complexContent>", more)  # fmt: skip


SEQUENCE = "<xs:sequence>{}</xs:sequence>"
TREE = complex_type("Arbre", SEQUENCE.format('<xs:choice><xs:element name="deux"><xs:complexType><xs:sequence>'
                                             '<xs:element name="g" type="t:Arbre"/>'
                                             '<xs:element name="d" type="t:Arbre"/>'
                                             '</xs:sequence></xs:complexType></xs:element>'
                                             '<xs:element name="feuille" type="xs:int"/></xs:choice>'))  # fmt: skip


def test_only_what_is_required_is_there(tmp_path: Path) -> None:
    made = draft(tmp_path, '<xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:int" minOccurs="0"/>'
                           '<xs:element name="c" type="xs:date" minOccurs="2" maxOccurs="5"/>')  # fmt: skip
    assert names(made) == ["a", "c", "c"]


def test_a_message_that_would_be_empty_shows_its_optional_content(tmp_path: Path) -> None:
    made = draft(tmp_path, '<xs:element name="a" type="xs:int" minOccurs="0"/>'
                           '<xs:choice minOccurs="0"><xs:element name="b"/><xs:element name="c"/>'
                           "</xs:choice>")  # fmt: skip
    assert names(made) == ["a", "b"]


def test_a_message_of_attributes_alone_shows_them(tmp_path: Path) -> None:
    body = ('<xs:element name="prendre"><xs:complexType><xs:attribute name="a" type="xs:int"/>'
            '<xs:attribute name="b" use="prohibited"/></xs:complexType></xs:element>'
            '<xs:element name="prendreReponse"/>')  # fmt: skip
    made = imported(tmp_path / "kit", tmp_path / "work", {"l.wsdl": wsdl(schema(body))})
    assert dict(etree.fromstring(message(made).encode())[-1][0].items()) == {"a": "1"}


def test_a_choice_takes_its_first_branch_that_closes(tmp_path: Path) -> None:
    endless = complex_type("Sans", SEQUENCE.format('<xs:element name="fin" type="t:Sans"/>'))
    made = draft(tmp_path, '<xs:choice><xs:element name="a" type="t:Sans"/><xs:element name="b" type="xs:int"/>'
                           '<xs:element name="c"/></xs:choice>', endless)  # fmt: skip
    assert names(made) == ["b"]


def test_a_recursion_ends_although_its_first_branch_goes_on(tmp_path: Path) -> None:
    made = draft(tmp_path, '<xs:element name="arbre" type="t:Arbre"/>', TREE)
    assert 3 < sum(1 for _ in content(made)[0].iter()) < 20


def test_a_type_that_needs_itself_is_refused(tmp_path: Path) -> None:
    endless = complex_type("Sans", SEQUENCE.format('<xs:element name="fin" type="t:Sans"/>'))
    with pytest.raises(NormError, match=r"l\.wsdl:1: prendre : « prendre » n'a pas d'instance finie"):
        draft(tmp_path, '<xs:element name="a" type="t:Sans"/>', endless)


def test_nil_closes_what_nothing_else_does(tmp_path: Path) -> None:
    endless = complex_type("Sans", SEQUENCE.format('<xs:element name="fin" type="t:Sans" nillable="true"/>'))
    made = draft(tmp_path, '<xs:element name="a" type="t:Sans"/>', endless)
    assert content(made)[0][0].get(f"{XSI}nil") == "true"


def test_an_abstract_type_is_named_by_one_that_is_not(tmp_path: Path) -> None:
    types = (complex_type("Media", SEQUENCE.format('<xs:element name="titre"/>'), 'abstract="true"')
             + extended("Milieu", "t:Media", "", 'abstract="true"')
             + extended("Livre", "t:Milieu", SEQUENCE.format('<xs:element name="pages" type="xs:int"/>')))  # fmt: skip
    made = draft(tmp_path, '<xs:element name="m" type="t:Media"/>', types)
    assert content(made)[0].get(f"{XSI}type") == "t:Livre"
    assert [etree.QName(child).localname for child in content(made)[0]] == ["titre", "pages"]


def test_an_abstract_element_is_replaced_from_its_group(tmp_path: Path) -> None:
    elements = ('<xs:element name="media" type="xs:anyType" abstract="true"/>'
                '<xs:element name="revue" substitutionGroup="t:media" abstract="true"/>'
                '<xs:element name="numero" type="xs:int" substitutionGroup="t:revue"/>')  # fmt: skip
    assert names(draft(tmp_path, '<xs:element ref="t:media"/>', elements)) == ["numero"]


@pytest.mark.parametrize("process", ["strict", "lax", "skip"])
@pytest.mark.parametrize("namespace", ["##any", "##other", "##targetNamespace", "##local", "urn:x urn:y"])
def test_a_wildcard_gets_an_element(namespace: str, process: str, tmp_path: Path) -> None:
    wildcard = f'<xs:any namespace="{namespace}" processContents="{process}"/>'
    known = '<xs:element name="connu" type="xs:int"/>'
    if process == "strict" and namespace not in ("##any", "##targetNamespace"):
        with pytest.raises(NormError, match=r"xs:any|instance finie"):
            draft(tmp_path, wildcard, known)
    else:
        assert len(content(draft(tmp_path, wildcard, known))) == 1


def test_fixed_and_default_values_and_required_attributes(tmp_path: Path) -> None:
    inner = ('<xs:element name="a"><xs:complexType><xs:simpleContent><xs:extension base="xs:string">'
             '<xs:attribute name="n" type="xs:int" use="required"/><xs:attribute name="o" type="xs:int"/>'
             '<xs:attribute name="f" fixed="F" use="required"/><xs:attribute name="d" default="D"/>'
             "</xs:extension></xs:simpleContent></xs:complexType></xs:element>"
             '<xs:element name="b" type="xs:int" fixed="42"/>'
             '<xs:element name="c" type="xs:int" default="7"/>')  # fmt: skip
    first, second, third = content(draft(tmp_path, inner))
    assert sorted(first.attrib.items()) == [("f", "F"), ("n", "1")]
    assert (second.text, third.text) == ("42", "7")


def test_identifiers_are_given_once_and_referred_to(tmp_path: Path) -> None:
    inner = ('<xs:element name="a" minOccurs="3" maxOccurs="3"><xs:complexType><xs:attribute name="id" type="xs:ID" '
             'use="required"/></xs:complexType></xs:element><xs:element name="r" type="xs:IDREF"/>')  # fmt: skip
    found = content(draft(tmp_path, inner))
    assert len({child.get("id") for child in found[:3]}) == 3
    assert found[3].text in {child.get("id") for child in found[:3]}


def test_groups_all_and_mixed_content(tmp_path: Path) -> None:
    more = ('<xs:group name="G"><xs:sequence><xs:element name="g" type="xs:int"/></xs:sequence></xs:group>'
            '<xs:attributeGroup name="AG"><xs:attribute name="x" type="xs:int" use="required"/></xs:attributeGroup>'
            '<xs:complexType name="Tout" mixed="true"><xs:all><xs:element name="p"/>'
            '<xs:element name="q" minOccurs="0"/>'
            '</xs:all><xs:attributeGroup ref="t:AG"/></xs:complexType>')  # fmt: skip
    made = draft(
        tmp_path, '<xs:group ref="t:G" minOccurs="2" maxOccurs="2"/><xs:element name="t" type="t:Tout"/>', more
    )
    assert names(made) == ["g", "g", "t"]
    assert content(made)[2].get("x") == "1"


def test_a_value_that_the_first_engine_alone_refuses_is_replaced(tmp_path: Path) -> None:
    # The newest sign of a currency is one for xmlschema only.
    strange = (r'<xs:simpleType name="S"><xs:restriction base="xs:string"><xs:pattern value="\p{Sc}"/>'
               '<xs:enumeration value="₿"/><xs:enumeration value="€"/></xs:restriction></xs:simpleType>')  # fmt: skip
    assert content(draft(tmp_path, '<xs:element name="s" type="t:S"/>', strange))[0].text == "€"


def test_too_much_required_content_is_refused(tmp_path: Path) -> None:
    types = "".join(
        complex_type(f"T{depth}", SEQUENCE.format(f'<xs:element name="e" type="t:T{depth + 1}" minOccurs="9" '
                                                  'maxOccurs="9"/>'))
        for depth in range(5)
    ) + complex_type("T5", SEQUENCE.format('<xs:element name="f" type="xs:int"/>'))  # fmt: skip
    with pytest.raises(NormError, match="demande plus de"):
        draft(tmp_path, '<xs:element name="a" type="t:T0"/>', types)


def test_content_that_is_too_deep_is_refused(tmp_path: Path) -> None:
    types = "".join(
        complex_type(f"T{depth}", SEQUENCE.format(f'<xs:element name="e" type="t:T{depth + 1}"/>'))
        for depth in range(300)
    ) + complex_type("T300", SEQUENCE.format('<xs:element name="f" type="xs:int"/>'))  # fmt: skip
    with pytest.raises(NormError, match="50 niveaux"):
        draft(tmp_path, '<xs:element name="a" type="t:T0"/>', types)


PARTICLES = st.recursive(
    st.tuples(st.sampled_from(["T0", "T1", "T2", "xs:int", "xs:date"]), st.integers(0, 2)).map(
        lambda item: f'<xs:element name="{{}}" type="{item[0] if ":" in item[0] else "t:" + item[0]}" '
                     f'minOccurs="{item[1]}" maxOccurs="{max(item[1], 1)}"/>'
    ),
    lambda inner: st.tuples(st.sampled_from(["sequence", "choice"]), st.lists(inner, min_size=1, max_size=3),
                            st.integers(0, 1)).map(
        lambda item: f'<xs:{item[0]} minOccurs="{item[2]}">{"".join(item[1])}</xs:{item[0]}>'
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.lists(PARTICLES, min_size=3, max_size=3))
def test_any_types_that_need_each_other_close_or_are_refused(particles: list[str]) -> None:
    # Every element gets a name of its own, so that no content model is ambiguous.
    types = "".join(complex_type(f"T{number}", SEQUENCE.format(one)) for number, one in enumerate(particles))
    parts = types.split("{}")
    numbered = "".join(f"{part}e{number}" for number, part in enumerate(parts[:-1])) + parts[-1]
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = draft(Path(folder), '<xs:element name="a" type="t:T0"/>', numbered)
        except NormError as refused:
            assert "instance finie" in refused.what or "demande plus de" in refused.what
        else:
            assert "<t:a" in message(made) and TNS in message(made)
