"""Reading a run folder, and checking that nothing in it changed since the run.

    run.json ─ binds ─► last line of the journal ─ each line binds the one before ─► … ─► WARC records, by digest
                        last line of the journal ─ binds ─► suite, declaration, verdicts, norm, anchors, certificates

`evidence_root` is the Merkle root (RFC 6962) that a certificate carries: its leaves are the journal's lines in order,
each line that names stored records followed by those records. Source: docs/formats/run.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec

from harness import journal, warc
from harness.errors import RunFolderError
from harness.folder import RUN, SUITE, VERDICTS, bound_files, read_peers
from harness.journal import Begun, Entry, Stored
from harness.merkle import MerkleRoot
from harness.record import Exchange, Verdicts
from harness.recorder import WARC_FILE
from harness.runfile import RunFile, run_file
from norms.i18n import tr
from scenarios.compiler import load_suite
from scenarios.model import Suite


@dataclass(frozen=True)
class Damage:
    """Something that is not as the run left it.

    file: path in the run folder; line: 1-based line of the journal, 0 = none; offset: first byte concerned, -1 = none;
    what: one French sentence.
    """

    file: str
    what: str
    line: int = 0
    offset: int = -1

    def __str__(self) -> str:
        place = f":{self.line}" if self.line else f" (octet {self.offset})" if self.offset >= 0 else ""
        return f"{self.file}{place} : {self.what}"


@dataclass(frozen=True)
class RunRecord:
    """A run folder, read. cases: the journal's line of each case; finished: its last line, None when interrupted.

    head: SHA-256 of the last line; root: Merkle root over journal and records; verdicts: None before the end.
    """

    folder: Path
    begun: Begun
    suite: Suite
    cases: tuple[Entry, ...]
    finished: Entry | None
    head: str
    entries: int
    root: str
    verdicts: Verdicts | None
    places: Mapping[str, tuple[Stored, ...]]

    def exchanges(self, case: str) -> tuple[Exchange, ...]:
        """Return the exchanges of a case in their order; raises RunFolderError when the records are damaged."""
        return exchanges_at(self.folder, self.places.get(case, ()))

    def certificates(self) -> Mapping[str, bytes]:
        """Return the certificates (DER) that peers presented, by SHA-256."""
        return read_peers(self.folder)


def exchanges_at(folder: Path, places: tuple[Stored, ...]) -> tuple[Exchange, ...]:
    """Return the exchanges stored at `places`; raises RunFolderError when they are damaged."""
    path = folder / WARC_FILE
    found = []
    with path.open("rb") as file:
        for place in places:
            data = _span(file, place)
            try:
                if sha256(data).hexdigest() != place.sha256:
                    raise warc.WarcError("changed")
                found.append(warc.restore(data))
            except warc.WarcError as error:
                raise RunFolderError(
                    tr("Les enregistrements à partir de l'octet {position} sont abîmés.", position=place.offset),
                    file=path,
                    remedy=tr("Vérifiez les preuves de ce dossier avant de vous en servir."),
                ) from error
    return tuple(found)


def read_run(folder: Path) -> RunRecord:
    """Read a run folder, finished or not; raises RunFolderError. What still reads may be damaged: `verify_evidence`."""
    chain = _read_chain(folder)
    suite = load_suite(_bytes(folder / SUITE))
    path = folder / VERDICTS
    try:
        verdicts = msgspec.json.decode(path.read_bytes(), type=Verdicts) if path.is_file() else None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RunFolderError(tr("Ce fichier ne se lit pas : {erreur}.", erreur=error), file=path) from error
    return RunRecord(
        folder,
        chain.begun,
        suite,
        tuple(chain.cases),
        chain.finished,
        chain.head,
        chain.entries,
        evidence_root(folder),
        verdicts,
        chain.places,
    )


def evidence_root(folder: Path) -> str:
    """Return the Merkle root (hex) over the journal's lines and the records they name; raises RunFolderError."""
    tree = MerkleRoot()
    try:
        with (folder / WARC_FILE).open("rb") as file:
            for line, _ in journal.lines(folder / journal.FILE):
                tree.add(line)
                entry = journal.decode(line)
                if entry is not None and entry.stored is not None:
                    tree.add(_span(file, entry.stored))
    except OSError as error:
        raise _unreadable(folder, error) from error
    return tree.hexdigest()


@dataclass
class _Chain:
    begun: Begun
    cases: list[Entry]
    places: dict[str, tuple[Stored, ...]]
    finished: Entry | None
    head: str
    entries: int


def _read_chain(folder: Path) -> _Chain:
    path = folder / journal.FILE
    begun: Begun | None = None
    cases: list[Entry] = []
    places: dict[str, tuple[Stored, ...]] = {}
    pending: list[Stored] = []
    finished: Entry | None = None
    head, count = journal.START, 0
    try:
        for line, complete in journal.lines(path):
            entry = journal.decode(line) if complete else None
            if entry is None:
                break
            head, count = journal.digest(line), count + 1
            if entry.event == "run-started":
                begun = entry.begun
            elif entry.event == "exchange" and entry.stored is not None:
                pending.append(entry.stored)
            elif entry.event == "case":
                cases.append(entry)
                places[entry.case], pending = tuple(pending), []
            elif entry.event == "run-finished":
                finished = entry
    except OSError as error:
        raise _unreadable(folder, error) from error
    if begun is None:
        raise RunFolderError(tr("Ce dossier ne contient pas d'exécution."), file=folder)
    if begun.format != journal.FORMAT:
        raise RunFolderError(
            tr("Le format « {format} » est inconnu.", format=begun.format),
            file=path,
            line=1,
            remedy=tr("Utilisez la version de Poinçon qui l'a écrit."),
        )
    return _Chain(begun, cases, places, finished, head, count)


# --- checking


def verify_evidence(folder: Path) -> list[Damage]:
    """Return every damage found: nothing means that the folder is exactly what the finished run left.

    Locates a changed, removed, added, moved or cut part by journal line, WARC offset or file. Raises RunFolderError
    only when there is no journal at all.
    """
    try:
        lines = list(journal.lines(folder / journal.FILE))
    except OSError as error:
        raise _unreadable(folder, error) from error
    file, damages = _run_json(folder)
    if file is not None and _misquotes(folder, lines, file):
        damages.append(Damage(RUN, tr("Ce fichier ne dit pas ce que disent les verdicts et le journal.")))
        file = None
    damages += _journal(lines, file)
    entries = [journal.decode(line) for line, _ in lines]
    damages += _records(folder, entries)
    last = entries[-1] if entries else None
    if last is None or last.event != "run-finished":
        damages.append(Damage(journal.FILE, tr("L'exécution n'est pas terminée, ou sa fin a été coupée."), len(lines)))
    else:
        damages += _bound(folder, last.files)
    if file is not None and not damages:
        damages += _consistent(folder, file)
    return damages


def _run_json(folder: Path) -> tuple[RunFile | None, list[Damage]]:
    path = folder / RUN
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunFile), []
    except OSError:
        return None, [Damage(RUN, tr("Ce fichier manque."))]
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return None, [Damage(RUN, tr("Ce fichier ne se lit pas : {erreur}.", erreur=error))]


def _misquotes(folder: Path, lines: list[tuple[bytes, bool]], file: RunFile) -> bool:
    """Tell whether run.json names another end of the journal, although journal and records give its very root.

    Both carry the journal's end: the root, which covers every line, tells which of the two was changed.
    """
    head = journal.digest(lines[-1][0]) if lines else ""
    if (head, len(lines)) == (file.evidence.journal, file.evidence.entries):
        return False
    try:
        return evidence_root(folder) == file.evidence.root
    except RunFolderError:
        return False


def _journal(lines: list[tuple[bytes, bool]], file: RunFile | None) -> list[Damage]:
    """Check the chain. A line is vouched for by the `prev` of the next one, the last by run.json."""
    damages: list[Damage] = []
    entries = [journal.decode(line) for line, _ in lines]
    vouchers = [entry.prev if entry else None for entry in entries[1:]]
    if lines:
        vouchers.append(file.evidence.journal if file else None)
    sound = [journal.digest(line) == voucher for (line, _), voucher in zip(lines, vouchers, strict=True)]
    for number, ((_, complete), entry) in enumerate(zip(lines, entries, strict=True), 1):
        index = number - 1
        if entry is None or not complete:
            damages.append(Damage(journal.FILE, tr("Cette ligne n'est pas une entrée du journal."), number))
        elif entry.seq != index:
            damages.append(
                Damage(
                    journal.FILE,
                    tr("Ligne déplacée, ajoutée ou retirée : elle porte le numéro {numero}.", numero=entry.seq),
                    number,
                )
            )
        elif not sound[index] and vouchers[index] is not None:
            damages.append(Damage(journal.FILE, tr("Cette ligne n'est plus celle que la suivante garantit."), number))
    if entries and entries[0] is not None and entries[0].prev != journal.START:
        damages.append(Damage(journal.FILE, tr("Le début du journal manque."), 1))
    if file is not None and len(lines) != file.evidence.entries:
        damages.append(
            Damage(
                journal.FILE,
                tr(
                    "Le journal compte {nombre} lignes au lieu de {attendu}.",
                    nombre=len(lines),
                    attendu=file.evidence.entries,
                ),
                len(lines),
            )
        )
    return damages


def _records(folder: Path, entries: list[Entry | None]) -> list[Damage]:
    damages: list[Damage] = []
    end = 0
    try:
        with (folder / WARC_FILE).open("rb") as file:
            for entry in entries:
                if entry is None or entry.stored is None:
                    continue
                place = entry.stored
                if place.offset != end:
                    damages.append(Damage(WARC_FILE, tr("Des enregistrements manquent ou sont en trop."), 0, end))
                end = place.offset + place.length
                if sha256(_span(file, place)).hexdigest() != place.sha256:
                    damages.append(
                        Damage(
                            WARC_FILE,
                            tr("L'enregistrement de {echange} a changé ou est coupé.", echange=entry.exchange or "–"),
                            0,
                            place.offset,
                        )
                    )
            size = file.seek(0, 2)
    except OSError as error:
        return [Damage(WARC_FILE, tr("Ce fichier ne se lit pas : {erreur}.", erreur=error))]
    if size > end:
        damages.append(Damage(WARC_FILE, tr("Des octets que le journal ne connaît pas suivent la fin."), 0, end))
    return damages


def _bound(folder: Path, files: Mapping[str, str]) -> list[Damage]:
    present = set(bound_files(folder))
    damages = [Damage(name, tr("Ce fichier manque.")) for name in sorted(set(files) - present)]
    damages += [Damage(name, tr("Ce fichier a été ajouté.")) for name in sorted(present - set(files))]
    for name in sorted(present & set(files)):
        if sha256((folder / name).read_bytes()).hexdigest() != files[name]:
            damages.append(Damage(name, tr("Le contenu de ce fichier a changé.")))
    return damages


def _consistent(folder: Path, file: RunFile) -> list[Damage]:
    """run.json says nothing of its own: it must be what the rest of the folder gives."""
    record = read_run(folder)
    if record.root != file.evidence.root:
        return [Damage(RUN, tr("La racine des preuves n'est pas celle du journal et des échanges."))]
    if record.finished is None or record.verdicts is None:
        return [Damage(VERDICTS, tr("Ce fichier manque."))]
    expected = run_file(
        folder, record.begun, record.cases, record.finished, record.verdicts, record.head, record.entries, record.root
    )
    if expected != (folder / RUN).read_bytes():
        return [Damage(RUN, tr("Ce fichier ne dit pas ce que disent les verdicts et le journal."))]
    return []


def _span(file: BinaryIO, place: Stored) -> bytes:
    file.seek(place.offset)
    return file.read(place.length)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> RunFolderError:
    return RunFolderError(
        tr("Ce dossier d'exécution ne se lit pas : {erreur}.", erreur=error.strerror or error),
        file=path,
        remedy=tr("Indiquez le dossier d'une exécution, celui qui contient run.json."),
    )
