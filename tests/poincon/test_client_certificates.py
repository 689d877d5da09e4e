"""Under which TLS certificate a product calls: the practice software with good and wrong ones, each judged or told."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.evidence import read_run
from harness.rejudge import rejudge
from harness.run import RunOptions, run
from norms.behaviour import Change, Fault
from norms.behaviour.operators import OPERATORS
from norms.errors import NormError
from norms.loader import load
from norms.model import Text
from poincon.practice import driven_by_robot, practice_declaration
from poincon.software import RobotActor
from sandbox.pki import TestPki, ensure
from sandbox.plan import Plan
from scenarios.compiler import compile_suite
from scenarios.declaration import read_sut
from scenarios.reader import read_scenarios


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> TestPki:
    return ensure(tmp_path_factory.mktemp("pki") / "keys")


def calling_as(identity: str) -> Plan:
    change = Change(OPERATORS["certificate"], {"identity": identity}, {}, ())
    return Plan([Fault("F", Text("Autre certificat"), "", (), (change,))])


@pytest.mark.parametrize(
    ("identity", "finding"),
    [
        ("tls", None),
        ("none", ("fail", "SUT", "certificate-missing")),
        ("tls-expired", ("fail", "SUT", "certificate-expired")),
        ("tls-revoked", ("fail", "SUT", "certificate-revoked")),
        ("tls-establishment", ("fail", "SUT", "certificate-usage")),
        # Of these two the TLS layer shows nothing: whose they are cannot be said.
        ("tls-other-authority", ("inconclusive", "CONFIG", "not-observed")),
        ("tls-wrong-kind", ("inconclusive", "CONFIG", "not-observed")),
    ],
)
def test_the_certificate_of_a_product_never_passes_unseen(
    pki: TestPki, tmp_path: Path, identity: str, finding: tuple[str, str, str] | None
):
    norm = load("annuaire/1.0")
    sut = tmp_path / "sut.yaml"
    sut.write_text(practice_declaration(norm, {}, pki, role="client"), encoding="utf-8")
    declaration = driven_by_robot(read_sut(sut))
    suite = compile_suite(norm, read_scenarios(norm), declaration, "client")
    robot = RobotActor(norm, pki, calling_as(identity))
    options = RunOptions(declaration, suite, norm, tmp_path / "r", select="ANN-C-001", preflight=False, operator=robot)
    run(options)
    verdicts = read_run(tmp_path / "r").verdicts
    assert verdicts is not None
    verdict = next(each for each in verdicts.cases if each.scenario == "ANN-C-001")
    found = [(each.verdict, each.blame, each.reason) for each in verdict.findings]
    assert found == ([finding] if finding else [])
    assert all(each.requirement == "ANN-LPS-044" for each in verdict.findings if each.verdict == "fail")
    if finding is not None and finding[0] == "inconclusive":
        assert "certificat de client est refusé" in verdict.findings[0].actual
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()


def test_an_identity_that_nobody_has_is_refused(pki: TestPki):
    with pytest.raises(NormError, match="tls-inconnue"):
        RobotActor(load("annuaire/1.0"), pki, calling_as("tls-inconnue"))
