"""CHANGES.md of a draft: what was generated, from which files, what was left out, what people still have to write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from norms.errors import NormError
from norms.foreign.originals import FOLDER, LIST
from norms.foreign.written import Plan
from norms.foreign.wsdl import LeftOut, Operation
from norms.i18n import tr_in


def standard(namespaces: Sequence[str]) -> str:
    """Return the note about schemas that the originals do not contain."""
    return _fr("- Schémas standard que les originaux ne contiennent pas : {names}.", names=", ".join(namespaces))


def reduced(error: NormError) -> str:
    """Return the note about schemas that an engine refuses as a whole."""
    return _fr(
        "- Les schémas entiers ne se compilent pas ({why}) : seules les définitions dont les messages peuvent "
        "se servir sont gardées.",
        why=str(error),
    )


def history(plan: Plan, originals: int, notes: Sequence[str], left_out: Sequence[LeftOut]) -> str:
    """Return the text, in French, which is the language of norms. notes: lines about the schemas."""
    lines = [
        _fr("# {id} {version} – changements", id=plan.norm_id, version=plan.version),
        "",
        _fr("## Révision 1 (projet)"),
        _fr("Importée le {today} de {count} fichier(s) d'un tiers, gardés tels quels dans {folder}/ ({list}).",
            today=plan.today, count=originals, folder=FOLDER, list=LIST),
        "",
        _fr("### Ce qui est de nous"),
        _fr("- schema/ : les mêmes définitions, un fichier par espace de noms ; inclusions et adresses résolues."),
        _fr("- wsdl/ : un fichier par portType et version de SOAP, réécrit d'après les originaux."),
        _fr("- messages/ : le contenu obligatoire, avec des valeurs d'exemple, valides pour les deux moteurs."),
        _fr("- requirements.csv, ics.csv, scénarios : une ligne et une page par opération ; tout est à écrire."),
        _fr("- La réaction à une demande invalide (un Fault) vient de SOAP, pas des originaux."),
        _fr("- Les en-têtes du WSDL passent pour obligatoires ; retirez de norm.yaml ceux qui ne le sont pas."),
        _fr("- simulator/ : chaque demande reçoit la réponse canonique de son opération."),
        _fr("- security.yaml : TLS seul."),
    ]  # fmt: skip
    lines += notes
    interfaces = sorted({one.interface.local for one in plan.kinds})
    lines += ["", _fr("### Opérations"), *_operations(plan, interfaces)]
    if left_out:
        lines += ["", _fr("### Opérations laissées de côté")]
        lines += [f"- {one.name} ({_place(one.file, one.line)}) : {one.why}" for one in left_out]
    return "\n".join((*lines, ""))


def _operations(plan: Plan, interfaces: Sequence[str]) -> list[str]:
    lines = []
    for interface in interfaces:
        found: list[tuple[Operation, str]] = [
            (one, kind) for one, kind in plan.kinds.items() if one.interface.local == interface
        ]
        lines.append(f"- {interface} (SOAP {', '.join(sorted({one.soap for one, _ in found}))})")
        lines += [f"  - {kind} : {one.name}, {_place(one.file, one.line)}" for one, kind in found]
    return lines


def _place(file: Path, line: int) -> str:
    return f"{file.as_posix()}:{line}"


def _fr(message: str, **values: object) -> str:
    return tr_in("fr", message, **values)
