"""Comparing a sealed document with the run folder that it speaks of: root, digests and figures, down to each case."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from harness.evidence import verify_evidence
from norms.errors import PoinconError
from norms.i18n import speaking, tr
from reports.certificate import Content
from reports.check import Check
from reports.issue import facts_of
from reports.source import subject_of

_SHOWN: Final = 3
_GROUPS: Final = (
    ("evidence", ("run", "started_at", "finished_at", "evidence_records", "evidence_root", "tool")),
    ("norm", ("norm_id", "norm_version", "norm_revision", "norm_title", "provenance", "norm_digest", "suite_digest")),
    ("product", ("vendor", "product", "version", "role", "profiles", "claims")),
    ("figures", ("counts", "remarks", "not_run")),
)


def compare(content: Content, run: Path) -> list[Check]:
    """Return one check for the state of the evidence, and one per group of facts that the folder gives again."""
    try:
        damages = verify_evidence(run)
    except PoinconError as refusal:
        return [Check(tr("Preuves intactes"), False, str(refusal))]
    intact = Check(tr("Preuves intactes"), not damages, " ; ".join(map(str, damages[:_SHOWN])))
    try:
        with speaking("fr"):
            again = facts_of(subject_of(run), content.form)
    except PoinconError as refusal:
        return [intact, Check(tr("Preuves"), False, str(refusal))]
    return [intact, *(_group(name, fields, content, again) for name, fields in _GROUPS)]


def _group(name: str, fields: tuple[str, ...], content: Content, again: Content) -> Check:
    titles = {
        "evidence": tr("Racine des preuves"),
        "norm": tr("Empreintes de la norme et de la suite"),
        "product": tr("Produit et déclaration"),
        "figures": tr("Totaux et cas non exécutés"),
    }
    wrong = [field for field in fields if getattr(content, field) != getattr(again, field)]
    return Check(titles[name], not wrong, tr("diffère : {fields}", fields=", ".join(wrong)) if wrong else "")
