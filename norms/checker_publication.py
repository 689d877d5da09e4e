"""`norms check`: is a published norm as it was published, and what keeps a draft from being published?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from norms.checker_requirements import AWAITING
from norms.digest import MANIFEST, compare_manifest
from norms.draft import HISTORY
from norms.errors import NormError
from norms.i18n import tr
from norms.loader import REQUIREMENTS
from norms.model import Norm
from norms.norm_problem import NormProblem, problem_of
from norms.publication import is_frozen, spoken
from norms.roots import NORM_FILE


def publication_problems(norm: Norm, publishing: bool) -> Iterator[NormProblem]:
    """Yield what is wrong with a published norm; publishing: with a draft that is to be one."""
    if not publishing and not is_frozen(norm):
        return
    file = norm.root / NORM_FILE
    if norm.status == "published":
        for parent in norm.parents:
            if parent.status != "published":
                sentence = tr("Une norme publiée utilise « {ref} », qui ne l'est pas.", ref=parent.ref)
                remedy = tr("Publiez-la d'abord : poincon norms publish {ref}", ref=spoken(parent))
                yield NormProblem(file, 0, sentence, remedy)
    if publishing:
        yield from _unfit(norm)
    for member in norm.family[1:] if publishing else norm.family:
        if is_frozen(member):
            yield from _alterations(member)


def _unfit(norm: Norm) -> Iterator[NormProblem]:
    awaiting = [one for one in norm.requirements if one.level == "MUST" and one.not_tested_reason == AWAITING]
    if awaiting and not norm.services:
        # Of a norm with services it is said with the other obligations that nothing tests.
        sentence = tr("{count} exigences MUST attendent la suite qui les testera.", count=len(awaiting))
        remedy = tr("Les normes qui l'utilisent ne pourraient pas être publiées.")
        yield NormProblem(norm.root / REQUIREMENTS, awaiting[0].line, sentence, remedy)
    if not (norm.root / HISTORY).is_file():
        sentence = tr("L'historique de la norme manque.")
        yield NormProblem(norm.root / HISTORY, 0, sentence, tr("Écrivez-y ce que contient cette révision."))
    if norm.valid_to and norm.valid_to < date.today().isoformat():
        sentence = tr("« valid_to » est passé : {day}.", day=norm.valid_to)
        yield NormProblem(norm.root / NORM_FILE, 0, sentence, tr("Corrigez la date, ou laissez-la vide."))


def _alterations(norm: Norm) -> Iterator[NormProblem]:
    sentences = {
        "changed": tr("Le fichier a changé depuis la publication."),
        "missing": tr("Le fichier a disparu depuis la publication."),
        "added": tr("Le fichier a été ajouté après la publication."),
    }
    remedy = tr("Rétablissez-le ; pour un erratum : poincon norms revise {ref}", ref=spoken(norm))
    try:
        for difference in compare_manifest(norm.root):
            yield NormProblem(norm.root / difference.path, 0, sentences[difference.kind], remedy)
    except NormError as error:
        yield problem_of(error, norm.root / MANIFEST)
