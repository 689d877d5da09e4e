"""The ledger: every constraint of the norm's schemas and rules, with its positive case, its negative case, or why none.

Source: docs/formats/scenario.md, "Derived cases".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from norms.i18n import tr
from norms.model import Norm
from scenarios.derived import CANONICAL, Gap, Row, derivation


class Ledger(msgspec.Struct, frozen=True):
    """All rows, in the order of the schema files and rules."""

    norm: str
    rows: tuple[Row, ...]

    @property
    def negatives(self) -> int:
        """How many constraints have a case that breaks them alone."""
        return sum(bool(row.negative) for row in self.rows)


def ledger(norm: Norm) -> Ledger:
    """Return the ledger of `norm`."""
    return Ledger(norm.ref, derivation(norm).rows)


def ledger_text(book: Ledger) -> str:
    """Return the ledger for people."""
    return "\n".join(_text(book)) + "\n"


def gap_text(gap: Gap) -> str:
    """Return why a constraint has no negative case, for people; "" when it has one."""
    return {
        "": "",
        "implied": tr("impliquée : ce qui l'enfreint enfreint aussi une autre contrainte"),
        "engines-differ": tr("les deux moteurs de schéma ne sont pas d'accord"),
        "not-in-requests": tr("absente des demandes canoniques : vérifiée sur les réponses"),
        "same-mechanism": tr("même mécanisme qu'une autre contrainte du même type"),
        "relaxation-refused": tr("le schéma sans elle serait ambigu"),
        "no-reaction": tr("la norme ne prescrit pas de réaction"),
        "about-answers": tr("règle sur les réponses : vérifiée sur chaque réponse"),
        "repaired": tr("aucun exemple ne l'enfreint seule une fois les valeurs de test écrites"),
        "other-role": tr("règle sur un message pour lequel aucun service n'est éprouvé"),
        "whole-case": tr("règle sur le cas entier : vérifiée à la fin de chaque cas"),
        "too-many": tr("trop d'occurrences pour un message"),
    }[gap]


def _text(book: Ledger) -> Iterator[str]:
    yield tr("Registre des contraintes de {norm}", norm=book.norm)
    yield tr("{count} contraintes, {negatives} avec un cas négatif.", count=len(book.rows), negatives=book.negatives)
    for gap, count in sorted(Counter(row.gap for row in book.rows if row.gap).items()):
        yield f"  {count} : {gap_text(gap)}"
    place = ""
    for row in book.rows:
        if row.place != place:
            place = row.place
            yield place
        positive = tr("message canonique") if row.positive == CANONICAL else row.positive
        negative = f"− {row.negative}" if row.negative else gap_text(row.gap)
        shown = [part for part in (f"+ {positive}" if positive else "", negative) if part]
        yield f"  {row.line:>4}  {row.what}  " + " ; ".join(shown)
