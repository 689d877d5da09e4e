"""Judging a case as one document: do its messages agree with each other? (docs/formats/verdicts.md, "The whole case")

The document holds the exchanges that can be relied on, in the order of the steps. It ends before the first step whose
messages could not be judged in full: what they did not achieve has been told once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lxml import etree

from harness.checks.messages import MOST_PROBLEMS, STRUCTURAL, rule_miss
from harness.context import JudgeContext
from harness.evaluation import ALTERED, Judged
from harness.findings import FindingMaker
from harness.observed import Direction, Observed
from norms.chains import ChainExchange, case_document
from norms.check import checker_for
from norms.errors import PoinconError, SecurityRefusal
from norms.wire.soap import Envelope

CHECK: Final = "chain"
_BROKEN: Final = frozenset(STRUCTURAL) | ALTERED


class ChainJudge:
    """Gathers the messages of one case and judges them together. direction: of the product's messages."""

    def __init__(self, context: JudgeContext, maker: FindingMaker, direction: Direction) -> None:
        self._maker, self._direction = maker, direction
        self._chains = checker_for(context.norm).chains
        self._ended = not self._chains
        self._taken: list[tuple[str, ChainExchange]] = []

    def add(self, observed: Sequence[Observed], judged: Judged) -> None:
        """Take in a step. observed: its exchanges, copies of a parallel step in their order; judged: what they gave."""
        if self._ended or not judged.sound or any(finding.reason in _BROKEN for finding in judged.findings):
            self._ended = True
            return
        for each in observed:
            exchange = _taken(each)
            if exchange is not None:
                self._taken.append((each.exchange.id, exchange))

    def run(self) -> Judged:
        """Return what the rules over the whole case found; nothing when there is no exchange to speak of."""
        if not self._taken:
            return Judged()
        try:
            problems = self._chains.problems(case_document(exchange for _, exchange in self._taken))
        except PoinconError as error:
            return Judged([self._maker.incident("", CHECK, self._taken[-1][0], f"{CHECK} : {error}")])
        except Exception as error:  # noqa: BLE001 - a crash of ours: never a pass, never a blame
            return Judged([self._maker.incident("", CHECK, self._taken[-1][0], f"{CHECK} : {type(error).__name__}")])
        own = [problem for problem in problems if problem.side == self._direction]
        findings = [
            self._maker.of_miss(problem.requirement, CHECK, self._taken[problem.exchange][0], rule_miss(problem))
            for problem in own[:MOST_PROBLEMS]
        ]
        return Judged(findings, checked=1)


def _taken(observed: Observed) -> ChainExchange | None:
    """Return the exchange for the document, None when it was sent to deviate or either message is no envelope."""
    exchange = observed.exchange
    if exchange.security or exchange.http or observed.trouble is not None:
        return None
    ours = observed.counterpart
    if ours is None or not _is_envelope(ours):
        return None
    messages = (ours, observed.root) if observed.direction == "response" else (observed.root, ours)
    return ChainExchange(observed.service.kind, exchange.step, *messages)


def _is_envelope(root: etree._Element) -> bool:
    try:
        Envelope.of(root)
    except SecurityRefusal:
        return False
    return True
