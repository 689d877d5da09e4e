"""Which recording is a file? Told by its first bytes, whatever its name."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Final

from harness.observation.har import HarRecording
from harness.observation.recording import Recording, RecordingError
from harness.observation.warc_exchanges import WarcRecording
from norms.errors import UsageError
from norms.i18n import tr

_GZIP: Final = b"\x1f\x8b"
_LOOKED_AT: Final = 64


def open_recording(path: Path) -> Recording:
    """Return the recording in a file. Raises UsageError when there is no file, RecordingError when it holds none."""
    if path.is_dir():
        raise UsageError(tr("« {path} » est un dossier : donnez un fichier WARC ou HAR.", path=path))
    if not path.is_file():
        raise UsageError(tr("Le fichier « {path} » n'existe pas.", path=path))
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT)
    compressed = start.startswith(_GZIP)
    if compressed:
        start = _inflated_start(path)
    if start.startswith(b"WARC/"):
        return WarcRecording(path, compressed=compressed)
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return HarRecording(path, compressed=compressed)
    raise RecordingError(
        tr("Ce fichier est vide.") if not start else tr("Ce fichier n'est ni un WARC ni un HAR."),
        file=path,
        remedy=tr("Donnez un enregistrement WARC (ISO 28500), compressé ou non, ou un HAR 1.2."),
    )


def _inflated_start(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as file:
            return file.read(_LOOKED_AT)
    except (EOFError, zlib.error, gzip.BadGzipFile) as broken:
        raise RecordingError(
            tr("La compression gzip est abîmée ou coupée."),
            file=path,
            remedy=tr("Enregistrez de nouveau, ou réparez le fichier avec l'outil qui l'a écrit."),
        ) from broken
