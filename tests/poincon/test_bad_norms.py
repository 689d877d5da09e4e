"""Norm folders and scenarios with a mistake: the file and line of the mistake, in French; no traceback."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from clumsy import PAGE, refusal
from front_doors import Call

from norms.loader import load


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
