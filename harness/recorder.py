"""Writes the evidence of a run: WARC records first, then the journal lines that bind them, synced before it counts.

A case is written as one block: its exchanges, their journal lines, and last its `case` line. Whatever a crash leaves
after the last complete block is cut off when the run is resumed, so every case stands exactly once in the record.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, Literal

from harness import warc
from harness.errors import EvidenceError, RunFolderError
from harness.journal import FILE as JOURNAL
from harness.journal import START, Begun, Entry, Stored, decode, digest, encode, lines
from harness.record import Exchange, was_relayed
from norms.i18n import tr

WARC_FILE: Final = "exchanges.warc.gz"
CLOCK_TOLERANCE: Final = timedelta(seconds=5)
Opener = Callable[[Path], BinaryIO]


def append_mode(path: Path) -> BinaryIO:
    """Open a file for appending bytes."""
    return path.open("ab")


def now() -> datetime:
    """Return the present, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class CaseRecord:
    """A finished case as it goes into the record. state, reason: why it was not judged on its exchanges alone."""

    case: str
    verdict: str
    state: Literal["", "not_run", "error"]
    reason: str
    exchanges: tuple[Exchange, ...]
    duration_ms: float


@dataclass(frozen=True)
class Kept:
    """What an interrupted run has kept. cases: entries of whole cases in order; exchanges: where each case's are."""

    begun: Begun
    cases: tuple[Entry, ...]
    exchanges: dict[str, tuple[Stored, ...]]
    finished: bool


@dataclass
class Recorder:
    """Appends to the journal and the WARC file of one run folder. Used by one thread at a time.

    Every failed write raises EvidenceError, and so does every later call: after it nothing may be acknowledged.
    """

    folder: Path
    opener: Opener = append_mode
    clock: Callable[[], datetime] = now
    _seq: int = field(default=0, init=False)
    _prev: str = field(default=START, init=False)
    _last_time: datetime | None = field(default=None, init=False)
    _warc_length: int = field(default=0, init=False)
    _journal: BinaryIO | None = field(default=None, init=False)
    _warc: BinaryIO | None = field(default=None, init=False)
    _failed: bool = field(default=False, init=False)

    def begin(self, begun: Begun) -> None:
        """Start the record of a new run."""
        self._open()
        try:
            info = warc.first_record(begun.tool, _stamp(self.clock()))
            self._line(Entry(0, "", "", "run-started", begun=begun, stored=self._store(info)))
            self.sync()
        except EvidenceError:
            self.close()
            raise

    def resume(self) -> Kept:
        """Cut what a crash left half written, and continue after the last whole case.

        Raises RunFolderError when the folder holds no run, or one damaged before its end; EvidenceError when the
        clock stands before the last entry.
        """
        kept, journal_length = self._read()
        if kept.finished:
            return kept
        self._cut(self.folder / JOURNAL, journal_length)
        self._cut(self.folder / WARC_FILE, self._warc_length)
        self._open()
        try:
            self._line(Entry(0, "", "", "run-resumed"))
            self.sync()
        except EvidenceError:
            self.close()
            raise
        return kept

    def case(self, record: CaseRecord) -> None:
        """Append a whole case. It counts once `sync` has returned."""
        block = [warc.stored(exchange) for exchange in record.exchanges]
        stored = [self._store(data) for data in block]
        for exchange, place in zip(record.exchanges, stored, strict=True):
            self._line(
                Entry(
                    0,
                    "",
                    "",
                    "exchange",
                    case=record.case,
                    exchange=exchange.id,
                    outcome=exchange.outcome,
                    stored=place,
                )
            )
        self._line(
            Entry(
                0,
                "",
                "",
                "case",
                case=record.case,
                verdict=record.verdict,
                state=record.state,
                reason=record.reason,
                exchanges=len(stored),
                relayed=sum(map(was_relayed, record.exchanges)),
                duration_ms=round(float(record.duration_ms), 3),
            )
        )

    def finish(self, files: dict[str, str], stopped: str) -> None:
        """Write the final line: digests of the folder's other files, and why the run stopped early ("" when not)."""
        self._line(Entry(0, "", "", "run-finished", files=files, warc_length=self._warc_length, stopped=stopped))
        self.sync()
        self.close()

    def sync(self) -> None:
        """Put everything on the disk, records before the lines that name them."""
        for file in (self._warc, self._journal):
            self._write(file, b"", sync=True)

    def close(self) -> None:
        """Close the files; what was not synced does not count."""
        for file in (self._warc, self._journal):
            if file is not None:
                try:
                    file.close()
                except OSError:
                    self._failed = True
        self._warc = self._journal = None

    # --- writing

    def _open(self) -> None:
        try:
            self._warc = self.opener(self.folder / WARC_FILE)
            self._journal = self.opener(self.folder / JOURNAL)
        except OSError as error:
            raise self._lost(error) from error

    def _store(self, data: bytes) -> Stored:
        place = Stored(self._warc_length, len(data), sha256(data).hexdigest())
        self._write(self._warc, data)
        self._warc_length += len(data)
        return place

    def _line(self, entry: Entry) -> None:
        moment = self.clock()
        if self._last_time is not None and moment < self._last_time - CLOCK_TOLERANCE:
            self._failed = True
            raise EvidenceError(
                tr("L'horloge est en retard sur la dernière entrée du journal ({moment}).", moment=self._last_time)
                + " "
                + tr("Remettez-la à l'heure, puis reprenez l'exécution.")
            )
        self._last_time = moment
        fields = {name: getattr(entry, name) for name in entry.__struct_fields__}
        line = encode(Entry(**(fields | {"seq": self._seq, "prev": self._prev, "time": _stamp(moment)})))
        self._write(self._journal, line + b"\n")
        self._seq, self._prev = self._seq + 1, digest(line)

    def _write(self, file: BinaryIO | None, data: bytes, *, sync: bool = False) -> None:
        if self._failed or file is None:
            raise EvidenceError(tr("Les preuves ne peuvent plus être écrites."))
        try:
            if data:
                file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        except (OSError, ValueError) as error:
            raise self._lost(error) from error

    def _lost(self, error: OSError | ValueError) -> EvidenceError:
        self._failed = True
        return EvidenceError(
            tr(
                "Les preuves ne peuvent pas être écrites dans « {dossier} » : {erreur}.",
                dossier=self.folder,
                erreur=error,
            )
        )

    def _cut(self, path: Path, length: int) -> None:
        try:
            with path.open("r+b") as file:
                file.truncate(length)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._lost(error) from error

    # --- reading what is there

    def _read(self) -> tuple[Kept, int]:
        path = self.folder / JOURNAL
        try:
            warc_size = (self.folder / WARC_FILE).stat().st_size
            found = list(lines(path))
        except OSError as error:
            raise RunFolderError(
                tr("Ce dossier ne contient pas d'exécution à reprendre."),
                file=self.folder,
                remedy=tr("Indiquez le dossier d'une exécution interrompue."),
            ) from error
        begun: Begun | None = None
        cases: list[Entry] = []
        places: dict[str, tuple[Stored, ...]] = {}
        pending: list[Stored] = []
        length = position = warc_end = 0
        finished = False
        prev = START
        for number, (line, complete) in enumerate(found):
            entry = decode(line) if complete else None
            if entry is None or entry.seq != number or entry.prev != prev:
                # A line that is whole but does not follow the one before says that the one before has changed.
                changed = number if entry is not None and entry.seq == number else number + 1
                self._must_be_the_tail(path, found, number, changed)
                break
            prev, position = digest(line), position + len(line) + 1
            if entry.stored is not None:
                warc_end = entry.stored.offset + entry.stored.length
                if warc_end > warc_size:
                    break
                pending.append(entry.stored)
            if entry.event == "exchange":
                continue
            if entry.event == "run-started":
                begun = entry.begun
            elif entry.event == "case":
                cases.append(entry)
                places[entry.case] = tuple(pending)
            pending = []
            finished = entry.event == "run-finished"
            self._seq, self._prev, self._warc_length = number + 1, prev, warc_end
            self._last_time, length = datetime.fromisoformat(entry.time), position
        if begun is None:
            raise RunFolderError(
                tr("L'exécution s'est arrêtée avant son premier enregistrement."),
                file=path,
                remedy=tr("Supprimez ce dossier et lancez une nouvelle exécution."),
            )
        return Kept(begun, tuple(cases), places, finished), length

    def _must_be_the_tail(self, path: Path, found: Sequence[tuple[bytes, bool]], number: int, changed: int) -> None:
        """A crash tears the end only: a bad line with good ones after it was changed by somebody."""
        if any(complete and decode(line) is not None for line, complete in found[number + 1 :]):
            raise RunFolderError(
                tr("Le journal a été modifié : cette ligne n'est plus celle qui a été écrite."),
                file=path,
                line=changed,
                remedy=tr("Cette exécution ne peut pas être reprise ; lancez-en une nouvelle."),
            )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
