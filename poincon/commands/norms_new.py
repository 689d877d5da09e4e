"""`poincon norms new`: begin a norm version from another, and say what to edit."""

from __future__ import annotations

import os
from argparse import Namespace
from datetime import date
from pathlib import Path

from norms import loader, roots
from norms.draft import HISTORY, draft, split_ref
from norms.errors import UsageError
from norms.i18n import tr
from norms.model import Norm
from norms.roots import NORM_FILE
from scenarios import reader
from scenarios.draft import copy_scenarios, target_of


def new_norm(arguments: Namespace) -> int:
    """Copy a norm version with its scenarios as a draft under another name."""
    source = loader.load(arguments.source)
    name, version = split_ref(arguments.target)
    if arguments.target in loader.available():
        raise UsageError(tr("La norme {ref} existe déjà ; rien n'est écrit.", ref=arguments.target))
    norms, pages = places(arguments.dir)
    scenarios = target_of(pages, name, version)
    folder = draft(source, arguments.target, norms, date.today())
    count = copy_scenarios(source, scenarios)
    _tell(source, arguments.target, folder)
    if count:
        print(tr("Scénarios copiés sous les mêmes identifiants : {count}, dans {folder}.",
                 count=count, folder=scenarios))  # fmt: skip
    tell_roots(norms, pages)
    print(tr("Ensuite : poincon norms check {new} · poincon norms diff {old} {new}",
             old=source.ref, new=arguments.target))  # fmt: skip
    return 0


def tell_roots(norms: Path, pages: Path) -> None:
    """Say which variables make the laboratory find a norm and its scenarios, when it does not find them yet."""
    unknown = [
        f"{variable}={root}"
        for variable, root, known in (
            ("POINCON_NORMS", norms, roots.default_roots()),
            (reader.ROOTS_VARIABLE, pages, reader.default_roots()),
        )
        if root.resolve() not in [one.resolve() for one in known]
    ]
    if unknown:
        print(tr("Pour que le laboratoire les trouve, définissez : {variables}.", variables=" ".join(unknown)))


def places(chosen: Path | None) -> tuple[Path, Path]:
    """Return the root of norms and that of scenarios to write below. Raises UsageError when there is none."""
    if chosen is not None:
        return chosen, chosen / "scenarios"
    bundled, *named = roots.default_roots()
    bundled_pages, *named_pages = reader.default_roots()
    if named:
        return named[0], named_pages[0] if named_pages else named[0] / "scenarios"
    pages = named_pages[0] if named_pages else bundled_pages
    if not os.access(bundled, os.W_OK) or (not named_pages and not os.access(pages, os.W_OK)):
        raise UsageError(
            tr("Le dossier des normes {folder} n'est pas modifiable : donnez --dir ou POINCON_NORMS.", folder=bundled)
        )
    return bundled, pages


def _tell(source: Norm, ref: str, folder: Path) -> None:
    print(tr("{ref} est un projet copié de {source} : {folder}", ref=ref, source=source.ref, folder=folder))
    print(tr("À éditer maintenant :"))
    for file, what in (
        (NORM_FILE, tr("le titre, « valid_from » (aujourd'hui, faute de mieux), les services et les profils")),
        ("requirements.csv", tr("les exigences ; un identifiant gardé garde son sens, un nouveau sens a un nouvel "
                                "identifiant")),
        ("schema/, rules/, codes/", tr("les messages, les règles et les tables de codes")),
        ("messages/, examples/", tr("un exemple de chaque message, et de ce que chaque règle refuse")),
        (HISTORY, tr("chaque changement et sa raison")),
    ):  # fmt: skip
        print(f"- {file} : {what}")
    print(
        tr(
            "Les numéros de version écrits dans les schémas, les messages et les services (attribut Version, "
            "« version », « path », actions, espaces de noms) sont restés ceux de {source} : changez-les partout à la "
            "fois, ou nulle part.",
            source=source.ref,
        )
    )
