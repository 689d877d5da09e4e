"""Which deviations a world carries, and what they mean for one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lxml import etree

from norms.behaviour import Change, Fault, Overrides, Variant
from norms.model import Refusal


class Plan:
    """The changes of the faults and variants chosen for a world, by phase."""

    def __init__(self, faults: Iterable[Fault] = (), variants: Iterable[Variant] = ()) -> None:
        self.faults, self.variants = tuple(faults), tuple(variants)
        self._changes = (
            *(change for fault in self.faults for change in fault.changes),
            *(change for variant in self.variants for change in variant.changes),
        )

        self._met = [0] * len(self._changes)
        self._met_now: set[int] = set()
        self._refused = self._refusing = False

    def next_call(self) -> None:
        """Begin one more call, for changes that happen now and then."""
        self._met_now.clear()
        self._refusing = False

    def note_refusal(self) -> None:
        """Note that the present call is refused, unless a fault of ours refused it."""
        self._refused = not self._refusing

    @property
    def serves_any_path(self) -> bool:
        """Whether an unknown address is answered by the first service."""
        return any(change.operator.name == "any-path" for change in self._changes)

    @property
    def accepted_tls(self) -> frozenset[str]:
        """Client certificates accepted against the rule: "none", "expired", "revoked", "untrusted"."""
        return frozenset(
            word
            for change in self._changes
            if change.operator.phase == "tls"
            for word in change.parameters["certificates"].split()
        )

    @property
    def receives_oversize(self) -> bool:
        """Whether bodies over the norm's limit must reach the partner, which treats them in its own way."""
        return any("too-large" in change.reasons for change in self._changes)

    @property
    def hides_description(self) -> bool:
        """Whether the WSDL is not served."""
        return any(change.operator.name == "no-description" for change in self._changes)

    @property
    def trusts_any_server(self) -> bool:
        """Whether a software sends to a server whatever certificate it shows."""
        return any(change.operator.name == "trust-any-server" for change in self._changes)

    @property
    def tls_identity(self) -> str:
        """The identity under which a software calls, "none" for no certificate at all; its own is `tls`."""
        return next((change.parameters["identity"] for change in self._named("certificate")), "tls")

    @property
    def changes_signing(self) -> bool:
        """Whether answers may be signed by another identity."""
        return any(change.operator.phase == "security" for change in self._changes)

    def tolerated(self, kind: str = "", request: etree._Element | None = None) -> frozenset[str]:
        """Return the reason codes whose refusals are not pronounced.

        While the kind of the request is not known, only changes without conditions count.
        """
        return frozenset(
            reason
            for change in self._named("accept-without")
            if (self._holds(change, kind, "answer", request) if kind else change.when is None)
            for reason in change.reasons
        )

    def following(self, reason: str) -> frozenset[str]:
        """Return the reason codes that no longer count in a request in which `reason` was let pass."""
        return frozenset(
            then for change in self._named("accept-without") if reason in change.reasons for then in change.then
        )

    def refused(self, kind: str, request: etree._Element, headers: Mapping[str, str]) -> str:
        """Return the reason code with which a good request is refused, "" = it is not."""
        for change in self.changes("acceptance", kind, "answer", request):
            wanted = change.operator.name == "refuse-with"
            wanted |= change.operator.name == "refuse-header" and change.parameters["name"].lower() in headers
            wanted |= change.operator.name == "refuse-after-refusal" and self._refused
            if wanted:
                self._refusing = True
                return change.parameters["reason"]
        return ""

    def refusal(self, kind: str, reason: str, planned: Refusal) -> Refusal:
        """Return how the refusal is answered."""
        for change in self._named("answer-refusal"):
            if reason in change.reasons and (not kind or change.concerns(kind, "answer")):
                side = "Receiver" if change.parameters.get("fault") == "Receiver" else planned.fault
                http = int(change.parameters.get("http", planned.http))
                return Refusal(side, change.parameters["code"], http)
        return planned

    def overrides(self, kind: str, request: etree._Element) -> Overrides:
        """Return how the decisions depart from their tables."""
        chosen = list(self.changes("decision", kind, "answer", request))

        def values(operator: str, parameter: str) -> list[str]:
            return [change.parameters[parameter] for change in chosen if change.operator.name == operator]

        forced = values("force-row", "row")
        return Overrides(
            ignored=frozenset(values("ignore-row", "row")),
            forced=forced[0] if forced else "",
            values={
                change.parameters["name"]: change.parameters["value"]
                for change in chosen
                if change.operator.name == "set-value"
            },
            repeated=frozenset(values("repeat-sequence", "sequence")),
            forgotten=frozenset(values("forget", "collection")),
            repeat_answers=all(change.operator.name != "answer-anew" for change in chosen),
        )

    def changes(self, phase: str, kind: str, on: str, request: etree._Element | None) -> Iterator[Change]:
        """Yield the changes of a phase that concern a message, in the order of the files."""
        for change in self._changes:
            if change.operator.phase == phase and self._holds(change, kind, on, request):
                yield change

    def _named(self, operator: str) -> Iterator[Change]:
        return (change for change in self._changes if change.operator.name == operator)

    def _holds(self, change: Change, kind: str, on: str, request: etree._Element | None) -> bool:
        if not change.concerns(kind, on):
            return False
        if change.when is not None and (request is None or not change.when.holds(request, {})):
            return False
        return change.every == 1 or self._turn(change)

    def _turn(self, change: Change) -> bool:
        """Count the calls that a change concerns, once each, and tell whether this is one of every n."""
        number = next(index for index, known in enumerate(self._changes) if known is change)
        if number not in self._met_now:
            self._met_now.add(number)
            self._met[number] += 1
        return self._met[number] % change.every == 0
