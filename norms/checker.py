"""`norms check`: is a norm folder complete and coherent? In sentences for the people who write it.

Beyond loading (`norms.loader`): both schema engines accept the schemas; services have WSDL, elements and canonical
messages; every rule cites a known requirement and has its two examples; every MUST is tested or says why not; tables
are sound; expressions compile; a published norm is as its manifest says. Source: docs/formats/norm.md, "norms check".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from lxml import etree

from norms.checker_chains import chain_problems
from norms.checker_examples import example_problems, own_assertions
from norms.checker_publication import publication_problems
from norms.checker_requirements import NOT_TESTED_REASONS, requirement_problems, testing_problems
from norms.checker_services import message_files, service_problems
from norms.codes import CodeTable
from norms.errors import NormError
from norms.functions import xpath
from norms.i18n import tr
from norms.loader import REQUIREMENTS, load
from norms.message_check import Checker, checker_for
from norms.model import Norm
from norms.norm_problem import NormProblem, problem_of
from norms.roots import NORM_FILE
from norms.unfinished import unfinished_problems
from norms.yamlfile import Node, nearest, read_yaml

__all__ = ["NOT_TESTED_REASONS", "NormProblem", "check_norm"]


def check_norm(
    norm_folder: Path | str,
    cited: frozenset[str] | None = None,
    roots: Sequence[Path] | None = None,
    *,
    publishing: bool = False,
) -> list[NormProblem]:
    """Return everything to correct, in the order of the checks; an empty list when the norm is fit to publish.

    norm_folder: the folder, or a name "id/version"; cited: ids of the requirements that scenarios cite, None when
    they are not known (then whether each MUST is tested is not checked); publishing: a draft is checked as strictly as
    if it were published. Never raises NormError: that is a problem.
    """
    file = Path(norm_folder) / NORM_FILE
    try:
        norm = load(str(norm_folder), roots)
        file = norm.root / NORM_FILE
        checker = checker_for(norm)
        checker.schemas.prepare_second()
        if publishing:
            norm = msgspec.structs.replace(norm, status="published")
    except NormError as error:
        return [problem_of(error, file)]
    checks: tuple[Callable[[], Iterator[NormProblem]], ...] = (
        lambda: _identity_problems(norm),
        lambda: publication_problems(norm, publishing),
        lambda: service_problems(norm, checker),
        lambda: _table_problems(norm),
        lambda: _expression_problems(norm),
        lambda: _rule_problems(norm, checker),
        lambda: requirement_problems(norm),
        lambda: testing_problems(norm, checker, cited),
        lambda: example_problems(norm, checker),
        lambda: chain_problems(norm, checker),
        lambda: unfinished_problems(norm),
    )
    found: list[NormProblem] = []
    for check in checks:
        try:
            found.extend(check())
        except NormError as error:
            found.append(problem_of(error, file))
    return list(dict.fromkeys(found))  # several checks may meet the same fault: a table that nobody can read


def _identity_problems(norm: Norm) -> Iterator[NormProblem]:
    file = norm.root / NORM_FILE
    if (norm.root.parent.name, norm.root.name) != (norm.id, norm.version):
        yield NormProblem(
            file,
            read_yaml(file, NormError).mapping()["id"].line,
            tr("La norme s'appelle « {ref} » mais son dossier « {folder} ».",
               ref=norm.ref, folder=f"{norm.root.parent.name}/{norm.root.name}"),
            tr("Renommez le dossier ou corrigez « id » et « version »."),
        )  # fmt: skip
    seen: dict[str, tuple[Norm, int]] = {}
    for one in norm.family:
        for requirement in one.requirements:
            other, line = seen.setdefault(requirement.id, (one, requirement.line))
            if other is not one:
                yield NormProblem(
                    other.root / REQUIREMENTS,
                    line,
                    tr("L'exigence « {id} » est aussi définie par {ref}.", id=requirement.id, ref=one.ref),
                    tr("Donnez-lui un autre identifiant."),
                )


def _table_problems(norm: Norm) -> Iterator[NormProblem]:
    for path in norm.tables.values():
        if path.is_relative_to(norm.root):
            try:
                CodeTable(path)
            except NormError as error:
                yield problem_of(error, path)


def _canonical_messages(norm: Norm) -> list[etree._Element] | None:
    """Return the trees of the canonical messages, and of those a robot starts from; None when one cannot be read."""
    paths = [path for service in norm.services for _, path in message_files(norm, service) if path.is_file()]
    paths += [path for path in _starting_messages(norm) if path.is_file()]
    try:
        return [etree.parse(str(path)).getroot() for path in paths]
    except etree.XMLSyntaxError:
        return None


def _starting_messages(norm: Norm) -> list[Path]:
    """Return the files that `messages` of conduct.yaml names (docs/formats/conduct.md)."""
    file = norm.root / "simulator" / "conduct.yaml"
    keys = read_yaml(file, NormError).mapping() if file.is_file() else {}
    named = keys["messages"].mapping().values() if "messages" in keys else ()
    return [file.parent / node.text() for node in named]


def _expression_problems(norm: Norm) -> Iterator[NormProblem]:
    """Every XPath of norm.yaml compiles and, but for optional content, finds something in a canonical message."""
    file = norm.root / NORM_FILE
    keys = read_yaml(file, NormError).mapping()
    messages = _canonical_messages(norm)
    if messages is None:
        return  # said elsewhere; once they can be read, the expressions are tried
    places = [(xpath_text, node, True) for xpath_text, node in keys["fill"].mapping().items()] if "fill" in keys else []
    places += _texts(keys.get("reading"), ("result", "fault", "message_id", "relates_to", "action", "person"), False)
    for service in keys["services"].items() if "services" in keys else ():
        places += _texts(service, ("version_at",), True)
    for always in keys["always"].items() if "always" in keys else ():
        places += _texts(always, ("at",), False)
    for text, node, must_match in places:
        try:
            expression = xpath(norm, text)
            if must_match and messages and not any(expression(message) for message in messages):
                yield NormProblem(
                    file,
                    node.line,
                    tr("« {xpath} » ne désigne rien dans les messages canoniques.", xpath=text),
                    tr("Corrigez l'expression ou complétez un message."),
                    "warning",
                )
        except NormError as error:
            yield NormProblem(file, node.line, error.what, error.remedy)
        except etree.XPathError as bad:
            yield NormProblem(
                file, node.line, tr("L'expression XPath ne se lit pas : {xpath} ({why}).", xpath=text, why=bad)
            )


def _texts(node: Node | None, names: Sequence[str], must_match: bool) -> list[tuple[str, Node, bool]]:
    members = node.mapping() if node is not None else {}
    return [
        (members[name].text(), members[name], must_match) for name in names if name in members and members[name].text()
    ]


def _rule_problems(norm: Norm, checker: Checker) -> Iterator[NormProblem]:
    known = [requirement.id for requirement in norm.all_requirements]
    seen: dict[str, Path] = {}
    for file, assertion in sorted(checker.assertions(), key=lambda rule: rule[0].path.is_relative_to(norm.root)):
        first = seen.setdefault(assertion.id, file.path)
        if first != file.path:
            sentence = tr("La règle « {rule} » est aussi définie dans {file}.", rule=assertion.id, file=first.name)
            yield NormProblem(file.path, assertion.line, sentence, tr("Donnez-lui un autre identifiant."))
    for path, assertion in own_assertions(norm, checker):
        if norm.requirement(assertion.role) is None:
            yield NormProblem(
                path,
                assertion.line,
                tr("La règle « {rule} » cite l'exigence inconnue « {id} ».", rule=assertion.id, id=assertion.role),
                nearest(assertion.role, known),
            )
    for file in checker.rule_files:
        for prefix, uri in file.namespaces.items():
            if norm.prefixes.get(prefix, uri) != uri:
                sentence = tr("Le préfixe « {prefix} » n'y désigne pas le même espace de noms que dans {file}.",
                              prefix=prefix, file=NORM_FILE)  # fmt: skip
                yield NormProblem(file.path, 0, sentence)
