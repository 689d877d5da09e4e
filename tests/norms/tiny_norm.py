"""A small complete norm, written to a folder by tests, and its messages.

`emprunt/1.0` (a library lends books) uses `socle/1.0` (shared types, header block, security). Tests pass replacements
for single files: text, or None to leave a file out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
OWN: Final = "urn:test:emprunt"
BASE: Final = "urn:test:socle"

NORM: Final = """\
id: emprunt
version: "1.0"
revision: "1"
title: {fr: "Emprunt de livres", en: "Lending"}
status: draft
provenance: reconstruction
valid_from: "2020-01-01"
uses: [socle/1.0]
security: signe
rounding: {mode: half-up, places: 2}
prefixes:
  soap: http://www.w3.org/2003/05/soap-envelope
  e: urn:test:emprunt
schemas: [schema/emprunt.xsd]
services:
  - kind: EMP
    title: {fr: "Emprunt"}
    soap: "1.2"
    wsdl: wsdl/emprunt.wsdl
    operation: emprunter
    path: /emprunt
    version_at: "/soap:Envelope/soap:Body/e:Demande/@Version"
    version: "1.0"
    request: {element: "e:Demande", action: "urn:emprunter"}
    response: {element: "e:Reponse", action: "urn:emprunterResponse"}
    headers: ["s:Contexte"]
fill:
  "//e:Lecteur": "${lecteur}"
default_given: lecteurs
profiles:
  - {code: ADULTE, title: {fr: "Adultes"}, values: {lecteur: "L1"}}
reading:
  result: "/soap:Envelope/soap:Body/*/e:Code"
always:
  - {requirement: EMP-001, check: answered}
"""

REQUIREMENTS: Final = """\
id;section;level;severity;role;applies_if;text_fr;text_en;not_tested_reason
EMP-001;1;MUST;bloquante;server;;Le système DOIT répondre.;;
EMP-002;2;MUST;majeure;client;;Le système DOIT dater l'emprunt avant le retour.;;
EMP-003;2;MUST;mineure;server;ICS-A;Le système DOIT donner le total des lignes.;;
EMP-004;3;SHOULD;mineure;server;;Le système DEVRAIT nommer le livre.;;
"""

EMPRUNT_XSD: Final = f"""\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:s="{BASE}" targetNamespace="{OWN}"
           xmlns="{OWN}" elementFormDefault="qualified">
  <xs:import namespace="{BASE}" schemaLocation="../../../socle/1.0/schema/socle.xsd"/>
  <xs:element name="Demande"><xs:complexType><xs:sequence>
    <xs:element name="Lecteur" type="s:Nom"/>
    <xs:element name="Genre" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
      <xs:enumeration value="roman"/><xs:enumeration value="essai"/></xs:restriction></xs:simpleType></xs:element>
    <xs:element name="Debut" type="xs:date"/>
    <xs:element name="Fin" type="xs:date"/>
    <xs:element name="Livre" type="s:Isbn" maxOccurs="3"/>
    <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="2"/>
  </xs:sequence><xs:attribute name="Version" type="xs:string" use="required"/></xs:complexType></xs:element>
  <xs:element name="Reponse"><xs:complexType><xs:sequence>
    <xs:element name="Code" type="xs:string"/>
    <xs:element name="Ligne" minOccurs="0" maxOccurs="9" type="s:Montant"/>
    <xs:element name="Total" type="s:Montant" minOccurs="0"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>
"""

# libxml2 lets a type without values pass, xmlschema does not.
IMPOSSIBLE_XSD: Final = EMPRUNT_XSD.replace(
    "</xs:schema>",
    '<xs:simpleType name="Impossible"><xs:restriction base="xs:string"><xs:minLength value="5"/>'
    '<xs:maxLength value="2"/></xs:restriction></xs:simpleType></xs:schema>',
)

SOCLE_XSD: Final = f"""\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{BASE}" xmlns="{BASE}"
           elementFormDefault="qualified">
  <xs:element name="Contexte"><xs:complexType><xs:sequence>
    <xs:element name="Logiciel" type="Nom"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="Erreur"><xs:complexType><xs:sequence>
    <xs:element name="Code" type="Isbn"/></xs:sequence></xs:complexType></xs:element>
  <xs:simpleType name="Nom"><xs:restriction base="xs:string">
    <xs:minLength value="1"/><xs:maxLength value="10"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Isbn"><xs:restriction base="xs:string">
    <xs:pattern value="[0-9]{{4}}"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Montant"><xs:restriction base="xs:decimal">
    <xs:minInclusive value="0"/><xs:fractionDigits value="2"/></xs:restriction></xs:simpleType>
</xs:schema>
"""

RULES: Final = f"""\
<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt">
  <sch:ns prefix="e" uri="{OWN}"/>
  <sch:pattern id="demande">
    <sch:rule context="e:Demande">
      <sch:assert id="R-001" role="EMP-002" test="p:days-between(e:Debut, e:Fin) > 0"
        >Le retour (<sch:value-of select="e:Fin"/>) suit l'emprunt.</sch:assert>
    </sch:rule>
  </sch:pattern>
  <sch:pattern id="reponse">
    <sch:rule context="e:Reponse[e:Total]">
      <sch:assert id="R-002" role="EMP-003" test="p:amount(e:Total) = p:sum(e:Ligne)"
        >Le total est la somme.</sch:assert>
    </sch:rule>
  </sch:pattern>
</sch:schema>
"""

WSDL: Final = """\
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/"
             targetNamespace="urn:test:emprunt">
  <portType name="P"><operation name="emprunter"/></portType>
  <binding name="B" type="P"><soap12:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="emprunter"><soap12:operation soapAction="urn:emprunter"/></operation></binding>
</definitions>
"""

SECURITY: Final = """\
profiles:
  signe:
    tls: {minimum: "1.2", client_certificate: client}
    request:
      flow: {signer: client, covers: [body]}
    limits: {body_bytes: 100000, depth: 20}
certificates:
  client: {key_usage: [digital_signature]}
refusals:
  schema: {fault: Sender, code: X-1, http: 400}
"""

SOCLE: Final = """\
id: socle
version: "1.0"
revision: "1"
title: {fr: "Socle"}
status: draft
provenance: reconstruction
valid_from: "2020-01-01"
prefixes: {s: urn:test:socle}
schemas: [schema/socle.xsd]
"""


def envelope(body: str, header: str = "", soap: str = SOAP) -> str:
    """Return an envelope with the namespaces of the tiny norm."""
    return (
        f'<soap:Envelope xmlns:soap="{soap}" xmlns:e="{OWN}" xmlns:s="{BASE}"><soap:Header>{header}</soap:Header>'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>\n"
    )


CONTEXT: Final = "<s:Contexte><s:Logiciel>Biblio</s:Logiciel></s:Contexte>"
DEMAND: Final = (
    '<e:Demande Version="1.0"><e:Lecteur>L1</e:Lecteur><e:Debut>2026-01-01</e:Debut><e:Fin>2026-02-01</e:Fin>'
    "<e:Livre>1234</e:Livre></e:Demande>"
)
ANSWER: Final = (
    "<e:Reponse><e:Code>00</e:Code><e:Ligne>1.10</e:Ligne><e:Ligne>2.2</e:Ligne><e:Total>3.30</e:Total></e:Reponse>"
)
FAULT: Final = (
    "<soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code><soap:Reason>"
    '<soap:Text xml:lang="fr">Non</soap:Text></soap:Reason><soap:Detail>{detail}</soap:Detail></soap:Fault>'
)
ERROR: Final = "<s:Erreur><s:Code>1234</s:Code></s:Erreur>"

REQUEST_MESSAGE: Final = envelope(DEMAND, CONTEXT)
RESPONSE_MESSAGE: Final = envelope(ANSWER)

FILES: Final[Mapping[str, str]] = {
    "socle/1.0/norm.yaml": SOCLE,
    "socle/1.0/security.yaml": SECURITY,
    "socle/1.0/schema/socle.xsd": SOCLE_XSD,
    "socle/1.0/codes/genres.csv": "code;libelle;valid_from;valid_to\nA;Parent;;\n",
    "socle/1.0/codes/pays.csv": "code;libelle;valid_from;valid_to;monnaie\nFR;France;;;EUR\n",
    "emprunt/1.0/norm.yaml": NORM,
    "emprunt/1.0/requirements.csv": REQUIREMENTS,
    "emprunt/1.0/ics.csv": "id;question_fr;status;requirements\nICS-A;Vend-il ?;optional;EMP-003\n",
    "emprunt/1.0/ixit.csv": "name;question_fr;example;secret\ncode;Quel code ?;12;oui\n",
    "emprunt/1.0/schema/emprunt.xsd": EMPRUNT_XSD,
    "emprunt/1.0/rules/emprunt.sch": RULES,
    "emprunt/1.0/codes/genres.csv": "code;libelle;valid_from;valid_to\nB;Enfant;;\n",
    "emprunt/1.0/wsdl/emprunt.wsdl": WSDL,
    "emprunt/1.0/messages/EMP.request.xml": REQUEST_MESSAGE,
    "emprunt/1.0/messages/EMP.response.xml": RESPONSE_MESSAGE,
    "emprunt/1.0/examples/invalid/R-001--retour-avant.xml": REQUEST_MESSAGE.replace("2026-02-01", "2025-02-01"),
    "emprunt/1.0/examples/invalid/R-002--total-faux.xml": RESPONSE_MESSAGE.replace("3.30", "3.31"),
    "emprunt/1.0/simulator/faults.yaml": "[]\n",
}


def write_norms(root: Path, changes: Mapping[str, str | None] | None = None) -> Path:
    """Write both norms below `root` and return it; `changes`: path below root -> other text, None to leave out."""
    for name, text in {**FILES, **(changes or {})}.items():
        path = root / name
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
    return root
