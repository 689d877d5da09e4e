"""WARC files record by record, in bounded memory: any writer's, 0.17 to 1.1, compressed or not (ISO 28500).

Unlike `harness.warc`, which restores what a run of ours stored, this reads what anybody wrote, and says where a file is
cut or is none. A block larger than MOST_BLOCK is passed over; its record comes without it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from harness.observation.recording import RecordingError
from norms.i18n import tr

MOST_BLOCK: Final = 32 * 1024 * 1024
MOST_BYTES: Final = 64 * 1024 * 1024 * 1024
_MOST_HEAD: Final = 65_536
_PIECE: Final = 65_536
_VERSION: Final = re.compile(rb"WARC/\d+\.\d+")


class WarcRecord(msgspec.Struct, frozen=True):
    """One record. headers: names in lower case, in order; block: None when it was too large to be read."""

    kind: str
    headers: tuple[tuple[str, str], ...]
    block: bytes | None

    def header(self, name: str) -> str:
        """Return the first value of a header, "" when it is absent."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a header."""
        return tuple(value for key, value in self.headers if key == name)


class WarcRecords:
    """The records of an open file. stream: its bytes, inflated; path: for messages."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream, self._path = stream, path
        self._number, self._total = 0, 0

    def __iter__(self) -> Iterator[WarcRecord]:
        """Yield the records. Raises RecordingError where the file is cut, damaged or no WARC."""
        try:
            while (version := self._version()) is not None:
                self._number += 1
                yield self._record(version)
        except EOFError as cut:
            raise self._cut() from cut
        except (zlib.error, OSError) as broken:
            # gzip says BadGzipFile, an OSError, for a wrong magic number or checksum.
            raise self._fault(tr("La compression gzip est abîmée après l'enregistrement {nombre}.")) from broken

    def _version(self) -> bytes | None:
        """Return the line that begins the next record, None at the end of the file."""
        while True:
            line = self._line()
            if not line:
                return None
            if line.strip(b"\r\n"):
                return line.strip(b"\r\n \t")

    def _record(self, version: bytes) -> WarcRecord:
        if not _VERSION.fullmatch(version):
            raise self._fault(tr("L'enregistrement {nombre} ne commence pas comme un enregistrement WARC."))
        headers, size = list[tuple[str, str]](), 0
        while True:
            line = self._line()
            if not line:
                raise EOFError
            size += len(line)
            if size > _MOST_HEAD:
                raise self._fault(tr("Les en-têtes de l'enregistrement {nombre} sont trop longs."))
            text = line.decode("utf-8", "replace").strip("\r\n")
            if not text:
                break
            if text[0] in " \t" and headers:
                headers[-1] = (headers[-1][0], f"{headers[-1][1]} {text.strip()}")
                continue
            name, _, value = text.partition(":")
            headers.append((name.strip().lower(), value.strip()))
        record = WarcRecord(next((value for name, value in headers if name == "warc-type"), ""), tuple(headers), None)
        length = record.header("content-length")
        if not (length.isascii() and length.isdecimal() and len(length) < 16):
            raise self._fault(tr("L'enregistrement {nombre} ne dit pas sa longueur."))
        return msgspec.structs.replace(record, block=self._block(int(length)))

    def _block(self, length: int) -> bytes | None:
        if length <= MOST_BLOCK:
            block = self._stream.read(length)
            self._count(len(block))
            if len(block) < length:
                raise EOFError
            return block
        while length:
            piece = self._stream.read(min(length, _PIECE))
            self._count(len(piece))
            if not piece:
                raise EOFError
            length -= len(piece)
        return None

    def _line(self) -> bytes:
        line = self._stream.readline(_MOST_HEAD)
        self._count(len(line))
        return line

    def _count(self, size: int) -> None:
        self._total += size
        if self._total > MOST_BYTES:
            raise self._fault(tr("Ce fichier compte trop d'octets une fois décompressé (enregistrement {nombre})."))

    def _cut(self) -> RecordingError:
        return self._fault(tr("Ce fichier est coupé dans l'enregistrement {nombre}."))

    def _fault(self, what: str) -> RecordingError:
        return RecordingError(
            what.format(nombre=self._number or 1),
            file=self._path,
            remedy=tr("Enregistrez de nouveau, ou réparez le fichier avec l'outil qui l'a écrit."),
        )
