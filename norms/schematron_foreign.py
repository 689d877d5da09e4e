"""Schematron rules with an XPath 2 or 3 query binding: run by Saxon (package `saxonche`) in a process of their own.

Without the package they are refused when the norm is loaded: a rule is run or refused, never skipped. Functions that
read anything but the document are refused, and Saxon is told to open no address. A process that does not answer within
`DEADLINE` seconds is ended: an incident of ours, raised as PoinconError, and the message counts as not checked.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from lxml import etree

from norms.errors import NormError, PoinconError
from norms.i18n import tr
from norms.schematron_joining import matching
from norms.schematron_reader import Let, Pattern, Rule, RuleFile
from norms.xpath import STANDARD_PREFIXES

DEADLINE: Final = 60.0
PACKAGE: Final = "saxonche"
WORKER: Final = Path(__file__).with_name("schematron_worker.py")

_READS_OUTSIDE: Final = re.compile(
    r"(?<![\w.-])(doc|doc-available|document|collection|uri-collection|unparsed-text[\w-]*|json-doc|transform|"
    r"environment-variable|available-environment-variables|load-xquery-module)\s*[(#]"
)


def refuse_unless_installed(file: RuleFile) -> None:
    """Raise NormError when the engine for the file's query binding is not there."""
    if importlib.util.find_spec(PACKAGE) is None:
        raise NormError(
            tr(
                "Ces règles sont en « {name} », pour lesquelles il manque « {package} ».",
                name=file.binding,
                package=PACKAGE,
            ),
            file=file.path,
            line=1,
            remedy=tr("Installez {package}, ou écrivez les règles en XPath 1.0.", package=PACKAGE),
        )


class ForeignRules:
    """The rules of one file in their process. Safe to share between threads: one document at a time."""

    def __init__(self, file: RuleFile, patterns: Sequence[Pattern], lets: Sequence[Let]) -> None:
        refuse_unless_installed(file)
        self._file, self._lock = file, threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        weakref.finalize(self, _end, self._process)
        for expression, line in _expressions(patterns, lets):
            found = _READS_OUTSIDE.search(expression)
            if found:
                raise NormError(
                    tr("La fonction « {name} » lit hors du message.", name=found[1]), file=file.path, line=line
                )
        namespaces = {prefix: uri for prefix, uri in STANDARD_PREFIXES.items() if prefix != "p"} | file.namespaces
        answer = self._ask(
            {
                "namespaces": namespaces,
                "lets": _lets(lets),
                "patterns": [
                    {"lets": _lets(pattern.lets), "rules": [_rule(rule) for rule in pattern.rules]}
                    for pattern in patterns
                ],
            }
        )
        if answer["refusal"]:
            line, why = answer["refusal"]
            raise NormError(tr("L'expression XPath ne se lit pas : {why}", why=why), file=file.path, line=line)

    def violations(self, root: etree._Element) -> Iterator[tuple[str, str, etree._Element, str]]:
        """Yield rule, requirement, element and message of each violation."""
        answer = self._check(root)
        for rule, requirement, place, message in answer["violations"]:
            element = root
            for index in place:
                element = [child for child in element if isinstance(child.tag, str)][index]
            yield rule, requirement, element, message

    def exercised(self, root: etree._Element) -> Iterator[str]:
        """Yield the ids of the rules that a document puts to the test."""
        yield from self._check(root)["exercised"]

    def _check(self, root: etree._Element) -> dict[str, Any]:
        answer = self._ask(etree.tostring(root, encoding="unicode"))
        if "error" in answer:
            raise PoinconError(
                tr("Les règles de {file} ont échoué : {why}", file=self._file.path.name, why=answer["error"])
            )
        return answer

    def _ask(self, question: Any) -> dict[str, Any]:
        with self._lock:
            watchdog = threading.Timer(DEADLINE, self._process.kill)
            watchdog.start()
            try:
                assert self._process.stdin and self._process.stdout
                self._process.stdin.write(json.dumps(question) + "\n")
                self._process.stdin.flush()
                answer = self._process.stdout.readline()
            except OSError:
                answer = ""
            finally:
                watchdog.cancel()
        if not answer:
            raise PoinconError(tr("Le moteur des règles de {file} s'est arrêté.", file=self._file.path.name))
        decoded: dict[str, Any] = json.loads(answer)
        return decoded


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def _lets(lets: Sequence[Let]) -> list[dict[str, Any]]:
    return [{"name": let.name, "value": let.value, "line": let.line} for let in lets]


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "select": matching(rule.context),
        "line": rule.line,
        "lets": _lets(rule.lets),
        "tests": [
            {
                "id": assertion.id,
                "role": assertion.role,
                "test": assertion.test,
                "report": assertion.report,
                "line": assertion.line,
                "parts": [part if isinstance(part, str) else {"select": part.select} for part in assertion.parts],
            }
            for assertion in rule.assertions
        ],
    }


def _expressions(patterns: Sequence[Pattern], lets: Sequence[Let]) -> Iterator[tuple[str, int]]:
    rules = [rule for pattern in patterns for rule in pattern.rules]
    own = [let for pattern in patterns for let in pattern.lets] + [let for rule in rules for let in rule.lets]
    yield from ((let.value, let.line) for let in (*lets, *own))
    for rule in rules:
        yield rule.context, rule.line
        for assertion in rule.assertions:
            yield assertion.test, assertion.line
            yield from ((part.select, assertion.line) for part in assertion.parts if not isinstance(part, str))
