"""The values of `${name}` of a case: profile < person < IXIT < laboratory. Kept values come during the run.

Source: docs/formats/scenario.md, "Dynamic values".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
from lxml import etree

from norms.behaviour.places import POPULATION, simulator_files
from norms.behaviour.population import Entry, Population, read_population
from norms.dynamic import names, number_of, resolve
from norms.errors import DataError
from norms.filling import Clock, canonical_path, read_base
from norms.functions import xpath
from norms.i18n import tr
from norms.model import Norm
from norms.yamlfile import nearest
from scenarios.declaration import Declaration

CASE_NUMBER: Final = "case_number"
COPY: Final = "copy"
ADDRESS: Final = "address_"
UNTRUSTED: Final = "untrusted_"
"""How the names of a session's addresses begin: a service's; the same behind a certificate not to be trusted."""


class Given(msgspec.Struct, frozen=True):
    """The pool of a case: its entries that serve the profile; exclusive: one use changes the entry."""

    pool: str
    entries: tuple[dict[str, str], ...]
    exclusive: bool


class Source:
    """Gives each case its values: persons of the declaration when it maps the pool, else of the norm's population."""

    def __init__(self, norm: Norm, declaration: Declaration | None) -> None:
        self._norm, self._declaration = norm, declaration
        self._population = _population_of(norm)
        self._profiles = {profile.code: profile.values for profile in norm.profiles}

    def given(self, pool: str, profile: str, file: str, line: int) -> Given:
        """Return the pool; raise DataError at the scenario's place when it is unknown or serves not the profile."""
        if not pool:
            return Given("", ({},), False)
        mapped = self._declaration.ixit.population.get(pool, ()) if self._declaration else ()
        known = [item.name for item in self._population.pools] if self._population else []
        if pool not in known and not mapped:
            raise DataError(
                tr("Le groupe « {pool} » est inconnu de la population.", pool=pool),
                file=file,
                line=line,
                remedy=nearest(pool, known) if known else tr("Décrivez-le dans « ixit: population » de sut.yaml."),
            )
        described = self._population.described(pool) if self._population and pool in known else None
        entries = mapped or tuple(entry.values for entry in _serving(described.entries if described else (), profile))
        if not entries:
            raise DataError(
                tr("Le groupe « {pool} » n'a personne pour le profil {profile}.", pool=pool, profile=profile),
                file=file,
                line=line,
                remedy=tr("Ajoutez une personne à la population ou retirez ce profil."),
            )
        return Given(pool, entries, described.consumes if described else False)

    def bindings(self, profile: str, entry: Mapping[str, str]) -> dict[str, str]:
        """Return the values known before the run, sorted by name; dates stay unresolved."""
        values = {**self._profiles.get(profile, {}), **entry}
        if self._declaration is None:
            values.update({extra.name: extra.example for extra in self._norm.extra_values})
        else:
            given = {**self._declaration.ixit.values, **self._declaration.laboratory.values}
            values.update({name: value for name, value in given.items() if value})
        return dict(sorted(values.items()))


def choose(case: str, number: int, exclusive: bool, entries: tuple[dict[str, str], ...]) -> dict[str, str]:
    """Return the person of a case: exclusive cases take turns by `number`, others by a digest of the case's id.

    Neither depends on what other scenarios of another pool exist, so that adding a page moves few persons.
    """
    if exclusive:
        return entries[number % len(entries)]
    return entries[int.from_bytes(hashlib.sha256(case.encode()).digest()[:4]) % len(entries)]


def canonical_texts(norm: Norm, kind: str) -> dict[str, str]:
    """Return a plausible value for each name of a norm or a product that `fill` uses.

    Where it writes the name alone, that is the text of the canonical request of `kind`.
    """
    found: dict[str, str] = {}
    path = canonical_path(norm, kind)
    root = read_base(path) if path.is_file() else None
    for expression, text in norm.fill.items():
        for name in names(text):
            if name in (CASE_NUMBER, COPY):
                continue
            found.setdefault(name, "1")
            nodes = xpath(norm, expression)(root) if root is not None else None
            if text == f"${{{name}}}" and isinstance(nodes, list) and nodes and isinstance(nodes[0], etree._Element):
                found[name] = nodes[0].text or ""
    return found


def address_value(kind: str, *, trusted: bool = True) -> str:
    """Return the name of the value that holds a session's address of a service, or that of its untrusted double."""
    return f"{ADDRESS if trusted else UNTRUSTED}{kind.lower()}"


def bind(bindings: Mapping[str, str], clock: Clock, file: str = "") -> dict[str, str]:
    """Return the bindings a case starts with: dates inside values resolved, `case_number`, nine fresh digits, `copy` 1.

    Called once per execution of a case; all its exchanges share the result and record it.
    """
    bound = {
        name: resolve(value, {}, clock.today, now=clock.now, uuid=clock.uuid, file=file)
        for name, value in bindings.items()
    }
    return {CASE_NUMBER: number_of(clock.uuid()), COPY: "1", **bound}


# The last populations read, by file state and norm: reading one takes longer than compiling a suite.
_populations: dict[tuple[tuple[tuple[str, int, int], ...], str], Population] = {}
_POPULATIONS_KEPT: Final = 8


def _population_of(norm: Norm) -> Population | None:
    paths = simulator_files(norm, POPULATION)
    if not paths:
        return None
    states = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
    key = (states, norm.digest)
    if key not in _populations:
        while len(_populations) >= _POPULATIONS_KEPT:
            _populations.pop(next(iter(_populations)), None)
        _populations[key] = read_population(paths, norm)
    return _populations[key]


def _serving(entries: tuple[Entry, ...], profile: str) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if not entry.profiles or profile in entry.profiles)
