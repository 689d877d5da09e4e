"""The same norm under other names: everything that a norm may name is renamed, as its own data say where names stand.

Renamed are ids and versions of the norm and of those it uses, namespaces, prefixes, elements, attributes, message
kinds, operations, actions, paths, profiles, requirements, rules, scenarios, result and error codes, code tables, pools,
kinds of certificates, the security profile. Not renamed: texts for people, and what is only a name inside the simulator
(values of the population, variables, remembered collections, faults).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from lxml import etree

from norms.behaviour import load as load_behaviour
from norms.behaviour.population import Population
from norms.errors import DataError
from norms.model import Norm
from norms.tables import read_csv
from norms.yamlfile import read_yaml
from scenarios.reader import scenario_files

STANDARD: Final = ("http://www.w3.org/", "http://schemas.xmlsoap.org/", "http://docs.oasis-open.org/")
RESULTS, ERRORS = "codes-resultat", "codes-erreur"
XS: Final = "{http://www.w3.org/2001/XMLSchema}"
SCH: Final = "{http://purl.oclc.org/dsdl/schematron}"
TOKEN: Final = re.compile(
    r"""(?P<literal>"[^"]*"|'[^']*')|(?P<variable>\$[\w.-]+)|(?P<attribute>@[\w.-]+(?!:))"""
    r"""|(?P<name>[^\W\d][\w.-]*:(?:[^\W\d][\w.-]*|\*)|[^\W\d][\w.-]*)(?P<call>\s*\(|::)?"""
)


def own_prefixes(norm: Norm) -> dict[str, str]:
    """Return the prefixes of the norm and its parents whose namespaces are no standard's."""
    return {prefix: uri for prefix, uri in norm.prefixes.items() if not uri.startswith(STANDARD)}


def codes_of(table: Path) -> list[str]:
    return sorted({row["code"] for row in read_csv(table, ("code",))})


def numbered(words: Iterable[str], name: Callable[[int], str]) -> dict[str, str]:
    return {word: name(number) for number, word in enumerate(sorted(set(words)))}


class Names:
    """Old name -> new name, by what is named. Everything is found in the data of the norm and of those it uses."""

    def __init__(self, norm: Norm) -> None:
        family, behaviour = norm.family, load_behaviour(norm)
        self.norms = {one.ref: f"norme{number}/9.{number}" for number, one in enumerate(family)}
        self._own = own = own_prefixes(norm)
        self.namespaces = {uri: f"urn:exemple:n{zlib.crc32(uri.encode()):08x}" for uri in own.values()}
        self.prefixes = numbered(own, lambda number: f"px{number}")
        self.elements, self.attributes, self.local = self._declared(norm)
        hidden = {pool for entry in _population_names(norm, behaviour.population) for pool in entry}
        self.local = {name: new for name, new in self.local.items() if name not in hidden}
        self.kinds = numbered((one.kind for one in norm.services), lambda number: f"K{number}Z")
        self.words = numbered((one.operation for one in norm.services), lambda number: f"operer{number}")
        actions = {part.action for one in norm.services for part in (one.request, one.response)} - {""}
        self.words |= numbered(actions, lambda number: f"urn:exemple:action{number}")
        self.words |= numbered((one.path for one in norm.services), lambda number: f"/renommee/{number}")
        self.profiles = numbered((one.code for one in norm.profiles), lambda number: f"P{number}Q")
        starts = numbered(
            (one.id.partition("-")[0] for one in norm.all_requirements), lambda number: f"Z{chr(65 + number)}L"
        )
        starts.setdefault(norm.derived_prefix, "ZZL")
        self.derived = {norm.derived_prefix: starts[norm.derived_prefix]}
        self.requirements = {one.id: _other_id(one.id, starts) for one in norm.all_requirements}
        self.rules = numbered(_rules(norm), lambda number: f"R-ZR-{number:03}")
        self.scenarios = {path.stem: _other_id(path.stem, starts) for _, path in scenario_files(norm)}
        self.results = _mapped(norm, RESULTS, lambda code: f"{int(code) + 40:02}" if code.isdecimal() else code[::-1])
        self.errors = _mapped(norm, ERRORS, lambda code: f"{code[2::-1]}-{int(code[4:]) + 30}")
        columns = {column for path in norm.tables.values() for column in read_csv(path, ("code",), None)[0]}
        self.tables = numbered(norm.tables.keys() - columns, lambda number: f"table-{number}")
        self.pools = numbered((pool.name for pool in behaviour.population.pools), lambda number: f"groupe-{number}")
        self.certificates = numbered(norm.security.kinds, lambda number: f"sorte-{number}")
        self.security = {norm.security.name: "serrure"}
        self.result_at = last_name(norm.reading.result)
        self.result_values = set(_written_at(norm, self.result_at))

    def prefixes_of(self, uri: str) -> list[str]:
        """Return the old prefixes of an old namespace."""
        return [prefix for prefix, one in self._own.items() if one == uri]

    def _declared(self, norm: Norm) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        """Return elements by "prefix:name", attributes, and the local elements that stand without a namespace."""
        by_uri = {uri: prefix for prefix, uri in own_prefixes(norm).items()}
        qualified, plain, attributes = set(), set(), set()
        for path in {path for one in norm.family for path in one.root.glob("schema/*.xsd")}:
            root = etree.parse(path).getroot()
            prefix = by_uri.get(root.get("targetNamespace", ""))
            if prefix is None:
                continue
            attributes |= {node.get("name", "") for node in root.iter(f"{XS}attribute")} - {""}
            for node in root.iter(f"{XS}element"):
                if node.get("name"):
                    free = node.getparent() is not root and root.get("elementFormDefault") != "qualified"
                    (plain if free else qualified).add(node.get("name", "") if free else f"{prefix}:{node.get('name')}")
        elements = {name: f"{self.prefixes[name.partition(':')[0]]}:Zone{number:03}"
                    for number, name in enumerate(sorted(qualified))}  # fmt: skip
        return elements, numbered(attributes, lambda number: f"Trait{number}"), numbered(plain, lambda n: f"zone{n:03}")


def _population_names(norm: Norm, population: Population) -> Iterator[Iterable[str]]:
    """Yield the names that paths into the population and the state use: they are not those of messages."""
    for one in norm.family:
        file = one.root / "simulator" / "population.yaml"
        if file.is_file():
            said = read_yaml(file, DataError).plain()
            assert isinstance(said, dict)
            for name, entries in (said.get("lists") or {}).items():  # type: ignore[union-attr]
                yield [name, *(key for entry in entries for key in entry)]
    yield [name for pool in population.pools for entry in pool.entries for name in entry.values]
    yield ["entry", "line", "population", "state", "code", "libelle"]


def _rules(norm: Norm) -> Iterator[str]:
    for one in norm.family:
        for path in one.root.glob("rules/**/*.sch"):
            yield from (node.get("id", "") for node in etree.parse(path).iter(f"{SCH}assert", f"{SCH}report"))


def _other_id(old: str, starts: Mapping[str, str]) -> str:
    start, *themes, number = old.split("-")
    return "-".join([starts.get(start, start), *(theme[::-1] + "Y" for theme in themes), str(int(number) + 500)])


def _mapped(norm: Norm, table: str, name: Callable[[str], str]) -> dict[str, str]:
    return {code: name(code) for code in codes_of(norm.tables[table])} if table in norm.tables else {}


def last_name(xpath: str) -> str:
    names = [found["name"] for found in TOKEN.finditer(xpath) if found["name"] and not found["call"]]
    return names[-1] if names else ""


def _written_at(norm: Norm, element: str) -> Iterator[str]:
    """Yield the variables that answers write into an element."""
    for one in norm.family:
        for path in one.root.glob("simulator/answers/*.xml"):
            yield from re.findall(rf"<{element}>\{{\{{ *(\w+) *\}}\}}<", path.read_text("utf-8"))
