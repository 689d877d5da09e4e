"""Derived cases: what the schemas and rules of a norm already say, turned into cases without an author.

One negative and, where the constraint has an edge, one positive per constraint that the canonical requests meet.
Negative: invalid for both schema engines and valid once that constraint alone is relaxed. Positive: valid for both and
different from the canonical message. A rule gives its invalid example. What must happen comes from `reactions` of
norm.yaml: the first outcome is the refusal proper, which a valid message never gets; the others are refusals that come
as rightly first, the order of a receiver's checks being free. Without a reaction nothing is derived.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec
from lxml import etree

from norms.behaviour.places import POPULATION, simulator_files
from norms.check import checker_for
from norms.filling import canonical_path, read_base
from norms.functions import xpath
from norms.i18n import tr_in
from norms.model import Norm, Reaction, Text
from scenarios import candidates, shelf
from scenarios.constraints import Constraint, SchemaMap, Sort, Spot, parts
from scenarios.edits import Edits, duplicated, filled_raw, removed, written
from scenarios.model import Case, Expectation, Step
from scenarios.relaxing import Relaxer
from scenarios.rule_cases import RuleOutcome, rule_steps

Gap = Literal[
    "", "implied", "engines-differ", "not-in-requests", "same-mechanism", "relaxation-refused", "no-reaction",
    "about-answers", "repaired", "too-many", "whole-case", "other-role",
]  # fmt: skip
CANONICAL: Final = "canonical"
COPIES_MAXIMUM: Final = 50


class Row(msgspec.Struct, frozen=True):
    """One line of the ledger. positive / negative: ids of the cases ("canonical": the canonical message proves it);
    gap: why there is no negative. source: schema constraint or rule id; requirement: cited by a rule.
    """

    source: Literal["schema", "rule"]
    place: str
    line: int
    what: str
    positive: str = ""
    negative: str = ""
    gap: Gap = ""
    requirement: str = ""


class Derivation(msgspec.Struct, frozen=True):
    """The derived cases of a norm and the ledger of all its constraints."""

    cases: tuple[Case, ...]
    rows: tuple[Row, ...]


def derive(norm: Norm) -> list[Case]:
    """Return the derived cases, in the order of the canonical requests; from the cache when the norm is unchanged."""
    return list(derivation(norm).cases)


def derivation(norm: Norm) -> Derivation:
    """Return cases and ledger rows of `norm`."""
    entry = entry_of(norm)
    return shelf.recall(entry, Derivation) or shelf.keep(entry, _Deriver(norm).run())


def entry_of(norm: Norm) -> Path:
    """Return the file that keeps the derivation: it depends on the norm and, through `fill`, on the population."""
    populations = [path.read_bytes() for path in simulator_files(norm, POPULATION)]
    return shelf.entry_of("derived", norm.ref, norm.digest, *populations)


class _Deriver:
    def __init__(self, norm: Norm) -> None:
        self.norm, self.checker, self.map = norm, checker_for(norm), SchemaMap(norm)
        self.cases: dict[str, Case] = {}
        self.rows: dict[tuple[str, int, Sort], Row] = {}
        self._sampled: set[str] = set()
        schema, rule = norm.reactions.schema, norm.reactions.rule
        # A rule's refusal that looks like the schema's would blame a product for refusing a value that breaks a rule.
        self._rules_count = bool(schema and rule and schema.outcomes[0] in rule.outcomes)

    def run(self) -> Derivation:
        with Relaxer(self.map) as relaxer:
            for spot in self.map.spots():
                for constraint in spot.constraints:
                    key = (constraint.file, constraint.rank, constraint.sort)
                    if key not in self.rows:
                        self.rows[key] = self._row(spot, constraint, relaxer)
                if not any(item.sort in ("required", "attribute") for item in spot.constraints):
                    self._optional(spot)
        for key, constraint in self.map.constraints.items():
            if key not in self.rows:
                self.rows[key] = _row_of(constraint, gap="not-in-requests")
        rows = (*(self.rows[key] for key in self.map.constraints), *self._rules())
        return Derivation(cases=tuple(self.cases.values()), rows=rows)

    def _row(self, spot: Spot, constraint: Constraint, relaxer: Relaxer) -> Row:
        reaction = self.norm.reactions.schema
        if reaction is None:
            return _row_of(constraint, gap="no-reaction")
        positive = self._positive(spot, constraint, reaction)
        if constraint.sort == "maximum" and constraint.limit == "1":
            if constraint.owner in self._sampled:
                return _row_of(constraint, positive=positive, gap="same-mechanism")
            self._sampled.add(constraint.owner)
        if constraint.sort == "maximum" and int(constraint.limit) > COPIES_MAXIMUM:
            return _row_of(constraint, positive=positive, gap="too-many")
        relaxed = relaxer.without(constraint)
        if relaxed is None:
            return _row_of(constraint, positive=positive, gap="relaxation-refused")
        gap: Gap = "implied"
        for make in self._attempts(spot, constraint):
            root = self._built(spot.kind, make)
            if self._quick(root) or not all(relaxed.valid(part) for part in parts(relaxed, root)):
                continue
            if self._second(root):
                gap = "engines-differ"
                continue
            return _row_of(constraint, positive=positive, negative=self._negative(spot, constraint, make, reaction))
        return _row_of(constraint, positive=positive, gap=gap)

    def _attempts(self, spot: Spot, constraint: Constraint) -> Iterator[Edits]:
        if constraint.sort in ("required", "attribute"):
            yield removed(spot.path)
        elif constraint.sort == "maximum":
            yield duplicated(spot.path, spot.parent, int(constraint.limit))
        else:
            for text in candidates.negatives(spot, constraint, self._valid_text(spot)):
                yield written(spot.path, text)

    def _positive(self, spot: Spot, constraint: Constraint, reaction: Reaction) -> str:
        first = ""
        for make, shown in self._edges(spot, constraint):
            root = self._built(spot.kind, make)
            if not self._quick(root) or not self._second(root):
                continue
            if self._rules_count and self.checker.rule_problems(root):
                continue
            case = self._case(
                spot.kind, f"+{constraint.key}|{spot.path}|{shown}", make,
                _both("{kind} : {path} accepte « {value} »", kind=spot.kind, path=_short(spot.path), value=shown),
                _both("Vérifier qu'une valeur à la limite du schéma n'est pas refusée comme invalide : {what}.",
                      what=what_of(constraint)),
                Expectation(reaction.requirement, "schema-accepted", value=reaction.outcomes[0]),
            )  # fmt: skip
            first = first or case
        return first or CANONICAL

    def _edges(self, spot: Spot, constraint: Constraint) -> Iterator[tuple[Edits, str]]:
        if constraint.sort == "facet":
            for text in candidates.positives(spot, constraint, self._valid_text(spot)):
                yield written(spot.path, text), _clipped(text)
        elif constraint.sort == "maximum" and 1 < int(constraint.limit) <= COPIES_MAXIMUM:
            yield duplicated(spot.path, spot.parent, int(constraint.limit) - 1), f"× {constraint.limit}"

    def _optional(self, spot: Spot) -> None:
        reaction = self.norm.reactions.schema
        make = removed(spot.path)
        if reaction is None or not spot.parent:
            return
        root = self._built(spot.kind, make)
        if self._quick(root) and self._second(root) and not (self._rules_count and self.checker.rule_problems(root)):
            self._case(
                spot.kind, f"+optional|{spot.path}", make,
                _both("{kind} : {path}, facultatif, est absent", kind=spot.kind, path=_short(spot.path)),
                _both("Vérifier qu'un contenu facultatif peut manquer : {what}.", what=_short(spot.path)),
                Expectation(reaction.requirement, "schema-accepted", value=reaction.outcomes[0]),
            )  # fmt: skip

    def _negative(self, spot: Spot, constraint: Constraint, make: Edits, reaction: Reaction) -> str:
        return self._case(
            spot.kind, f"-{constraint.key}|{spot.path}", make,
            _both("{kind} : {path} enfreint le schéma ({what})",
                  kind=spot.kind, path=_short(spot.path), what=what_of(constraint)),
            _both("Vérifier que le service refuse une demande qui enfreint cette seule contrainte : {what}.",
                  what=what_of(constraint)),
            Expectation(reaction.requirement, "refused", values=reaction.outcomes),
        )  # fmt: skip

    def _case(self, kind: str, key: str, make: Edits, title: Text, purpose: Text, expect: Expectation) -> str:
        step = make(self.norm, self._raw(kind)).step(kind, expect)
        return self._add(kind, f"{kind}|{key}", step, title, purpose, expect.requirement)

    def _add(self, kind: str, key: str, step: Step, title: Text, purpose: Text, requirement: str) -> str:
        prefix = self.norm.derived_prefix or "".join(char for char in self.norm.id.upper() if char.isalnum())
        name = f"{prefix}-D-{kind}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
        self.cases[name] = Case(
            id=name, scenario=name, origin="derived", title=title, purpose=purpose, role="server", profile="",
            given=self.norm.default_given, bindings={}, steps=(step,), requirements=(requirement,),
        )  # fmt: skip
        return name

    def _rules(self) -> Iterable[Row]:
        reaction = self.norm.reactions.rule
        for outcome in rule_steps(self.norm, self.checker, reaction):
            negative = ""
            if outcome.step is not None and reaction is not None:
                negative = self._rule_case(outcome, outcome.step, reaction)
            yield Row(
                "rule", outcome.file, outcome.line, outcome.rule,
                negative=negative, gap="" if negative else outcome.gap, requirement=outcome.requirement,
            )  # fmt: skip

    def _rule_case(self, outcome: RuleOutcome, step: Step, reaction: Reaction) -> str:
        return self._add(
            outcome.kind, f"{outcome.kind}|rule|{outcome.rule}", step,
            _both("{kind} : la règle {rule} est enfreinte", kind=outcome.kind, rule=outcome.rule),
            _both("Vérifier que le service refuse une demande valide selon les schémas qui enfreint la règle {rule}.",
                  rule=outcome.rule),
            reaction.requirement,
        )  # fmt: skip

    def _raw(self, kind: str) -> etree._Element:
        return filled_raw(self.norm, read_base(canonical_path(self.norm, kind)))

    def _built(self, kind: str, make: Edits) -> etree._Element:
        root = read_base(canonical_path(self.norm, kind))
        make(self.norm, root).apply(self.norm, root)
        return root

    def _quick(self, root: etree._Element) -> bool:
        return all(self.checker.schemas.valid(part) for part in parts(self.checker.schemas, root))

    def _second(self, root: etree._Element) -> bool:
        return all(self.checker.schemas.second_valid(part) for part in parts(self.checker.schemas, root))

    def _valid_text(self, spot: Spot) -> Callable[[str], bool]:
        root = read_base(canonical_path(self.norm, spot.kind))
        element_path, at, attribute = spot.path.partition("/@")
        found = xpath(self.norm, element_path)(root)
        assert isinstance(found, list) and isinstance(found[0], etree._Element)
        element = found[0]
        part = next(part for part in parts(self.checker.schemas, root) if part in (element, *element.iterancestors()))
        names = {name: name for name in element.attrib}
        name = next((str(full) for full in names if etree.QName(full).localname == attribute.rpartition(":")[2]), "")

        def valid(text: str) -> bool:
            if at:
                element.set(name, text)
            else:
                element.text = text
            return self.checker.schemas.valid(part)

        return valid


def what_of(constraint: Constraint) -> str:
    """Return a constraint as people read it: owner, name, limit."""
    limit = f" {_clipped(constraint.limit)}" if constraint.limit else ""
    sort = {"required": "minOccurs", "maximum": "maxOccurs", "attribute": "use=required", "datatype": "xs:"}
    if constraint.sort == "facet":
        return f"{constraint.owner} : {constraint.name}{limit}"
    if constraint.sort == "datatype":
        return f"{constraint.owner} : xs:{constraint.name}"
    return f"{constraint.owner}/{constraint.name} : {sort[constraint.sort]}{limit}"


def _row_of(constraint: Constraint, positive: str = "", negative: str = "", gap: Gap = "") -> Row:
    return Row("schema", constraint.file, constraint.line, what_of(constraint), positive, negative, gap)


def _both(message: str, **values: str) -> Text:
    return Text(tr_in("fr", message, **values), tr_in("en", message, **values))


def _short(path: str) -> str:
    return "/".join(path.split("/")[-2:] if "/@" in path else path.split("/")[-1:])


def _clipped(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:36]}… ({len(text)})"
