"""A process of its own that evaluates Schematron rules in XPath 3.1 with Saxon. Started by `norms.schematron_foreign`.

Standard input and output carry one JSON value per line: first the rules, answered by
`{"refusal": [line, why] | null}`; then one document (its text) per line, answered by
`{"violations": [[rule, requirement, [index …], message] …], "exercised": [rule …]}`, where the indexes lead from the
root to the element, or by `{"error": why}`. Imports nothing of the package, so that it starts fast.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any, Final

CURRENT: Final = "poincon.current"
NO_PROTOCOL: Final = ("http://saxon.sf.net/feature/allowedProtocols", "")
PLACE: Final = "for $n in ancestor-or-self::*[parent::*] return count($n/preceding-sibling::*)"

Json = dict[str, Any]


class Evaluator:
    """The rules of one file, evaluated by one Saxon processor."""

    def __init__(self, processor: Any, rules: Json) -> None:
        self._processor, self._rules = processor, rules
        self._xpath = self._new_processor()

    def _new_processor(self) -> Any:
        xpath = self._processor.new_xpath_processor()
        xpath.set_caching(True)
        for prefix, uri in self._rules["namespaces"].items():
            xpath.declare_namespace(prefix, uri)
        for name in set(self.names()):
            xpath.declare_variable(name)
            xpath.set_parameter(name, self._processor.empty_sequence())  # Saxon wants a value for each, used or not
        return xpath

    def expressions(self) -> Iterator[tuple[str, int]]:
        """Yield every expression with its line."""
        yield from self._let_expressions(self._rules["lets"])
        for pattern in self._rules["patterns"]:
            yield from self._let_expressions(pattern["lets"])
            for rule in pattern["rules"]:
                yield rule["select"], rule["line"]
                yield from self._let_expressions(rule["lets"])
                for test in rule["tests"]:
                    yield test["test"], test["line"]
                    for part in test["parts"]:
                        if isinstance(part, dict):
                            yield part["select"], test["line"]

    def _let_expressions(self, lets: list[Json]) -> Iterator[tuple[str, int]]:
        return ((let["value"], let["line"]) for let in lets)

    def names(self) -> Iterator[str]:
        """Yield the names of all variables."""
        yield CURRENT
        places = [
            self._rules,
            *self._rules["patterns"],
            *(rule for one in self._rules["patterns"] for rule in one["rules"]),
        ]
        for place in places:
            for let in place["lets"]:
                yield let["name"]

    def refusal(self, error: type[Exception]) -> list[Any] | None:
        """Return line and reason of the first expression that does not compile; nothing is evaluated."""
        xpath = self._new_processor()
        xpath.set_context(xdm_item=self._processor.parse_xml(xml_text="<x/>"))
        for expression, line in self.expressions():
            try:
                xpath.evaluate(f"if (position() > 1) then ({expression}) else ()")
            except error as bad:
                return [line, str(bad).strip()]
        return None

    def check(self, text: str) -> Json:
        """Return the violations in a document and the rules that it exercises."""
        self._exercised: set[str] = set()
        violations = list(self._violations(text))
        return {"violations": violations, "exercised": sorted(self._exercised)}

    def _violations(self, text: str) -> Iterator[list[Any]]:
        document = self._processor.parse_xml(xml_text=text)
        self._define(self._rules["lets"], document)
        for pattern in self._rules["patterns"]:
            self._define(pattern["lets"], document)
            taken: set[tuple[int, ...]] = set()
            for rule in pattern["rules"]:
                for node in self._items(rule["select"], document):
                    place = tuple(int(item.string_value) for item in self._items(PLACE, node))
                    if place not in taken:
                        taken.add(place)
                        self._exercised.update(test["id"] for test in rule["tests"])
                        yield from self._broken(rule, node, place)

    def _broken(self, rule: Json, node: Any, place: tuple[int, ...]) -> Iterator[list[Any]]:
        self._xpath.set_parameter(CURRENT, node)
        self._define(rule["lets"], node)
        for test in rule["tests"]:
            self._xpath.set_context(xdm_item=node)
            if bool(self._xpath.effective_boolean_value(test["test"])) is test["report"]:
                parts = (
                    part
                    if isinstance(part, str)
                    else " ".join(one.string_value for one in self._items(part["select"], node))
                    for part in test["parts"]
                )
                yield [test["id"], test["role"], list(place), " ".join("".join(parts).split())]

    def _define(self, lets: list[Json], node: Any) -> None:
        for let in lets:
            self._xpath.set_context(xdm_item=node)
            value = self._xpath.evaluate(let["value"])
            self._xpath.set_parameter(let["name"], value if value is not None else self._processor.empty_sequence())

    def _items(self, expression: str, node: Any) -> list[Any]:
        self._xpath.set_context(xdm_item=node)
        value = self._xpath.evaluate(expression)
        return [] if value is None else [value.item_at(index) for index in range(value.size)]


def main() -> None:
    """Serve until standard input ends."""
    saxon = importlib.import_module("saxonche")
    with saxon.PySaxonProcessor(license=False) as processor:
        processor.set_configuration_property(*NO_PROTOCOL)
        evaluator = Evaluator(processor, json.loads(sys.stdin.readline()))
        _say({"refusal": evaluator.refusal(saxon.PySaxonApiError)})
        for line in sys.stdin:
            try:
                _say(evaluator.check(json.loads(line)))
            except saxon.PySaxonApiError as bad:
                _say({"error": str(bad).strip()})


def _say(answer: Json) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
