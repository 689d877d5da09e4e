"""Run folders and certificates that are none, cut, or tampered with: located, refused, and nothing is certified."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from clumsy import cut, refusal, spoil
from front_doors import Call, CompleteRun, Practice

from scenarios.declaration import read_sut


@pytest.mark.parametrize("argv", [["rejudge"], ["report"], ["certify"], ["replay"]])
def test_a_folder_that_is_no_run(argv: list[str], call: Call, sut: Path, tmp_path: Path) -> None:
    more = ["VIL-S-003", "--sut", sut] if argv == ["replay"] else []
    refusal(call(*argv, tmp_path, *more), 2, str(tmp_path), "n'est pas un dossier d'exécution", "journal.jsonl")
    refusal(call(*argv, tmp_path / "absent", *more), 2, "absent", "n'est pas un dossier d'exécution")


@pytest.fixture
def copied(complete_run: CompleteRun, tmp_path: Path) -> Path:
    return Path(shutil.copytree(complete_run.folder, tmp_path / "run"))


@pytest.fixture(scope="module")
def certificate(complete_run: CompleteRun, practice: Practice, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do not change it: copy it."""
    file = tmp_path_factory.mktemp("certified") / "certificate.xml"
    told = practice.run(["certify", complete_run.folder, "--out", file], file.parent)
    assert told.code == 0, told
    return file


def one_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def verdict_of_line_40(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    lines[39] = lines[39].replace(b'"case":"', b'"case":"X', 1)
    return b"".join(lines)


DAMAGES = {
    "journal cut": ("journal.jsonl", cut(0.5), r"journal\.jsonl"),
    "journal changed in line 40": ("journal.jsonl", verdict_of_line_40, r"journal\.jsonl:(40|41)\b"),
    "exchanges cut": ("exchanges.warc.gz", cut(0.5), r"exchanges\.warc\.gz"),
    "one bit of the exchanges": ("exchanges.warc.gz", one_bit, r"exchanges\.warc\.gz.*\(octet \d+\)"),
    "verdicts changed": (
        "verdicts.json", lambda b: b.replace(b'"inconclusive": 0', b'"inconclusive": 1'), "verdicts.json"
    ),
    "suite changed": ("suite.json", lambda b: b.replace(b"droits", b"devoir", 1), "suite.json"),
    "declaration changed": ("sut.json", lambda b: b.replace(b'"MED"', b'"MEF"', 1), "sut.json"),
    "run.json changed": ("run.json", lambda b: b.replace(b'"pass"', b'"fail"', 1), "run.json"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_evidence_is_located_and_nothing_is_certified(
    name: str, call: Call, copied: Path, certificate: Path, practice: Practice
) -> None:
    file, change, place = DAMAGES[name]
    spoil(copied / file, change)
    again = call("rejudge", copied)
    assert again.code == 4, again
    assert re.search(place, again.out + again.err), again
    refused = call("certify", copied, "--out", copied.parent / "second.xml")
    assert refused.code != 0
    assert "Traceback" not in again.err + refused.err
    assert re.search(place, refused.err), refused.err
    assert not (copied.parent / "second.xml").exists()
    seen = call("verify", certificate, "--authority", practice.pki.authority, "--run", copied)
    assert seen.code == 1
    assert "✗ Preuves" in seen.out
    assert seen.out.splitlines()[-1] == "Document REFUSÉ."


def test_a_run_folder_without_its_suite(call: Call, copied: Path) -> None:
    (copied / "suite.json").unlink()
    for argv in (["rejudge", copied], ["report", copied, "--out", "bilan.html"], ["certify", copied]):
        told = call(*argv)
        assert told.code in (1, 2, 4)
        assert "Traceback" not in told.err
        assert "suite.json" in told.out + told.err


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_certificate_that_was_cut(
    share: float, call: Call, certificate: Path, practice: Practice, tmp_path: Path
) -> None:
    shutil.copy(certificate, tmp_path / "c.xml")
    spoil(tmp_path / "c.xml", cut(share))
    told = call("verify", "c.xml", "--authority", practice.pki.authority)
    assert told.code == 1
    assert told.err == ""
    assert told.out.splitlines()[-1] == "Document REFUSÉ."


def test_a_certificate_whose_text_was_changed(
    call: Call, certificate: Path, practice: Practice, sut: Path, tmp_path: Path
) -> None:
    shutil.copy(certificate, tmp_path / "c.xml")
    name = read_sut(sut).product.name
    spoil(tmp_path / "c.xml", lambda content: content.replace(name.encode(), b"Autre produit", 1))
    told = call("verify", "c.xml", "--authority", practice.pki.authority)
    assert told.code == 1
    assert "✗ Signature" in told.out
    assert name not in told.out, "nothing is said of a content that nobody sealed"


def test_certificates_that_cannot_be_looked_at(call: Call, practice: Practice, tmp_path: Path) -> None:
    authority = practice.pki.authority
    refusal(call("verify", tmp_path / "absent.xml", "--authority", authority), 2, "absent.xml", "ne peut pas être lu")
    (tmp_path / "c.xml").write_text("<a/>", encoding="utf-8")
    refusal(call("verify", tmp_path / "c.xml"), 2, "Aucune autorité n’est indiquée", "--authority")
    refusal(call("verify", tmp_path / "c.xml", "--authority", tmp_path / "no.pem"), 2, "no.pem")
    refusal(call("certify", tmp_path / "no-run", "--seal", authority), 2, "n'est pas un dossier d'exécution")


def test_a_seal_without_its_certificate(call: Call, complete_run: CompleteRun, practice: Practice) -> None:
    told = call("certify", complete_run.folder, "--seal", practice.pki.key("seal"))
    refusal(told, 2, "--seal demande --seal-certificate")


def test_resuming_what_cannot_be_resumed(
    call: Call, copied: Path, sut: Path, practice: Practice, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in copied.iterdir() if path.is_file()}
    finished = call("run", "--sut", sut, "--out", copied, "--resume")
    assert finished.code == 0, "a finished run is not run again: its result is said"
    assert before[copied / "journal.jsonl"] == (copied / "journal.jsonl").read_bytes()
    other = tmp_path / "other.yaml"
    other.write_text(sut.read_text(encoding="utf-8").replace("ICS-CLC: yes", "ICS-CLC: no"), encoding="utf-8")
    told = call("run", "--sut", other, "--out", copied, "--resume")
    refusal(told, 2, str(copied), "une autre suite, sélection ou version", "lancez une nouvelle exécution")
    told = call("run", "--sut", sut, "--out", copied, "--resume", "--select", "VIL-S-003")
    refusal(told, 2, "une autre suite, sélection ou version")
    refusal(call("run", "--sut", sut, "--out", tmp_path / "nothing", "--resume"), 2, str(tmp_path / "nothing"))
    assert before[copied / "journal.jsonl"] == (copied / "journal.jsonl").read_bytes()
