"""What a run leaves behind: the only part of the harness that reports may import. Values and their reading.

Source: docs/formats/run.md.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from norms.wire.relayed import bears_mark

VerdictName = Literal["pass", "inconclusive", "fail", "error", "not_selected", "not_run"]
Blame = Literal["SUT", "CONFIG", "NETWORK", "NORM", "LAB", ""]
Outcome = Literal[
    "answered",  # a complete HTTP response arrived
    "timeout",  # the total deadline passed
    "refused",  # connection refused or address unknown
    "reset",  # connection cut before a complete response
    "tls",  # TLS handshake or certificate failure
    "bad-http",  # bytes arrived that are not HTTP
    "too-large",  # the cap on (inflated) bytes was reached; client role: requests of the case were turned away
    "received",  # client role: a request of the product arrived
    "silent",  # client role: nothing arrived in time
]


SERVER_CERTIFICATE_REFUSED: Final = "certificate of the server refused"
"""How `detail` begins when the laboratory refused the certificate that the product's server presented."""


MOST_ARRIVALS: Final = 100
"""Role client: requests of one case that are kept; what comes beyond is turned away, so that no product fills the
memory, and the case cannot be judged."""

MOST_BYTES: Final = 16 * 1024 * 1024
"""Role client: bytes of the requests of one case that are kept, likewise."""


class TlsFacts(msgspec.Struct, frozen=True):
    """What the TLS layer said. peer: SHA-256 of the peer's certificate in hex, "" when none."""

    version: str = ""
    cipher: str = ""
    peer: str = ""
    client: str = ""


class Told(msgspec.Struct, frozen=True):
    """What the driver or operator of a product says of it (role client): a statement, not an observation.

    outcome: "accepted", "refused", "stopped", "" = not said; shown: what the user sees; amounts: values by name.
    """

    outcome: Literal["", "accepted", "refused", "stopped"] = ""
    shown: str = ""
    amounts: dict[str, str] = {}


class Exchange(msgspec.Struct, frozen=True):
    """One request with its answer, fault or failure, as recorded; the raw bytes stand beside it.

    id: `<case>#<step>.<n>`; purpose: what it was sent for; url: address called; sent_at / received_at: UTC,
    RFC 3339 with milliseconds; kind: message kind sent; security / http: deviation applied; bindings: values of
    ${name} used (resolved); request / response: raw HTTP messages (head and body as they went over the wire).
    driver: client role, what the driver or operator reported about the stimulus by the time this exchange ended
    ("" = nothing reported). Client role: sent_at is when the wait began, received_at when it ended. layout: of a
    deposit (`harness.decoders`); request and response are then in that layout.
    """

    id: str
    case: str
    step: int
    number: int
    purpose: Literal["step", "control", "retry", "preamble", "stale"]
    kind: str
    url: str
    sent_at: str
    received_at: str
    outcome: Outcome
    detail: str
    bindings: dict[str, str]
    security: str
    http: str
    tls: TlsFacts
    request: bytes
    response: bytes
    duration_ms: float = 0.0
    driver: Literal["", "completed", "failed"] = ""
    told: Told = Told()
    layout: str = "xml"


def was_relayed(exchange: Exchange) -> bool:
    """Tell whether the relay carried this exchange: its mark stands on the request or on the answer."""
    return bears_mark(exchange.request) or bears_mark(exchange.response)


def unanswered(exchange: Exchange) -> Literal["", "failed", "other"]:
    """Tell whether a request of the product did not get the answer that the scenario wants (role client).

    "failed": we failed, and said 500; "other": our simulator decided otherwise, and the edits of the scenario have no
    place in its answer. `detail` says why. What the product did next proves nothing; the request was sent before.
    """
    if exchange.outcome != "received" or not (exchange.kind and exchange.detail):
        return ""
    return "failed" if exchange.response.startswith(b"HTTP/1.1 500") else "other"


class Place(msgspec.Struct, frozen=True):
    """Where in a message. exchange: id; path: XPath-like path with prefixes; line: 1-based in the body, 0 unknown."""

    exchange: str = ""
    path: str = ""
    line: int = 0


class Finding(msgspec.Struct, frozen=True):
    """What a check found. verdict "remark" = a SHOULD or MAY that is not met.

    reason: stable code; message: French template with {named} places, params: its values; expected / actual: in
    French, short; sentence: the norm's sentence.
    """

    requirement: str
    level: str
    severity: str
    verdict: Literal["fail", "inconclusive", "error", "remark"]
    blame: Blame
    check: str
    reason: str
    location: Place
    expected: str
    actual: str
    sentence: str
    message: str = ""
    params: dict[str, str] = {}


class CaseVerdict(msgspec.Struct, frozen=True):
    """The verdict of one case. checked: number of expectations that were really evaluated."""

    id: str
    scenario: str
    verdict: VerdictName
    requirements: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    checked: int = 0
    reason: str = ""


class Counts(msgspec.Struct, frozen=True):
    """How many cases per verdict. Field names are those of the JSON."""

    passed: int = msgspec.field(name="pass", default=0)
    fail: int = 0
    inconclusive: int = 0
    error: int = 0
    not_selected: int = 0
    not_run: int = 0


class Verdicts(msgspec.Struct, frozen=True):
    """verdicts.json: canonical, without times or durations."""

    format: str
    tool: str
    norm: str
    norm_digest: str
    suite: str
    role: str
    verdict: Literal["pass", "fail", "inconclusive", "error"]
    counts: Counts
    cases: tuple[CaseVerdict, ...]
