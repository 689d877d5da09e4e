"""Load a norm version from its folder: everything read, checked for coherence, parents included.

Loading is strict: unknown keys, missing files or columns, ids defined twice and references to nothing raise
`NormError` with file, line and remedy. Whether the norm is *complete* (examples, coverage, both schema engines) is
the business of `norms.checker`. Source: docs/formats/norm.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal, TypeVar, cast

from norms import cache
from norms.digest import norm_digest
from norms.errors import NormError
from norms.i18n import tr
from norms.model import (
    Always,
    Claim,
    ExtraValue,
    Level,
    Norm,
    Reactions,
    Reading,
    Requirement,
    Role,
    Rounding,
    SecurityProfile,
    Severity,
    Status,
    Text,
)
from norms.normfile import NormFile, read_norm_file
from norms.roots import NORM_FILE, available, default_roots, locate
from norms.securityfile import SECURITY_FILE, read_security
from norms.tables import Row, read_csv
from norms.withdrawal import as_recorded
from norms.yamlfile import nearest

__all__ = ["available", "load"]

REQUIREMENTS: Final = "requirements.csv"
REQUIREMENT_COLUMNS: Final = (
    "id", "section", "level", "severity", "role", "applies_if", "text_fr", "text_en", "not_tested_reason",
)  # fmt: skip
CLAIMS: Final = "ics.csv"
CLAIM_COLUMNS: Final = ("id", "question_fr", "status", "requirements")
EXTRA_VALUES: Final = "ixit.csv"
EXTRA_VALUE_COLUMNS: Final = ("name", "question_fr", "example", "secret")

_T = TypeVar("_T")

LEVELS: Final = ("MUST", "SHOULD", "MAY")
SEVERITIES: Final = ("bloquante", "majeure", "mineure")
ROLES: Final = ("client", "server", "both")
CLAIM_STATUSES: Final = ("mandatory", "optional", "conditional")
_YES: Final = {"oui": True, "true": True, "1": True, "non": False, "false": False, "0": False, "": False}


def load(ref: str, roots: Sequence[Path] | None = None) -> Norm:
    """Return the norm named "id/version", or the one in the folder `ref`. Raises NormError.

    roots: folders that hold norms, default `norms.roots.default_roots()`. A norm given by folder finds the norms it
    uses beside itself first.
    """
    return _load(locate(ref, roots), default_roots() if roots is None else tuple(roots), ())


def _load(folder: Path, roots: Sequence[Path], using: tuple[Path, ...]) -> Norm:
    if folder in using:
        raise NormError(
            tr("Cette norme s'utilise elle-même par « uses »."),
            file=folder / NORM_FILE,
            remedy=tr("Retirez l'une des références du cycle."),
        )
    places = (folder.parent.parent, *roots)
    own = norm_digest(folder)
    key = cache.key_of(own, str(folder), *map(str, places))
    kept = cache.recall(key)
    if kept is not None and _others_unchanged(kept, places, (*using, folder)):
        return as_recorded(kept)
    norm = _read(folder, own, places, (*using, folder))
    cache.keep(key, norm)
    return as_recorded(norm)


def _others_unchanged(norm: Norm, roots: Sequence[Path], using: tuple[Path, ...]) -> bool:
    others = (*norm.parents, *norm.companions)
    fresh = [_load(locate(other.ref, roots), roots, using) for other in others]
    return all(
        (new.root, new.digest, new.withdrawal) == (old.root, old.digest, old.withdrawal)
        for new, old in zip(fresh, others, strict=True)
    )


def _read(folder: Path, own_digest: str, roots: Sequence[Path], using: tuple[Path, ...]) -> Norm:
    path = folder / NORM_FILE
    file = read_norm_file(path)
    parents = [_other(ref, line, path, roots, using) for ref, line in file.uses]
    beside = [_other(ref, line, path, roots, using) for ref, line in file.companions]
    companions = {norm.ref: norm for norm in (*beside, *(each for parent in parents for each in parent.companions))}
    requirements = _requirements(folder, bool(file.services))
    claims = [*_claims(folder, bool(file.services)), *(claim for parent in parents for claim in parent.claims)]
    values = _extra_values(folder, bool(file.services))
    values += tuple(value for parent in parents for value in parent.extra_values)
    norm = Norm(
        id=file.id,
        version=file.version,
        revision=file.revision,
        title=file.title,
        status=cast(Status, file.status),
        provenance=cast(Literal["reconstruction", "official"], file.provenance),
        valid_from=file.valid_from,
        valid_to=file.valid_to,
        replaces=file.replaces,
        regime=cast(Literal["laboratory", "self-conformance"], file.regime),
        root=folder,
        digest=norm_digest(folder, [norm.digest for norm in (*parents, *beside)]) if parents or beside else own_digest,
        prefixes=_merged([parent.prefixes for parent in parents], file.prefixes),
        services=tuple(service for service, _ in file.services),
        profiles=file.profiles,
        requirements=requirements,
        claims=tuple({claim.id: claim for claim in reversed(claims)}.values())[::-1],
        extra_values=tuple({value.name: value for value in reversed(values)}.values())[::-1],
        security=_security(file, path, [folder, *(parent.root for parent in parents)], parents),
        schemas=tuple(_once([*_schemas(file, folder), *(path for parent in parents for path in parent.schemas)])),
        rules=tuple(_once([*_glob(folder, "rules/*.sch"), *(path for parent in parents for path in parent.rules)])),
        chains=tuple(
            _once([*_glob(folder, "rules/chain/*.sch"), *(path for parent in parents for path in parent.chains)])
        ),
        tables={name: table for parent in reversed(parents) for name, table in parent.tables.items()}
        | {table.stem: table for table in _glob(folder, "codes/*.csv")},
        fill=_merged([parent.fill for parent in parents], file.fill),
        default_given=_first([file.default_given, *(parent.default_given for parent in parents)], ""),
        reading=_first([file.reading, *(parent.reading for parent in parents)], Reading()),
        always=(*_inherited_always(parents), *(always for always, _ in file.always)),
        rounding=file.rounding or next((parent.rounding for parent in parents), Rounding()),
        parents=tuple(parents),
        companions=tuple(companions.values()),
        reactions=_first([file.reactions, *(parent.reactions for parent in parents)], Reactions()),
        derived_prefix=file.derived_prefix,
    )
    _coherent(norm, file, path)
    return norm


def _other(ref: str, line: int, path: Path, roots: Sequence[Path], using: tuple[Path, ...]) -> Norm:
    """Return a norm that norm.yaml (`path`) names."""
    try:
        return _load(locate(ref, roots), roots, using)
    except NormError as error:
        if error.file:
            raise
        raise NormError(error.what, file=path, line=line, remedy=error.remedy) from error


def _coherent(norm: Norm, file: NormFile, path: Path) -> None:
    for service, line in file.services:
        names = (service.request.element, service.response.element, *service.headers, *service.response_headers)
        for name in names:
            prefix, colon, local = name.partition(":")
            if not colon or not local or prefix not in norm.prefixes:
                raise NormError(
                    tr("« {name} » n'est pas un nom avec un préfixe déclaré.", name=name),
                    file=path,
                    line=line,
                    remedy=nearest(prefix, norm.prefixes),
                )
    for companion in norm.companions:
        for service in companion.services:
            if norm.service(service.kind) is not None:
                raise NormError(
                    tr("Le message « {kind} » est aussi celui de {ref}.", kind=service.kind, ref=companion.ref),
                    file=path,
                    remedy=tr("Deux normes qui se parlent ensemble n'ont pas le même nom de message."),
                )
    cited = [(always.requirement, line) for always, line in file.always]
    for identifier, line in (*cited, *file.reaction_lines):
        if norm.requirement(identifier) is None:
            raise NormError(
                tr("L'exigence « {id} » est inconnue.", id=identifier),
                file=path,
                line=line,
                remedy=nearest(identifier, [requirement.id for requirement in norm.all_requirements]),
            )
    known = {requirement.id for requirement in norm.all_requirements}
    for claim in norm.claims:
        for identifier in claim.requirements:
            if identifier not in known:
                raise NormError(
                    tr("L'exigence « {id} » est inconnue.", id=identifier),
                    file=norm.root / CLAIMS,
                    line=claim.line,
                    remedy=nearest(identifier, known),
                )


def _merged(inherited: Sequence[Mapping[str, str]], own: Mapping[str, str]) -> dict[str, str]:
    """Return the maps in one, in the order of `uses`; the nearest value of a key wins: own, then first parent's."""
    return {key: value for each in (*reversed(inherited), own) for key, value in each.items()}


def _first(candidates: Iterable[_T], nothing: _T) -> _T:
    """Return the first that says something."""
    return next((candidate for candidate in candidates if candidate != nothing), nothing)


def _inherited_always(parents: Sequence[Norm]) -> dict[Always, None]:
    return dict.fromkeys(always for parent in parents for always in parent.always)


def _security(file: NormFile, path: Path, folders: Sequence[Path], parents: Sequence[Norm]) -> SecurityProfile:
    if not file.security:
        return next((parent.security for parent in parents if parent.security.name), SecurityProfile(name=""))
    profile = read_security(file.security, folders)
    if profile is None:
        raise NormError(
            tr("Le profil de sécurité « {name} » n'est défini nulle part.", name=file.security),
            file=path,
            line=file.security_line,
            remedy=tr("Définissez-le dans {name} de cette norme ou d'une norme de « uses ».", name=SECURITY_FILE),
        )
    return profile


def _schemas(file: NormFile, folder: Path) -> Iterable[Path]:
    for name, line in file.schemas:
        schema = folder / name
        if not schema.is_file():
            raise NormError(
                tr("Le schéma « {name} » n'existe pas.", name=name),
                file=folder / NORM_FILE,
                line=line,
                remedy=tr("Créez-le ou corrigez son nom."),
            )
        yield schema


def _glob(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


def _once(paths: Iterable[Path]) -> dict[Path, None]:
    return dict.fromkeys(paths)


def _rows(path: Path, columns: Sequence[str], needed: bool) -> list[Row]:
    return read_csv(path, columns, ()) if needed or path.is_file() else []


def _requirements(folder: Path, needed: bool) -> tuple[Requirement, ...]:
    path = folder / REQUIREMENTS
    rows = _rows(path, REQUIREMENT_COLUMNS, needed)
    _no_duplicates(rows, "id", path)
    return tuple(
        Requirement(
            id=row["id"],
            section=row["section"],
            level=cast(Level, _choice(row, "level", LEVELS, path)),
            severity=cast(Severity, _choice(row, "severity", SEVERITIES, path)),
            role=cast(Role, _choice(row, "role", ROLES, path)),
            applies_if=row["applies_if"],
            text=Text(fr=_filled(row, "text_fr", path), en=row["text_en"]),
            not_tested_reason=row["not_tested_reason"],
            line=row.line,
        )
        for row in rows
    )


def _claims(folder: Path, needed: bool) -> tuple[Claim, ...]:
    path = folder / CLAIMS
    rows = _rows(path, CLAIM_COLUMNS, needed)
    _no_duplicates(rows, "id", path)
    return tuple(
        Claim(
            id=row["id"],
            question=_filled(row, "question_fr", path),
            status=cast(Literal["mandatory", "optional", "conditional"], _choice(row, "status", CLAIM_STATUSES, path)),
            requirements=tuple(re.split(r"[\s,|]+", row["requirements"])) if row["requirements"] else (),
            line=row.line,
        )
        for row in rows
    )


def _extra_values(folder: Path, needed: bool) -> tuple[ExtraValue, ...]:
    path = folder / EXTRA_VALUES
    rows = _rows(path, EXTRA_VALUE_COLUMNS, needed)
    _no_duplicates(rows, "name", path)
    return tuple(
        ExtraValue(
            name=row["name"],
            question=_filled(row, "question_fr", path),
            example=row["example"],
            secret=_YES[_choice(row, "secret", _YES, path)],
            line=row.line,
        )
        for row in rows
    )


def _no_duplicates(rows: Sequence[Row], column: str, path: Path) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        name = _filled(row, column, path)
        if name in seen:
            raise NormError(
                tr("« {id} » est défini deux fois.", id=name),
                file=path,
                line=row.line,
                remedy=tr("Le premier est ligne {line}.", line=seen[name]),
            )
        seen[name] = row.line


def _filled(row: Row, column: str, path: Path) -> str:
    if not row[column]:
        raise NormError(tr("La colonne « {name} » est vide.", name=column), file=path, line=row.line)
    return row[column]


def _choice(row: Row, column: str, allowed: Iterable[str], path: Path) -> str:
    value = row[column]
    if value not in allowed:
        raise NormError(
            tr("La colonne « {name} » vaut « {value} ».", name=column, value=value),
            file=path,
            line=row.line,
            remedy=tr("Valeurs possibles : {names}.", names=", ".join(name for name in allowed if name)),
        )
    return value
