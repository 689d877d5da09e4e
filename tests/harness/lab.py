"""A tiny norm, its suite and a product that answers it: what the harness needs to be tried on its own."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from harness.run import RunOptions
from norms.loader import load
from norms.model import Norm, Text
from scenarios.compiler import FORMAT
from scenarios.declaration import Declaration, Product, Timeouts
from scenarios.model import Case, Expectation, NotSelected, Role, Step, Suite
from tests.harness.servers import read_request

NAMESPACE = "urn:poincon:test:essai"
_NORM = """\
id: essai
version: "1.0"
revision: "1"
title: {fr: "Norme d'essai", en: "Trial norm"}
status: draft
provenance: reconstruction
valid_from: "2026-01-01"
valid_to: ""
replaces: ""
regime: laboratory
uses: []
prefixes: {soap: "http://www.w3.org/2003/05/soap-envelope", e: "urn:poincon:test:essai"}
schemas: [schema/essai.xsd]
services:
  - kind: PING
    title: {fr: "Écho", en: "Echo"}
    soap: "1.2"
    wsdl: wsdl/essai.wsdl
    operation: ping
    path: /ping
    request: {element: "e:Ping", action: "urn:ping"}
    response: {element: "e:Pong", action: "urn:pong"}
fill: {"//e:Ping/e:Id": "${uuid}"}
profiles:
  - {code: A, title: {fr: "Profil A"}, values: {couleur: bleu}}
reading: {result: "//e:Pong/e:Code"}
always:
  - {requirement: ESS-001, check: answered}
"""
_REQUIREMENTS = """\
id;section;level;severity;role;applies_if;text_fr;text_en;not_tested_reason
ESS-001;1;MUST;bloquante;server;;Le système DOIT répondre.;The system MUST answer.;
ESS-002;2;MUST;majeure;server;;Le système DOIT rendre la couleur.;The system MUST give the colour back.;
ESS-003;3;MUST;majeure;server;;Le système DOIT refuser.;The system MUST refuse.;
ESS-004;4;MUST;majeure;client;;Le logiciel DOIT demander.;The software MUST ask.;
"""
_ENVELOPE = (
    f'<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope" xmlns:e="{NAMESPACE}"><soap:Header/>'
    "<soap:Body>{}</soap:Body></soap:Envelope>"
)
REQUEST = _ENVELOPE.format("<e:Ping><e:Id>0</e:Id><e:Couleur>bleu</e:Couleur></e:Ping>")
_XSD = f"""\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{NAMESPACE}" elementFormDefault="qualified">
  <xs:element name="Ping"><xs:complexType><xs:sequence>
    <xs:element name="Id" type="xs:string"/><xs:element name="Couleur" type="xs:string"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="Pong"><xs:complexType><xs:sequence>
    <xs:element name="Code" type="xs:string"/><xs:element name="Couleur" type="xs:string"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>
"""


_DECISIONS = """\
fault: {answer: fault}
decisions:
  PING:
    rows:
      - {id: pong, set: {couleur: "//e:Couleur", code: "'00'"}, answer: pong}
"""
_FAULT = """\
<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body><soap:Fault>
<soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code>
<soap:Reason><soap:Text xml:lang="fr">{{ code }}</soap:Text></soap:Reason></soap:Fault></soap:Body></soap:Envelope>
"""


def make_norm(root: Path) -> Norm:
    """Write the trial norm below `root` and load it."""
    folder = root / "essai" / "1.0"
    for name, text in {
        "norm.yaml": _NORM,
        "requirements.csv": _REQUIREMENTS,
        "ics.csv": "id;question_fr;status;requirements\n",
        "ixit.csv": "name;question_fr;example;secret\n",
        "schema/essai.xsd": _XSD,
        "wsdl/essai.wsdl": "<definitions/>",
        "messages/PING.request.xml": REQUEST,
        "messages/PING.response.xml": pong(),
        "simulator/population.yaml": "pools: {}\n",
        "simulator/decisions.yaml": _DECISIONS,
        "simulator/faults.yaml": "faults: []\n",
        "simulator/variants.yaml": "variants: []\n",
        "simulator/answers/pong.xml": pong("{{ couleur }}", "{{ code }}"),
        "simulator/answers/fault.xml": _FAULT,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load(str(folder), [root])


def pong(couleur: str = "bleu", code: str = "00") -> str:
    """Return an answer."""
    return _ENVELOPE.format(f"<e:Pong><e:Code>{code}</e:Code><e:Couleur>{couleur}</e:Couleur></e:Pong>")


def case(number: int, *steps: Step, exclusive: bool = False, given: str = "", role: Role = "server") -> Case:
    """Return a case; without steps, one that wants its colour back."""
    default = Step(
        send="PING",
        edits={"//e:Couleur": f"c{number}"},
        expect=(Expectation("ESS-002", "equals", at="//e:Pong/e:Couleur", value=f"c{number}"),),
        line=1,
    )
    return Case(
        id=f"ESS-S-{number:03}",
        scenario=f"ESS-S-{number:03}",
        origin="written",
        title=Text(f"Cas {number}"),
        purpose=Text("Vérifier l'écho."),
        role=role,
        profile="A",
        given=given,
        bindings={"couleur": "bleu"},
        steps=steps or (default,),
        requirements=("ESS-002",),
        exclusive=exclusive,
        file="essai.yaml",
    )


def make_suite(norm: Norm, *cases: Case, role: Role = "server") -> Suite:
    """Return a suite of these cases, and one scenario that is not selected."""
    return Suite(
        FORMAT, norm.ref, norm.revision, norm.provenance, norm.digest, role, cases,
        (NotSelected("ESS-S-900", "Sans objet."),), "d" * 64,
    )  # fmt: skip


def declaration(url: str, seconds: float = 2.0) -> Declaration:
    """Return a declaration of a product at `url`."""
    product = Product("Éditeur", "Produit", "1.0", "essai/1.0", "server", ("A",), {"PING": url})
    return Declaration(product, timeouts=Timeouts(exchange=seconds))


def options(norm: Norm, suite: Suite, url: str, out: Path, **more: object) -> RunOptions:
    """Return options for a run without pre-flight."""
    return RunOptions(declaration(url), suite, norm, out, **({"preflight": False, "tool": "poincon test"} | more))  # type: ignore[arg-type]


def echo(
    answer: Callable[[str], str | None] = pong,
) -> Callable[[socket.socket, threading.Event], None]:
    """A product that gives the colour back; answer: colour -> envelope, None to close without a word."""

    def handle(sock: socket.socket, _stop: threading.Event) -> None:
        while request := read_request(sock):
            found = re.search(rb"<e:Couleur>([^<]*)<", request)
            text = answer(found.group(1).decode() if found else "")
            if text is None:
                return
            body = text.encode()
            sock.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml; charset=utf-8\r\nContent-Length: "
                + str(len(body)).encode()
                + b"\r\n\r\n"
                + body
            )

    return handle
