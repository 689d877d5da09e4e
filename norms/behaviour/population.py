"""population.yaml: who and what the practice partners know. Source: docs/formats/population.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from lxml import etree

from norms.behaviour.places import POPULATION, simulator_files
from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm, Text
from norms.normfile import read_text
from norms.yamlfile import Node, nearest, read_yaml

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
ENTRY: Final = "entry"


class Entry(msgspec.Struct, frozen=True):
    """One test subject of a pool. values: what `${name}` may use; profiles: codes it serves, empty = all."""

    id: str
    pool: str
    values: dict[str, str]
    profiles: tuple[str, ...] = ()
    line: int = 0


class Pool(msgspec.Struct, frozen=True):
    """Interchangeable entries. consumes: one use changes the entry at the partner, so a case locks it."""

    name: str
    title: Text
    entries: tuple[Entry, ...]
    consumes: bool = False
    line: int = 0


class Population:
    """The pools and the reference lists of a norm's practice partners."""

    def __init__(self, pools: tuple[Pool, ...], lists: dict[str, tuple[dict[str, str], ...]]) -> None:
        self.pools, self.lists = pools, lists
        self._by_name = {pool.name: pool for pool in pools}
        self._xml = self._build()
        # lxml gives a foreign node without a proxy to the document being evaluated; living proxies prevent that.
        self._proxies = tuple(self._xml.iter())

    def pool(self, name: str) -> tuple[Entry, ...]:
        """Return the entries of a pool. Raises NormError naming the nearest pool."""
        return self.described(name).entries

    def described(self, name: str) -> Pool:
        """Return the pool with its title. Raises NormError naming the nearest pool."""
        pool = self._by_name.get(name)
        if pool is None:
            raise NormError(
                tr("La population n'a pas de groupe « {name} ».", name=name),
                remedy=nearest(name, sorted(self._by_name)),
            )
        return pool

    def as_xml(self) -> etree._Element:
        """Return the tree that decisions see as `$pop`: `<population>` with one `<entry pool id>` per subject and one
        element per item of each list, every value a child element. Shared: callers do not change it.
        """
        return self._xml

    def _build(self) -> etree._Element:
        root = etree.Element("population")
        for pool in self.pools:
            for entry in pool.entries:
                node = etree.SubElement(root, ENTRY, pool=pool.name, id=entry.id)
                _fill(node, entry.values)
        for name, items in self.lists.items():
            for item in items:
                _fill(etree.SubElement(root, name), item)
        return root


def population_of(norm: Norm) -> Population:
    """Read what the norm and those it uses say; a pool or list written again replaces the inherited one.

    Raises NormError with file and line.
    """
    return read_population(simulator_files(norm, POPULATION), norm)


def read_population(paths: Sequence[Path], norm: Norm) -> Population:
    """Read the files, the later before the earlier. Raises NormError with file and line."""
    codes = tuple(profile.code for profile in norm.profiles)
    pools: dict[str, Pool] = {}
    lists: dict[str, tuple[dict[str, str], ...]] = {}
    for path in paths:
        keys = read_yaml(path, NormError).only(("pools",), ("lists",))
        pools |= {name: _pool(name, node, codes) for name, node in keys["pools"].mapping().items()}
        lists |= {name: _items(name, node) for name, node in keys["lists"].mapping().items()} if "lists" in keys else {}
        last = keys["pools"]
    if paths and norm.default_given and norm.default_given not in pools:
        raise last.fault(
            tr("Le groupe « {name} », cité par norm.yaml (default_given), manque.", name=norm.default_given)
        )
    return Population(tuple(pools.values()), lists)


def _pool(name: str, node: Node, codes: tuple[str, ...]) -> Pool:
    keys = node.only(("title", "entries"), ("consumes", "common"))
    common = keys["common"].text_map() if "common" in keys else {}
    entries = []
    for index, member in enumerate(keys["entries"].items(), 1):
        values = member.mapping()
        profiles = values["profiles"].texts() if "profiles" in values else ()
        for code in profiles:
            if code not in codes:
                raise values["profiles"].fault(
                    tr("Le profil « {code} » n'existe pas.", code=code), nearest(code, codes)
                )
        own = {key: _value(key, value) for key, value in values.items() if key != "profiles"}
        entries.append(Entry(f"{name}-{index}", name, {**common, **own}, profiles, member.line))
    if not entries:
        raise node.fault(tr("Le groupe « {name} » est vide.", name=name), tr("Ajoutez au moins une personne."))
    consumes = keys["consumes"].flag() if "consumes" in keys else False
    return Pool(name, read_text(keys["title"]), tuple(entries), consumes, node.line)


def _items(name: str, node: Node) -> tuple[dict[str, str], ...]:
    if name == ENTRY or not _NAME.fullmatch(name):
        raise node.fault(tr("« {name} » ne peut pas nommer une liste.", name=name))
    return tuple({key: _value(key, value) for key, value in member.mapping().items()} for member in node.items())


def _value(key: str, node: Node) -> str:
    if not _NAME.fullmatch(key):
        raise node.fault(
            tr("« {name} » ne peut pas nommer une valeur.", name=key),
            tr("Lettres minuscules sans accent, chiffres et « _ »."),
        )
    return node.text()


def _fill(node: etree._Element, values: dict[str, str]) -> None:
    for key, value in values.items():
        etree.SubElement(node, key).text = value
