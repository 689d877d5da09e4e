"""`norms check`: can a rule over a whole case ever be judged? Its context lies in a message of the role it binds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lxml import etree

from norms.case_check import is_case
from norms.chains import PREFIX, ChainProblem
from norms.errors import ParseRefusal
from norms.i18n import tr
from norms.message_check import Checker
from norms.model import Norm
from norms.norm_problem import NormProblem
from norms.parsing import parse

_SIDE_OF: Final = {"server": "response", "client": "request"}


def chain_problems(norm: Norm, checker: Checker) -> Iterator[NormProblem]:
    """Yield the chain rules whose context is in no message, or never in one of the role that their requirement binds.

    Told by the invalid examples: that a rule has one is checked with the other examples.
    """
    for file, assertion in checker.chains.rules.assertions():
        found = [problem for root in _examples(norm, assertion.id) for problem in checker.chains.problems(root)]
        mine = [problem for problem in found if problem.rule == assertion.id]
        requirement = norm.requirement(assertion.role)
        if mine and requirement is not None and not any(_judged(problem, requirement.role) for problem in mine):
            yield NormProblem(
                file.path,
                assertion.line,
                tr("La règle « {rule} » ne sera jamais jugée : son contexte n'est pas dans un message du rôle {role}.",
                   rule=assertion.id, role=requirement.role),
                tr("Un contexte est sous {prefix}:response pour un serveur, sous {prefix}:request pour un client.",
                   prefix=PREFIX),
            )  # fmt: skip


def _judged(problem: ChainProblem, role: str) -> bool:
    return bool(problem.side) and _SIDE_OF.get(role, problem.side) == problem.side


def _examples(norm: Norm, rule: str) -> Iterator[etree._Element]:
    for path in sorted(Path(norm.root / "examples" / "invalid").glob(f"{rule}--*.xml")):
        try:
            root = parse(path.read_bytes(), norm.security.limits)
        except ParseRefusal:
            continue  # said of the example itself
        if is_case(root):
            yield root
