"""A run as people start it: with a progress display, or with the operator who makes a product without driver act."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from harness.run import RunResult
from norms.errors import PoinconError, UsageError
from norms.i18n import tr
from poincon.conduct import Campaign, run_campaign
from poincon.console import note
from poincon.operator import Operator, Stopped, stopping, terminal_lines
from poincon.progress import ProgressDisplay
from poincon.stimulus_card import Cards


class RunStopped(PoinconError):  # noqa: N818 - a state of a run, not a fault
    """The operator has stopped the run; the message says how to go on. Nothing is concluded: exit code 3."""

    exit_code = 3


def run_guided(
    campaign: Campaign,
    out: Path | None = None,
    *,
    jobs: int = 1,
    select: str | None = None,
    resume: bool = False,
    operator: Operator | None = None,
) -> RunResult:
    """Run a campaign as `run_campaign` does. operator: instead of the one at the terminal.

    Raises UsageError before anything starts when nothing and nobody can make the product act, RunStopped when the
    operator stops.
    """
    operator = operator or _operator_of(campaign)
    if operator is None:
        driver = campaign.declaration.driver
        if driver is not None and driver.mode == "persistent":
            jobs = min(jobs, 1)  # one program is asked one thing at a time
        with ProgressDisplay() as progress:
            return run_campaign(campaign, out, jobs=jobs, select=select, resume=resume, listeners=(progress,))
    if jobs > 1:
        note(tr("--jobs est sans effet : un opérateur fait un cas à la fois."))
    try:
        with stopping(operator):
            return run_campaign(
                campaign,
                out,
                jobs=min(jobs, 1),
                select=select,
                resume=resume,
                listeners=(operator,),
                operator=operator,
            )
    except Stopped:
        words = ["poincon", "run", "--sut", campaign.declaration.file, "--out", str(operator.folder), "--resume"]
        words += ["--select", select] if select else []
        raise RunStopped(
            tr("arrêté ; le reste n'est pas exécuté. Pour reprendre : {command}", command=shlex.join(words))
        ) from None


def _operator_of(campaign: Campaign) -> Operator | None:
    """Return the operator at the terminal, None where none is needed; raises UsageError without a terminal."""
    declaration = campaign.declaration
    if declaration.product.role != "client" or declaration.driver is not None:
        return None
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            tr(
                "Rien ne peut faire agir votre logiciel : « {file} » ne nomme pas de pilote (driver) et l'entrée "
                "standard n'est pas un terminal. Nommez un pilote, ou lancez la commande sur un terminal : "
                "un opérateur y suivra les consignes.",
                file=declaration.file,
            )
        )
    cards = Cards(campaign.norm, campaign.suite, declaration)

    def write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    return Operator(cards, terminal_lines(), write)
