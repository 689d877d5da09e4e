"""The files of a run folder that do not grow: suite, declaration, norm, anchors, certificates seen.

Every file is written whole or not at all, and synced. Source: docs/formats/run.md.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from harness.errors import EvidenceError
from norms.digest import WITHDRAWAL, normative_files
from norms.i18n import tr
from norms.model import Norm
from scenarios.declaration import Declaration

SUITE: Final = "suite.json"
SUT: Final = "sut.json"
VERDICTS: Final = "verdicts.json"
RUN: Final = "run.json"
NORM: Final = "norm"
ANCHORS: Final = "anchors"
PEERS: Final = "peers"
FIXED: Final = (SUITE, SUT, VERDICTS)
"""Single files that the journal's last line binds; the folders norm/, anchors/ and peers/ are bound file by file."""

_HIDDEN: Final = "•••"
_WRITERS: Final = 8
_ANCHOR_SUFFIXES: Final = (".pem", ".crt", ".cer", ".crl")


class SutRecord(msgspec.Struct, frozen=True):
    """sut.json: what was declared, without keys, passwords and secret values.

    identities: SHA-256 of the certificate file by use; ixit: values, secret ones hidden.
    """

    format: str
    vendor: str
    name: str
    version: str
    norm: str
    role: str
    profiles: tuple[str, ...]
    endpoints: dict[str, str]
    ics: dict[str, str]
    ixit: dict[str, str]
    identities: dict[str, str]
    certification: bool
    exchange_seconds: float


def sut_record(norm: Norm, declaration: Declaration) -> SutRecord:
    """Return what of the declaration belongs into the record."""
    product = declaration.product
    secret = {value.name for value in norm.extra_values if value.secret}
    return SutRecord(
        format="poincon/sut/1",
        vendor=product.vendor,
        name=product.name,
        version=product.version,
        norm=product.norm,
        role=product.role,
        profiles=product.profiles,
        endpoints=product.endpoints,
        ics={name: str(answer) for name, answer in declaration.ics.items()},
        ixit={name: _HIDDEN if name in secret else value for name, value in declaration.ixit.values.items()},
        identities={
            use: hashlib.sha256(files.certificate.read_bytes()).hexdigest()
            for use, files in declaration.laboratory.identities.items()
            if files.certificate.is_file()
        },
        certification=declaration.certification,
        exchange_seconds=declaration.timeouts.exchange,
    )


def canonical(value: object) -> bytes:
    """Return the canonical JSON of a struct: sorted keys, one space of indent, one final line end."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1) + b"\n"


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and sync it; raises EvidenceError."""
    draft = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise EvidenceError(
            tr("Le fichier de preuve « {fichier} » ne peut pas être écrit : {erreur}.", fichier=path, erreur=error)
        ) from error


def copy_norm(norm: Norm, folder: Path) -> None:
    """Copy the normative files of the norm, of its companions and of those they use below norm/, as <id>/<version>/.

    The record of a withdrawal goes along: the bilan of a trial run says that the norm is withdrawn.
    """
    copies = [
        (folder / NORM / each.id / each.version / source.relative_to(each.root), source)
        for each in {member.ref: member for speaker in norm.speakers for member in speaker.family}.values()
        for source in (*normative_files(each.root), *each.root.glob(WITHDRAWAL))
    ]
    # A disk syncs several files in the time of one.
    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(lambda copy: write(copy[0], copy[1].read_bytes()), copies))


def copy_anchors(declaration: Declaration, folder: Path) -> None:
    """Copy the trust anchors and revocation lists below anchors/, numbered in their order."""
    files = (*declaration.laboratory.anchors, *declaration.laboratory.revocations)
    for number, source in enumerate(files, 1):
        suffix = source.suffix if source.suffix in _ANCHOR_SUFFIXES else ".pem"
        write(folder / ANCHORS / f"{number:02}-{source.stem}{suffix}", source.read_bytes())


def bound_files(folder: Path) -> Iterator[str]:
    """Yield the paths (with /) of the files that the journal's last line binds, sorted."""
    names = [name for name in FIXED if (folder / name).is_file()]
    for part in (NORM, ANCHORS, PEERS):
        names += [path.relative_to(folder).as_posix() for path in (folder / part).rglob("*") if path.is_file()]
    yield from sorted(names)


def file_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 (hex) of every bound file by its path."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in bound_files(folder)}


class Peers:
    """The server and client certificates seen during a run, each kept once as peers/<sha256>.der."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / PEERS
        self._lock = threading.Lock()
        for draft in self._folder.glob("*.part"):
            draft.unlink()  # left by a crash
        self.certificates: dict[str, bytes] = dict(read_peers(folder))

    def add(self, digest: str, der: bytes) -> None:
        """Keep a certificate; on the disk before this returns."""
        with self._lock:
            if digest not in self.certificates:
                write(self._folder / f"{digest}.der", der)
                self.certificates[digest] = der


def read_peers(folder: Path) -> Mapping[str, bytes]:
    """Return the certificates of peers/ by their SHA-256."""
    return {path.stem: path.read_bytes() for path in sorted((folder / PEERS).glob("*.der"))}
