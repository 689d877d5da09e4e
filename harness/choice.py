"""The expression of --select: which cases of a suite a partial run takes.

    expression = term { (space | ",") term }     a case is taken when one term matches it and no "!" term does
    term       = [ "!" ] part { "+" part }       all parts must match
    part       = id or glob of a case, scenario or requirement          VIL-S-014   VIL-IDB-*   *@MED
               | "profile:" code | "kind:" message kind | "origin:" written|derived | "requirement:" id or glob

An expression that selects nothing, or a term that matches no case at all, is an error: nobody asks for nothing.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Final

from harness.errors import SelectionError
from norms.i18n import tr
from scenarios.model import Case

_KEYS: Final[dict[str, Callable[[Case], Sequence[str]]]] = {
    "profile": lambda case: (case.profile,),
    "kind": lambda case: tuple(name for step in case.steps for name in (step.send, step.await_) if name),
    "origin": lambda case: (case.origin,),
    "requirement": lambda case: case.requirements,
}


def choose(cases: Sequence[Case], expression: str | None) -> tuple[Case, ...]:
    """Return the cases that `expression` takes, in the suite's order; None takes all. Raises SelectionError."""
    if expression is None:
        return tuple(cases)
    terms = [term for term in re.split(r"[\s,]+", expression) if term]
    wanted = [term for term in terms if not term.startswith("!")]
    unwanted = [term[1:] for term in terms if term.startswith("!")]
    for term in (*wanted, *unwanted):
        if not any(_matches(case, term) for case in cases):
            raise SelectionError(_nothing(cases, term))
    chosen = tuple(
        case
        for case in cases
        if (not wanted or any(_matches(case, term) for term in wanted))
        and not any(_matches(case, term) for term in unwanted)
    )
    if not terms or not chosen:
        raise SelectionError(tr("La sélection « {expression} » ne retient aucun cas.", expression=expression))
    return chosen


def _matches(case: Case, term: str) -> bool:
    return all(_part(case, part) for part in term.split("+"))


def _part(case: Case, part: str) -> bool:
    key, colon, pattern = part.partition(":")
    if colon and key in _KEYS:
        return any(fnmatchcase(value, pattern) for value in _KEYS[key](case))
    return any(fnmatchcase(value, part) for value in (case.id, case.scenario, *case.requirements))


def _nothing(cases: Sequence[Case], term: str) -> str:
    known = {value for case in cases for value in (case.id, case.scenario, *case.requirements)}
    close = difflib.get_close_matches(term, sorted(known), n=1)
    hint = tr("Vouliez-vous dire « {nom} » ?", nom=close[0]) if close else ""
    return f"{tr('« {terme} » ne désigne aucun cas de la suite.', terme=term)} {hint}".strip()
