"""The folder of foreign files: what is in it, and which of its files a reference names.

Nothing outside the folder is read and no network is used. An absolute address counts as the file of the folder whose
path ends like it. Sources: WSDL 1.1 §2.1.1, XML Schema part 1 §4.2.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Final, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from lxml import etree

from norms.errors import NormError, UsageError
from norms.i18n import tr

WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
XSD: Final = "http://www.w3.org/2001/XMLSchema"
FILE_BYTES: Final = 16 * 1_048_576
ALL_BYTES: Final = 128 * 1_048_576
FILES: Final = 5000

_SUFFIXES: Final = (".wsdl", ".xsd", ".xml")
_DESCRIPTION: Final = f"{{{WSDL}}}definitions"
_SCHEMA: Final = f"{{{XSD}}}schema"
# How the W3C itself says that a document is a schema; it declares no entity that such a document needs.
_SCHEMA_DOCTYPE: Final = "-//w3c//dtd xmlschema 200102//en"
_ENTITY: Final = re.compile(rb"&(?!(?:lt|gt|amp|apos|quot|#[0-9]+|#x[0-9A-Fa-f]+);)[^\s;&<]*;?")
_COMMENTS: Final = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>", re.DOTALL)


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    return hashlib.sha256(content).hexdigest()


class Kit:
    """The files of one folder. root: that folder; files: WSDL, XSD and XML files below it, sorted; used: those read.

    Raises UsageError for a folder that is none, NormError for one that holds too much.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(tr("Le dossier « {folder} » n'existe pas.", folder=folder))
        self.given, self.root = folder, folder.resolve()
        self.files = tuple(sorted(self._files(), key=lambda path: path.relative_to(self.root).as_posix()))
        self._trees: dict[Path, etree._Element] = {}
        self.used: set[Path] = set()
        self._check_sizes()

    def _files(self) -> Iterator[Path]:
        for path in self.root.rglob("*"):
            relative = path.relative_to(self.root)
            if any(part.startswith(".") for part in relative.parts) or not path.is_file():
                continue
            # A copy of http://…/addressing is called "addressing".
            named = path.suffix.lower() in _SUFFIXES or (not path.suffix and _begins_like_xml(path))
            if named and path.resolve().is_relative_to(self.root):
                yield path

    def _check_sizes(self) -> None:
        if len(self.files) > FILES:
            raise NormError(
                tr("Le dossier compte {count} fichiers ; {limit} au plus.", count=len(self.files), limit=FILES),
                file=self.given,
            )
        total = 0
        for path in self.files:
            size = path.stat().st_size
            total += size
            if size > FILE_BYTES:
                what = tr("Le fichier compte {count} octets ; {limit} au plus.", count=size, limit=FILE_BYTES)
                raise NormError(what, file=self.shown(path), line=1)
        if total > ALL_BYTES:
            raise NormError(
                tr("Les fichiers comptent {count} octets ; {limit} au plus.", count=total, limit=ALL_BYTES),
                file=self.given,
            )

    def shown(self, path: Path) -> Path:
        """Return the path as the person named the folder."""
        return self.given / self.relative(path)

    def relative(self, path: Path) -> Path:
        """Return the path below the folder."""
        return path.relative_to(self.root)

    def descriptions(self) -> list[Path]:
        """Return the WSDL files. Raises NormError for one named so that cannot be read, and when there is none."""
        found = []
        for path in self.files:
            suffix = path.suffix.lower()
            if suffix == ".wsdl" or (suffix == ".xml" and _begins_like_wsdl(path)):
                if self.read(path).tag == _DESCRIPTION:
                    found.append(path)
                elif suffix == ".wsdl":
                    raise NormError(tr("Ce n'est pas un WSDL 1.1."), file=self.shown(path), line=1)
        if not found:
            raise NormError(
                tr("Le dossier ne contient aucun WSDL."),
                file=self.given,
                remedy=tr("Donnez le dossier qui contient le WSDL avec tous les schémas qu'il importe."),
            )
        return found

    def read(self, path: Path) -> etree._Element:
        """Return the root of a file. Raises NormError when it is malformed, has a DOCTYPE or is unreadable."""
        if path not in self._trees:
            self._trees[path] = self._parsed(path)
        self.used.add(path)
        return self._trees[path]

    def _parsed(self, path: Path) -> etree._Element:
        try:
            content = path.read_bytes()
        except OSError as bad:
            what = tr("Le fichier ne peut pas être lu : {why}.", why=bad.strerror)
            raise NormError(what, file=self.shown(path)) from bad
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_pis=True)
        try:
            root = etree.fromstring(content, parser)
        except etree.XMLSyntaxError as bad:
            what = tr("Le XML est mal formé : {why}.", why=bad.msg)
            raise NormError(what, file=self.shown(path), line=bad.lineno or 1) from bad
        info = cast(Any, root.getroottree()).docinfo
        if info.doctype and not (
            root.tag == _SCHEMA
            and (info.public_id or "").strip().lower() == _SCHEMA_DOCTYPE
            and not _ENTITY.search(_COMMENTS.sub(b"", content))
        ):
            raise NormError(
                tr("Un DOCTYPE n'est pas admis."),
                file=self.shown(path),
                line=content[: max(content.find(b"<!DOCTYPE"), 0)].count(b"\n") + 1,
                remedy=tr("Retirez-le du fichier."),
            )
        return root

    def locate(self, location: str, source: Path, line: int, namespace: str | None = None) -> Path:
        """Return the file of the folder that a reference of `source` names.

        namespace: the target namespace that it must have to be taken for an absolute address, None = any. Raises
        NormError at the reference when it leads outside the folder, to the network, or to nothing.
        """
        parts = urlsplit(location.replace("\\", "/").strip())
        if parts.scheme or parts.netloc:
            found = self._by_address(parts.path, parts.query, namespace)
            if found is not None:
                return found
            raise NormError(
                tr("« {location} » est une adresse du réseau et aucun fichier du dossier ne lui correspond.",
                   location=location),
                file=self.shown(source), line=line,
                remedy=tr("Ajoutez-en une copie au dossier, sous le même nom de fichier."),
            )  # fmt: skip
        target = (source.parent / unquote(parts.path)).resolve()
        if not target.is_relative_to(self.root):
            raise NormError(
                tr("« {location} » est hors du dossier « {folder} ».", location=location, folder=self.given),
                file=self.shown(source),
                line=line,
                remedy=tr("Donnez le dossier qui contient tous les fichiers."),
            )
        if target.is_file():
            return target
        folded = str(target).casefold()
        alike = next((path for path in self.files if str(path).casefold() == folded), None)
        alike = alike or self._by_address("", parts.query, namespace)
        if alike is not None:
            return alike
        raise NormError(
            tr("Le fichier « {location} » n'existe pas dans le dossier.", location=location),
            file=self.shown(source),
            line=line,
            remedy=tr("Ajoutez-le ou corrigez la référence."),
        )

    def _by_address(self, path: str, query: str, namespace: str | None) -> Path | None:
        """Return the file whose path has the longest end in common with an address (at least its name)."""
        ends = [PurePosixPath(unquote(path)).parts, *(PurePosixPath(value).parts for _, value in parse_qsl(query))]
        ranked = []
        for file in self.files:
            own = self.relative(file).parts
            common = max(_common_end(end, own) for end in ends)
            if common and (namespace is None or self.namespace(file) == namespace):
                ranked.append((-common, len(own), self.relative(file).as_posix(), file))
        return min(ranked)[3] if ranked else None

    def by_namespace(self, namespace: str) -> Path | None:
        """Return the first schema file of the folder that has that target namespace, None when there is none."""
        schemas = (path for path in self.files if path.suffix.lower() in (".xsd", ""))
        return next((path for path in schemas if self.namespace(path) == namespace), None)

    def namespace(self, path: Path) -> str | None:
        """Return the target namespace of a schema file, None when it is no readable schema."""
        used = path in self.used
        try:
            root = self.read(path)
        except NormError:
            return None
        if not used:
            self.used.discard(path)
        return root.get("targetNamespace", "") if root.tag == _SCHEMA else None


def _begins_like_xml(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(256).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _begins_like_wsdl(path: Path) -> bool:
    with path.open("rb") as file:
        return WSDL.encode() in file.read(16_384)


def _common_end(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    count = 0
    for left, right in zip(reversed(one), reversed(other), strict=False):
        if left.casefold() != right.casefold():
            break
        count += 1
    return count
