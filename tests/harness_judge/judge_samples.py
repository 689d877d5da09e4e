"""A norm of three elements, and exchanges with real bytes: what the judge's tests are made of."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from harness.judge import JudgeContext, judge_case
from harness.record import CaseVerdict, Exchange, Finding, TlsFacts
from norms.model import Always, Norm, Part, Reading, Requirement, SecurityProfile, Service, Text
from scenarios.model import Case, Expectation, Step

HERE = Path(__file__).parent / "mini"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSA = "http://www.w3.org/2005/08/addressing"
MINI = "urn:test:mini"
BODY = "/soap:Envelope/soap:Body"
NIR = "1090763220834"
START = datetime.fromisoformat("2026-11-20T09:00:00.000+00:00")
LEVELS = {"M-SHOULD": "SHOULD"}
IDS = ("M-ANS", "M-VAL", "M-RULE", "M-A", "M-B", "M-C", "M-SHOULD", "M-CLIENT", "M-SIG")


def requirement(name: str) -> Requirement:
    role: Any = "client" if name == "M-CLIENT" else "both"
    level: Any = LEVELS.get(name, "MUST")
    return Requirement(name, "1", level, "majeure", role, "", Text(f"Le système DOIT respecter {name}."), "")


def service(kind: str, ask: str, answer: str, soap: Any = "1.2") -> Service:
    return Service(
        kind,
        Text(kind),
        soap,
        "",
        "",
        f"/{kind}",
        Part(f"m:{ask}", f"urn:{kind}"),
        Part(f"m:{answer}", f"urn:{kind}:R"),
    )


NORM = Norm(
    id="mini",
    version="1.0",
    revision="1",
    title=Text("Norme miniature"),
    status="draft",
    provenance="reconstruction",
    valid_from="",
    valid_to="",
    replaces="",
    regime="laboratory",
    root=HERE,
    digest="mini-of-the-judge",
    prefixes={"soap": SOAP, "wsa": WSA, "m": MINI},
    services=(service("ASK", "Ask", "Answer"), service("TELL", "Tell", "Told")),
    profiles=(),
    requirements=tuple(requirement(name) for name in IDS),
    claims=(),
    extra_values=(),
    security=SecurityProfile("aucune"),
    schemas=(HERE / "mini.xsd",),
    rules=(HERE / "mini.sch",),
    tables={"codes": HERE / "codes.csv"},
    reading=Reading(
        result=f"{BODY}/m:Answer/m:Result/m:Code",
        fault=f"{BODY}/soap:Fault/soap:Detail/m:Error/m:Code",
        message_id="/soap:Envelope/soap:Header/wsa:MessageID",
        relates_to="/soap:Envelope/soap:Header/wsa:RelatesTo",
        action="/soap:Envelope/soap:Header/wsa:Action",
    ),
    always=(Always("M-ANS", "answered"), Always("M-VAL", "valid")),
)
CONTEXT = JudgeContext(NORM, None, date(2026, 11, 20), "test")


def envelope(payload: str, *headers: str) -> bytes:
    return (
        f'<soap:Envelope xmlns:soap="{SOAP}" xmlns:wsa="{WSA}" xmlns:m="{MINI}">\n'
        f"<soap:Header>{''.join(headers)}</soap:Header>\n<soap:Body>{payload}</soap:Body>\n</soap:Envelope>"
    ).encode()


def ask(person: str = NIR, message_id: str = "uuid:1") -> bytes:
    return envelope(
        f"<m:Ask><m:Person>{person}</m:Person></m:Ask>",
        "<wsa:Action>urn:ASK</wsa:Action>",
        f"<wsa:MessageID>{message_id}</wsa:MessageID>",
    )


def answer(
    code: str = "00", rest: str = "", relates: str = "uuid:1", action: str = "urn:ASK:R", attributes: str = ""
) -> bytes:
    return envelope(
        f"<m:Answer{attributes}><m:Result><m:Code>{code}</m:Code></m:Result>{rest}</m:Answer>",
        f"<wsa:Action>{action}</wsa:Action>",
        f"<wsa:RelatesTo>{relates}</wsa:RelatesTo>",
    )


def fault(code: str = "E1", soap_code: str = "Sender") -> bytes:
    return envelope(
        f"<soap:Fault><soap:Code><soap:Value>soap:{soap_code}</soap:Value></soap:Code>"
        f'<soap:Reason><soap:Text xml:lang="fr">refusé</soap:Text></soap:Reason>'
        f"<soap:Detail><m:Error><m:Severity>erreur</m:Severity><m:Code>{code}</m:Code></m:Error></soap:Detail></soap:Fault>"
    )


def response(body: bytes, status: int = 200, *headers: str, kind: str = "application/soap+xml; charset=utf-8") -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def request(body: bytes, kind: str = "application/soap+xml; charset=utf-8") -> bytes:
    head = f"POST /ASK HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def stamp(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def exchange(body: bytes | None = None, **changes: Any) -> Exchange:
    """An answered exchange of step 1; `body` is the SOAP body of the answer."""
    step, number = changes.pop("step", 1), changes.pop("number", 1)
    at = changes.pop("at", float(10 * step + number))
    base = Exchange(
        id=f"C-1#{step}.{number}",
        case="C-1",
        step=step,
        number=number,
        purpose="step",
        kind="ASK",
        url="https://x/ASK",
        sent_at=stamp(at),
        received_at=stamp(at + 0.5),
        outcome="answered",
        detail="",
        bindings={"nir": NIR},
        security="",
        http="",
        tls=TlsFacts(),
        request=request(ask()),
        response=response(answer() if body is None else body),
    )
    return msgspec.structs.replace(base, **changes)


def lost(outcome: str, **changes: Any) -> Exchange:
    """An exchange of which no answer came."""
    return exchange(outcome=outcome, response=b"", **changes)


def expect(check: str, requirement: str = "M-A", **keys: Any) -> Expectation:
    return Expectation(requirement, check, **keys)


def case(*steps: Step, role: Any = "server") -> Case:
    return Case("C-1", "C-1", "written", Text("t"), Text("p"), role, "", "", {}, steps, ("M-A",))


def send(*expectations: Expectation, **keys: Any) -> Step:
    return Step(send="ASK", expect=expectations, **keys)


def judged(
    steps: Step | tuple[Step, ...], *exchanges: Exchange, role: Any = "server", context: JudgeContext = CONTEXT
) -> CaseVerdict:
    steps = steps if isinstance(steps, tuple) else (steps,)
    return judge_case(context, case(*steps, role=role), exchanges)


def one(verdict: CaseVerdict) -> Finding:
    """The only finding of a verdict."""
    assert len(verdict.findings) == 1, verdict.findings
    return verdict.findings[0]
