"""The norm and messages that are measured: the bundled norm with the most rules, and its canonical messages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from norms.check import checker_for
from norms.loader import available, load
from norms.model import Norm

Direction = Literal["request", "response"]


@dataclass(frozen=True)
class Message:
    kind: str
    direction: Direction
    path: Path
    body: bytes

    @property
    def name(self) -> str:
        return f"{self.kind} {self.direction}"


def sample_norm(ref: str | None) -> Norm:
    """Return the norm named, or the bundled norm with services and signatures that has the most rules."""
    if ref:
        return load(ref)
    norms = [norm for norm in map(load, available()) if norm.services and norm.security.request.flow]
    return max(norms, key=lambda norm: sum(1 for _ in checker_for(norm).rules.assertions()))


def messages_of(norm: Norm) -> list[Message]:
    """Return the canonical messages of a norm: valid, without signatures."""
    directions: tuple[Direction, ...] = ("request", "response")
    found = []
    for service in norm.services:
        for direction in directions:
            path = norm.root / "messages" / f"{service.kind}.{direction}.xml"
            found.append(Message(service.kind, direction, path, path.read_bytes()))
    return found
