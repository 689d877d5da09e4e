"""The closed vocabulary of deviations: what faults.yaml and variants.yaml may do to a practice partner.

`sandbox` carries the operators out. Source: docs/formats/faults.md.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Phase = Literal["tree", "security", "time", "http", "acceptance", "decision", "writing", "tls", "conduct"]


class Operator(msgspec.Struct, frozen=True):
    """An operator. needs / takes: its parameters that must / may be given; phase: when it acts."""

    name: str
    phase: Phase
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


_TREE: Final = (
    Operator("set-text", "tree", ("at", "value"), ("on",)),
    Operator("copy-text", "tree", ("at", "from"), ("on",)),
    Operator("copy-request", "tree", ("at", "from"), ("on",)),
    Operator("remove", "tree", ("at",), ("on",)),
    Operator("insert", "tree", ("at", "xml"), ("on", "place")),
    Operator("duplicate", "tree", ("at",), ("on",)),
    Operator("rename", "tree", ("at", "to"), ("on",)),
    Operator("set-attribute", "tree", ("at", "name", "value"), ("on",)),
    Operator("shift-amount", "tree", ("at", "by"), ("on",)),
    Operator("shift-date", "tree", ("at", "days"), ("on",)),
    Operator("swap", "tree", ("at", "with"), ("on",)),
)
_SECURITY: Final = (
    Operator("security", "security", ("deviation",), ("on",)),
    Operator("wrong-signer", "security", ("identity",), ("on",)),
)
_TIME: Final = (
    Operator("delay", "time", ("seconds",), ("on",)),
    Operator("stale", "time", ("seconds",), ("on",)),
)
_HTTP: Final = (
    Operator("http-status", "http", ("status",), ("on",)),
    Operator("content-type", "http", ("value",), ("on",)),
    Operator("truncate", "http", ("bytes",), ("on",)),
    Operator("close", "http", (), ("on",)),
    Operator("body", "http", ("text",), ("on",)),
    Operator("prefix-body", "http", ("text",), ("on",)),
    Operator("no-description", "http"),
    Operator("any-path", "http"),
    Operator("mix-answers", "http", ("seconds",)),
)
_ACCEPTANCE: Final = (
    Operator("accept-without", "acceptance", ("reasons",), ("then",)),
    Operator("refuse-with", "acceptance", ("reason",)),
    Operator("refuse-after-refusal", "acceptance", ("reason",)),
    Operator("refuse-header", "acceptance", ("name", "reason")),
    Operator("answer-refusal", "acceptance", ("reasons", "code"), ("fault", "http")),
)
_DECISION: Final = (
    Operator("ignore-row", "decision", ("row",)),
    Operator("force-row", "decision", ("row",)),
    Operator("set-value", "decision", ("name", "value")),
    Operator("repeat-sequence", "decision", ("sequence",)),
    Operator("forget", "decision", ("collection",)),
    Operator("answer-anew", "decision"),
)
_WRITING: Final = (
    Operator("rename-prefixes", "writing", (), ("on",)),
    Operator("indent", "writing", (), ("on",)),
    Operator("compact", "writing", (), ("on",)),
    Operator("chunked", "writing", ("bytes",), ("on",)),
)
_TLS: Final = (Operator("accept-tls", "tls", ("certificates",)),)
_CONDUCT: Final = (
    Operator("believe", "conduct", ("checks",)),
    Operator("tolerate", "conduct", ("reasons",)),
    Operator("stop-when", "conduct", ("at",)),
    Operator("ignore-route", "conduct", ("route",)),
    Operator("force-route", "conduct", ("route",)),
    Operator("take-route", "conduct", ("route", "at")),
    Operator("go-on", "conduct", ("kind",)),
    Operator("repeat-request", "conduct"),
    Operator("retry", "conduct", ("times",), ("causes",)),
    Operator("retry-unchanged", "conduct"),
    Operator("hurry", "conduct", ("seconds",)),
    Operator("say", "conduct", ("outcome",)),
    Operator("show", "conduct", ("text",)),
    Operator("show-at", "conduct", ("at",)),
    Operator("tell", "conduct", ("name", "value")),
    Operator("stop-before", "conduct", ("kind",)),
    Operator("skip-directory", "conduct"),
    Operator("keep-address", "conduct"),
    Operator("take-address", "conduct", ("at",)),
    Operator("ignore-directory-refusal", "conduct", (), ("at",)),
    Operator("ask-ahead", "conduct"),
    Operator("trust-any-server", "conduct"),
    Operator("certificate", "conduct", ("identity",)),
)

OPERATORS: Final = {
    operator.name: operator
    for operator in (*_TREE, *_SECURITY, *_TIME, *_HTTP, *_ACCEPTANCE, *_DECISION, *_WRITING, *_TLS, *_CONDUCT)
}
SERVER_PHASES: Final[tuple[Phase, ...]] = (
    "tree", "security", "time", "http", "acceptance", "decision", "writing", "tls",
)  # fmt: skip
CLIENT_PHASES: Final[tuple[Phase, ...]] = ("tree", "security", "time", "writing", "conduct")
# Which answers an operator touches: a normal answer, a fault, or both.
ON: Final = ("answer", "fault", "any")
PLACES: Final = ("first", "last", "before", "after")
TLS_CERTIFICATES: Final = ("none", "expired", "revoked", "untrusted")
