"""What differs between two norms, as people read it: their language, once for what repeats, no noise of numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_norm import EMPRUNT_XSD, FILES, write_norms

from norms.diff import diff
from norms.diff_text import sections
from norms.difference import Change, NormDiff, Subject, renumbered
from norms.i18n import speaking
from norms.loader import load
from norms.model import Text

EMP = "emprunt/1.0/"
TITLES: dict[Subject, dict[str, Text]] = {
    "requirement": {"EMP-004": Text("Le système DEVRAIT nommer le livre.", "Names the book.")},
    "profile": {"ENFANT": Text("Enfants", "Children")},
    "rule": {"R-001": Text("Le retour suit l'emprunt.")},
}


def said(*changes: Change, lang: str = "fr") -> list[str]:
    found = NormDiff("emprunt/1.0", "emprunt/1.1", "", "", changes, TITLES)
    with speaking(lang):
        return [sentence for section in sections(found) for sentence in section.sentences]


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("1.0", "1.1", True),
        ("urn:test:emprunt:1.0", "urn:test:emprunt:1.1", True),
        ('<a xmlns="urn:x:1.0" xmlns:b="urn:commun:1.0"/>', '<a xmlns="urn:x:1.1" xmlns:b="urn:commun:1.0"/>', True),
        ('<e:Demande Version="1.0"> <!-- --> </e:Demande>', '<e:Demande Version="1.1"> <!-- --> </e:Demande>', True),
        ("<Montant>1.0</Montant>", "<Montant>1.1</Montant>", False),
        ("/emprunt", "/emprunt/1.1", False),
        ("/emprunt/1.0", "/pret/1.1", False),
        ("<a>1</a>", "<a>1</a>\n", False),
        ("/emprunt", "/emprunt", False),
    ],
)
def test_a_text_that_differs_by_the_number_of_the_version_only(old: str, new: str, same: bool) -> None:
    assert renumbered(old, new, "emprunt/1.0", "emprunt/1.1") is same


def test_addresses_and_actions_with_another_number_are_one_sentence() -> None:
    numbers = [
        Change("service", "changed", kind, field, f"/{kind}/{field}/1.0", f"/{kind}/{field}/1.1")
        for kind in ("EMP", "RET")
        for field in ("path", "request.action")
    ]
    moved = Change("service", "changed", "RET", "operation", "rendre", "rapporter")
    assert said(*numbers, moved) == [
        "Le service RET change : « opération » passe de « rendre » à « rapporter ».",
        "Services EMP, RET – ne change que le numéro de version dans : chemin, action de la demande.",
    ]


def test_what_both_languages_change_is_said_in_the_reader_s() -> None:
    both = (
        Change("requirement", "changed", "EMP-004", "text.fr", "Il DOIT saluer.", "Il DOIT nommer le livre."),
        Change("requirement", "changed", "EMP-004", "text.en", "Greets.", "Names the book."),
    )
    french = "L'exigence EMP-004 dit désormais : Il DOIT nommer le livre. Elle disait : Il DOIT saluer."
    assert said(*both) == [french]
    (english,) = said(*both, lang="en")
    assert "Names the book." in english and "nommer" not in english
    assert said(both[0], lang="en") != [] != said(both[1])


def test_the_reader_is_told_what_an_id_stands_for() -> None:
    level = Change("requirement", "changed", "EMP-004", "level", "SHOULD", "MUST")
    check = [Change("rule", "changed", "R-001", field, "a", "b") for field in ("test", "context")]
    come = Change("profile", "added", "ENFANT", after="Enfants")
    assert said(level) == [
        "L'exigence EMP-004 (« Le système DEVRAIT nommer le livre. ») change : "
        "« niveau » passe de « SHOULD » à « MUST »."
    ]
    assert said(*check) == [
        "La règle R-001 (« Le retour suit l'emprunt. ») est vérifiée autrement : « test » passe de « a » à « b », "
        "« contexte » passe de « a » à « b »."
    ]
    assert "Children" in said(come, lang="en")[0]


def test_a_rule_that_says_something_else_is_not_told_in_expressions() -> None:
    changes = [Change("rule", "changed", "R-001", field, f"{field} a.", f"{field} b.") for field in ("test", "text")]
    assert said(*changes) == ["La règle R-001 dit désormais : text b. Elle disait : text a."]


def test_many_codes_and_many_files_are_one_sentence_each() -> None:
    codes = [Change("code", "added", code, after=f"Acte {code} (…)", within="actes") for code in "ABCD"]
    files = [Change("file", "changed", f"messages/{name}.xml") for name in "ABCD"]
    numbered = Change("file", "changed", "wsdl/e.wsdl", "version")
    assert said(*codes) == [
        "La table actes a 4 codes de plus : A – Acte A (…), B – Acte B (…), C – Acte C (…), D – Acte D (…)."
    ]
    assert len(said(*codes[:3])) == 3
    assert said(*files, numbered) == [
        "Dans messages/, 4 fichiers ont changé.",
        "Dans wsdl/, 1 fichier(s) ne changent que de numéro de version.",
    ]


def test_presence_and_content_of_elements_are_said_in_words() -> None:
    assert said(
        Change("element", "changed", "e:A/e:B", "occurs", "1..1", "0..1"),
        Change("element", "added", "e:A/@c", after="use required, datatype xs:string, pattern [a, b]+, maxLength 3"),
    ) == [
        "e:A/e:B, obligatoire, devient facultatif.",
        "e:A/@c est nouveau (obligatoire, type de donnée xs:string, motif [a, b]+, longueur maximale 3).",
    ]


def test_an_element_of_the_same_content_takes_the_place_of_another(tmp_path: Path) -> None:
    renamed = EMPRUNT_XSD.replace('name="Lecteur"', 'name="Abonne"')
    before, after = (
        load("emprunt/1.0", [write_norms(tmp_path / side, {EMP + "schema/emprunt.xsd": text})])
        for side, text in (("a", EMPRUNT_XSD), ("b", renamed))
    )
    assert diff(before, after).changes == (
        Change("element", "changed", "e:Demande/e:Lecteur", "name", "e:Lecteur", "e:Abonne"),
    )
    both = renamed.replace('name="Debut"', 'name="Du"').replace('name="Fin"', 'name="Au"')
    ambiguous = load("emprunt/1.0", [write_norms(tmp_path / "c", {EMP + "schema/emprunt.xsd": both})])
    assert {change.kind for change in diff(after, ambiguous).changes} == {"added", "removed"}


def test_a_claim_tells_the_requirements_that_it_gains_and_loses(tmp_path: Path) -> None:
    claims = FILES[EMP + "ics.csv"]
    assert claims.rstrip().endswith("EMP-003")
    before = load("emprunt/1.0", [write_norms(tmp_path / "a")])
    swapped = {EMP + "ics.csv": claims.rstrip().removesuffix("EMP-003") + "EMP-001 EMP-004\n"}
    found = diff(before, load("emprunt/1.0", [write_norms(tmp_path / "b", swapped)]))
    assert [sentence for section in sections(found) for sentence in section.sentences] == [
        "La question ICS-A porte en plus sur : EMP-001, EMP-004.",
        "La question ICS-A ne porte plus sur : EMP-003.",
    ]


def test_two_bundled_versions_beside_each_other() -> None:
    """What the later one brought can be read: no address, no pair of languages, no file for each number."""
    found = diff(load("ville/1.0"), load("ville/1.1"))
    sentences = [sentence for section in sections(found) for sentence in section.sentences]
    assert not [sentence for sentence in sentences if "urn:" in sentence or "anglais" in sentence]
    for part in (
        "Le profil SF est nouveau : Sages-femmes.",
        "L'exigence VIL-CLC-011 est nouvelle",
        "clc:Engagement/clc:DateFin cède la place à clc:DateExpiration",
        "Le code 001 de la table formules est clos : son dernier jour est le 2018-06-30.",
        "idb:ReponseIDB/idb:PeriodeDroits/idb:Fin, obligatoire, devient facultatif.",
        "La table prestations a 22 codes de plus : SF – Acte de sage-femme",
    ):
        assert any(part in sentence for sentence in sentences), part
    assert len(sentences) < len(found.changes) / 2
