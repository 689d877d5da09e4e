"""Every command: what people read, what machines read, and the exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from front_doors import CHECKOUT, Call, CompleteRun, Practice, Told
from lxml import etree

from norms.loader import available, load
from norms.wire.keys import load_identity
from poincon import __version__
from poincon.parser import build_parser


def leaves(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every command as it is typed, with the function that carries it out."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield from leaves(child, (*path, name))
    if function := parser.get_default("command_function"):
        yield path, function


COMMANDS = dict(leaves(build_parser()))


@pytest.fixture(scope="module")
def failed_run(practice: Practice, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Told]:
    where = tmp_path_factory.mktemp("failed")
    sut = practice.declared(where / "sut.yaml", world="without-relation")
    return where / "run", practice.run(["run", "--sut", sut, "--select", "VIL-S-00*", "--out", where / "run"], where)


# -- the parser ----------------------------------------------------------------------------------------------


def test_the_command_line_is_the_documented_one() -> None:
    assert {" ".join(path) for path in COMMANDS} == {
        "norms list", "norms show", "norms check", "norms diff", "norms new", "norms import", "norms publish",
        "norms revise", "norms withdraw", "check", "suite show", "suite coverage", "suite ledger",
        "sandbox serve", "sandbox robot", "sandbox faults", "sandbox population", "sut init", "sut check", "run",
        "rejudge", "replay", "report", "certify", "verify", "kill-rate", "conformance", "relay",
        "observe",
    }  # fmt: skip


@pytest.mark.parametrize(("path", "function"), COMMANDS.items(), ids=" ".join)
def test_every_command_has_its_function_and_its_help(path: tuple[str, ...], function: str, call: Call) -> None:
    module, _, name = function.partition(":")
    assert callable(getattr(importlib.import_module(f"poincon.commands.{module}"), name))
    told = call(*path, "--help")
    assert (told.code, told.err) == (0, "")
    assert f"poincon {' '.join(path)}" in told.out


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from poincon.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "laboratoire de conformité" in done.stdout
    loaded = set(done.stdout.splitlines()[-1].strip("[]").replace("'", "").split(", "))
    assert "norms" in loaded
    assert loaded.isdisjoint(
        {"lxml", "cryptography", "msgspec", "rich", "xmlschema", "signxml", "httpcore2", "uvicorn", "jinja2", "ruamel"}
    )


def test_version(call: Call) -> None:
    assert call("--version").out == f"poincon {__version__}\n"


def test_no_command_is_a_question_of_usage(call: Call) -> None:
    told = call()
    assert told.code == 2
    assert "COMMANDE" in told.err


def test_english_when_asked(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    french = call("norms", "check", "commun/1.0")
    monkeypatch.setenv("POINCON_LANG", "en")
    english = call("norms", "check", "commun/1.0")
    assert french.out == "commun/1.0 : en ordre.\n"
    assert english.code == 0
    assert english.out.startswith("commun/1.0")
    assert "ordre" not in english.out
    assert "conformance" in call("--help").out


# -- norms, suites, messages ---------------------------------------------------------------------------------


def test_norms_list_for_people(call: Call) -> None:
    told = call("norms", "list")
    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0].split() == ["norme", "état", "provenance", "services", "exigences", "titre"]
    assert [line.split()[0] for line in lines[2:]] == available()


def test_norms_list_for_machines(call: Call) -> None:
    listed = call("norms", "list", "--json").json
    assert isinstance(listed, list)
    required = {"id", "version", "status", "provenance", "digest", "services", "requirements"}
    assert all(required <= set(item) for item in listed)
    ville = load("ville/1.1")
    found = next(item for item in listed if (item["id"], item["version"]) == ("ville", "1.1"))
    assert {name: found[name] for name in required} == {
        "id": "ville", "version": "1.1", "status": ville.status, "provenance": "reconstruction",
        "digest": ville.digest, "services": ["IDB", "CLC", "DRE"], "requirements": len(ville.all_requirements),
    }  # fmt: skip


def test_norms_show(call: Call) -> None:
    told = call("norms", "show", "annuaire/1.0")
    assert told.code == 0
    norm = load("annuaire/1.0")
    for text in ("révision 1", f"empreinte {norm.digest}", "SOAP 1.1", norm.requirements[0].id, "tables de codes"):
        assert text in told.out
    shown = call("norms", "show", "annuaire/1.0", "--json").json
    assert [item["id"] for item in shown["requirement_list"]] == [item.id for item in norm.requirements]


def test_norms_check_of_all_bundled_norms(call: Call) -> None:
    told = call("norms", "check", "--json")
    assert told.code == 0
    assert [item for item in told.json if item["problem"]["severity"] == "error"] == []


def test_check_names_norm_and_kind_by_itself(call: Call) -> None:
    message = load("ville/1.1").root / "messages" / "IDB.request.xml"
    told = call("check", message)
    assert (told.code, told.out) == (0, f"{message} : valide (ville/1.1 IDB request).\n")


def test_check_locates_what_is_wrong_and_counts_a_folder(call: Call) -> None:
    folder = load("ville/1.1").root / "examples" / "invalid"
    told = call("check", folder)
    assert told.code == 1
    name = folder / "R-VIL-CLC-002--soins-apres-facture.xml"
    assert f"{name} : non valide (ville/1.1 CLC request)." in told.out
    assert f"{name}:42: La date des soins ne suit pas la date de la facture." in told.out
    number = len(list(folder.glob("*.xml")))
    (total,) = (line for line in told.out.splitlines() if "message(s)" in line)
    assert re.findall(r"\d+", total) == [str(number), str(number)]


def test_check_for_machines(call: Call) -> None:
    root = load("ville/1.1").root
    told = call("check", root / "messages" / "CLC.request.xml", "--norm", "ville/1.1", "--message", "CLC", "--json")
    assert told.code == 0
    (report,) = told.json
    assert (report["norm"], report["kind"], report["problems"]) == ("ville/1.1", "CLC", [])
    broken = root / "examples" / "invalid" / "R-VIL-CLC-002--soins-apres-facture.xml"
    told = call("check", broken, "--json")
    assert told.code == 1
    (problem,) = told.json[0]["problems"]
    assert (problem["rule"], problem["requirement"], problem["line"]) == ("R-VIL-CLC-002", "VIL-LPS-020", 42)


def test_suite_show(call: Call) -> None:
    told = call("suite", "show", "annuaire/1.0")
    suite = call("suite", "show", "annuaire/1.0", "--json").json
    assert told.code == 0
    assert told.out.splitlines()[-1].endswith(f"empreinte {suite['digest']}")
    assert {line.split()[0] for line in told.out.splitlines()[2:-1]} == {case["id"] for case in suite["cases"]}


@pytest.mark.parametrize("action", ["coverage", "ledger"])
def test_suite_coverage_and_ledger(call: Call, action: str) -> None:
    told = call("suite", action, "annuaire/1.0")
    assert told.code == 0
    assert "annuaire/1.0" in told.out.splitlines()[0]
    assert call("suite", action, "annuaire/1.0", "--json").json


# -- run -----------------------------------------------------------------------------------------------------


def test_run_json_is_the_documented_shape(complete_run: CompleteRun) -> None:
    assert complete_run.told.out == (complete_run.folder / "run.json").read_text(encoding="utf-8")
    run = complete_run.told.json
    assert {"format", "tool", "product", "norm", "suite", "verdict", "counts", "cases"} <= set(run)
    assert run["format"] == "poincon/run-result/1"
    assert (run["norm"], run["verdict"], run["partial"]) == ("ville/1.1", "pass", False)
    assert set(run["product"]) == {"vendor", "name", "version"}
    assert set(run["counts"]) == {"pass", "fail", "inconclusive", "error", "not_selected", "not_run"}
    assert sum(run["counts"].values()) == len(run["cases"])
    assert all({"id", "verdict", "requirements", "duration_ms", "findings"} <= set(case) for case in run["cases"])


def test_run_leaves_everything_in_its_folder(complete_run: CompleteRun) -> None:
    names = {path.name for path in complete_run.folder.iterdir()}
    assert {
        "run.json", "suite.json", "sut.json", "verdicts.json", "journal.jsonl", "exchanges.warc.gz", "norm", "anchors",
        "peers", "bilan.html", "junit.xml",
    } <= names  # fmt: skip
    assert {path.name for path in complete_run.folder.parent.iterdir()} == {"run"}


def test_a_failure_is_said_with_requirement_expected_actual_and_blame(failed_run: tuple[Path, Told]) -> None:
    folder, told = failed_run
    assert told.code == 1
    for text in (
        "VIL-S-001@MED  non conforme",
        "Exigence  SOC-GEN-004  Le système DOIT rendre des réponses métier dont l'élément wsa:RelatesTo",
        "Attendu   le rappel de « uuid:",
        "Constaté  aucun rappel /soap:Envelope/soap:Header/wsa:RelatesTo",
        "En cause  le produit éprouvé",
        "12 non conforme",
        "246 non exécuté",
        f"Bilan : {folder / 'bilan.html'}",
        f"Preuves : {folder}",
    ):
        assert text in told.out
    cases = {case["id"]: case for case in msgspec.json.decode((folder / "run.json").read_bytes())["cases"]}
    (finding, *_) = cases["VIL-S-001@MED"]["findings"]
    assert {"requirement", "level", "verdict", "blame", "location", "expected", "actual"} <= set(finding)
    assert (finding["requirement"], finding["verdict"], finding["blame"]) == ("SOC-GEN-004", "fail", "SUT")


def test_progress_names_what_went_amiss_and_not_what_was_left_out(failed_run: tuple[Path, Told]) -> None:
    _, told = failed_run
    assert "VIL-S-001@MED  non conforme" in told.err
    assert "SOC-S-094" not in told.err


def test_a_partial_run_of_a_certification_is_not_a_success(call: Call, sut: Path, tmp_path: Path) -> None:
    told = call("run", "--sut", sut, "--select", "VIL-S-003", "--out", tmp_path / "run")
    assert told.code == 3
    assert "1 conforme, 0 non conforme" in told.out
    assert "Sélection partielle" in told.out
    trial = tmp_path / "trial.yaml"
    trial.write_text(sut.read_text(encoding="utf-8").replace("certification: true", "certification: false"))
    assert call("run", "--sut", trial, "--select", "VIL-S-003", "--out", tmp_path / "trial").code == 0


def test_an_unreachable_answer_is_inconclusive(call: Call, mute: Path, tmp_path: Path) -> None:
    told = call("run", "--sut", mute, "--select", "VIL-S-00*", "--out", tmp_path / "run")
    assert told.code == 3
    assert "VIL-S-001@MED  non concluant" in told.out
    assert "En cause  le réseau ou la disponibilité du service" in told.out
    assert "5 cas" in told.out, "the run stops after five cases without network, and says so"


# -- work on a run folder ------------------------------------------------------------------------------------


def test_rejudge(call: Call, complete_run: CompleteRun) -> None:
    told = call("rejudge", complete_run.folder)
    assert (told.code, told.out) == (0, f"Les mêmes verdicts, octet pour octet (poincon {__version__}).\n")
    assert call("rejudge", complete_run.folder, "--json").json == {"damages": [], "differences": []}


def test_replay_runs_the_one_case(call: Call, complete_run: CompleteRun, tmp_path: Path) -> None:
    told = call("replay", complete_run.folder, "VIL-S-003", "--sut", complete_run.sut)
    assert told.code == 0, "a replay proves one case: that the others were left out is no verdict"
    assert "1 conforme" in told.out
    (folder,) = (tmp_path / "runs").iterdir()
    assert f"Premier passage : {complete_run.folder}. Rejeu : {Path('runs') / folder.name}" in told.out


def test_report_in_every_format(call: Call, complete_run: CompleteRun, tmp_path: Path) -> None:
    assert call("report", complete_run.folder, "--format", "json").json == complete_run.told.json
    page = tmp_path / "bilan.html"
    told = call("report", complete_run.folder, "--format", "html", "--out", page)
    assert (told.code, told.out) == (0, f"{page}\n")
    assert "VIL-S-001" in page.read_text(encoding="utf-8")
    assert (complete_run.folder / "bilan.html").is_file(), "the run's own bilan stays"
    junit = tmp_path / "junit.xml"
    assert call("report", complete_run.folder, "--format", "junit", "--out", junit).code == 0
    assert len(etree.parse(junit).findall(".//testcase")) == 258


def test_certify_and_verify(call: Call, complete_run: CompleteRun, practice: Practice, tmp_path: Path) -> None:
    file = tmp_path / "certificate.xml"
    told = call("certify", complete_run.folder, "--out", file)
    assert told.code == 0
    assert told.out.startswith("Délivré : ")
    assert told.out.endswith(f", {file}\n")
    good = call("verify", file, "--authority", practice.pki.authority, "--run", complete_run.folder)
    assert good.code == 0
    assert good.out.splitlines()[0] == "SANS VALEUR D’AGRÉMENT"
    assert good.out.splitlines()[-1] == "Document authentique et valable."
    report = call("verify", file, "--authority", practice.pki.authority, "--json").json
    assert (report["valid"], report["content"]["norm_id"]) == (True, "ville")
    stranger = call("verify", file, "--authority", practice.pki.certificate("other-authority"))
    assert stranger.code == 1
    assert stranger.out.splitlines()[-1] == "Document REFUSÉ."


def test_certify_with_a_seal_of_ones_own(call: Call, complete_run: CompleteRun, practice: Practice) -> None:
    key, certificate = practice.pki.key("seal"), practice.pki.certificate("seal")
    told = call("certify", complete_run.folder, "--seal", key, "--seal-certificate", certificate, "--out", "c.xml")
    assert told.code == 0
    subject = load_identity(certificate, key).certificate.subject.rfc4514_string()
    report = call("verify", "c.xml", "--authority", practice.pki.authority, "--json").json
    assert subject.partition(",")[0] in report["content"]["by"]


def test_certify_refuses_a_failing_and_partial_run_with_its_reasons(call: Call, failed_run: tuple[Path, Told]) -> None:
    folder, _ = failed_run
    told = call("certify", folder)
    assert told.code == 1
    assert "ne peut pas donner lieu à un certificat" in told.err
    assert "– Le passage est partiel" in told.err
    assert "– Cas non conformes : 12." in told.err
    assert not (folder / "certificate.xml").exists()
