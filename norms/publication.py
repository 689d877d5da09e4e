"""The life of a norm version: published, revised, withdrawn; and whether a published one is still what was published.

Publication writes the status into norm.yaml and freezes the normative files by manifest.sha256. Withdrawal changes none
of them: it is a record beside the norm (`norms.withdrawal`). Source: docs/decisions/0012-publication-and-withdrawal.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from norms.digest import MANIFEST, WITHDRAWAL, Difference, compare_manifest, manifest
from norms.draft import HISTORY
from norms.editing import set_keys, with_keys, write_whole
from norms.errors import NormError, UsageError
from norms.i18n import tr, tr_in
from norms.model import Norm, Withdrawal
from norms.roots import NORM_FILE, locate
from norms.withdrawal import withdrawal_text

_SHOWN: Final = 12
_HEADING: Final = re.compile(rb"^## [^\r\n]*", re.MULTILINE)
_DRAFT: Final = b" (projet)"


def is_frozen(norm: Norm) -> bool:
    """Whether the norm's files must be those of its manifest: it is published, or was and is withdrawn."""
    return norm.status == "published" or norm.withdrawal is not None


def spoken(norm: Norm) -> str:
    """Return what a command line calls this norm: its name, or its folder when the name leads to another copy."""
    try:
        return norm.ref if locate(norm.ref).resolve() == norm.root.resolve() else str(norm.root)
    except NormError:
        return str(norm.root)


def require_intact(norm: Norm) -> None:
    """Raise NormError when a published norm of the family is not as it was published, with the names of the files."""
    for member in norm.family:
        if is_frozen(member):
            changed = compare_manifest(member.root)
            if changed:
                raise NormError(
                    tr("La norme publiée {ref} a changé : {files}.", ref=member.ref, files=_named(changed)),
                    file=member.root,
                    remedy=tr("Rétablissez-les ; pour un erratum : poincon norms revise {ref}", ref=spoken(member)),
                )


def _named(changed: Sequence[Difference]) -> str:
    words = {"changed": tr("modifié"), "missing": tr("disparu"), "added": tr("ajouté")}
    names = [f"{one.path} ({words[one.kind]})" for one in changed[:_SHOWN]]
    if len(changed) > _SHOWN:
        names.append(tr("… et {count} autres", count=len(changed) - _SHOWN))
    return ", ".join(names)


def publish(norm: Norm, today: date) -> None:
    """Write the publication of a draft that was checked. Raises UsageError when it is no draft, NormError.

    today: its first day in force when norm.yaml names none. The manifest is written before the status: an interrupted
    publication leaves a draft.
    """
    if norm.status != "draft":
        raise UsageError(tr("La norme {ref} n'est pas un projet : elle est déjà publiée ou retirée.", ref=norm.ref))
    file, history = norm.root / NORM_FILE, norm.root / HISTORY
    wanted = {"status": "published"} | ({} if norm.valid_from else {"valid_from": today.isoformat()})
    edited = with_keys(file, wanted, file)
    instead = {file: edited}
    if history.is_file():
        instead[history] = _published(history.read_bytes(), today)
    write_whole(norm.root / MANIFEST, manifest(norm.root, instead).encode())
    for path in (history, file):
        if path in instead:
            write_whole(path, instead[path])


def _published(history: bytes, today: date) -> bytes:
    """Return CHANGES.md whose newest revision, when called a draft, is said to be published."""
    newest = _HEADING.search(history)
    if newest is None or not newest[0].endswith(_DRAFT):
        return history
    stated = tr_in("fr", " (publiée le {day})", day=today.isoformat()).encode()
    return history[: newest.end() - len(_DRAFT)] + stated + history[newest.end() :]


def revise(norm: Norm, today: date, using: Sequence[Norm] = ()) -> str:
    """Make a published version a draft again, under the next revision, which is returned. Raises UsageError, NormError.

    today: named in CHANGES.md, where the revision is begun above the others; using: the installed norms, to find the
    published ones that use it: what changes here changes them, so they are revised too, and first.
    """
    if norm.status != "published":
        raise UsageError(tr("La norme {ref} n'est pas publiée : elle n'a rien à réviser.", ref=norm.ref))
    users = _users(norm, using)
    if users:
        raise UsageError(
            tr("Des normes publiées utilisent {ref} : révisez d'abord {names}.", ref=norm.ref, names=", ".join(users))
        )
    revision = _next(norm.revision)
    file, history = norm.root / NORM_FILE, norm.root / HISTORY
    begun = tr_in(
        "fr",
        "## Révision {revision} (projet)\nCommencée le {day} ; écrivez ici chaque erratum et sa raison.\n",
        revision=revision,
        day=today.isoformat(),
    )
    told = _with_revision(history.read_bytes() if history.is_file() else b"", begun.encode())
    set_keys(file, {"revision": revision, "status": "draft"}, file)
    (norm.root / MANIFEST).unlink(missing_ok=True)
    write_whole(history, told)
    return revision


def _next(revision: str) -> str:
    """Return the revision after that one: its last number plus one, or a first number added."""
    number = re.search(r"\d+$", revision)
    return f"{revision}.2" if number is None else f"{revision[: number.start()]}{int(number[0]) + 1}"


def _with_revision(history: bytes, begun: bytes) -> bytes:
    """Return CHANGES.md with a revision begun before the newest one, or at the end when it knows none."""
    newest = _HEADING.search(history)
    place = newest.start() if newest else len(history)
    return history[:place] + (b"" if newest else b"\n") + begun + (b"\n" if newest else b"") + history[place:]


def withdraw(norm: Norm, reason: str, today: date, using: Sequence[Norm]) -> Withdrawal:
    """Record that a published version is withdrawn; return the record. Raises UsageError.

    today: its last day; using: the installed norms, to find the published ones that use it.
    """
    if norm.status != "published":
        raise UsageError(tr("La norme {ref} n'est pas publiée : il n'y a rien à retirer.", ref=norm.ref))
    if not reason.strip():
        raise UsageError(tr('Dites pourquoi elle est retirée : --reason "…"'))
    users = _users(norm, using)
    if users:
        raise UsageError(
            tr("Des normes publiées utilisent {ref} : retirez d'abord {names}.", ref=norm.ref, names=", ".join(users))
        )
    record = Withdrawal(date=today.isoformat(), reason=" ".join(reason.split()))
    write_whole(norm.root / WITHDRAWAL, withdrawal_text(record).encode())
    return record


def _users(norm: Norm, using: Sequence[Norm]) -> list[str]:
    """Return the names of the published norms that use this one."""
    published = [one for one in using if one.status == "published"]
    here = norm.root.resolve()
    return [one.ref for one in published if here in [member.root.resolve() for member in one.family[1:]]]


def withdrawn(norm: Norm) -> Iterator[str]:
    """Yield a sentence for each norm of the family that is withdrawn."""
    for member in norm.family:
        if member.withdrawal is not None:
            yield tr(
                "La norme {norm} est retirée depuis le {date} : {reason}",
                norm=member.ref,
                date=member.withdrawal.date,
                reason=member.withdrawal.reason,
            )
        elif member.status == "withdrawn":
            yield tr("La norme {norm} est retirée.", norm=member.ref)
