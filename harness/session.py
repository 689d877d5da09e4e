"""One case under way against a product that is a client: what is awaited, what has arrived, what is known by now.

What arrives belongs to the step that awaits it; once that has come, what follows belongs to the next step.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.record import MOST_ARRIVALS, MOST_BYTES, TlsFacts
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


@dataclass(frozen=True)
class Hint:
    """Something that reached us without being a request: why nothing could be read. outcome: of an exchange."""

    outcome: Literal["tls", "bad-http", "refused"]
    what: str


@dataclass
class Session:
    """One case under way.

    bindings: values so far; keep: reads what a step keeps of a request; token: its secret; follow: told of arrivals.
    """

    case: Case
    bindings: Mapping[str, str]
    keep: Keeper
    token: str = field(default_factory=new_token)
    states: States = field(default_factory=States)
    follow: Callable[[Arrival], None] | None = None
    _position: int = 1
    _taken: int = 0
    _bytes: int = 0
    _overrun: bool = False
    _hint: Hint | None = None
    _failure: str = ""
    _arrivals: list[Arrival] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def enter(self, step: int) -> None:
        """Say that `step` is under way; a step never goes back."""
        with self._changed:
            self._position = max(self._position, step)
            self._hint = None

    def admits(self) -> bool:
        """Count one more request; tell whether it is still one of those that are kept."""
        with self._changed:
            self._taken += 1
            self._overrun = self._overrun or self._taken > MOST_ARRIVALS
            return not self._overrun

    def holds(self, size: int) -> bool:
        """Count that many bytes more of a request; tell whether they may still be kept."""
        with self._changed:
            self._bytes += size
            self._overrun = self._overrun or self._bytes > MOST_BYTES
            return not self._overrun

    @property
    def overrun(self) -> bool:
        """Whether something was turned away because the case had received too much."""
        with self._changed:
            return self._overrun

    def fail(self, what: str) -> None:
        """Remember that an answer recorded as given did not leave: what the product did then proves nothing."""
        with self._changed:
            self._failure = self._failure or what

    @property
    def failure(self) -> str:
        """Why an answer did not leave, "" when all did."""
        with self._changed:
            return self._failure

    def note(self, hint: Hint) -> None:
        """Remember what was heard that is no request, until the next step."""
        with self._changed:
            self._hint = hint

    @property
    def hint(self) -> Hint | None:
        """What was heard last, during this step, that is no request."""
        with self._changed:
            return self._hint

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
        if self.follow is not None:
            self.follow(arrival)

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
