from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from norms.errors import DataError
from norms.loader import load
from norms.model import Norm
from scenarios.declaration import Declaration, declaration_problems, read_sut
from scenarios.template import Prefill, laboratory_names, needed_identities, sut_template

Declare = Callable[..., Declaration]


def test_reads_all_parts(tmp_path: Path) -> None:
    path = tmp_path / "sut.yaml"
    path.write_text(
        """\
product: {vendor: V, name: N, version: "1", norm: jouet/1.0, role: client, profiles: [PETIT],
          tls: {authority: pki/ca.pem, server_name: jouets.example}}
laboratory:
  identities: {tls-expired: {certificate: pki/x.pem, key: pki/x.key, password_env: MDP}}
  anchors: [pki/a.pem]
  revocations: [pki/a.crl]
  listen: "0.0.0.0:8443"
  public_url: "https://labo.example/"
ics: {ICS-RENDU: no, ICS-SOURIRE: ""}
ixit: {comptoir: Nord, population: {sages: [{enfant: "999"}]}}
driver: {command: pilote, mode: persistent, timeout: "5"}
reset: efface
timeouts: {exchange: "1.5", quiet: "2"}
certification: false
""",
        encoding="utf-8",
    )
    sut = read_sut(path)
    assert sut.product.tls.authority == tmp_path / "pki" / "ca.pem"
    identity = sut.laboratory.identities["tls-expired"]
    assert (identity.certificate, identity.password_env) == (tmp_path / "pki" / "x.pem", "MDP")
    assert (sut.laboratory.anchors, sut.laboratory.listen) == ((tmp_path / "pki" / "a.pem",), "0.0.0.0:8443")
    assert sut.ics == {"ICS-RENDU": "no"}
    assert sut.ixit.values == {"comptoir": "Nord"} and sut.ixit.population == {"sages": ({"enfant": "999"},)}
    assert sut.driver is not None and (sut.driver.mode, sut.driver.timeout) == ("persistent", 5.0)
    assert (sut.timeouts.exchange, sut.reset, sut.certification) == (1.5, "efface", False)


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("role: server", "role: serveur", 6, "server"),
        ("  vendor: Les Jouets", '  vendor: ""', 2, "vendor"),
        ("  vendor: Les Jouets\n", "", 1, "vendor"),
        ("PRET: https://jouets.example/pret", "PRET: jouets.example/pret", 9, "https://"),
        ("PRET: https://jouets.example/pret", "PRET: https://jouets.example:99999/", 9, "https://"),
        ("laboratory:", "labratory:", 11, "laboratory"),
        ('guichet: "G7"', 'Guichet: "G7"', 12, "minuscules"),
        ("ICS-RENDU: yes", "ICS-RENDU: peut-être", 14, "yes"),
        ("comptoir: Nord", "comptoir: [Nord]", 16, "texte"),
        ("comptoir: Nord", "comptoir: Nord\ncertification: oui", 17, "true"),
        ("comptoir: Nord", "comptoir: Nord\ntimeouts: {exchange: vite}", 17, "nombre"),
        ("comptoir: Nord", "comptoir: Nord\ndriver: {mode: one-shot}", 17, "command"),
    ],
)
def test_a_bad_declaration_names_file_line_and_remedy(
    declare: Declare, tmp_path: Path, old: str, new: str, line: int, word: str
) -> None:
    with pytest.raises(DataError) as caught:
        declare((old, new))
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "sut.yaml"), line)
    assert word in str(caught.value)


def test_a_complete_declaration_has_no_problem(toy: Norm, declare: Declare) -> None:
    assert declaration_problems(toy, declare()) == []


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("  ICS-RENDU: yes\n", "  ICS-RENDU:\n"), "ics.ICS-RENDU"),
        (("  ICS-RENDU: yes\n", "  ICS-RENDU: yes\n  ICS-VOLER: yes\n"), "ics.ICS-VOLER"),
        (("comptoir: Nord", 'comptoir: ""'), "ixit.comptoir"),
        (("comptoir: Nord", "comptoir: Nord\n  etage: 2"), "ixit.etage"),
        (("[PETIT, GRAND]", "[PETIT, MOYEN]"), "product.profiles"),
        (("[PETIT, GRAND]", "[]"), "product.profiles"),
        (("    RENDU: https://jouets.example/rendu\n", ""), "product.endpoints"),
        (("    RENDU: https:", "    RENDUS: https:"), "product.endpoints"),
        (("norm: jouet/1.0", "norm: jouet/2.0"), "product.norm"),
        (("values:", "identities: {tls: {certificate: a.pem, key: a.key}}\n  values:"), "laboratory.identities"),
    ],
)
def test_what_is_missing_or_contrary_is_a_problem(
    toy: Norm, declare: Declare, change: tuple[str, str], place: str
) -> None:
    problems = declaration_problems(toy, declare(change))
    assert problems and {problem.place for problem in problems} == {place}


def test_only_addresses_that_the_suite_needs_are_missing(toy: Norm, declare: Declare) -> None:
    sut = declare(("    RENDU: https://jouets.example/rendu\n", ""))
    assert declaration_problems(toy, sut, ["PRET"]) == []


@pytest.mark.parametrize("role", ["server", "client"])
@pytest.mark.parametrize("ref", ["jouet/1.0", "ville/1.1"])
def test_the_template_reads_and_asks_every_question(toy: Norm, tmp_path: Path, role: str, ref: str) -> None:
    norm = toy if ref == toy.ref else load(ref)
    path = tmp_path / "sut.yaml"
    path.write_text(sut_template(norm, role), encoding="utf-8")  # type: ignore[arg-type]
    sut = read_sut(path)
    places = {problem.place for problem in declaration_problems(norm, sut)}
    mandatory = {f"ics.{claim.id}" for claim in norm.claims if claim.status == "mandatory"}
    asked = {f"ixit.{value.name}" for value in norm.extra_values}
    assert places - {"laboratory.identities"} == mandatory | asked
    assert (sut.product.role, set(sut.laboratory.identities)) == (role, set(needed_identities(norm, sut.product.role)))


def test_the_template_holds_what_is_known_already(toy: Norm, tmp_path: Path) -> None:
    known = Prefill(
        endpoints={"PRET": "https://127.0.0.1:1/p"},
        anchors=("a.pem",),
        values={"guichet": 'G"9'},
        claims={"ICS-RENDU": "yes"},
        ixit={"comptoir": "Sud"},
    )
    path = tmp_path / "sut.yaml"
    path.write_text(sut_template(toy, "server", known), encoding="utf-8")
    sut = read_sut(path)
    assert sut.product.endpoints["PRET"] == "https://127.0.0.1:1/p"
    assert sut.laboratory.values == {"guichet": 'G"9', "rien": ""}
    assert (sut.ics, sut.ixit.values) == ({"ICS-RENDU": "yes"}, {"comptoir": "Sud"})


def test_laboratory_names_are_those_that_nobody_else_supplies(toy: Norm) -> None:
    assert laboratory_names(toy) == ("guichet", "rien")
