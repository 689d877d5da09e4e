"""`sut check`: what would make a run fail for configuration is said before the first case, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.errors import PreflightError
from harness.preflight import check
from harness.run import RunOptions, run
from norms.model import AssertionPolicy, DirectionPolicy, FlowPolicy, Norm, Tls
from scenarios.declaration import Declaration, Driver, IdentityFiles, Laboratory, ProductTls
from tests.harness.lab import case, declaration, make_suite
from tests.harness.servers import OK, answering, make_pki, serving


def with_security(norm: Norm) -> Norm:
    """The trial norm with a profile that asks for a TLS certificate and an assertion."""
    policy = AssertionPolicy("carte", ("CPS",), ("codeActivite",))
    return replace(
        norm,
        security=replace(
            norm.security,
            tls=Tls(client_certificate="carte"),
            request=DirectionPolicy(assertion=policy),
            response=DirectionPolicy(flow=FlowPolicy("amc", ("body",))),
        ),
    )


def secured(url: str, folder: Path) -> Declaration:
    files = IdentityFiles(folder / "client.pem", folder / "client.key")
    laboratory = Laboratory({"tls": files, "assertion": files}, (folder / "ca.pem",))
    plain = declaration(url)
    product = replace(plain.product, tls=ProductTls(folder / "ca.pem"))
    return replace(plain, product=product, laboratory=laboratory, file="sut.yaml")


def said(norm: Norm, declared: Declaration, **more: object) -> str:
    return "\n".join(str(problem) for problem in check(norm, declared, **more))  # type: ignore[arg-type]


def test_a_ready_declaration_has_no_problem(norm: Norm):
    with serving(answering(OK)) as server:
        assert check(norm, declaration(server.url)) == []


def test_an_address_that_does_not_answer(norm: Norm):
    text = said(norm, declaration("http://127.0.0.1:9/ping"))
    assert "product.endpoints.PING" in text and "ne répond pas" in text


def test_a_plain_address_where_the_norm_asks_for_tls(norm: Norm, tmp_path: Path):
    make_pki(tmp_path)
    with_tls = replace(norm, security=replace(norm.security, tls=Tls(client_certificate="carte")))
    with serving(answering(OK)) as server:
        declared = secured(server.url, tmp_path)
        assert "n'est pas une adresse https" in said(with_tls, declared)


def test_an_address_that_is_missing(norm: Norm):
    declared = declaration("http://127.0.0.1:9/")
    assert "PING" in said(norm, replace(declared, product=replace(declared.product, endpoints={})))


def test_t05_a_server_certificate_of_another_authority(norm: Norm, tmp_path: Path):
    (tmp_path / "other").mkdir()
    pki, other = make_pki(tmp_path), make_pki(tmp_path / "other")
    with serving(answering(OK), other.server) as server:
        declared = secured(server.url, tmp_path)
        text = said(norm, declared)
    assert "TLS" in text and "product.tls.authority" in text
    with serving(answering(OK), pki.server) as server:
        assert said(norm, secured(server.url, tmp_path)) == ""


def test_an_identity_that_the_norm_needs_is_missing(norm: Norm):
    text = said(with_security(norm), declaration("http://127.0.0.1:9/"))
    assert "« tls » (carte) manque" in text and "« assertion » (carte) manque" in text
    assert "laboratory.anchors" in text


def test_a_key_that_is_not_the_certificates(norm: Norm, tmp_path: Path):
    make_pki(tmp_path)
    (tmp_path / "other").mkdir()
    make_pki(tmp_path / "other")
    declared = secured("http://127.0.0.1:9/", tmp_path)
    files = IdentityFiles(tmp_path / "client.pem", tmp_path / "other" / "client.key")
    declared = replace(declared, laboratory=replace(declared.laboratory, identities={"tls": files}))
    assert "n'est pas celle du certificat" in said(norm, declared)


def test_a_certificate_of_another_authority_than_the_anchors(norm: Norm, tmp_path: Path):
    make_pki(tmp_path)
    (tmp_path / "other").mkdir()
    make_pki(tmp_path / "other")
    declared = secured("http://127.0.0.1:9/", tmp_path)
    declared = replace(declared, laboratory=replace(declared.laboratory, anchors=(tmp_path / "other" / "ca.pem",)))
    assert "laboratory.identities.tls" in said(with_security(norm), declared)


def test_a_password_that_is_not_in_the_environment(norm: Norm, tmp_path: Path):
    make_pki(tmp_path)
    declared = secured("http://127.0.0.1:9/", tmp_path)
    files = IdentityFiles(tmp_path / "client.pem", tmp_path / "client.key", "POINCON_TEST_NO_SUCH_VARIABLE")
    declared = replace(declared, laboratory=replace(declared.laboratory, identities={"tls": files}))
    assert "POINCON_TEST_NO_SUCH_VARIABLE" in said(norm, declared)


def test_a_value_of_the_assertion_that_nobody_gave(norm: Norm, tmp_path: Path):
    make_pki(tmp_path)
    declared = secured("http://127.0.0.1:9/", tmp_path)
    suite = make_suite(norm, case(1))
    assert "code_activite" in said(with_security(norm), declared, suite=suite, call=False)
    given = make_suite(norm, replace(case(1), bindings={"code_activite": "1"}))
    assert "code_activite" not in said(with_security(norm), declared, suite=given, call=False)


def test_a_driver_that_does_not_exist(norm: Norm):
    declared = declaration("http://127.0.0.1:9/")
    declared = replace(declared, product=replace(declared.product, role="client"), driver=Driver("no-such-program x"))
    assert "no-such-program" in said(norm, declared)


def test_nothing_starts_while_something_is_not_ready(norm: Norm, tmp_path: Path):
    options = RunOptions(declaration("http://127.0.0.1:9/"), make_suite(norm, case(1)), norm, tmp_path / "r")
    with pytest.raises(PreflightError) as caught:
        run(options)
    assert caught.value.exit_code == 2 and caught.value.problems
    assert not (tmp_path / "r").exists()
