"""Findings as a reader meets them: told once for all their cases, with the exchange and the way to repeat it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from harness.record import CaseVerdict, Exchange, Finding
from norms.i18n import tr
from reports.messages import Line, show, take_apart
from reports.reproducer import Reproducer, reproducer
from reports.subject import Subject
from reports.wording import whole

EXCHANGES_SHOWN: Final = 40
_RANK: Final = {"bloquante": 0, "majeure": 1, "mineure": 2}


@dataclass(frozen=True)
class Shown:
    """One direction of an exchange. start: request or status line; lines: the body, marked where it is wrong."""

    start: str
    headers: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Evidence:
    """The exchange that shows a finding. faulty: "request" or "response", the side that the product sent."""

    id: str
    url: str
    sent_at: str
    outcome: str
    detail: str
    duration_ms: float
    faulty: str
    request: Shown | None
    response: Shown | None


@dataclass(frozen=True)
class CaseRef:
    """A case in a list."""

    id: str
    title: str


@dataclass(frozen=True)
class Anomaly:
    """One finding, told once for all the cases that met it, with the first as example.

    alike: expected and actual are the same in all of them; evidence is None past the first EXCHANGES_SHOWN.
    """

    finding: Finding
    title: str
    sentence: str
    message: str
    expected: str
    actual: str
    alike: bool
    cases: tuple[CaseRef, ...]
    reproducer: Reproducer
    evidence: Evidence | None


def anomalies(subject: Subject, run: str, *verdicts: str, exchanges: int = EXCHANGES_SHOWN) -> tuple[Anomaly, ...]:
    """Return the findings of those verdicts, blocking ones first; `exchanges` of them with their exchange.

    run: the run folder as the reader types it in a command.
    """
    groups: dict[tuple[str, ...], list[tuple[CaseVerdict, Finding]]] = {}
    for case, finding in subject.findings(*verdicts):
        groups.setdefault(_sameness(finding), []).append((case, finding))
    ordered = sorted(groups.values(), key=lambda met: (_RANK.get(met[0][1].severity, 3), met[0][1].requirement))
    return tuple(_anomaly(subject, run, met, rank < exchanges) for rank, met in enumerate(ordered))


def _sameness(finding: Finding) -> tuple[str, ...]:
    """What makes two findings one anomaly: the same check fails for the same reason at the same place."""
    place = re.sub(r"\[\d+\]", "", finding.location.path)
    return (finding.verdict, finding.requirement, finding.check, finding.reason, finding.blame, place)


def _anomaly(subject: Subject, run: str, met: list[tuple[CaseVerdict, Finding]], with_exchange: bool) -> Anomaly:
    case, finding = met[0]
    masker = subject.masker
    exchange = subject.exchange(case.id, finding.location.exchange)
    requirement = subject.requirement(finding.requirement)
    sentence = finding.sentence or (str(requirement.text) if requirement is not None else "")
    return Anomaly(
        finding=finding,
        title=_title(subject, met),
        sentence=sentence,
        message=_beyond(masker(finding.actual), masker(told(finding))),
        expected=masker(finding.expected),
        actual=masker(finding.actual),
        alike=len({(found.expected, found.actual) for _, found in met}) == 1,
        cases=_references(subject, (case for case, _ in met)),
        reproducer=reproducer(run, case.id, exchange, subject.verdicts.role),
        evidence=_evidence(subject, exchange, finding) if with_exchange and exchange is not None else None,
    )


def _title(subject: Subject, met: list[tuple[CaseVerdict, Finding]]) -> str:
    if len({case.scenario for case, _ in met}) == 1:
        return subject.title(met[0][0])
    return tr("{count} cas concernés", count=whole(len({case.id for case, _ in met})))


def _beyond(actual: str, message: str) -> str:
    """Return the message unless it only says again what was found."""
    return "" if actual.strip(". ") in message and len(message) < len(actual) + 20 and actual else message


def told(finding: Finding) -> str:
    """Return the message of a finding with its places filled; the bare template when a value is missing."""
    if not finding.message:
        return ""
    try:
        return tr(finding.message, **finding.params)
    except (LookupError, ValueError):
        return finding.message


def _references(subject: Subject, cases: Iterable[CaseVerdict]) -> tuple[CaseRef, ...]:
    unique = {case.id: case for case in cases}
    return tuple(CaseRef(case.id, subject.title(case)) for case in unique.values())


def _evidence(subject: Subject, exchange: Exchange, finding: Finding) -> Evidence:
    faulty = "response" if subject.verdicts.role == "server" else "request"
    masker = subject.masker
    place = finding.location

    def shown(raw: bytes, side: str) -> Shown | None:
        if not raw:
            return None
        message = take_apart(raw)
        at = (place.path, place.line) if side == faulty else ("", 0)
        headers = tuple((masker(name), masker(value)) for name, value in message.headers)
        return Shown(masker(message.start), headers, show(message.body, masker, *at))

    return Evidence(
        id=exchange.id,
        url=masker(exchange.url),
        sent_at=exchange.sent_at,
        outcome=exchange.outcome,
        detail=masker(exchange.detail),
        duration_ms=exchange.duration_ms,
        faulty=faulty,
        request=shown(exchange.request, "request"),
        response=shown(exchange.response, "response"),
    )
