"""Foreign schemas as one file per namespace: what was valid stays valid, what was not stays so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from foreign_kits import TNS, XS, imported, payloads, schema, written, wsdl
from lxml import etree

from norms.errors import NormError
from norms.foreign.gathering import Kit
from norms.foreign.merging import Assembly
from norms.foreign.wsdl import describe
from norms.schema import Schemas

OTHER = "urn:test:autre"


def compiled(tmp_path: Path, files: Mapping[str, str | bytes]) -> Schemas:
    """Import a kit and compile its schemas as the norm does."""
    made = imported(tmp_path / "kit", tmp_path / "work", files)
    return Schemas([made.folder / name for name in made.plan.schemas], [tmp_path.resolve()])


def valid(schemas: Schemas, body: str) -> bool:
    element = etree.fromstring(f'<t:prendre xmlns:t="{TNS}" xmlns:o="{OTHER}">{body}</t:prendre>')
    first, second = schemas.valid(element), schemas.second_valid(element)
    assert first == second
    return first


def including(*names: str) -> str:
    return "".join(f'<xs:include schemaLocation="{name}"/>' for name in names)


def importing(namespace: str, location: str = "") -> str:
    place = f' schemaLocation="{location}"' if location else ""
    return f'<xs:import namespace="{namespace}"{place}/>'


TITLE = '<xs:simpleType name="Titre"><xs:restriction base="xs:string"><xs:maxLength value="5"/></xs:restriction></xs:simpleType>'  # noqa: E501
ONE = payloads('<xs:element name="titre" type="t:Titre"/>')


@pytest.mark.parametrize(
    "files",
    [
        {"l.wsdl": wsdl(schema(ONE + TITLE))},
        {"l.wsdl": wsdl(schema(including("x/a.xsd") + ONE)), "x/a.xsd": schema(including("../y/b.xsd")),
         "y/b.xsd": schema(including("../x/a.xsd") + TITLE)},
        {"l.wsdl": wsdl(schema(including(".\\l\\a.xsd") + ONE)), "l/a.xsd": schema(TITLE)},
        {"l.wsdl": wsdl(schema(including("A.XSD") + ONE)), "a.xsd": schema(TITLE)},
        {"l.wsdl": wsdl(schema(including("http://exemple.invalid/v1/types/a.xsd") + ONE)),
         "types/a.xsd": schema(TITLE)},
        {"l.wsdl": wsdl(schema(including("http://exemple.invalid/service?xsd=a.xsd") + ONE)), "a.xsd": schema(TITLE)},
        # A schema without a namespace belongs to who includes it, its unqualified names too.
        {"l.wsdl": wsdl(schema(including("c.xsd") + ONE)),
         "c.xsd": schema(TITLE.replace("xs:string", "Texte")
                         + '<xs:simpleType name="Texte"><xs:restriction base="xs:string"/></xs:simpleType>', "")},
        # Two inline schemas of one namespace, and a definition that both have.
        {"l.wsdl": wsdl(schema(ONE + TITLE) + schema(TITLE))},
        {"l.wsdl": wsdl(schema(importing(OTHER) + payloads('<xs:element name="titre" type="o:Titre" '
                                                          f'xmlns:o="{OTHER}"/>')) + schema(TITLE, OTHER))},
        {"l.wsdl": wsdl(schema(importing(OTHER, "o.xsd") + payloads(f'<xs:element name="titre" type="o:Titre" xmlns:o='
                                                                   f'"{OTHER}"/>'))),
         "o.xsd": schema(importing(TNS, "l.wsdl") + TITLE, OTHER)},
        # The prefix of a type is declared on the element, and means another thing elsewhere.
        {"l.wsdl": wsdl(schema(importing(OTHER, "o.xsd") + payloads('<xs:element name="titre" xmlns:q1="'
                                                                   f'{OTHER}" type="q1:Titre"/>')
                               + f'<xs:element xmlns:q1="{TNS}" name="seul" type="q1:Autre"/>'
                               + TITLE.replace("Titre", "Autre"))), "o.xsd": schema(TITLE, OTHER)},
        # Imported by name only; the file is found by its namespace.
        {"l.wsdl": wsdl(schema(importing(OTHER) + payloads('<xs:element name="titre" type="o:Titre" '
                                                          f'xmlns:o="{OTHER}"/>'))),
         "ailleurs.xsd": schema(TITLE, OTHER)},
    ],
    ids=["inline", "nested", "backslash", "case", "address", "query", "chameleon", "twice", "inline-import", "circle",
         "prefixes", "by-namespace"],
)  # fmt: skip
def test_however_a_type_is_reached_it_means_the_same(files: dict[str, str | bytes], tmp_path: Path) -> None:
    schemas = compiled(tmp_path, files)
    assert valid(schemas, "<t:titre>cinq!</t:titre>")
    assert not valid(schemas, "<t:titre>plus long</t:titre>")
    assert not valid(schemas, "")


def test_a_chameleon_may_be_in_two_namespaces(tmp_path: Path) -> None:
    schemas = compiled(tmp_path, {
        "l.wsdl": wsdl(schema(including("c.xsd") + importing(OTHER, "o.xsd")
                              + payloads('<xs:element name="a" type="t:Titre"/>'
                                         f'<xs:element name="b" type="o:Titre" xmlns:o="{OTHER}"/>'))),
        "o.xsd": schema(including("c.xsd"), OTHER), "c.xsd": schema(TITLE, ""),
    })  # fmt: skip
    assert valid(schemas, "<t:a>cinq!</t:a><t:b>cinq!</t:b>")
    assert not valid(schemas, "<t:a>cinq!</t:a><t:b>trop long</t:b>")


def test_each_file_keeps_its_form_of_local_names(tmp_path: Path) -> None:
    inner = (
        '<xs:complexType name="Boite"><xs:sequence><xs:element name="n" type="xs:int"/></xs:sequence></xs:complexType>'
    )
    schemas = compiled(tmp_path, {
        "l.wsdl": wsdl(schema(including("u.xsd") + payloads('<xs:element name="b" type="t:Boite"/>'))),
        "u.xsd": schema(inner, more='elementFormDefault="unqualified"'),
    })  # fmt: skip
    assert valid(schemas, "<t:b><n>1</n></t:b>")
    assert not valid(schemas, "<t:b><t:n>1</t:n></t:b>")


def test_what_a_file_blocks_stays_blocked(tmp_path: Path) -> None:
    types = ('<xs:complexType name="A"><xs:sequence/></xs:complexType><xs:complexType name="B"><xs:complexContent>'
             '<xs:extension base="t:A"><xs:attribute name="x"/></xs:extension></xs:complexContent>'
             "</xs:complexType>")  # fmt: skip
    replaced = f'<t:a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="t:B" xmlns:t="{TNS}"/>'
    for block, accepted in (("", True), ('blockDefault="extension"', False)):
        files = {"l.wsdl": wsdl(schema(payloads('<xs:element name="a" type="t:A"/>') + types,
                                       more=f'elementFormDefault="qualified" {block}'))}  # fmt: skip
        assert valid(compiled(tmp_path / f"{accepted}", files), replaced) is accepted


def test_a_value_that_is_a_name_keeps_its_meaning(tmp_path: Path) -> None:
    codes = ('<xs:simpleType name="Code"><xs:restriction base="xs:QName"><xs:enumeration value="q:Un"/>'
             "</xs:restriction></xs:simpleType>")  # fmt: skip
    schemas = compiled(tmp_path, {"l.wsdl": wsdl(schema(
        payloads('<xs:element name="c" type="t:Code"/>') + codes, more=f'elementFormDefault="qualified" xmlns:q="{TNS}"'
    ))})  # fmt: skip
    assert valid(schemas, "<t:c>t:Un</t:c>")
    assert not valid(schemas, "<t:c>o:Un</t:c>")


def test_unique_keys_still_look_at_the_same_places(tmp_path: Path) -> None:
    body = (f'<xs:element name="prendre"><xs:complexType><xs:sequence><xs:element name="l" maxOccurs="9">'
            f'<xs:complexType><xs:attribute name="id"/></xs:complexType></xs:element></xs:sequence></xs:complexType>'
            f'<xs:unique name="u" xmlns:z="{TNS}"><xs:selector xpath=".//z:l"/><xs:field xpath="@id"/></xs:unique>'
            f'</xs:element><xs:element name="prendreReponse"/>')  # fmt: skip
    schemas = compiled(tmp_path, {"l.wsdl": wsdl(schema(body))})
    assert valid(schemas, '<t:l id="1"/><t:l id="2"/>')
    assert not valid(schemas, '<t:l id="1"/><t:l id="1"/>')


def test_standard_attributes_need_no_copy(tmp_path: Path) -> None:
    body = (importing("http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2001/xml.xsd")
            + importing("http://www.w3.org/2005/05/xmlmime", "http://www.w3.org/2005/05/xmlmime")
            + payloads('<xs:element name="b"><xs:complexType><xs:simpleContent><xs:extension base="xs:base64Binary">'
                       '<xs:attribute ref="m:contentType" xmlns:m="http://www.w3.org/2005/05/xmlmime" use="required"/>'
                       '<xs:attribute ref="xml:lang"/></xs:extension></xs:simpleContent></xs:complexType>'
                       "</xs:element>"))  # fmt: skip
    made = imported(tmp_path / "kit", tmp_path / "work", {"l.wsdl": wsdl(schema(body))})
    assert "contentType=" in (made.folder / "messages" / "PRENDRE.request.xml").read_text("utf-8")
    assert "xmlmime" in (made.folder / "CHANGES.md").read_text("utf-8")


def test_a_schema_that_says_it_is_one_by_its_doctype(tmp_path: Path) -> None:
    doctype = '<!DOCTYPE xs:schema PUBLIC "-//W3C//DTD XMLSCHEMA 200102//EN" "XMLSchema.dtd">'
    files = {"l.wsdl": wsdl(schema(including("d.xsd") + ONE)), "d.xsd": doctype + schema(TITLE)}
    assert valid(compiled(tmp_path, files), "<t:titre>cinq!</t:titre>")
    written(
        tmp_path / "kit", {"d.xsd": doctype.replace(">", ' [<!ENTITY x "a">]>') + schema(TITLE.replace("5", "&x;"))}
    )
    with pytest.raises(NormError, match="DOCTYPE"):
        imported(tmp_path / "kit", tmp_path / "again", {})


def test_definitions_that_no_message_uses_may_be_wrong(tmp_path: Path) -> None:
    ambiguous = ('<xs:complexType name="Faux"><xs:sequence><xs:element name="a" minOccurs="0"/><xs:any '
                 'processContents="lax"/></xs:sequence></xs:complexType>')  # fmt: skip
    made = imported(tmp_path / "kit", tmp_path / "work", {"l.wsdl": wsdl(schema(ONE + TITLE + ambiguous))})
    assert "Faux" not in next((made.folder / "schema").glob("*.xsd")).read_text("utf-8")
    assert "l.wsdl:1: libxml2 refuse" in (made.folder / "CHANGES.md").read_text("utf-8")
    assert "Faux" in (made.folder / "originals" / "l.wsdl").read_text("utf-8")


def test_an_operation_that_uses_a_wrong_definition_is_left_out(tmp_path: Path) -> None:
    ambiguous = ('<xs:complexType name="Faux"><xs:sequence><xs:element name="a" minOccurs="0"/><xs:any '
                 'processContents="lax"/></xs:sequence></xs:complexType>')  # fmt: skip
    wrong = payloads('<xs:element name="f" type="t:Faux"/>').replace("prendre", "rendre")
    types = schema(ONE + TITLE + ambiguous + wrong)
    made = imported(tmp_path / "kit", tmp_path / "work", {"l.wsdl": wsdl(types, operations="prendre rendre")})
    assert [one.name for one in made.plan.kinds] == ["prendre"]
    assert [(one.name, "libxml2 refuse" in one.why) for one in made.left_out] == [("rendre", True)]
    with pytest.raises(NormError, match="libxml2 refuse"):
        imported(tmp_path / "alone", tmp_path / "other", {"l.wsdl": wsdl(types, operations="rendre")})


@pytest.mark.parametrize(
    ("files", "sentence", "place"),
    [
        ({"l.wsdl": wsdl(schema(including("a.xsd") + ONE))}, "« a.xsd » n'existe pas", "l.wsdl:1"),
        ({"l.wsdl": wsdl(schema(including("../../a.xsd") + ONE))}, "est hors du dossier", "l.wsdl:1"),
        ({"l.wsdl": wsdl(schema(importing(OTHER, "https://exemple.invalid/o.xsd") + ONE))}, "adresse du réseau",
         "l.wsdl:1"),
        ({"l.wsdl": wsdl(schema(importing(OTHER, "file:///etc/passwd") + ONE))}, "adresse du réseau", "l.wsdl:1"),
        ({"l.wsdl": wsdl(schema("\n\n" + ONE))}, "« Titre » n'est défini par aucun schéma", "l.wsdl:3"),
        ({"l.wsdl": wsdl(schema(ONE.replace("t:Titre", "z:Titre")))}, "« z » n'est pas déclaré", "l.wsdl:1"),
        ({"l.wsdl": wsdl(schema(including("a.xsd") + ONE)), "a.xsd": schema(TITLE, OTHER)}, "et non « urn:test:livre »",
         "l.wsdl:1"),
        ({"l.wsdl": wsdl(schema(including("a.xsd") + ONE)), "a.xsd": "<html/>"}, "pas un schéma XML", "a.xsd:1"),
        ({"l.wsdl": wsdl(schema(including("a.xsd") + ONE)), "a.xsd": "<a>\n<b></a>"}, "mal formé", "a.xsd:2"),
        ({"l.wsdl": wsdl(schema(including("a.xsd") + ONE)), "a.xsd": f"\n<!DOCTYPE x>{schema(TITLE)}"}, "DOCTYPE",
         "a.xsd:2"),
        ({"l.wsdl": wsdl(schema(including("a.xsd") + ONE + TITLE)), "a.xsd": schema("\n" + TITLE.replace("5", "6"))},
         "défini deux fois", ":"),
        ({"l.wsdl": wsdl(schema('<xs:redefine schemaLocation="a.xsd"/>' + ONE)), "a.xsd": schema(TITLE)}, "xs:redefine",
         "l.wsdl:1"),
        ({"l.wsdl": wsdl(schema(TITLE))}, "porte l'élément « prendre »", "l.wsdl:1"),
        ({"l.wsdl": wsdl(schema(ONE + TITLE.replace('"5"', '"cinq"')))}, "libxml2 refuse", "l.wsdl:1"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_with_its_place(
    files: dict[str, str | bytes], sentence: str, place: str, tmp_path: Path
) -> None:
    with pytest.raises(NormError, match=sentence) as told:
        imported(tmp_path / "kit", tmp_path / "work", files)
    assert str(tmp_path / "kit") in str(told.value) and place in str(told.value)
    assert "\n" not in str(told.value)


def test_nothing_outside_the_folder_is_opened(tmp_path: Path) -> None:
    secret = written(tmp_path, {"secret.xsd": schema(TITLE)}) / "secret.xsd"
    kit = written(tmp_path / "kit", {"l.wsdl": wsdl(schema(including("lien.xsd") + ONE))})
    try:
        (kit / "lien.xsd").symlink_to(secret)
    except OSError:
        pytest.skip("no symbolic links here")
    with pytest.raises(NormError, match="hors du dossier"):
        imported(kit, tmp_path / "work", {})


def test_components_know_who_uses_them(tmp_path: Path) -> None:
    types = ('<xs:complexType name="Base" abstract="true"><xs:sequence/></xs:complexType><xs:complexType name="Fils">'
             '<xs:complexContent><xs:extension base="t:Base"/></xs:complexContent></xs:complexType>'
             '<xs:simpleType name="Seul"><xs:restriction base="xs:int"/></xs:simpleType>')  # fmt: skip
    body = schema(payloads('<xs:element name="b" type="t:Base"/>') + types)
    kit = Kit(written(tmp_path, {"l.wsdl": wsdl(body)}))
    assembly = Assembly(kit, describe(kit).schemas)
    needed = {key[2] for key in assembly.needed([("element", TNS, "prendre")])}
    assert needed == {"prendre", "Base", "Fils"}
    assert {key[2] for key in assembly.users(("type", TNS, "Fils"))} == {"prendre", "Base", "Fils"}
    assert XS not in {key[1] for key in assembly.components}
