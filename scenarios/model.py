"""The model of scenarios and suites. Values only. Source: docs/formats/scenario.md."""

from __future__ import annotations

from typing import Literal

import msgspec

from norms.model import Text

Role = Literal["server", "client"]


class Expectation(msgspec.Struct, frozen=True):
    """One thing an answer (or an arriving request) must show, citing one requirement.

    check: name in the registry of `harness.checks`; at: XPath with the norm's prefixes; value / values: expected
    literals by the author (`${name}` allowed); table: code table; step: 1-based step to compare with.
    """

    requirement: str
    check: str
    at: str = ""
    value: str = ""
    values: tuple[str, ...] = ()
    table: str = ""
    step: int = 0
    line: int = 0


class Step(msgspec.Struct, frozen=True):
    """One exchange. Server role: `send`; client role: `stimulus`, `await_`, `reply`.

    base: example file used instead of the canonical message; edits: XPath -> value; remove: XPaths taken out;
    insert: XPath of a parent -> XML to append; security: a deviation of `norms.wire` ("" = as the profile says);
    http: a deviation of the transport; keep: name -> XPath in the answer, usable as ${name} later;
    times / parallel: how often, and whether at once.
    """

    send: str = ""
    base: str = ""
    edits: dict[str, str] = {}
    remove: tuple[str, ...] = ()
    insert: dict[str, str] = {}
    security: str = ""
    http: str = ""
    keep: dict[str, str] = {}
    parallel: int = 0
    stimulus: Text | None = None
    data: dict[str, str] = {}
    await_: str = ""
    reply: str = ""
    quiet_seconds: float = 0.0
    expect: tuple[Expectation, ...] = ()
    line: int = 0


class Scenario(msgspec.Struct, frozen=True):
    """A page written by a domain expert. file: path relative to the scenarios root; line numbers are 1-based."""

    id: str
    title: Text
    role: Role
    purpose: Text
    steps: tuple[Step, ...]
    applies_if: str = ""
    profiles: tuple[str, ...] = ()
    given: str = ""
    exclusive: bool = False
    file: str = ""


class Case(msgspec.Struct, frozen=True):
    """An executable case: a scenario for one profile with its test person, or a derived constraint.

    bindings: values of ${name} known before the run ($-expressions of date and uuid stay unresolved).
    """

    id: str
    scenario: str
    origin: Literal["written", "derived"]
    title: Text
    purpose: Text
    role: Role
    profile: str
    given: str
    bindings: dict[str, str]
    steps: tuple[Step, ...]
    requirements: tuple[str, ...]
    exclusive: bool = False
    file: str = ""


class NotSelected(msgspec.Struct, frozen=True):
    """A scenario that the declaration switches off (status not_selected), with the reason for people."""

    id: str
    reason: str


class Suite(msgspec.Struct, frozen=True):
    """Written + derived cases − what the declaration switches off.

    digest: over everything that can change a verdict, the declaration's claims and values included; source: over norm
    and scenarios before any declaration, what a kill rate is bound to.
    """

    format: str
    norm: str
    revision: str
    provenance: str
    norm_digest: str
    role: Role
    cases: tuple[Case, ...]
    not_selected: tuple[NotSelected, ...]
    digest: str
    source: str = ""
