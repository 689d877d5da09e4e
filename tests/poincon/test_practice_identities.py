"""The practice declaration lends, for every bundled norm, identities of the kinds that the norm asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from norms.errors import SecurityRefusal
from norms.loader import available, load
from norms.model import Norm
from norms.wire.keys import load_identity
from norms.wire.trust import check_chain
from poincon.practice import practice_declaration
from sandbox.pki import TestPki, ensure
from scenarios.declaration import read_sut
from scenarios.template import needed_identities

NORMS = [ref for ref in available() if load(ref).services]


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    return ensure(tmp_path_factory.mktemp("practice") / "pki")


def reason(norm: Norm, pki: TestPki, files: tuple[Path, Path], kind: str) -> str:
    """Return why a certificate does not pass for `kind`, "" when it does."""
    identity = load_identity(*files)
    security = norm.security
    try:
        check_chain(
            identity.certificate,
            identity.chain,
            pki.anchors(),
            security.kinds[kind],
            datetime.now(UTC),
            security.algorithms,
        )
    except SecurityRefusal as refusal:
        return refusal.reason
    return ""


@pytest.mark.parametrize("ref", NORMS)
def test_right_identities_are_of_their_kind_and_wrong_ones_are_not(ref: str, pki: TestPki, tmp_path: Path) -> None:
    norm = load(ref)
    file = tmp_path / "sut.yaml"
    endpoints = {service.kind: "https://localhost:1/" for service in norm.services}
    file.write_text(practice_declaration(norm, endpoints, pki), encoding="utf-8")
    lent = read_sut(file).laboratory.identities
    kinds = needed_identities(norm, "server")
    for use, kind in kinds.items():
        right = lent[use]
        assert reason(norm, pki, (right.certificate, right.key), kind) == ""
        for wrong, refused in (("expired", "certificate-expired"), ("other-authority", "certificate-untrusted")):
            spoilt = lent[f"{use}-{wrong}"]
            assert reason(norm, pki, (spoilt.certificate, spoilt.key), kind) == refused
    for use in {"tls", "assertion"} & kinds.keys():
        crossed = lent[f"{use}-wrong-kind"]
        assert reason(norm, pki, (crossed.certificate, crossed.key), kinds[use]) == "certificate-usage"


@pytest.mark.parametrize("ref", NORMS)
def test_the_two_identities_of_a_holder_agree_and_another_s_does_not(ref: str, pki: TestPki, tmp_path: Path) -> None:
    norm = load(ref)
    if "assertion" not in needed_identities(norm, "server"):
        return
    file = tmp_path / "sut.yaml"
    file.write_text(practice_declaration(norm, {}, pki), encoding="utf-8")
    lent = read_sut(file).laboratory.identities
    subjects = [load_identity(lent[use].certificate, lent[use].key).subject
                for use in ("tls", "assertion", "assertion-wrong-kind", "assertion-other-holder")]  # fmt: skip
    assert subjects[0] == subjects[1] == subjects[2] != subjects[3]
