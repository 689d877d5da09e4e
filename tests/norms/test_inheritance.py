"""What a norm has from the norms of `uses`, and what it may say otherwise."""

from __future__ import annotations

from pathlib import Path

from tiny_norm import FILES, NORM, SOCLE, write_norms

from norms.checker import check_norm
from norms.loader import load
from norms.model import Norm

SHARED = (
    SOCLE
    + """\
security: signe
rounding: {mode: down, places: 3}
fill:
  "//e:Lecteur": "${inconnu}"
  "//e:Debut": "${today}"
default_given: personne
reading:
  result: "/autre"
  action: "/soap:Envelope/soap:Header/e:Action"
always:
  - {requirement: SOC-001, check: answered}
"""
)
REQUIREMENTS = FILES["emprunt/1.0/requirements.csv"].splitlines()[0] + (
    "\nSOC-001;1;MUST;bloquante;server;;Le système DOIT répondre.;;\n"
    "SOC-002;1;MUST;majeure;server;;Le système DOIT servir.;;\n"
)
CHANGES = {
    "socle/1.0/norm.yaml": SHARED,
    "socle/1.0/requirements.csv": REQUIREMENTS,
    "socle/1.0/ics.csv": "id;question_fr;status;requirements\nICS-A;Autre ?;optional;\nICS-B;B ?;optional;SOC-002\n",
    "socle/1.0/ixit.csv": "name;question_fr;example;secret\ncode;Autre ?;99;non\ncle;Clé ?;1;non\n",
}


def inherited(root: Path, **replaced: str) -> Norm:
    norm = NORM.replace("security: signe\n", "").replace("rounding: {mode: half-up, places: 2}\n", "")
    for old, new in replaced.items():
        norm = norm.replace(old, new)
    write_norms(root, {**CHANGES, "emprunt/1.0/norm.yaml": norm})
    return load("emprunt/1.0", [root])


def test_single_values_are_the_nearest_ones(tmp_path: Path) -> None:
    norm = inherited(tmp_path)
    assert norm.security.name == "signe"
    assert (norm.rounding.mode, norm.rounding.places) == ("down", 3)
    assert norm.default_given == "lecteurs"
    assert norm.reading.result == "/soap:Envelope/soap:Body/*/e:Code"
    assert load("emprunt/1.0", [write_norms(tmp_path, {"emprunt/1.0/norm.yaml": NORM})]).rounding.places == 2


def test_maps_are_merged_and_the_own_key_wins(tmp_path: Path) -> None:
    norm = inherited(tmp_path)
    assert norm.fill == {"//e:Lecteur": "${lecteur}", "//e:Debut": "${today}"}
    assert [(claim.id, claim.question) for claim in norm.claims] == [("ICS-A", "Vend-il ?"), ("ICS-B", "B ?")]
    assert [(value.name, value.example) for value in norm.extra_values] == [("code", "12"), ("cle", "1")]


def test_lists_are_added(tmp_path: Path) -> None:
    norm = inherited(tmp_path)
    assert [item.requirement for item in norm.always] == ["SOC-001", "EMP-001"]
    assert [item.id for item in norm.requirements] == ["EMP-001", "EMP-002", "EMP-003", "EMP-004"]
    assert [item.id for item in norm.all_requirements][-2:] == ["SOC-001", "SOC-002"]


def test_inherited_obligations_are_tested_where_there_is_a_service(tmp_path: Path) -> None:
    inherited(tmp_path)
    cited = frozenset({"EMP-001", "EMP-003"})
    found = [(problem.file.parent.parent.name, problem.line) for problem in check_norm("emprunt/1.0", cited, [tmp_path])
             if "citée par aucune" in problem.sentence]  # fmt: skip
    assert found == [("socle", 3)]
    assert not [one for one in check_norm("socle/1.0", frozenset(), [tmp_path]) if "citée" in one.sentence]


def test_an_inherited_rule_needs_its_examples_in_the_norm_that_uses_it(tmp_path: Path) -> None:
    rule = FILES["emprunt/1.0/rules/emprunt.sch"].replace("R-00", "R-10").replace("EMP-00", "SOC-00")
    rule = rule.replace('role="SOC-003"', 'role="SOC-001"')
    inherited(tmp_path)
    (tmp_path / "socle/1.0/rules").mkdir()
    (tmp_path / "socle/1.0/rules/socle.sch").write_text(rule, encoding="utf-8")
    missing = [
        one.sentence for one in check_norm("emprunt/1.0", None, [tmp_path]) if "invalide n'enfreint" in one.sentence
    ]
    assert [sentence.split("« ")[1] for sentence in missing] == ["R-101 ».", "R-102 »."]
    assert not [one for one in check_norm("socle/1.0", None, [tmp_path]) if "exemple" in one.sentence]
