"""The house rule "no Python names a norm", proved by doing: every norm under other names gets the same verdicts.

Each bundled norm that has services is copied with the norms it uses, its companions and their scenarios, everything
renamed that a norm may name (`norm_renaming`). Both are run against practice partners, plain and with faults seeded:
one that gives another result, one that breaks a rule, one that changes an amount; then both suites of role client
against the practice software, plain, with a fault of its requests and with one of its conduct.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import pytest
from lxml import etree
from norm_renaming import ERRORS, RESULTS, STANDARD, Names, codes_of, last_name, members, own_prefixes
from norm_rewriting import Rewriter

from harness.record import CaseVerdict, Verdicts
from harness.run import RunOptions, run
from norms.behaviour import Fault
from norms.behaviour import load as load_behaviour
from norms.behaviour.software import load_software
from norms.errors import NormError
from norms.loader import available, load
from norms.message_check import checker_for
from norms.model import Norm
from poincon.practice import driven_by_robot, practice_declaration
from poincon.software import ROBOTS, RobotActor
from sandbox.pki import TestPki, ensure
from sandbox.plan import Plan
from sandbox.serve import Specification, World, spawn
from scenarios.compiler import compile_suite
from scenarios.declaration import Declaration, read_sut
from scenarios.model import Case, Role, Suite
from scenarios.reader import read_scenarios

CHECKOUT: Final = Path(__file__).resolve().parent.parent
WRITTEN, DERIVED, TELLING = 6, 3, 3
DRIVEN, TOLD_BY = 6, 2
"""Cases of role client: played with the honest software; with one that departs."""
HUSH_SECONDS = 0.1
pytestmark = pytest.mark.timeout(300)
T = TypeVar("T")


def bundled() -> list[str]:
    """Return the norms that a product can be tested against; one that cannot be read fails in its own tests."""
    roots, found = [CHECKOUT / "norms"], []
    for ref in available(roots):
        try:
            found += [ref] if load(ref, roots).services else []
        except NormError:
            found.append(ref)
    return found


@dataclass(frozen=True)
class Bench:
    """One norm ready to be practised: its whole suite and what runs it."""

    norm: Norm
    declaration: Declaration
    suite: Suite

    def run(self, cases: Sequence[Case], endpoints: dict[str, str], out: Path) -> Verdicts:
        product = msgspec.structs.replace(self.declaration.product, endpoints=endpoints)
        return self._run(cases, out, msgspec.structs.replace(self.declaration, product=product), None)

    def drive(self, cases: Sequence[Case], pki: TestPki, fault: str, out: Path) -> Verdicts:
        """Run against the practice software. fault: what is wrong with it."""
        software = load_software(self.norm)
        plan = Plan([one for one in software.faults if one.id == fault], [])
        return self._run(cases, out, driven_by_robot(self.declaration), RobotActor(self.norm, pki, plan))

    def _run(self, cases: Sequence[Case], out: Path, declaration: Declaration, robot: RobotActor | None) -> Verdicts:
        options = RunOptions(
            declaration=declaration,
            suite=msgspec.structs.replace(self.suite, cases=tuple(cases)),
            norm=self.norm,
            out=out,
            jobs=ROBOTS if robot else 2,
            preflight=False,
            operator=robot,
        )
        return run(options).verdicts


@dataclass(frozen=True)
class Driven:
    """What was said of the practice software under both names. fault: what is wrong with it, "" nothing."""

    fault: str
    cases: tuple[Case, ...]
    twins: tuple[Case, ...]
    verdicts: tuple[Verdicts, Verdicts]


@dataclass(frozen=True)
class Twins:
    """A norm under both names, with the cases chosen of each, in the same order. worlds: world -> seeded fault."""

    rewriter: Rewriter
    norms: tuple[Norm, Norm]
    cases: tuple[tuple[Case, ...], tuple[Case, ...]]
    worlds: dict[str, str]
    verdicts: dict[str, tuple[Verdicts, Verdicts]]
    folder: Path
    driven: list[Driven]


def _bench(ref: str, pki: TestPki, folder: Path, role: Role = "server") -> Bench:
    norm = load(ref)
    file = folder / f"{norm.id}-{role}.yaml"
    nowhere = dict.fromkeys((service.kind for service in norm.tested_services(role)), "https://localhost:1/")
    file.write_text(practice_declaration(norm, nowhere if role == "server" else {}, pki, role), encoding="utf-8")
    declaration = read_sut(file)
    return Bench(norm, declaration, compile_suite(norm, read_scenarios(norm), declaration, role))


def _sorts(norm: Norm, names: Names) -> dict[str, list[Fault]]:
    """Return the faults about requirements of the norm itself, by what they do."""
    own = {requirement.id for requirement in norm.requirements}
    ruled = {rule.role for file in checker_for(norm).rules.files for rule in file.assertions()}
    faults = [fault for fault in load_behaviour(norm).faults if fault.requirement in own]

    def uses(fault: Fault, operator: str, result: bool = False) -> bool:
        return any(
            change.operator.name == operator
            and (not result or last_name(change.parameters.get("at", "")) in names.result_at)
            for change in fault.changes
        )

    sorts: dict[str, Callable[[Fault], bool]] = {
        "result": lambda fault: uses(fault, "set-text", result=True) or uses(fault, "ignore-row"),
        "rule": lambda fault: fault.requirement in ruled and (uses(fault, "remove") or uses(fault, "set-text")),
        "amount": lambda fault: uses(fault, "shift-amount"),
    }
    return {sort: [fault for fault in faults if fits(fault)] for sort, fits in sorts.items()}


def _telling(fault: Fault, cases: Sequence[Case]) -> list[Case]:
    """Return cases that must find the fault: they cite its requirement, for the person that it is narrowed to.

    Where a fault puts in a person's value, those of that very person see nothing.
    """
    put = {change.parameters.get("value", "") for change in fault.changes}
    citing = [case for case in cases if _cites(case, fault.requirement) and put.isdisjoint(case.bindings.values())]
    narrowed = " ".join(change.when.source for change in fault.changes if change.when)
    if re.search(r"\d{6}", narrowed):
        citing = [case for case in citing if any(len(one) > 6 and one in narrowed for one in case.bindings.values())]
    return _spread(citing, TELLING)


def _cites(case: Case, requirement: str) -> bool:
    return any(expectation.requirement == requirement for step in case.steps for expectation in step.expect)


def _various(cases: Sequence[Case], count: int) -> list[Case]:
    """Return `count` cases: one for each kind that is awaited, then others evenly spread."""
    first = {step.await_: case for case in reversed(cases) for step in case.steps if step.await_}
    chosen = {case.id: case for case in [*first.values(), *_spread(cases, count)]}
    return list(chosen.values())[: max(count, len(first))]


def _hastened(case: Case) -> Case:
    """Return a case with shorter silences: the practice software has sent all when it says that it is done."""
    steps = (msgspec.structs.replace(s, quiet_seconds=min(s.quiet_seconds, HUSH_SECONDS)) for s in case.steps)
    return msgspec.structs.replace(case, steps=tuple(steps))


def _same_person(one: Case, other: Case) -> bool:
    """Which person of a pool a case gets follows from its id: only with the same one is it the same case."""
    return one.bindings == other.bindings


def _spread(cases: Sequence[T], count: int) -> list[T]:
    """Return `count` cases, evenly spread over all; all of them when there are fewer."""
    return [cases[number * len(cases) // count] for number in range(count)] if len(cases) > count else list(cases)


@pytest.fixture(scope="module", params=bundled())
def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    ref, folder = request.param, tmp_path_factory.mktemp("twins")
    names = Names(load(ref))
    rewriter = Rewriter(names)
    rewriter.copy(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POINCON_NORMS", str(folder / "norms"))
        patch.setenv("POINCON_SCENARIOS", str(folder / "scenarios"))
        data = tmp_path_factory.getbasetemp() / "twins-data"
        pki = ensure(data / "pki")
        benches = (_bench(ref, pki, folder), _bench(names.norms[ref], pki, folder))
        first, second = (
            {origin: [case for case in bench.suite.cases if case.origin == origin] for origin in ("written", "derived")}
            for bench in benches
        )
        same = {case.id: case for case in second["written"]}
        alike = [case for case in first["written"] if _same_person(case, same[rewriter.case(case.id)])]
        worlds, written = {"plain": ""}, {case.id: case for case in _spread(alike, WRITTEN)}
        for sort, faults in _sorts(benches[0].norm, names).items():
            found = next(((fault, told) for fault in faults if (told := _telling(fault, alike))), None)
            if found is not None:
                worlds[sort] = found[0].id
                written |= {case.id: case for case in found[1]}
        derived = [pair for pair in zip(first["derived"], second["derived"], strict=True) if _same_person(*pair)]
        chosen = [*((case, same[rewriter.case(case.id)]) for case in written.values()), *_spread(derived, DERIVED)]
        left, right = (list(side) for side in zip(*chosen, strict=True))
        planned = {world: World(faults=(fault,) if fault else ()) for world, fault in worlds.items()}
        both: dict[str, list[Verdicts]] = {world: [] for world in worlds}
        with spawn(Specification((ref, names.norms[ref]), str(data), worlds=planned)) as sandbox:
            for bench, cases in zip(benches, (left, right), strict=True):
                for world in worlds:
                    out = folder / world / bench.norm.id
                    both[world].append(bench.run(cases, sandbox.endpoints(world, bench.norm.ref), out))
        verdicts = {world: (one, other) for world, (one, other) in both.items()}
        norms = (benches[0].norm, benches[1].norm)
        robots = _driven(rewriter, (ref, names.norms[ref]), pki, folder)
        yield Twins(rewriter, norms, (tuple(left), tuple(right)), worlds, verdicts, folder, robots)


def _driven(rewriter: Rewriter, refs: tuple[str, str], pki: TestPki, folder: Path) -> list[Driven]:
    """Return what was said of the practice software: honest, with a wrong request, with a wrong conduct."""
    one, other = (_bench(ref, pki, folder, "client") for ref in refs)
    same = {case.id: case for case in other.suite.cases}
    pairs = [(case, same[rewriter.case(case.id)]) for case in map(_hastened, one.suite.cases)]
    alike = [case for case, twin in pairs if _same_person(case, twin)]

    def driven(fault: str, cases: list[Case], failing: bool) -> Driven | None:
        """Play cases under both names; None: a fault that the first ones do not find."""
        left = one.drive(cases, pki, fault, folder / f"client{fault}" / one.norm.id)
        if failing and left.verdict != "fail":
            return None
        twins = [_hastened(same[rewriter.case(case.id)]) for case in cases]
        right = other.drive(twins, pki, fault, folder / f"client{fault}" / other.norm.id)
        return Driven(fault, tuple(cases), tuple(twins), (left, right))

    found = [driven("", _various(alike, DRIVEN), False)]
    for of_conduct in (False, True):
        faults = [
            (fault.id, told)
            for fault in load_software(one.norm).faults
            if all((change.operator.phase == "tree") != of_conduct for change in fault.changes)
            and (told := [case for case in alike if _cites(case, fault.requirement)])
        ]
        tried = (driven(fault, _spread(told, TOLD_BY), True) for fault, told in faults)
        found.append(next(filter(None, tried), None))
    return [one for one in found if one is not None]


def _told(verdict: CaseVerdict, rewriter: Rewriter | None) -> dict[str, object]:
    """Return what a case said, in the new names; findings of one case have no order of their own."""
    names = rewriter.names if rewriter else None

    def named(requirement: str) -> str:
        return names.requirements.get(requirement, requirement) if names else requirement

    def ruled(reason: str) -> str:
        sort, colon, rule = reason.partition(":")
        return f"{sort}{colon}{names.rules.get(rule, rule)}" if names else reason

    return {
        "verdict": verdict.verdict,
        "checked": verdict.checked,
        "requirements": sorted(map(named, verdict.requirements)),
        "findings": sorted(
            (
                named(f.requirement),
                f.level,
                f.severity,
                f.verdict,
                f.blame,
                f.check,
                ruled(f.reason),
                rewriter.xpath(f.location.path) if rewriter else f.location.path,
            )
            for f in verdict.findings
        ),
    }


def test_nothing_of_the_old_names_is_left(twins: Twins) -> None:
    """Otherwise the copy would prove nothing."""
    (old, new), names = twins.norms, twins.rewriter.names
    assert old.digest != new.digest
    assert len(old.companions) == len(new.companions)
    for one, other in zip(members(old), members(new), strict=True):
        assert {one.id, one.version}.isdisjoint({other.id, other.version})
        assert {r.id for r in one.requirements}.isdisjoint(r.id for r in other.requirements)
        assert len(one.requirements) == len(other.requirements)
    for attribute in ("kind", "operation", "path"):
        left, right = (
            {getattr(service, attribute) for one in norm.speakers for service in one.services} - {""}
            for norm in (old, new)
        )
        assert left.isdisjoint(right) and len(left) == len(right)
    assert {p.code for p in old.profiles}.isdisjoint(p.code for p in new.profiles)
    assert old.derived_prefix != new.derived_prefix
    assert old.security.name != new.security.name and old.security.kinds.keys().isdisjoint(new.security.kinds)
    own = {prefix: uri for speaker in old.speakers for prefix, uri in own_prefixes(speaker).items()}
    for one, other in zip(old.speakers, new.speakers, strict=True):
        assert own.keys().isdisjoint(other.prefixes) and set(own.values()).isdisjoint(other.prefixes.values())
        for table in {RESULTS, ERRORS} & one.tables.keys():
            assert table not in other.tables
            assert set(codes_of(one.tables[table])).isdisjoint(codes_of(other.tables[names.tables[table]]))
        pools = [{pool.name for pool in load_behaviour(norm).population.pools} for norm in (one, other)]
        assert pools[0].isdisjoint(pools[1]) and len(pools[0]) == len(pools[1])
        software = [load_software(norm).conduct for norm in (one, other)]
        assert software[0].actions.keys().isdisjoint(software[1].actions)
        assert software[0].routes.keys().isdisjoint(software[1].routes)
    qualified = {name.partition(":")[2] for name in names.elements}
    for path in twins.folder.glob("norms/*/*/[me]*/**/*.xml"):
        for node in etree.parse(path).iter("{*}*"):
            name = etree.QName(node)
            assert name.namespace not in own.values(), path
            if name.namespace in names.namespaces.values() and not name.namespace.startswith(STANDARD):
                assert name.localname not in qualified, path
            assert name.namespace or name.localname not in names.local, path


def test_both_have_the_same_cases(twins: Twins) -> None:
    (left, right), rewriter = twins.cases, twins.rewriter
    assert len(left) == len(right) > WRITTEN
    for one, other in zip(left, right, strict=True):
        assert [rewriter.names.kinds[step.send] for step in one.steps] == [step.send for step in other.steps]
        assert [rewriter.names.requirements[e.requirement] for s in one.steps for e in s.expect] == [
            e.requirement for s in other.steps for e in s.expect
        ]
        if one.origin == "derived":
            assert {rewriter.xpath(at): text for at, text in one.steps[0].edits.items()} == other.steps[0].edits


def test_both_get_the_same_verdicts(twins: Twins) -> None:
    for world, (one, other) in twins.verdicts.items():
        assert one.verdict == other.verdict
        assert world != "plain" or one.verdict == "pass"
        left, right = ({case.id: case for case in verdicts.cases} for verdicts in (one, other))
        for first, second in zip(*twins.cases, strict=True):
            assert _told(left[first.id], twins.rewriter) == _told(right[second.id], None), (world, first.id)


def test_the_practice_software_gets_the_same_verdicts(twins: Twins) -> None:
    """Its conduct, the directory it asks and what it deposits are data of the norm as well."""
    for driven in twins.driven:
        one, other = driven.verdicts
        assert one.verdict == other.verdict and (driven.fault or one.verdict == "pass"), driven.fault
        left, right = ({case.id: case for case in verdicts.cases} for verdicts in (one, other))
        for first, second in zip(driven.cases, driven.twins, strict=True):
            assert _told(left[first.id], twins.rewriter) == _told(right[second.id], None), (driven.fault, first.id)
    awaited = {step.await_ for case in twins.driven[0].cases for step in case.steps} - {""}
    norm = twins.norms[0]
    looked_up = {service.kind for one in norm.companions for service in one.services}
    assert awaited >= looked_up | {service.kind for service in norm.services if service.carrier == "deposit"}


def test_the_faults_of_the_practice_software_are_found(twins: Twins) -> None:
    found = [
        {f.blame for case in driven.verdicts[1].cases for f in case.findings if f.verdict == "fail"}
        for driven in twins.driven
    ]
    assert len(found) == 3 and not found[0] and found[1] == found[2] == {"SUT"}, [one.fault for one in twins.driven]


def test_the_faults_are_found_in_cases_chosen(twins: Twins) -> None:
    """A comparison of runs where nothing fails would not compare blame."""
    found = {
        world: {f.blame for case in verdicts[1].cases for f in case.findings if f.verdict == "fail"}
        for world, verdicts in twins.verdicts.items()
    }
    assert not found.pop("plain") and set().union(*found.values()) == {"SUT"}
    assert sum(map(bool, found.values())) * 2 >= len(found) > 0, twins.worlds
