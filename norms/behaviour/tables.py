"""decisions.yaml as compiled tables. Reading only; `norms.behaviour.decisions` evaluates them.

Source: docs/formats/decisions.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from norms.behaviour.expressions import Expression
from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm, Text
from norms.normfile import read_text
from norms.wire.reasons import REASONS
from norms.yamlfile import Node, nearest, read_yaml

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
EVERY_KIND: Final = "*"
GIVEN: Final = ("pop", "state", "date", "now", "message", "base")
FAULT_GIVEN: Final = (*GIVEN, "code", "reason", "fault")


@dataclass(frozen=True, slots=True)
class Recall:
    """The remembered item of `collection` under `key`: an element, or an empty node-set."""

    collection: str
    key: Expression


@dataclass(frozen=True, slots=True)
class Sequence:
    """The next number of a sequence of the world, padded with zeros to `width`."""

    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Nodes:
    """A node-set kept as such, for later expressions; with `values`, one element per node that holds these instead."""

    select: Expression
    values: tuple[Assignment, ...] = ()


Source = Expression | Recall | Sequence | Nodes


@dataclass(frozen=True, slots=True)
class Assignment:
    """name = source."""

    name: str
    source: Source


@dataclass(frozen=True, slots=True)
class Effect:
    """What a decision changes in the state. until: XPath of the last day, None = for ever.

    each: elements for each of which it is done, as the context of the other expressions; None = once.
    """

    operation: Literal["put", "add", "remove", "expire"]
    collection: str
    key: Expression
    values: tuple[Assignment, ...] = ()
    until: Expression | None = None
    each: Expression | None = None


@dataclass(frozen=True, slots=True)
class LineRow:
    """A row of the table of the lines. when None = the default."""

    when: Expression | None
    values: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """The table evaluated once per element of `select`, with that element as context.

    values: computed before the rows; last: after the row that holds.
    """

    select: Expression
    values: tuple[Assignment, ...]
    rows: tuple[LineRow, ...]
    last: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One decision. when None = the default; after: values computed when the lines are known."""

    id: str
    when: Expression | None
    values: tuple[Assignment, ...]
    lines: Lines | None
    after: tuple[Assignment, ...]
    effects: tuple[Effect, ...]
    answer: str
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """The decisions of one message kind.

    values: computed before the rows; once: expression of the key under which an answer is given again; last: computed
    after the row that holds.
    """

    kind: str
    values: tuple[Assignment, ...]
    once: Expression | None
    rows: tuple[Row, ...]
    last: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """A refusal before any decision: reason code of the wire, condition over the request."""

    reason: str
    kinds: tuple[str, ...]
    values: tuple[Assignment, ...]
    when: Expression
    what: Text


@dataclass(frozen=True, slots=True)
class FaultAnswer:
    """How a refusal is written."""

    answer: str
    values: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Decisions:
    """The whole file."""

    tables: dict[str, Table]
    gates: tuple[Gate, ...]
    fault: FaultAnswer


def read_decisions(paths: tuple[Path, ...], answers: tuple[Path, ...], norm: Norm) -> Decisions:
    """Read and compile the tables of a norm and, before them, those of the norms that it uses.

    paths: decisions.yaml of each, the norm's own last; answers: their folders of templates. Raises NormError with file
    and line; a table without a default row is refused.
    """
    kinds = tuple(service.kind for service in norm.services)
    reader = _Reader(norm, answers)
    files = [read_yaml(path, NormError).only(("decisions",), ("fault", "gates", "let")) for path in paths]
    shared: tuple[Assignment, ...] = ()
    known: tuple[str, ...] = GIVEN
    nodes: dict[str, list[Node]] = {}
    gates: list[Gate] = []
    faults: list[Node] = []
    for keys in files:
        values, known = reader.assignments(keys.get("let"), known)
        shared += values
        gates += [_gate(reader, node, kinds) for node in keys["gates"].items()] if "gates" in keys else []
        faults += [keys["fault"]] if "fault" in keys else []
        for kind, node in keys["decisions"].mapping().items():
            if kind not in (*kinds, EVERY_KIND):
                raise node.fault(tr("Le message « {kind} » n'existe pas.", kind=kind), nearest(kind, kinds))
            nodes.setdefault(kind, []).append(node)
    if not faults:
        raise NormError(tr("La clé « fault » manque."), file=paths[-1] if paths else norm.root)
    for kind in kinds:
        if kind not in nodes:
            raise files[-1]["decisions"].fault(tr("Le message « {kind} » n'a pas de table.", kind=kind))
    tables = {kind: reader.table(kind, nodes.get(EVERY_KIND, []), nodes[kind], shared, known) for kind in kinds}
    fault = faults[-1].only(("answer",), ("set",))
    values, _ = reader.assignments(fault.get("set"), FAULT_GIVEN)
    return Decisions(tables, tuple(gates), FaultAnswer(reader.answer(fault["answer"]), values))


def _check_rows(kind: str, rows: tuple[Row, ...], place: Node, *, final: bool) -> None:
    """Raise NormError where a row can never decide, stands twice, or the `final` rows lack the default."""
    if final and (not rows or rows[-1].when is not None):
        raise place.fault(
            tr("La table de « {kind} » n'a pas de ligne par défaut.", kind=kind),
            tr("Ajoutez une dernière ligne sans « when »."),
        )
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            raise NormError(tr("La ligne « {id} » est écrite deux fois.", id=row.id), file=place.file, line=row.line)
        if row.when is None and not (final and row is rows[-1]):
            raise NormError(
                tr("La ligne « {id} » n'a pas de « when » : les suivantes ne servent jamais.", id=row.id),
                file=place.file,
                line=row.line,
                remedy=tr("Mettez-la à la fin."),
            )
        seen.add(row.id)


def _gate(reader: _Reader, node: Node, kinds: tuple[str, ...]) -> Gate:
    keys = node.only(("reason", "when", "what"), ("kinds", "let"))
    chosen = keys["kinds"].texts() if "kinds" in keys else ()
    for kind in chosen:
        if kind not in kinds:
            raise keys["kinds"].fault(tr("Le message « {kind} » n'existe pas.", kind=kind), nearest(kind, kinds))
    reason = keys["reason"].choice(sorted(REASONS))
    values, known = reader.assignments(keys.get("let"), GIVEN)
    return Gate(reason, chosen, values, reader.expression(keys["when"], known), read_text(keys["what"]))


class _Reader:
    def __init__(self, norm: Norm, answers: tuple[Path, ...]) -> None:
        self._norm, self._answers = norm, sorted({path.stem for folder in answers for path in folder.glob("*.xml")})

    def expression(self, node: Node, known: tuple[str, ...]) -> Expression:
        return Expression(self._norm, node, known)

    def table(
        self,
        kind: str,
        every: list[Node],
        own: list[Node],
        shared: tuple[Assignment, ...],
        known: tuple[str, ...],
    ) -> Table:
        """Return the table of `kind`: the rows of `every` kind first, each named after the kind, then its own."""
        once: Expression | None = None
        values: tuple[Assignment, ...] = shared
        rows: tuple[Row, ...] = ()
        lasts: list[Node] = []
        for node in (*every, *own):
            keys = node.only(("rows",), ("let", "once", "finally"))
            given, known = self.assignments(keys.get("let"), known)
            values += given
            once = self.expression(keys["once"], known) if "once" in keys else once
            name = f"{kind.lower()}-" if node in every else ""
            rows += tuple(self._row(member, known, name) for member in keys["rows"].items())
            lasts += [keys["finally"]] if "finally" in keys else []
            _check_rows(kind, rows, keys["rows"], final=node is own[-1])
        common = set.intersection(*({item.name for item in (*row.values, *row.after)} for row in rows))
        known = (*known, *sorted(common))
        last: tuple[Assignment, ...] = ()
        for node in lasts:
            given, known = self.assignments(node, known)
            last += given
        return Table(kind, values, once, rows, last)

    def _row(self, node: Node, known: tuple[str, ...], prefix: str) -> Row:
        keys = node.only(("id", "answer"), ("when", "set", "each", "after", "effects"))
        when = self.expression(keys["when"], known) if "when" in keys else None
        values, known = self.assignments(keys.get("set"), known)
        lines = self._lines(keys["each"], known) if "each" in keys else None
        after, known = self.assignments(keys.get("after"), (*known, "lines") if lines else known)
        effects = tuple(self._effect(member, known) for member in keys["effects"].items()) if "effects" in keys else ()
        return Row(
            prefix + keys["id"].text(), when, values, lines, after, effects, self.answer(keys["answer"]), node.line
        )

    def answer(self, node: Node) -> str:
        name = node.text()
        if name not in self._answers:
            raise node.fault(
                tr("Le modèle de réponse « {name} » n'existe pas.", name=name), nearest(name, self._answers)
            )
        return name

    def _lines(self, node: Node, known: tuple[str, ...]) -> Lines:
        keys = node.only(("select", "rows"), ("let", "finally"))
        select = self.expression(keys["select"], known)
        values, known = self.assignments(keys.get("let"), known)
        rows = []
        for member in keys["rows"].items():
            cells = member.only(("set",), ("when",))
            when = self.expression(cells["when"], known) if "when" in cells else None
            rows.append(LineRow(when, self.assignments(cells["set"], known)[0]))
        if not rows or rows[-1].when is not None:
            raise keys["rows"].fault(
                tr("La table des lignes n'a pas de ligne par défaut."), tr("Ajoutez une dernière ligne sans « when ».")
            )
        common = set.intersection(*({item.name for item in row.values} for row in rows))
        last, _ = self.assignments(keys.get("finally"), (*known, *sorted(common)))
        return Lines(select, values, tuple(rows), last)

    def _effect(self, node: Node, known: tuple[str, ...]) -> Effect:
        keys = node.only((), ("put", "add", "remove", "expire", "each", "key", "values", "until"))
        operations: tuple[Literal["put", "add", "remove", "expire"], ...] = ("put", "add", "remove", "expire")
        chosen = [name for name in operations if name in keys]
        if len(chosen) != 1 or "key" not in keys or (chosen[0] == "expire" and "until" not in keys):
            raise node.fault(
                tr("Un effet a une seule opération et une clé."),
                tr("Écrivez « put », « add », « remove » ou « expire », puis « key » (et « until » pour « expire »)."),
            )
        until = self.expression(keys["until"], known) if "until" in keys else None
        return Effect(
            chosen[0],
            _name(keys[chosen[0]]),
            self.expression(keys["key"], known),
            self.assignments(keys.get("values"), known)[0],
            until,
            self.expression(keys["each"], known) if "each" in keys else None,
        )

    def assignments(self, node: Node | None, known: tuple[str, ...]) -> tuple[tuple[Assignment, ...], tuple[str, ...]]:
        """Return the assignments in order, and the names known after them."""
        result = []
        for name, member in (node.mapping() if node else {}).items():
            if not _NAME.fullmatch(name):
                raise member.fault(tr("« {name} » ne peut pas nommer une valeur.", name=name))
            result.append(Assignment(name, self._source(member, known)))
            known = (*known, name)
        return tuple(result), known

    def _source(self, node: Node, known: tuple[str, ...]) -> Source:
        if node.is_text:
            return Expression(self._norm, node, known)
        keys = node.only((), ("recall", "key", "sequence", "width", "nodes", "values"))
        if set(keys) == {"recall", "key"}:
            return Recall(_name(keys["recall"]), self.expression(keys["key"], known))
        if set(keys) in ({"sequence"}, {"sequence", "width"}):
            return Sequence(_name(keys["sequence"]), keys["width"].integer(1) if "width" in keys else 1)
        if set(keys) in ({"nodes"}, {"nodes", "values"}):
            return Nodes(self.expression(keys["nodes"], known), self.assignments(keys.get("values"), known)[0])
        raise node.fault(
            tr("Cette valeur ne se comprend pas."),
            tr("Écrivez un XPath, ou « {{recall: …, key: …}} », « {{sequence: …, width: …}} », « {{nodes: …}} »."),
        )


def _name(node: Node) -> str:
    name = node.text()
    if not _NAME.fullmatch(name):
        raise node.fault(tr("« {name} » ne peut pas nommer une collection.", name=name))
    return name
