"""Errors of the reports.

PoinconError (norms.errors)
└── ReportError               a document cannot be written or read
    ├── SealError             the seal (certificate and key) cannot be used
    ├── GateClosedError       the certification gate stays closed; `reasons` says why, one sentence each
    └── RegisterError         the issue register is damaged or held by somebody else
"""

from __future__ import annotations

from norms.errors import PoinconError
from norms.i18n import tr


class ReportError(PoinconError):
    """A report or certificate cannot be written or read."""


class SealError(ReportError):
    """The seal cannot be used: wrong kind of certificate, wrong key, expired."""


class GateClosedError(ReportError):
    """A run that cannot be certified. reasons: sentences for people, at least one."""

    exit_code = 1

    def __init__(self, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        head = tr("Ce passage ne peut pas donner lieu à un certificat :")
        super().__init__("\n".join((head, *(f"  – {reason}" for reason in reasons))))


class RegisterError(ReportError):
    """The register of issued documents cannot be trusted or cannot be written."""
