"""The house rule "no Python names a norm", proved by doing: the same norm under other names gets the same verdicts.

A norm, the norm it uses and its scenarios are copied with everything renamed that a norm may name: its id and version,
namespaces and prefixes, elements and attributes, message kinds, operations, requirements, rules, scenarios, result and
error codes, code tables, pools and kinds of certificates. Both are run against practice partners, plain and with
seeded faults.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import pytest
from lxml import etree

from harness.record import CaseVerdict, Verdicts
from harness.run import RunOptions, run
from norms.behaviour import load as load_behaviour
from norms.loader import load
from norms.model import Norm
from norms.tables import read_csv
from poincon.practice import practice_declaration
from sandbox.pki import TestPki, ensure
from sandbox.serve import Specification, World, spawn
from scenarios.compiler import compile_suite
from scenarios.declaration import Declaration, read_sut
from scenarios.model import Case, Suite
from scenarios.reader import read_scenarios

CHECKOUT: Final = Path(__file__).resolve().parent.parent
REF, NEW_REF = "ville/1.1", "quelconque/9.9"
FOLDERS: Final = {"ville/1.1": "quelconque/9.9", "commun/1.0": "tronc/8.8"}
KINDS: Final = {"IDB": "QRX", "CLC": "TVW"}
PREFIXES: Final = {"com": "tro", "ctx": "cad", "idb": "qrx", "clc": "tvw"}
OPERATIONS: Final = {"informerDroits": "consulterAvoirs", "calculerDroits": "etablirAvoirs"}
NAMESPACES, NEW_NAMESPACES = "urn:poincon:reconstruction:", "urn:exemple:n"
RESULTS, ERRORS = "codes-resultat", "codes-erreur"
WORLDS: Final = {
    "plain": "",
    "relation": "F-GEN-12",  # breaks what Python looks for through `reading`
    "error-code": "F-GEN-21",  # another code of the error table
    "result-code": "F-IDB-04",  # another result
    "rule": "F-CLC-03",  # a rule of the norm, cited by its id
}
WRITTEN, DERIVED = 40, 20
XS: Final = "{http://www.w3.org/2001/XMLSchema}"


class Renaming:
    """Renames a text or a path of the norm. Built from the norm's data: what is added there is renamed too."""

    def __init__(self, norm: Norm) -> None:
        trees = [etree.parse(path) for path in norm.schemas]
        trees += [etree.parse(path) for one in norm.parents for path in one.root.glob("schema/*.xsd")]
        declared = [node for tree in trees for node in tree.iter(f"{XS}element", f"{XS}attribute") if node.get("name")]
        names = sorted({node.get("name", "") for node in declared})
        attributes = {node.get("name", "") for node in declared if node.tag == f"{XS}attribute"}
        self.names = {name: f"Zone{number:03}" for number, name in enumerate(names)}
        self.results = {code: f"{int(code) + 40:02}" for code in _codes(norm.tables[RESULTS])}
        self.errors = {code: f"{code[2::-1]}-{int(code[4:]) + 30}" for code in _codes(norm.tables[ERRORS])}
        columns = {column for path in norm.tables.values() for column in _first_line(path).split(";")}
        self.tables = {name: f"table-{number}" for number, name in enumerate(sorted(norm.tables.keys() - columns))}
        pools = load_behaviour(norm).population.pools
        self.pools = {pool.name: f"groupe-{number}" for number, pool in enumerate(pools)}

        self._steps: list[Callable[[str], str]] = []
        self._texts(FOLDERS | {"/ville/": "/quelconque/"})
        self._texts(
            {
                f'\nid: {old}\nversion: "{was}"': f'\nid: {new}\nversion: "{now}"'
                for (old, was), (new, now) in ((old.split("/"), new.split("/")) for old, new in FOLDERS.items())
            }
        )
        self._words(rf"(?P<n>{NAMESPACES}[\w.:]*\w)", _digest)
        self._texts(OPERATIONS)
        for place in (
            r"<com:Code>",
            r"code: \"'",
            r"com:Code(?:\[\.)? !?= '",
            r"com:Resultat/com:Code[^\n]*\n *value: \"",
        ):
            self._words(rf"{place}(?P<n>\d\d)\b", self.results)
        in_results = re.compile(r'(?<=")\d\d(?=")')
        self._words(
            r"check: result,(?P<n>[^\n]*)",
            lambda rest: in_results.sub(lambda code: self.results.get(code[0], code[0]), rest),
        )
        self._words(rf"(?:given: |^  )(?P<n>{_any(self.pools)})(?=:?$|:? +#)", self.pools)
        kinds = {kind: f"sorte-{number}" for number, kind in enumerate(norm.security.kinds)}
        self._words(rf"(?:signer: |_certificate: |^  )(?P<n>{_any(kinds)})(?=: \{{|,|\}}| *$| +#)", kinds)
        self._words(rf"^(?:security: |  )(?P<n>{norm.security.name})(?=:?\s)", {norm.security.name: "serrure"})
        self._words(rf"'(?P<n>{_any(self.tables)})'", self.tables)
        self._words(rf"(?:table: |codes/)(?P<n>{_any(self.tables)})\b", self.tables)
        self._words(rf"\b{norm.derived_prefix}-(?P<n>[A-Z]+-\d{{3}})\b", _requirement)
        self._words(rf"(?<!F-)\b(?P<n>{_any(self.errors)})\b(?!\d)", self.errors)
        self._words(rf"\b(?P<n>{norm.derived_prefix})\b", {norm.derived_prefix: "ZUL"})
        used = rf"(?<![\w.-])(?:{_any(PREFIXES)})"
        self._words(rf"{used}:(?P<n>[A-Z]\w*)", self.names)
        self._words(rf"(?<![\w.-])(?P<n>{_any(PREFIXES)}):(?=[A-Za-z*])", PREFIXES)
        self._words(rf"(?:xmlns:|prefix=\"|^  )(?P<n>{_any(PREFIXES)})(?==|\"|: urn:)", PREFIXES)
        self._words(rf"@(?P<n>{_any(attributes)})\b", self.names)
        self._words(rf"\s(?P<n>{_any(attributes)})=\\?\"", self.names)
        self._words(rf"^ +name: \"(?P<n>{_any(attributes)})\"", self.names)
        self._words(r"<xs:(?:element|attribute) name=\"(?P<n>\w+)\"", self.names)
        self._words(rf"\b(?:Service)?(?P<n>{_any(KINDS)})\b", KINDS)

    def __call__(self, text: str) -> str:
        for step in self._steps:
            text = step(text)
        return text

    def copy(self, folder: Path, to: Path) -> None:
        """Copy a folder, renaming files and what they say."""
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            where = to / self(path.relative_to(folder).as_posix())
            where.parent.mkdir(parents=True, exist_ok=True)
            text = self(path.read_bytes().decode())
            if path.stem == RESULTS:
                text = re.sub(r"^\d\d(?=;)", lambda code: self.results[code[0]], text, flags=re.MULTILINE)
            where.write_bytes(text.encode())

    def _texts(self, words: Mapping[str, str]) -> None:
        for old, new in words.items():
            self._words(f"(?P<n>{re.escape(old)})", {old: new})

    def _words(self, pattern: str, words: Mapping[str, str] | Callable[[str], str]) -> None:
        """Replace the group `n` of each place that `pattern` finds; a word without a new name stays."""
        compiled = re.compile(pattern, re.MULTILINE)
        new = words if callable(words) else lambda word: words.get(word, word)

        def place(found: re.Match[str]) -> str:
            start, end = found.start("n") - found.start(), found.end("n") - found.start()
            return found[0][:start] + new(found["n"]) + found[0][end:]

        self._steps.append(lambda text: compiled.sub(place, text))


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _digest(namespace: str) -> str:
    return f"{NEW_NAMESPACES}{zlib.crc32(namespace.encode()):08x}"


def _requirement(rest: str) -> str:
    section, number = rest.split("-")
    return f"{KINDS.get(section, section[::-1])}-{int(number) + 500}"


def _codes(table: Path) -> list[str]:
    return sorted({row["code"] for row in read_csv(table, ("code",))})


def _first_line(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig").splitlines()[0]


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
    """The norm under both names, with the cases chosen of each, in the same order."""

    renaming: Renaming
    cases: tuple[tuple[Case, ...], tuple[Case, ...]]
    verdicts: dict[str, tuple[Verdicts, Verdicts]]
    renamed: Path


def _bench(ref: str, pki: TestPki, folder: Path) -> Bench:
    norm = load(ref)
    file = folder / f"{norm.id}.yaml"
    nowhere = dict.fromkeys((service.kind for service in norm.services), "https://localhost:1/")
    file.write_text(practice_declaration(norm, nowhere, pki), encoding="utf-8")
    declaration = read_sut(file)
    return Bench(norm, declaration, compile_suite(norm, read_scenarios(norm), declaration, "server"))


def _spread(cases: Sequence[Case], count: int) -> list[Case]:
    """Return `count` cases, evenly spread over all."""
    return [cases[number * len(cases) // count] for number in range(count)]


def _written(cases: Sequence[Case], broken: Iterable[str]) -> list[Case]:
    """Return `WRITTEN` cases: those that prove the requirements `broken`, and others evenly spread."""
    telling = [case for case in cases if not set(case.requirements).isdisjoint(broken)]
    return [*telling, *_spread([case for case in cases if case not in telling], WRITTEN - len(telling))]


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    folder = tmp_path_factory.mktemp("twins")
    renaming = Renaming(load(REF))
    for old, new in FOLDERS.items():
        renaming.copy(CHECKOUT / "norms" / old, folder / "norms" / new)
    renaming.copy(CHECKOUT / "scenarios" / REF, folder / "scenarios" / NEW_REF)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POINCON_NORMS", str(folder / "norms"))
        patch.setenv("POINCON_SCENARIOS", str(folder / "scenarios"))
        pki = ensure(folder / "data" / "pki")
        benches = (_bench(REF, pki, folder), _bench(NEW_REF, pki, folder))
        first, second = (
            {origin: [case for case in bench.suite.cases if case.origin == origin] for origin in ("written", "derived")}
            for bench in benches
        )
        same = {case.id: case for case in second["written"]}
        seeded = {fault.id: fault.requirement for fault in load_behaviour(benches[0].norm).faults}
        written = _written(first["written"], [seeded[fault] for fault in WORLDS.values() if fault])
        left = [*written, *_spread(first["derived"], DERIVED)]
        right = [*(same[renaming(case.id)] for case in written), *_spread(second["derived"], DERIVED)]
        worlds = {}
        for world, fault in WORLDS.items():
            for bench, seed in zip(benches, (fault, renaming(fault)), strict=True):
                worlds[f"{world}-{bench.norm.id}"] = World(faults=(seed,) if seed else ())
        with spawn(Specification((REF, NEW_REF), str(folder / "data"), worlds=worlds)) as sandbox:

            def verdicts(world: str, bench: Bench, cases: Sequence[Case]) -> Verdicts:
                addresses = sandbox.endpoints(f"{world}-{bench.norm.id}", bench.norm.ref)
                return bench.run(cases, addresses, folder / world / bench.norm.id)

            both = {world: (verdicts(world, benches[0], left), verdicts(world, benches[1], right)) for world in WORLDS}
        yield Twins(renaming, (tuple(left), tuple(right)), both, folder)


def _told(verdict: CaseVerdict, name: Callable[[str], str]) -> dict[str, object]:
    """Return what a case said, names put through `name`; findings of one case have no order of their own."""
    return {
        "verdict": verdict.verdict,
        "reason": name(verdict.reason),
        "checked": verdict.checked,
        "requirements": sorted(map(name, verdict.requirements)),
        "findings": sorted(
            (
                name(f.requirement),
                f.level,
                f.severity,
                f.verdict,
                f.blame,
                f.check,
                name(f.reason),
                name(f.location.path),
            )
            for f in verdict.findings
        ),
    }


def test_nothing_of_the_old_names_is_left(twins: Twins) -> None:
    """Otherwise the copy would prove nothing."""
    old, new = load(REF), load(str(twins.renamed / "norms" / NEW_REF))
    assert old.digest != new.digest
    for one, other in zip((old, *old.parents), (new, *new.parents), strict=True):
        assert {one.id, one.version}.isdisjoint({other.id, other.version})
        assert {r.id for r in one.requirements}.isdisjoint(r.id for r in other.requirements)
        assert len(one.requirements) == len(other.requirements)
    assert {s.kind for s in old.services}.isdisjoint(s.kind for s in new.services)
    assert {s.operation for s in old.services}.isdisjoint(s.operation for s in new.services)
    assert old.security.name != new.security.name and old.security.kinds.keys().isdisjoint(new.security.kinds)
    own = {prefix: uri for prefix, uri in old.prefixes.items() if uri.startswith(NAMESPACES)}
    assert own.keys().isdisjoint(new.prefixes) and set(own.values()).isdisjoint(new.prefixes.values())
    for table in (RESULTS, ERRORS):
        codes = _codes(old.tables[table])
        assert table not in new.tables
        assert set(codes).isdisjoint(_codes(new.tables[twins.renaming.tables[table]]))
    pools = [{pool.name for pool in load_behaviour(norm).population.pools} for norm in (old, new)]
    assert pools[0].isdisjoint(pools[1]) and len(pools[0]) == len(pools[1])
    files = [path for path in twins.renamed.glob("norms/*/*/**/*.xml") if path.parent.name != "answers"]
    assert len(files) > 50
    for path in files:
        named = [etree.QName(node) for node in etree.parse(path).iter("{*}*")]
        assert not [name for name in named if (name.namespace or "").startswith(NAMESPACES)], path
        ours = {name.localname for name in named if (name.namespace or "").startswith(NEW_NAMESPACES)}
        assert ours.isdisjoint(twins.renaming.names), path


def test_both_have_the_same_cases(twins: Twins) -> None:
    left, right = twins.cases
    assert len(left) == len(right) == WRITTEN + DERIVED
    for one, other in zip(left, right, strict=True):
        assert [twins.renaming(step.send) for step in one.steps] == [step.send for step in other.steps]
        assert [twins.renaming(e.requirement) for s in one.steps for e in s.expect] == [
            e.requirement for s in other.steps for e in s.expect
        ]
        if one.origin == "derived":
            assert {twins.renaming(at): text for at, text in one.steps[0].edits.items()} == other.steps[0].edits


@pytest.mark.parametrize("world", WORLDS)
def test_both_get_the_same_verdicts(twins: Twins, world: str) -> None:
    one, other = twins.verdicts[world]
    assert one.verdict == other.verdict == ("fail" if WORLDS[world] else "pass")
    left, right = ({case.id: case for case in verdicts.cases} for verdicts in (one, other))
    for first, second in zip(*twins.cases, strict=True):
        assert _told(left[first.id], twins.renaming) == _told(right[second.id], str), first.id


def test_the_faults_are_found_in_cases_chosen(twins: Twins) -> None:
    """A comparison of runs where nothing fails would not compare blame."""
    for world, fault in WORLDS.items():
        blamed = {f.blame for case in twins.verdicts[world][1].cases for f in case.findings if f.verdict == "fail"}
        assert blamed == ({"SUT"} if fault else set()), world
