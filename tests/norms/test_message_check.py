from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from lxml import etree
from tiny_norm import ANSWER, BASE, CONTEXT, DEMAND, EMPRUNT_XSD, ERROR, FAULT, OWN, RULES, SOAP, envelope

from norms.errors import UsageError
from norms.message_check import Checker, Direction, Problem, checker_for
from norms.model import Limits, Norm
from norms.parsing import parse

Make = Callable[..., Norm]
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"


def problems(
    checker: Checker, message: str, direction: Direction = "request", *, confirm: bool = False
) -> list[Problem]:
    return checker.check(parse(message.encode(), Limits()), "EMP", direction, confirm=confirm)


def found(checker: Checker, message: str, direction: Direction = "request") -> list[tuple[str, str]]:
    return [(problem.source, problem.rule) for problem in problems(checker, message, direction)]


def demand(change: str, to: str) -> str:
    assert change in DEMAND
    return envelope(DEMAND.replace(change, to, 1), CONTEXT)


GOOD: list[tuple[str, Direction]] = [
    (envelope(DEMAND, CONTEXT), "request"),
    (envelope(ANSWER), "response"),
    (envelope(DEMAND, CONTEXT + '<w:Security xmlns:w="urn:other"><anything/></w:Security>'), "request"),
    (envelope(FAULT.format(detail=ERROR)), "response"),
    (envelope(FAULT.format(detail='<x xmlns="urn:other"/>')), "response"),
    (envelope(f"<!-- c -->\n{DEMAND}\n", CONTEXT), "request"),
    (demand("</e:Demande>", '<x xmlns="urn:other">free</x></e:Demande>'), "request"),
    (envelope(DEMAND, CONTEXT).replace("soap:", "S:").replace("xmlns:soap", "xmlns:S"), "request"),
    (
        f'<Envelope xmlns="{SOAP}"><Body>{ANSWER}</Body></Envelope>'.replace(
            "<e:Reponse", f'<e:Reponse xmlns:e="{OWN}"'
        ),
        "response",
    ),
]


@pytest.mark.parametrize(("message", "direction"), GOOD)
def test_conformant_message_has_no_problem(checker: Checker, message: str, direction: Direction) -> None:
    assert problems(checker, message, direction, confirm=True) == []


STRUCTURE: list[tuple[str, Direction, str]] = [
    ("<a/>", "request", "envelope-version"),
    (f'<Envelope xmlns="{SOAP}"/>', "request", "envelope-structure"),
    (envelope(""), "request", "envelope-structure"),
    (envelope(DEMAND + DEMAND, CONTEXT), "request", "envelope-structure"),
    (envelope(DEMAND + "text", CONTEXT), "request", "envelope-structure"),
    (envelope(DEMAND, CONTEXT, SOAP11), "request", "envelope-version"),
    (envelope(DEMAND), "request", "header-missing"),
    (envelope(DEMAND, CONTEXT + CONTEXT), "request", "envelope-structure"),
    (envelope(ANSWER, CONTEXT), "request", "unknown-operation"),
    (envelope(DEMAND, CONTEXT), "response", "unknown-operation"),
    (envelope(FAULT.format(detail=""), CONTEXT), "request", "unknown-operation"),
    (envelope('<x xmlns="urn:x"/>', CONTEXT), "request", "unknown-operation"),
    (demand('Version="1.0"', 'Version="1.1"'), "request", "norm-version"),
    (envelope("<soap:Fault><soap:Reason/></soap:Fault>"), "response", "envelope-structure"),
]


@pytest.mark.parametrize(("message", "direction", "reason"), STRUCTURE)
def test_wrong_structure(checker: Checker, message: str, direction: Direction, reason: str) -> None:
    assert ("structure", reason) in found(checker, message, direction)
    assert {source for source, _ in found(checker, message, direction)} == {"structure"}


SCHEMA = [
    ("1234", "12", "pattern", "« e:Livre » vaut « 12 », qui n'a pas la forme « [0-9]{4} ».", "12"),
    ("2026-01-01", "hier", "datatype", "« e:Debut » vaut « hier », qui n'est pas du type « xs:date ».", "hier"),
    ("L1", "", "minLength", "« e:Lecteur » compte 0 caractères ; longueur admise : 1 au moins.", ""),
    ("L1", "L" * 11, "maxLength", "« e:Lecteur » compte 11 caractères ; longueur admise : 10 au plus.", ""),
    ("<e:Debut>", "<e:Genre>bd</e:Genre><e:Debut>", "enumeration",
     "« e:Genre » vaut « bd » ; valeurs admises : roman, essai.", "bd"),
    ("<e:Debut>2026-01-01</e:Debut>", "", "unexpected-child",
     "L'élément « e:Fin » n'est pas attendu ici ; attendu : e:Genre, e:Debut.", ""),
    ("<e:Livre>1234</e:Livre>", "", "missing-child",
     "Il manque un élément dans « e:Demande » ; attendu : e:Livre.", ""),
    (' Version="1.0"', "", "missing-attribute", "L'attribut « Version » manque sur « e:Demande ».", ""),
    ("<e:Livre>", '<e:Livre x="1">', "unknown-attribute", "L'attribut « e:Livre/@x » n'est pas admis.", ""),
    ("<e:Lecteur>", "text<e:Lecteur>", "text", "« e:Demande » contient du texte ; seuls des éléments sont admis.", ""),
    ("L1", "L1<b/>", "children", "« e:Lecteur » contient des éléments ; seul du texte est admis.", ""),
]  # fmt: skip


@pytest.mark.parametrize(("change", "to", "constraint", "message", "value"), SCHEMA)
def test_schema_fault_is_told_in_french(
    checker: Checker, change: str, to: str, constraint: str, message: str, value: str
) -> None:
    (problem,) = [one for one in problems(checker, demand(change, to)) if one.source == "schema"]
    assert (problem.rule, problem.message, problem.value, problem.split) == (constraint, message, value, False)
    assert problem.path.startswith("/soap:Envelope/soap:Body/e:Demande")
    assert problem.line == 1


@pytest.mark.parametrize(
    ("change", "to", "constraint"),
    [("1.10", "-1", "minInclusive"), ("1.10", "1.105", "fractionDigits"), ("1.10", "un", "datatype")],
)
def test_amounts_of_an_answer(checker: Checker, change: str, to: str, constraint: str) -> None:
    found = problems(checker, envelope(ANSWER.replace(change, to)), "response")
    assert [problem.rule for problem in found if problem.source == "schema"] == [constraint]
    assert found[0].path == "/soap:Envelope/soap:Body/e:Reponse/e:Ligne[1]"


def test_header_blocks_and_details_are_validated(checker: Checker) -> None:
    context = CONTEXT.replace("Biblio", "Bibliothèque municipale")
    assert found(checker, envelope(DEMAND, context)) == [("schema", "maxLength")]
    unknown = CONTEXT + "<s:Autre/>"
    assert found(checker, envelope(DEMAND, unknown)) == [("schema", "unknown-element")]
    detail = FAULT.format(detail=ERROR.replace("1234", "12"))
    assert found(checker, envelope(detail), "response") == [("schema", "pattern")]


def test_paths_do_not_depend_on_the_prefixes_of_the_message(checker: Checker) -> None:
    text = demand("<e:Livre>1234</e:Livre>", "<e:Livre>1234</e:Livre><e:Livre>12</e:Livre>")
    renamed = text.replace("<e:", "<zz:").replace("</e:", "</zz:").replace("xmlns:e=", "xmlns:zz=").replace("soap", "S")
    renamed = renamed.replace("S-envelope", "soap-envelope")
    default = text.replace("<e:", "<").replace("</e:", "</").replace("<Demande ", f'<Demande xmlns="{OWN}" ')
    for message in (text, renamed, default):
        (problem,) = problems(checker, message)
        assert problem.path == "/soap:Envelope/soap:Body/e:Demande/e:Livre[2]"


def test_rule_is_told_with_its_requirement(checker: Checker) -> None:
    (problem,) = problems(checker, demand("2026-02-01", "2025-12-31"))
    assert (problem.source, problem.rule, problem.requirement) == ("rule", "R-001", "EMP-002")
    assert problem.message == "Le retour (2025-12-31) suit l'emprunt."
    assert problem.path == "/soap:Envelope/soap:Body/e:Demande"


def test_schema_and_rule_faults_are_both_told(checker: Checker) -> None:
    assert found(checker, demand("2026-02-01", "2025-12-31").replace("1234", "x")) == [
        ("schema", "pattern"),
        ("rule", "R-001"),
    ]


def test_unknown_kind_is_an_error_of_the_caller(checker: Checker) -> None:
    with pytest.raises(UsageError, match="« EMP »"):
        checker.check(etree.fromstring("<a/>"), "EMPR", "request")


def test_identification_by_payload(checker: Checker) -> None:
    def identify(message: str) -> tuple[str, Direction] | None:
        return checker.identify(etree.fromstring(message))

    assert identify(envelope(DEMAND)) == ("EMP", "request")
    assert identify(envelope(ANSWER)) == ("EMP", "response")
    for message in (envelope(FAULT.format(detail="")), envelope("<x/>"), envelope(""), "<a/>"):
        assert identify(message) is None


# The two schema engines disagree on what `\w` is: "_" is one for xmlschema only, "€" for libxml2 only.


@pytest.fixture
def word_checker(make_norm: Make) -> Checker:
    word = EMPRUNT_XSD.replace(
        '<xs:element name="Lecteur" type="s:Nom"/>',
        '<xs:element name="Lecteur"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="\\w+"/>'
        "</xs:restriction></xs:simpleType></xs:element>",
    )
    return Checker(make_norm({"emprunt/1.0/schema/emprunt.xsd": word}))


def test_finding_of_the_first_engine_alone_is_split(word_checker: Checker) -> None:
    found = problems(word_checker, demand("L1", "a_b"))
    assert [(problem.rule, problem.split) for problem in found] == [("pattern", True)]


def test_finding_of_the_second_engine_alone_is_split_and_told_on_demand(word_checker: Checker) -> None:
    assert problems(word_checker, demand("L1", "€")) == []
    (problem,) = problems(word_checker, demand("L1", "€"), confirm=True)
    assert problem.split
    assert problem.path == "/soap:Envelope/soap:Body/e:Demande/e:Lecteur"


def test_one_split_finding_does_not_excuse_another(word_checker: Checker) -> None:
    found = problems(word_checker, demand("L1", "a_b").replace("1234", "x"))
    assert [(problem.value, problem.split) for problem in found] == [("a_b", True), ("x", False)]


def test_fault_of_the_parent_does_not_confirm_one_of_the_child(word_checker: Checker) -> None:
    found = problems(word_checker, demand("L1", "a_b").replace("<e:Livre>1234</e:Livre>", ""))
    assert [(problem.rule, problem.split) for problem in found] == [("pattern", True), ("missing-child", False)]


def test_request_without_version_declares_the_wrong_one(checker: Checker) -> None:
    assert ("structure", "norm-version") in found(checker, demand(' Version="1.0"', ""))


def test_checkers_are_made_once_per_content(make_norm: Make) -> None:
    first = checker_for(make_norm())
    assert checker_for(make_norm()) is first
    changed = make_norm({"emprunt/1.0/rules/emprunt.sch": RULES.replace("> 0", ">= 0")})
    assert checker_for(changed) is not first


def test_threads_share_a_checker(checker: Checker) -> None:
    wrong = demand("1234", "x")
    verdicts: list[bool] = []

    def work() -> None:
        for _ in range(20):
            verdicts.append(
                found(checker, wrong) == [("schema", "pattern")] and not found(checker, envelope(DEMAND, CONTEXT))
            )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [True] * 80


def test_header_namespace_of_the_norm_is_known(checker: Checker) -> None:
    assert BASE in checker.schemas.namespaces
