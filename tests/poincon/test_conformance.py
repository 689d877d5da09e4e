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
from scenarios.reader import read_scenarios

OWN = CHECKOUT / "tests" / "data_transporteurs"


def rows(told: str) -> dict[str, list[str]]:
    """The table by its first column: the lines between the header and the first empty one."""
    return {line.split()[0]: line.split() for line in told.split("\n\n")[0].splitlines()[2:]}


def folders(told: str) -> dict[str, Path]:
    lines = (line.split() for line in told.splitlines() if line.startswith("  "))
    return {norm: Path(folder) for norm, folder in lines}


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
    assert table["annuaire/1.0"][1:4] == ["75", "conforme", "75"]
    assert [row[-1] for row in table.values()] == ["certificat", "signé"]
    assert max(map(len, told.out.splitlines()[:4])) <= 100
    found = folders(told.out)
    for ref, file in (("annuaire/1.0", "certificate.xml"), ("transporteurs/0.1", "self-declaration.xml")):
        assert not found[ref].is_absolute()
        assert {path.name for path in found[ref].glob("*.xml")} == {file, "junit.xml"}
        checked = call("verify", found[ref] / file, "--authority", practice.pki.authority, "--run", found[ref])
        assert checked.code == 0, checked.out
    quoted = etree.parse(found[norm.ref] / "self-declaration.xml").findtext(".//{*}KillRate/{*}Killed")
    assert quoted == "5"


def test_a_norm_with_services_and_without_a_page_is_an_error(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POINCON_NORMS", str(OWN / "norms"))
    told = call("conformance", "transporteurs/0.1", "socle/1.0", "commun/1.0", "--out", tmp_path / "runs")
    assert told.code == 1
    (row,) = rows(told.out).values()
    assert " ".join(row) == "transporteurs/0.1 0 aucun scénario 0 s non délivré"
    assert not (tmp_path / "runs").exists()


def test_all_norms_with_services_have_a_line(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tried: list[str] = []

    def practice(norm: Norm, *_: object) -> Line:
        tried.append(norm.ref)
        return Line(norm.ref, "conforme", ok=True)

    monkeypatch.setattr(front, "_practice", practice)
    assert call("conformance", "--out", tmp_path).code == 0
    assert tried == [ref for ref in available() if load(ref).services]


def test_a_product_that_fails_is_issued_nothing(call: Call, practice: Practice, tmp_path: Path) -> None:
    sut = tmp_path / "sut.yaml"
    addresses = {"ADR": practice.sandbox.endpoints("", "annuaire/1.0")["ADR"].replace("/annuaire/", "/ailleurs/")}
    sut.write_text(practice.text("annuaire/1.0", endpoints=addresses), encoding="utf-8")
    told = call("conformance", "--sut", sut, "--out", tmp_path / "runs")
    assert told.code == 1
    (row,) = rows(told.out).values()
    assert row[2:4] == ["non", "conforme"] and row[-2:] == ["non", "délivré"]
    assert int(row[1]) == sum(map(int, row[4:-4]))
    assert not list((tmp_path / "runs").rglob("certificate.xml"))
    assert call("conformance", "annuaire/1.0", "--sut", sut).code == 2
