"""The commands around the practice partners: sandbox, sut and kill-rate."""

from __future__ import annotations

import csv
import io
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from front_doors import Call, CompleteRun, Practice

from scenarios.declaration import read_sut


def test_sandbox_faults_and_variants(call: Call) -> None:
    told = call("sandbox", "faults", "annuaire/1.0")
    assert told.code == 0
    assert "F-GEN-03" in told.out
    assert "V-PREFIXES" in told.out
    found = call("sandbox", "faults", "annuaire/1.0", "--json").json
    assert all(fault["id"] in told.out for fault in found["faults"])


def test_sandbox_population_as_a_spreadsheet(call: Call) -> None:
    assert "adresses-connues" in call("sandbox", "population", "annuaire/1.0").out
    told = call("sandbox", "population", "ville/1.1", "--csv")
    rows = list(csv.DictReader(io.StringIO(told.out), delimiter=";"))
    assert any(row["pool"] == "droits-ouverts" and len(row["nir"]) == 13 for row in rows)


def test_sandbox_serve_says_its_addresses_and_writes_a_declaration(practice: Practice, tmp_path: Path) -> None:
    file = tmp_path / "sut.yaml"
    argv = ["sandbox", "serve", "annuaire/1.0", "--data", practice.data / "sandbox", "--sut", file]
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "poincon", *map(str, argv)],
        cwd=tmp_path, env=practice.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as serving:  # fmt: skip
        assert serving.stdout is not None
        said = []
        for line in serving.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        told = practice.run(["sut", "check", file], tmp_path)
        serving.send_signal(signal.SIGINT)
        _, rest = serving.communicate(timeout=20)
    assert (told.code, told.out) == (0, "Prêt : 75 cas à exécuter.\n"), told
    address = read_sut(file).product.endpoints["ADR"]
    assert any(address in line for line in said)
    assert (serving.returncode, rest) == (0, "Bac à sable fermé.\n")


@pytest.mark.parametrize("role", ["server", "client"])
def test_sut_init_writes_what_read_sut_reads(call: Call, practice: Practice, role: str, tmp_path: Path) -> None:
    printed = call("sut", "init", "ville/1.1", "--role", role)
    file = tmp_path / "sut.yaml"
    told = call("sut", "init", "ville/1.1", "--role", role, "--out", file)
    assert told.code == 0
    assert "poincon sut check" in told.out
    assert file.read_text(encoding="utf-8") == printed.out
    assert f"role: {role}" in printed.out
    again = call("sut", "init", "ville/1.1", "--out", file)
    assert again.code == 2
    assert "existe déjà" in again.err


def test_sut_check(call: Call, complete_run: CompleteRun) -> None:
    told = call("sut", "check", complete_run.sut)
    assert (told.code, told.out) == (0, "Prêt : 258 cas à exécuter.\n")
    assert call("sut", "check", complete_run.sut, "--json").json == []


def test_kill_rate_for_machines_and_its_record_on_a_certificate(call: Call, practice: Practice, tmp_path: Path) -> None:
    argv = ["kill-rate", "annuaire/1.0", "--only", "F-GEN-03", "--only", "V-PREFIXES", "--jobs", "2"]
    told = call(*argv, "--json", "--record", tmp_path / "kill.json")
    assert told.code == 0, told.err
    report = told.json
    assert {"norm", "role", "suite", "total", "killed", "survivors", "false_alarms", "variants"} <= set(report)
    assert (report["norm"], report["role"], report["total"], report["killed"]) == ("annuaire/1.0", "server", 1, 1)
    assert (report["survivors"], report["false_alarms"], report["variants"]) == ([], [], ["V-PREFIXES"])
    record = msgspec.json.decode((tmp_path / "kill.json").read_bytes())
    assert (record["killed"], record["partial"]) == (1, True)
