"""The record that a published version was withdrawn: a file beside the norm, not of it, so that no digest changes.

Written by `norms.publication`, read by the loader. Source: docs/decisions/0012-publication-and-withdrawal.md.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import msgspec

from norms.digest import WITHDRAWAL
from norms.errors import NormError
from norms.i18n import tr, tr_in
from norms.model import Norm, Withdrawal
from norms.yamlfile import read_yaml


def read_withdrawal(folder: Path) -> Withdrawal | None:
    """Return the record of a norm folder, None when there is none. Raises NormError."""
    file = folder / WITHDRAWAL
    if not file.is_file():
        return None
    keys = read_yaml(file, NormError).only(("date", "reason"))
    try:
        date.fromisoformat(keys["date"].text())
    except ValueError as bad:
        raise keys["date"].fault(tr("« {value} » n'est pas une date.", value=keys["date"].text())) from bad
    return Withdrawal(date=keys["date"].text(), reason=keys["reason"].text())


def as_recorded(norm: Norm) -> Norm:
    """Return the norm as it stands with the record of its withdrawal, or as it is when there is none."""
    record = read_withdrawal(norm.root)
    if record is None:
        return norm
    if norm.status == "draft":
        raise NormError(
            tr("Un projet ne peut pas être retiré : il n'a pas été publié."),
            file=norm.root / WITHDRAWAL,
            remedy=tr("Supprimez ce fichier."),
        )
    last = min(filter(None, (norm.valid_to, record.date)))
    return msgspec.structs.replace(norm, status="withdrawn", valid_to=last, withdrawal=record)


def withdrawal_text(record: Withdrawal) -> str:
    """Return the file of a record."""
    comment = tr_in("fr", "Écrit par « poincon norms withdraw ». Ce fichier ne fait pas partie de la norme.")
    reason = json.dumps(" ".join(record.reason.split()), ensure_ascii=False)  # a JSON text is a YAML text
    return f'# {comment}\ndate: "{record.date}"\nreason: {reason}\n'
