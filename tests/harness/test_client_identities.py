"""Security of what leaves: assertion attributes, refusals between controls, replays, on a mutual-TLS product."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.evidence import read_run
from harness.run import RunOptions, run
from norms.model import AssertionPolicy, DirectionPolicy, Norm
from norms.wire.attributes import attribute_texts
from scenarios.declaration import Declaration, IdentityFiles, Laboratory, ProductTls
from scenarios.model import Expectation, Step
from tests.harness.lab import case, declaration, echo, make_suite
from tests.harness.servers import Pki, make_pki, serving

REFUSED = (Expectation("ESS-003", "refused", value="tls"),)


def product(url: str, folder: Path, pki: Pki) -> Declaration:
    files = IdentityFiles(folder / "client.pem", folder / "client.key")
    plain = declaration(url)
    laboratory = Laboratory({"tls": files}, (folder / "ca.pem",))
    return replace(plain, product=replace(plain.product, tls=ProductTls(folder / "ca.pem")), laboratory=laboratory)


@pytest.mark.parametrize(("mutual", "code", "verdict"), [(True, 0, "pass"), (False, 1, "fail")])
def test_t05_a_caller_without_certificate_is_refused_between_two_controls(
    norm: Norm, tmp_path: Path, mutual: bool, code: int, verdict: str
):
    pki = make_pki(tmp_path)
    if not mutual:
        pki.server.verify_mode = ssl.CERT_OPTIONAL
    step = Step(send="PING", http="tls-no-certificate", expect=REFUSED)
    with serving(echo(), pki.server) as server:
        declared = product(server.url, tmp_path, pki)
        suite = make_suite(norm, case(1, step))
        result = run(RunOptions(declared, suite, norm, tmp_path / "r", preflight=False))
    exchanges = read_run(tmp_path / "r").exchanges("ESS-S-001")
    assert [exchange.purpose for exchange in exchanges] == ["control", "step", "control"]
    assert exchanges[1].tls.client == "" and exchanges[0].tls.client != ""
    assert (result.exit_code, result.verdicts.cases[0].verdict) == (code, verdict)
    assert (tmp_path / "r" / "peers" / f"{exchanges[0].tls.peer}.der").is_file()


def test_t05_a_refusal_while_the_service_is_down_proves_nothing(norm: Norm, tmp_path: Path):
    pki = make_pki(tmp_path)
    step = Step(send="PING", http="tls-no-certificate", expect=REFUSED)
    declared = product("https://127.0.0.1:9/", tmp_path, pki)
    result = run(RunOptions(declared, make_suite(norm, case(1, step)), norm, tmp_path / "r", preflight=False))
    assert result.verdicts.cases[0].verdict == "inconclusive"


def test_attributes_of_the_assertion_come_from_the_norm_or_from_values_of_their_name(norm: Norm):
    policy = AssertionPolicy("carte", ("CPS",), ("codeSpecialiteAMO", "secteurActivite"))
    plain = replace(norm, security=replace(norm.security, request=DirectionPolicy(assertion=policy)))
    assert attribute_texts(plain) == {
        "codeSpecialiteAMO": "${code_specialite_amo}", "secteurActivite": "${secteur_activite}"
    }  # fmt: skip
    said = replace(policy, values=("${specialite}", "SA07"))
    written = replace(norm, security=replace(norm.security, request=DirectionPolicy(assertion=said)))
    assert attribute_texts(written) == {"codeSpecialiteAMO": "${specialite}", "secteurActivite": "SA07"}
    assert attribute_texts(norm) == {}
