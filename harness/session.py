"""One case under way against a product that is a client: what is awaited, what has arrived, what is known by now.

What arrives belongs to the step that awaits it; once that has come, what follows belongs to the next step.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from harness.record import MOST_ARRIVALS, TlsFacts
from harness.replies import States
from norms.identify import Heard
from scenarios.model import Case

Keeper = Callable[[int, Heard, Mapping[str, str]], Mapping[str, str]]
"""Of a step's number, the request and the values so far: the values with what the step keeps of the request."""


def new_token() -> str:
    """Return the secret part of an address: 48 hexadecimal digits."""
    return secrets.token_hex(24)


@dataclass(frozen=True)
class Arrival:
    """A request of the product. step: the 1-based step it belongs to; kind: "" when unreadable; peer: DER or b"".

    layout: of a deposit (`harness.decoders`).
    """

    step: int
    kind: str
    url: str
    at: str
    tls: TlsFacts
    peer: bytes
    request: bytes
    response: bytes
    bindings: dict[str, str]
    trouble: str = ""
    layout: str = "xml"


@dataclass
class Session:
    """One case under way. bindings: values so far; keep: reads what a step keeps of a request; token: its secret."""

    case: Case
    bindings: Mapping[str, str]
    keep: Keeper
    token: str = field(default_factory=new_token)
    states: States = field(default_factory=States)
    _position: int = 1
    _taken: int = 0
    _arrivals: list[Arrival] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def enter(self, step: int) -> None:
        """Say that `step` is under way; a step never goes back."""
        with self._changed:
            self._position = max(self._position, step)

    def admits(self) -> bool:
        """Count one more request; tell whether it is still one of those that are kept."""
        with self._changed:
            self._taken += 1
            return self._taken <= MOST_ARRIVALS

    def assign(self, kind: str) -> int:
        """Return the step to which a request of `kind` belongs, and move on when it is the one awaited."""
        with self._changed:
            step = self._position
            awaited = self.case.steps[step - 1].await_
            if awaited and kind in (awaited, "") and step < len(self.case.steps):
                self._position = step + 1
            return step

    def add(self, arrival: Arrival) -> None:
        """Keep an arrival and tell whoever waits."""
        with self._changed:
            self._arrivals.append(arrival)
            self.bindings = {**self.bindings, **arrival.bindings}
            self._changed.notify_all()

    def arrived(self, step: int) -> list[Arrival]:
        """Return what has arrived for `step` so far."""
        with self._changed:
            return [arrival for arrival in self._arrivals if arrival.step == step]

    def wait(self, step: int, until: Callable[[list[Arrival]], bool], deadline: Callable[[], float]) -> None:
        """Wait until `until` holds for the arrivals of `step`, or `deadline` (monotonic seconds) has come.

        The deadline is asked again each time something changes.
        """
        with self._changed:
            while not until([arrival for arrival in self._arrivals if arrival.step == step]):
                left = deadline() - time.monotonic()
                if left <= 0:
                    return
                self._changed.wait(left)

    def wake(self) -> None:
        """Have a waiting `wait` look at its deadline again."""
        with self._changed:
            self._changed.notify_all()
