"""Clumsy declarations, addresses and options: one clear French message with file, line and remedy; no traceback.

Declarations that must not run are tried with `sut check` when their form is wrong and with `run` when their meaning is:
both read them the same way.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from clumsy import refusal
from front_doors import Call, CompleteRun, Practice

from norms.loader import available


@dataclass(frozen=True)
class Mistake:
    """A wrong declaration: what the ready one becomes, and what the refusal must say. line: where it must point."""

    make: Callable[[str], str | bytes]
    words: tuple[str, ...]
    line: str = ""


def swap(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert text.count(old) >= 1, old
        return text.replace(old, new, 1)

    return change


def without(start: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        kept = [line for line in text.splitlines(keepends=True) if not line.strip().startswith(start)]
        assert len(kept) < len(text.splitlines()), start
        return "".join(kept)

    return change


FORMS = {
    "unknown key": Mistake(
        swap("  vendor:", "  vendeur:"), ("« vendeur » est inconnue dans « product »", "« vendor »"), "  vendeur:"
    ),
    "tab": Mistake(swap("  vendor:", "\tvendor:"), ("Le YAML ne se lit pas", "indentation"), "\tvendor:"),
    "key twice": Mistake(
        swap('  norm: "ville/1.1"', '  name: "Autre"\n  norm: "ville/1.1"'),
        ("« name » est écrite deux fois", "Gardez une seule des deux (la première est ligne 7)"),
        '  name: "Autre"',
    ),
    "not UTF-8": Mistake(lambda text: text.encode("cp1252"), ("n'est pas en UTF-8", "Enregistrez-le en UTF-8.")),
    "empty": Mistake(lambda text: "", ("Le fichier est vide",)),
    "binary": Mistake(lambda text: bytes(range(256)), ("n'est pas en UTF-8",)),
    "a list": Mistake(lambda text: "- a\n- b\n", ("doit être un bloc « clé: valeur »",), "- a"),
    "no product": Mistake(
        lambda text: "laboratory:" + text.partition("\nlaboratory:")[2],
        ("« product » manque", "Ajoutez « product: … »"),
    ),
    "empty version": Mistake(
        lambda text: re.sub(r'(?m)^  version: "[^"]*"', '  version: ""', text),
        ("« product.version » est vide", "Remplissez"),
        '  version: ""',
    ),
    "unknown norm": Mistake(
        swap('norm: "ville/1.1"', 'norm: "ville/9.9"'),
        ("La norme « ville/9.9 » n'existe pas.", f"Normes connues : {', '.join(available())}."),
    ),
    "not an address": Mistake(
        lambda text: re.sub(r'IDB: "https[^"]*"', 'IDB: "bientôt"', text),
        ("« bientôt » n'est pas l'adresse d'un service", "https://"),
        '    IDB: "bientôt"',
    ),
    "a claim that is neither yes nor no": Mistake(
        swap("ICS-IDB: yes", "ICS-IDB: oui"), ("« oui »", "Valeurs possibles : yes, no."), "  ICS-IDB: oui"
    ),
    "a deadline that is no number": Mistake(
        swap('exchange: "30"', 'exchange: "vite"'), ("« vite »", "Écrivez un nombre"), '  exchange: "vite"'
    ),
    "an alias": Mistake(
        swap("product:\n", "product: &p\n"), ("ancres et les alias", "Recopiez la valeur."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_declaration_of_the_wrong_form(name: str, call: Call, practice: Practice, tmp_path: Path) -> None:
    mistake, file = FORMS[name], tmp_path / "sut.yaml"
    content = mistake.make(practice.text())
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = refusal(call("sut", "check", file), 2, *mistake.words)
    if mistake.line:
        assert isinstance(content, str)
        number = next(i for i, line in enumerate(content.splitlines(), 1) if line.startswith(mistake.line))
        assert f"{file}:{number}: " in said
    else:
        assert str(file) in said
    assert call("run", "--sut", file).err == said, "every command says it in the same words"


def test_a_declaration_that_is_not_there_or_a_folder(call: Call, practice: Practice, tmp_path: Path) -> None:
    refusal(
        call("run", "--sut", tmp_path / "absent.yaml"), 2, "absent.yaml", "Le fichier n'existe pas.", "corrigez son nom"
    )
    refusal(call("run", "--sut", tmp_path), 2, str(tmp_path), "ne peut pas être lu")


MEANINGS = {
    "unknown profile": Mistake(
        swap("profiles: [MED,", "profiles: [KINE,"),
        ("Le profil « KINE » n'existe pas", "Profils possibles : AUX, CDS, MED, SF."),
    ),
    "missing claim": Mistake(
        without("ICS-IDB:"), ("La question n'a pas de réponse", "service IDB", "« ICS-IDB: yes » ou « ICS-IDB: no »")
    ),
    "unknown claim": Mistake(swap("  ICS-IDB: yes", "  ICS-XYZ: yes\n  ICS-IDB: yes"), ("ICS-XYZ", "Retirez-la.")),
    "missing value": Mistake(
        without("lps_autorisation:"), ("ixit.lps_autorisation", "La valeur manque", "Exemple : POINCON-0001.")
    ),
    "missing address": Mistake(without("CLC:"), ("product.endpoints", "L'adresse du service CLC manque", "https://")),
    "http": Mistake(swap('IDB: "https://', 'IDB: "http://'), ("product.endpoints.IDB", "n'est pas une adresse https")),
    "certificate that is not there": Mistake(
        swap("/cps-authentication.pem", "/perdu.pem"), ("perdu.pem", "n'existe pas")
    ),
    "expired certificate": Mistake(
        swap("/cps-authentication.pem", "/cps-authentication-expired.pem"),
        ("laboratory.identities.tls", "a expiré le", "Il faut un certificat valable de genre « cps-authentification »"),
    ),
    "key of another certificate": Mistake(
        swap("/cps-authentication.key.pem", "/software.key.pem"), ("software.key.pem", "clé")
    ),
    "certificate of the wrong kind": Mistake(
        lambda text: text.replace(
            "/cps-authentication.pem", "/cps-signature.pem", 1
        ).replace("/cps-authentication.key.pem", "/cps-signature.key.pem", 1),
        ("laboratory.identities.tls", "Il faut un certificat valable de genre « cps-authentification »"),
    ),
    "a certificate that is none": Mistake(
        lambda text: re.sub(r'tls: \{certificate: "[^"]*"', f'tls: {{certificate: "{__file__}"', text, count=1),
        (Path(__file__).name, "certificat"),
    ),
    "no trust anchor": Mistake(
        lambda text: re.sub(r"anchors: \[[^]]*\]", "anchors: []", text),
        ("laboratory.anchors : aucune autorité de confiance n'est déclarée.", "Indiquez le fichier PEM"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MEANINGS)
def test_a_declaration_that_cannot_be_run(name: str, call: Call, practice: Practice, tmp_path: Path) -> None:
    mistake, file = MEANINGS[name], tmp_path / "sut.yaml"
    content = mistake.make(practice.text())
    assert isinstance(content, str)
    file.write_text(content, encoding="utf-8")
    told = call("run", "--sut", file, "--out", tmp_path / "run")
    refusal(told, 2, *mistake.words)
    assert not (tmp_path / "run").exists(), "nothing is run, nothing is written"


def test_sut_check_lists_all_that_is_missing_at_once(call: Call, practice: Practice, tmp_path: Path) -> None:
    """Even where a missing value keeps the suite from being compiled."""
    names = ("unknown profile", "missing claim", "missing value", "expired certificate", "no trust anchor")
    text, file = practice.text(), tmp_path / "sut.yaml"
    for name in names:
        text = str(MEANINGS[name].make(text))
    file.write_text(text, encoding="utf-8")
    told = call("sut", "check", file, "--json")
    assert told.code == 2
    listed = [f"{item['file']} {item['what']} {item['remedy']}" for item in told.json]
    for name in names:
        words = [word for word in MEANINGS[name].words if "genre" not in word]
        assert any(all(word in item for word in words) for item in listed), (name, listed)
    for_people = call("sut", "check", file)
    assert for_people.code == 2
    assert len(for_people.out.splitlines()) == len(listed)


# -- addresses -----------------------------------------------------------------------------------------------


@pytest.fixture
def silent() -> Iterator[str]:
    """An address that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/idb"


@pytest.fixture
def closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    return f"https://127.0.0.1:{port}/idb"


def addressed(practice: Practice, file: Path, address: str) -> Path:
    text = practice.text(endpoints={"IDB": address, "CLC": address})
    file.write_text(text.replace('exchange: "30"', 'exchange: "0.3"'), encoding="utf-8")
    return file


def test_an_address_where_nobody_is(call: Call, practice: Practice, tmp_path: Path, closed: str) -> None:
    told = call("run", "--sut", addressed(practice, tmp_path / "sut.yaml", closed))
    refusal(told, 2, "sut.yaml", f"product.endpoints.IDB : {closed} ne répond pas", "Vérifiez l'adresse")


def test_an_address_that_says_nothing(call: Call, practice: Practice, tmp_path: Path, silent: str) -> None:
    told = call("run", "--sut", addressed(practice, tmp_path / "sut.yaml", silent))
    refusal(told, 2, f"product.endpoints.IDB : {silent} ne répond pas", "Vérifiez")


def test_an_address_with_somebody_elses_certificate(call: Call, practice: Practice, tmp_path: Path) -> None:
    text, mine = practice.text(), practice.pki.authority.resolve().as_posix()
    other = practice.pki.certificate("other-authority").resolve().as_posix()
    (tmp_path / "sut.yaml").write_text(text.replace(f'authority: "{mine}"', f'authority: "{other}"'), encoding="utf-8")
    refusal(call("run", "--sut", tmp_path / "sut.yaml"), 2, "ne répond pas (TLS : ", "Vérifiez product.tls.authority")


# -- options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--select", "VIL-S-9999"], ["« VIL-S-9999 » ne désigne aucun cas", "Vouliez-vous dire"]),
        (["--select", "VIL-S-003 !VIL-S-003"], ["ne retient aucun cas"]),
        (["--select", ""], ["ne retient aucun cas"]),
        (["--jobs", "0"], ["--jobs demande un nombre à partir de 1."]),
        (["--resume"], ["--resume demande --out"]),
    ],
)
def test_options_that_make_no_sense(
    options: list[str], words: list[str], call: Call, sut: Path, tmp_path: Path
) -> None:
    refusal(call("run", "--sut", sut, *options), 2, *words)
    assert list(tmp_path.iterdir()) == []


def test_options_that_argparse_refuses_are_in_french_too(call: Call, sut: Path) -> None:
    for argv in (["run", "--sut", sut, "--jobs", "deux"], ["suite", "show", "ville/1.1", "--role", "juge"], ["danser"]):
        told = call(*argv)
        assert told.code == 2
        assert "poincon" in told.err
        assert "Traceback" not in told.err


def test_a_folder_that_is_not_empty_is_not_overwritten(call: Call, sut: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precieux.txt").write_text("à garder", encoding="utf-8")
    refusal(call("run", "--sut", sut, "--out", tmp_path / "run"), 2, str(tmp_path / "run"), "n'est pas vide")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["precieux.txt"]


def test_a_place_where_nothing_can_be_written(call: Call, sut: Path, complete_run: CompleteRun, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    below = tmp_path / "file" / "run"
    told = call("run", "--sut", sut, "--select", "VIL-S-003", "--out", below)
    refusal(told, 2, str(below), "n'est pas un dossier où écrire", "--out")
    told = call("report", complete_run.folder, "--format", "junit", "--out", below)
    refusal(told, 2, str(below))


@pytest.mark.parametrize("kind", ["--fault", "--variant"])
def test_an_unknown_fault_or_variant(kind: str, call: Call, practice: Practice, tmp_path: Path) -> None:
    told = call("sandbox", "serve", "ville/1.1", "--data", practice.data / "sandbox", kind, "F-GEN-999")
    refusal(told, 2, "« F-GEN-999 » n'existe pas dans ces normes.", "F-GEN-")
    refusal(call("kill-rate", "annuaire/1.0", "--only", "F-XYZ-99"), 2, "« F-XYZ-99 » n'existe pas dans cette norme.")


@pytest.mark.parametrize("argv", [["norms", "show"], ["suite", "show"], ["sandbox", "faults"], ["sut", "init"]])
def test_an_unknown_norm(argv: list[str], call: Call) -> None:
    refusal(call(*argv, "vile/1.1"), 2, "« vile/1.1 »", "ville/1.1")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that the user may not read")
def test_files_that_may_not_be_read(call: Call, practice: Practice, tmp_path: Path) -> None:
    file = practice.declared(tmp_path / "sut.yaml")
    file.chmod(0)
    refusal(call("run", "--sut", file), 2, str(file), "ne peut pas être lu")
