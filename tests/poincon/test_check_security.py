"""`poincon check --security`: signatures of messages in files, on what a run really exchanged."""

from __future__ import annotations

from pathlib import Path

import pytest
from front_doors import Call, CompleteRun, Practice
from lxml import etree

from harness.evidence import read_run
from harness.reading import read_request, read_response
from norms.chains import ChainExchange, case_document


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


def test_the_messages_of_a_case_document_keep_their_signatures(
    exchanged: dict[str, Path], call: Call, practice: Practice, tmp_path: Path
) -> None:
    document = case_document(
        [ChainExchange("IDB", 1, *(etree.parse(exchanged[name]).getroot() for name in ("request", "response")))]
    )
    file = tmp_path / "case.xml"
    file.write_bytes(etree.tostring(document))
    asked = ("check", file, "--security", "--authority", practice.pki.authority)
    assert call(*asked).code == 0, call(*asked).out
    file.write_bytes(file.read_bytes().replace(b"</com:RangGemellaire>", b" </com:RangGemellaire>"))
    told = call(*asked)
    assert told.code == 1 and told.out.count("signature-invalid") == 2
    assert "/case:case/case:exchange/case:response/soap:Envelope/" in told.out
