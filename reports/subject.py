"""What every report tells about: one run with its norm, suite, verdicts and exchanges, gathered for reading.

Source: docs/formats/run.md; built from the run folder by `reports.source`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from harness.record import CaseVerdict, Exchange, Finding, Verdicts
from norms.model import Norm, Requirement
from reports.masking import Masker
from scenarios.model import Case, Suite


@dataclass(frozen=True)
class Product:
    """The product under test, as its vendor names it."""

    vendor: str
    name: str
    version: str


@dataclass(frozen=True)
class RunFacts:
    """What the run says about itself.

    id: name of the run; tool: name and version of the laboratory; started_at / finished_at: RFC 3339 UTC; claims: ICS
    id -> answer ("" = unset); endpoints: message kind -> address;
    partial: only some cases were selected; stopped: why the run ended early, "" when it did not; sandbox_authority:
    the trust anchors are not of an authority that the association recognises; evidence_root: RFC 6962 Merkle root in
    hex; evidence_records: lines of the journal under it; durations: milliseconds in the exchanges of each case;
    relayed: exchanges that the relay completed and carried.
    """

    id: str
    tool: str
    started_at: str
    finished_at: str
    product: Product
    profiles: tuple[str, ...] = ()
    claims: Mapping[str, str] = field(default_factory=dict)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False
    stopped: str = ""
    sandbox_authority: bool = True
    evidence_root: str = ""
    evidence_records: int = 0
    durations: Mapping[str, float] = field(default_factory=dict)
    relayed: int = 0

    @property
    def complete(self) -> bool:
        """Whether every case of the suite had its turn."""
        return not self.partial and not self.stopped


@dataclass(frozen=True)
class Subject:
    """A run ready to be told. exchanges: returns the recorded exchanges of a case, in order."""

    facts: RunFacts
    norm: Norm
    suite: Suite
    verdicts: Verdicts
    exchanges: Callable[[str], Sequence[Exchange]]

    @cached_property
    def cases(self) -> dict[str, Case]:
        """The cases of the suite by id."""
        return {case.id: case for case in self.suite.cases}

    @cached_property
    def masker(self) -> Masker:
        """Hides what readers must not see, the secret values of this product included."""
        names = {value.name for value in self.norm.extra_values if value.secret}
        return Masker(text for case in self.suite.cases for name, text in case.bindings.items() if name in names)

    @cached_property
    def official(self) -> bool:
        """True when the norm and all the norms that it uses come from the association."""
        return all(norm.provenance == "official" for norm in self.norm.family)

    def requirement(self, requirement_id: str) -> Requirement | None:
        """The requirement of that id, when the norm has it."""
        return self.norm.requirement(requirement_id)

    def title(self, case: CaseVerdict) -> str:
        """The title of a case, its id when the suite does not hold it."""
        known = self.cases.get(case.id)
        return str(known.title) if known is not None else case.id

    def findings(self, *verdicts: str) -> list[tuple[CaseVerdict, Finding]]:
        """Every finding of those verdicts with its case, in the order of the verdicts file."""
        return [(case, found) for case in self.verdicts.cases for found in case.findings if found.verdict in verdicts]

    def exchange(self, case_id: str, exchange_id: str) -> Exchange | None:
        """The exchange of that id; the last one of the case when the id is empty."""
        recorded = self.exchanges(case_id)
        if exchange_id:
            return next((exchange for exchange in recorded if exchange.id == exchange_id), None)
        return recorded[-1] if recorded else None


def by_requirement(subject: Subject) -> dict[str, list[CaseVerdict]]:
    """Group the cases by each requirement that they speak of; a case stands under several.

    What the norm judges on every answer belongs to every case that was executed and exchanges a message concerned.
    """
    grouped: dict[str, list[CaseVerdict]] = defaultdict(list)
    role = subject.verdicts.role
    for case in subject.verdicts.cases:
        cited = [*case.requirements, *(finding.requirement for finding in case.findings)]
        if case.verdict not in ("not_run", "not_selected"):
            kinds = _kinds(subject.cases.get(case.id))
            for each in subject.norm.always:
                known = subject.requirement(each.requirement)
                if (known is None or known.role in (role, "both")) and (not each.kinds or kinds & set(each.kinds)):
                    cited.append(each.requirement)
        for requirement in filter(None, dict.fromkeys(cited)):
            grouped[requirement].append(case)
    return dict(grouped)


def _kinds(case: Case | None) -> set[str]:
    return {step.send or step.await_ for step in case.steps} if case is not None else set()
