"""Read a Schematron file into structs: abstract patterns and rules expanded, unsupported constructs refused.

Errors are NormError with file and line. Source: ISO/IEC 19757-3:2016 and docs/formats/norm.md, "rules/*.sch".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
from lxml import etree

from norms.errors import NormError
from norms.i18n import tr
from norms.places import line_of
from norms.xpath import outside_predicates, split_union
from norms.yamlfile import nearest

SCH: Final = "http://purl.oclc.org/dsdl/schematron"
CURRENT: Final = "poincon.current"
ALL: Final = "#ALL"
XPATH1_BINDINGS: Final = ("", "xslt", "xslt1", "xpath", "xpath1")
XPATH2_BINDINGS: Final = ("xslt2", "xslt3", "xpath2", "xpath3", "xpath31")

_ATTRIBUTES: Final = {
    "schema": {"queryBinding", "defaultPhase", "id", "schemaVersion"},
    "ns": {"prefix", "uri"},
    "title": set[str](),
    "p": {"id", "class", "icon"},
    "phase": {"id"},
    "active": {"pattern"},
    "pattern": {"id", "abstract", "is-a"},
    "param": {"name", "value"},
    "rule": {"id", "context", "abstract", "role"},
    "extends": {"rule"},
    "let": {"name", "value"},
    "assert": {"id", "role", "test"},
    "report": {"id", "role", "test"},
    "name": {"path"},
    "value-of": {"select"},
    "emph": set[str](),
    "dir": {"value"},
    "span": {"class"},
}
_CURRENT_CALL: Final = re.compile(r"(?<![\w.:-])current\s*\(\s*\)")
_VARIABLE: Final = re.compile(r"\$([A-Za-z_][\w.-]*)")
_NOT_ELEMENT: Final = re.compile(r"(?:^|[/|:])\s*(?:@|(?:text|comment|node|processing-instruction)\s*\(|attribute::)")
_POSITION: Final = re.compile(r"(?<![\w.:-])(?:position|last)\s*\(")
_XPATH_PART: Final = re.compile(r"""("[^"]*"|'[^']*')""")


class Select(msgspec.Struct, frozen=True):
    """A place in a message that is computed: an XPath whose string is shown."""

    select: str


class Let(msgspec.Struct, frozen=True):
    """A variable."""

    name: str
    value: str
    line: int


class Assertion(msgspec.Struct, frozen=True):
    """An assert, or a report (report=True: wrong when the test is true). role: id of its requirement."""

    id: str
    role: str
    test: str
    report: bool
    parts: tuple[str | Select, ...]
    line: int


class Rule(msgspec.Struct, frozen=True):
    """A context with its variables and assertions."""

    context: str
    lets: tuple[Let, ...]
    assertions: tuple[Assertion, ...]
    line: int


class Pattern(msgspec.Struct, frozen=True):
    """Rules of which the first that matches a node decides."""

    id: str
    lets: tuple[Let, ...]
    rules: tuple[Rule, ...]


class Phase(msgspec.Struct, frozen=True):
    """A selection of patterns by id."""

    id: str
    active: tuple[str, ...]
    lets: tuple[Let, ...]
    line: int


class RuleFile(msgspec.Struct, frozen=True):
    """One .sch file. binding: its query binding, one of XPATH1_BINDINGS or XPATH2_BINDINGS."""

    path: Path
    binding: str
    namespaces: dict[str, str]
    lets: tuple[Let, ...]
    patterns: tuple[Pattern, ...]
    phases: tuple[Phase, ...]
    default_phase: str

    def in_phase(self, name: str = "") -> tuple[tuple[Pattern, ...], tuple[Let, ...]]:
        """Return the patterns and variables of a phase (default: the file's). Raises NormError for an unknown one."""
        wanted = name or self.default_phase or ALL
        if wanted == ALL:
            return self.patterns, self.lets
        for phase in self.phases:
            if phase.id == wanted:
                return tuple(one for one in self.patterns if one.id in phase.active), (*self.lets, *phase.lets)
        raise NormError(
            tr("La phase « {name} » n'existe pas.", name=wanted),
            file=self.path,
            remedy=nearest(wanted, [ALL, *(phase.id for phase in self.phases)]),
        )

    def assertions(self) -> Iterator[Assertion]:
        """Yield every assertion, in the file's order."""
        for pattern in self.patterns:
            for rule in pattern.rules:
                yield from rule.assertions


def read_rules(path: Path) -> RuleFile:
    """Read one file. Raises NormError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        root = etree.fromstring(path.read_bytes(), parser)
    except OSError as bad:
        raise NormError(tr("Le fichier n'existe pas."), file=path) from bad
    except etree.XMLSyntaxError as bad:
        raise NormError(tr("Le XML est mal formé : {why}.", why=bad.msg), file=path, line=bad.lineno or 0) from bad
    return _Reader(path, root).read()


class _Reader:
    def __init__(self, path: Path, root: etree._Element) -> None:
        self.path, self.root = path, root
        self.seen: dict[str, int] = {}

    def refusal(self, element: etree._Element, what: str, remedy: str = "") -> NormError:
        return NormError(what, file=self.path, line=line_of(element), remedy=remedy)

    def read(self) -> RuleFile:
        root = self.root
        if root.tag != f"{{{SCH}}}schema":
            raise self.refusal(root, tr("Ce n'est pas un schéma Schematron (racine sch:schema)."))
        self.check_vocabulary()
        binding = root.get("queryBinding", "")
        if binding not in XPATH1_BINDINGS + XPATH2_BINDINGS:
            raise self.refusal(
                root,
                tr("Le langage de requête « {name} » n'est pas pris en charge.", name=binding),
                nearest(binding, (*XPATH1_BINDINGS[1:], *XPATH2_BINDINGS)),
            )
        patterns = [pattern for pattern in self.children(root, "pattern") if not _true(pattern.get("abstract"))]
        result = RuleFile(
            path=self.path,
            binding=binding,
            namespaces={self.needed(ns, "prefix"): self.needed(ns, "uri") for ns in self.children(root, "ns")},
            lets=self.lets(root, {}),
            patterns=tuple(self.pattern(pattern) for pattern in patterns),
            phases=tuple(self.phase(phase) for phase in self.children(root, "phase")),
            default_phase=root.get("defaultPhase", ""),
        )
        known = {pattern.id for pattern in result.patterns}
        for phase in result.phases:
            for name in phase.active:
                if name not in known:
                    raise NormError(
                        tr("Le motif « {name} » n'existe pas.", name=name), file=self.path, line=phase.line,
                        remedy=nearest(name, known),
                    )  # fmt: skip
        return result

    def check_vocabulary(self) -> None:
        for element in self.root.iter():
            if not isinstance(element.tag, str):
                raise self.refusal(element, tr("Une instruction de traitement n'est pas admise ici."))
            name = etree.QName(element)
            if name.namespace != SCH or name.localname not in _ATTRIBUTES:
                raise self.refusal(
                    element,
                    tr("L'élément « {name} » n'est pas pris en charge.", name=name.localname),
                    tr("Écrivez la règle avec : {names}.", names=", ".join(_ATTRIBUTES)),
                )
            for attribute in element.attrib:
                text = str(attribute)
                if text not in _ATTRIBUTES[name.localname] and not text.startswith("{http://www.w3.org/XML/1998"):
                    raise self.refusal(
                        element,
                        tr("L'attribut « {name} » de « {element} » n'est pas pris en charge.",
                           name=text, element=name.localname),
                    )  # fmt: skip

    def children(self, element: etree._Element, name: str) -> Iterator[etree._Element]:
        return element.iterchildren(f"{{{SCH}}}{name}")

    def needed(self, element: etree._Element, attribute: str) -> str:
        value = element.get(attribute)
        if not value:
            raise self.refusal(
                element,
                tr("L'attribut « {name} » manque sur « {element} ».",
                   name=attribute, element=etree.QName(element).localname),
            )  # fmt: skip
        return value

    def lets(self, element: etree._Element, params: Mapping[str, str]) -> tuple[Let, ...]:
        return tuple(
            Let(self.needed(let, "name"), self.xpath(let, self.needed(let, "value"), params), line_of(let))
            for let in self.children(element, "let")
        )

    def xpath(self, element: etree._Element, expression: str, params: Mapping[str, str]) -> str:
        """Return the expression with the parameters of an abstract pattern and `current()` replaced."""
        pieces = _XPATH_PART.split(expression)
        for index in range(0, len(pieces), 2):
            pieces[index] = _VARIABLE.sub(lambda found: params.get(found[1], found[0]), pieces[index])
        self.refuse_position("".join(pieces), element)
        pieces = _XPATH_PART.split("".join(pieces))
        for index in range(0, len(pieces), 2):
            pieces[index] = _CURRENT_CALL.sub(f"${CURRENT}", pieces[index])
        return "".join(pieces)

    def refuse_position(self, expression: str, element: etree._Element) -> None:
        """A rule sees one node at a time: outside a predicate, position and size of its context mean nothing."""
        if _POSITION.search(outside_predicates(expression)):
            raise self.refusal(
                element,
                tr("« position() » et « last() » ne sont admis qu'entre crochets."),
                tr("Comptez plutôt : count(preceding-sibling::*) + 1."),
            )

    def phase(self, element: etree._Element) -> Phase:
        active = tuple(self.needed(one, "pattern") for one in self.children(element, "active"))
        return Phase(self.needed(element, "id"), active, self.lets(element, {}), line_of(element))

    def pattern(self, element: etree._Element) -> Pattern:
        parent, params = element.get("is-a"), dict[str, str]()
        source = element
        if parent:
            source = self.named("pattern", parent, element)
            params = {self.needed(one, "name"): self.needed(one, "value") for one in self.children(element, "param")}
        abstract = {rule.get("id", ""): rule for rule in self.children(source, "rule") if _true(rule.get("abstract"))}
        return Pattern(
            id=element.get("id", ""),
            lets=self.lets(source, params),
            rules=tuple(
                self.rule(rule, abstract, params)
                for rule in self.children(source, "rule")
                if not _true(rule.get("abstract"))
            ),
        )

    def named(self, kind: str, name: str, asking: etree._Element) -> etree._Element:
        candidates = {one.get("id", ""): one for one in self.children(self.root, kind) if _true(one.get("abstract"))}
        if name not in candidates:
            raise self.refusal(
                asking, tr("« {name} » n'est pas défini comme abstrait.", name=name), nearest(name, candidates)
            )
        return candidates[name]

    def rule(self, element: etree._Element, abstract: Mapping[str, etree._Element], params: Mapping[str, str]) -> Rule:
        context = self.xpath(element, self.needed(element, "context"), params)
        if CURRENT in context:
            raise self.refusal(element, tr("« current() » n'est pas admis dans un contexte."))
        if re.search(r"(?<![\w.-])(?:key|id)\s*\(", context) or any(
            _selects_no_element(alternative) for alternative in split_union(context)
        ):
            raise self.refusal(
                element,
                tr("Le contexte « {context} » ne désigne pas des éléments.", context=context),
                tr("Écrivez la règle sur l'élément."),
            )
        lets, assertions = list[Let](), list[Assertion]()
        self.collect(element, element, abstract, params, lets, assertions, ())
        return Rule(context, tuple(lets), tuple(assertions), line_of(element))

    def collect(
        self,
        element: etree._Element,
        rule: etree._Element,
        abstract: Mapping[str, etree._Element],
        params: Mapping[str, str],
        lets: list[Let],
        assertions: list[Assertion],
        using: Sequence[str],
    ) -> None:
        """Gather the variables and assertions of a rule and of the abstract rules that it extends."""
        lets.extend(self.lets(element, params))
        for child in element:
            name = etree.QName(child).localname
            if name == "extends":
                wanted = self.needed(child, "rule")
                if wanted not in abstract or wanted in using:
                    raise self.refusal(
                        child, tr("« {name} » n'est pas défini comme abstrait.", name=wanted), nearest(wanted, abstract)
                    )
                self.collect(abstract[wanted], rule, abstract, params, lets, assertions, (*using, wanted))
            elif name in ("assert", "report"):
                assertions.append(self.assertion(child, rule, params))

    def assertion(self, element: etree._Element, rule: etree._Element, params: Mapping[str, str]) -> Assertion:
        identifier = self.needed(element, "id")
        line = line_of(element)
        if self.seen.setdefault(identifier, line) != line:
            raise self.refusal(
                element,
                tr("« {id} » est défini deux fois.", id=identifier),
                tr("Le premier est ligne {line}.", line=self.seen[identifier]),
            )
        role = element.get("role") or rule.get("role")
        if not role:
            raise self.refusal(
                element,
                tr("La règle « {id} » ne cite pas d'exigence.", id=identifier),
                tr('Ajoutez role="<id de l\'exigence>".'),
            )
        return Assertion(
            id=identifier,
            role=role,
            test=self.xpath(element, self.needed(element, "test"), params),
            report=element.tag == f"{{{SCH}}}report",
            parts=tuple(self.message(element, params)),
            line=line,
        )

    def message(self, element: etree._Element, params: Mapping[str, str]) -> Iterator[str | Select]:
        yield element.text or ""
        for child in element:
            name = etree.QName(child).localname
            if name == "value-of":
                yield Select(self.xpath(child, self.needed(child, "select"), params))
            elif name == "name":
                yield Select(self.xpath(child, f"name({child.get('path', '.')})", params))
            else:
                yield from self.message(child, params)
            yield child.tail or ""


def _selects_no_element(path: str) -> bool:
    step = outside_predicates(path).rpartition("/")[2].strip()
    return not step or bool(_NOT_ELEMENT.search(step))


def _true(value: str | None) -> bool:
    return (value or "").strip() in ("true", "1")
