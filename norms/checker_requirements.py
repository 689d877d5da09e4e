"""The requirements of a norm, checked: their wording, and whether each obligation is tested or says why it is not.

Source: docs/formats/requirements.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from norms.i18n import tr
from norms.loader import REQUIREMENTS
from norms.message_check import Checker
from norms.model import Norm, Requirement
from norms.norm_problem import NormProblem
from norms.yamlfile import nearest

AWAITING: Final = "suite-a-venir"
NOT_TESTED_REASONS: Final = ("non-observable", "organisationnel", "hors-perimetre", "autre-role", AWAITING)
NOT_TESTED_SHARE: Final = 0.10
_WORDS: Final = {"MUST": ("DOIT", "DOIVENT"), "SHOULD": ("DEVRAIT", "DEVRAIENT"), "MAY": ("PEUT", "PEUVENT")}


def requirement_problems(norm: Norm) -> Iterator[NormProblem]:
    """Yield what is wrong with the rows of the norm's own requirements.csv."""
    file = norm.root / REQUIREMENTS
    claims = [claim.id for claim in norm.claims]
    for requirement in norm.requirements:
        line, reason = requirement.line, requirement.not_tested_reason
        if requirement.applies_if and requirement.applies_if not in claims:
            sentence = tr("« applies_if » cite « {name} », qui n'est pas dans ics.csv.", name=requirement.applies_if)
            yield NormProblem(file, line, sentence, nearest(requirement.applies_if, claims))
        if not any(word in requirement.text.fr for word in _WORDS[requirement.level]):
            sentence = tr("L'exigence de niveau {level} ne dit pas « {word} ».",
                          level=requirement.level, word=_WORDS[requirement.level][0])  # fmt: skip
            yield NormProblem(file, line, sentence, tr("Écrivez l'obligation avec ce mot."), "warning")
        if reason and reason not in NOT_TESTED_REASONS:
            yield NormProblem(
                file, line, tr("« {reason} » n'est pas une raison admise.", reason=reason),
                nearest(reason, NOT_TESTED_REASONS),
            )  # fmt: skip


def testing_problems(norm: Norm, checker: Checker, cited: frozenset[str] | None) -> Iterator[NormProblem]:
    """Yield the obligations that nothing tests, and the excuses that are too many or not true.

    What a norm inherits from one without services is tested here too: there it has nothing to be tested on.
    """
    by_norm = {assertion.role for _, assertion in checker.assertions()} | {one.requirement for one in norm.always}
    by_norm |= {one.requirement for one in (norm.reactions.schema, norm.reactions.rule) if one is not None}
    untested: list[Requirement] = []
    awaited: list[NormProblem] = []
    members = [member for member in norm.family if norm.services and (member is norm or not member.services)]
    rows = [(member.root / REQUIREMENTS, requirement) for member in members for requirement in member.requirements]
    for file, requirement in rows:
        tested = requirement.id in by_norm or requirement.id in (cited or ())
        if tested and requirement.not_tested_reason:
            sentence = tr("L'exigence « {id} » est testée et dit pourquoi elle ne l'est pas.", id=requirement.id)
            yield NormProblem(file, requirement.line, sentence, tr("Retirez la raison."), "warning")
        elif requirement.level != "MUST":
            continue
        elif requirement.not_tested_reason == AWAITING:
            awaited.append(NormProblem(file, requirement.line, ""))
        elif requirement.not_tested_reason:
            untested.append(requirement)
        elif not tested and cited is not None:
            yield NormProblem(
                file,
                requirement.line,
                tr("L'exigence « {id} » n'est citée par aucune règle ni aucun scénario.", id=requirement.id),
                tr("Testez-la, ou donnez une raison : {reasons}.", reasons=", ".join(NOT_TESTED_REASONS)),
            )
    if awaited:
        yield NormProblem(
            awaited[0].file,
            awaited[0].line,
            tr("{count} exigences MUST attendent la suite qui les testera.", count=len(awaited)),
            tr("Un projet peut attendre ; une norme publiée, non."),
            "warning" if norm.status == "draft" else "error",
        )
    musts = [requirement for _, requirement in rows if requirement.level == "MUST"]
    yield from _share_problems(norm.root / REQUIREMENTS, musts, untested)


def _share_problems(file: Path, musts: list[Requirement], untested: list[Requirement]) -> Iterator[NormProblem]:
    for role in ("client", "server"):
        bound = [requirement for requirement in musts if requirement.role in (role, "both")]
        excused = [requirement for requirement in untested if requirement.role in (role, "both")]
        if len(excused) > NOT_TESTED_SHARE * len(bound):
            yield NormProblem(
                file,
                excused[0].line,
                tr("Rôle {role} : {count} exigences MUST sur {all} ne sont pas testées ; 10 % au plus.",
                   role=role, count=len(excused), all=len(bound)),
                tr("Testez-en, ou réécrivez-les jusqu'à ce qu'on puisse les observer."),
            )  # fmt: skip
