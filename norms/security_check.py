"""The security of a message that was met in a file, apart from its connection: signatures, assertion, timestamp."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from lxml import etree

from norms.errors import PoinconError, SecurityRefusal
from norms.message_check import Problem
from norms.model import Norm
from norms.places import line_of, path_of, prefixes_by_namespace
from norms.wire import names
from norms.wire.instants import read_instant
from norms.wire.soap import Envelope
from norms.wire.trust import Anchors
from norms.wire.verify import verify


def security_problem(
    root: etree._Element, norm: Norm, kind: str, direction: Literal["request", "response"], anchors: Anchors
) -> Problem | None:
    """Return what is wrong with the security of a message, None when it holds or when none is asked of it.

    It is judged at the instant that the message says it was created; replay, audience and the TLS peer need the
    connection and are not judged. The problem's `rule` is a reason code of `norms.wire.reasons`. Raises PoinconError
    when our own verifier failed: then nothing is said of the message.
    """
    service = norm.service(kind)
    policy = norm.security.request if direction == "request" else norm.security.response
    if service is None or Envelope.of(root).is_fault or not (policy.assertion or policy.flow or policy.timestamp):
        return None
    try:
        verify(root, norm, service, direction, anchors, _created(root), transport=False)
    except SecurityRefusal as refusal:
        if refusal.reason in ("internal", "unavailable"):
            raise PoinconError(refusal.what) from refusal
        header = root.find(f".//{names.SECURITY}")
        place = root if header is None else header
        return Problem(
            source="security",
            rule=refusal.reason,
            requirement="",
            path=path_of(place, prefixes_by_namespace(norm.prefixes)),
            line=line_of(place),
            message=refusal.what,
        )
    return None


def _created(root: etree._Element) -> datetime:
    written = root.findtext(f".//{names.CREATED}")
    try:
        return read_instant(written or "", "timestamp-structure")
    except SecurityRefusal:
        return datetime.now(UTC)
