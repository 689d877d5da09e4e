"""A folder of Allure results, written with allure-python-commons: no server, no Java needed to produce it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from harness.record import CaseVerdict, Exchange
from norms.i18n import tr
from reports import wording
from reports.anomalies import told
from reports.errors import ReportError
from reports.messages import show, take_apart
from reports.subject import Subject

_NAMESPACE: Final = uuid.UUID("6f1f3c9e-6f0b-5a53-9d3c-2f0f6c0e7b11")
_STATUS: Final = {
    "pass": "passed",
    "fail": "failed",
    "inconclusive": "broken",
    "error": "broken",
    "not_run": "skipped",
    "not_selected": "skipped",
}
_SEVERITY: Final = {"bloquante": "blocker", "majeure": "critical", "mineure": "minor"}


def write_allure(subject: Subject, folder: Path) -> Path:
    """Write one Allure result per case into `folder` (made when missing); return it.

    Raises ReportError when allure-python-commons is not installed.
    """
    try:
        from allure_commons.logger import AllureFileLogger
    except ImportError as missing:
        raise ReportError(tr("Pour écrire des résultats Allure, installez « poincon[allure] ».")) from missing
    logger = AllureFileLogger(str(folder))
    for case in subject.verdicts.cases:
        logger.report_result(_Result(subject, logger).of(case))
    return folder


class _Result:
    """Builds the result of a case and files its attachments."""

    def __init__(self, subject: Subject, logger: Any) -> None:
        self._subject, self._logger, self._mask = subject, logger, subject.masker

    def of(self, case: CaseVerdict) -> Any:
        """Return the allure_commons TestResult of a case."""
        from allure_commons.model2 import StatusDetails, TestResult

        subject, mask = self._subject, self._mask
        exchanges = subject.exchanges(case.id)
        times = [_milliseconds(at) for exchange in exchanges for at in (exchange.sent_at, exchange.received_at) if at]
        result = TestResult(
            uuid=str(uuid.uuid5(_NAMESPACE, f"{subject.facts.id}/{case.id}")),
            historyId=uuid.uuid5(_NAMESPACE, f"{subject.verdicts.norm}/{subject.verdicts.role}/{case.id}").hex,
            testCaseId=uuid.uuid5(_NAMESPACE, case.id).hex,
            fullName=mask(f"{subject.verdicts.norm}:{subject.verdicts.role}:{case.id}"),
            name=mask(f"{case.id} – {subject.title(case)}"),
            status=_STATUS[case.verdict],
            start=min(times, default=0),
            stop=max(times, default=0),
        )
        known = subject.cases.get(case.id)
        if known is not None:
            result.description = mask(str(known.purpose))
        sentences = [self._sentence(finding) for finding in case.findings] or (
            [mask(case.reason)] if case.reason else []
        )
        if sentences:
            result.statusDetails = StatusDetails(message="\n".join(sentences))
        result.labels = list(self._labels(case))
        result.steps = [self._step(exchange) for exchange in exchanges]
        return result

    def _labels(self, case: CaseVerdict) -> Iterable[Any]:
        from allure_commons.model2 import Label

        subject = self._subject
        known = subject.cases.get(case.id)
        pairs = [
            ("norm", subject.verdicts.norm),
            ("parentSuite", subject.verdicts.norm),
            ("suite", case.scenario),
            ("role", subject.verdicts.role),
            ("framework", "poincon"),
            ("verdict", case.verdict),
        ]
        if known is not None and known.profile:
            pairs.append(("profile", known.profile))
        pairs += [("requirement", requirement) for requirement in case.requirements]
        pairs += [("blame", blame) for blame in sorted({found.blame for found in case.findings if found.blame})]
        severities = {found.severity for found in case.findings if found.verdict == "fail"}
        worst = next((severity for severity in _SEVERITY if severity in severities), None)
        if worst is not None:
            pairs.append(("severity", _SEVERITY[worst]))
        return [Label(name=name, value=self._mask(value)) for name, value in pairs]

    def _sentence(self, finding: Any) -> str:
        return self._mask(
            tr(
                "{requirement} ({verdict}) : attendu {expected} ; constaté {actual}. {message}",
                requirement=finding.requirement,
                verdict=wording.verdict_word(finding.verdict),
                expected=finding.expected or "–",
                actual=finding.actual or "–",
                message=told(finding),
            ).strip()
        )

    def _step(self, exchange: Exchange) -> Any:
        from allure_commons.model2 import TestStepResult

        step = TestStepResult(
            name=self._mask(f"{exchange.step}. {exchange.kind} – {wording.outcome_words(exchange.outcome)}"),
            status="passed" if exchange.outcome in ("answered", "received") else "broken",
            start=_milliseconds(exchange.sent_at),
            stop=_milliseconds(exchange.received_at),
        )
        sides = ((tr("Demande"), exchange.request), (tr("Réponse"), exchange.response))
        step.attachments = [self._attach(exchange, name, raw) for name, raw in sides if raw]
        return step

    def _attach(self, exchange: Exchange, name: str, raw: bytes) -> Any:
        from allure_commons.model2 import Attachment

        file = f"{uuid.uuid5(_NAMESPACE, f'{self._subject.facts.id}/{exchange.id}/{name}')}-attachment.txt"
        message = take_apart(raw)
        head = [message.start, *(f"{header}: {value}" for header, value in message.headers)] if message.start else []
        text = "\n".join((*map(self._mask, head), "", *(line.text for line in show(message.body, self._mask))))
        self._logger.report_attached_data(body=text, file_name=file)
        return Attachment(name=name, source=file, type="text/plain")


def _milliseconds(timestamp: str) -> int:
    try:
        return int(datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp() * 1000)
    except ValueError:
        return 0
