"""How faults and variants change the conduct of a practice software: the operators of phase "conduct"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, cast

from lxml import etree

from norms.behaviour import Change
from norms.behaviour.conduct import Conduct, Route
from norms.behaviour.expressions import Variables
from sandbox.plan import Plan

Ending = Literal["accepted", "refused", "stopped"]


class Temper:
    """What one software does otherwise than its conduct says. Operators: docs/formats/conduct.md."""

    def __init__(self, conduct: Conduct, plan: Plan) -> None:
        self._conduct, self._plan = conduct, plan

    def has(self, operator: str, kind: str = "") -> bool:
        """Tell whether an operator concerns that kind of message."""
        return any(True for _ in self._named(operator, kind))

    def address(self, kind: str, answer: etree._Element, given: Variables) -> str:
        """Return the address that it takes out of the directory's answer in its own way, "" = as it should."""
        return next((change.paths["at"].text(answer, given) for change in self._named("take-address", kind)), "")

    def ignores_refusal(self, kind: str, answer: etree._Element, given: Variables) -> bool:
        """Tell whether it goes on although the directory gives no address for that kind."""
        return any(
            "at" not in change.paths or change.paths["at"].holds(answer, given)
            for change in self._named("ignore-directory-refusal", kind)
        )

    def checks(self, kind: str) -> list[str]:
        """Return what it looks at in an answer before it believes it."""
        granted = {check for change in self._parameters("believe", kind) for check in change["checks"].split()}
        return [check for check in self._conduct.believes if check not in granted]

    def tolerated(self, kind: str) -> frozenset[str]:
        """Return the reasons for which its verifier refuses an answer that it believes all the same."""
        return frozenset(word for change in self._parameters("tolerate", kind) for word in change["reasons"].split())

    def retries(self, kind: str) -> tuple[int, tuple[str, ...]]:
        """Return how often it sends anew, and why."""
        for change in self._parameters("retry", kind):
            causes = tuple(change["causes"].split()) if "causes" in change else self._conduct.causes
            return int(change["times"]), causes
        return self._conduct.retries, self._conduct.causes

    def waits(self, kind: str) -> float:
        """Return how many seconds it waits for an answer."""
        return min([self._conduct.waits, *(float(change["seconds"]) for change in self._parameters("hurry", kind))])

    def stops_at(self, kind: str, answer: etree._Element, given: Variables) -> bool:
        """Tell whether it stops at an answer that it should take."""
        return any(change.paths["at"].holds(answer, given) for change in self._named("stop-when", kind))

    def route(self, kind: str, answer: etree._Element, given: Variables) -> Route:
        """Return the route that it takes."""
        routes = self._conduct.routes[kind]
        forced = {change["route"] for change in self._parameters("force-route", kind)}
        ignored = {change["route"] for change in self._parameters("ignore-route", kind)}
        forced |= {
            change.parameters["route"]
            for change in self._named("take-route", kind)
            if change.paths["at"].holds(answer, given)
        }
        for route in routes:
            if forced & {each.id for each in routes}:
                if route.id in forced:
                    return route
            elif route.when is None or (route.id not in ignored and route.when.holds(answer, given)):
                return route
        return routes[-1]

    def shows(self, kind: str, answer: etree._Element, given: Variables) -> str:
        """Return what it shows the user of an answer in its own way, "" = as it should."""
        found = (change.paths["at"].text(answer, given) for change in self._named("show-at", kind))
        return next((text for text in found if text), "")

    def stops_before(self, kind: str) -> bool:
        """Tell whether it never sends that kind."""
        return any(change["kind"] == kind for change in self._parameters("stop-before", kind))

    def also(self, outcome: str, allowed: Sequence[str]) -> Iterator[str]:
        """Return the kinds that it asks although nothing leads there, each once."""
        kinds = {change["kind"]: None for kind in self._conduct.routes for change in self._parameters("go-on", kind)}
        return (kind for kind in kinds if outcome != "accepted" or kind not in allowed)

    def outcome(self, real: Ending) -> Ending:
        """Return how it says that it ended."""
        for change in self._parameters("say"):
            real = cast(Ending, change["outcome"])
        return real

    def shown(self, real: str) -> str:
        """Return what the user sees."""
        for change in self._parameters("show"):
            real = change["text"]
        return real

    def told(self, real: Mapping[str, str]) -> dict[str, str]:
        """Return the values that it reports."""
        return {**real, **{change["name"]: change["value"] for change in self._parameters("tell")}}

    def _named(self, operator: str, kind: str = "") -> Iterator[Change]:
        for change in self._plan.changes("conduct", kind, "answer", None):
            if change.operator.name == operator:
                yield change

    def _parameters(self, operator: str, kind: str = "") -> Iterator[Mapping[str, str]]:
        return (change.parameters for change in self._named(operator, kind))
