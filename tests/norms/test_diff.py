"""What differs between two norms: every kind of difference is seen, and nothing where there is none."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_norm import EMPRUNT_XSD, FILES, NORM, REQUIREMENTS, RULES, SECURITY, SOCLE_XSD, write_norms

from norms.diff import diff
from norms.diff_text import sections
from norms.difference import Change, NormDiff
from norms.errors import NormError
from norms.loader import load
from norms.model import Norm

EMP = "emprunt/1.0/"
CODES = "code;libelle;valid_from;valid_to;age\n"


def norm_at(root: Path, changes: dict[str, str | None] | None = None) -> Norm:
    return load("emprunt/1.0", [write_norms(root, changes)])


def compared(tmp_path: Path, after: dict[str, str | None], before: dict[str, str | None] | None = None) -> NormDiff:
    return diff(norm_at(tmp_path / "before", before), norm_at(tmp_path / "after", after))


def said(found: NormDiff) -> list[str]:
    return [sentence for section in sections(found) for sentence in section.sentences]


def swap(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new)


def test_a_norm_does_not_differ_from_itself(tmp_path: Path) -> None:
    found = compared(tmp_path, {})
    assert found.changes == ()
    assert found.before_digest == found.after_digest
    assert sections(found) == []


ROW = "EMP-003;2;MUST;mineure;server;ICS-A;Le système DOIT donner le total des lignes.;;\n"
REQUIREMENT_CASES = {
    "added": (REQUIREMENTS + "EMP-009;9;MUST;majeure;server;;Le système DOIT saluer.;;\n",
              Change("requirement", "added", "EMP-009", after="Le système DOIT saluer."),
              "L'exigence EMP-009 est nouvelle : Le système DOIT saluer."),
    "removed": (swap(REQUIREMENTS, "EMP-004;3;SHOULD;mineure;server;;Le système DEVRAIT nommer le livre.;;\n", ""),
                Change("requirement", "removed", "EMP-004", before="Le système DEVRAIT nommer le livre."),
                "L'exigence EMP-004 est retirée ; elle disait : Le système DEVRAIT nommer le livre."),
    "text": (swap(REQUIREMENTS, "DOIT répondre.", "DOIT répondre vite."),
             Change("requirement", "changed", "EMP-001", "text.fr", "Le système DOIT répondre.",
                    "Le système DOIT répondre vite."),
             "dit désormais : Le système DOIT répondre vite. Elle disait : Le système DOIT répondre."),
    "level": (swap(REQUIREMENTS, "3;SHOULD", "3;MUST"),
              Change("requirement", "changed", "EMP-004", "level", "SHOULD", "MUST"), "« niveau »"),
    "severity": (swap(REQUIREMENTS, "MUST;majeure", "MUST;mineure"),
                 Change("requirement", "changed", "EMP-002", "severity", "majeure", "mineure"), "« gravité »"),
    "role": (swap(REQUIREMENTS, "majeure;client", "majeure;both"),
             Change("requirement", "changed", "EMP-002", "role", "client", "both"), "« rôle »"),
    "condition gone": (swap(REQUIREMENTS, ROW, ROW.replace("ICS-A", "")),
                       Change("requirement", "changed", "EMP-003", "applies_if", "ICS-A", ""),
                       "ne vaut plus « ICS-A » et reste vide"),
}  # fmt: skip


@pytest.mark.parametrize("case", REQUIREMENT_CASES)
def test_requirements(tmp_path: Path, case: str) -> None:
    text, change, sentence = REQUIREMENT_CASES[case]
    found = compared(tmp_path, {EMP + "requirements.csv": text})
    assert found.changes == (change,)
    assert sentence in said(found)[0]


SERVICE = NORM[NORM.index("  - kind: EMP") : NORM.index("fill:")]
NORM_CASES = {
    "service added": (swap(NORM, SERVICE, SERVICE + swap(SERVICE, "kind: EMP", "kind: RET")),
                      Change("service", "added", "RET", after="Emprunt")),
    "service renamed": (swap(NORM, "kind: EMP", "kind: PRT"), Change("service", "removed", "EMP", before="Emprunt")),
    "operation": (swap(NORM, "operation: emprunter", "operation: preter"),
                  Change("service", "changed", "EMP", "operation", "emprunter", "preter")),
    "action": (swap(NORM, 'action: "urn:emprunter"', 'action: "urn:preter"'),
               Change("service", "changed", "EMP", "request.action", "urn:emprunter", "urn:preter")),
    "path": (swap(NORM, "path: /emprunt", "path: /pret"),
             Change("service", "changed", "EMP", "path", "/emprunt", "/pret")),
    "declared version": (swap(NORM, '    version: "1.0"', '    version: "1.1"'),
                         Change("service", "changed", "EMP", "version", "1.0", "1.1")),
    "header": (swap(NORM, 'headers: ["s:Contexte"]', "headers: []"),
               Change("service", "changed", "EMP", "headers", "s:Contexte", "")),
    "profile added": (swap(NORM, "reading:", '  - {code: ENFANT, title: {fr: "Enfants"}}\nreading:'),
                      Change("profile", "added", "ENFANT", after="Enfants")),
    "profile value": (swap(NORM, 'lecteur: "L1"', 'lecteur: "L2"'),
                      Change("profile", "changed", "ADULTE", "values.lecteur", "L1", "L2")),
    "validity": (swap(NORM, 'valid_from: "2020-01-01"', 'valid_from: "2027-01-01"'),
                 Change("norm", "changed", "valid_from", "", "2020-01-01", "2027-01-01")),
    "filled place": (swap(NORM, '"//e:Lecteur": "${lecteur}"', '"//e:Lecteur": "L9"'),
                     Change("norm", "changed", "fill", "//e:Lecteur", "${lecteur}", "L9")),
    "rounding": (swap(NORM, "places: 2", "places: 3"), Change("norm", "changed", "rounding", "places", "2", "3")),
    "expectation": (NORM + "  - {requirement: EMP-004, check: answered}\n",
                    Change("norm", "added", "always", "always", after="requirement EMP-004, check answered")),
    "reaction": (NORM + 'reactions:\n  schema: {requirement: EMP-001, outcomes: ["http:400"]}\n',
                 Change("norm", "changed", "reactions", "schema.outcomes", "", "http:400")),
    "comment": (NORM + "# remarque\n", Change("file", "changed", "norm.yaml", "writing")),
}  # fmt: skip


@pytest.mark.parametrize("case", NORM_CASES)
def test_services_profiles_and_settings(tmp_path: Path, case: str) -> None:
    text, change = NORM_CASES[case]
    found = compared(tmp_path, {EMP + "norm.yaml": text})
    assert change in found.changes
    assert {one.subject for one in found.changes} == {change.subject, *({"norm"} if case == "reaction" else ())}
    assert all(one.before in text and one.after in text for one, text in zip(found.changes, said(found), strict=True))


DEMAND = "e:Demande"
SCHEMA_CASES = {
    "element added": ('<xs:element name="Debut"', '<xs:element name="Motif" type="s:Nom"/><xs:element name="Debut"',
                      Change("element", "added", f"{DEMAND}/e:Motif",
                             after="occurs 1..1, datatype xs:string, minLength 1, maxLength 10")),
    "element removed": ('<xs:element name="Lecteur" type="s:Nom"/>', "",
                        Change("element", "removed", f"{DEMAND}/e:Lecteur",
                               before="occurs 1..1, datatype xs:string, minLength 1, maxLength 10")),
    "occurrences": ('maxOccurs="3"', 'maxOccurs="unbounded"',
                    Change("element", "changed", f"{DEMAND}/e:Livre", "occurs", "1..3", "1..*")),
    "value gone": ('<xs:enumeration value="essai"/>', "",
                   Change("element", "removed", f"{DEMAND}/e:Genre", "enumeration", before="essai")),
    "value come": ('<xs:enumeration value="essai"/>', '<xs:enumeration value="essai"/><xs:enumeration value="conte"/>',
                   Change("element", "added", f"{DEMAND}/e:Genre", "enumeration", after="conte")),
    "data type": ('name="Fin" type="xs:date"', 'name="Fin" type="xs:dateTime"',
                  Change("element", "changed", f"{DEMAND}/e:Fin", "datatype", "xs:date", "xs:dateTime")),
    "attribute optional": ('use="required"', 'use="optional"',
                           Change("element", "changed", f"{DEMAND}/@Version", "use", "required", "optional")),
    "attribute added": ('<xs:attribute name="Version"', '<xs:attribute name="Langue"/><xs:attribute name="Version"',
                        Change("element", "added", f"{DEMAND}/@Langue",
                               after="use optional, datatype xs:anySimpleType")),
    "wildcard": ('processContents="lax"', 'processContents="strict"',
                 Change("element", "changed", f"{DEMAND}/*", "process", "lax", "strict")),
    "default": ('name="Code" type="xs:string"', 'name="Code" default="00" type="xs:string"',
                Change("element", "changed", "e:Reponse/e:Code", "default", "", "00")),
    "nillable": ('name="Code" type="xs:string"', 'name="Code" nillable="true" type="xs:string"',
                 Change("element", "changed", "e:Reponse/e:Code", "nillable", "", "true")),
    "global element added": ("</xs:schema>", '<xs:element name="Adieu" type="xs:string"/></xs:schema>',
                             Change("element", "added", "e:Adieu", after="datatype xs:string")),
    "comment": ("</xs:schema>", "<!-- rien --></xs:schema>",
                Change("file", "changed", "schema/emprunt.xsd", "writing")),
}  # fmt: skip


@pytest.mark.parametrize("case", SCHEMA_CASES)
def test_elements_and_facets(tmp_path: Path, case: str) -> None:
    old, new, change = SCHEMA_CASES[case]
    found = compared(tmp_path, {EMP + "schema/emprunt.xsd": swap(EMPRUNT_XSD, old, new)})
    assert found.changes == (change,)


def test_the_order_of_children_counts_among_those_that_both_have(tmp_path: Path) -> None:
    dates = ('    <xs:element name="Debut" type="xs:date"/>\n', '    <xs:element name="Fin" type="xs:date"/>\n')
    turned = swap(EMPRUNT_XSD, "".join(dates), "".join(reversed(dates)))
    (change,) = compared(tmp_path, {EMP + "schema/emprunt.xsd": turned}).changes
    assert (change.id, change.field) == (DEMAND, "order")
    assert "e:Debut, e:Fin" in change.before and "e:Fin, e:Debut" in change.after
    choice = swap(EMPRUNT_XSD, "".join(dates), f"<xs:choice>{''.join(dates)}</xs:choice>")
    (change,) = compared(tmp_path, {EMP + "schema/emprunt.xsd": choice}).changes
    assert "(e:Debut | e:Fin)" in change.after


def test_a_type_of_a_parent_is_said_once_for_all_its_places(tmp_path: Path) -> None:
    found = compared(tmp_path, {"socle/1.0/schema/socle.xsd": swap(SOCLE_XSD, "[0-9]{4}", "[0-9]{13}")})
    places = {"e:Demande/e:Livre", "s:Erreur/s:Code"}
    assert {(one.id, one.field, one.after) for one in found.changes} == {(at, "pattern", "[0-9]{13}") for at in places}
    (sentence,) = said(found)
    assert all(place in sentence for place in places) and "« motif »" in sentence


def test_facets_of_lists_unions_and_restricted_types(tmp_path: Path) -> None:
    types = """<xs:element name="Liste"><xs:simpleType><xs:restriction><xs:simpleType><xs:list itemType="s:Isbn"/>
      </xs:simpleType><xs:maxLength value="3"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="Choix"><xs:simpleType><xs:union memberTypes="s:Isbn xs:date"/></xs:simpleType></xs:element>
      <xs:element name="Court"><xs:simpleType><xs:restriction base="s:Isbn"><xs:pattern value="1.*"/>
      <xs:pattern value="2.*"/></xs:restriction></xs:simpleType></xs:element></xs:schema>"""
    first = swap(EMPRUNT_XSD, "</xs:schema>", types)
    second = first.replace('maxLength value="3"', 'maxLength value="4"').replace("s:Isbn xs:date", "s:Isbn xs:time")
    found = compared(
        tmp_path,
        {EMP + "schema/emprunt.xsd": second.replace('value="2.*"', 'value="3.*"')},
        {EMP + "schema/emprunt.xsd": first},
    )
    assert {(one.id, one.field, one.before, one.after) for one in found.changes} == {
        ("e:Liste", "maxLength", "3", "4"),
        ("e:Choix", "datatype (2)", "xs:date", "xs:time"),
        ("e:Court", "pattern", "[0-9]{4} & 1.* | 2.*", "[0-9]{4} & 1.* | 3.*"),
    }


def test_a_type_inside_itself_ends(tmp_path: Path) -> None:
    tree = """<xs:element name="Noeud" type="Noeud"/><xs:complexType name="Noeud"><xs:sequence>
      <xs:element name="Fils" type="Noeud" minOccurs="0"/></xs:sequence></xs:complexType></xs:schema>"""
    text = swap(EMPRUNT_XSD, "</xs:schema>", tree)
    found = compared(
        tmp_path, {EMP + "schema/emprunt.xsd": swap(text, 'type="Noeud" minOccurs="0"', 'type="Noeud" minOccurs="1"')},
        {EMP + "schema/emprunt.xsd": text},
    )  # fmt: skip
    assert Change("element", "changed", "e:Noeud/e:Fils", "occurs", "0..1", "1..1") in found.changes


RULE_CASES = {
    "added": ("</sch:rule>\n  </sch:pattern>\n</sch:schema>",
              '<sch:report id="R-003" role="EMP-003" test="e:Non">Jamais.</sch:report></sch:rule></sch:pattern>'
              "</sch:schema>",
              Change("rule", "added", "R-003", after="Jamais.")),
    "renamed": ('id="R-002"', 'id="R-009"', Change("rule", "removed", "R-002", before="Le total est la somme.")),
    "test": (") > 0", ") > 1", Change("rule", "changed", "R-001", "test", "p:days-between(e:Debut, e:Fin) > 0",
                                     "p:days-between(e:Debut, e:Fin) > 1")),
    "requirement": ('role="EMP-002"', 'role="EMP-001"',
                    Change("rule", "changed", "R-001", "requirement", "EMP-002", "EMP-001")),
    "text": ("Le retour (<", "La fin (<", Change("rule", "changed", "R-001", "text",
                                                "Le retour ([e:Fin]) suit l'emprunt.",
                                                "La fin ([e:Fin]) suit l'emprunt.")),
    "context": ('context="e:Demande"', 'context="e:Demande[e:Fin]"',
                Change("rule", "changed", "R-001", "context", "e:Demande", "e:Demande[e:Fin]")),
    "variable": ('<sch:pattern id="demande">', '<sch:pattern id="demande"><sch:let name="x" value="1"/>',
                 Change("rule", "changed", "R-001", "variables", "", "x = 1")),
}  # fmt: skip


@pytest.mark.parametrize("case", RULE_CASES)
def test_rules(tmp_path: Path, case: str) -> None:
    old, new, change = RULE_CASES[case]
    found = compared(tmp_path, {EMP + "rules/emprunt.sch": swap(RULES, old, new)})
    assert change in found.changes
    assert {one.subject for one in found.changes} <= {"rule"}


TABLE = CODES + "08;Prêt;2020-01-01;;3\n09;Don;2020-01-01;2021-12-31;4\n"
TABLE_CASES = {
    "added": (TABLE + "10;Vente;2026-01-01;;\n", Change("code", "added", "10", after="Vente (2026-01-01 – …)"),
              "Le code 10 de la table actes est nouveau : Vente (2026-01-01 – …)."),
    "removed": (swap(TABLE, "09;Don;2020-01-01;2021-12-31;4\n", ""),
                Change("code", "removed", "09", before="Don (2020-01-01 – 2021-12-31)"), "est retiré"),
    "closed": (swap(TABLE, "08;Prêt;2020-01-01;;", "08;Prêt;2020-01-01;2026-06-30;"),
               Change("code", "changed", "08", "valid_to", "", "2026-06-30"),
               "Le code 08 de la table actes est clos : son dernier jour est le 2026-06-30."),
    "open again": (swap(TABLE, "2021-12-31", ""), Change("code", "changed", "09", "valid_to", "2021-12-31", ""),
                   "Le code 09 de la table actes est rouvert"),
    "moved": (swap(TABLE, "08;Prêt;2020", "08;Prêt;2019"),
              Change("code", "changed", "08", "valid_from", "2020-01-01", "2019-01-01"), "« début » passe de"),
    "attribute": (swap(TABLE, ";;3", ";;5"), Change("code", "changed", "08", "age", "3", "5"), "« age » passe de"),
    "label": (swap(TABLE, "Prêt", "Vente"), Change("code", "changed", "08", "libelle", "Prêt", "Vente"), "« libellé »"),
    "period": (TABLE + "09;Don;2026-01-01;;4\n", Change("code", "added", "09", "period", after="Don (2026-01-01 – …)"),
               "a une période de plus"),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE_CASES)
def test_codes(tmp_path: Path, case: str) -> None:
    text, change, sentence = TABLE_CASES[case]
    found = compared(tmp_path, {EMP + "codes/actes.csv": text}, {EMP + "codes/actes.csv": TABLE})
    (seen,) = found.changes
    assert (seen.subject, seen.kind, seen.id, seen.field, seen.before, seen.after, seen.within) == (
        "code", change.kind, change.id, change.field, change.before, change.after, "actes")  # fmt: skip
    assert sentence in said(found)[0]


def test_tables_and_columns(tmp_path: Path) -> None:
    table = EMP + "codes/actes.csv"
    wider = CODES.replace("age", "prix") + "08;Prêt;2020-01-01;;3\n"
    assert compared(tmp_path / "1", {table: TABLE}).changes == (Change("table", "added", "actes", after="2"),)
    assert compared(tmp_path / "2", {}, {table: TABLE}).changes == (Change("table", "removed", "actes", before="2"),)
    found = compared(tmp_path / "3", {table: wider}, {table: CODES + "08;Prêt;2020-01-01;;3\n"})
    assert found.changes == (
        Change("table", "removed", "actes", "column", before="age"),
        Change("table", "added", "actes", "column", after="prix"),
    )
    assert len(said(found)) == 2


def test_security_parameters(tmp_path: Path) -> None:
    longer = swap(swap(SECURITY, "depth: 20", "depth: 30"), "covers: [body]", "covers: [body, timestamp]")
    found = compared(tmp_path, {"socle/1.0/security.yaml": longer + "  rule: {fault: Sender, code: X-2, http: 400}\n"})
    assert {(one.subject, one.field, one.before, one.after) for one in found.changes} == {
        ("security", "request.flow.covers", "body", "body, timestamp"),
        ("security", "limits.depth", "20", "30"),
        ("security", "refusals.rule.fault", "", "Sender"),
        ("security", "refusals.rule.code", "", "X-2"),
        ("security", "refusals.rule.http", "", "400"),
    }
    assert "Paramètre de sécurité limits.depth : « 20 » devient « 30 »." in said(found)


def test_claims_values_files_and_simulator(tmp_path: Path) -> None:
    found = compared(
        tmp_path,
        {
            EMP + "ics.csv": FILES[EMP + "ics.csv"].replace("optional", "conditional")
            + "ICS-B;Prête-t-il ?;optional;\n",
            EMP + "ixit.csv": FILES[EMP + "ixit.csv"].replace(";12;", ";13;"),
            EMP + "messages/EMP.request.xml": FILES[EMP + "messages/EMP.request.xml"] + "\n",
            EMP + "examples/invalid/R-002--total-faux.xml": None,
            EMP + "examples/valid/x.xml": FILES[EMP + "messages/EMP.request.xml"],
            EMP + "simulator/faults.yaml": "[]\n\n",
            EMP + "CHANGES.md": "# Histoire\n",
        },
    )
    assert found.changes == (
        Change("claim", "changed", "ICS-A", "status", "optional", "conditional"),
        Change("claim", "added", "ICS-B", after="Prête-t-il ?"),
        Change("value", "changed", "code", "example", "12", "13"),
        Change("file", "removed", "examples/invalid/R-002--total-faux.xml"),
        Change("file", "added", "examples/valid/x.xml"),
        Change("file", "changed", "messages/EMP.request.xml"),
        Change("simulator", "changed", "simulator"),
    )
    assert len(said(found)) == 7


def test_a_file_of_a_parent_that_is_only_written_otherwise_is_named(tmp_path: Path) -> None:
    schema = "socle/1.0/schema/socle.xsd"
    found = compared(tmp_path, {schema: SOCLE_XSD + "\n", "socle/1.0/CHANGES.md": "# Histoire\n"})
    assert found.changes == (Change("file", "changed", schema, "writing"),)


def test_a_wrong_schema_is_refused_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(NormError, match="schéma"):
        compared(tmp_path, {EMP + "schema/emprunt.xsd": swap(EMPRUNT_XSD, "s:Isbn", "s:Inconnu")})


CELLS = st.text("abé 1", min_size=1, max_size=4).map(str.strip).filter(bool)
TABLES = st.dictionaries(
    st.sampled_from("ABCD"), st.tuples(CELLS, st.sampled_from(["", "2026-01-01"]), CELLS), max_size=4
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TABLES, TABLES)
def test_any_two_tables(before: dict[str, tuple[str, str, str]], after: dict[str, tuple[str, str, str]]) -> None:
    """The differences are those of the cells, and turn round with their sides."""

    def text(rows: dict[str, tuple[str, str, str]]) -> str:
        return CODES + "".join(f"{code};{label};;{end};{age}\n" for code, (label, end, age) in rows.items())

    expected = {(code, "", "added") for code in after.keys() - before.keys()}
    expected |= {(code, "", "removed") for code in before.keys() - after.keys()}
    for code in before.keys() & after.keys():
        for name, old, new in zip(("libelle", "valid_to", "age"), before[code], after[code], strict=True):
            if old != new:
                expected.add((code, name, "changed"))
    with tempfile.TemporaryDirectory() as folder:
        one = norm_at(Path(folder) / "a", {EMP + "codes/actes.csv": text(before)})
        two = norm_at(Path(folder) / "b", {EMP + "codes/actes.csv": text(after)})
        there, back = diff(one, two), diff(two, one)
    assert {(change.id, change.field, change.kind) for change in there.of("code")} == expected
    assert {(change.id, change.before, change.after) for change in there.of("code")} == {
        (change.id, change.after, change.before) for change in back.of("code")
    }
