"""Clumsy and hostile input: one clear French message with file, line and remedy; the right exit code; no traceback.

Declarations that must not run are tried with `sut check` when their form is wrong and with `run` when their meaning is:
both read them the same way.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from front_doors import Call, CompleteRun, Practice, Told

from norms.loader import load

SOAP = "http://www.w3.org/2003/05/soap-envelope"


def refusal(told: Told, code: int, *words: str) -> str:
    """Assert that a command said what is wrong and did nothing else; return what it said."""
    assert "Traceback" not in told.err + told.out, told.err
    assert told.code == code, (told.code, told.err, told.out)
    assert told.err.startswith("poincon: "), told.err
    assert told.err.count("poincon: ") == 1, told.err
    missing = [word for word in words if word not in told.err]
    assert not missing, f"{missing} not in: {told.err}"
    return told.err


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
        swap('  version: "1.0"', '  name: "Autre"\n  version: "1.0"'),
        ("« name » est écrite deux fois", "Gardez une seule des deux (la première est ligne 6)"),
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
        swap('version: "1.0"', 'version: ""'), ("« product.version » est vide", "Remplissez"), '  version: ""'
    ),
    "unknown norm": Mistake(
        swap('norm: "ville/1.1"', 'norm: "ville/9.9"'),
        ("La norme « ville/9.9 » n'existe pas.", "Normes connues : annuaire/1.0, commun/1.0, ville/1.1."),
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


# -- norm folders and scenarios ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Broken:
    """A mistake in a file of a norm folder. line: a text of the line that must be named."""

    file: str
    old: str
    new: str
    words: tuple[str, ...]
    line: str = ""


NORMS = {
    "unknown column": Broken(
        "requirements.csv", "section;level;", "section;niveau;",
        ("« niveau » est inconnue", "level"), "id;section;niveau",
    ),
    "unknown level": Broken(
        "requirements.csv", "ANN-GEN-001;1.1;MUST;", "ANN-GEN-001;1.1;DOIT;", ("« DOIT »", "MUST"), "ANN-GEN-001;"
    ),
    "unknown type in a schema": Broken(
        "schema/annuaire.xsd", 'type="ann:TypeRequete"', 'type="ann:TypeInconnu"', ("TypeInconnu",), "TypeInconnu"
    ),
    "schema that is not well-formed": Broken(
        "schema/annuaire.xsd", '<xs:element name="adressage"', '<xs:element name="adressage', ("annuaire.xsd",),
    ),
    "rule of an unknown requirement": Broken(
        "rules/adr.sch", 'role="ANN-LPS-003"', 'role="ANN-LPS-999"',
        ("R-ANN-ADR-001", "« ANN-LPS-999 »", "« ANN-LPS-00"),
        "p:in-table(code_type_convention",
    ),
    "unknown key": Broken("norm.yaml", "\nstatus:", "\nstatut:", ("« statut » est inconnue", "« status »"), "statut:"),
    "rule that is no XPath": Broken(
        "rules/adr.sch", "not(. = preceding-sibling::item)", "not(. = preceding-sibling::item",
        ("XPath ne se lit pas", "preceding"),
        "not(. = preceding-sibling::item",
    ),
}  # fmt: skip


def copy_norm(folder: Path) -> None:
    """Copy the directory's norm to `folder`, and the base that it uses beside it."""
    for ref, target in (("annuaire/1.0", folder), ("commun/1.0", folder.parent.parent / "commun" / "1.0")):
        shutil.copytree(load(ref).root, target)


def broken_norm(folder: Path, mistake: Broken) -> tuple[Path, int]:
    """Copy the directory's norm with a mistake; return its folder and the line of the mistake (0: any)."""
    copy_norm(folder)
    file = folder / mistake.file
    text = file.read_text(encoding="utf-8")
    assert mistake.old in text
    text = text.replace(mistake.old, mistake.new, 1)
    file.write_text(text, encoding="utf-8")
    lines = enumerate(text.splitlines(), 1)
    return folder, next((i for i, line in lines if mistake.line in line), 0) if mistake.line else 0


@pytest.mark.parametrize("name", NORMS)
def test_a_norm_folder_with_a_mistake(name: str, call: Call, tmp_path: Path) -> None:
    folder, line = broken_norm(tmp_path / "annuaire" / "1.0", NORMS[name])
    told = call("norms", "check", folder)
    assert told.code in (1, 2)
    said = told.out + told.err
    assert "Traceback" not in said
    place = f"{folder / NORMS[name].file}:{line or ''}"
    spoken = [text for text in said.splitlines() if all(word in text for word in NORMS[name].words)]
    assert any(place in text for text in spoken), said


def test_a_decision_table_whose_last_row_is_no_default(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "annuaire" / "1.0"
    copy_norm(folder)
    file = folder / "simulator" / "decisions.yaml"
    text = file.read_text(encoding="utf-8")
    head, mark, last = text.rpartition("      - id: ")
    name, _, rest = last.partition("\n")
    file.write_text(f'{head}{mark}{name}\n        when: "false()"\n{rest}', encoding="utf-8")
    for argv in (["norms", "check", folder], ["sandbox", "serve", folder, "--data", tmp_path / "data"]):
        told = call(*argv)
        said = told.out + told.err
        assert told.code in (1, 2)
        assert "Traceback" not in said
        assert f"{file}:" in said
        assert "n'a pas de ligne par défaut" in said
        assert "Ajoutez une dernière ligne sans « when »." in said


@pytest.fixture
def own_scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "own" / "annuaire" / "1.0" / "server"
    folder.mkdir(parents=True)
    monkeypatch.setenv("POINCON_SCENARIOS", str(tmp_path / "own"))
    return folder


PAGE = """\
id: ANN-S-900
title: {fr: "Essai", en: "Trial"}
role: server
purpose: {fr: "Vérifier."}
steps:
  - send: ADR
    expect:
      - {requirement: ANN-ADR-001, check: accepted}
"""


@pytest.mark.parametrize(
    ("old", "new", "words", "line"),
    [
        ("check: accepted", "check: acepted", ["« acepted »", "« accepted »"], 8),
        ("ANN-ADR-001", "ANN-ADR-999", ["ANN-ADR-999"], 8),
        ("send: ADR", "send: ABC", ["« ABC »"], 6),
        ("steps:", "etapes:", ["« etapes »"], 5),
        ("- send: ADR", "- send: ADR\n    with: {\"//inconnu[\": x}", ["//inconnu["], 7),
    ],
)  # fmt: skip
def test_a_scenario_with_a_mistake(
    old: str, new: str, words: list[str], line: int, call: Call, own_scenarios: Path
) -> None:
    file = own_scenarios / "ANN-S-900.yaml"
    file.write_text(PAGE, encoding="utf-8")
    assert call("suite", "show", "annuaire/1.0").code == 0, "the page itself is right"
    file.write_text(PAGE.replace(old, new), encoding="utf-8")
    refusal(call("suite", "show", "annuaire/1.0"), 2, f"{file}:{line}: ", *words)


# -- run folders ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("argv", [["rejudge"], ["report"], ["certify"], ["replay"]])
def test_a_folder_that_is_no_run(argv: list[str], call: Call, sut: Path, tmp_path: Path) -> None:
    more = ["VIL-S-003", "--sut", sut] if argv == ["replay"] else []
    refusal(call(*argv, tmp_path, *more), 2, str(tmp_path), "n'est pas un dossier d'exécution", "journal.jsonl")
    refusal(call(*argv, tmp_path / "absent", *more), 2, "absent", "n'est pas un dossier d'exécution")


@pytest.fixture
def copied(complete_run: CompleteRun, tmp_path: Path) -> Path:
    return Path(shutil.copytree(complete_run.folder, tmp_path / "run"))


@pytest.fixture(scope="module")
def certificate(complete_run: CompleteRun, practice: Practice, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Do not change it: copy it."""
    file = tmp_path_factory.mktemp("certified") / "certificate.xml"
    told = practice.run(["certify", complete_run.folder, "--out", file], file.parent)
    assert told.code == 0, told
    return file


def spoil(file: Path, change: Callable[[bytes], bytes]) -> None:
    content = file.read_bytes()
    changed = change(content)
    assert changed != content
    file.write_bytes(changed)


def cut(share: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: int(len(content) * share)]


def one_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def verdict_of_line_40(content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    lines[39] = lines[39].replace(b'"case":"', b'"case":"X', 1)
    return b"".join(lines)


DAMAGES = {
    "journal cut": ("journal.jsonl", cut(0.5), r"journal\.jsonl"),
    "journal changed in line 40": ("journal.jsonl", verdict_of_line_40, r"journal\.jsonl:(40|41)\b"),
    "exchanges cut": ("exchanges.warc.gz", cut(0.5), r"exchanges\.warc\.gz"),
    "one bit of the exchanges": ("exchanges.warc.gz", one_bit, r"exchanges\.warc\.gz.*\(octet \d+\)"),
    "verdicts changed": (
        "verdicts.json", lambda b: b.replace(b'"inconclusive": 0', b'"inconclusive": 1'), "verdicts.json"
    ),
    "suite changed": ("suite.json", lambda b: b.replace(b"droits", b"devoir", 1), "suite.json"),
    "declaration changed": ("sut.json", lambda b: b.replace(b"1.0", b"2.0", 1), "sut.json"),
    "run.json changed": ("run.json", lambda b: b.replace(b'"pass"', b'"fail"', 1), "run.json"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_evidence_is_located_and_nothing_is_certified(
    name: str, call: Call, copied: Path, certificate: Path, practice: Practice
) -> None:
    file, change, place = DAMAGES[name]
    spoil(copied / file, change)
    again = call("rejudge", copied)
    assert again.code == 4, again
    assert re.search(place, again.out + again.err), again
    refused = call("certify", copied, "--out", copied.parent / "second.xml")
    assert refused.code != 0
    assert "Traceback" not in again.err + refused.err
    assert re.search(place, refused.err), refused.err
    assert not (copied.parent / "second.xml").exists()
    seen = call("verify", certificate, "--authority", practice.pki.authority, "--run", copied)
    assert seen.code == 1
    assert "✗ Preuves" in seen.out
    assert seen.out.splitlines()[-1] == "Document REFUSÉ."


def test_a_run_folder_without_its_suite(call: Call, copied: Path) -> None:
    (copied / "suite.json").unlink()
    for argv in (["rejudge", copied], ["report", copied, "--out", "bilan.html"], ["certify", copied]):
        told = call(*argv)
        assert told.code in (1, 2, 4)
        assert "Traceback" not in told.err
        assert "suite.json" in told.out + told.err


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_certificate_that_was_cut(
    share: float, call: Call, certificate: Path, practice: Practice, tmp_path: Path
) -> None:
    shutil.copy(certificate, tmp_path / "c.xml")
    spoil(tmp_path / "c.xml", cut(share))
    told = call("verify", "c.xml", "--authority", practice.pki.authority)
    assert told.code == 1
    assert told.err == ""
    assert told.out.splitlines()[-1] == "Document REFUSÉ."


def test_a_certificate_whose_text_was_changed(
    call: Call, certificate: Path, practice: Practice, tmp_path: Path
) -> None:
    shutil.copy(certificate, tmp_path / "c.xml")
    spoil(tmp_path / "c.xml", lambda content: content.replace(b"Nom du produit", b"Autre produit", 1))
    told = call("verify", "c.xml", "--authority", practice.pki.authority)
    assert told.code == 1
    assert "✗ Signature" in told.out
    assert "Nom du produit" not in told.out, "nothing is said of a content that nobody sealed"


def test_certificates_that_cannot_be_looked_at(call: Call, practice: Practice, tmp_path: Path) -> None:
    authority = practice.pki.authority
    refusal(call("verify", tmp_path / "absent.xml", "--authority", authority), 2, "absent.xml", "ne peut pas être lu")
    (tmp_path / "c.xml").write_text("<a/>", encoding="utf-8")
    refusal(call("verify", tmp_path / "c.xml"), 2, "Aucune autorité n’est indiquée", "--authority")
    refusal(call("verify", tmp_path / "c.xml", "--authority", tmp_path / "no.pem"), 2, "no.pem")
    refusal(call("certify", tmp_path / "no-run", "--seal", authority), 2, "n'est pas un dossier d'exécution")


def test_a_seal_without_its_certificate(call: Call, complete_run: CompleteRun, practice: Practice) -> None:
    told = call("certify", complete_run.folder, "--seal", practice.pki.key("seal"))
    refusal(told, 2, "--seal demande --seal-certificate")


def test_resuming_what_cannot_be_resumed(
    call: Call, copied: Path, sut: Path, practice: Practice, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in copied.iterdir() if path.is_file()}
    finished = call("run", "--sut", sut, "--out", copied, "--resume")
    assert finished.code == 0, "a finished run is not run again: its result is said"
    assert before[copied / "journal.jsonl"] == (copied / "journal.jsonl").read_bytes()
    other = tmp_path / "other.yaml"
    other.write_text(sut.read_text(encoding="utf-8").replace("ICS-CLC: yes", "ICS-CLC: no"), encoding="utf-8")
    told = call("run", "--sut", other, "--out", copied, "--resume")
    refusal(told, 2, str(copied), "une autre suite, sélection ou version", "lancez une nouvelle exécution")
    told = call("run", "--sut", sut, "--out", copied, "--resume", "--select", "VIL-S-003")
    refusal(told, 2, "une autre suite, sélection ou version")
    refusal(call("run", "--sut", sut, "--out", tmp_path / "nothing", "--resume"), 2, str(tmp_path / "nothing"))
    assert before[copied / "journal.jsonl"] == (copied / "journal.jsonl").read_bytes()


# -- messages ------------------------------------------------------------------------------------------------

BIG = 50 * 1024 * 1024
MESSAGES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty": (b"", ("Le XML est mal formé",)),
    "binary": (gzip.compress(b"<a/>"), ("ni en UTF-8 ni en UTF-16",)),
    "HTML": (b"<!DOCTYPE html><html><body><p>Erreur 502<br></body></html>", ("DOCTYPE",)),
    "JSON": (json.dumps({"nir": "1"}).encode(), ("XML",)),
    "DOCTYPE": (b'<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY b "c">]>\n<a>&b;</a>', ("DOCTYPE",)),
    "a file of the disk": (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>', ("DOCTYPE",)),
    "cut": (f'<s:Envelope xmlns:s="{SOAP}"><s:Body>'.encode(), ("XML",)),
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?><a/>', ("UTF-7",)),
    "of no norm": (f'<s:Envelope xmlns:s="{SOAP}"><s:Body><a/></s:Body></s:Envelope>'.encode(), ("norme",)),
    "deep": (b"<a>" * 5000 + b"</a>" * 5000, ("niveaux",)),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_that_is_none(name: str, call: Call, tmp_path: Path) -> None:
    content, words = MESSAGES[name]
    file = tmp_path / "message.xml"
    file.write_bytes(content)
    told = call("check", file)
    said = told.out + told.err
    assert told.code == 1, told
    assert "Traceback" not in said
    assert said.startswith(str(file)), said
    assert all(word in said for word in words), said
    assert len(said) < 1000


def test_a_message_of_50_megabytes(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "message.xml"
    with file.open("wb") as stream:
        stream.write(f'<s:Envelope xmlns:s="{SOAP}"><s:Body><a>'.encode())
        stream.seek(BIG)
        stream.write(b"</a></s:Body></s:Envelope>")
    told = call("check", file)
    assert told.code == 1
    assert str(file) in told.out
    assert "Traceback" not in told.out + told.err
    assert re.search(r"octets|gros|volumineu", told.out), told.out


def test_messages_that_are_not_there(call: Call, tmp_path: Path) -> None:
    refusal(call("check", tmp_path / "absent.xml"), 2, "absent.xml")
    (tmp_path / "empty").mkdir()
    told = call("check", tmp_path / "empty")
    assert told.code != 0, "nothing was checked: that is no success"
    assert "Traceback" not in told.out + told.err
    assert told.out + told.err
    message = load("ville/1.1").root / "messages" / "IDB.request.xml"
    refusal(call("check", message, "--norm", "ville/7"), 2, "« ville/7 »")
    refusal(call("check", message, "--message", "IDBB"), 2, "« IDBB » est inconnu", "« IDB »")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs a folder that the user may not read")
def test_files_that_may_not_be_read(call: Call, practice: Practice, tmp_path: Path) -> None:
    file = practice.declared(tmp_path / "sut.yaml")
    file.chmod(0)
    refusal(call("run", "--sut", file), 2, str(file), "ne peut pas être lu")
