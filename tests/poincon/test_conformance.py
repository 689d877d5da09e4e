"""`poincon conformance`: one table of all norms, a verified document for each, and where the evidence is."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from front_doors import CHECKOUT, Call, Practice
from lxml import etree

from norms.loader import available, load
from norms.model import Norm
from poincon.commands import conformance as front
from poincon.commands.conformance import Line
from reports.kill import KillRecord
from scenarios.compiler import compile_suite
from scenarios.model import Role
from scenarios.reader import read_scenarios

OWN = CHECKOUT / "tests" / "data_transporteurs"


def rows(told: str) -> dict[str, list[str]]:
    """The table by norm and role, the cells after them: the lines between the header and the first empty one."""
    lines = [line.split() for line in told.split("\n\n")[0].splitlines()[2:]]
    return {" ".join(line[:2]): line[2:] for line in lines}


def folders(told: str) -> dict[str, Path]:
    lines = (line.split() for line in told.splitlines() if line.startswith("  "))
    return {f"{norm} {role}": Path(folder) for norm, role, folder in lines}


def test_a_certificate_and_a_signed_bilan_are_issued_and_verified(
    call: Call, practice: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINCON_NORMS", str(OWN / "norms"))
    monkeypatch.setenv("POINCON_SCENARIOS", str(OWN / "scenarios"))
    monkeypatch.chdir(tmp_path)
    records = tmp_path / "records"
    records.mkdir()
    norm = load("transporteurs/0.1")
    source = compile_suite(norm, read_scenarios(norm), None, "server").source
    for name, suite, killed in (("a", "of another time", 1), ("b", source, 5)):
        record = KillRecord(norm.ref, "server", suite, total=5, killed=killed)
        (records / f"{name}.json").write_bytes(msgspec.json.encode(record))
    told = call("conformance", "annuaire/1.0", norm.ref, "--out", tmp_path / "runs", "--kill-records", records)
    assert told.code == 0, told.out + told.err
    table = rows(told.out)
    assert table["annuaire/1.0 server"][:3] == ["75", "conforme", "75"]
    assert table["annuaire/1.0 client"][1] == "conforme"
    assert [row[-1] for row in table.values()] == ["certificat", "certificat", "signé"]
    assert max(map(len, told.out.splitlines()[:4])) <= 100
    found = folders(told.out)
    for ref, file in (
        ("annuaire/1.0 server", "certificate.xml"),
        ("annuaire/1.0 client", "certificate.xml"),
        ("transporteurs/0.1 server", "self-declaration.xml"),
    ):
        assert not found[ref].is_absolute()
        assert {path.name for path in found[ref].glob("*.xml")} == {file, "junit.xml"}
        checked = call("verify", found[ref] / file, "--authority", practice.pki.authority, "--run", found[ref])
        assert checked.code == 0, checked.out
    quoted = etree.parse(found[f"{norm.ref} server"] / "self-declaration.xml").findtext(".//{*}KillRate/{*}Killed")
    assert quoted == "5"


def test_a_norm_with_services_and_without_a_page_is_an_error(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINCON_NORMS", str(OWN / "norms"))
    told = call("conformance", "transporteurs/0.1", "socle/1.0", "commun/1.0", "--out", tmp_path / "runs")
    assert told.code == 1
    assert {name: " ".join(row) for name, row in rows(told.out).items()} == {
        "transporteurs/0.1 server": "0 aucun scénario 0 s non délivré"
    }
    assert not (tmp_path / "runs").exists()


def test_all_norms_with_services_have_a_line(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tried: list[tuple[str, str]] = []

    def practice(norm: Norm, role: Role, *_: object) -> Line:
        tried.append((norm.ref, role))
        return Line(norm.ref, role, "conforme", ok=True)

    monkeypatch.setattr(front, "_practice", practice)
    assert call("conformance", "--out", tmp_path).code == 0
    assert tried == [(ref, role) for ref in available() if load(ref).services for role in ("server", "client")]


def test_a_product_that_fails_is_issued_nothing(call: Call, practice: Practice, tmp_path: Path) -> None:
    sut = tmp_path / "sut.yaml"
    addresses = {"ADR": practice.sandbox.endpoints("", "annuaire/1.0")["ADR"].replace("/annuaire/", "/ailleurs/")}
    sut.write_text(practice.text("annuaire/1.0", endpoints=addresses), encoding="utf-8")
    told = call("conformance", "--sut", sut, "--out", tmp_path / "runs")
    assert told.code == 1
    (row,) = rows(told.out).values()
    assert row[1:3] == ["non", "conforme"] and row[-2:] == ["non", "délivré"]
    assert int(row[0]) == sum(map(int, row[3:-4]))
    assert not list((tmp_path / "runs").rglob("certificate.xml"))
    assert call("conformance", "annuaire/1.0", "--sut", sut).code == 2
