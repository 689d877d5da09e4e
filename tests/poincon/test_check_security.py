"""`poincon check --security`: signatures of messages in files, on what a run really exchanged."""

from __future__ import annotations

from pathlib import Path

import pytest
from front_doors import Call, CompleteRun, Practice

from harness.evidence import read_run
from harness.reading import read_request, read_response


@pytest.fixture
def exchanged(complete_run: CompleteRun, tmp_path: Path) -> dict[str, Path]:
    exchange = read_run(complete_run.folder).exchanges("VIL-S-001@MED")[0]
    bodies = {
        "request": read_request(exchange.request, 1 << 20).body,
        "response": read_response(exchange.response, 1 << 20).body,
    }
    files = {}
    for name, body in bodies.items():
        files[name] = tmp_path / f"{name}.xml"
        files[name].write_bytes(body)
    return files


def test_what_a_run_exchanged_is_valid_and_secure(exchanged: dict[str, Path], call: Call, practice: Practice) -> None:
    told = call("check", *exchanged.values(), "--security", "--authority", practice.pki.authority)
    assert told.code == 0, told.out


@pytest.mark.parametrize("name", ["request", "response"])
def test_an_altered_message_is_found_only_when_its_security_is_asked_for(
    exchanged: dict[str, Path], call: Call, practice: Practice, name: str
) -> None:
    file = exchanged[name]
    file.write_bytes(file.read_bytes().replace(b"</com:RangGemellaire>", b" </com:RangGemellaire>"))
    assert call("check", file).code == 0
    told = call("check", file, "--security", "--authority", practice.pki.authority)
    assert told.code == 1
    assert "signature-invalid" in told.out and f"{file}:" in told.out


def test_a_stranger_s_authority_vouches_for_nothing(exchanged: dict[str, Path], call: Call, practice: Practice) -> None:
    told = call(
        "check", exchanged["response"], "--security", "--authority", practice.pki.certificate("other-authority")
    )
    assert told.code == 1 and "certificate-untrusted" in told.out
