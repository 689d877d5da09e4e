"""A product that cannot sign, as software under test: the relay carries it, the run says so, nobody certifies it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import msgspec
from foreign_clients import each_toolkit, relay, usable
from front_doors import Practice, Told
from lxml import etree

from harness.record import CaseVerdict, Verdicts
from norms.loader import load
from poincon.practice import practice_declaration

PRODUCT = Path(__file__).with_name("lps_foreign.py")
PAGES = ("SOC-C-001", "VIL-C-001")


def free_ports() -> tuple[int, int]:
    """Return two ports that nobody holds at this moment: both sides must know them before either listens."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


def declared(practice: Practice, folder: Path, *product: str) -> Path:
    own, front = free_ports()
    text = practice_declaration(load("ville/1.1"), {}, practice.pki, "client")
    command = f'"{sys.executable}" "{PRODUCT.as_posix()}" {" ".join(product)}'
    for before, after in (
        ('command: "python pilote.py"', f"command: '{command}'"),
        ('listen: "127.0.0.1:0"', f'listen: "127.0.0.1:{own}"'),
        ('public_url: ""', f'public_url: "http://127.0.0.1:{front}"'),
        ('quiet: "3"', 'quiet: "0.5"'),
    ):
        assert before in text
        text = text.replace(before, after)
    file = folder / "editeur.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def session(practice: Practice, folder: Path, *product: str) -> tuple[Told, dict[str, CaseVerdict]]:
    """Run the pages with the relay in between; the run folder is `folder / "run"`."""
    sut, run = declared(practice, folder, *product), folder / "run"
    with relay(practice.environment, "--sut", str(sut)):
        told = practice.run(["run", "--sut", sut, "--select", " ".join(PAGES), "--out", run], folder)
    verdicts = msgspec.json.decode((run / "verdicts.json").read_bytes(), type=Verdicts)
    return told, {case.id: case for case in verdicts.cases if case.id in PAGES}


@each_toolkit
def test_a_product_on_that_toolkit_passes_and_everything_says_that_it_was_relayed(
    name: str, practice: Practice, tmp_path: Path
) -> None:
    told, cases = session(practice, tmp_path, usable(name).name)
    assert {case.id: case.verdict for case in cases.values()} == dict.fromkeys(PAGES, "pass"), told.out
    run = tmp_path / "run"
    assert "Échanges relayés : 2." in told.out
    assert msgspec.json.decode((run / "run.json").read_bytes())["relayed"] == 2
    assert "PASSAGE RELAYÉ" in (run / "bilan.html").read_text(encoding="utf-8")
    assert etree.parse(run / "junit.xml").find(".//property[@name='relayed']").get("value") == "2"
    refused = practice.run(["certify", run], tmp_path)
    assert refused.code != 0
    assert "ce passage ne peut pas être certifié" in refused.err
    assert not (run / "certificate.xml").exists()


def test_the_relay_hides_no_fault_of_what_the_product_says(practice: Practice, tmp_path: Path) -> None:
    _, cases = session(practice, tmp_path, usable("zeep").name, "wrong-identity")
    assert {case.verdict for case in cases.values()} == {"fail"}
    assert {found.requirement for case in cases.values() for found in case.findings} == {"SOC-LPS-005"}
