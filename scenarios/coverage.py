"""Which requirements a suite tests, and why others are not tested.

A requirement is tested when something that gives a verdict cites it: an expectation of a selected case, an `always`
entry of norm.yaml, or a rule that messages of the product's role are checked against. At most 10 % of the MUSTs may be
untested, each with a reason of the closed list. Source: docs/formats/norm.md, "not_tested_reason".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from norms.check import checker_for
from norms.i18n import tr
from norms.model import Norm, Requirement, Role
from scenarios.compiler import cited
from scenarios.model import Suite
from scenarios.reader import read_scenarios
from scenarios.vocabulary import CHECKS

UNTESTED_MAXIMUM: Final = 0.10
By = Literal["case", "always", "rule"]


class Line(msgspec.Struct, frozen=True):
    """One requirement of the role. by: what tests it; cases: ids that cite it; reason: of the norm, when untested."""

    requirement: str
    level: str
    section: str
    by: tuple[By, ...]
    cases: tuple[str, ...]
    reason: str

    @property
    def tested(self) -> bool:
        """Whether anything tests the requirement."""
        return bool(self.by)


class Coverage(msgspec.Struct, frozen=True):
    """The coverage of a suite. missing: untested MUSTs without a reason; contrary: tested ones that give one."""

    norm: str
    role: str
    lines: tuple[Line, ...]
    missing: tuple[str, ...]
    contrary: tuple[str, ...]
    untested_share: float

    @property
    def complete(self) -> bool:
        """Whether every MUST is tested or excused, and the excuses stay within the limit."""
        return not self.missing and not self.contrary and self.untested_share <= UNTESTED_MAXIMUM


def coverage(norm: Norm, suite: Suite) -> Coverage:
    """Return which requirements of the suite's role are tested."""
    citing: dict[str, list[str]] = {}
    for case in suite.cases:
        for name in case.requirements:
            citing.setdefault(name, []).append(case.id)
    always = {item.requirement for item in norm.always if suite.role in CHECKS[item.check].roles}
    rules = _rule_requirements(norm) if suite.cases else set()
    lines = tuple(
        Line(
            requirement=item.id,
            level=item.level,
            section=item.section,
            by=tuple(_by(item, citing, always, rules)),
            cases=tuple(citing.get(item.id, ())),
            reason=item.not_tested_reason,
        )
        for item in requirements_of(norm, suite.role)
    )
    musts = [line for line in lines if line.level == "MUST"]
    untested = [line for line in musts if not line.tested]
    return Coverage(
        norm=norm.ref,
        role=suite.role,
        lines=lines,
        missing=tuple(line.requirement for line in untested if not line.reason),
        contrary=tuple(line.requirement for line in lines if line.tested and line.reason),
        untested_share=len(untested) / len(musts) if musts else 0.0,
    )


def cited_requirements(norm: Norm, roots: Sequence[Path] | None = None) -> frozenset[str]:
    """Return every requirement that something which gives a verdict cites, for products of both roles.

    That is: written scenarios, `always`, rules, and the reactions that derived cases cite. roots: of scenarios.
    """
    written = {name for scenario in read_scenarios(norm, roots) for name in cited(scenario.steps)}
    always = {item.requirement for item in norm.always}
    reactions = {item.requirement for item in (norm.reactions.schema, norm.reactions.rule) if item is not None}
    return frozenset(written | always | reactions | _rule_requirements(norm))


def requirements_of(norm: Norm, role: Role) -> list[Requirement]:
    """Return the requirements for products of `role`, the norm's own first, in the order of each requirements.csv."""
    return [item for item in norm.all_requirements if item.role in (role, "both")]


def coverage_text(report: Coverage) -> str:
    """Return the report for people."""
    return "\n".join(_text(report)) + "\n"


def _by(item: Requirement, citing: dict[str, list[str]], always: set[str], rules: set[str]) -> Iterator[By]:
    if item.id in citing:
        yield "case"
    if item.id in always:
        yield "always"
    if item.id in rules:
        yield "rule"


def _rule_requirements(norm: Norm) -> set[str]:
    """Return the requirements that rules cite: messages and cases of the product are checked against all of them."""
    return {rule.role for _, rule in checker_for(norm).assertions()}


def _text(report: Coverage) -> Iterator[str]:
    tested = [line for line in report.lines if line.tested]
    yield tr("Couverture de {norm}, rôle {role}", norm=report.norm, role=report.role)
    yield tr("{tested} exigences vérifiées sur {total}.", tested=len(tested), total=len(report.lines))
    yield tr(
        "Exigences « DOIT » non vérifiées : {share} (limite {limit}).",
        share=f"{report.untested_share:.0%}",
        limit=f"{UNTESTED_MAXIMUM:.0%}",
    )
    for line in report.lines:
        if line.tested:
            yield f"  {line.requirement}  {line.level:6}  {_tested_by(line)}"
        elif line.reason:
            yield f"  {line.requirement}  {line.level:6}  " + tr("non vérifiée : {reason}", reason=line.reason)
        else:
            yield f"  {line.requirement}  {line.level:6}  " + tr("NON VÉRIFIÉE")
    for name in report.contrary:
        yield tr("{name} est vérifiée et porte pourtant une raison de ne pas l'être : retirez la raison.", name=name)


def _tested_by(line: Line) -> str:
    names = {"always": tr("chaque réponse"), "rule": tr("règle"), "case": ""}
    shown = [names[by] for by in line.by if names[by]]
    if line.cases:
        more = len(line.cases) - 3
        shown.append(", ".join(line.cases[:3]) + (tr(" et {count} autres", count=more) if more > 0 else ""))
    return " ; ".join(shown)
