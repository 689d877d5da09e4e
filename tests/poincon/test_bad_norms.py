"""Norm folders and scenarios with a mistake: the file and line of the mistake, in French; no traceback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
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


FIRST = "IDB;Information sur les droits du bénéficiaire;2017-01-01;;rapport d'activité"
SCHEMA = "../schema/annuaire.xsd"

NORMS = {
    "missing column": Broken(
        "requirements.csv", "id;section;level;severity;", "id;section;level;",
        ("La colonne « severity » manque", "id;section;level;severity"), "id;section;level",
    ),
    "missing column of a code table": Broken(
        "codes/services.csv", "valid_from;", "", ("La colonne « valid_from » manque",), "code;libelle"
    ),
    "column that a rule looks up": Broken(
        "rules/adr.sch", "p:in-table(code_type_convention, 'types-convention', ../requete/date_demande)",
        "p:attr('types-convention', code_type_convention, 'duree') = '1'",
        ("La table « types-convention » n'a pas de colonne « duree »",), "'duree'",
    ),
    "table that a rule looks up": Broken(
        "rules/adr.sch", "'types-convention'", "'types-conventions'",
        ("La table de codes « types-conventions » n'existe pas", "« types-convention »"), "'types-conventions'",
    ),
    "column that a decision looks up": Broken(
        "simulator/decisions.yaml", "'codes-resultat', $code, 'libelle'", "'codes-resultat', $code, 'intitule'",
        ("La table « codes-resultat » n'a pas de colonne « intitule »",), "'intitule'",
    ),
    "requirement defined twice": Broken(
        "requirements.csv", "\nANN-GEN-002;", "\nANN-GEN-001;", ("« ANN-GEN-001 » est défini deux fois", "ligne 2"),
        "ANN-GEN-001;1.1;MUST;majeure",
    ),
    "value of a product defined twice": Broken(
        "ixit.csv", "lps_non_autorise;", "lps_autorisation;", ("« lps_autorisation » est défini deux fois",),
        "lps_autorisation;Numéro d'autorisation bien formé",
    ),
    "rule defined twice": Broken(
        "rules/adr.sch", 'id="R-ANN-ADR-002"', 'id="R-ANN-ADR-001"',
        ("« R-ANN-ADR-001 » est défini deux fois", "ligne 13"), "test=\"not(domaine_conventionnel)",
    ),
    "fault defined twice": Broken(
        "simulator/faults.yaml", "id: F-ADR-02", "id: F-ADR-01", ("« F-ADR-01 » est écrit deux fois",),
        "Ne compare pas le service",
    ),
    "rule without a requirement": Broken(
        "rules/adr.sch", ' role="ANN-LPS-003"', "", ("R-ANN-ADR-001", "ne cite pas d'exigence"),
        "p:in-table(code_type_convention",
    ),
    "fault of an unknown requirement": Broken(
        "simulator/faults.yaml", "requirement: ANN-ADR-004", "requirement: ANN-ADR-094",
        ("L'exigence « ANN-ADR-094 » n'existe pas", "« ANN-ADR-0"), "id: F-ADR-01",
    ),
    "fault with an unknown consequence": Broken(
        "simulator/faults.yaml", "consequences: [ANN-GEN-008]", "consequences: [ANN-GEN-080]",
        ("L'exigence « ANN-GEN-080 » n'existe pas",), "id: F-ADR-05",
    ),
    "overlapping periods of a code": Broken(
        "codes/services.csv", FIRST, f"{FIRST}\nIDB;Droits;2030-01-01;;nous",
        ("« IDB » a deux périodes qui se chevauchent", "ligne 2"), "IDB;Droits;2030",
    ),
    "period that ends before it begins": Broken(
        "codes/services.csv", FIRST, FIRST.replace("2017-01-01;;", "2017-01-01;2016-12-31;"),
        ("« IDB » finit avant de commencer",), "2016-12-31",
    ),
    "date that is none": Broken(
        "codes/services.csv", FIRST, FIRST.replace("2017-01-01", "01/01/2017"),
        ("« 01/01/2017 » n'est pas une date", "AAAA-MM-JJ"), "01/01/2017",
    ),
    "schema from the network": Broken(
        "schema/annuaire.xsd", "</xs:schema>",
        '<xs:redefine schemaLocation="https://exemple.fr/x.xsd"/></xs:schema>',
        ("« https://exemple.fr/x.xsd » est hors du dossier des normes",), "xs:redefine",
    ),
    "schema outside of the norms": Broken(
        "schema/annuaire.xsd", "</xs:schema>",
        '<xs:include schemaLocation="../../../../../x.xsd"/></xs:schema>',
        ("« ../../../../../x.xsd » est hors du dossier des normes",), "xs:include",
    ),
    "description that names the network": Broken(
        "wsdl/Annuaire.wsdl", SCHEMA, "http://exemple.fr/annuaire.xsd",
        ("« http://exemple.fr/annuaire.xsd » est hors du dossier des normes",), "http://exemple.fr/annuaire.xsd",
    ),
    "description that names a file outside of the norms": Broken(
        "wsdl/Annuaire.wsdl", SCHEMA, "../../../../../annuaire.xsd", ("est hors du dossier des normes",),
        "../../../../../annuaire.xsd",
    ),
    "description that names a missing schema": Broken(
        "wsdl/Annuaire.wsdl", SCHEMA, "../schema/absent.xsd", ("« ../schema/absent.xsd » n'existe pas",), "absent.xsd"
    ),
    "rule that reads another document": Broken(
        "rules/adr.sch", "not(. = preceding-sibling::item)", "document('http://exemple.fr/x')",
        ("La fonction « document » n'existe pas",), "document(",
    ),
    "quote that nothing closes": Broken(
        "requirements.csv", ";Answers every request", ';"Answers every request',
        ("un guillemet est mal placé ou n'est pas refermé",), "ANN-GEN-001;",
    ),
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
        ("R-ANN-ADR-001", "« ANN-LPS-999 »", "« ANN-LPS-0"),
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
    (sentence,) = [text for text in said.splitlines() if ": erreur : " in text or text.startswith("poincon: ")]
    assert place in sentence
    assert not [word for word in NORMS[name].words if word not in sentence], sentence


HABITS: dict[str, Callable[[str], str]] = {
    "byte order mark": lambda text: "\ufeff" + text,
    "line ends of another system": lambda text: text.replace("\n", "\r\n"),
    "every cell quoted": lambda text: "".join(
        ";".join(f'"{cell}"' for cell in row.split(";")) + "\n" for row in text.splitlines()
    ),
    "empty rows": lambda text: text.replace("\n", "\n\n", 2) + "\n;;;\n   \n",
    "empty columns at the end": lambda text: text.replace("\n", ";;;\n"),
}


@pytest.mark.parametrize("name", HABITS)
def test_habits_of_spreadsheets_are_harmless(name: str, call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "annuaire" / "1.0"
    copy_norm(folder)
    before = call("norms", "check", folder)
    for file in ("requirements.csv", "ixit.csv", "codes/services.csv"):
        path = folder / file
        path.write_bytes(HABITS[name](path.read_text(encoding="utf-8")).encode())
    after = call("norms", "check", folder)
    assert before.code == after.code == 0, after
    assert ": erreur : " not in after.out


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
