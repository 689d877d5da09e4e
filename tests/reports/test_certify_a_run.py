"""From a real run on loopback to a sealed document and back: gate, issue, verification with the evidence."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.run import run
from norms.model import Norm
from reports.bilan import write_bilan
from reports.errors import GateClosedError, ReportError
from reports.issue import certify
from reports.junit import junit
from reports.register import read_register
from reports.source import subject_of
from reports.verify import verify_certificate
from scenarios.compiler import compile_suite
from scenarios.model import Suite
from scenarios.reader import read_scenarios
from tests.harness.lab import declaration, echo, make_norm, options, pong
from tests.harness.servers import serving
from tests.reports.reports_pki import NOW, Authority

SCENARIO = """\
id: ESS-S-001
title: {fr: "La couleur revient", en: "The colour comes back"}
role: server
purpose: {fr: "Vérifier que le service rend la couleur.", en: "Check that the service gives the colour back."}
profiles: [A]
steps:
  - send: PING
    with: {"//e:Couleur": "vert"}
    expect:
      - {requirement: ESS-002, check: equals, at: "//e:Pong/e:Couleur", value: "vert"}
"""


@pytest.fixture(scope="module")
def norm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Norm]:
    root = tmp_path_factory.mktemp("norms")
    pages = tmp_path_factory.mktemp("scenarios") / "essai" / "1.0" / "server"
    pages.mkdir(parents=True)
    (pages / "ESS-S-001.yaml").write_text(SCENARIO, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POINCON_NORMS", str(root))
        patch.setenv("POINCON_SCENARIOS", str(pages.parents[2]))
        yield make_norm(root)


@pytest.fixture(scope="module")
def compiled(norm: Norm) -> Suite:
    return compile_suite(norm, read_scenarios(norm), declaration("http://localhost"), "server")


@pytest.fixture(scope="module")
def good_run(norm: Norm, compiled: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "bon"
    with serving(echo()) as server:
        assert run(options(norm, compiled, server.url, folder)).exit_code == 0
    return folder


@pytest.fixture
def folder(good_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good_run, tmp_path / "bon"))


def test_a_conforme_run_gets_a_certificate_that_leads_to_its_evidence(
    folder: Path, authority: Authority, authority_file: Path, tmp_path: Path
) -> None:
    issued = certify(folder, authority.seal, tmp_path / "data", now=NOW)
    assert issued.content.number == "IAMC-ESSAI-2026-0001"
    assert issued.content.counts.passed == 1
    assert len(issued.content.reserve) == 2
    report = verify_certificate(issued.path, run=folder, authority=authority_file, now=NOW)
    assert report.valid, report.lines
    assert report.content == issued.content
    (line,) = read_register(tmp_path / "data" / "register.jsonl")
    assert line.number == issued.content.number


def test_each_issue_has_its_own_number(folder: Path, authority: Authority, tmp_path: Path) -> None:
    numbers = [certify(folder, authority.seal, tmp_path / "data", now=NOW).content.number for _ in range(2)]
    assert numbers == ["IAMC-ESSAI-2026-0001", "IAMC-ESSAI-2026-0002"]


def test_a_sealed_document_is_never_replaced(folder: Path, authority: Authority, tmp_path: Path) -> None:
    target = tmp_path / "certificat.xml"
    certify(folder, authority.seal, tmp_path / "data", target, now=NOW)
    with pytest.raises(ReportError, match="existe déjà"):
        certify(folder, authority.seal, tmp_path / "data", target, now=NOW)
    assert len(read_register(tmp_path / "data" / "register.jsonl")) == 1


def test_another_run_is_not_the_one_that_was_certified(
    norm: Norm, compiled: Suite, folder: Path, authority: Authority, authority_file: Path, tmp_path: Path
) -> None:
    issued = certify(folder, authority.seal, tmp_path / "data", now=NOW)
    with serving(echo()) as server:
        run(options(norm, compiled, server.url, tmp_path / "autre"))
    report = verify_certificate(issued.path, run=tmp_path / "autre", authority=authority_file, now=NOW)
    assert [check.name for check in report.checks if not check.ok] == ["Racine des preuves"]


@pytest.mark.parametrize("name", ["journal.jsonl", "exchanges.warc.gz", "verdicts.json", "suite.json", "sut.json"])
def test_changed_evidence_is_neither_certified_nor_verified(
    name: str, folder: Path, authority: Authority, authority_file: Path, tmp_path: Path
) -> None:
    issued = certify(folder, authority.seal, tmp_path / "data", now=NOW)
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    assert not verify_certificate(issued.path, run=folder, authority=authority_file, now=NOW).valid
    with pytest.raises(GateClosedError, match="ne sont pas intactes"):
        certify(folder, authority.seal, tmp_path / "data", now=NOW)


def test_a_file_added_to_the_evidence_is_found(
    folder: Path, authority: Authority, authority_file: Path, tmp_path: Path
) -> None:
    issued = certify(folder, authority.seal, tmp_path / "data", now=NOW)
    (folder / "peers").mkdir(exist_ok=True)
    (folder / "peers" / "added.der").write_bytes(b"x")
    report = verify_certificate(issued.path, run=folder, authority=authority_file, now=NOW)
    assert [check.name for check in report.checks if not check.ok] == ["Preuves intactes"]


def test_a_failing_run_is_refused_with_its_reason(
    norm: Norm, compiled: Suite, authority: Authority, tmp_path: Path
) -> None:
    with serving(echo(lambda _: pong("rouge"))) as server:
        run(options(norm, compiled, server.url, tmp_path / "r"))
    with pytest.raises(GateClosedError) as closed:
        certify(tmp_path / "r", authority.seal, tmp_path / "data", now=NOW)
    assert closed.value.reasons == ("Cas non conformes : 1.",)
    assert not (tmp_path / "data").exists()
    assert "<failure" in junit(subject_of(tmp_path / "r")).decode()


def test_a_partial_run_is_refused(norm: Norm, compiled: Suite, authority: Authority, tmp_path: Path) -> None:
    with serving(echo()) as server:
        run(options(norm, compiled, server.url, tmp_path / "r", select="ESS-S-001"))
    with pytest.raises(GateClosedError, match="partiel"):
        certify(tmp_path / "r", authority.seal, tmp_path / "data", now=NOW)


def test_the_recognised_authority_leaves_only_the_reserve_of_the_reconstruction(
    folder: Path, authority: Authority, authority_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINCON_RECOGNISED", str(authority_file))
    issued = certify(folder, authority.seal, tmp_path / "data", now=NOW)
    assert any("reconstruction" in reason for reason in issued.content.reserve)


def test_a_bilan_is_written_from_a_run_folder(folder: Path) -> None:
    page = write_bilan(subject_of(folder), folder).read_text(encoding="utf-8")
    assert "La couleur revient" in page
    assert "poincon" in page


def test_reports_leave_the_evidence_intact(
    folder: Path, authority: Authority, authority_file: Path, tmp_path: Path
) -> None:
    write_bilan(subject_of(folder), folder)
    issued = certify(folder, authority.seal, tmp_path / "data", now=NOW)
    assert verify_certificate(issued.path, run=folder, authority=authority_file, now=NOW).valid
