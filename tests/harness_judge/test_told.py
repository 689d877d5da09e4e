"""What a driver says of the product: it counts where something of the product was observed, and nowhere else."""

from __future__ import annotations

import pytest
from judge_samples import ask, exchange, expect, judged, request

from harness.record import Exchange, Told
from scenarios.model import Step

AWAIT = Step(await_="ASK", expect=(expect("valid", "M-B"),))
ENDS = Step(quiet_seconds=5, expect=(expect("outcome", "M-C", value="refused"), expect("shown", "M-C", value="R-03")))
REFUSED = Told("refused", "Refus R-03 : droits clos")


def quiet(told: Told, step: int, outcome: str = "silent") -> Exchange:
    body = request(ask()) if outcome == "received" else b""
    return exchange(outcome=outcome, request=body, response=b"", driver="completed", told=told, step=step)


def verdict(*steps: Step, told: Told = REFUSED, seen: bool = True) -> str:
    recorded = [exchange(outcome="received", request=request(ask()), response=b"")] if len(steps) > 1 and seen else []
    case = judged(steps, *recorded, quiet(told, len(steps)), role="client")
    return f"{case.verdict} {' '.join(sorted({found.reason for found in case.findings}))}".strip()


def test_a_statement_counts_after_a_message_was_seen() -> None:
    assert verdict(AWAIT, ENDS) == "pass"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (Told("accepted", "R-03"), "fail outcome"),
        (Told("refused", "Refus"), "fail shown"),
        (Told(), "inconclusive not-observed"),
        (Told("", "R-03"), "inconclusive not-observed"),
    ],
)
def test_what_is_said_is_judged(told: Told, said: str) -> None:
    assert verdict(AWAIT, ENDS, told=told) == said


def test_nothing_counts_where_nothing_arrived() -> None:
    assert verdict(ENDS) == "inconclusive not-observed"


def test_a_lie_is_told_as_one() -> None:
    case = judged((ENDS,), quiet(REFUSED, 1), role="client")
    assert "le pilote annonce « refused », mais rien n'est arrivé" in {found.actual for found in case.findings}
    assert {found.blame for found in case.findings} == {"CONFIG"}


def test_a_message_within_the_quiet_time_is_an_observation() -> None:
    case = judged((ENDS,), quiet(REFUSED, 1, "received"), role="client")
    assert case.verdict == "pass"
