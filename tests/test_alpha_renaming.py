"""The house rule "no Python names a norm", proved by doing: every norm under other names gets the same verdicts.

Each bundled norm that has services is copied with the norms it uses and their scenarios, everything renamed that a norm
may name (`norm_renaming`). Both are run against practice partners, plain and with faults seeded: one that gives another
result, one that breaks a rule, one that changes an amount.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pytest
from lxml import etree
from norm_renaming import ERRORS, RESULTS, STANDARD, Names, codes_of, last_name, own_prefixes
from norm_rewriting import Rewriter

from harness.record import CaseVerdict, Verdicts
from harness.run import RunOptions, run
from norms.behaviour import Fault
from norms.behaviour import load as load_behaviour
from norms.loader import available, load
from norms.message_check import checker_for
from norms.model import Norm
from poincon.practice import practice_declaration
from sandbox.pki import TestPki, ensure
from sandbox.serve import Specification, World, spawn
from scenarios.compiler import compile_suite
from scenarios.declaration import Declaration, read_sut
from scenarios.model import Case, Suite
from scenarios.reader import read_scenarios

CHECKOUT: Final = Path(__file__).resolve().parent.parent
WRITTEN, DERIVED, TELLING = 12, 6, 6


def bundled() -> list[str]:
    """Return the norms that a product can be tested against."""
    roots = [CHECKOUT / "norms"]
    return [ref for ref in available(roots) if load(ref, roots).services]


@dataclass(frozen=True)
class Bench:
    """One norm ready to be practised: its whole suite and what runs it."""

    norm: Norm
    declaration: Declaration
    suite: Suite

    def run(self, cases: Sequence[Case], endpoints: dict[str, str], out: Path) -> Verdicts:
        product = msgspec.structs.replace(self.declaration.product, endpoints=endpoints)
        options = RunOptions(
            declaration=msgspec.structs.replace(self.declaration, product=product),
            suite=msgspec.structs.replace(self.suite, cases=tuple(cases)),
            norm=self.norm,
            out=out,
            jobs=2,
            preflight=False,
        )
        return run(options).verdicts


@dataclass(frozen=True)
class Twins:
    """A norm under both names, with the cases chosen of each, in the same order. worlds: world -> seeded fault."""

    rewriter: Rewriter
    norms: tuple[Norm, Norm]
    cases: tuple[tuple[Case, ...], tuple[Case, ...]]
    worlds: dict[str, str]
    verdicts: dict[str, tuple[Verdicts, Verdicts]]
    folder: Path


def _bench(ref: str, pki: TestPki, folder: Path) -> Bench:
    norm = load(ref)
    file = folder / f"{norm.id}.yaml"
    nowhere = dict.fromkeys((service.kind for service in norm.services), "https://localhost:1/")
    file.write_text(practice_declaration(norm, nowhere, pki), encoding="utf-8")
    declaration = read_sut(file)
    return Bench(norm, declaration, compile_suite(norm, read_scenarios(norm), declaration, "server"))


def _seeded(norm: Norm, names: Names) -> dict[str, str]:
    """Return world -> fault: the first of each sort that the norm itself has."""
    own = {requirement.id for requirement in norm.requirements}
    ruled = {rule.role for file in checker_for(norm).rules.files for rule in file.assertions()}
    faults = [fault for fault in load_behaviour(norm).faults if fault.requirement in own]

    def uses(fault: Fault, operator: str) -> bool:
        return any(change.get("operator") == operator for change in _changes(fault))

    def sets_result(fault: Fault) -> bool:
        return any(
            change.get("operator") == "set-text" and last_name(str(change.get("at"))) == names.result_at
            for change in _changes(fault)
        )

    sorts: dict[str, Callable[[Fault], bool]] = {
        "result": lambda fault: sets_result(fault) or uses(fault, "ignore-row"),
        "rule": lambda fault: fault.requirement in ruled and (uses(fault, "remove") or uses(fault, "set-text")),
        "amount": lambda fault: uses(fault, "shift-amount"),
    }
    chosen = {sort: next((fault.id for fault in faults if fits(fault)), "") for sort, fits in sorts.items()}
    return {"plain": ""} | {sort: fault for sort, fault in chosen.items() if fault}
