"""`poincon observe` as people and scripts call it, and the practice software captured through its whole chain."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from front_doors import CHECKOUT, Call, CompleteRun, Practice

from harness.observation.result import (
    AnswerTimes,
    ClaimCount,
    CodeCount,
    Counts,
    Example,
    Grouped,
    MessageCount,
    Observation,
    Unrecognised,
)
from norms.behaviour import load as load_behaviour
from norms.loader import load
from poincon.practice import practice_declaration

VILLE = load("ville/1.1")
ACTION = "transmettre"
POOLS = ("droits-ouverts", "clc-obligatoire", "droits-clos", "date-lunaire")


def captured(practice: Practice, folder: Path, pools: tuple[str, ...] = POOLS, *options: str) -> Path:
    """Have the practice software act for one person of each pool, against the practice partners; return its HAR."""
    file = folder / "capture.har"
    population = load_behaviour(VILLE).population
    values = {**{value.name: value.example for value in VILLE.extra_values}, **VILLE.profiles[0].values}
    # Whoever asks the Annuaire is not told the addresses of the services.
    endpoints = {"ADR": practice.sandbox.endpoints("", "annuaire/1.0")["ADR"]}
    lines = [
        json.dumps({"data": {**values, **population.pool(pool)[0].values, "action": ACTION}, "endpoints": endpoints})
        for pool in pools
    ]
    done = subprocess.run(
        [sys.executable, "-m", "poincon", "sandbox", "robot", "ville/1.1", "--capture", file, *options],
        input="\n".join([*lines, "pas une consigne"]),
        env=practice.environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    told = [json.loads(line)["outcome"] for line in done.stdout.splitlines()]
    assert len(told) == len(pools) + 1 and told[-1] == "failed", done.stdout
    return file


@pytest.fixture(scope="module")
def capture(practice: Practice, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return captured(practice, tmp_path_factory.mktemp("capture"))


def test_the_practice_software_through_its_whole_chain(call: Call, practice: Practice, capture: Path) -> None:
    told = call("observe", capture, "--norm", "ville/1.1", "--anchors", practice.pki.authority, "--json")
    observation = told.json
    assert (told.code, observation["verdict"], observation["findings"]) == (0, "pass", [])
    assert observation["format"] == "poincon/observation/1"
    counts = observation["counts"]
    assert counts["recognised"] == counts["exchanges"] and counts["messages"] == counts["valid"] > 20
    assert {(each["kind"], each["side"]) for each in observation["messages"]} == {
        (kind, side) for kind in ("ADR", "IDB", "CLC", "DRE") for side in ("request", "response")
    }
    assert {each["kind"]: (each["claims"], each["rejected"]) for each in observation["claims"]} == {"DRE": (3, 0)}
    assert [(each["kind"], each["code"]) for each in observation["refusals"]] == [("IDB", "03")]
    assert all(each["median_ms"] > 0 for each in observation["times"])


def test_a_capture_is_whole_after_each_exchange(capture: Path) -> None:
    log = json.loads(capture.read_text(encoding="utf-8"))["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "poincon")
    entry = log["entries"][0]
    assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= entry.keys()
    assert entry["response"]["status"] == 200 and entry["request"]["postData"]["text"].lstrip().startswith("<")


SOWN = {
    "a key of a NIR": ("<com:CleNir>", 13, "SOC-LPS-016"),
    "a relation": ("RelatesTo>uuid:", 15, "SOC-GEN-004"),
}


@pytest.mark.parametrize("name", SOWN)
def test_what_is_changed_in_a_capture_is_found(name: str, call: Call, capture: Path, tmp_path: Path) -> None:
    mark, skip, requirement = SOWN[name]
    text = capture.read_text(encoding="utf-8")
    place = text.index(mark) + skip
    file = tmp_path / "changed.har"
    digit = "1" if text[place] != "1" else "2"
    file.write_text(text[: place - 1] + digit + text[place:], encoding="utf-8")
    told = call("observe", file)
    assert told.code == 1
    assert requirement in told.out


@pytest.mark.parametrize("change", ["another address", "sent twice"])
def test_what_is_signed_holds_for_one_call(
    change: str, call: Call, practice: Practice, capture: Path, tmp_path: Path
) -> None:
    document = json.loads(capture.read_text(encoding="utf-8"))
    entries = document["log"]["entries"]
    (entry, *_) = [each for each in entries if each["request"]["url"].endswith("/idb")]
    if change == "another address":
        entry["request"]["url"] += "/ailleurs"
    else:
        entries.append(entry)
    file = tmp_path / "changed.har"
    file.write_text(json.dumps(document), encoding="utf-8")
    told = call("observe", file, "--anchors", practice.pki.authority, "--json")
    reason = "assertion-audience" if change == "another address" else "assertion-replayed"
    assert [each["finding"]["reason"] for each in told.json["findings"]] == [reason]
    assert call("observe", file).code == 0


def test_a_claim_above_the_commitment_is_found(call: Call, practice: Practice, tmp_path: Path) -> None:
    file = captured(practice, tmp_path, ("clc-obligatoire",))
    text = file.read_text(encoding="utf-8")
    document = json.loads(text)
    claim = document["log"]["entries"][-1]["request"]["postData"]
    for name in ("MontantAMC", "TotalAMC"):
        claim["text"] = claim["text"].replace(f"{name}>7.50<", f"{name}>8.50<")
    file.write_text(json.dumps(document), encoding="utf-8")
    told = call("observe", file)
    assert told.code == 1
    assert "SOC-DRE-004" in told.out


def test_the_report_people_read(call: Call, capture: Path) -> None:
    told = call("observe", capture)
    for text in ("reconnus :", "signatures non jugées", "95e centile", "rejets par facture", "100,00", "refus"):
        assert text in told.out
    assert told.out.endswith("Tous les messages jugés respectent la norme.\n")
    assert load_behaviour(VILLE).population.pool("droits-ouverts")[0].values["nir"] not in told.out


def test_a_run_folder_of_ours(call: Call, complete_run: CompleteRun) -> None:
    told = call("observe", complete_run.folder / "exchanges.warc.gz", "--json")
    observation = told.json
    assert told.code == 1, "a run sends bad requests on purpose"
    assert {each["side"] for each in observation["findings"] if each["finding"]["verdict"] == "fail"} == {"request"}
    assert {each["finding"]["reason"] for each in observation["findings"] if each["side"] == "response"} == {
        "http-status"
    }
    assert observation["counts"]["recognised"] > 200 and observation["times"]


def test_a_run_folder_of_role_client(call: Call, practice: Practice, tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m poincon sandbox robot ville/1.1'
    text = practice_declaration(VILLE, {}, practice.pki, "client")
    text = text.replace('command: "python pilote.py"', f"command: '{command}'").replace('quiet: "3"', 'quiet: "0.5"')
    sut = tmp_path / "sut.yaml"
    sut.write_text(text.replace("mode: one-shot", "mode: persistent"), encoding="utf-8")
    practice.run(["run", "--sut", sut, "--out", tmp_path / "run", "--select", "VIL-C-001 SOC-C-001"], tmp_path)
    told = call("observe", tmp_path / "run" / "exchanges.warc.gz", "--anchors", practice.pki.authority, "--json")
    assert (told.code, told.json["ignored"]) == (0, {})
    assert {each["side"] for each in told.json["messages"]} == {"request", "response"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "vide"),
        (b"<xml/>", "ni un WARC ni un HAR"),
        (b'{"log": 1}', "HAR"),
        (gzip.compress(b"WARC/1.0\r\nContent-Length: 9\r\n\r\n", mtime=0), "coupé"),
    ],
)
def test_what_is_no_recording(content: bytes, said: str, call: Call, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    told = call("observe", file)
    assert (told.code, told.out) == (2, "")
    assert said in told.err and "Traceback" not in told.err


def test_no_file_no_norm_no_authority(call: Call, capture: Path, tmp_path: Path) -> None:
    assert call("observe", tmp_path / "absent").code == 2
    assert "inconnue" in call("observe", capture, "--norm", "ville/9.9").err
    assert call("observe", capture, "--anchors", tmp_path / "absent").code == 2
    assert call("sandbox", "robot", "ville/1.1", "--capture", tmp_path / "no" / "folder.har").code == 2


def test_nothing_recognised(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "a.har"
    file.write_text('{"log": {"entries": []}}', encoding="utf-8")
    told = call("observe", file)
    assert (told.code, told.out.splitlines()[-1]) == (3, "Rien n'a été reconnu : rien ne peut être conclu.")


def test_the_json_is_the_documented_one() -> None:
    page = (CHECKOUT / "docs" / "formats" / "observe.md").read_text(encoding="utf-8")
    told = {*re.findall(r'"(\w+)":', page[page.index("```jsonc") :])}
    structs = (Observation, Counts, MessageCount, AnswerTimes, CodeCount, ClaimCount, Unrecognised, Grouped, Example)
    assert {name for struct in structs for name in struct.__struct_fields__} == told - {"revisit"}
