"""The same norm under other names: everything that a norm may name is renamed, as its own data say where names stand.

Renamed are ids and versions of the norm, of those it uses and of its companions, namespaces, prefixes, elements,
attributes, message kinds, operations, actions, paths, profiles, requirements, rules, scenarios, result and error codes,
code tables, pools, kinds of certificates, security profiles, actions of a stimulus. Not renamed: texts for people, and
what is only a name inside a practice partner (values of the population, variables, remembered collections, routes,
faults).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from lxml import etree

from norms.behaviour import load as load_behaviour
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


def members(norm: Norm) -> tuple[Norm, ...]:
    """Return the norm, those it uses, its companions and those that they use, each once."""
    return tuple({one.ref: one for speaker in norm.speakers for one in speaker.family}.values())


def codes_of(table: Path) -> list[str]:
    return sorted({row["code"] for row in read_csv(table, ("code",))})


def numbered(words: Iterable[str], name: Callable[[int], str]) -> dict[str, str]:
    return {word: name(number) for number, word in enumerate(sorted(set(words)))}


class Names:
    """Old name -> new name, by what is named. Everything is found in the data of the norm and of those it uses."""

    def __init__(self, norm: Norm) -> None:
        speakers, whole = norm.speakers, members(norm)
        services = [service for one in speakers for service in one.services]
        population = [pool.name for one in speakers for pool in load_behaviour(one).population.pools]
        self.members = whole
        self.norms = {one.ref: f"norme{number}/9.{number}" for number, one in enumerate(whole)}
        self._own = own = {prefix: uri for one in speakers for prefix, uri in own_prefixes(one).items()}
        self.namespaces = {uri: f"urn:exemple:n{zlib.crc32(uri.encode()):08x}" for uri in own.values()}
        self.prefixes = numbered(own, lambda number: f"px{number}")
        self.elements, self.attributes, self.local = self._declared()
        hidden = {name for names in _population_names(norm) for name in names}
        self.local = {name: new for name, new in self.local.items() if name not in hidden}
        self.by_local_name = self.local | {
            old.partition(":")[2]: new.partition(":")[2] for old, new in self.elements.items()
        }
        self.kinds = numbered((one.kind for one in services), lambda number: f"K{number}Z")
        self.words = numbered({one.operation for one in services} - {""}, lambda number: f"operer{number}")
        actions = {part.action for one in services for part in (one.request, one.response)} - {""}
        self.words |= numbered(actions, lambda number: f"urn:exemple:action{number}")
        self.words |= numbered((one.path for one in services), lambda number: f"/renommee/{number}")
        self.profiles = numbered((p.code for one in speakers for p in one.profiles), lambda number: f"P{number}Q")
        requirements = [one.id for member in whole for one in member.requirements]
        prefixes = dict.fromkeys(one.partition("-")[0] for one in requirements)
        starts = {prefix: f"Z{chr(65 + number)}L" for number, prefix in enumerate(prefixes)}
        for number, one in enumerate(speakers):
            starts.setdefault(one.derived_prefix, f"ZZ{chr(65 + number)}")
        self.derived = {one.derived_prefix: starts[one.derived_prefix] for one in speakers}
        self.requirements = {one: _other_id(one, starts) for one in requirements}
        self.rules = numbered(_rules(norm), lambda number: f"R-ZR-{number:03}")
        self.scenarios = {
            path.stem: _other_id(path.stem, starts) for one in speakers for _, path in scenario_files(one)
        }
        self.results = _mapped(norm, RESULTS, lambda code: f"{int(code) + 50:02}" if code.isdecimal() else code[::-1])
        self.errors = _mapped(norm, ERRORS, lambda code: f"{code[2::-1]}-{int(code[4:]) + 30}")
        tables = {name: path for one in speakers for name, path in one.tables.items()}
        columns = {column for path in tables.values() for column in read_csv(path, ("code",), None)[0]}
        self.tables = numbered(tables.keys() - columns, lambda number: f"table-{number}")
        self.pools = numbered(population, lambda number: f"groupe-{number}")
        self.certificates = numbered(
            (k for one in speakers for k in one.security.kinds), lambda number: f"sorte-{number}"
        )
        self.security = numbered((one.security.name for one in speakers), lambda number: f"serrure-{number}")
        self.stimuli = numbered(_stimuli(norm), lambda number: f"geste-{number}")
        self.result_at = {last_name(one.reading.result) for one in speakers} - {""}
        self.result_values = {name for at in self.result_at for name in _written_at(norm, at)}

    def prefixes_of(self, uri: str) -> list[str]:
        """Return the old prefixes of an old namespace."""
        return [prefix for prefix, one in self._own.items() if one == uri]

    def _declared(self) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        """Return elements by "prefix:name", attributes, and the local elements that stand without a namespace."""
        by_uri = {uri: prefix for prefix, uri in self._own.items()}
        qualified, plain, attributes = set(), set(), set()
        for path in {path for one in self.members for path in one.root.glob("schema/*.xsd")}:
            root = etree.parse(path).getroot()
            prefix = by_uri.get(root.get("targetNamespace", ""))
            if prefix is None:
                continue
            attributes |= {node.get("name", "") for node in root.iter(f"{XS}attribute")} - {""}
            for node in root.iter(f"{XS}element"):
                if node.get("name"):
                    free = node.getparent() is not root and root.get("elementFormDefault") != "qualified"
                    (plain if free else qualified).add(node.get("name", "") if free else f"{prefix}:{node.get('name')}")
        # One name for all that share a local name: norms of several name an element so.
        zones = numbered((name.partition(":")[2] for name in qualified), lambda number: f"Zone{number:03}")
        elements = {
            name: f"{self.prefixes[name.partition(':')[0]]}:{zones[name.partition(':')[2]]}" for name in qualified
        }
        return elements, numbered(attributes, lambda number: f"Trait{number}"), numbered(plain, lambda n: f"zone{n:03}")


def _population_names(norm: Norm) -> Iterator[Iterable[str]]:
    """Yield the names that paths into the population and the state use: they are not those of messages."""
    for one in members(norm):
        file = one.root / "simulator" / "population.yaml"
        if file.is_file():
            said = read_yaml(file, DataError).plain()
            assert isinstance(said, dict)
            for name, entries in (said.get("lists") or {}).items():  # type: ignore[union-attr]
                yield [name, *(key for entry in entries for key in entry)]
    for one in norm.speakers:
        pools = load_behaviour(one).population.pools
        yield [name for pool in pools for entry in pool.entries for name in entry.values]
    yield ["entry", "line", "population", "state", "code", "libelle"]


def _stimuli(norm: Norm) -> Iterator[str]:
    """Yield what a practice software may be told to do."""
    for one in members(norm):
        file = one.root / "simulator" / "conduct.yaml"
        if file.is_file():
            said = read_yaml(file, DataError).plain()
            assert isinstance(said, dict)
            yield from said.get("actions") or ()  # type: ignore[misc]


def _rules(norm: Norm) -> Iterator[str]:
    for one in members(norm):
        for path in one.root.glob("rules/**/*.sch"):
            yield from (node.get("id", "") for node in etree.parse(path).iter(f"{SCH}assert", f"{SCH}report"))


def _other_id(old: str, starts: Mapping[str, str]) -> str:
    start, *themes, number = old.split("-")
    return "-".join([starts.get(start, start), *(theme[::-1] + "Y" for theme in themes), str(int(number) + 500)])


def _mapped(norm: Norm, table: str, name: Callable[[str], str]) -> dict[str, str]:
    tables = {one.tables[table] for one in norm.speakers if table in one.tables}
    return {code: name(code) for path in tables for code in codes_of(path)}


def last_name(xpath: str) -> str:
    names = [found["name"] for found in TOKEN.finditer(xpath) if found["name"] and not found["call"]]
    return names[-1] if names else ""


def _written_at(norm: Norm, element: str) -> Iterator[str]:
    """Yield the variables that answers write into an element."""
    for one in members(norm):
        for path in one.root.glob("simulator/answers/*.xml"):
            yield from re.findall(rf"<{element}>\{{\{{ *(\w+) *\}}\}}<", path.read_text("utf-8"))
