"""What the parameters of faults.yaml and variants.yaml may name: phases, rows, values, collections, routes."""

from __future__ import annotations

from dataclasses import dataclass

from norms.behaviour.conduct import BELIEFS, CAUSES, OUTCOMES, Conduct
from norms.behaviour.operators import CLIENT_PHASES, SERVER_PHASES, Phase
from norms.behaviour.tables import Decisions, Nodes, Recall, Sequence
from norms.model import Norm


@dataclass(frozen=True, slots=True)
class Words:
    """phases: of the operators that make sense; known: parameter -> what it may be; values: what decisions compute, or
    what a software tells; kinds: of the messages that may be concerned.
    """

    phases: tuple[Phase, ...]
    known: dict[str, tuple[str, ...]]
    values: frozenset[str]
    kinds: tuple[str, ...]


def words_of_decisions(decisions: Decisions, norm: Norm) -> Words:
    """Return what deviations of a partner that answers may name."""
    return Words(
        SERVER_PHASES,
        {
            "row": tuple(row.id for table in decisions.tables.values() for row in table.rows),
            "sequence": tuple(name for name, kind in _state_names(decisions) if kind == "sequence"),
            "collection": tuple(name for name, kind in _state_names(decisions) if kind == "collection"),
        },
        frozenset(_value_names(decisions)),
        tuple(service.kind for service in norm.services),
    )


def words_of_conduct(conduct: Conduct, norm: Norm) -> Words:
    """Return what deviations of a software that asks may name: it speaks the companions of its norm as well."""
    kinds = tuple(service.kind for speaker in norm.speakers for service in speaker.services)
    return Words(
        CLIENT_PHASES,
        {
            "route": conduct.route_ids(),
            "kind": kinds,
            "checks": BELIEFS,
            "causes": CAUSES,
            "outcome": OUTCOMES,
        },
        frozenset(conduct.told()),
        kinds,
    )


def _state_names(decisions: Decisions) -> set[tuple[str, str]]:
    names = set()
    for table in decisions.tables.values():
        for row in table.rows:
            names |= {(effect.collection, "collection") for effect in row.effects}
            for item in (*table.values, *row.values, *row.after):
                if isinstance(item.source, Sequence):
                    names.add((item.source.name, "sequence"))
                elif isinstance(item.source, Recall):
                    names.add((item.source.collection, "collection"))
    return names


def _value_names(decisions: Decisions) -> set[str]:
    names = set()
    for table in decisions.tables.values():
        names |= {item.name for item in table.values}
        for item in table.values:
            if isinstance(item.source, Nodes):
                names |= {value.name for value in item.source.values}
        for row in table.rows:
            names |= {item.name for item in (*row.values, *row.after)}
            if row.lines:
                names |= {item.name for line in row.lines.rows for item in line.values}
                names |= {item.name for item in (*row.lines.values, *row.lines.last)}
    return names
