"""Progress of a run for people, on standard error: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from harness.events import CaseFinished, Event, RunStarted
from norms.i18n import tr
from poincon.console import note
from reports.wording import verdict_word

if TYPE_CHECKING:
    from rich.progress import Progress

EVERY = 25


class ProgressDisplay:
    """A listener of the engine, and a context that takes the bar away at the end."""

    def __init__(self, title: str = "") -> None:
        self._title, self._done, self._total = title, 0, 0
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, RunStarted):
            self._start(event)
        elif isinstance(event, CaseFinished):
            self._count(event)

    def _start(self, event: RunStarted) -> None:
        self._total = event.cases
        self._title = self._title or event.norm
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._bar.add_task(self._title, total=event.cases)
        else:
            note(
                tr("{title} : {cases} cas, dossier {folder}", title=self._title, cases=event.cases, folder=event.folder)
            )

    def _count(self, event: CaseFinished) -> None:
        if self._done == self._total:
            return  # cases outside the selection: nobody waits for them
        self._done += 1
        verdict = event.verdict
        amiss = verdict.verdict != "pass"
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])
            if amiss:
                self._bar.console.print(f"{verdict.id}  {verdict_word(verdict.verdict)}", highlight=False)
        elif amiss:
            note(f"  {verdict.id}  {verdict_word(verdict.verdict)}")
        elif self._done % EVERY == 0:
            note(f"  {self._done}/{self._total}")
