"""Rules over a whole case as data of a norm: read, frozen, checked with their examples, and used on files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from lxml import etree
from tiny_norm import ANSWER, CONTEXT, DEMAND, FAULT, OWN, REQUIREMENTS, envelope, write_norms

from norms.chains import ChainExchange, Chains, case_document
from norms.check import CASE_KIND, check_file, check_files
from norms.checker import check_norm
from norms.diff import diff
from norms.errors import NormError
from norms.loader import load
from norms.model import Norm
from scenarios.coverage import cited_requirements

CHAIN = f"""\
<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron">
  <sch:ns prefix="e" uri="{OWN}"/>
  <sch:pattern>
    <sch:rule context="case:response//e:Reponse[e:Total]">
      <sch:assert id="R-C1" role="EMP-003" test="not(ancestor::case:exchange/preceding-sibling::*//e:Total != e:Total)"
        >Le total reste le même.</sch:assert>
    </sch:rule>
  </sch:pattern>
</sch:schema>
"""
RULE = "emprunt/1.0/rules/chain/cas.sch"
VALID = "emprunt/1.0/examples/valid/CASE--deux-emprunts.xml"
INVALID = "emprunt/1.0/examples/invalid/R-C1--total-change.xml"
OTHER_TOTAL = ANSWER.replace("2.2<", "3.2<").replace("3.30", "4.30")
CITED = frozenset({"EMP-001", "EMP-002"})


def case(*answers: str, demand: str = DEMAND) -> str:
    exchanges = "".join(
        f'<case:exchange kind="EMP" step="{step}"><case:request>{envelope(demand, CONTEXT)}</case:request>\n'
        f"<case:response>{envelope(answer)}</case:response></case:exchange>\n"
        for step, answer in enumerate(answers, 1)
    )
    return f'<case:case xmlns:case="urn:poincon:case:1">\n{exchanges}</case:case>'


FILES: Mapping[str, str] = {RULE: CHAIN, VALID: case(ANSWER, ANSWER), INVALID: case(ANSWER, OTHER_TOTAL)}


def chained(tmp_path: Path, changes: Mapping[str, str | None] | None = None) -> Path:
    return write_norms(tmp_path / "norms", {**FILES, **(changes or {})})


def problems(tmp_path: Path, changes: Mapping[str, str | None] | None = None) -> list[str]:
    folder = chained(tmp_path, changes) / "emprunt" / "1.0"
    return [f"{problem.file.name}: {problem.sentence}" for problem in check_norm(folder, CITED, [])]


@pytest.fixture
def norm(tmp_path: Path) -> Norm:
    return load("emprunt/1.0", [chained(tmp_path)])


def test_chain_rules_are_the_norms_and_its_parents(tmp_path: Path) -> None:
    parent = CHAIN.replace("R-C1", "R-P1")
    norm = load("emprunt/1.0", [chained(tmp_path, {"socle/1.0/rules/chain/socle.sch": parent})])
    assert [path.name for path in norm.chains] == ["cas.sch", "socle.sch"]
    assert not set(norm.chains) & set(norm.rules)
    assert Chains(norm)
    assert load("emprunt/1.0", [chained(tmp_path)]).chains == norm.chains  # the same again, from the cache


def test_a_norm_without_chain_rules_has_nothing_to_do(make_norm) -> None:
    assert not Chains(make_norm())


def test_a_change_in_a_chain_rule_changes_the_digest_and_is_told(tmp_path: Path, norm: Norm) -> None:
    changed = CHAIN.replace("reste le même", "ne change pas")
    other = load("emprunt/1.0", [write_norms(tmp_path / "other", {**FILES, RULE: changed})])
    assert other.digest != norm.digest
    assert [(one.subject, one.kind, one.id) for one in diff(norm, other).changes if one.subject == "rule"] == [
        ("rule", "changed", "R-C1")
    ]


def test_the_document_holds_copies_in_order_with_their_lines(norm: Norm) -> None:
    request, first, second = (
        etree.fromstring(text) for text in (envelope(DEMAND, CONTEXT), envelope(ANSWER), "\n\n" + envelope(OTHER_TOTAL))
    )
    document = case_document([ChainExchange("EMP", 1, request, first), ChainExchange("EMP", 3, request, second)])
    assert [(each.get("kind"), each.get("step")) for each in document] == [("EMP", "1"), ("EMP", "3")]
    assert {each.getparent() for each in (request, first, second)} == {None}
    (broken,) = Chains(norm).problems(document)
    assert (broken.rule, broken.requirement, broken.exchange, broken.side) == ("R-C1", "EMP-003", 1, "response")
    assert (broken.path, broken.line) == ("/soap:Envelope/soap:Body/e:Reponse", 3)


def test_the_prefix_of_a_case_is_reserved(tmp_path: Path) -> None:
    other = CHAIN.replace('<sch:ns prefix="e"', '<sch:ns prefix="case" uri="urn:x"/><sch:ns prefix="e"')
    with pytest.raises(NormError, match="réservé"):
        Chains(load("emprunt/1.0", [chained(tmp_path, {RULE: other})]))


def test_a_norm_with_a_chain_rule_and_both_examples_is_complete(tmp_path: Path) -> None:
    assert problems(tmp_path) == []  # EMP-003 is cited by rules alone


def test_what_a_chain_rule_cites_is_tested(tmp_path: Path) -> None:
    chain = CHAIN.replace("EMP-003", "EMP-009")
    row = "EMP-009;2;MUST;mineure;server;;Le système DOIT tenir le total.;;\n"
    changes = {"emprunt/1.0/requirements.csv": REQUIREMENTS + row, RULE: chain}
    assert problems(tmp_path, changes) == []
    norm = load("emprunt/1.0", [tmp_path / "norms"])
    assert "EMP-009" in cited_requirements(norm, [tmp_path])
    assert problems(tmp_path, {**changes, RULE: None, VALID: None, INVALID: None}) != []


BOTH = "EMP-009;2;MUST;mineure;both;;Le système DOIT tenir le total.;;\n"
OUTSIDE = CHAIN.replace('context="case:response//e:Reponse[e:Total]"', 'context="case:exchange"').replace(
    "ancestor::case:exchange/preceding-sibling::*//e:Total != e:Total",
    "preceding-sibling::*//e:Total != .//e:Total",
)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({VALID: None}, "cas.sch: Aucun exemple valide n'exerce la règle « R-C1 »."),
        ({VALID: case(FAULT.format(detail=""))}, "cas.sch: Aucun exemple valide n'exerce la règle « R-C1 »."),
        ({INVALID: None}, "cas.sch: Aucun exemple invalide n'enfreint la règle « R-C1 »."),
        ({INVALID: case(ANSWER, ANSWER)}, "R-C1--total-change.xml: L'exemple n'enfreint pas la règle « R-C1 »."),
        ({INVALID: case(ANSWER, OTHER_TOTAL.replace("00", "00", 1).replace("3.2<", "3.1<"))}, "mais aussi : Le total"),
        ({INVALID: case(ANSWER, OTHER_TOTAL, demand=DEMAND.replace("1234", "x"))}, "mais aussi : « e:Livre »"),
        ({VALID: case(ANSWER, demand=DEMAND.replace("1234", "x"))}, "CASE--deux-emprunts.xml: « e:Livre »"),
        ({RULE: CHAIN.replace("EMP-003", "EMP-999")}, "cite l'exigence inconnue « EMP-999 »"),
        ({RULE: CHAIN.replace("R-C1", "R-001")}, "cas.sch: La règle « R-001 » est aussi définie dans emprunt.sch."),
        ({RULE: CHAIN.replace("EMP-003", "EMP-002")}, "son contexte n'est pas dans un message du rôle client"),
        ({RULE: OUTSIDE}, "son contexte n'est pas dans un message du rôle server"),
        ({RULE: OUTSIDE.replace("EMP-003", "EMP-009"), "emprunt/1.0/requirements.csv": REQUIREMENTS + BOTH},
         "son contexte n'est pas dans un message du rôle both"),
        ({RULE: CHAIN.replace("e:Total !=", "e:Total !")}, "L'expression XPath ne se lit pas"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_chain_rule_is_told(tmp_path: Path, changes: dict[str, str | None], told: str) -> None:
    assert any(told in problem for problem in problems(tmp_path, changes)), problems(tmp_path, changes)


def checked(tmp_path: Path, norm: Norm, text: str) -> list[tuple[str, str, str, int]]:
    path = tmp_path / "dossier.xml"
    path.write_text(text, encoding="utf-8")
    report = check_file(path, norm)
    assert (report.norm, report.kind, report.direction) == (norm.ref, CASE_KIND, "")
    return [(problem.source, problem.rule, problem.path, problem.line) for problem in report.problems]


def test_a_case_in_a_file_is_known_by_its_root_and_by_its_messages(tmp_path: Path, norm: Norm) -> None:
    (report,) = check_files([norm.root / "examples" / "valid"], roots=[norm.root.parents[1]])
    assert (report.norm, report.kind, report.valid) == (norm.ref, CASE_KIND, True)
    assert checked(tmp_path, norm, case(ANSWER, OTHER_TOTAL, FAULT.format(detail=""))) == [
        ("rule", "R-C1", "/case:case/case:exchange[2]/case:response/soap:Envelope/soap:Body/e:Reponse", 8)
    ]


def test_each_message_of_a_case_is_checked_by_itself(tmp_path: Path, norm: Norm) -> None:
    assert checked(tmp_path, norm, case(ANSWER.replace("3.30", "3.31"), demand=DEMAND.replace("1.0", "2.0", 1))) == [
        ("structure", "norm-version", "/case:case/case:exchange/case:request/soap:Envelope/soap:Body/e:Demande", 2),
        ("rule", "R-002", "/case:case/case:exchange/case:response/soap:Envelope/soap:Body/e:Reponse", 4),
    ]


@pytest.mark.parametrize(
    ("old", "new", "element"),
    [
        ('<case:exchange kind="EMP" step="1"', '<case:exchange kind="RIEN" step="1"', "case:exchange[1]"),
        ('step="1"', 'step="3"', "case:exchange[2]"),
        ('step="2"', 'step="deux"', "case:exchange[2]"),
        ("case:request>", "case:response>", "case:exchange[1]"),
        ("</case:response>", "<x/></case:response>", "case:exchange[1]/case:response"),
        ("case:exchange", "case:echange", "case:echange[1]"),
        ("</case:case>", "<x/></case:case>", "x"),
    ],
)
def test_what_is_no_case_is_told_and_nothing_else(tmp_path: Path, norm: Norm, old: str, new: str, element: str) -> None:
    found = checked(tmp_path, norm, case(ANSWER, OTHER_TOTAL).replace(old, new))
    assert {rule for _, rule, _, _ in found} == {"case-structure"}
    assert found[0][2] == f"/case:case/{element}"
