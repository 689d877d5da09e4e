"""The data files of a draft: norm.yaml, requirements, claims, security, and the simulator that answers by rote.

Texts are French, the language of norms. What is generated and needs a person says so: the section of a requirement
and the title are marked (`norms.unfinished`). Sources: docs/formats/norm.md, decisions.md, security.md.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from norms.foreign.wsdl import Name, Operation
from norms.i18n import tr_in
from norms.loader import CLAIM_COLUMNS, EXTRA_VALUE_COLUMNS, REQUIREMENT_COLUMNS
from norms.unfinished import TO_WRITE
from norms.wire import reasons
from norms.wire.soap import NAMESPACES

_STATUSES: Final = {
    "http-method": 405, "media-type": 415, "charset": 415, "content-encoding": 415, "too-large": 413, "not-found": 404,
}  # fmt: skip
# Where a template of jinja2 begins to be one.
_MARKS: Final = re.compile(r"\{[{%#]")
_FAULT: Final = """\
{% if soap == "1.1" %}
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">
  <soap:Body>
    <soap:Fault>
      <faultcode>soap:{{ "Client" if fault == "Sender" else "Server" }}</faultcode>
      <faultstring>{{ what }}</faultstring>
    </soap:Fault>
  </soap:Body>
</soap:Envelope>
{% else %}
<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope">
  <soap:Body>
    <soap:Fault>
      <soap:Code>
        <soap:Value>soap:{{ fault }}</soap:Value>
      </soap:Code>
      <soap:Reason>
        <soap:Text xml:lang="fr">{{ what }}</soap:Text>
      </soap:Reason>
    </soap:Fault>
  </soap:Body>
</soap:Envelope>
{% endif %}
"""


class Plan(msgspec.Struct, frozen=True):
    """Everything that the data files say. wsdl: file name by operation; path: address by operation."""

    norm_id: str
    version: str
    letters: str
    today: str
    kinds: dict[Operation, str]
    wsdl: dict[Operation, str]
    path: dict[Operation, str]
    prefixes: dict[str, str]
    schemas: tuple[str, ...]

    def general(self, number: int) -> str:
        """Return the id of a requirement about every operation."""
        return f"{self.letters}-GEN-{number:03}"

    def requirement(self, kind: str) -> str:
        """Return the id of the requirement of one operation."""
        return f"{self.letters}-{kind}-001"

    def claim(self, kind: str) -> str:
        """Return the id of the claim of one operation."""
        return f"ICS-{kind}"

    def element(self, name: Name) -> str:
        """Return an element as norm.yaml names it."""
        return f"{self.prefixes[name.namespace]}:{name.local}"


def write_data(plan: Plan, folder: Path) -> None:
    """Write norm.yaml, the tables, security.yaml and simulator/ but for the answers."""
    _write(folder / "norm.yaml", _norm(plan))
    _write(folder / "requirements.csv", _requirements(plan))
    rows = [
        (plan.claim(kind), _fr("Le produit offre-t-il l'opération « {name} » ?", name=one.name), "optional",
         plan.requirement(kind))
        for one, kind in plan.kinds.items()
    ]  # fmt: skip
    _write(folder / "ics.csv", _csv(CLAIM_COLUMNS, rows))
    _write(folder / "ixit.csv", _csv(EXTRA_VALUE_COLUMNS, ()))
    _write(folder / "security.yaml", _security())
    simulator = folder / "simulator"
    _write(simulator / "population.yaml", "pools:\n")
    _write(simulator / "faults.yaml", "faults:\n")
    _write(simulator / "variants.yaml", "variants:\n")
    _write(simulator / "decisions.yaml", _decisions(plan))
    _write(simulator / "answers" / "fault.xml", _FAULT)


def write_answer(folder: Path, kind: str, message: bytes) -> None:
    """Write the answer that the simulator gives by rote: the canonical one, kept from the template language."""
    text = _MARKS.sub(lambda found: f"{{{{ '{found[0]}' }}}}", message.decode())
    _write(folder / "simulator" / "answers" / f"{kind}.xml", text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _fr(message: str, **values: object) -> str:
    return tr_in("fr", message, **values)


def _norm(plan: Plan) -> str:
    title = _fr("{id} {version} ({mark})", id=plan.norm_id, version=plan.version, mark=TO_WRITE)
    lines = [
        "# A draft made from the files in originals/. Every field is explained in docs/formats/norm.md.",
        f"id: {plan.norm_id}",
        f"version: {_quoted(plan.version)}",
        'revision: "1"',
        f"title: {{fr: {_quoted(title)}}}",
        "status: draft",
        "provenance: reconstruction",
        f"valid_from: {_quoted(plan.today)}",
        'valid_to: ""',
        "regime: laboratory",
        "security: tls",
        "",
        "prefixes:",
        *(f"  {prefix}: {_quoted(namespace)}" for namespace, prefix in _prefixes(plan).items()),
        "",
        "schemas:",
        *(f"  - {_quoted(name)}" for name in plan.schemas),
        "",
        "services:",
    ]
    for one, kind in plan.kinds.items():
        lines += [
            f"  - kind: {kind}",
            f"    title: {{fr: {_quoted(one.documentation or one.name)}}}",
            f"    soap: {_quoted(one.soap)}",
            f"    wsdl: {_quoted('wsdl/' + plan.wsdl[one])}",
            f"    operation: {_quoted(one.name)}",
            f"    path: {_quoted(plan.path[one])}",
        ]
        for key, half in (("request", one.request), ("response", one.response)):
            element, action = _quoted(plan.element(half.element)), _quoted(half.action)
            lines.append(f"    {key}: {{element: {element}, action: {action}}}")
        for key, half in (("headers", one.request), ("response_headers", one.response)):
            if half.headers:
                lines.append(f"    {key}: [{', '.join(_quoted(plan.element(name)) for name in half.headers)}]")
    lines += [
        "",
        "# Judged on every answer, whatever the scenario says.",
        "always:",
        f"  - {{requirement: {plan.general(1)}, check: answered}}",
        f"  - {{requirement: {plan.general(2)}, check: valid}}",
        "",
        "# What the norm prescribes when a request breaks a schema; derived cases cite it. SOAP asks for a fault.",
        "reactions:",
        "  schema:",
        f"    requirement: {plan.general(3)}",
        '    outcomes: ["fault"]',
        f"derived_prefix: {plan.letters}",
        "",
    ]
    return "\n".join(lines)


def _prefixes(plan: Plan) -> dict[str, str]:
    """Return namespace -> prefix, those of the envelopes first: paths in messages begin with them."""
    envelopes = {NAMESPACES[soap]: f"soap{soap.replace('.', '')}" for soap in sorted({one.soap for one in plan.kinds})}
    return envelopes | plan.prefixes


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return buffer.getvalue()


def _requirements(plan: Plan) -> str:
    def row(identifier: str, severity: str, claim: str, texts: Mapping[str, str]) -> tuple[str, ...]:
        return identifier, TO_WRITE, "MUST", severity, "server", claim, texts["fr"], texts["en"], ""

    rows = [
        row(plan.general(1), "bloquante", "", _both("Le système DOIT répondre à toute demande.")),
        row(plan.general(2), "majeure", "", _both("Le système DOIT répondre par un message valide selon les schémas.")),
        row(plan.general(3), "majeure", "", _both("Lorsqu'une demande n'est pas valide selon les schémas, le système "
                                                  "DOIT la refuser par un Fault.")),
    ]  # fmt: skip
    for one, kind in plan.kinds.items():
        texts = _both(
            "Lorsqu'une demande « {request} » est valide, le système DOIT répondre par « {response} ».",
            request=plan.element(one.request.element),
            response=plan.element(one.response.element),
        )
        rows.append(row(plan.requirement(kind), "majeure", plan.claim(kind), texts))
    return _csv(REQUIREMENT_COLUMNS, rows)


def _both(message: str, **values: object) -> dict[str, str]:
    return {language: tr_in(language, message, **values) for language in ("fr", "en")}


def _security() -> str:
    lines = [
        "# TLS alone; how a message may be signed is explained in docs/formats/security.md.",
        "profiles:",
        "  tls:",
        '    tls: {minimum: "1.2"}',
        "refusals:",
    ]
    for reason in (*reasons.HTTP, *reasons.XML, *reasons.SOAP):
        lines.append(f'  {reason}: {{fault: Sender, code: "", http: {_STATUSES.get(reason, 400)}}}')
    lines += [f'  {reason}: {{fault: Receiver, code: "", http: 500}}' for reason in ("internal", "unavailable")]
    return "\n".join((*lines, ""))


def _decisions(plan: Plan) -> str:
    lines = [
        "# Every request gets the canonical answer of its operation. Rows with conditions come before the default one:",
        "# docs/formats/decisions.md.",
        "fault: {answer: fault}",
        "decisions:",
    ]
    for kind in plan.kinds.values():
        lines += [f"  {kind}:", "    rows:", f"      - {{id: {kind.lower()}-defaut, answer: {kind}}}"]
    return "\n".join((*lines, ""))
