"""faults.yaml and variants.yaml: seeded deviations of a practice partner, and its conformant freedoms.

Source: docs/formats/faults.md, docs/formats/variants.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from norms.behaviour.conduct import VARIABLES
from norms.behaviour.expressions import Expression
from norms.behaviour.operators import ON, OPERATORS, PLACES, TLS_CERTIFICATES, Operator
from norms.behaviour.places import inherited
from norms.behaviour.words import Words
from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm, Text
from norms.normfile import read_text
from norms.wire.reasons import REASONS
from norms.yamlfile import Node, nearest, read_yaml


@dataclass(frozen=True, slots=True)
class Change:
    """One operator with its parameters. paths: the compiled XPath parameters; kinds: message kinds, empty = all;
    when: condition over the request, None = always; every: it happens at each n-th of these only.
    """

    operator: Operator
    parameters: dict[str, str]
    paths: dict[str, Expression]
    kinds: tuple[str, ...] = ()
    when: Expression | None = None
    every: int = 1
    line: int = 0

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reason codes of the parameter `reasons` (separated by blanks)."""
        return tuple(self.parameters.get("reasons", "").split())

    @property
    def then(self) -> tuple[str, ...]:
        """The reason codes that no longer count once one of `reasons` was let pass in the same request."""
        return tuple(self.parameters.get("then", "").split())

    def concerns(self, kind: str, on: str) -> bool:
        """Whether it touches a message of that kind ("" = unknown), written as an "answer" or a "fault"."""
        return (not self.kinds or kind in self.kinds) and self.parameters.get("on", "answer") in (on, "any")


class Described(msgspec.Struct, frozen=True):
    """A fault or variant in plain values, for lists and JSON. kinds: message kinds it touches, empty = all."""

    id: str
    title: Text
    operators: tuple[str, ...]
    kinds: tuple[str, ...]
    requirement: str = ""
    consequences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A seeded deviation. requirement: the one it breaks; consequences: others that it also breaks."""

    id: str
    title: Text
    requirement: str
    consequences: tuple[str, ...]
    changes: tuple[Change, ...]
    line: int = 0

    @property
    def described(self) -> Described:
        """The fault in plain values."""
        operators, kinds = _summary(self.changes)
        return Described(self.id, self.title, operators, kinds, self.requirement, self.consequences)


@dataclass(frozen=True, slots=True)
class Variant:
    """A freedom that the norm leaves: a partner that uses it is conformant."""

    id: str
    title: Text
    changes: tuple[Change, ...]
    line: int = 0

    @property
    def described(self) -> Described:
        """The variant in plain values."""
        return Described(self.id, self.title, *_summary(self.changes))


def _summary(changes: tuple[Change, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the operators and the message kinds of changes, each once."""
    operators = dict.fromkeys(change.operator.name for change in changes)
    kinds = dict.fromkeys(kind for change in changes for kind in change.kinds)
    return tuple(operators), tuple(kinds)


_Item = TypeVar("_Item", Fault, Variant)
_PATHS = ("at", "from", "with")


def read_faults(paths: tuple[Path, ...], norm: Norm, words: Words) -> tuple[Fault, ...]:
    """Read the files; an id written again replaces the inherited fault. Raises NormError with file and line."""
    return _last_of(_faults(path, norm, words) for path in paths)


def read_variants(paths: tuple[Path, ...], norm: Norm, words: Words) -> tuple[Variant, ...]:
    """Read the files; an id written again replaces the inherited variant. Raises NormError with file and line."""
    return _last_of(_variants(path, norm, words) for path in paths)


def _last_of(groups: Iterable[tuple[_Item, ...]]) -> tuple[_Item, ...]:
    return tuple({item.id: item for group in groups for item in group}.values())


def _faults(path: Path, norm: Norm, words: Words) -> tuple[Fault, ...]:
    faults = []
    for node in _members(path, "faults", norm, words):
        keys = node.only(("id", "title", "requirement"), ("consequences", "changes", *_CONDITIONS, *_OPERATOR_KEYS))
        consequences = keys["consequences"].texts() if "consequences" in keys else ()
        places = [keys["requirement"], *(keys["consequences"] for _ in consequences)]
        for cited, place in zip((keys["requirement"].text(), *consequences), places, strict=True):
            if norm.all_requirements and norm.requirement(cited) is None:
                known = [requirement.id for requirement in norm.all_requirements]
                raise place.fault(tr("L'exigence « {id} » n'existe pas.", id=cited), nearest(cited, known[:1000]))
        faults.append(
            Fault(
                keys["id"].text(),
                read_text(keys["title"]),
                keys["requirement"].text(),
                consequences,
                _changes(node, keys, norm, words),
                node.line,
            )
        )
    return _distinct(faults, path)


def _variants(path: Path, norm: Norm, words: Words) -> tuple[Variant, ...]:
    variants = []
    for node in _members(path, "variants", norm, words):
        keys = node.only(("id", "title"), ("changes", *_CONDITIONS, *_OPERATOR_KEYS))
        variants.append(
            Variant(keys["id"].text(), read_text(keys["title"]), _changes(node, keys, norm, words), node.line)
        )
    return _distinct(variants, path)


_CONDITIONS = ("kinds", "when", "every")
_OPERATOR_KEYS = (
    "operator",
    *sorted({name for operator in OPERATORS.values() for name in (*operator.needs, *operator.takes)}),
)


def _members(path: Path, name: str, norm: Norm, words: Words) -> Iterator[Node]:
    """Yield the members of a file; not those, in an inherited one, that concern no message the norm has."""
    for node in read_yaml(path, NormError).only((name,))[name].items():
        kinds = node.mapping().get("kinds")
        if kinds is None or not inherited(norm, path) or not set(words.kinds).isdisjoint(kinds.texts()):
            yield node


def _changes(node: Node, keys: dict[str, Node], norm: Norm, words: Words) -> tuple[Change, ...]:
    if ("operator" in keys) == ("changes" in keys):
        raise node.fault(tr("Écrivez « operator » ou une liste « changes »."))
    if "operator" in keys:
        return (_change(node, keys, norm, words),)
    changes = []
    for member in keys["changes"].items():
        own = member.only(("operator",), (*_CONDITIONS, *_OPERATOR_KEYS))
        shared: dict[str, Node] = {name: keys[name] for name in _CONDITIONS if name in keys}
        changes.append(_change(member, {**shared, **own}, norm, words))
    return tuple(changes)


def _change(node: Node, keys: dict[str, Node], norm: Norm, words: Words) -> Change:
    allowed = sorted(name for name, operator in OPERATORS.items() if operator.phase in words.phases)
    operator = OPERATORS[keys["operator"].choice(allowed)]
    given = [name for name in keys if name in _OPERATOR_KEYS and name != "operator"]
    for name in given:
        if name not in (*operator.needs, *operator.takes):
            raise keys[name].fault(
                tr("L'opérateur « {operator} » n'a pas de paramètre « {name} ».", operator=operator.name, name=name),
                nearest(name, (*operator.needs, *operator.takes)),
            )
    for name in operator.needs:
        if name not in given:
            raise node.fault(
                tr("L'opérateur « {operator} » demande le paramètre « {name} ».", operator=operator.name, name=name)
            )
    kinds = keys["kinds"].texts() if "kinds" in keys else ()
    if inherited(norm, node.file):
        kinds = tuple(kind for kind in kinds if kind in words.kinds) or kinds
    for kind in kinds:
        if kind not in words.kinds:
            raise keys["kinds"].fault(tr("Le message « {kind} » n'existe pas.", kind=kind), nearest(kind, words.kinds))
    speaker = _speaker(norm, kinds)
    variables = VARIABLES if operator.phase == "conduct" else ()
    parameters = {name: " ".join(keys[name].texts()) if name in _LISTS else keys[name].text() for name in given}
    _check_values(operator, keys, parameters, words)
    return Change(
        operator,
        parameters,
        {name: Expression(speaker, keys[name], variables) for name in given if name in _PATHS},
        kinds,
        Expression(speaker, keys["when"], ()) if "when" in keys else None,
        keys["every"].integer(1) if "every" in keys else 1,
        node.line,
    )


def _speaker(norm: Norm, kinds: tuple[str, ...]) -> Norm:
    """Return the norm whose prefixes the expressions of a change may use: that of its kinds, when they have one."""
    speakers = {speaker.ref: speaker for kind in kinds if (speaker := norm.speaking(kind)) is not None}
    return next(iter(speakers.values())) if len(speakers) == 1 else norm


_LISTS = ("reasons", "then", "certificates", "checks", "causes")
_WORDS = {
    "on": ON,
    "place": PLACES,
    "reason": tuple(sorted(REASONS)),
    "reasons": tuple(sorted(REASONS)),
    "then": tuple(sorted(REASONS)),
    "certificates": TLS_CERTIFICATES,
}


def _check_values(operator: Operator, keys: dict[str, Node], values: dict[str, str], words: Words) -> None:
    """Refuse a parameter that names something unknown."""
    known = _WORDS | words.known
    for name, value in values.items():
        for word in value.split() if name in _LISTS else (value,):
            if name in known and word not in known[name]:
                raise keys[name].fault(
                    tr("« {value} » n'est pas une valeur de « {name} ».", value=word, name=name),
                    nearest(word, known[name]),
                )
        if name in ("seconds", "by", "days", "bytes", "status", "http", "times"):
            _check_number(keys[name], value, whole=name not in ("seconds", "by"))
    if operator.name in ("set-value", "tell") and values["name"] not in words.values:
        raise keys["name"].fault(
            tr("Rien ne calcule ni n'annonce « {name} ».", name=values["name"]),
            nearest(values["name"], sorted(words.values)),
        )


def _check_number(node: Node, value: str, *, whole: bool) -> None:
    try:
        (int if whole else float)(value)
    except ValueError:
        raise node.fault(tr("« {value} » n'est pas un nombre.", value=value)) from None


def _distinct(items: list[_Item], path: Path) -> tuple[_Item, ...]:
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise NormError(tr("L'identifiant « {id} » est écrit deux fois.", id=item.id), file=path, line=item.line)
        seen.add(item.id)
    return tuple(items)
