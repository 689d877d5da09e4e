"""What allure-pytest gets of a case: labels, steps and the exchanges as attachments."""

from __future__ import annotations

from collections.abc import Sequence

import allure

from harness.record import CaseVerdict, Exchange
from poincon.conduct import Campaign
from reports.masking import Masker
from scenarios.model import Case


def tell_allure(campaign: Campaign, case: Case, verdict: CaseVerdict, exchanges: Sequence[Exchange]) -> None:
    """Describe the running item to Allure. Identities and secret values are masked as in every report."""
    mask = Masker(_secrets(campaign))
    allure.dynamic.title(f"{case.id} {case.title}")
    allure.dynamic.description(str(case.purpose))
    for name, value in (("norm", campaign.norm.ref), ("profile", case.profile)):
        if value:
            allure.dynamic.label(name, value)
    allure.dynamic.label("requirement", *case.requirements)
    for exchange in exchanges:
        with allure.step(f"{exchange.step}. {exchange.kind} {exchange.purpose} – {exchange.outcome}"):
            for side, raw in (("request", exchange.request), ("response", exchange.response)):
                if raw:
                    allure.attach(
                        mask(raw.decode("utf-8", "replace")), f"{exchange.id} {side}", allure.attachment_type.TEXT
                    )
    for finding in verdict.findings:
        with allure.step(f"{finding.requirement} – {finding.verdict}"):
            allure.attach(
                f"{finding.sentence}\n{finding.expected}\n{finding.actual}\n{finding.location.path}",
                finding.requirement,
                allure.attachment_type.TEXT,
            )


def _secrets(campaign: Campaign) -> tuple[str, ...]:
    names = {value.name for value in campaign.norm.extra_values if value.secret}
    return tuple(case.bindings[name] for case in campaign.suite.cases for name in names if name in case.bindings)
