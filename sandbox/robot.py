"""The practice software: it is told to act, asks the services it is given, and obeys their answers – or does not.

Its conduct is data of the norm (`conduct.yaml`); seeded faults and conformant variants change what it sends and does.
It speaks the driver protocol of docs/formats/run.md and knows nothing of the laboratory.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

import msgspec
from lxml import etree

from norms.behaviour.conduct import Action, Route
from norms.behaviour.software import Software
from norms.errors import DataError, PoinconError
from norms.filling import Clock, canonical_path, filled_message, freshened
from norms.i18n import tr
from norms.model import Service
from norms.wire.attributes import subject_of
from norms.wire.secure import Signers, secure_request
from sandbox.belief import Answer, Reader
from sandbox.calling import Caller, Letter
from sandbox.faults import change_tree
from sandbox.plan import Plan
from sandbox.writing import compact, indent, rename_prefixes

Ending = Literal["accepted", "refused", "stopped"]


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
    """One stimulus under way. values: what requests may use; told: what is reported; shown: what the user sees."""

    stimulus: Stimulus
    action: Action
    values: dict[str, str]
    told: dict[str, str] = field(default_factory=dict)
    shown: str = ""


@dataclass(frozen=True)
class _Sent:
    """A request that left: its tree before it was secured, its secured bytes."""

    root: etree._Element
    body: bytes


class Robot:
    """One practice software. `act` has one caller at a time."""

    def __init__(self, software: Software, signers: Signers, caller: Caller, reader: Reader, plan: Plan) -> None:
        self._software, self._norm, self._conduct = software, software.norm, software.conduct
        self._signers, self._caller, self._reader, self._plan = signers, caller, reader, plan
        self._earlier: etree._Element | None = None

    def again(self) -> Robot:
        """Return the same software without any memory: for a stimulus that is carried out beside others."""
        plan = Plan(self._plan.faults, self._plan.variants)
        return Robot(self._software, self._signers, self._caller, self._reader, plan)

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
            outcome = self._follow(errand, action.start)
            for kind in self._also(outcome, action):
                self._exchange(errand, self._service(kind))
        except PoinconError as error:
            return Told("failed", str(error))
        for change in self._changes("say"):
            outcome = cast(Ending, change["outcome"])
        for change in self._changes("show"):
            errand.shown = change["text"]
        return Told(outcome, errand.shown, errand.told)

    def _follow(self, errand: _Errand, kind: str) -> Ending:
        """Ask, route, ask again; return how it ended."""
        while True:
            answer = self._exchange(errand, self._service(kind))
            if answer.doubt or answer.root is None:
                errand.shown = answer.doubt or tr("Le service ne répond pas.")
                return "stopped"
            if answer.fault:
                errand.shown = self._conduct.shown.text(answer.root, {})
                return "refused"
            if self._stops_at(answer.root):
                errand.shown = tr("La réponse porte un contenu que le logiciel ne connaît pas.")
                return "stopped"
            route = self._route(kind, answer.root)
            errand.values |= {name: text.text(answer.root, {}) for name, text in route.keep.items()}
            errand.told |= {name: text.text(answer.root, {}) for name, text in route.tell.items()}
            errand.shown = route.shown.text(answer.root, {}) if route.shown else errand.shown
            if not route.send or route.send not in errand.action.allows:
                return route.end
            kind = route.send

    def _exchange(self, errand: _Errand, service: Service) -> Answer:
        """Send a request, and send it anew as often as the conduct allows; return the last answer."""
        times, causes = self._retries()
        sent = self._request(errand, service, None)
        answer = self._ask(errand, service, sent)
        for _ in range(times):
            if answer.cause not in causes:
                break
            if not self._has("retry-unchanged"):
                sent = self._request(errand, service, sent.root)
            answer = self._ask(errand, service, sent)
        if self._has("repeat-request", service.kind):
            self._ask(errand, service, self._request(errand, service, None))
        return answer

    def _retries(self) -> tuple[int, tuple[str, ...]]:
        for change in self._changes("retry"):
            causes = tuple(change["causes"].split()) if "causes" in change else self._conduct.causes
            return int(change["times"]), causes
        return self._conduct.retries, self._conduct.causes

    def _request(self, errand: _Errand, service: Service, again: etree._Element | None) -> _Sent:
        """Return a request. again: the tree of the one to be sent anew, under new identifiers and times."""
        clock = Clock.real()
        root = freshened(self._norm, again, clock) if again is not None else None
        if root is None:
            root = filled_message(self._norm, canonical_path(self._norm, service.kind), errand.values, clock)
        plain = copy.deepcopy(root)
        for change in self._plan.changes("tree", service.kind, "answer", root):
            change_tree(root, change, self._norm, None)
        for change in self._plan.changes("writing", service.kind, "answer", root):
            if change.operator.name == "rename-prefixes":
                root = rename_prefixes(root)
            elif change.operator.name == "indent":
                indent(root)
            elif change.operator.name == "compact":
                compact(root)
        now, deviation, signers = clock.now, "", self._signers
        for change in self._plan.changes("time", service.kind, "answer", root):
            if change.operator.name == "stale":
                now -= timedelta(seconds=float(change.parameters["seconds"]))
        for change in self._plan.changes("security", service.kind, "answer", root):
            if change.operator.name == "security":
                deviation = change.parameters["deviation"]
            else:
                signers = replace(signers, flow=signers.others[change.parameters["identity"]])
        url = self._address(errand, service)
        subject = subject_of(self._norm, errand.values, clock.today)
        earlier = self._earlier if self._earlier is not None else root
        body = secure_request(root, self._norm, service, signers, subject, url, now, deviation, replay_of=earlier)
        self._earlier = etree.fromstring(body)
        return _Sent(plain, body)

    def _ask(self, errand: _Errand, service: Service, sent: _Sent) -> Answer:
        root = etree.fromstring(sent.body)
        delay = sum(
            float(change.parameters["seconds"])
            for change in self._plan.changes("time", service.kind, "answer", root)
            if change.operator.name == "delay"
        )
        chunks = [
            int(change.parameters["bytes"])
            for change in self._plan.changes("writing", service.kind, "answer", root)
            if change.operator.name == "chunked"
        ]
        letter = Letter(self._address(errand, service), service, sent.body, delay, chunks[0] if chunks else 0)
        reply = self._caller.post(letter, self._conduct.waits)
        doubted = [check for check in self._conduct.believes if check not in self._believed()]
        return self._reader.read(reply, service, root, doubted, datetime.now(UTC), self._tolerated())

    def _believed(self) -> frozenset[str]:
        """Return what a faulty software takes for granted."""
        return frozenset(check for change in self._changes("believe") for check in change["checks"].split())

    def _tolerated(self) -> frozenset[str]:
        return frozenset(reason for change in self._changes("tolerate") for reason in change["reasons"].split())

    def _stops_at(self, root: etree._Element) -> bool:
        changes = self._plan.changes("conduct", "", "answer", None)
        return any(change.paths["at"].holds(root, {}) for change in changes if change.operator.name == "stop-when")

    def _route(self, kind: str, root: etree._Element) -> Route:
        routes = self._conduct.routes[kind]
        forced = {change["route"] for change in self._changes("force-route")}
        ignored = {change["route"] for change in self._changes("ignore-route")}
        for route in routes:
            if forced & {each.id for each in routes}:
                if route.id in forced:
                    return route
            elif route.when is None or (route.id not in ignored and route.when.holds(root, {})):
                return route
        return routes[-1]

    def _also(self, outcome: str, action: Action) -> Iterator[str]:
        """Yield the kinds that a faulty software asks although nothing leads there."""
        for change in self._changes("go-on"):
            if outcome != "accepted" or change["kind"] not in action.allows:
                yield change["kind"]

    def _changes(self, operator: str, kind: str = "") -> Iterator[Mapping[str, str]]:
        for change in self._plan.changes("conduct", kind, "answer", None):
            if change.operator.name == operator:
                yield change.parameters

    def _has(self, operator: str, kind: str = "") -> bool:
        return any(True for _ in self._changes(operator, kind))

    def _address(self, errand: _Errand, service: Service) -> str:
        try:
            return errand.stimulus.endpoints[service.kind]
        except KeyError:
            raise DataError(tr("La consigne ne donne pas l'adresse du service {kind}.", kind=service.kind)) from None

    def _service(self, kind: str) -> Service:
        service = self._norm.service(kind)
        assert service is not None  # the reader of conduct.yaml refuses other kinds
        return service
