from __future__ import annotations

from pathlib import Path

import pytest
from tiny_norm import (
    EMPRUNT_XSD,
    IMPOSSIBLE_XSD,
    NORM,
    REQUEST_MESSAGE,
    REQUIREMENTS,
    RESPONSE_MESSAGE,
    RULES,
    SOCLE,
    WSDL,
    write_norms,
)

from norms.checker import NOT_TESTED_REASONS, check_norm
from norms.digest import MANIFEST, manifest
from norms.norm_problem import NormProblem

ALL = frozenset({"EMP-001", "EMP-002", "EMP-003"})
OWN = "emprunt/1.0/"


def check(
    root: Path, changes: dict[str, str | None] | None = None, cited: frozenset[str] | None = ALL
) -> list[NormProblem]:
    write_norms(root / "norms", {f"{OWN}{name}": text for name, text in (changes or {}).items()})
    return check_norm(root / "norms" / "emprunt" / "1.0", cited, [])


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_complete_norm_has_no_problem(tmp_path: Path) -> None:
    assert check(tmp_path) == []


def test_parent_alone_has_no_problem(tmp_path: Path) -> None:
    assert check_norm("socle/1.0", frozenset(), [write_norms(tmp_path)]) == []


def many(count: int, excused: int) -> str:
    rows = [
        f"EMP-1{n:02d};1;MUST;mineure;server;;Le système DOIT.;;{'organisationnel' if n < excused else ''}\n"
        for n in range(count)
    ]
    return REQUIREMENTS + "".join(rows)


PROBLEMS: list[tuple[dict[str, str | None], str, str]] = [
    # (files changed, file of the problem, words of its sentence)
    ({"norm.yaml": replaced(NORM, ("id: emprunt", "id: pret"))}, "norm.yaml", "« pret/1.0 »"),
    ({"norm.yaml": "id: [\n"}, "norm.yaml", "YAML"),
    ({"schema/emprunt.xsd": replaced(EMPRUNT_XSD, ('"s:Isbn"', '"s:X"'))}, "emprunt.xsd", "libxml2 refuse"),
    ({"schema/emprunt.xsd": IMPOSSIBLE_XSD}, "norm.yaml", "xmlschema refuse"),
    ({"norm.yaml": replaced(NORM, ('"e:Reponse"', '"e:Repons"'))}, "norm.yaml", "« e:Repons » n'est déclaré"),
    ({"messages/EMP.response.xml": None}, "EMP.response.xml", "message canonique manque"),
    ({"messages/EMP.response.xml": REQUEST_MESSAGE}, "EMP.response.xml", "n'est pas le message que dit le nom"),
    ({"messages/EMP.request.xml": replaced(REQUEST_MESSAGE, ("1234", "x"))}, "EMP.request.xml", "n'a pas la forme"),
    ({"examples/valid/a.xml": "<a"}, "a.xml", "mal formé"),
    ({"wsdl/emprunt.wsdl": None}, "emprunt.wsdl", "WSDL de EMP manque"),
    ({"wsdl/emprunt.wsdl": "<a"}, "emprunt.wsdl", "mal formé"),
    ({"wsdl/emprunt.wsdl": replaced(WSDL, ('operation name="emprunter"', 'operation name="preter"'))},
     "emprunt.wsdl", "ne définit pas l'opération"),
    ({"wsdl/emprunt.wsdl": replaced(WSDL, ('soapAction="urn:emprunter"', 'soapAction="urn:x"'))},
     "emprunt.wsdl", "« urn:x »"),
    ({"wsdl/emprunt.wsdl": WSDL.replace("soap12", "soap")},
     "emprunt.wsdl", "pas de liaison SOAP 1.2"),
    ({"wsdl/emprunt.wsdl": replaced(WSDL, ("<portType", '<import location="../../../../x.wsdl"/><portType'))},
     "emprunt.wsdl", "hors du dossier"),
    ({"wsdl/emprunt.wsdl": replaced(WSDL, ("<portType", '<import location="x.wsdl"/><portType'))},
     "emprunt.wsdl", "n'existe pas"),
    ({"codes/genres.csv": "code;libelle;valid_from;valid_to\nB;x;;\nB;y;;\n"}, "genres.csv", "se chevauchent"),
    ({"norm.yaml": replaced(NORM, ("//e:Lecteur", "//e:Lecteurr"))}, "norm.yaml", "ne désigne rien"),
    ({"norm.yaml": replaced(NORM, ("//e:Lecteur", "//x:Lecteur"))}, "norm.yaml", "préfixe « x »"),
    ({"norm.yaml": replaced(NORM, ("/*/e:Code", "/*[e:Code"))}, "norm.yaml", "ne se lit pas"),
    ({"norm.yaml": replaced(NORM, ("security: signe\n", ""))}, "norm.yaml", "pas de profil « security »"),
    ({"rules/emprunt.sch": replaced(RULES, ("EMP-002", "EMP-222"))}, "emprunt.sch", "l'exigence inconnue « EMP-222 »"),
    ({"rules/emprunt.sch": replaced(RULES, (' test="p:days', ' teste="p:days'))}, "emprunt.sch", "« teste »"),
    ({"rules/emprunt.sch": replaced(RULES, ('prefix="e"', 'prefix="s"'), ("e:Demande", "s:Demande"), ("e:Debut", "s:D"),
                                    ("e:Fin", "s:F"), ("e:Fin", "s:F"), ("e:Reponse[e:Total]", "s:R"),
                                    ("e:Total", "s:T"), ("e:Ligne", "s:L"))},
     "emprunt.sch", "n'y désigne pas le même espace de noms"),
    ({"rules/autre.sch": RULES}, "emprunt.sch", "aussi définie dans autre.sch"),
    ({"examples/invalid/R-001--retour-avant.xml": None},
     "emprunt.sch", "Aucun exemple invalide n'enfreint la règle « R-001 »"),
    ({"messages/EMP.response.xml": replaced(RESPONSE_MESSAGE, ("<e:Total>3.30</e:Total>", ""))},
     "emprunt.sch", "Aucun exemple valide n'exerce la règle « R-002 »"),
    ({"examples/invalid/R-001--retour-avant.xml": REQUEST_MESSAGE},
     "R-001--retour-avant.xml", "n'enfreint pas la règle"),
    ({"examples/invalid/R-001--retour-avant.xml":
        replaced(REQUEST_MESSAGE, ("2026-02-01", "2025-02-01"), ("1234", "x"))},
     "R-001--retour-avant.xml", "doit n'enfreindre que « R-001 »"),
    ({"examples/invalid/R-001--retour-avant.xml": "<a"}, "R-001--retour-avant.xml", "mal formé"),
    ({"examples/invalid/R-009--x.xml": REQUEST_MESSAGE}, "R-009--x.xml", "n'est pas une règle"),
    ({"requirements.csv": replaced(REQUIREMENTS, ("ICS-A", "ICS-B"))}, "requirements.csv", "« ICS-B »"),
    ({"requirements.csv": replaced(REQUIREMENTS, ("DOIT répondre", "répond"))},
     "requirements.csv", "ne dit pas « DOIT »"),
    ({"requirements.csv": replaced(REQUIREMENTS, ("livre.;;", "livre.;;paresse"))}, "requirements.csv", "« paresse »"),
    ({"requirements.csv": replaced(REQUIREMENTS, ("répondre.;;", "répondre.;;non-observable"))},
     "requirements.csv", "est testée et dit pourquoi"),
    ({"requirements.csv": many(1, 0)}, "requirements.csv", "« EMP-100 » n'est citée par aucune"),
    ({"requirements.csv": many(2, 2)}, "requirements.csv", "2 exigences MUST sur 4"),
    ({"requirements.csv": many(17, 3)}, "requirements.csv", "3 exigences MUST sur 19"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "file", "words"), PROBLEMS)
def test_problem_is_found_in_its_file(tmp_path: Path, changes: dict[str, str | None], file: str, words: str) -> None:
    found = check(tmp_path, changes)
    assert any(problem.file.name == file and words in problem.sentence for problem in found), [
        str(one) for one in found
    ]


def test_fill_may_write_what_only_the_message_of_a_robot_holds(tmp_path: Path) -> None:
    changes: dict[str, str | None] = {
        "norm.yaml": replaced(NORM, ("//e:Lecteur", "//e:Second")),
        "simulator/conduct.yaml": "messages: {EMP: requests/EMP.xml}\n",
        "simulator/requests/EMP.xml": REQUEST_MESSAGE.replace("e:Lecteur", "e:Second"),
    }
    assert not any("ne désigne rien" in problem.sentence for problem in check(tmp_path, changes))


def test_one_must_in_ten_may_be_excused(tmp_path: Path) -> None:
    cited = ALL | {f"EMP-1{n:02d}" for n in range(2, 18)}
    assert check(tmp_path, {"requirements.csv": many(18, 2)}, cited) == []


def test_unknown_citations_are_not_held_against_a_must(tmp_path: Path) -> None:
    assert check(tmp_path, {"requirements.csv": many(1, 0)}, None) == []


def test_problem_names_the_line(tmp_path: Path) -> None:
    (problem,) = check(tmp_path, {"requirements.csv": many(1, 0)})
    assert (problem.line, problem.severity) == (6, "error")
    assert NOT_TESTED_REASONS[0] in problem.remedy
    assert str(problem).startswith(f"{problem.file}:6: ")


def publish(root: Path) -> Path:
    """Write the norm as published, with its manifest; return its folder."""
    changes: dict[str, str | None] = {
        f"{OWN}norm.yaml": replaced(NORM, ("status: draft", "status: published")),
        "socle/1.0/norm.yaml": replaced(SOCLE, ("status: draft", "status: published")),
    }
    for name in ("socle", "emprunt"):
        folder = write_norms(root / "norms", changes) / name / "1.0"
        (folder / MANIFEST).write_text(manifest(folder), encoding="utf-8", newline="")
    return folder


def test_published_norm_is_as_its_manifest_says(tmp_path: Path) -> None:
    folder = publish(tmp_path)
    assert check_norm(folder, ALL, []) == []
    (folder / "ixit.csv").write_text("name;question_fr;example;secret\n", encoding="utf-8")
    (folder / "simulator" / "faults.yaml").write_text("[x]\n", encoding="utf-8")
    (problem,) = check_norm(folder, ALL, [])
    assert (problem.file.name, problem.sentence) == ("ixit.csv", "Le fichier a changé depuis la publication.")


def test_requirement_may_await_its_suite_in_a_draft_only(tmp_path: Path) -> None:
    waiting = REQUIREMENTS.replace("retour.;;", "retour.;;suite-a-venir")
    rules = RULES.replace("EMP-002", "EMP-003")
    draft = check(tmp_path, {"requirements.csv": waiting, "rules/emprunt.sch": rules}, frozenset({"EMP-001"}))
    assert [(problem.severity, problem.line) for problem in draft] == [("warning", 3)]
    published = check(
        tmp_path,
        {"norm.yaml": NORM.replace("draft", "published"), "requirements.csv": waiting, "rules/emprunt.sch": rules},
        frozenset({"EMP-001"}),
    )
    assert ("error", 3) in [(problem.severity, problem.line) for problem in published]


def test_published_norm_needs_its_manifest_and_published_parents(tmp_path: Path) -> None:
    folder = publish(tmp_path)
    (folder / MANIFEST).unlink()
    (tmp_path / "norms" / "socle" / "1.0" / "norm.yaml").write_text(SOCLE, encoding="utf-8")
    sentences = [problem.sentence for problem in check_norm(folder, ALL, [])]
    assert len(sentences) == 2
    assert "socle/1.0" in sentences[0]
    assert "manifeste" in sentences[1]


def test_folder_without_norm_is_a_problem(tmp_path: Path) -> None:
    (problem,) = check_norm(tmp_path)
    assert "norm.yaml" in problem.sentence
