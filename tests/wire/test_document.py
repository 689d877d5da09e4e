"""docs/formats/security.md explains every field, reason code and deviation, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

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
from norms.wire.deviations import DEVIATIONS
from norms.wire.reasons import REASONS

TEXT = (Path(__file__).parents[2] / "docs" / "formats" / "security.md").read_text("utf-8")
OURS = {"name", "kinds"}  # of the model, not of the file: the key of the profile, and `certificates`
STRUCTS = [
    SecurityProfile, Tls, DirectionPolicy, AssertionPolicy, FlowPolicy, TimestampPolicy, Algorithms, Limits,
    CertificateKind, Refusal,
]  # fmt: skip


@pytest.mark.parametrize("struct", STRUCTS)
def test_every_field_is_explained(struct: type[msgspec.Struct]) -> None:
    for field in msgspec.structs.fields(struct):
        assert field.name in OURS or re.search(rf"[`.]{field.name}\b", TEXT), field.name


def test_every_reason_is_explained() -> None:
    reasons = TEXT[TEXT.index("## Reason codes") : TEXT.index("## Deviations")]
    named = {name for row in re.findall(r"^\| (`.*?) \|", reasons, re.M) for name in re.findall(r"`([a-z-]+)`", row)}
    assert named == REASONS


def test_every_deviation_is_explained_with_its_identity() -> None:
    rows = TEXT[TEXT.index("## Deviations") : TEXT.index("## Two verifiers")]
    found = {
        name: (bool(both), identity)
        for name, both, identity in re.findall(r"^\| `([a-z0-9-]+)`( ⇄)? \|.*\| *(?:`([a-z-]+)`)? *\|$", rows, re.M)
    }
    assert found == {
        name: (len(deviation.directions) == 2, deviation.identity) for name, deviation in DEVIATIONS.items()
    }


def test_every_deviation_cites_known_reasons() -> None:
    for deviation in DEVIATIONS.values():
        assert deviation.reasons
        assert deviation.reasons <= REASONS
        assert deviation.text.fr
        assert deviation.text.en
