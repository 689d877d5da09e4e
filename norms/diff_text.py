"""A `NormDiff` in sentences for the people who write norms, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from norms.diff import Change, NormDiff, Subject
from norms.i18n import mark, tr

_LABELS: Final[Mapping[str, str]] = {
    # of norm.yaml
    "title.fr": mark("titre français"),
    "title.en": mark("titre anglais"),
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
    "totalDigits": mark("nombre de chiffres"),
    "fractionDigits": mark("nombre de décimales"),
    # of code tables
    "libelle": mark("libellé"),
    "valid_from": mark("début"),
    "valid_to": mark("fin"),
}


class Section(msgspec.Struct, frozen=True):
    """A heading with its sentences."""

    heading: str
    sentences: tuple[str, ...]


def sections(found: NormDiff) -> list[Section]:
    """Return what differs, in sentences by subject; subjects without a difference are left out."""
    headings: tuple[tuple[str, tuple[Subject, ...], Callable[[Change], str]], ...] = (
        (tr("Identité et réglages"), ("norm",), _norm),
        (tr("Exigences"), ("requirement",), _requirement),
        (tr("Déclaration du produit"), ("claim", "value"), _declared),
        (tr("Services et opérations"), ("service",), _service),
        (tr("Éléments et contraintes des schémas"), ("element",), _element),
        (tr("Règles"), ("rule",), _rule),
        (tr("Tables de codes"), ("table", "code"), _table),
        (tr("Profils"), ("profile",), _profile),
        (tr("Sécurité"), ("security",), _security),
        (tr("Autres fichiers"), ("file", "simulator"), _file),
    )
    return [
        Section(heading, tuple(_elements(changes) if subjects == ("element",) else map(say, changes)))
        for heading, subjects, say in headings
        if (changes := found.of(*subjects))
    ]


def _label(field: str) -> str:
    return tr(_LABELS[field]) if field in _LABELS else field


def _move(change: Change, label: str = "") -> str:
    """Return what happened to a field, without its owner. label: its name for people, default that of _LABELS."""
    field = label or _label(change.field)
    if not change.before:
        return tr("« {field} » vaut désormais « {after} »", field=field, after=change.after)
    if not change.after:
        return tr("« {field} » ne vaut plus « {before} » et reste vide", field=field, before=change.before)
    return tr("« {field} » passe de « {before} » à « {after} »", field=field, before=change.before, after=change.after)


def _norm(change: Change) -> str:
    if change.kind == "added":
        return tr("Attente nouvelle sur chaque réponse : {text}.", text=change.after)
    if change.kind == "removed":
        return tr("Attente retirée sur les réponses : {text}.", text=change.before)
    key = f"{change.id}.{change.field}" if change.field else change.id
    return tr("norm.yaml : {move}.", move=_move(change, key))


def _requirement(change: Change) -> str:
    if change.kind == "added":
        return tr("L'exigence {id} est nouvelle : {text}", id=change.id, text=change.after)
    if change.kind == "removed":
        return tr("L'exigence {id} est retirée ; elle disait : {text}", id=change.id, text=change.before)
    return tr("L'exigence {id} change : {move}.", id=change.id, move=_move(change))


def _declared(change: Change) -> str:
    if change.kind == "added":
        return tr("La question {id} est nouvelle : {text}", id=change.id, text=change.after)
    if change.kind == "removed":
        return tr("La question {id} est retirée ; elle disait : {text}", id=change.id, text=change.before)
    return tr("La question {id} change : {move}.", id=change.id, move=_move(change))


def _service(change: Change) -> str:
    if change.kind == "added":
        return tr("Le service {id} est nouveau : {text}.", id=change.id, text=change.after)
    if change.kind == "removed":
        return tr("Le service {id} est retiré : {text}.", id=change.id, text=change.before)
    return tr("Le service {id} change : {move}.", id=change.id, move=_move(change))


def _elements(changes: Iterable[Change]) -> Iterator[str]:
    """Say once what a shared type changes at several places."""
    groups: dict[Change, list[str]] = {}
    for change in changes:
        name = change.id.rpartition("/")[2] if change.kind != "changed" and not change.field else ""
        groups.setdefault(msgspec.structs.replace(change, id=name), []).append(change.id)
    for change, paths in groups.items():
        sentence = _element(msgspec.structs.replace(change, id=paths[0]))
        if len(paths) > 1:
            sentence += " " + tr("De même : {paths}.", paths=", ".join(paths[1:]))
        yield sentence


def _element(change: Change) -> str:
    if change.field == "enumeration" and change.kind == "added":
        return tr("{path} : la valeur « {value} » est désormais admise.", path=change.id, value=change.after)
    if change.field == "enumeration" and change.kind == "removed":
        return tr("{path} : la valeur « {value} » n'est plus admise.", path=change.id, value=change.before)
    if change.kind == "added":
        return tr("{path} est nouveau ({text}).", path=change.id, text=change.after or "–")
    if change.kind == "removed":
        return tr("{path} est retiré ({text}).", path=change.id, text=change.before or "–")
    return tr("{path} : {move}.", path=change.id, move=_move(change))


def _rule(change: Change) -> str:
    if change.kind == "added":
        return tr("La règle {id} est nouvelle : {text}", id=change.id, text=change.after)
    if change.kind == "removed":
        return tr("La règle {id} est retirée ; elle disait : {text}", id=change.id, text=change.before)
    return tr("La règle {id} change : {move}.", id=change.id, move=_move(change))


def _table(change: Change) -> str:
    if change.subject == "code":
        return _code(change)
    if change.field == "column":
        if change.kind == "added":
            return tr("La table {table} a une colonne de plus : {name}.", table=change.id, name=change.after)
        return tr("La table {table} n'a plus la colonne {name}.", table=change.id, name=change.before)
    if change.kind == "added":
        return tr("La table {table} est nouvelle (codes : {count}).", table=change.id, count=change.after)
    return tr("La table {table} est retirée (codes : {count}).", table=change.id, count=change.before)


def _code(change: Change) -> str:
    owner = tr("Le code {code} de la table {table}", code=change.id, table=change.within)
    match change.field, change.kind:
        case "", "added":
            return tr("{owner} est nouveau : {text}.", owner=owner, text=change.after)
        case "", "removed":
            return tr("{owner} est retiré : {text}.", owner=owner, text=change.before)
        case "period", "added":
            return tr("{owner} a une période de plus : {text}.", owner=owner, text=change.after)
        case "period", "removed":
            return tr("{owner} a une période de moins : {text}.", owner=owner, text=change.before)
        case "valid_to", _ if not change.before:
            return tr("{owner} est clos : son dernier jour est le {day}.", owner=owner, day=change.after)
        case "valid_to", _ if not change.after:
            return tr("{owner} est rouvert : il finissait le {day}.", owner=owner, day=change.before)
        case _:
            return tr("{owner} change : {move}.", owner=owner, move=_move(change))


def _profile(change: Change) -> str:
    if change.kind == "added":
        return tr("Le profil {id} est nouveau : {text}.", id=change.id, text=change.after)
    if change.kind == "removed":
        return tr("Le profil {id} est retiré : {text}.", id=change.id, text=change.before)
    return tr("Le profil {id} change : {move}.", id=change.id, move=_move(change))


def _security(change: Change) -> str:
    # The parameter keeps its name of security.yaml, where it is looked up and edited.
    if not change.before:
        return tr("Paramètre de sécurité {field} : désormais « {after} ».", field=change.field, after=change.after)
    if not change.after:
        return tr("Paramètre de sécurité {field} : n'est plus donné (il valait « {before} »).",
                  field=change.field, before=change.before)  # fmt: skip
    return tr("Paramètre de sécurité {field} : « {before} » devient « {after} ».",
              field=change.field, before=change.before, after=change.after)  # fmt: skip


def _file(change: Change) -> str:
    if change.subject == "simulator":
        return tr("Le simulateur a changé (dossier simulator, hors de la norme elle-même).")
    if change.kind == "added":
        return tr("Le fichier {file} est nouveau.", file=change.id)
    if change.kind == "removed":
        return tr("Le fichier {file} est retiré.", file=change.id)
    if change.field == "writing":
        return tr("Le fichier {file} est écrit autrement, sans différence reconnue ; comparez-le à l'œil.",
                  file=change.id)  # fmt: skip
    return tr("Le fichier {file} a changé.", file=change.id)
