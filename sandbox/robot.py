"""The practice software: it is told to act, asks the services it is given, and obeys their answers – or does not.

Its conduct is data of the norm (`conduct.yaml`); seeded faults and conformant variants change what it sends and does.
It speaks the driver protocol of docs/formats/run.md and knows nothing of the laboratory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from norms.behaviour.conduct import Action
from norms.behaviour.software import Software
from norms.errors import PoinconError
from norms.i18n import tr
from sandbox.directory import Finder, Located
from sandbox.plan import Plan
from sandbox.speaker import Exchanged, Means, Speaker
from sandbox.temper import Ending, Temper


class Stimulus(msgspec.Struct, frozen=True):
    """What the software is told. data: values by name, `action` among them; endpoints: message kind -> address."""

    data: dict[str, str]
    endpoints: dict[str, str]


class Told(msgspec.Struct, frozen=True):
    """What the software tells: how it ended, what the user sees, and the values of its `tell` entries."""

    outcome: Literal["accepted", "refused", "stopped", "failed"]
    message: str = ""
    amounts: dict[str, str] = {}


@dataclass
class _Errand:
    """One stimulus under way. values: what requests may use; told: what is reported; shown: what the user sees;
    located: where the services are, as far as it is known.
    """

    stimulus: Stimulus
    action: Action
    values: dict[str, str]
    told: dict[str, str] = field(default_factory=dict)
    shown: str = ""
    located: dict[str, Located] = field(default_factory=dict)


class Robot:
    """One practice software. `act` has one caller at a time. means: by reference of each norm that it speaks."""

    def __init__(self, software: Software, means: Mapping[str, Means], plan: Plan) -> None:
        self._software, self.means, self._plan = software, means, plan
        self._conduct = software.conduct
        self._temper = Temper(software.conduct, plan)
        self._speaker = Speaker(software.norm, software.conduct, means, plan, self._temper)
        self._finder = Finder(software.conduct, self._speaker, self._temper)

    def again(self) -> Robot:
        """Return the same software without any memory: for a stimulus that is carried out beside others."""
        return Robot(self._software, self.means, Plan(self._plan.faults, self._plan.variants))

    def act(self, stimulus: Stimulus) -> Told:
        """Carry out a stimulus; a software that cannot says so (`failed`)."""
        self._plan.next_call()
        action = self._conduct.actions.get(stimulus.data.get("action", ""))
        if action is None:
            return Told(
                "failed", tr("Le logiciel ne sait pas faire « {action} ».", action=stimulus.data.get("action", ""))
            )
        errand = _Errand(stimulus, action, dict(stimulus.data))
        try:
            if self._temper.has("ask-ahead"):
                for kind in action.allows:
                    self._locate(errand, kind)
            outcome = self._follow(errand, action.start)
            for kind in self._temper.also(outcome, action.allows):
                self._exchange(errand, kind, self._locate(errand, kind).url or stimulus.endpoints.get(kind, ""))
        except PoinconError as error:
            return Told("failed", str(error))
        finally:
            for means in self.means.values():
                means.caller.rest()
        return Told(self._temper.outcome(outcome), self._temper.shown(errand.shown), self._temper.told(errand.told))

    def _follow(self, errand: _Errand, kind: str) -> Ending:
        """Ask, route, ask again; return how it ended."""
        while True:
            located = self._locate(errand, kind)
            if not located.url:
                errand.shown = located.shown
                return located.ending
            exchanged = self._exchange(errand, kind, located.url)
            answer, given = exchanged.answer, exchanged.variables
            if answer.doubt or answer.root is None:
                errand.shown = answer.doubt or tr("Le service ne répond pas.")
                return "stopped"
            if answer.fault:
                errand.shown = self._conduct.shown.text(answer.root, {})
                return "refused"
            if self._temper.stops_at(kind, answer.root, given):
                errand.shown = tr("La réponse porte un contenu que le logiciel ne connaît pas.")
                return "stopped"
            route = self._temper.route(kind, answer.root, given)
            errand.values |= {name: text.text(answer.root, given) for name, text in route.keep.items()}
            errand.told |= {name: text.text(answer.root, given) for name, text in route.tell.items()}
            errand.shown = route.shown.text(answer.root, given) if route.shown else errand.shown
            errand.shown = self._temper.shows(kind, answer.root, given) or errand.shown
            if route.send not in errand.action.allows or self._temper.stops_before(route.send):
                return route.end
            kind = route.send

    def _locate(self, errand: _Errand, kind: str) -> Located:
        """Return where a service is; the directory is asked once for each kind of an errand."""
        if kind not in errand.located:
            errand.located[kind] = self._finder.locate(kind, errand.values, errand.stimulus.endpoints)
        return errand.located[kind]

    def _exchange(self, errand: _Errand, kind: str, url: str) -> Exchanged:
        return self._speaker.exchange(kind, errand.values, url)
