"""The run at a glance: the verdict in a sentence, the counts, the state of each requirement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from harness.record import CaseVerdict, VerdictName
from norms.i18n import tr
from reports.subject import Subject, by_requirement
from reports.wording import run_verdict_word, verdict_word, whole

SEVERITIES: Final = ("bloquante", "majeure", "mineure")


@dataclass(frozen=True)
class Tile:
    """A figure of the run. name: verdict or status it counts; zero: nothing to see there."""

    name: str
    word: str
    figure: str
    zero: bool


@dataclass(frozen=True)
class RequirementRow:
    """The state of one requirement in this run. cases: (id, verdict) of the cases that cite it."""

    id: str
    section: str
    level: str
    severity: str
    sentence: str
    verdict: VerdictName
    remarks: int
    cases: tuple[tuple[str, VerdictName], ...]


@dataclass(frozen=True)
class Untested:
    """A requirement of this role that no case of the suite probes, with the reason of the norm."""

    id: str
    sentence: str
    reason: str


def tiles(subject: Subject) -> tuple[Tile, ...]:
    """Return the counts of the run, remarks last."""
    counts = subject.verdicts.counts
    figures: tuple[tuple[VerdictName, int], ...] = (
        ("pass", counts.passed),
        ("fail", counts.fail),
        ("inconclusive", counts.inconclusive),
        ("error", counts.error),
        ("not_run", counts.not_run),
        ("not_selected", counts.not_selected),
    )
    remarks = len(subject.findings("remark"))
    shown = [Tile(name, verdict_word(name), whole(figure), figure == 0) for name, figure in figures]
    return (*shown, Tile("remark", verdict_word("remark"), whole(remarks), remarks == 0))


def executed(subject: Subject) -> int:
    """Return how many cases were really executed."""
    counts = subject.verdicts.counts
    return counts.passed + counts.fail + counts.inconclusive + counts.error


def verdict_words(subject: Subject) -> str:
    """Return the verdict of the run in large words."""
    return run_verdict_word(subject.verdicts.verdict)


def verdict_sentence(subject: Subject) -> str:
    """Return what the verdict means, for somebody who was not there."""
    masker = subject.masker
    product = masker(f"{subject.facts.product.name} {subject.facts.product.version}")
    norm = str(subject.norm.title)
    counts = subject.verdicts.counts
    if executed(subject) == 0:
        return tr("Aucun cas n’a été exécuté : rien ne peut être conclu au sujet de {product}.", product=product)
    if subject.verdicts.verdict == "fail":
        return tr(
            "{product} ne respecte pas la norme « {norm} » : {broken}.",
            product=product,
            norm=norm,
            broken=_broken(subject),
        )
    if subject.verdicts.verdict == "pass":
        return tr(
            "{product} respecte la norme « {norm} » dans les {count} cas exécutés.",
            product=product,
            norm=norm,
            count=whole(counts.passed),
        )
    unjudged = counts.inconclusive + counts.error
    if unjudged == 0:
        return tr(
            "Ce passage ne permet pas de conclure au sujet de {product} : il est partiel.",
            product=product,
        )
    return tr(
        "Ce passage ne permet pas de conclure au sujet de {product} : {unjudged} cas sur {total} n’ont pas pu être "
        "jugés. Aucune anomalie n’est mise au compte du produit.",
        product=product,
        unjudged=whole(unjudged),
        total=whole(executed(subject)),
    )


def _broken(subject: Subject) -> str:
    worst: dict[str, str] = {}
    for _, finding in subject.findings("fail"):
        worst[finding.requirement] = finding.severity
    total = len(worst)
    head = (
        tr("une exigence obligatoire n’est pas remplie")
        if total == 1
        else tr("{count} exigences obligatoires ne sont pas remplies", count=whole(total))
    )
    shares = ((severity, sum(1 for found in worst.values() if found == severity)) for severity in SEVERITIES)
    detail = ", ".join(_share(severity, count) for severity, count in shares if count)
    return f"{head} ({detail})" if detail else head


def _share(severity: str, count: int) -> str:
    one = {"bloquante": tr("1 bloquante"), "majeure": tr("1 majeure"), "mineure": tr("1 mineure")}
    many = {"bloquante": tr("{n} bloquantes"), "majeure": tr("{n} majeures"), "mineure": tr("{n} mineures")}
    return one[severity] if count == 1 else many[severity].format(n=whole(count))


def requirement_rows(subject: Subject) -> tuple[RequirementRow, ...]:
    """Return the requirements that the run touches, the broken ones first, then in the order of the norm."""
    grouped = by_requirement(subject)
    order = {requirement.id: rank for rank, requirement in enumerate(subject.norm.all_requirements)}
    rows = [_row(subject, requirement, cases) for requirement, cases in grouped.items()]
    ranks = {"fail": 0, "error": 1, "inconclusive": 2}
    return tuple(sorted(rows, key=lambda row: (ranks.get(row.verdict, 3), order.get(row.id, len(order)), row.id)))


def _row(subject: Subject, requirement_id: str, cases: list[CaseVerdict]) -> RequirementRow:
    requirement = subject.requirement(requirement_id)
    finding = next((found for case in cases for found in case.findings if found.requirement == requirement_id), None)
    sentence = str(requirement.text) if requirement is not None else finding.sentence if finding is not None else ""
    return RequirementRow(
        id=requirement_id,
        section=requirement.section if requirement is not None else "",
        level=requirement.level if requirement is not None else finding.level if finding is not None else "",
        severity=requirement.severity if requirement is not None else finding.severity if finding is not None else "",
        sentence=sentence,
        verdict=requirement_verdict(requirement_id, cases),
        remarks=sum(
            found.verdict == "remark" and found.requirement == requirement_id
            for case in cases
            for found in case.findings
        ),
        cases=tuple((case.id, case.verdict) for case in cases),
    )


def requirement_verdict(requirement_id: str, cases: list[CaseVerdict]) -> VerdictName:
    """Return the state of a requirement: its own worst finding, else conforme when a case that cites it passed.

    A case that stopped for another requirement proves nothing for this one: without any passing case the
    requirement stays inconclusive.
    """
    own = {found.verdict for case in cases for found in case.findings if found.requirement == requirement_id}
    if "fail" in own:
        return "fail"
    if "error" in own:
        return "error"
    if "inconclusive" in own:
        return "inconclusive"
    states = {case.verdict for case in cases}
    if "pass" in states:
        return "pass"
    if states <= {"not_run", "not_selected"}:
        return "not_run" if "not_run" in states else "not_selected"
    return "inconclusive"


def untested(subject: Subject) -> tuple[Untested, ...]:
    """Return the requirements of the product's role that no case cites."""
    cited = set(by_requirement(subject))
    return tuple(
        Untested(requirement.id, str(requirement.text), requirement.not_tested_reason)
        for requirement in subject.norm.all_requirements
        if requirement.role in (subject.verdicts.role, "both") and requirement.id not in cited
    )
