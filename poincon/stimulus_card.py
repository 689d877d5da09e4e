"""What an operator reads of a stimulus: title, what to do, addresses of the session, person, other values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from harness.driver import Stimulus
from norms.behaviour.population import population_of
from norms.i18n import tr
from norms.model import Norm
from scenarios.declaration import Declaration
from scenarios.model import Case, Step, Suite

WIDTH: Final = 78
_ASKING: Final = ("outcome", "shown")
"""Checks that read what the screen showed."""


@dataclass(frozen=True)
class Cards:
    """The cards of one run."""

    norm: Norm
    suite: Suite
    declaration: Declaration

    def card(self, stimulus: Stimulus, number: int, total: int) -> Iterator[str]:
        """Yield the lines of a card. number, total: place of the case among those to be run."""
        case = self._case(stimulus)
        place = tr("Cas {number} sur {total}", number=number, total=total)
        yield f"── {place} · {stimulus.case} ".ljust(WIDTH, "─")
        if case is not None:
            yield str(case.title)
            yield tr("But : {purpose}", purpose=case.purpose)
            if self._stimuli(case) > 1:
                yield tr("Étape {step} sur {steps}", step=stimulus.step, steps=len(case.steps))
        yield ""
        yield tr("À FAIRE")
        yield f"  {stimulus.text}"
        yield ""
        yield from _table(tr("LA PERSONNE"), {name: stimulus.data[name] for name in self._person(stimulus)})

    def addresses(self, stimulus: Stimulus) -> Iterator[str]:
        """Yield the addresses of the session."""
        yield from _table(tr("ADRESSES À DONNER À VOTRE LOGICIEL"), stimulus.endpoints)

    def others(self, stimulus: Stimulus) -> Iterator[str]:
        """Yield every other value that a driver would get."""
        person = set(self._person(stimulus))
        rest = {name: text for name, text in stimulus.data.items() if name not in person}
        yield from _table(tr("AUTRES VALEURS"), rest)

    def asks(self, stimulus: Stimulus) -> bool:
        """Tell whether the page judges what the screen shows after this stimulus and before the next one."""
        case = self._case(stimulus)
        return case is not None and any(
            each.check in _ASKING for step in _after(case, stimulus) for each in step.expect
        )

    def awaits(self, stimulus: Stimulus) -> bool:
        """Tell whether a message is awaited after this stimulus and before the next one."""
        case = self._case(stimulus)
        return case is None or any(step.await_ for step in _after(case, stimulus))

    def _case(self, stimulus: Stimulus) -> Case | None:
        return next((case for case in self.suite.cases if case.id == stimulus.case), None)

    def _stimuli(self, case: Case) -> int:
        return sum(step.stimulus is not None for step in case.steps)

    def _person(self, stimulus: Stimulus) -> list[str]:
        """Return the names of the values that describe the person, in the order of the norm's data."""
        case = self._case(stimulus)
        if case is None or not case.given:
            return []
        own = self.declaration.ixit.population.get(case.given, ())
        entries = [*own] or [entry.values for entry in population_of(self.norm).pool(case.given)]
        return [name for name in dict.fromkeys(name for values in entries for name in values) if name in stimulus.data]


def _after(case: Case, stimulus: Stimulus) -> Iterator[Step]:
    """Yield the step of a stimulus and those that follow it, up to the next stimulus."""
    for number, step in enumerate(case.steps[stimulus.step - 1 :]):
        if number and step.stimulus is not None:
            return
        yield step


def _table(title: str, values: Mapping[str, str]) -> Iterator[str]:
    shown = {name.replace("_", " "): text for name, text in values.items() if text}
    if not shown:
        return
    yield title
    width = max(map(len, shown))
    yield from (f"  {name.ljust(width)}  {text}" for name, text in shown.items())
    yield ""
