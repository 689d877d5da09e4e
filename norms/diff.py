"""What differs between two norm versions, as values: requirements, services, schemas, rules, tables, security, files.

Both are compared as they are applied, with what the norms of `uses` give them. `norms.diff_text` says it to people.
Source: docs/formats/norm.md, "From one version to the next".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from norms.codes import COLUMNS, CodeTable, Period
from norms.diff_elements import elements
from norms.difference import Change, NormDiff, Subject, renumbered
from norms.digest import normative_files, simulator_digest
from norms.model import Norm, Text
from norms.schema_content import contents
from norms.schematron_reader import RuleFile, Select, read_rules

Flat = Mapping[tuple[str, ...], Any]

# What reads a file of the folder; a file that differs without a change of these subjects is named itself.
_READ_AS: Final[Mapping[str, tuple[Subject, ...]]] = {
    "norm.yaml": ("norm", "service", "profile"),
    "requirements.csv": ("requirement",),
    "ics.csv": ("claim",),
    "ixit.csv": ("value",),
    "security.yaml": ("security",),
    "schema": ("element",),
    "rules": ("rule",),
    "codes": ("table", "code"),
}
_HISTORY: Final = "CHANGES.md"
_HEADING: Final = (
    "id", "version", "revision", "title", "status", "provenance", "valid_from", "valid_to", "replaces", "regime",
    "prefixes", "fill", "default_given", "reading", "rounding", "reactions", "derived_prefix",
)  # fmt: skip

_Item = TypeVar("_Item")


def diff(before: Norm, after: Norm) -> NormDiff:
    """Return what `after` says otherwise than `before`. Raises NormError when a schema, rule or table is wrong.

    The history (CHANGES.md) and the manifest do not count; the simulator counts as a whole.
    """
    found = [
        *_heading(before, after),
        *_keyed("requirement", *_both(before, after, _requirements), ("id", "line")),
        *_claims(*_both(before, after, lambda norm: {one.id: one for one in norm.claims})),
        *_keyed("value", *_both(before, after, lambda norm: {one.name: one for one in norm.extra_values}),
                ("name", "line")),
        *_keyed("service", *_both(before, after, lambda norm: {one.kind: one for one in norm.services}), ("kind",)),
        *_keyed("profile", *_both(before, after, lambda norm: {one.code: one for one in norm.profiles}), ("code",)),
        *elements(*_both(before, after, contents)),
        *_keyed("rule", *_both(before, after, _rules), ()),
        *_tables(before.tables, after.tables),
        *_fields("security", "security", _flat(before.security), _flat(after.security)),
    ]  # fmt: skip
    told = {change.subject for change in found}
    found += _files(before, after, told)
    for old, new in ((old, new) for new in after.parents for old in before.parents if old.id == new.id):
        found += _files(old, new, told, f"{new.ref}/")
    if simulator_digest(before.root) != simulator_digest(after.root):
        found.append(Change("simulator", "changed", "simulator"))
    titles = _titles(found, *_both(before, after, _named))
    return NormDiff(before.ref, after.ref, before.digest, after.digest, tuple(found), titles)


def _both(before: Norm, after: Norm, read: Callable[[Norm], _Item]) -> tuple[_Item, _Item]:
    return read(before), read(after)


def _requirements(norm: Norm) -> dict[str, Any]:
    return {one.id: one for each in (*reversed(norm.parents), norm) for one in each.requirements}


def _heading(before: Norm, after: Norm) -> Iterator[Change]:
    for name in _HEADING:
        yield from _fields("norm", name, _flat(getattr(before, name)), _flat(getattr(after, name)))
    yield from _fields("norm", "uses", _flat(_uses(before)), _flat(_uses(after)))
    olds, news = Counter(map(_shown, before.always)), Counter(map(_shown, after.always))
    for text in (olds - news).elements():
        yield Change("norm", "removed", "always", "always", before=text)
    for text in (news - olds).elements():
        yield Change("norm", "added", "always", "always", after=text)


def _claims(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    yield from _keyed("claim", before, after, ("id", "line", "requirements"))
    for key in (key for key in before if key in after):
        olds, news = before[key].requirements, after[key].requirements
        for name in olds:
            if name not in news:
                yield Change("claim", "removed", key, "requirements", before=name)
        for name in news:
            if name not in olds:
                yield Change("claim", "added", key, "requirements", after=name)


def _named(norm: Norm) -> dict[Subject, dict[str, Text]]:
    return {
        "requirement": {key: one.text for key, one in _requirements(norm).items()},
        "service": {one.kind: one.title for one in norm.services},
        "profile": {one.code: one.title for one in norm.profiles},
        "rule": {key: Text(one.text) for key, one in _rules(norm).items()},
    }


def _titles(
    found: list[Change], before: dict[Subject, dict[str, Text]], after: dict[Subject, dict[str, Text]]
) -> dict[Subject, dict[str, Text]]:
    titles: dict[Subject, dict[str, Text]] = {}
    for change in found:
        if change.subject in after:
            names = before[change.subject] | after[change.subject]
            titles.setdefault(change.subject, {})[change.id] = names[change.id]
    return titles


def _uses(norm: Norm) -> tuple[str, ...]:
    return tuple(parent.ref for parent in norm.parents)


def _keyed(
    subject: Subject, before: Mapping[str, Any], after: Mapping[str, Any], without: tuple[str, ...]
) -> Iterator[Change]:
    """Compare two sets of structs by key; `without`: their fields that do not count."""
    for key in _keys(before, after):
        if key not in before:
            yield Change(subject, "added", key, after=_title(after[key]))
        elif key not in after:
            yield Change(subject, "removed", key, before=_title(before[key]))
        else:
            old, new = (
                {place: value for place, value in _flat(item).items() if place[0] not in without}
                for item in (before[key], after[key])
            )
            yield from _fields(subject, key, old, new)


def _title(item: Any) -> str:
    """Return the sentence or name that a person knows the item by."""
    text = next((getattr(item, name) for name in ("text", "title", "question") if hasattr(item, name)), "")
    return str(getattr(text, "fr", text))


def _fields(subject: Subject, key: str, before: Flat, after: Flat) -> Iterator[Change]:
    for place in _keys(before, after):
        if before.get(place) != after.get(place):
            old, new = _shown(before.get(place)), _shown(after.get(place))
            yield Change(subject, "changed", key, ".".join(place), before=old, after=new)


def _keys(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Iterable[Any]:
    return dict.fromkeys((*before, *after))


def _flat(value: Any) -> dict[tuple[str, ...], Any]:
    """Return the leaves of a value by the names that lead to them; what is absent or empty has no leaf."""
    value = msgspec.to_builtins(value)
    if isinstance(value, dict):
        return {(name, *rest): leaf for name, child in value.items() for rest, leaf in _flat(child).items()}
    return {} if value in (None, "", [], ()) else {(): value}


def _shown(value: Any) -> str:
    value = msgspec.to_builtins(value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(child)}" for name, child in value.items() if child not in ("", None, [], ()))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return "" if value is None else str(value)


class _Rule(msgspec.Struct, frozen=True):
    """A rule as it counts. variables: every `let` in its reach; forbids: a report, wrong when its test is true."""

    requirement: str
    text: str
    context: str
    test: str
    forbids: bool
    variables: str


def _rules(norm: Norm) -> dict[str, _Rule]:
    return {key: rule for path in (*norm.rules, *norm.chains) for key, rule in _rules_of(read_rules(path))}


def _rules_of(file: RuleFile) -> Iterator[tuple[str, _Rule]]:
    phases = [let for phase in file.phases for let in phase.lets]
    for pattern in file.patterns:
        for rule in pattern.rules:
            lets = (*file.lets, *phases, *pattern.lets, *rule.lets)
            variables = "; ".join(f"{let.name} = {let.value}" for let in lets)
            for one in rule.assertions:
                parts = (f"[{part.select}]" if isinstance(part, Select) else part for part in one.parts)
                text = " ".join("".join(parts).split())
                yield one.id, _Rule(one.role, text, rule.context, one.test, one.report, variables)


def _tables(before: Mapping[str, Path], after: Mapping[str, Path]) -> Iterator[Change]:
    for name in sorted(_keys(before, after)):
        if name not in before:
            yield Change("table", "added", name, after=str(len(CodeTable(after[name]))))
        elif name not in after:
            yield Change("table", "removed", name, before=str(len(CodeTable(before[name]))))
        elif before[name].read_bytes() != after[name].read_bytes():
            yield from _table(name, CodeTable(before[name]), CodeTable(after[name]))


def _table(name: str, before: CodeTable, after: CodeTable) -> Iterator[Change]:
    for column in sorted(before.columns - after.columns):
        yield Change("table", "removed", name, "column", before=column)
    for column in sorted(after.columns - before.columns):
        yield Change("table", "added", name, "column", after=column)
    columns = ["libelle", *sorted((before.columns & after.columns) - set(COLUMNS))]
    for code in dict.fromkeys((*before.codes(), *after.codes())):
        old, new = before.periods(code), after.periods(code)
        if not old:
            yield Change("code", "added", code, after=_period(new[0], new[-1]), within=name)
        elif not new:
            yield Change("code", "removed", code, before=_period(old[0], old[-1]), within=name)
        else:
            yield from _code(name, code, old, new, columns)


def _code(
    table: str, code: str, olds: tuple[Period, ...], news: tuple[Period, ...], columns: list[str]
) -> Iterator[Change]:
    pairs, gone, come = _paired(olds, news)
    for old in gone:
        yield Change("code", "removed", code, "period", before=_period(old, old), within=table)
    for new in come:
        yield Change("code", "added", code, "period", after=_period(new, new), within=table)
    for old, new in pairs:
        for column in ("valid_from", "valid_to", *columns):
            if old.row[column] != new.row[column]:
                yield Change("code", "changed", code, column, old.row[column], new.row[column], table)


def _paired(
    olds: tuple[Period, ...], news: tuple[Period, ...]
) -> tuple[list[tuple[Period, Period]], list[Period], list[Period]]:
    """Pair periods that begin the same day; one left alone on each side is the same one, with another first day."""
    by_start = {new.start: new for new in news}
    pairs = [(old, by_start[old.start]) for old in olds if old.start in by_start]
    paired = {old.start for old, _ in pairs}
    gone, come = ([one for one in side if one.start not in paired] for side in (olds, news))
    if len(gone) == len(come) == 1:
        return [*pairs, (gone[0], come[0])], [], []
    return pairs, gone, come


def _period(first: Period, last: Period) -> str:
    """Return label and dates: `Médecin (2020-01-01 – …)`."""
    return f"{last.row['libelle']} ({first.row['valid_from'] or '…'} – {last.row['valid_to'] or '…'})"


def _files(before: Norm, after: Norm, told: set[Subject], below: str = "") -> Iterator[Change]:
    """Name the files that nothing above reads, and those that differ although nothing above says so.

    below: what goes before the path of a file of a parent.
    """
    olds, news = (
        {path.relative_to(one.root).as_posix(): path for path in normative_files(one.root)} for one in (before, after)
    )
    for name in sorted(_keys(olds, news)):
        read_as = _READ_AS.get(name.partition("/")[0], ())
        if name == _HISTORY or told.intersection(read_as):
            continue
        if name not in olds or name not in news:
            yield Change("file", "added" if name in news else "removed", below + name)
        elif olds[name].read_bytes() != news[name].read_bytes():
            old, new = (side[name].read_text("utf-8", "replace") for side in (olds, news))
            same = renumbered(old, new, before.ref, after.ref)
            yield Change("file", "changed", below + name, "version" if same else "writing" if read_as else "")
