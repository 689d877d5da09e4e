"""The interpreter of decision tables: request + population + state → answer + effects. Pure but for the state given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Protocol
from uuid import uuid4

from lxml import etree

from norms.behaviour.answers import Templates
from norms.behaviour.expressions import Expression, Variable, Variables
from norms.behaviour.population import Population
from norms.behaviour.state import Remembered, State
from norms.behaviour.tables import Assignment, Decisions, Effect, Lines, Nodes, Recall, Row, Sequence
from norms.errors import NormError
from norms.functions import text_of, xpath
from norms.i18n import tr
from norms.model import Norm, Service


class IdSource(Protocol):
    """Where identifiers and the instant of an answer come from, so that tests can fix them."""

    def uuid(self) -> str:
        """Return a new UUID in canonical form."""
        ...

    def now(self) -> datetime:
        """Return the instant, in UTC."""
        ...


class RandomIds:
    """Random identifiers and the machine's clock."""

    def uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid4())

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Overrides:
    """How a faulty partner departs from its tables.

    ignored: rows that never hold; forced: the row that decides in place of the table; values: assignments replaced
    by a literal; repeated: sequences that always give 1; forgotten: collections whose effects are lost;
    repeat_answers: False answers anew what `once` should repeat.
    """

    ignored: frozenset[str] = frozenset()
    forced: str = ""
    values: dict[str, str] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()
    forgotten: frozenset[str] = frozenset()
    repeat_answers: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """root: the whole unsecured envelope; row: id of the row that decided; values: what the template was given."""

    root: etree._Element
    row: str
    values: dict[str, str]
    lines: tuple[dict[str, str], ...]
    repeated: bool = False


NO_OVERRIDES = Overrides()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When and where an answer is given.

    today: the reference day; ids: identifiers and the instant; base: address of the partner's root, "" = unknown.
    """

    today: date
    ids: IdSource
    base: str = ""


class Interpreter:
    """Evaluates the tables of one norm. Thread-safe as long as each state has one user at a time."""

    def __init__(self, norm: Norm, decisions: Decisions, population: Population, templates: Templates) -> None:
        self.decisions = decisions
        self._population, self._templates, self._prefixes = population, templates, norm.prefixes
        self._message_id = xpath(norm, norm.reading.message_id) if norm.reading.message_id else None

    def gate(self, root: etree._Element, kind: str, state: State, now: Circumstances) -> tuple[str, str] | None:
        """Return (reason, sentence) of the first gate that refuses the request, or None."""
        for gate in self.decisions.gates:
            if gate.kinds and kind not in gate.kinds:
                continue
            scope = _Scope(root, state, NO_OVERRIDES, self._given(root, state, now))
            scope.assign(gate.values)
            if gate.when.holds(root, scope.variables):
                return gate.reason, str(gate.what)
        return None

    def answer(
        self,
        root: etree._Element,
        service: Service,
        state: State,
        now: Circumstances,
        overrides: Overrides = NO_OVERRIDES,
    ) -> Answer:
        """Decide and write the answer; the effects are applied to `state`. Raises NormError for wrong data."""
        table = self.decisions.tables[service.kind]
        state.sweep(now.today.isoformat())
        scope = _Scope(root, state, overrides, self._given(root, state, now))
        scope.assign(table.values)
        once = table.once.text(root, scope.variables) if table.once else ""
        known = state.remembered(service.kind, once, now.today.isoformat()) if once else None
        if not overrides.repeat_answers:
            known = None
        if known is not None:
            row = next(row for row in table.rows if row.id == known.row)
            return self._written(row, service, scope, known.values, known.lines, now.ids, repeated=True)
        row = _decide(table.rows, scope)
        scope.assign(row.values)
        lines = scope.each(row.lines) if row.lines else ()
        scope.assign(row.after)
        scope.assign(table.last)
        values = scope.texts()
        answer = self._written(row, service, scope, values, lines, now.ids)
        ends = [_apply(effect, scope) for effect in row.effects]
        if once and ends:
            state.remember(service.kind, once, Remembered(row.id, values, lines, max(ends)))
        return answer

    def fault(
        self,
        root: etree._Element | None,
        soap: str,
        fault: tuple[str, str, str, str],
        state: State,
        now: Circumstances,
    ) -> etree._Element:
        """Return the fault envelope of a refusal. fault: (Sender or Receiver, code, reason, sentence for people)."""
        context = root if root is not None else etree.Element("none")
        side, code, reason, what = fault
        given = {**self._given(context, state, now), "code": code, "reason": reason, "fault": side}
        scope = _Scope(context, state, NO_OVERRIDES, given)
        scope.assign(self.decisions.fault.values)
        return self._templates.render(
            self.decisions.fault.answer, {**scope.texts(), "soap": soap, "what": what, "uuid": now.ids.uuid}
        )

    def _written(
        self,
        row: Row,
        service: Service,
        scope: _Scope,
        values: dict[str, str],
        lines: tuple[dict[str, str], ...],
        ids: IdSource,
        *,
        repeated: bool = False,
    ) -> Answer:
        context = {
            **values,
            "now": scope.variables["now"],
            "message": scope.variables["message"],
            "action": service.response.action,
            "element": service.response.element,
            "namespace": self._prefixes[service.response.element.partition(":")[0]],
            "version": service.version,
            "lines": lines,
            "uuid": ids.uuid,
        }
        return Answer(self._templates.render(row.answer, context), row.id, values, lines, repeated)

    def _given(self, root: etree._Element, state: State, now: Circumstances) -> Variables:
        message = str(text_of(self._message_id(root))) if self._message_id is not None else ""
        return {
            "pop": self._population.as_xml(),
            "state": state.xml,
            "date": now.today.isoformat(),
            "now": now.ids.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "message": message,
            "base": now.base,
        }


class _Scope:
    """The values known so far while one message is decided."""

    def __init__(self, root: etree._Element, state: State, overrides: Overrides, variables: Variables) -> None:
        self.root, self.state, self.overrides, self.variables = root, state, overrides, variables
        # Elements made here, with their values: lxml gives a foreign node without a proxy to another document.
        self._made: list[etree._Element] = []

    def assign(self, assignments: Iterable[Assignment]) -> None:
        self._extend(assignments, self.root)

    def local(self, assignments: Iterable[Assignment], context: etree._Element) -> dict[str, str]:
        """Compute values that only this line or effect sees."""
        outer, self.variables = self.variables, dict(self.variables)
        try:
            return self._extend(assignments, context)
        finally:
            self.variables = outer

    def each(self, table: Lines) -> tuple[dict[str, str], ...]:
        lines = []
        outer = self.variables
        for node in table.select.elements(self.root, outer):
            self.variables = dict(outer)
            values = self._extend(table.values, node)
            row = next(row for row in table.rows if row.when is None or row.when.holds(node, self.variables))
            values |= self._extend(row.values, node)
            values |= self._extend(table.last, node)
            lines.append(values)
        self.variables = outer
        self.variables["lines"] = self._element("lines", "line", lines)
        return tuple(lines)

    def _element(self, name: str, member: str, items: Iterable[dict[str, str]]) -> etree._Element:
        """Return an element with one child per item, that holds its values."""
        tree = etree.Element(name)
        for values in items:
            item = etree.SubElement(tree, member)
            for key, value in values.items():
                etree.SubElement(item, key).text = value
        self._made += tree.iter()
        return tree

    def _extend(self, assignments: Iterable[Assignment], context: etree._Element) -> dict[str, str]:
        result = {}
        for item in assignments:
            self.variables[item.name] = value = self._value(item, context)
            if isinstance(value, str):
                result[item.name] = value
        return result

    def texts(self) -> dict[str, str]:
        return {name: value for name, value in self.variables.items() if isinstance(value, str)}

    def _value(self, item: Assignment, context: etree._Element) -> Variable:
        if item.name in self.overrides.values:
            return self.overrides.values[item.name]
        source = item.source
        if isinstance(source, Expression):
            return source.text(context, self.variables)
        if isinstance(source, Recall):
            found = self.state.recall(source.collection, source.key.text(context, self.variables))
            return [found] if found is not None else []
        if isinstance(source, Nodes):
            nodes = source.select.elements(context, self.variables)
            if not source.values:
                return nodes
            return list(self._element("nodes", "node", [self.local(source.values, node) for node in nodes]))
        assert isinstance(source, Sequence)
        number = 1 if source.name in self.overrides.repeated else self.state.next(source.name)
        return str(number).zfill(source.width)


def _decide(rows: tuple[Row, ...], scope: _Scope) -> Row:
    overrides = scope.overrides
    for row in rows:
        if overrides.forced:
            if row.id == overrides.forced:
                return row
        elif row.when is None or (row.id not in overrides.ignored and row.when.holds(scope.root, scope.variables)):
            return row
    return rows[-1]


def _apply(effect: Effect, scope: _Scope) -> str:
    """Change the state; return the last day of what was written, "" when it has none."""
    contexts = effect.each.elements(scope.root, scope.variables) if effect.each else [scope.root]
    return max((_apply_to(context, effect, scope) for context in contexts), default="")


def _apply_to(context: etree._Element, effect: Effect, scope: _Scope) -> str:
    until = effect.until.text(context, scope.variables) if effect.until else ""
    if effect.collection in scope.overrides.forgotten:
        return until
    key = effect.key.text(context, scope.variables)
    values = scope.local(effect.values, context)
    if effect.operation == "put":
        scope.state.put(effect.collection, key, values, until)
    elif effect.operation == "add":
        scope.state.put(effect.collection, key, _summed(scope.state.recall(effect.collection, key), values), until)
    elif effect.operation == "remove":
        scope.state.remove(effect.collection, key)
    else:
        scope.state.expire(effect.collection, key, until)
    return until


def _summed(item: etree._Element | None, values: dict[str, str]) -> dict[str, str]:
    """Add each value to the one remembered, exactly."""
    try:
        return {
            name: str(Decimal(value) + Decimal((item.findtext(name) if item is not None else None) or "0"))
            for name, value in values.items()
        }
    except InvalidOperation as wrong:
        raise NormError(tr("L'effet « add » demande des nombres : {values}.", values=values)) from wrong
