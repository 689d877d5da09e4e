"""`poincon norms publish | revise | withdraw`: the life of a norm version, for those who are responsible for it."""

from __future__ import annotations

from argparse import Namespace
from datetime import date

from norms import loader, publication
from norms.digest import MANIFEST, WITHDRAWAL
from norms.draft import HISTORY
from norms.i18n import tr
from norms.roots import NORM_FILE
from poincon.commands.norms import problem_lines, problems_of, readable


def publish(arguments: Namespace) -> int:
    """Check a draft as a published norm and publish it; exit 1 with every reason when it is not fit."""
    norm = loader.load(arguments.norm)
    problems = problems_of(norm, publishing=True) if norm.status == "draft" else []
    errors = sum(problem.severity == "error" for problem in problems)
    for line in problem_lines(problems):
        print(line)
    if errors:
        print(tr("{norm} n'est pas publiée : {errors} erreur(s) à corriger.", norm=norm.ref, errors=errors))
        return 1
    publication.publish(norm, date.today())
    published = loader.load(arguments.norm)
    print(tr("{norm}, révision {revision}, est publiée ; en vigueur depuis le {start}.",
             norm=published.ref, revision=published.revision, start=published.valid_from))  # fmt: skip
    print(tr("empreinte {digest}", digest=published.digest))
    print(
        tr(
            "Ses fichiers ne changent plus : {manifest} garde l'empreinte de chacun. Seul le dossier simulator peut "
            "encore grandir.",
            manifest=MANIFEST,
        )
    )
    print(tr("Les exécutions faites avec le projet ne peuvent plus donner de certificat : refaites-les."))
    return 0


def revise(arguments: Namespace) -> int:
    """Make a published version a draft again, under the next revision."""
    norm = loader.load(arguments.norm)
    revision = publication.revise(norm, date.today(), readable()[0])
    print(tr("{norm} est de nouveau un projet : révision {revision}, dans {folder}.",
             norm=norm.ref, revision=revision, folder=norm.root))  # fmt: skip
    print(tr("Corrigez les fichiers, dites pourquoi dans {history}, puis : poincon norms publish {norm}",
             history=HISTORY, norm=publication.spoken(norm)))  # fmt: skip
    return 0


def withdraw(arguments: Namespace) -> int:
    """Record that a published version is withdrawn from today on."""
    norm = loader.load(arguments.norm)
    record = publication.withdraw(norm, arguments.reason, date.today(), readable()[0])
    print(tr("{norm} est retirée ; son dernier jour est le {day} : {reason}",
             norm=norm.ref, day=record.date, reason=record.reason))  # fmt: skip
    print(
        tr(
            "C'est écrit dans {record}, à côté de la norme ; {norm_file} et les autres fichiers n'ont pas changé.",
            record=WITHDRAWAL,
            norm_file=NORM_FILE,
        )
    )
    print(tr("Les preuves et les certificats déjà faits se vérifient toujours ; aucun nouveau n'est délivré."))
    return 0
