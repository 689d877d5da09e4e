"""`norms check`: does every rule have its two examples, and is every example what its name says?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from lxml import etree

from norms.case_check import is_case
from norms.check import check_file
from norms.checker_services import message_files
from norms.i18n import tr
from norms.message_check import Checker
from norms.model import Norm
from norms.norm_problem import NormProblem
from norms.parsing import parse
from norms.schematron_reader import Assertion
from norms.wire.deposit import enveloped
from norms.yamlfile import nearest

SEPARATOR: Final = "--"


def own_assertions(norm: Norm, checker: Checker) -> list[tuple[Path, Assertion]]:
    """Return the rules of the norm itself with their files; those of its parents are checked there."""
    return _rules_below(checker, [norm.root])


def exercised_assertions(norm: Norm, checker: Checker) -> list[tuple[Path, Assertion]]:
    """Return the rules that the norm's messages must show at work: its own, and those it inherits from norms without
    services, which have no messages. A norm without services shows none.
    """
    if not norm.services:
        return []
    return _rules_below(checker, [member.root for member in norm.family if member is norm or not member.services])


def _rules_below(checker: Checker, folders: Sequence[Path]) -> list[tuple[Path, Assertion]]:
    return [
        (file.path, assertion)
        for file, assertion in checker.assertions()
        if any(file.path.is_relative_to(folder) for folder in folders)
    ]


def example_problems(norm: Norm, checker: Checker) -> Iterator[NormProblem]:
    """Yield what is wrong with canonical messages and examples, and the rules without examples."""
    exercised: set[str] = set()
    for path, problems in _valid_documents(norm, checker, exercised):
        for sentence, line in problems:
            yield NormProblem(path, line, sentence, tr("Corrigez l'exemple ou la règle."))
    assertions = exercised_assertions(norm, checker)
    identifiers = {assertion.id for _, assertion in assertions}
    broken = set[str]()
    for path in _xml(norm.root / "examples" / "invalid"):
        rule = path.name.partition(SEPARATOR)[0]
        if rule not in identifiers:
            yield NormProblem(
                path, 0, tr("« {rule} » n'est pas une règle de cette norme.", rule=rule), nearest(rule, identifiers)
            )
            continue
        broken.add(rule)
        yield from _invalid_problems(norm, path, rule)
    for path, assertion in assertions:
        if assertion.id not in exercised:
            yield NormProblem(
                path,
                assertion.line,
                tr("Aucun exemple valide n'exerce la règle « {rule} ».", rule=assertion.id),
                tr("Ajoutez dans examples/valid un document qui contient son contexte."),
            )
        if assertion.id not in broken:
            yield NormProblem(
                path,
                assertion.line,
                tr("Aucun exemple invalide n'enfreint la règle « {rule} ».", rule=assertion.id),
                tr("Ajoutez examples/invalid/{rule}--ce-qui-est-faux.xml.", rule=assertion.id),
            )


def _xml(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.xml"))


def _valid_documents(norm: Norm, checker: Checker, exercised: set[str]) -> Iterator[tuple[Path, list[tuple[str, int]]]]:
    """Yield each message that must be valid with what is wrong; add the rules it tests to `exercised`."""
    canonical = {
        path: (service.kind, direction)
        for service in norm.services
        for direction, path in message_files(norm, service)
        if path.is_file()
    }
    for path in (*canonical, *_xml(norm.root / "examples" / "valid")):
        kind, direction = canonical.get(path, (None, None))
        report = check_file(path, norm, kind=kind if kind in _shared_kinds(norm) else None, confirm=True)
        wrong = [(problem.message, problem.line) for problem in report.problems]
        if report.refusal:
            wrong.append((report.why, report.line))
        elif kind is not None and (kind, direction) not in checker.candidates(_parsed(norm, path)):
            wrong.append((tr("Le contenu n'est pas le message que dit le nom du fichier."), 0))
        if not wrong:
            root = _parsed(norm, path)
            exercised |= (checker.chains.rules if is_case(root) else checker.rules).exercised(root)
        yield path, wrong


def _shared_kinds(norm: Norm) -> set[str]:
    """Return the kinds of which another service has a payload too: their messages do not tell them apart."""
    kinds: dict[str, set[str]] = {}
    for service in norm.services:
        for part in (service.request, service.response):
            kinds.setdefault(part.element, set()).add(service.kind)
    return {kind for members in kinds.values() if len(members) > 1 for kind in members}


def _parsed(norm: Norm, path: Path) -> etree._Element:
    root = parse(path.read_bytes(), norm.security.limits)
    return root if is_case(root) else enveloped(root)


def _invalid_problems(norm: Norm, path: Path, rule: str) -> Iterator[NormProblem]:
    report = check_file(path, norm, confirm=True)
    if report.refusal:
        yield NormProblem(path, report.line, report.why, tr("Un exemple invalide est un XML lisible."))
        return
    others = [problem for problem in report.problems if problem.rule != rule]
    if len(others) == len(report.problems):
        yield NormProblem(path, 0, tr("L'exemple n'enfreint pas la règle « {rule} ».", rule=rule))
    for problem in others:
        yield NormProblem(
            path,
            problem.line,
            tr("L'exemple doit n'enfreindre que « {rule} », mais aussi : {what}", rule=rule, what=problem.message),
            tr("Corrigez le reste du message."),
        )
