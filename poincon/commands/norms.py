"""`poincon norms list | show | check | diff`."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from norms import behaviour, loader
from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm
from norms.norm_problem import NormProblem, problem_of
from norms.publication import withdrawn
from poincon.console import note, print_json, print_table
from reports.wording import status_words


def _summary(norm: Norm) -> dict[str, Any]:
    return {
        "id": norm.id,
        "version": norm.version,
        "revision": norm.revision,
        "status": norm.status,
        "provenance": norm.provenance,
        "valid_from": norm.valid_from,
        "valid_to": norm.valid_to,
        "withdrawal": norm.withdrawal,
        "digest": norm.digest,
        "title": norm.title,
        "services": [service.kind for service in norm.services],
        "requirements": len(norm.all_requirements),
    }


def readable() -> tuple[list[Norm], list[NormError]]:
    """Return the norms found, and why others cannot be read: one that is being written hides no other."""
    norms, errors = [], []
    for ref in loader.available():
        try:
            norms.append(loader.load(ref))
        except NormError as error:
            errors.append(error)
    return norms, errors


def list_norms(arguments: Namespace) -> int:
    """Print every norm version found; exit 2 when one cannot be read."""
    norms, errors = readable()
    for error in errors:
        note(str(error))
    if arguments.json:
        print_json([_summary(norm) for norm in norms])
        return 2 if errors else 0
    print_table(
        (tr("norme"), tr("état"), tr("provenance"), tr("services"), tr("exigences"), tr("titre")),
        [
            (
                norm.ref,
                status_words(norm.status),
                norm.provenance,
                " ".join(service.kind for service in norm.services) or "–",
                str(len(norm.all_requirements)),
                str(norm.title),
            )
            for norm in norms
        ],
    )
    return 2 if errors else 0


def show_norm(arguments: Namespace) -> int:
    """Print one norm: services, requirements, tables."""
    norm = loader.load(arguments.norm)
    if arguments.json:
        print_json({**_summary(norm), "requirement_list": norm.all_requirements, "claims": norm.claims})
        return 0
    print(f"{norm.ref} – {norm.title}")
    print(
        tr(
            "révision {revision} · {status} · provenance : {provenance} · en vigueur depuis {start}",
            revision=norm.revision,
            status=status_words(norm.status),
            provenance=norm.provenance,
            start=norm.valid_from,
        )
    )
    for sentence in withdrawn(norm):
        print(sentence)
    print(tr("empreinte {digest}", digest=norm.digest))
    for service in norm.services:
        print(f"\n{service.kind}  {service.title}  (SOAP {service.soap}, {service.operation}, {service.wsdl})")
    levels = Counter((requirement.role, requirement.level) for requirement in norm.all_requirements)
    print(
        "\n"
        + tr("exigences")
        + " : "
        + ", ".join(f"{count} {level} ({role})" for (role, level), count in levels.items())
    )
    print_table(
        (tr("exigence"), tr("§"), tr("niveau"), tr("gravité"), tr("rôle"), tr("énoncé")),
        [(r.id, r.section, r.level, r.severity, r.role, str(r.text)) for r in norm.all_requirements],
    )
    print("\n" + tr("tables de codes") + " : " + ", ".join(sorted(norm.tables)))
    return 0


def check_norms(arguments: Namespace) -> int:
    """Check norm folders; exit 1 when one has an error. Requirements cited by scenarios count as tested."""
    refs = arguments.norm or loader.available()
    found = []
    for ref in refs:
        norm = loader.load(ref)
        problems = problems_of(norm)
        found += [(norm.ref, problem) for problem in problems]
        if not arguments.json:
            for line in problem_lines(problems):
                print(line)
            errors = sum(problem.severity == "error" for problem in problems)
            print(
                tr("{norm} : en ordre.", norm=norm.ref)
                if not problems
                else tr(
                    "{norm} : {errors} erreur(s), {others} remarque(s).",
                    norm=norm.ref,
                    errors=errors,
                    others=len(problems) - errors,
                )
            )
    if arguments.json:
        print_json([{"norm": ref, "problem": problem} for ref, problem in found])
    return 1 if any(problem.severity == "error" for _, problem in found) else 0


def problems_of(norm: Norm, *, publishing: bool = False) -> list[NormProblem]:
    """Return everything to correct in a norm, its tests and its practice partner; publishing: see `check_norm`."""
    from norms.checker import check_norm
    from scenarios.coverage import cited_requirements

    cited = cited_requirements(norm)
    found = [*check_norm(norm.root, cited=cited, publishing=publishing), *_simulator_problems(norm)]
    return list(dict.fromkeys(found))  # a table that nobody can read is told once


def problem_lines(problems: Sequence[NormProblem]) -> Iterator[str]:
    """Yield one line for each problem: file, line, how grave, the sentence and what to do."""
    for problem in problems:
        place = f"{problem.file}:{problem.line}" if problem.line else str(problem.file)
        severity = tr("erreur") if problem.severity == "error" else tr("remarque")
        yield f"{place}: {severity} : {problem.sentence} {problem.remedy}".rstrip()


def _simulator_problems(norm: Norm) -> list[NormProblem]:
    """Return what keeps a practice partner from being made of the norm: its decisions, population, faults, variants."""
    folder = norm.root / "simulator"
    if not norm.services or not folder.is_dir():
        return []
    try:
        behaviour.load(norm)
    except NormError as error:
        return [problem_of(error, folder)]
    return []


def diff_norms(arguments: Namespace) -> int:
    """Print what a norm version says otherwise than another; exit 0 whatever differs."""
    from norms.diff import diff
    from norms.diff_text import sections

    found = diff(loader.load(arguments.before), loader.load(arguments.after))
    if arguments.json:
        print_json(found)
        return 0
    numbers = sum(map(found.renumbers, found.changes))
    print(tr("De {before} à {after} : {count} différence(s).",
             before=found.before, after=found.after, count=len(found.changes) - numbers))  # fmt: skip
    if numbers:
        print(tr("{count} de plus ne tiennent qu'au numéro de version.", count=numbers))
    for section in sections(found):
        print(f"\n{section.heading}")
        for sentence in section.sentences:
            print(f"- {sentence}")
    return 0
