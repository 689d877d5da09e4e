"""The kill rate: does the suite catch every seeded fault, blame the right requirement, and spare conformant partners?

A world is opened for the plain partner, each variant and each fault; the whole suite runs against each.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from harness.record import Verdicts
from norms.behaviour import Fault
from norms.errors import UsageError
from norms.i18n import tr
from norms.model import Norm
from norms.yamlfile import nearest
from poincon.conduct import TOOL
from poincon.kill_runs import World, practice_partners
from reports.kill import KillRecord
from scenarios.compiler import cited
from scenarios.model import Role, Scenario
from scenarios.reader import read_scenarios

PLAIN = "plain"


class Survivor(msgspec.Struct, frozen=True):
    """A fault that was not killed as it should. reason: not found, or blamed on other requirements (`strays`)."""

    fault: str
    requirement: str
    reason: str
    strays: tuple[str, ...] = ()


class FalseAlarm(msgspec.Struct, frozen=True):
    """A conformant partner that a case did not let pass."""

    variant: str
    case: str
    verdict: str
    requirements: tuple[str, ...]


class KillReport(msgspec.Struct, frozen=True):
    """The measure, as `kill-rate --json` prints it.

    suite: digest of norm and scenarios before any declaration; kills: fault -> cases that failed on it;
    redundant: written scenarios that could be removed without loss (told only when everything was tried); partial: only
    some faults or variants were tried.
    """

    norm: str
    role: str
    suite: str
    total: int
    killed: int
    survivors: tuple[Survivor, ...]
    false_alarms: tuple[FalseAlarm, ...]
    variants: tuple[str, ...]
    tool: str
    kills: dict[str, tuple[str, ...]]
    redundant: tuple[str, ...] = ()
    partial: bool = False

    @property
    def perfect(self) -> bool:
        """Whether every fault was killed and nobody was blamed wrongly."""
        return self.killed == self.total and not self.false_alarms

    def record(self) -> KillRecord:
        """Return what a certificate quotes."""
        return KillRecord(
            norm=self.norm,
            role=self.role,
            suite=self.suite,
            total=self.total,
            killed=self.killed,
            survivors=tuple(survivor.fault for survivor in self.survivors),
            false_alarms=tuple(f"{alarm.variant} {alarm.case}" for alarm in self.false_alarms),
            variants=self.variants,
            tool=self.tool,
            partial=self.partial,
        )


def survivor(fault: Fault, verdicts: Verdicts, own: frozenset[str] = frozenset()) -> Survivor | None:
    """Return why `fault` counts as not killed by a run against it, None when it is killed.

    Killed: the run fails, a finding cites the fault's requirement or a declared consequence, and nothing else is held
    against the product or makes an incident of ours. A generated fault names no requirement: any finding kills it.
    own: the norm's own requirements; a fault inherited from a norm that it uses cannot name those it breaks as well.
    """
    allowed = {fault.requirement, *fault.consequences}
    cited = {
        finding.requirement
        for case in verdicts.cases
        for finding in case.findings
        if finding.verdict in ("fail", "error")
    }
    tolerated = own if fault.requirement not in own else frozenset()
    strays = tuple(sorted(cited - allowed - tolerated))
    if not fault.requirement and verdicts.verdict == "fail":
        return None
    if verdicts.verdict != "fail" or not cited & allowed:
        return Survivor(fault.id, fault.requirement, tr("non détecté ({verdict})", verdict=verdicts.verdict), strays)
    if strays:
        return Survivor(fault.id, fault.requirement, tr("d'autres exigences sont mises en cause"), strays)
    return None


def false_alarms(variant: str, verdicts: Verdicts) -> list[FalseAlarm]:
    """Return the cases that a conformant partner did not pass."""
    return [
        FalseAlarm(variant, case.id, case.verdict, tuple(sorted({finding.requirement for finding in case.findings})))
        for case in verdicts.cases
        if case.verdict not in ("pass", "not_selected")
    ]


def redundant(
    scenarios: Sequence[Scenario], kills: Mapping[str, Sequence[str]], role: Role = "server"
) -> tuple[str, ...]:
    """Return the written scenarios of that role that could be removed without anybody noticing.

    Kept: a scenario that alone cites some requirement, or whose cases alone fail on some fault.
    """
    written = {scenario.id: scenario for scenario in scenarios if scenario.role == role}
    witnesses: dict[str, set[str]] = {}
    for scenario in written.values():
        for requirement in cited(scenario.steps):
            witnesses.setdefault(f"requirement {requirement}", set()).add(scenario.id)
    for fault, cases in kills.items():
        witnesses[f"fault {fault}"] = {case.partition("@")[0] for case in cases}
    needed = {next(iter(alone)) for alone in witnesses.values() if len(alone) == 1}
    return tuple(sorted(written.keys() - needed))


def measure(
    norm: Norm,
    data: Path,
    *,
    role: Role = "server",
    jobs: int = 2,
    only: Sequence[str] = (),
    generated: bool = False,
    seed: int = 0,
    on_world: Callable[[str, str], None] = lambda _world, _outcome: None,
) -> KillReport:
    """Measure the suite of `norm` for products of `role`.

    data: folder of the sandbox's keys; only: ids or globs of the faults and variants to try (default all);
    generated: the mutants of `seed` instead of the seeded faults; on_world: told each world and its outcome.
    """
    partners = practice_partners(norm, role, seed if generated else None)
    faults = [fault for fault in partners.faults if _wanted(fault.id, only)]
    variants = [variant.id for variant in partners.variants if _wanted(variant.id, only)]
    known = [fault.id for fault in partners.faults] + [variant.id for variant in partners.variants]
    for name in only:
        if not any(fnmatchcase(each, name) for each in known):
            raise UsageError(
                tr("« {id} » n'existe pas dans cette norme. {remedy}", id=name, remedy=nearest(name, known))
            )
    worlds = {PLAIN: World()}
    worlds |= {variant: World(variants=(variant,)) for variant in variants}
    worlds |= {fault.id: World(faults=(fault.id,)) for fault in faults}
    own = frozenset(requirement.id for requirement in norm.requirements)
    alarms: list[FalseAlarm] = []
    survivors: list[Survivor] = []
    kills: dict[str, tuple[str, ...]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="poincon-") as folder,
        partners.runs(data, Path(folder), jobs, worlds) as runs,
    ):
        for world in (PLAIN, *variants):
            found = false_alarms(world, runs.run(world))
            alarms += found
            on_world(
                world, tr("fausse alerte : {cases}", cases=", ".join(alarm.case for alarm in found)) if found else ""
            )
        for fault in faults:
            verdicts = runs.run(fault.id)
            kills[fault.id] = tuple(case.id for case in verdicts.cases if case.verdict == "fail")
            alive = survivor(fault, verdicts, own)
            survivors += [alive] if alive else []
            on_world(fault.id, f"{alive.reason} {' '.join(alive.strays)}".strip() if alive else "")
        source = runs.source
    return KillReport(
        norm=norm.ref,
        role=role,
        suite=source,
        total=len(faults),
        killed=len(faults) - len(survivors),
        survivors=tuple(survivors),
        false_alarms=tuple(alarms),
        variants=tuple(variants),
        tool=TOOL,
        kills=kills,
        partial=bool(only),
        redundant=() if only or generated else redundant(read_scenarios(norm), kills, role),
    )


def _wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(fnmatchcase(name, pattern) for pattern in only)
