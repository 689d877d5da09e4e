"""Check one message against a norm: structure of the envelope, schemas, rules. The verdict-giving heart.

`Checker.check` gives `Problem`s and never raises for what a message contains. An exception that does come out is an
incident of ours: the message then counts as not checked. Sources: SOAP 1.1 §4, SOAP 1.2 part 1 §5, and the norm.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec
from lxml import etree

from norms.chains import Chains
from norms.errors import SecurityRefusal, UsageError
from norms.functions import functions_for, text_of
from norms.i18n import tr
from norms.model import Norm, Service
from norms.places import line_of, name_of, path_of, prefixes_by_namespace
from norms.schema import SchemaFault, Schemas, SecondFault, roots_of
from norms.schema_messages import Told, tell
from norms.schematron import Rules
from norms.schematron_reader import Assertion, RuleFile
from norms.wire.deposit import enveloped, is_bare
from norms.wire.soap import NAMESPACES, SOAP12, Envelope, qname
from norms.yamlfile import nearest

Source = Literal["schema", "rule", "structure", "security"]
Direction = Literal["request", "response"]

# Constraints on content: libxml2 blames the child that should not be there, xmlschema its parent.
_ABOUT_CONTENT: Final = frozenset(
    {"missing-child", "unexpected-child", "unknown-element", "children", "text", "schema"}
)
_STEP: Final = re.compile(r"(?P<name>\*|[^\[\]@]+)(?:\[(?P<number>\d+)\])?")
_FAULT_PARTS: Final = {"1.1": (("faultcode",), ("faultstring",)), "1.2": (("Code", "Value"), ("Reason", "Text"))}


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong with a message.

    rule: constraint of the schema ("pattern"), rule id, or reason code of `norms.wire.reasons` (structure,
    security);
    requirement: id that the rule cites, "" for schema and structure; path, line: the element; value: what is there;
    split: the two schema engines disagree, so the finding is the norm's.
    """

    source: Source
    rule: str
    requirement: str
    path: str
    line: int
    message: str
    value: str = ""
    split: bool = False


class Checker:
    """Everything of a norm that checks messages, compiled; threads may share it. Making one may raise NormError."""

    def __init__(self, norm: Norm) -> None:
        self.norm = norm
        self.schemas = Schemas(norm.schemas, roots_of(norm))
        self.rules = Rules(norm.rules, functions_for(norm))
        self.chains = Chains(norm)
        self._prefixes = prefixes_by_namespace(norm.prefixes)
        self._payloads: dict[str, list[tuple[str, Direction]]] = {}
        for service in norm.services:
            for part, direction in _directions(service):
                self._payloads.setdefault(qname(norm.prefixes, part.element), []).append((service.kind, direction))
        self._headers = {
            (service.kind, direction): [(name, qname(norm.prefixes, name)) for name in names]
            for service in norm.services
            for direction, names in (("request", service.headers), ("response", service.response_headers))
        }
        self._versions = {
            service.kind: functions_for(norm).compile(service.version_at)
            for service in norm.services
            if service.version_at
        }

    @property
    def rule_files(self) -> tuple[RuleFile, ...]:
        """The files of all rules: those about messages, then those over a whole case."""
        return (*self.rules.files, *self.chains.rules.files)

    def assertions(self) -> Iterator[tuple[RuleFile, Assertion]]:
        """Yield every assert and report with its file: about messages, then over a whole case."""
        return ((file, assertion) for file in self.rule_files for assertion in file.assertions())

    def identify(self, root: etree._Element) -> tuple[str, Direction] | None:
        """Return kind and direction of a message by its payload element; None for a fault or an unknown payload.

        Of several kinds with that payload, the first whose headers are all there, else the first.
        """
        return next(iter(self.candidates(root)), None)

    def candidates(self, root: etree._Element) -> list[tuple[str, Direction]]:
        """Return every kind and direction with the payload of a message, the likeliest first; [] when none has it."""
        if is_bare(root):
            found = self._payloads.get(str(root.tag), [])
            return [one for one in found if self._deposited(one[0])]
        try:
            envelope = Envelope.of(root)
        except SecurityRefusal:
            return []
        found = [] if envelope.payload is None else self._payloads.get(str(envelope.payload.tag), [])
        if len(found) < 2:
            return found
        return sorted(found, key=lambda one: not all(envelope.blocks(tag) for _, tag in self._headers[one]))

    def _deposited(self, kind: str) -> bool:
        service = self.norm.service(kind)
        return service is not None and service.carrier == "deposit"

    def check(self, root: etree._Element, kind: str, direction: Direction, *, confirm: bool = False) -> list[Problem]:
        """Return the problems of a message: structure first, then schemas, then rules.

        The second schema engine is asked when the first finds a part invalid, and always with `confirm`. Rules are
        applied when the payload is the expected one (or a fault). A bare deposit is put into an envelope. Raises
        UsageError for an unknown kind.
        """
        service = self.norm.service(kind)
        if service is None:
            kinds = [one.kind for one in self.norm.services]
            raise UsageError(tr("Le message « {kind} » est inconnu.", kind=kind) + " " + nearest(kind, kinds))
        if service.carrier == "deposit":
            root = enveloped(root)
        try:
            envelope = Envelope.of(root)
        except SecurityRefusal as refusal:
            return [self._structure(refusal.reason, root, refusal.what)]
        problems = list(self._structure_problems(envelope, service, direction))
        for part in self._parts(envelope):
            problems.extend(self._schema_problems(part, confirm))
        if not any(problem.rule in ("envelope-version", "unknown-operation") for problem in problems):
            problems.extend(self.rule_problems(root))
        return problems

    def rule_problems(self, root: etree._Element) -> list[Problem]:
        """Return the problems that the rules alone find in a document."""
        return [
            Problem(
                source="rule",
                rule=violation.rule,
                requirement=violation.requirement,
                path=path_of(violation.element, self._prefixes),
                line=line_of(violation.element),
                message=violation.message,
                value="" if len(violation.element) else (violation.element.text or ""),
            )
            for violation in self.rules.violations(root)
        ]

    def _structure(self, reason: str, element: etree._Element, message: str, value: str = "") -> Problem:
        return Problem(
            source="structure",
            rule=reason,
            requirement="",
            path=path_of(element, self._prefixes),
            line=line_of(element),
            message=message,
            value=value,
        )

    def _structure_problems(self, envelope: Envelope, service: Service, direction: Direction) -> Iterator[Problem]:
        body, payload = envelope.body, envelope.payload
        if envelope.namespace != NAMESPACES[service.soap]:
            yield self._structure(
                "envelope-version",
                envelope.root,
                tr("L'enveloppe n'est pas de SOAP {version}.", version=service.soap),
                envelope.namespace,
            )
        if payload is None:
            yield self._structure("envelope-structure", body, tr("Le corps du message est vide."))
            return
        if len([child for child in body if isinstance(child.tag, str)]) > 1:
            yield self._structure(
                "envelope-structure", body, tr("Le corps contient plusieurs éléments ; un seul attendu.")
            )
        if (body.text or "").strip() or any((child.tail or "").strip() for child in body):
            yield self._structure("envelope-structure", body, tr("Le corps contient du texte hors de son élément."))
        if envelope.is_fault and direction == "response":
            yield from self._fault_problems(envelope, payload)
            return
        part = service.request if direction == "request" else service.response
        if payload.tag != qname(self.norm.prefixes, part.element):
            actual = name_of(payload, self._prefixes)
            yield self._structure(
                "unknown-operation",
                payload,
                tr("Le corps contient « {actual} » ; attendu : {expected}.", actual=actual, expected=part.element),
                actual,
            )
            return
        yield from self._header_problems(envelope, service, direction)
        yield from self._version_problems(envelope, service, direction)

    def _header_problems(self, envelope: Envelope, service: Service, direction: Direction) -> Iterator[Problem]:
        for name, tag in self._headers[service.kind, direction]:
            count = len(envelope.blocks(tag))
            place = envelope.root if envelope.header is None else envelope.header
            if count == 0:
                yield self._structure("header-missing", place, tr("L'en-tête « {name} » manque.", name=name))
            elif count > 1:
                message = tr("L'en-tête « {name} » est présent {count} fois.", name=name, count=count)
                yield self._structure("envelope-structure", place, message)

    def _version_problems(self, envelope: Envelope, service: Service, direction: Direction) -> Iterator[Problem]:
        expression = self._versions.get(service.kind)
        if expression is None:
            return
        found = expression(envelope.root)
        declared = text_of(found)
        if declared != service.version and (found or direction == "request"):
            yield self._structure(
                "norm-version",
                envelope.payload if envelope.payload is not None else envelope.body,
                tr("Le message déclare la version « {actual} » ; attendu : {expected}.",
                   actual=declared, expected=service.version),
                declared,
            )  # fmt: skip

    def _fault_problems(self, envelope: Envelope, fault: etree._Element) -> Iterator[Problem]:
        soap12 = envelope.namespace == SOAP12
        for names in _FAULT_PARTS["1.2" if soap12 else "1.1"]:
            path = "/".join(f"{{{SOAP12}}}{name}" if soap12 else name for name in names)
            if not (fault.findtext(path) or "").strip():
                message = tr("« {name} » manque ou est vide dans le Fault.", name="/".join(names))
                yield self._structure("envelope-structure", fault, message)

    def _parts(self, envelope: Envelope) -> Iterator[etree._Element]:
        """Yield what is validated by itself: header blocks and payloads of known namespaces, details of a fault."""
        namespaces = self.schemas.namespaces
        for block in () if envelope.header is None else envelope.header:
            if isinstance(block.tag, str) and (etree.QName(block).namespace or "") in namespaces:
                yield block
        if not envelope.is_fault:
            yield from (child for child in envelope.body if child.tag in self._payloads)
            return
        detail = f"{{{SOAP12}}}Detail" if envelope.namespace == SOAP12 else "detail"
        for child in envelope.body.iterfind(f"*/{detail}/*"):
            if (etree.QName(child).namespace or "") in namespaces:
                yield child

    def _schema_problems(self, part: etree._Element, confirm: bool) -> Iterator[Problem]:
        if self.schemas.valid(part):
            for second in self.schemas.second_faults(part) if confirm else ():
                yield self._only_second(part, second)
            return
        opinions = self.schemas.second_faults(part)
        for fault in self.schemas.faults(part):
            told, element = tell(fault, self._prefixes), _locate(part, fault)
            yield Problem(
                source="schema",
                rule=told.constraint,
                requirement="",
                path=path_of(element, self._prefixes),
                line=line_of(element) or fault.line,
                message=told.message,
                value=told.value,
                split=not _agreed(element, told, opinions),
            )

    def _only_second(self, part: etree._Element, second: SecondFault) -> Problem:
        element = second.element if isinstance(second.element, etree._Element) else part
        return Problem(
            source="schema",
            rule="schema",
            requirement="",
            path=path_of(element, self._prefixes),
            line=line_of(element),
            message=tr("Le second moteur de schéma refuse « {name} » : {why}",
                       name=name_of(element, self._prefixes), why=second.text),
            split=True,
        )  # fmt: skip


def _directions(service: Service) -> tuple[tuple[Any, Direction], ...]:
    return (service.request, "request"), (service.response, "response")


def _agreed(element: etree._Element, told: Told, opinions: list[SecondFault]) -> bool:
    """Tell whether the second engine blames the same element, or for content its parent."""
    places = {element, element.getparent()} if told.constraint in _ABOUT_CONTENT else {element}
    return any(opinion.element is None or opinion.element in places for opinion in opinions)


def _locate(part: etree._Element, fault: SchemaFault) -> etree._Element:
    """Return the element of libxml2's path (names with the message's prefixes, `*` for a default namespace)."""
    current = part
    for step in fault.path.split("/")[2:]:
        found = _STEP.fullmatch(step)
        if found is None:
            break
        name, number = found["name"], int(found["number"] or 1)
        children = [child for child in current if isinstance(child.tag, str) and name in ("*", _written_name(child))]
        if len(children) < number:
            break
        current = children[number - 1]
    return current


def _written_name(element: etree._Element) -> str:
    local = etree.QName(element).localname
    return f"{element.prefix}:{local}" if element.prefix else local


_checkers: dict[tuple[str, str], Checker] = {}
_lock = threading.Lock()


def checker_for(norm: Norm) -> Checker:
    """Return the checker of a norm, made once per folder and content. Raises NormError."""
    key = (str(norm.root), norm.digest)
    with _lock:
        if key not in _checkers:
            _checkers[key] = Checker(norm)
        return _checkers[key]
