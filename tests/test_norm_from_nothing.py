"""A norm that nobody has thought of when the laboratory was written: data in two folders, and everything is there.

`tests/data_transporteurs` holds `transporteurs/0.1`, which shares nothing with the bundled norms: SOAP 1.1 without
WS-Addressing, its own header blocks, result codes of three letters, patients known by a file number, a security profile
of its own, no norm that it uses. The commands below are those of a person who has just written it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree

from norms.loader import available, load
from poincon.__main__ import main

HOME = Path(__file__).resolve().parent
DATA = HOME / "data_transporteurs"
REF = "transporteurs/0.1"
FOLDER = DATA / "norms" / REF

Command = Callable[..., str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder to work in, with the norm and its pages named to the laboratory."""
    folder = tmp_path_factory.mktemp("transporteurs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POINCON_NORMS", str(DATA / "norms"))
        patch.setenv("POINCON_SCENARIOS", str(DATA / "scenarios"))
        patch.setenv("POINCON_DATA", str(folder / "data"))
        patch.delenv("POINCON_LANG", raising=False)
        patch.chdir(folder)
        yield folder


@pytest.fixture
def command(place: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Carry out a command that must succeed; return what it printed."""

    def carry_out(*words: str | Path) -> str:
        capsys.readouterr()
        code = main([str(word) for word in words])
        told = capsys.readouterr()
        assert code == 0, told.out + told.err
        return told.out

    return carry_out


@pytest.fixture(scope="module")
def sut(place: Path) -> Iterator[Path]:
    """The declaration that `poincon sandbox serve` writes, while it serves."""
    file = place / "sut.yaml"
    path = os.pathsep.join(filter(None, [str(HOME.parent), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "poincon", "sandbox", "serve", REF, "--sut", str(file)],
        env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, encoding="utf-8",
    ) as serving:  # fmt: skip
        assert serving.stdout is not None
        assert any("Ctrl-C" in line for line in serving.stdout)
        yield file
        serving.send_signal(signal.SIGINT)


def test_the_norm_is_of_another_shape_than_those_of_the_house(place: Path) -> None:
    norm = load(REF)
    bundled = [load(ref) for ref in available([HOME.parent / "norms"])]
    assert norm.parents == () and norm.regime == "self-conformance" and {one.soap for one in norm.services} == {"1.1"}
    used = {uri for one in bundled for uri in one.prefixes.values()}
    assert {norm.prefixes["d"], norm.prefixes["t"]}.isdisjoint(used)
    assert not {service.kind for service in norm.services} & {s.kind for one in bundled for s in one.services}
    assert not norm.reading.action and "addressing" not in "".join(norm.prefixes.values())
    assert not norm.security.kinds.keys() & {kind for one in bundled for kind in one.security.kinds}


def test_it_is_known_checked_and_has_a_whole_suite(command: Command) -> None:
    assert REF in command("norms", "list")
    assert command("norms", "check", REF) == f"{REF} : en ordre.\n"
    covered = json.loads(command("suite", "coverage", REF, "--json"))
    assert (covered["missing"], covered["contrary"], covered["untested_share"]) == ([], [], 0.0)
    suite = json.loads(command("suite", "show", REF, "--json"))
    origins = {case["origin"] for case in suite["cases"]}
    assert origins == {"written", "derived"} and len(suite["cases"]) > 50
    assert command("suite", "ledger", REF)


def test_its_messages_are_recognised_and_checked(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert REF in command("check", FOLDER / "messages", FOLDER / "examples" / "valid")
    assert main(["check", str(FOLDER / "examples" / "invalid" / "R-TRA-02--tarif-d-apres-juillet.xml")]) == 1
    assert "R-TRA-02" in capsys.readouterr().out


def test_its_practice_partner_knows_patient_files(command: Command) -> None:
    rows = list(csv.DictReader(io.StringIO(command("sandbox", "population", REF, "--csv")), delimiter=";"))
    assert {row["dossier"][:2] for row in rows} == {"KD", "ZZ"} and "nir" not in rows[0]
    assert "F-TRJ-01" in command("sandbox", "faults", REF)


def test_a_run_gives_a_signed_bilan(command: Command, sut: Path, place: Path) -> None:
    run, data = place / "run", place / "data" / "sandbox" / "pki"
    assert command("sut", "check", sut).startswith("Prêt : ")
    assert f"{REF} : conforme – " in command("run", "--sut", sut, "--out", run, "--jobs", "2")
    assert "Les mêmes verdicts" in command("rejudge", run)
    record = place / "kill.json"
    assert "9 défauts détectés sur 9, 0 fausse(s) alerte(s)" in command("kill-rate", REF, "--record", record)
    assert "BILAN-TRANSPORTEURS-" in command("certify", run, "--kill-rate", record)
    sealed = run / "self-declaration.xml"
    assert "authentique" in command("verify", sealed, "--run", run, "--authority", data / "authority.pem")
    document = etree.parse(sealed)
    assert etree.QName(document.getroot()).localname == "SelfDeclaration"
    assert [document.findtext(f".//{{*}}KillRate/{{*}}{name}") for name in ("Killed", "Total")] == ["9", "9"]
    bilan = (run / "bilan.html").read_text("utf-8")
    assert "Accord sur un trajet" in bilan or "accord sur un trajet" in bilan


def test_a_partner_that_breaks_the_norm_is_found_out(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from poincon.practice import practice_declaration
    from sandbox.pki import ensure
    from sandbox.serve import Sandbox, World

    data = place / "data" / "sandbox"
    with Sandbox([REF], data, worlds={"faux": World(faults=("F-TRJ-04",))}) as sandbox:
        declared = practice_declaration(load(REF), sandbox.endpoints("faux"), ensure(data / "pki"))
        (place / "faux.yaml").write_text(declared, encoding="utf-8")
        assert main(["run", "--sut", "faux.yaml", "--out", "faux", "--select", "TRA-S-002"]) == 1
    told = capsys.readouterr().out
    assert "TRA-016" in told and "Les parts font le total" in told
