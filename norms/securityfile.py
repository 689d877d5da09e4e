"""security.yaml as a `SecurityProfile`. Source: docs/formats/norm.md, "security.yaml"."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, cast

import msgspec

from norms.errors import NormError
from norms.i18n import tr
from norms.model import (
    Algorithms,
    AssertionPolicy,
    CertificateKind,
    DirectionPolicy,
    FlowPolicy,
    Limits,
    Refusal,
    SecurityProfile,
    TimestampPolicy,
    Tls,
)
from norms.wire.reasons import REASONS
from norms.yamlfile import Node, nearest, read_yaml

SECURITY_FILE: Final = "security.yaml"
COVERS: Final = ("body", "timestamp", "headers", "assertion")

_ASSERTION_CHOICES: Final = {
    "replay": ("refused", "accepted"),
    "binding": ("tls", "none"),
    "subject": ("certificate", "free"),
}

_T = TypeVar("_T", bound=msgspec.Struct)


def read_security(name: str, folders: Sequence[Path]) -> SecurityProfile | None:
    """Return the profile of that name from the first folder whose security.yaml defines it, or None.

    folders: of the norm, then of its parents. Certificate kinds and refusals of all of them apply; the first folder
    that defines one wins. Raises NormError.
    """
    files = [read_yaml(folder / SECURITY_FILE, NormError) for folder in folders if (folder / SECURITY_FILE).is_file()]
    profile: Node | None = None
    kinds: dict[str, CertificateKind] = {}
    refusals: dict[str, Refusal] = {}
    for file in files:
        keys = file.only((), ("profiles", "certificates", "refusals"))
        profiles = keys["profiles"].mapping() if "profiles" in keys else {}
        profile = profile or profiles.get(name)
        for kind, node in keys["certificates"].mapping().items() if "certificates" in keys else ():
            kinds.setdefault(kind, _flat(CertificateKind, node))
        for reason, node in keys["refusals"].mapping().items() if "refusals" in keys else ():
            refusals.setdefault(_reason(reason, node), _refusal(node))
    return None if profile is None else _profile(name, profile, kinds, refusals)


def _profile(name: str, node: Node, kinds: dict[str, CertificateKind], refusals: dict[str, Refusal]) -> SecurityProfile:
    keys = node.only((), ("tls", "request", "response", "clock_skew_seconds", "algorithms", "limits"))
    return SecurityProfile(
        name=name,
        tls=_tls(keys["tls"], kinds) if "tls" in keys else Tls(),
        request=_direction(keys["request"], kinds) if "request" in keys else DirectionPolicy(),
        response=_direction(keys["response"], kinds) if "response" in keys else DirectionPolicy(),
        clock_skew_seconds=keys["clock_skew_seconds"].integer() if "clock_skew_seconds" in keys else 60,
        algorithms=_flat(Algorithms, keys["algorithms"]) if "algorithms" in keys else Algorithms(),
        limits=_flat(Limits, keys["limits"]) if "limits" in keys else Limits(),
        kinds=kinds,
        refusals=refusals,
    )


def _tls(node: Node, kinds: dict[str, CertificateKind]) -> Tls:
    tls = _flat(Tls, node)
    if "minimum" in node.mapping():
        node.mapping()["minimum"].choice(("1.2", "1.3"))
    for key in ("client_certificate", "server_certificate"):
        if node.mapping().get(key):
            _kind(node.mapping()[key], kinds)
    return tls


def _direction(node: Node, kinds: dict[str, CertificateKind]) -> DirectionPolicy:
    keys = node.only((), ("assertion", "flow", "timestamp"))
    assertion, flow = None, None
    if "assertion" in keys:
        assertion = _flat(AssertionPolicy, keys["assertion"], ("signer", "name_qualifiers", "attributes"))
        members = keys["assertion"].mapping()
        _kind(members["signer"], kinds)
        for name, allowed in _ASSERTION_CHOICES.items():
            if name in members:
                members[name].choice(allowed)
    if "flow" in keys:
        flow = _flat(FlowPolicy, keys["flow"], ("signer", "covers"))
        _kind(keys["flow"].mapping()["signer"], kinds)
        for cover in keys["flow"].mapping()["covers"].items():
            cover.choice(COVERS)
    timestamp = _flat(TimestampPolicy, keys["timestamp"]) if "timestamp" in keys else None
    return DirectionPolicy(assertion=assertion, flow=flow, timestamp=timestamp)


def _refusal(node: Node) -> Refusal:
    keys = node.only(("fault", "code", "http"))
    return Refusal(
        fault=cast(Literal["Sender", "Receiver"], keys["fault"].choice(("Sender", "Receiver"))),
        code=keys["code"].text(),
        http=keys["http"].integer(100),
    )


def _reason(reason: str, node: Node) -> str:
    if reason not in REASONS:
        raise node.fault(tr("« {reason} » n'est pas un motif de refus.", reason=reason), nearest(reason, REASONS))
    return reason


def _kind(node: Node, kinds: dict[str, CertificateKind]) -> str:
    name = node.text()
    if name not in kinds:
        raise node.fault(tr("Le genre de certificat « {name} » n'est pas défini.", name=name), nearest(name, kinds))
    return name


def _flat(struct: type[_T], node: Node, required: Sequence[str] = ()) -> _T:
    """Fill a struct whose fields are texts, numbers or lists of texts; types come from its annotations."""
    fields = {field.name: field.type for field in msgspec.structs.fields(struct)}
    values: dict[str, Any] = {}
    for key, child in node.only(required, [name for name in fields if name not in required]).items():
        wanted = fields[key]
        if wanted is int:
            values[key] = child.integer()
        elif wanted is float:
            values[key] = child.number()
        elif wanted is str or msgspec.inspect.type_info(wanted).__class__ is msgspec.inspect.LiteralType:
            values[key] = child.text()
        else:
            values[key] = child.texts()
    return struct(**values)
