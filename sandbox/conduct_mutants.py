"""Generated faults of a practice software's conduct: each thing that it should do left undone, or done unasked.

They follow from the conduct data alone, whatever the norm; what a conformant variant does as well is no fault.
Source: docs/formats/conduct.md, "Generated faults".
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from norms.behaviour import Change, Fault
from norms.behaviour.conduct import CAUSES, OUTCOMES, Conduct
from norms.behaviour.operators import OPERATORS
from norms.behaviour.software import Software
from norms.model import Text


class _Deed(NamedTuple):
    """One deviation. kinds: of the messages concerned, empty = all."""

    title: str
    operator: str
    parameters: dict[str, str]
    kinds: tuple[str, ...] = ()


def conduct_mutants(software: Software, seed: int = 0) -> tuple[Fault, ...]:
    """Return one fault for each deviation of the conduct, in the order of its data; they cite no requirement.

    seed: draws the values that are told in place of the right ones; the same seed gives the same mutants.
    """
    allowed = [change for variant in software.variants for change in variant.changes]
    deeds = (
        deed
        for deed in _deeds(software.conduct, random.Random(f"{seed} conduct"))
        if not any(
            (change.operator.name, change.parameters, change.kinds) == (deed.operator, deed.parameters, deed.kinds)
            for change in allowed
        )
    )
    return tuple(
        Fault(
            f"M-CONDUITE-{number:03d}",
            Text(fr=deed.title),
            "",
            (),
            (Change(OPERATORS[deed.operator], deed.parameters, {}, deed.kinds),),
        )
        for number, deed in enumerate(deeds, 1)
    )


def _deeds(conduct: Conduct, chance: random.Random) -> Iterator[_Deed]:
    yield from _routes(conduct)
    for check in conduct.believes:
        yield _Deed(f"Tient pour acquis : {check}", "believe", {"checks": check})
    yield from _retries(conduct)
    yield from _calls(conduct)
    for kind in _asked(conduct) if conduct.directory else ():
        yield _Deed(f"Ne cherche pas l'adresse de {kind}", "skip-directory", {}, (kind,))
        yield _Deed(f"Garde l'adresse connue de {kind}", "keep-address", {}, (kind,))
        yield _Deed(f"Passe outre le refus d'une adresse de {kind}", "ignore-directory-refusal", {}, (kind,))
    yield _Deed("Se fie à tout serveur", "trust-any-server", {})
    yield _Deed("Ne présente pas de certificat", "certificate", {"identity": "none"})
    yield from _words(conduct, chance)


def _routes(conduct: Conduct) -> Iterator[_Deed]:
    for kind, routes in conduct.routes.items():
        for route in routes[:-1]:
            yield _Deed(f"{kind} : ignore la route {route.id}", "ignore-route", {"route": route.id}, (kind,))
        for route in routes if len(routes) > 1 else ():
            yield _Deed(f"{kind} : prend toujours la route {route.id}", "force-route", {"route": route.id}, (kind,))


def _retries(conduct: Conduct) -> Iterator[_Deed]:
    for cause in CAUSES:
        others = " ".join(other for other in conduct.causes if other != cause)
        if cause not in conduct.causes:
            more = {"times": str(max(conduct.retries, 1)), "causes": f"{others} {cause}".strip()}
            yield _Deed(f"Renouvelle aussi après : {cause}", "retry", more)
        elif conduct.retries:
            fewer = {"times": str(conduct.retries), "causes": others} if others else {"times": "0"}
            yield _Deed(f"Ne renouvelle pas après : {cause}", "retry", fewer)
    yield _Deed("Renouvelle la demande telle quelle", "retry-unchanged", {})


def _calls(conduct: Conduct) -> Iterator[_Deed]:
    starts = {action.start for action in conduct.actions.values()}
    for kind in _asked(conduct):
        if kind not in starts:
            yield _Deed(f"Appelle {kind} sans que rien n'y mène", "go-on", {"kind": kind})
            yield _Deed(f"N'appelle jamais {kind}", "stop-before", {"kind": kind})
        yield _Deed(f"Envoie {kind} deux fois", "repeat-request", {}, (kind,))


def _words(conduct: Conduct, chance: random.Random) -> Iterator[_Deed]:
    for outcome in OUTCOMES:
        yield _Deed(f"Annonce toujours : {outcome}", "say", {"outcome": outcome})
    yield _Deed("N'affiche rien", "show", {"text": ""})
    for name in conduct.told():
        value = f"{chance.randrange(10_000, 100_000)}.{chance.randrange(100):02d}"
        yield _Deed(f"Annonce {value} pour {name}", "tell", {"name": name, "value": value})


def _asked(conduct: Conduct) -> tuple[str, ...]:
    """Return the kinds that actions may lead to, each once."""
    return tuple(dict.fromkeys(kind for action in conduct.actions.values() for kind in action.allows))
