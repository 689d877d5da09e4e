"""Runs of a suite against practice partners, world after world: simulators for role server, robots for client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from harness.driver import Actor
from harness.record import Verdicts
from harness.run import RunOptions, run
from norms.behaviour import Fault, Variant, load
from norms.behaviour.software import Software, load_software
from norms.model import Norm
from poincon.conduct import TOOL
from poincon.practice import driven_by_robot, practice_declaration
from poincon.software import ROBOTS, RobotActor
from sandbox.conduct_mutants import conduct_mutants
from sandbox.mutants import mutants
from sandbox.pki import ensure
from sandbox.plan import Plan
from sandbox.serve import Specification, World, spawn
from scenarios.compiler import compile_suite
from scenarios.declaration import Declaration, read_sut
from scenarios.model import Role, Suite
from scenarios.reader import read_scenarios

__all__ = ["Partners", "Runs", "World", "practice_partners"]

ANSWER_SECONDS = 5.0
"""Deadline of an exchange while measuring: longer than any variant takes, shorter than what a norm grants a product."""
HUSH_SECONDS = 0.1
"""Silence awaited while measuring."""


class Runs(Protocol):
    """source: digest of the suite before any declaration."""

    source: str

    def run(self, world: str) -> Verdicts:
        """Run the suite against the partner of that world."""
        ...


class Partners(Protocol):
    """The practice partners of a norm for one role of the product."""

    faults: Sequence[Fault]
    variants: Sequence[Variant]

    def runs(self, data: Path, folder: Path, jobs: int, worlds: Mapping[str, World]) -> AbstractContextManager[Runs]:
        """Open worlds. data: the sandbox's; folder: of the runs, ours for as long as they are open."""
        ...


def practice_partners(norm: Norm, role: Role, seed: int | None = None) -> Partners:
    """Return the partners of `norm`. seed: with the generated faults of that seed instead of the seeded ones."""
    return _Servers(norm, seed) if role == "server" else _Clients(norm, seed)


@dataclass
class _Suite:
    """The suite compiled once, and its declaration; both are ours, so no pre-flight."""

    norm: Norm
    role: Role
    folder: Path
    data: Path

    def __post_init__(self) -> None:
        self.declaration = self._declared()
        self.suite = _hastened(compile_suite(self.norm, read_scenarios(self.norm), self.declaration, self.role))

    def _declared(self) -> Declaration:
        file, endpoints = self.folder / "sut.yaml", dict[str, str]()
        if self.role == "server":
            endpoints = dict.fromkeys(
                (service.kind for service in self.norm.tested_services("server")), "https://localhost:1/"
            )
        text = practice_declaration(self.norm, endpoints, ensure(self.data / "pki"), self.role)
        file.write_text(text, encoding="utf-8")
        declaration = read_sut(file)
        timeouts = msgspec.structs.replace(declaration.timeouts, exchange=ANSWER_SECONDS, quiet=0.5)
        return driven_by_robot(msgspec.structs.replace(declaration, timeouts=timeouts))

    def run(
        self, world: str, declaration: Declaration, jobs: int, *, operator: Actor | None = None, briefly: bool = False
    ) -> Verdicts:
        """Run against one world; its evidence is of no further use. briefly: only until the first failure."""
        folder = self.folder / _safe(world)
        options = RunOptions(
            declaration=declaration,
            suite=self.suite,
            norm=self.norm,
            out=folder,
            jobs=jobs,
            tool=TOOL,
            preflight=False,
            operator=operator,
            stop_at_fail=briefly,
        )
        verdicts = run(options).verdicts
        shutil.rmtree(folder, ignore_errors=True)
        return verdicts


class _Servers:
    def __init__(self, norm: Norm, seed: int | None) -> None:
        behaviour = load(norm)
        self._norm, self._seed = norm, seed
        self.variants: Sequence[Variant] = behaviour.variants
        self.faults: Sequence[Fault] = behaviour.faults if seed is None else mutants(norm, seed)

    @contextmanager
    def runs(self, data: Path, folder: Path, jobs: int, worlds: Mapping[str, World]) -> Iterator[Runs]:
        suite, generated = _Suite(self._norm, "server", folder, data), self._seed is not None
        addressed = {_safe(name): world for name, world in worlds.items()}
        specification = Specification(norms=(self._norm.ref,), data=str(data), worlds=addressed, mutant_seed=self._seed)
        with spawn(specification) as sandbox:

            class Running:
                source = suite.suite.source

                def run(self, world: str) -> Verdicts:
                    endpoints = sandbox.endpoints(_safe(world), suite.norm.ref)
                    product = msgspec.structs.replace(suite.declaration.product, endpoints=endpoints)
                    declaration = msgspec.structs.replace(suite.declaration, product=product)
                    return suite.run(world, declaration, jobs, briefly=generated and bool(worlds[world].faults))

            yield Running()


class _Clients:
    def __init__(self, norm: Norm, seed: int | None) -> None:
        self._software: Software = load_software(norm)
        self._generated = seed is not None
        self.variants: Sequence[Variant] = self._software.variants
        self.faults: Sequence[Fault] = self._software.faults
        if seed is not None:
            self.faults = (
                *mutants(norm, seed, "request", self.variants),
                *conduct_mutants(self._software, seed),
            )

    @contextmanager
    def runs(self, data: Path, folder: Path, jobs: int, worlds: Mapping[str, World]) -> Iterator[Runs]:
        suite, generated = _Suite(self._software.norm, "client", folder, data), self._generated
        pki, faults, variants = ensure(data / "pki"), self.faults, self.variants

        class Running:
            source = suite.suite.source

            def run(self, world: str) -> Verdicts:
                chosen = worlds[world]
                plan = Plan(
                    [fault for fault in faults if fault.id in chosen.faults],
                    [variant for variant in variants if variant.id in chosen.variants],
                )
                robot, briefly = RobotActor(suite.norm, pki, plan), generated and bool(chosen.faults)
                return suite.run(world, suite.declaration, max(jobs, ROBOTS), operator=robot, briefly=briefly)

        yield Running()


def _hastened(suite: Suite) -> Suite:
    """Return the suite with shorter silences: a robot has sent all that it sends when it says that it is done."""
    return msgspec.structs.replace(
        suite,
        cases=tuple(
            msgspec.structs.replace(
                case,
                steps=tuple(
                    msgspec.structs.replace(step, quiet_seconds=min(step.quiet_seconds, HUSH_SECONDS))
                    for step in case.steps
                ),
            )
            for case in suite.cases
        ),
    )


def _safe(name: str) -> str:
    """Return a name that can stand in an address and in a path."""
    return "".join(character if character.isalnum() or character in "-_" else "-" for character in name)
