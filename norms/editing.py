"""Set keys of a norm.yaml that people wrote: only the values change, comments and layout stay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from norms.errors import NormError
from norms.i18n import tr
from norms.normfile import read_norm_file
from norms.roots import NORM_FILE

# A scalar on the line of its key, and what follows it there.
_VALUE: Final = r"""[ ]*(?:"[^"\n]*"|'[^'\n]*'|[^#\s"'][^#\r\n]*?)?"""
_REST: Final = r"[ \t]*(?:[ \t]#[^\r\n]*)?"


def set_keys(file: Path, wanted: Mapping[str, str], shown: Path) -> None:
    """Write these top-level keys into a norm.yaml. Raises NormError about `shown`, the file as the person knows it."""
    write_whole(file, with_keys(file, wanted, shown))


def with_keys(file: Path, wanted: Mapping[str, str], shown: Path) -> bytes:
    """Return the bytes of norm.yaml with these top-level keys set; raise NormError when one cannot be set."""
    edited = _edited(file.read_bytes().decode("utf-8-sig"), wanted).encode()
    trial = file.with_name(f".{NORM_FILE}")
    try:
        trial.write_bytes(edited)
        read = read_norm_file(trial)
        refused = [key for key, value in wanted.items() if getattr(read, key) != value]
    except NormError:
        refused = list(wanted)
    finally:
        trial.unlink(missing_ok=True)
    if refused:
        raise NormError(
            tr("Ces clés ne peuvent pas être changées : {keys}.", keys=", ".join(refused)),
            file=shown,
            remedy=tr("Écrivez chacune sur sa propre ligne, sous la forme « clé: valeur »."),
        )
    return edited


def write_whole(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(content)
    part.replace(file)


def _edited(text: str, wanted: Mapping[str, str]) -> str:
    """Return norm.yaml with these top-level keys set; a missing one is added after `version`."""
    end = "\r\n" if "\r\n" in text else "\n"
    missing = ""
    for key, value in wanted.items():
        line = re.search(rf"^{key} *:(?= |\r?$)(?:{_VALUE})(?P<rest>{_REST})(?=\r?$)", text, re.MULTILINE)
        if line is None:
            missing += f'{key}: "{value}"{end}'
        else:
            text = f'{text[: line.start()]}{key}: "{value}"{line["rest"]}{text[line.end() :]}'
    version = re.search(r"^version:[^\n]*\n", text, re.MULTILINE)
    place = version.end() if version else len(text)
    return text[:place] + missing + text[place:]
