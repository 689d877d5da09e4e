"""What a draft made from the files of others still lacks: told by `norms check` until people have written it.

A requirement whose section says `TO_WRITE`, and a title that does, were generated. Source: docs/formats/norm.md,
"From the files of others".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal

from norms.foreign import originals
from norms.i18n import tr
from norms.loader import REQUIREMENTS
from norms.model import DirectionPolicy, Norm
from norms.norm_problem import NormProblem
from norms.roots import NORM_FILE
from norms.yamlfile import read_yaml

TO_WRITE: Final = "à écrire"


def unfinished_problems(norm: Norm) -> Iterator[NormProblem]:
    """Yield what is left to do: remarks in a draft; what is still `TO_WRITE` keeps it from being published."""
    severity: Literal["warning", "error"] = "warning" if norm.status == "draft" else "error"
    waiting = [requirement for requirement in norm.requirements if requirement.section == TO_WRITE]
    if waiting:
        yield NormProblem(
            norm.root / REQUIREMENTS,
            waiting[0].line,
            tr("{count} exigences engendrées sont à écrire (section « {mark} »).", count=len(waiting), mark=TO_WRITE),
            tr("Écrivez chaque obligation avec les mots de la norme et donnez sa section."),
            severity,
        )
    if TO_WRITE in norm.title.fr:
        yield NormProblem(norm.root / NORM_FILE, 0, tr("Le titre est à écrire."), "", severity)
    if (norm.root / originals.FOLDER).is_dir():
        yield from originals.problems(norm)
        yield from _imported_problems(norm)


def _imported_problems(norm: Norm) -> Iterator[NormProblem]:
    """Yield what the files of others cannot say, as long as nobody has said it."""
    elements = Counter(service.request.element for service in norm.services)
    for service in norm.services:
        elements.update({service.response.element} - {service.request.element})
    shared = sorted(element for element, count in elements.items() if count > 1)
    if shared:
        yield NormProblem(
            norm.root / NORM_FILE,
            0,
            tr("Plusieurs messages ont le même contenu : {names}.", names=", ".join(shared)),
            tr("Un fichier isolé est alors jugé comme le premier qui convient ; donnez --message pour choisir."),
            "warning",
        )
    if norm.status != "draft":
        return
    for folder, what in (
        ("rules", tr("Aucune règle : seuls les schémas jugent. Écrivez dans rules/ ce que la norme dit de plus.")),
        ("codes", tr("Aucune table de codes : si la norme en a, mettez-les dans codes/.")),
    ):
        if not any((norm.root / folder).glob("*")):
            yield NormProblem(norm.root / folder, 0, what, "", "warning")
    simulator = norm.root / "simulator"
    for name, key, what in (
        ("population.yaml", "pools", tr("La population est vide : décrivez les personnes ou les objets d'essai.")),
        ("faults.yaml", "faults", tr("Aucun défaut semé : sans eux, rien ne mesure la suite.")),
    ):
        file = simulator / name
        keys = read_yaml(file).mapping() if file.is_file() else {}
        if key in keys and not keys[key].value:
            yield NormProblem(file, 0, what, "", "warning")
    security = norm.security
    if security.request == security.response == DirectionPolicy():
        yield NormProblem(
            norm.root / "security.yaml",
            0,
            tr("La sécurité se limite à TLS : décrivez signatures et assertion si la norme en demande."),
            "",
            "warning",
        )
