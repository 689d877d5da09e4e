"""A small run of an invented norm, with every state a case can have: what the report tests tell about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.record import (
    CaseVerdict,
    Counts,
    Exchange,
    Finding,
    Place,
    TlsFacts,
    Verdicts,
)
from norms.model import Claim, ExtraValue, Norm, Part, Profile, Requirement, SecurityProfile, Service, Text
from reports.certificate import CERTIFICATE, Content, KillRate
from reports.issue import facts_of
from reports.subject import Product, RunFacts, Subject
from scenarios.model import Case, NotSelected, Step, Suite

SOAP = "http://www.w3.org/2003/05/soap-envelope"
DIGEST = "9f" * 32
SECRET = "motdepasse-secret"
HOSTILE = '<script>alert("x")</script>\x1b[31m=HYPERLINK("http://evil")'

ANSWER = f"""<e:Envelope xmlns:e="{SOAP}"><e:Body><q:Answer xmlns:q="urn:q" Version="1.0"><q:Result><q:Code>99</q:Code>
<q:Label>{HOSTILE.replace("<", "&lt;").replace(chr(27), "")}</q:Label></q:Result><q:Person><q:Nir>1090763220834</q:Nir>
</q:Person></q:Answer></e:Body></e:Envelope>""".encode()
QUESTION = f"""<e:Envelope xmlns:e="{SOAP}"><e:Header><w:Security xmlns:w="http://docs.oasis-open.org/wss/2004/01/\
oasis-200401-wss-wssecurity-secext-1.0.xsd"><w:A/><w:B/></w:Security></e:Header><e:Body><q:Question xmlns:q="urn:q">\
<q:Nir>1090763220834</q:Nir><q:Password>motdepasse-secret</q:Password></q:Question></e:Body></e:Envelope>""".encode()


def norm(**changes: object) -> Norm:
    values: dict[str, object] = {
        "id": "essai",
        "version": "1.0",
        "revision": "2",
        "title": Text(fr="Norme d’essai 1.0 – interrogation des droits", en="Trial norm 1.0 – rights"),
        "status": "published",
        "provenance": "reconstruction",
        "valid_from": "2024-01-01",
        "valid_to": "",
        "replaces": "",
        "regime": "laboratory",
        "root": Path("norms/essai/1.0"),
        "digest": DIGEST,
        "prefixes": {"q": "urn:q"},
        "services": (
            Service(
                "ASK", Text(fr="Question"), "1.2", "", "ask", "/ask", Part("q:Question", "a"), Part("q:Answer", "b")
            ),
        ),
        "profiles": (Profile("MED", Text(fr="Médecins")), Profile("SF", Text(fr="Sages-femmes"))),
        "requirements": (
            _requirement("ESS-001", "MUST", "bloquante", "Le système DOIT répondre à toute question bien formée."),
            _requirement("ESS-002", "MUST", "bloquante", "Le système DOIT rendre un code de la table des résultats."),
            _requirement("ESS-003", "SHOULD", "mineure", "Le système DEVRAIT accompagner le code d’un libellé court."),
            _requirement(
                "ESS-004", "MUST", "majeure", "Le système DOIT refuser un message dont la signature est fausse."
            ),
            _requirement("ESS-005", "MUST", "majeure", "Le système DOIT reprendre l’identifiant de la question."),
            Requirement(
                "ESS-006",
                "3.6",
                "MUST",
                "mineure",
                "server",
                "",
                Text(fr="Le système DOIT tracer ses réponses."),
                "trace interne",
            ),
        ),
        "claims": (
            Claim("ICS-ASK", "Le produit répond-il aux questions ?", "mandatory", ("ESS-001",)),
            Claim("ICS-SIG", "Le produit contrôle-t-il les signatures ?", "optional", ("ESS-004",)),
        ),
        "extra_values": (ExtraValue("mot_de_passe", "Mot de passe du compte d’essai", "", True),),
        "security": SecurityProfile("simple"),
    }
    return Norm(**{**values, **changes})


def _requirement(name: str, level: str, severity: str, sentence: str) -> Requirement:
    return Requirement(name, f"3.{int(name[-3:])}", level, severity, "both", "", Text(fr=sentence), "")


def case(name: str, title: str, *requirements: str, profile: str = "MED") -> Case:
    return Case(
        id=name,
        scenario=name.split("@")[0],
        origin="written",
        title=Text(fr=title),
        purpose=Text(fr=f"Vérifier que {title.lower()}"),
        role="server",
        profile=profile,
        given="",
        bindings={"mot_de_passe": SECRET},
        steps=(Step(send="ASK"),),
        requirements=requirements,
    )


CASES = (
    case("ESS-S-001@MED", "Une question obtient une réponse", "ESS-001", "ESS-005"),
    case("ESS-S-001@SF", "Une question obtient une réponse", "ESS-001", "ESS-005", profile="SF"),
    case("ESS-S-002@MED", "Le code rendu figure dans la table", "ESS-002"),
    case("ESS-S-002@SF", "Le code rendu figure dans la table", "ESS-002", profile="SF"),
    case("ESS-S-003@MED", "Une signature fausse est refusée", "ESS-004"),
    case("ESS-S-004@MED", "Un libellé accompagne le code", "ESS-003"),
    case("ESS-S-005@MED", "Une assertion d’une autre autorité est refusée", "ESS-004"),
)


def suite(cases: Sequence[Case] = CASES, **changes: object) -> Suite:
    values: dict[str, object] = {
        "format": "poincon-suite/1",
        "norm": "essai/1.0",
        "revision": "2",
        "provenance": "reconstruction",
        "norm_digest": DIGEST,
        "role": "server",
        "cases": tuple(cases),
        "not_selected": (NotSelected("ESS-S-009", "ICS-SIG : la déclaration répond non"),),
        "digest": "5c" * 32,
    }
    return Suite(**{**values, **changes})


def exchange(case_id: str, response: bytes = ANSWER, outcome: str = "answered", **changes: object) -> Exchange:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nServer: <b>produit</b>\r\n"
    head += f"Content-Length: {len(response)}\r\n\r\n".encode()
    values: dict[str, object] = {
        "id": f"{case_id}#1.1",
        "case": case_id,
        "step": 1,
        "number": 1,
        "purpose": "step",
        "kind": "ASK",
        "url": "https://produit.example/ask",
        "sent_at": "2026-11-20T09:30:00.120Z",
        "received_at": "2026-11-20T09:30:00.460Z",
        "outcome": outcome,
        "detail": "",
        "bindings": {},
        "security": "",
        "http": "",
        "tls": TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", "ab" * 32, "cd" * 32),
        "request": b"POST /ask HTTP/1.1\r\nHost: produit.example\r\nContent-Type: application/soap+xml\r\n"
        + f"Content-Length: {len(QUESTION)}\r\n\r\n".encode()
        + QUESTION,
        "response": head + response if response else b"",
        "duration_ms": 340.0,
    }
    return Exchange(**{**values, **changes})


def finding(requirement: str, verdict: str, blame: str, case_id: str, **changes: object) -> Finding:
    values: dict[str, object] = {
        "requirement": requirement,
        "level": "MUST",
        "severity": "bloquante",
        "verdict": verdict,
        "blame": blame,
        "check": "code",
        "reason": "code",
        "location": Place(f"{case_id}#1.1", "/x:Envelope/x:Body/y:Answer/y:Result/y:Code", 1),
        "expected": "un code de la table codes-resultat",
        "actual": "99",
        "sentence": "Le système DOIT rendre un code de la table des résultats.",
        "message": "Le code « {code} » n’existe pas à cette date.",
        "params": {"code": "99"},
    }
    return Finding(**{**values, **changes})


def failing() -> Verdicts:
    """One case of every state: the run is non conforme."""
    silent = {
        "expected": "un refus de la connexion",
        "actual": "le délai de 30 s est passé",
        "message": "",
        "params": {},
    }
    cases = (
        CaseVerdict("ESS-S-001@MED", "ESS-S-001", "pass", ("ESS-001", "ESS-005"), checked=3),
        CaseVerdict("ESS-S-001@SF", "ESS-S-001", "pass", ("ESS-001", "ESS-005"), checked=3),
        CaseVerdict(
            "ESS-S-002@MED", "ESS-S-002", "fail", ("ESS-002",), (finding("ESS-002", "fail", "SUT", "ESS-S-002@MED"),), 1
        ),
        CaseVerdict(
            "ESS-S-002@SF", "ESS-S-002", "fail", ("ESS-002",), (finding("ESS-002", "fail", "SUT", "ESS-S-002@SF"),), 1
        ),
        CaseVerdict(
            "ESS-S-003@MED",
            "ESS-S-003",
            "inconclusive",
            ("ESS-004",),
            (
                finding(
                    "ESS-004", "inconclusive", "NETWORK", "ESS-S-003@MED", severity="majeure",
                    sentence="Le système DOIT refuser un message dont la signature est fausse.",
                    location=Place("ESS-S-003@MED#1.1"), **silent,
                ),
            ),
            0,
        ),
        CaseVerdict(
            "ESS-S-004@MED",
            "ESS-S-004",
            "pass",
            ("ESS-003",),
            (
                finding(
                    "ESS-003", "remark", "SUT", "ESS-S-004@MED", level="SHOULD", severity="mineure",
                    expected="un libellé de 80 caractères au plus", actual=HOSTILE, message="", params={},
                    sentence="Le système DEVRAIT accompagner le code d’un libellé court.",
                ),
            ),
            1,
        ),
        CaseVerdict(
            "ESS-S-005@MED", "ESS-S-005", "not_run", ("ESS-004",),
            reason="l’autorité fournie ne peut pas émettre de certificat falsifié",
        ),
    )  # fmt: skip
    counts = Counts(passed=3, fail=2, inconclusive=1, error=0, not_selected=1, not_run=1)
    return verdicts("fail", counts, cases)


def passing() -> Verdicts:
    cases = tuple(CaseVerdict(one.id, one.scenario, "pass", one.requirements, checked=1) for one in CASES)
    return verdicts("pass", Counts(passed=len(cases), not_selected=1), cases)


def verdicts(verdict: str, counts: Counts, cases: tuple[CaseVerdict, ...]) -> Verdicts:
    return Verdicts(
        "poincon-verdicts/1", "poincon 0.1.0", "essai/1.0", DIGEST, "5c" * 32, "server", verdict, counts, cases
    )


FACTS = RunFacts(
    id="2026-11-20-essai",
    tool="poincon 0.1.0",
    started_at="2026-11-20T09:29:58.000Z",
    finished_at="2026-11-20T09:34:10.000Z",
    product=Product("Éditions <Martin> & fils", "Serveur AMC", "4.2.1"),
    profiles=("MED", "SF"),
    claims={"ICS-ASK": "oui", "ICS-SIG": "non"},
    endpoints={"ASK": "https://produit.example/ask"},
    evidence_root="e1" * 32,
    evidence_records=42,
    durations={one.id: 340.0 for one in CASES} | {"ESS-S-003@MED": 30_000.0, "ESS-S-005@MED": 0.0},
)


def subject(given: Verdicts | None = None, facts: RunFacts = FACTS, norm_: Norm | None = None) -> Subject:
    told = given if given is not None else failing()
    recorded = {one.id: (exchange(one.id),) for one in told.cases}
    recorded["ESS-S-003@MED"] = (exchange("ESS-S-003@MED", b"", "timeout", duration_ms=30_000.0),)
    return Subject(facts, norm_ if norm_ is not None else norm(), suite(), told, lambda name: recorded.get(name, ()))


def content(form: Any = CERTIFICATE, **changes: object) -> Content:
    values: dict[str, object] = {
        "number": f"{form.prefix}-ESSAI-2026-0001",
        "by": "CN=Sceau",
        "at": "2026-11-21T12:00:00Z",
        "valid_from": "2026-11-21" if form.dated else "",
        "valid_until": "2028-10-20" if form.dated else "",
        "reserve": ("La norme éprouvée est une reconstruction.",),
        "kill_rate": KillRate(48, 50, 12, 0, "poincon 0.1.0"),
    }
    return msgspec.structs.replace(facts_of(subject(passing()), form), **{**values, **changes})
