"""From what a check missed to a finding that people read: requirement, place, expected, actual, sentence of the norm.

The texts are French whatever the reader's language, so that verdicts.json has one form; `message` and `params` let a
report say the same in another language. Nothing leaves here unmasked.
"""

from __future__ import annotations

from typing import Literal

from harness.checks.base import Miss
from harness.context import JudgeContext
from harness.masking import masked
from harness.record import Blame, Finding, Place
from norms.i18n import mark, tr

Verdict = Literal["fail", "inconclusive", "error", "remark"]


class FindingMaker:
    """Builds the findings of one judgement."""

    def __init__(self, context: JudgeContext) -> None:
        self._norm, self._secrets = context.suite_norm, context.secrets

    def of_miss(self, requirement: str, check: str, exchange: str, miss: Miss) -> Finding:
        """Return the finding of a miss; one that cites what is no MUST is a remark.

        A requirement that the norm does not know makes it an incident of the laboratory.
        """
        cited = miss.requirement if miss.requirement and self._norm.requirement(miss.requirement) else requirement
        known = self._norm.requirement(cited)
        if cited and known is None:
            return self.incident(requirement, check, exchange, tr("L'exigence « {id} » n'existe pas.", id=cited))
        verdict: Verdict = miss.verdict
        if miss.blame in ("SUT", "NORM") and (known is None or known.level != "MUST"):
            verdict = "remark"
        return self._finding(cited, check, exchange, miss, verdict, miss.blame)

    def incident(self, requirement: str, check: str, exchange: str, what: str) -> Finding:
        """Return an error of the laboratory: the message counts as not checked."""
        miss = Miss(
            "laboratory",
            mark("Incident du laboratoire : {detail}"),
            tr("un contrôle mené à bien"),
            what,
            {"detail": what},
        )
        return self._finding(requirement, check, exchange, miss, "error", "LAB")

    def unclear(
        self,
        requirement: str,
        check: str,
        exchange: str,
        blame: Blame,
        reason: str,
        message: str,
        expected: str,
        actual: str,
    ) -> Finding:
        """Return an inconclusive finding that no level softens. message: a marked template with the place {trouve}."""
        miss = Miss(reason, message, expected, actual, {"trouve": actual})
        return self._finding(requirement, check, exchange, miss, "inconclusive", blame)

    def _finding(
        self, requirement: str, check: str, exchange: str, miss: Miss, verdict: Verdict, blame: Blame
    ) -> Finding:
        known = self._norm.requirement(requirement)
        return Finding(
            requirement=requirement,
            level=known.level if known else "",
            severity=known.severity if known else "",
            verdict=verdict,
            blame=blame,
            check=check,
            reason=miss.reason,
            location=Place(exchange, self._masked(miss.path), miss.line),
            expected=self._masked(miss.expected),
            actual=self._masked(miss.actual),
            sentence=known.text.fr if known else "",
            message=miss.message,
            params={name: self._masked(value) for name, value in sorted(miss.params.items())},
        )

    def _masked(self, text: str) -> str:
        return masked(text, self._secrets)
