"""Words for what differs: the fields of norms, schemas and tables as people name them, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from norms.difference import Change
from norms.i18n import mark, tr

_LABELS: Final[Mapping[str, str]] = {
    # of norm.yaml
    "request.action": mark("action de la demande"),
    "response.action": mark("action de la réponse"),
    "request.element": mark("élément de la demande"),
    "response.element": mark("élément de la réponse"),
    "operation": mark("opération"),
    "path": mark("chemin"),
    "version": mark("version"),
    "headers": mark("en-têtes de la demande"),
    "response_headers": mark("en-têtes de la réponse"),
    # of requirements, claims, values, rules
    "text.fr": mark("énoncé"),
    "text.en": mark("énoncé anglais"),
    "level": mark("niveau"),
    "severity": mark("gravité"),
    "role": mark("rôle"),
    "section": mark("section"),
    "applies_if": mark("condition d'application"),
    "not_tested_reason": mark("raison de ne pas la tester"),
    "question": mark("question"),
    "status": mark("statut"),
    "requirements": mark("exigences"),
    "requirement": mark("exigence citée"),
    "text": mark("énoncé"),
    "context": mark("contexte"),
    "test": mark("test"),
    "variables": mark("variables"),
    # of schemas
    "occurs": mark("nombre d'occurrences"),
    "order": mark("ordre des éléments"),
    "use": mark("présence"),
    "datatype": mark("type de donnée"),
    "pattern": mark("motif"),
    "enumeration": mark("valeurs admises"),
    "length": mark("longueur"),
    "minLength": mark("longueur minimale"),
    "maxLength": mark("longueur maximale"),
    "minInclusive": mark("minimum"),
    "maxInclusive": mark("maximum"),
    "minExclusive": mark("plus de"),
    "maxExclusive": mark("moins de"),
    "totalDigits": mark("nombre de chiffres"),
    "fractionDigits": mark("nombre de décimales"),
    # of code tables
    "libelle": mark("libellé"),
    "valid_from": mark("début"),
    "valid_to": mark("fin"),
}


# A period of validity is that of the whole norm there, of a code in a table.
_SETTINGS: Final[Mapping[str, str]] = {
    "title.fr": mark("titre"),
    "title.en": mark("titre anglais"),
    "valid_from": mark("début de validité"),
    "valid_to": mark("fin de validité"),
    "replaces": mark("version remplacée"),
}
_PRESENCE: Final[Mapping[str, str]] = {
    "1..1": mark("obligatoire"),
    "0..1": mark("facultatif"),
    "required": mark("obligatoire"),
    "optional": mark("facultatif"),
    "prohibited": mark("interdit"),
}
_FACET: Final = re.compile(
    r", (?=(?:occurs|use|datatype|enumeration|pattern|length|minLength|maxLength|minInclusive|maxInclusive|minExclusive"
    r"|maxExclusive|totalDigits|fractionDigits|whiteSpace|default|fixed|nillable|abstract|mixed|substitution|namespace"
    r"|process)(?: \(\d+\))? )"
)


def label(field: str) -> str:
    """Return how people call a field; one without a name keeps its own."""
    return tr(_LABELS[field]) if field in _LABELS else field


def move(change: Change, name: str = "") -> str:
    """Return what happened to a field, without its owner. name: what people call the field, else its label."""
    field = name or label(change.field)
    if not change.before:
        return tr("« {field} » vaut désormais « {after} »", field=field, after=change.after)
    if not change.after:
        return tr("« {field} » ne vaut plus « {before} » et reste vide", field=field, before=change.before)
    return tr("« {field} » passe de « {before} » à « {after} »", field=field, before=change.before, after=change.after)


def setting(key: str) -> str:
    """Return how people call an entry of norm.yaml; what has no name keeps its key."""
    return tr(_SETTINGS[key]) if key in _SETTINGS else key


def presence(change: Change) -> tuple[str, str] | None:
    """Return what an element or attribute was and is (mandatory, optional …); None when it is not about that."""
    if change.field not in ("occurs", "use") or not {change.before, change.after} <= _PRESENCE.keys():
        return None
    return tr(_PRESENCE[change.before]), tr(_PRESENCE[change.after])


def content(summary: str) -> str:
    """Return the constraints of a place in the reader's words."""
    said = []
    for facet in _FACET.split(summary) if summary else ():
        name, _, value = facet.partition(" ")
        said.append(tr(_PRESENCE[value]) if name in ("occurs", "use") and value in _PRESENCE
                    else f"{label(name)} {value}")  # fmt: skip
    return ", ".join(said) or "–"
