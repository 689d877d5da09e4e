"""A `NormDiff` in sentences for the people who write norms, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import msgspec

from norms.diff_words import content, label, move, presence, setting
from norms.difference import Change, NormDiff, Subject
from norms.i18n import language, tr

Say = Callable[[NormDiff, list[Change]], Iterator[str]]

_MANY: Final = 3  # codes that come or go in a table, files that change in a folder: told one by one up to here


class Section(msgspec.Struct, frozen=True):
    """A heading with its sentences."""

    heading: str
    sentences: tuple[str, ...]


def sections(found: NormDiff) -> list[Section]:
    """Return what differs, in sentences by subject; subjects without a difference are left out.

    What is only the number of the version is said in one sentence, a text of both languages in the reader's.
    """
    headings: tuple[tuple[str, tuple[Subject, ...], Say], ...] = (
        (tr("Identité et réglages"), ("norm",), _settings),
        (tr("Profils"), ("profile",), _profiles),
        (tr("Exigences"), ("requirement",), _requirements),
        (tr("Déclaration du produit"), ("claim", "value"), _declared),
        (tr("Services et opérations"), ("service",), _services),
        (tr("Éléments et contraintes des schémas"), ("element",), _elements),
        (tr("Règles"), ("rule",), _rules),
        (tr("Tables de codes"), ("table", "code"), _tables),
        (tr("Sécurité"), ("security",), _securities),
        (tr("Autres fichiers"), ("file", "simulator"), _files),
    )
    return [
        Section(heading, tuple(say(found, _in_one_language(changes))))
        for heading, subjects, say in headings
        if (changes := found.of(*subjects))
    ]


def _in_one_language(changes: tuple[Change, ...]) -> list[Change]:
    """Leave out what changes in the other language too, when the reader's own says it."""
    own, other = ("en", "fr") if language() == "en" else ("fr", "en")
    said = {(change.id, change.field) for change in changes}

    def doubled(change: Change) -> bool:
        *above, last = change.field.split(".")
        return last == other and (change.id, ".".join((*above, own))) in said

    return [change for change in changes if not doubled(change)]


def _named(found: NormDiff, change: Change) -> str:
    """Return the sentence or name of what changes, in the reader's language."""
    title = found.titles.get(change.subject, {}).get(change.id)
    return str(title) if title else change.after or change.before


def _settings(found: NormDiff, changes: list[Change]) -> Iterator[str]:
    numbers = [change for change in changes if found.renumbers(change)]
    spaces = [change.field for change in numbers if change.id == "prefixes"]
    if spaces:
        yield tr("Espaces de noms {names} : ils portent le numéro de la nouvelle version.", names=", ".join(spaces))
    for change in changes:
        if change in numbers and change.id == "prefixes":
            continue
        if change.kind == "added":
            yield tr("Attente nouvelle sur chaque réponse : {text}.", text=change.after)
        elif change.kind == "removed":
            yield tr("Attente retirée sur les réponses : {text}.", text=change.before)
        elif change.id == "fill":
            yield _filled(change)
        else:
            key = f"{change.id}.{change.field}" if change.field else change.id
            yield tr("norm.yaml : {move}.", move=move(change, setting(key)))


def _filled(change: Change) -> str:
    if not change.before:
        return tr("Le laboratoire écrit désormais « {value} » à la place {path} de ses demandes.",
                  value=change.after, path=change.field)  # fmt: skip
    if not change.after:
        return tr("Le laboratoire n'écrit plus « {value} » à la place {path} de ses demandes.",
                  value=change.before, path=change.field)  # fmt: skip
    return tr("Le laboratoire écrit « {after} » et non plus « {before} » à la place {path} de ses demandes.",
              after=change.after, before=change.before, path=change.field)  # fmt: skip


def _requirements(found: NormDiff, changes: list[Change]) -> Iterator[str]:
    for change in changes:
        named = _named(found, change)
        if change.kind == "added":
            yield tr("L'exigence {id} est nouvelle : {text}", id=change.id, text=named)
        elif change.kind == "removed":
            yield tr("L'exigence {id} est retirée ; elle disait : {text}", id=change.id, text=named)
        elif change.field.startswith("text.") and change.before and change.after:
            yield tr("L'exigence {id} dit désormais : {after} Elle disait : {before}",
                     id=change.id, after=change.after, before=change.before)  # fmt: skip
        else:
            yield tr("L'exigence {id} (« {text} ») change : {move}.", id=change.id, text=named, move=move(change))


def _declared(_: NormDiff, changes: list[Change]) -> Iterator[str]:
    members = [change for change in changes if change.field == "requirements"]
    for change in changes:
        if change in members:
            continue
        if change.kind == "added":
            yield tr("La question {id} est nouvelle : {text}", id=change.id, text=change.after)
        elif change.kind == "removed":
            yield tr("La question {id} est retirée ; elle disait : {text}", id=change.id, text=change.before)
        else:
            yield tr("La question {id} change : {move}.", id=change.id, move=move(change))
    for key in dict.fromkeys(change.id for change in members):
        come = [change.after for change in members if change.id == key and change.kind == "added"]
        gone = [change.before for change in members if change.id == key and change.kind == "removed"]
        if come:
            yield tr("La question {id} porte en plus sur : {names}.", id=key, names=", ".join(come))
        if gone:
            yield tr("La question {id} ne porte plus sur : {names}.", id=key, names=", ".join(gone))


def _services(found: NormDiff, changes: list[Change]) -> Iterator[str]:
    numbers: dict[str, list[str]] = {}
    for change in changes:
        named = _named(found, change)
        if found.renumbers(change):
            numbers.setdefault(change.id, []).append(label(change.field))
        elif change.kind == "added":
            yield tr("Le service {id} est nouveau : {text}.", id=change.id, text=named)
        elif change.kind == "removed":
            yield tr("Le service {id} est retiré : {text}.", id=change.id, text=named)
        else:
            yield tr("Le service {id} change : {move}.", id=change.id, move=move(change))
    for fields, kinds in _together(numbers):
        yield tr("Services {kinds} – ne change que le numéro de version dans : {fields}.", kinds=kinds, fields=fields)


def _together(fields: Mapping[str, list[str]]) -> list[tuple[str, str]]:
    """Return what several have in common, with their names: (fields, owners)."""
    groups: dict[str, list[str]] = {}
    for owner, names in fields.items():
        groups.setdefault(", ".join(names), []).append(owner)
    return [(names, ", ".join(owners)) for names, owners in groups.items()]


def _elements(_: NormDiff, changes: list[Change]) -> Iterator[str]:
    """Say once what a shared type changes at several places."""
    groups: dict[Change, list[str]] = {}
    for change in changes:
        name = change.id.rpartition("/")[2] if change.kind != "changed" and not change.field else ""
        groups.setdefault(msgspec.structs.replace(change, id=name), []).append(change.id)
    for change, paths in groups.items():
        yield _also(_element(msgspec.structs.replace(change, id=paths[0])), paths)


def _also(sentence: str, owners: list[str]) -> str:
    return f"{sentence} {tr('De même : {paths}.', paths=', '.join(owners[1:]))}" if len(owners) > 1 else sentence


def _element(change: Change) -> str:
    if change.field == "enumeration" and change.kind == "added":
        return tr("{path} : la valeur « {value} » est désormais admise.", path=change.id, value=change.after)
    if change.field == "enumeration" and change.kind == "removed":
        return tr("{path} : la valeur « {value} » n'est plus admise.", path=change.id, value=change.before)
    if change.kind == "added":
        return tr("{path} est nouveau ({text}).", path=change.id, text=content(change.after))
    if change.kind == "removed":
        return tr("{path} est retiré ({text}).", path=change.id, text=content(change.before))
    if change.field == "name":
        return tr("{path} cède la place à {name}, de même contenu.", path=change.id, name=change.after)
    if found := presence(change):
        return tr("{path}, {before}, devient {after}.", path=change.id, before=found[0], after=found[1])
    return tr("{path} : {move}.", path=change.id, move=move(change))


def _rules(found: NormDiff, changes: list[Change]) -> Iterator[str]:
    """Say how a rule is checked only where its sentence stays the same."""
    reworded = {change.id for change in changes if change.field == "text"}
    checks: dict[str, list[str]] = {}
    for change in changes:
        named = _named(found, change)
        if change.kind == "added":
            yield tr("La règle {id} est nouvelle : {text}", id=change.id, text=named)
        elif change.kind == "removed":
            yield tr("La règle {id} est retirée ; elle disait : {text}", id=change.id, text=named)
        elif change.field == "text":
            yield tr("La règle {id} dit désormais : {after} Elle disait : {before}",
                     id=change.id, after=change.after, before=change.before)  # fmt: skip
        elif change.field == "requirement":
            yield tr("La règle {id} (« {text} ») change : {move}.", id=change.id, text=named, move=move(change))
        elif change.id not in reworded:
            checks.setdefault(change.id, []).append(move(change))
    for key, moves in checks.items():
        yield tr("La règle {id} (« {text} ») est vérifiée autrement : {move}.",
                 id=key, text=str(found.titles["rule"][key]), move=", ".join(moves))  # fmt: skip


def _tables(_: NormDiff, changes: list[Change]) -> Iterator[str]:
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        if change.subject == "code" and not change.field:
            groups.setdefault((change.within, change.kind), []).append(change)
    many = {change: key for key, group in groups.items() if len(group) > _MANY for change in group}
    told = set()
    for change in changes:
        key = many.get(change)
        if key is None:
            yield _table(change)
        elif key not in told:
            told.add(key)
            yield _many(groups[key])


def _many(changes: list[Change]) -> str:
    kind, table = changes[0].kind, changes[0].within
    names = ", ".join(f"{one.id} – {one.after or one.before}" for one in changes)
    if kind == "added":
        return tr("La table {table} a {count} codes de plus : {names}.", table=table, count=len(changes), names=names)
    return tr("La table {table} a {count} codes de moins : {names}.", table=table, count=len(changes), names=names)


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
            return tr("{owner} change : {move}.", owner=owner, move=move(change))


def _profiles(found: NormDiff, changes: list[Change]) -> Iterator[str]:
    values: dict[Change, list[str]] = {}
    for change in changes:
        if change.kind == "added":
            yield tr("Le profil {id} est nouveau : {text}.", id=change.id, text=_named(found, change))
        elif change.kind == "removed":
            yield tr("Le profil {id} est retiré : {text}.", id=change.id, text=_named(found, change))
        else:
            values.setdefault(msgspec.structs.replace(change, id=""), []).append(change.id)
    for change, codes in values.items():
        name = change.field.removeprefix("values.") if change.field.startswith("values.") else ""
        yield _also(tr("Le profil {id} change : {move}.", id=codes[0], move=move(change, name)), codes)


def _securities(_: NormDiff, changes: list[Change]) -> Iterator[str]:
    for change in changes:
        # The parameter keeps its name of security.yaml, where it is looked up and edited.
        if not change.before:
            yield tr("Paramètre de sécurité {field} : désormais « {after} ».", field=change.field, after=change.after)
        elif not change.after:
            yield tr("Paramètre de sécurité {field} : n'est plus donné (il valait « {before} »).",
                     field=change.field, before=change.before)  # fmt: skip
        else:
            yield tr("Paramètre de sécurité {field} : « {before} » devient « {after} ».",
                     field=change.field, before=change.before, after=change.after)  # fmt: skip


def _files(found: NormDiff, changes: list[Change]) -> Iterator[str]:
    """Name what comes and goes; count what changes in a folder of many."""
    folders: dict[tuple[str, bool], list[Change]] = {}
    for change in changes:
        if change.kind == "changed" and change.field != "writing" and change.subject == "file":
            folder = change.id.rpartition("/")[0]
            folders.setdefault((folder, found.renumbers(change)), []).append(change)
        else:
            yield _file(change)
    for (folder, number), group in folders.items():
        if number:
            yield tr("Dans {folder}, {count} fichier(s) ne changent que de numéro de version.",
                     folder=f"{folder}/", count=len(group))  # fmt: skip
        elif len(group) > _MANY:
            yield tr("Dans {folder}, {count} fichiers ont changé.", folder=f"{folder}/", count=len(group))
        else:
            yield from map(_file, group)


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
