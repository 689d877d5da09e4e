"""The security of a message of a recording: judged at the time it was recorded, for the address that was called.

The certificate of the TLS connection is not in a recording, so what binds it to the message is not judged. One memory
of assertions per recording: one that serves twice is found.
"""

from __future__ import annotations

from harness.checks.messages import CaseSecurity
from harness.context import JudgeContext
from harness.observed import Observed
from norms.errors import SecurityRefusal
from norms.wire.replay import ReplayCache
from norms.wire.verify import verify


class RecordedSecurity(CaseSecurity):
    """The verifier's word on one recorded message."""

    def __init__(self, context: JudgeContext, replay: ReplayCache) -> None:
        super().__init__(context)
        self._seen = replay

    def _verify(self, observed: Observed) -> SecurityRefusal | None:
        request = observed.direction == "request"
        try:
            verify(
                observed.root,
                observed.norm,
                observed.service,
                observed.direction,
                self._trusted(),
                observed.at,
                audience=(observed.exchange.url or None) if request else None,
                replay=self._seen if request else None,
                transport=False,
            )
        except SecurityRefusal as refusal:
            if refusal.reason == "internal":
                raise
            return refusal
        return None
