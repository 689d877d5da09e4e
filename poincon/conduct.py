"""From a declaration to a run folder with its reports: what `run`, `conformance`, `kill-rate` and pytest share."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from harness import preflight
from harness.driver import Actor
from harness.errors import PreflightError
from harness.events import Listener
from harness.run import RunOptions, RunResult, new_run_folder, run
from norms import loader
from norms.errors import DataError, UsageError
from norms.i18n import tr
from norms.model import Norm
from norms.publication import require_intact, withdrawn
from poincon import __version__
from scenarios.compiler import compile_suite
from scenarios.declaration import Declaration, read_sut
from scenarios.model import Suite
from scenarios.reader import read_scenarios

TOOL = f"poincon {__version__}"
RUNS = Path("runs")


@dataclass(frozen=True)
class Campaign:
    """A declaration with the norm it names and the suite compiled for it."""

    declaration: Declaration
    norm: Norm
    suite: Suite


def campaign_of(sut: Path) -> Campaign:
    """Read a declaration, its norm, and compile the suite; raises DataError, NormError or PreflightError."""
    declaration = read_sut(sut)
    known = loader.available()
    if declaration.product.norm not in known:
        raise DataError(
            tr("La norme « {norm} » n'existe pas.", norm=declaration.product.norm),
            file=sut,
            remedy=tr("Normes connues : {names}.", names=", ".join(known)),
        )
    norm = loader.load(declaration.product.norm)
    require_intact(norm)
    if declaration.certification:
        _require_in_use(norm, sut)
    scenarios = read_scenarios(norm)
    try:
        suite = compile_suite(norm, scenarios, declaration, declaration.product.role)
    except DataError as error:
        # A missing value stops the compiler at the first case that needs it: say everything that is missing.
        problems = preflight.check(norm, declaration, call=False)
        if problems:
            raise PreflightError(problems) from error
        raise
    return Campaign(declaration, norm, suite)


def _require_in_use(norm: Norm, sut: Path) -> None:
    """Raise DataError when a run for certification names a withdrawn norm: nothing could come of it."""
    for sentence in withdrawn(norm):
        raise DataError(
            sentence,
            file=sut,
            remedy=tr("Aucun certificat n'en sortira ; pour un simple essai, écrivez « certification: false »."),
        )


def run_campaign(
    campaign: Campaign,
    out: Path | None = None,
    *,
    jobs: int = 1,
    select: str | None = None,
    resume: bool = False,
    listeners: tuple[Listener, ...] = (),
    operator: Actor | None = None,
) -> RunResult:
    """Run a campaign. out: the run folder (default: a new one below `runs/`); operator: acts without driver."""
    if jobs < 1:
        raise UsageError(tr("--jobs demande un nombre à partir de 1."))
    if resume and out is None:
        raise UsageError(tr("--resume demande --out : le dossier de l'exécution interrompue."))
    folder = out or new_run_folder(RUNS, campaign.suite)
    _require_writable(folder)
    return run(
        RunOptions(
            declaration=campaign.declaration,
            suite=campaign.suite,
            norm=campaign.norm,
            out=folder,
            jobs=jobs,
            select=select,
            resume=resume,
            tool=TOOL,
            on_event=listeners,
            operator=operator,
        )
    )


def _require_writable(folder: Path) -> None:
    """Raise UsageError before anything is sent when the run folder cannot be made or written."""
    nearest = next(place for place in (folder, *folder.resolve().parents) if place.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise UsageError(
            tr(
                "Le dossier d'exécution « {folder} » ne peut pas être écrit : "
                "« {place} » n'est pas un dossier où écrire. Choisissez-en un autre avec --out.",
                folder=folder,
                place=nearest,
            )
        )


def write_reports(folder: Path) -> Path:
    """Write bilan.html and junit.xml into a finished run folder; return the bilan."""
    from reports.bilan import write_bilan
    from reports.junit import write_junit
    from reports.source import subject_of

    subject = subject_of(folder)
    write_junit(subject, folder / "junit.xml")
    return write_bilan(subject, folder, str(folder))
