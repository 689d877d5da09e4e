"""Reason codes of refusals on the wire: a closed list, stable names of the program (docs/formats/security.md).

A norm maps them to its own faults (`refusals` of its security profile); findings show them.
"""

from __future__ import annotations

from typing import Final

HTTP: Final = (
    "http-method",
    "media-type",
    "charset",
    "content-encoding",
    "too-large",
    "http-malformed",
    "not-found",
    "action-mismatch",
)
XML: Final = (
    "malformed",
    "doctype",
    "processing-instruction",
    "encoding",
    "too-deep",
    "too-many-elements",
    "too-many-attributes",
    "text-too-long",
)
SOAP: Final = (
    "envelope-version",
    "envelope-structure",
    "must-understand",
    "unknown-operation",
    "norm-version",
    "header-missing",
    "schema",
    "rule",
    "code-table",
)
SIGNATURE: Final = (
    "security-missing",
    "signature-missing",
    "signature-structure",
    "signature-algorithm",
    "signature-transform",
    "signature-reference",
    "signature-coverage",
    "signature-invalid",
    "duplicate-id",
    "key-info",
)
CERTIFICATE: Final = (
    "certificate-untrusted",
    "certificate-expired",
    "certificate-not-yet-valid",
    "certificate-revoked",
    "certificate-usage",
    "certificate-key",
    "certificate-missing",
)
ASSERTION: Final = (
    "assertion-missing",
    "assertion-multiple",
    "assertion-structure",
    "assertion-expired",
    "assertion-not-yet-valid",
    "assertion-lifetime",
    "assertion-audience",
    "assertion-subject",
    "assertion-attributes",
    "assertion-replayed",
    "assertion-binding",
    "assertion-issuer",
)
TIME: Final = ("timestamp-missing", "timestamp-expired", "timestamp-future", "timestamp-structure")
OTHER: Final = ("unauthorised-software", "internal", "unavailable")

REASONS: Final = frozenset(HTTP + XML + SOAP + SIGNATURE + CERTIFICATE + ASSERTION + TIME + OTHER)
