"""The expectations that one exchange is judged by: the step's own, then the norm's `always` ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from harness.checks.base import Check
from harness.checks.registry import CHECKS, REFUSALS, TOLERANT
from harness.context import JudgeContext
from harness.errors import SuiteFault
from harness.observed import Stage, moment
from harness.record import Exchange
from norms.dynamic import resolve
from norms.i18n import tr
from scenarios.model import Case, Expectation, Step
from scenarios.vocabulary import CHECKS as VOCABULARY


@dataclass(frozen=True)
class Planned:
    """An expectation with its check and its values resolved. always: it is the norm's own."""

    expectation: Expectation
    check: Check
    values: tuple[str, ...]
    always: bool

    @property
    def name(self) -> str:
        """The check's name."""
        return self.check.name

    @property
    def requirement(self) -> str:
        """The requirement it cites."""
        return self.expectation.requirement


@dataclass(frozen=True)
class Plan:
    """What one exchange is judged by, in order of citation. musts: ids of the requirements that are a MUST."""

    own: tuple[Planned, ...]
    always: tuple[Planned, ...]
    musts: frozenset[str]

    @property
    def all(self) -> tuple[Planned, ...]:
        """Own expectations, then the norm's."""
        return self.own + self.always

    @property
    def expects_refusal(self) -> bool:
        """Whether the step wants no normal answer."""
        return any(planned.name in REFUSALS for planned in self.own)

    @property
    def refuses_a_fault(self) -> bool:
        """Whether a SOAP fault is a surprise: nothing expects or tolerates one."""
        if self.expects_refusal:
            return False
        if self.needing_normal:
            return True
        if any(planned.name == "schema-accepted" for planned in self.own):
            return False
        return not self.own or any(planned.name not in TOLERANT for planned in self.own)

    @property
    def needing_normal(self) -> list[Planned]:
        """Own expectations that only a normal answer can meet; those on the outcome as a whole first."""
        found = [each for each in self.own if each.check.needs is Stage.NORMAL or each.name == "accepted"]
        return sorted(found, key=lambda each: each.name not in ("accepted", "result"))

    def cited_for_transport(self) -> Planned | None:
        """Return the expectation to cite when no message came: a transport refusal, `answered`, else the first."""
        for planned in self.own:
            if planned.name == "refused" and any(value in ("tls", "reset") for value in planned.values):
                return planned
        return self._first([planned for planned in self.all if planned.name == "answered"]) or self._first(self.all)

    def cited_for_trouble(self, stage: Stage) -> Planned | None:
        """Return the expectation to cite when the message could not be read up to `stage`."""
        groups: list[list[Planned]] = []
        if stage is Stage.HTTP:
            groups.append([planned for planned in self.all if planned.name == "answered"])
        groups.append([planned for planned in self.own if planned.name in REFUSALS])
        groups.append([planned for planned in self.all if planned.name == "valid"])
        groups.append(self.needing_normal)
        groups.append([planned for planned in self.all if planned.check.needs >= Stage.MESSAGE])
        return self._first([planned for group in groups for planned in group])

    def cited_for_fault(self) -> Planned | None:
        """Return the expectation to cite when a SOAP fault came instead of a normal answer."""
        return self._first([*self.needing_normal, *(each for each in self.own if each.name not in TOLERANT)])

    def _first(self, candidates: list[Planned] | tuple[Planned, ...]) -> Planned | None:
        """Return the first candidate that is a MUST, else the first."""
        return next((each for each in candidates if each.requirement in self.musts), next(iter(candidates), None))


def plan(context: JudgeContext, case: Case, step: Step, exchange: Exchange) -> Plan:
    """Return what `exchange` is judged by. Raises SuiteFault, or DataError for a value that cannot be resolved.

    An `always` expectation applies to the kinds it names and to the role its requirement binds; where the step makes
    the same check itself, the step's citation stands alone.
    """
    bindings = {**case.bindings, **exchange.bindings}
    now = moment(exchange.sent_at)
    own = tuple(_planned(context, each, bindings, now, always=False) for each in step.expect)
    said = {_key(planned.expectation) for planned in own}
    always: list[Planned] = []
    for each in context.norm.always:
        requirement = context.suite_norm.requirement(each.requirement)
        spec = VOCABULARY.get(each.check)
        if requirement is not None and requirement.role not in (case.role, "both"):
            continue
        if spec is not None and case.role not in spec.roles:
            continue
        if each.kinds and (step.send or step.await_) not in each.kinds:
            continue
        expectation = Expectation(each.requirement, each.check, each.at, each.value, each.values, each.table)
        if _key(expectation) not in said:
            always.append(_planned(context, expectation, bindings, now, always=True))
    cited = {planned.requirement for planned in (*own, *always)}
    known = (context.suite_norm.requirement(requirement) for requirement in cited)
    musts = frozenset(each.id for each in known if each is not None and each.level == "MUST")
    return Plan(own, tuple(always), musts)


def _planned(
    context: JudgeContext, expectation: Expectation, bindings: Mapping[str, str], now: datetime, *, always: bool
) -> Planned:
    check, spec = CHECKS.get(expectation.check), VOCABULARY.get(expectation.check)
    if check is None or spec is None:
        raise SuiteFault(tr("Le contrôle « {nom} » n'existe pas.", nom=expectation.check))
    written = expectation.values or ((expectation.value,) if expectation.value else ())
    given = {"at": expectation.at, "value": written, "table": expectation.table, "step": expectation.step}
    for key in spec.needs:
        # An expectation without its values would be missed by every product, or met by every one.
        if not given[key]:
            raise SuiteFault(tr("Le contrôle « {nom} » n'a pas de « {cle} ».", nom=check.name, cle=key))
    values = tuple(resolve(value, bindings, context.today, now=now, line=expectation.line).strip() for value in written)
    return Planned(expectation, check, values, always)


def _key(expectation: Expectation) -> tuple[str, ...]:
    values = expectation.values or (expectation.value,)
    return (expectation.check, expectation.at, expectation.table, str(expectation.step), *values)
