"""The behaviour of a norm's practice partner, read as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from lxml import etree

from norms.behaviour.answers import Templates
from norms.behaviour.decisions import NO_OVERRIDES, Answer, Circumstances, IdSource, Interpreter, Overrides
from norms.behaviour.deviations import Fault, Variant, read_faults, read_variants
from norms.behaviour.kept import Kept
from norms.behaviour.places import ANSWERS, DECISIONS, FAULTS, SIMULATOR, VARIANTS, simulator_files
from norms.behaviour.population import Population, population_of
from norms.behaviour.state import State
from norms.behaviour.tables import read_decisions
from norms.behaviour.words import words_of_decisions
from norms.errors import NormError, UsageError
from norms.i18n import tr
from norms.model import Norm
from norms.yamlfile import nearest

_Item = TypeVar("_Item", Fault, Variant)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A norm's `simulator/` folder, ready to answer."""

    norm: Norm
    population: Population
    faults: tuple[Fault, ...]
    variants: tuple[Variant, ...]
    interpreter: Interpreter

    def answer(
        self,
        root: etree._Element,
        kind: str,
        state: State,
        today: date,
        ids: IdSource,
        overrides: Overrides = NO_OVERRIDES,
        base: str = "",
    ) -> Answer:
        """Return the unsecured answer to a request of that kind; effects are applied to `state`.
        base: address of the partner, for answers that hold addresses.

        Raises NormError when the data cannot decide or write it.
        """
        service = self.norm.service(kind)
        if service is None:
            raise UsageError(tr("Le message « {kind} » n'existe pas.", kind=kind))
        return self.interpreter.answer(root, service, state, Circumstances(today, ids, base), overrides)

    def fault(self, fault_id: str) -> Fault:
        """Return the seeded fault of that id. Raises UsageError naming the nearest one."""
        return _chosen(self.faults, fault_id)

    def variant(self, variant_id: str) -> Variant:
        """Return the variant of that id. Raises UsageError naming the nearest one."""
        return _chosen(self.variants, variant_id)


def load(norm: Norm) -> Behaviour:
    """Read the folder `simulator/` of a norm and of those it uses. Raises NormError with file and line."""
    return _kept(norm)


def _read(norm: Norm) -> Behaviour:
    folder = norm.root / SIMULATOR
    if not folder.is_dir():
        raise NormError(tr("La norme {ref} n'a pas de dossier « simulator ».", ref=norm.ref), file=folder)
    population = population_of(norm)
    answers = simulator_files(norm, ANSWERS)
    decisions = read_decisions(simulator_files(norm, DECISIONS), answers, norm)
    words = words_of_decisions(decisions, norm)
    return Behaviour(
        norm,
        population,
        read_faults(simulator_files(norm, FAULTS), norm, words),
        read_variants(simulator_files(norm, VARIANTS), norm, words),
        Interpreter(norm, decisions, population, Templates(answers)),
    )


_kept = Kept(_read)


def _chosen(items: tuple[_Item, ...], item_id: str) -> _Item:
    for item in items:
        if item.id == item_id:
            return item
    remedy = nearest(item_id, [item.id for item in items])
    raise UsageError(tr("« {id} » n'existe pas. {remedy}", id=item_id, remedy=remedy))
