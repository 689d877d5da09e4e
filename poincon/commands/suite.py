"""`poincon suite show | coverage | ledger`."""

from __future__ import annotations

from argparse import Namespace

from norms import loader
from norms.i18n import tr
from norms.model import Norm
from poincon.console import print_json, print_table
from scenarios.compiler import compile_suite
from scenarios.coverage import coverage, coverage_text
from scenarios.ledger import ledger, ledger_text
from scenarios.model import Suite
from scenarios.reader import read_scenarios


def full_suite(norm: Norm, role: str) -> Suite:
    """Return the suite of a norm for a product that claims everything."""
    return compile_suite(norm, read_scenarios(norm), None, role)  # type: ignore[arg-type]


def show(arguments: Namespace) -> int:
    """Print the cases of a norm's suite."""
    suite = full_suite(loader.load(arguments.norm), arguments.role)
    if arguments.json:
        print_json(suite)
        return 0
    print_table(
        (tr("cas"), tr("origine"), tr("exigences"), tr("titre")),
        [(case.id, case.origin, " ".join(case.requirements), str(case.title)) for case in suite.cases],
    )
    derived = sum(case.origin == "derived" for case in suite.cases)
    print(
        tr(
            "{total} cas, dont {derived} dérivés des contraintes de la norme · empreinte {digest}",
            total=len(suite.cases),
            derived=derived,
            digest=suite.digest,
        )
    )
    return 0


def show_coverage(arguments: Namespace) -> int:
    """Print which requirement is proved by what; exit 1 when a testable MUST is not cited."""
    norm = loader.load(arguments.norm)
    report = coverage(norm, full_suite(norm, arguments.role))
    if arguments.json:
        print_json(report)
    else:
        print(coverage_text(report))
    return 0 if report.complete else 1


def show_ledger(arguments: Namespace) -> int:
    """Print every constraint of the norm's schemas with its positive and negative case, or the reason for none."""
    book = ledger(loader.load(arguments.norm))
    if arguments.json:
        print_json(book)
    else:
        print(ledger_text(book))
    return 0
