"""The scenarios of a new norm: those of the version that it begins from, under the same ids, or one per operation."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from norms.errors import UsageError
from norms.i18n import tr, tr_in
from norms.model import Norm
from scenarios.reader import default_roots


def target_of(root: Path, name: str, version: str) -> Path:
    """Return the folder of a version's scenarios below a root. Raises UsageError when it exists already."""
    folder = root / name / version
    if folder.exists():
        raise UsageError(tr("« {folder} » existe déjà ; rien n'est écrit.", folder=folder))
    return folder


def copy_scenarios(source: Norm, target: Path) -> int:
    """Copy every scenario of `source` itself to target/role/ and return how many.

    Those of the norms that it uses stay with them. Of two with one file name the first wins.
    """
    copied = 0
    for root in default_roots():
        for file in sorted((root / source.id / source.version).glob("*/*.yaml")):
            place = target / file.parent.name / file.name
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, place)
                copied += 1
    return copied


def write_first_pages(norm: Norm, letters: str, requirement_of: Callable[[str], str], target: Path) -> int:
    """Write one server page per service to target/server: a canonical request gets the payload of its answer.

    letters: what scenario ids begin with; requirement_of: kind -> the requirement that the page proves. Returns how
    many were written.
    """
    folder = target / "server"
    folder.mkdir(parents=True)
    for number, service in enumerate(norm.services, 1):
        requirement = requirement_of(service.kind)
        claim = next((one.applies_if for one in norm.requirements if one.id == requirement), "")
        identifier = f"{letters}-S-{number:03}"
        soap = f"soap{service.soap.replace('.', '')}"
        place = f"/{soap}:Envelope/{soap}:Body/{service.response.element}"
        title = _both("La demande {kind} reçoit sa réponse", kind=service.kind)
        purpose = _both("Vérifier qu'une demande {kind} valide reçoit une réponse valide.", kind=service.kind)
        lines = [
            f"id: {identifier}",
            f"title: {title}",
            "role: server",
            f"purpose: {purpose}",
            *([f"applies_if: {claim}"] if claim else []),
            "steps:",
            f"  - send: {service.kind}",
            "    expect:",
            f"      - {{requirement: {requirement}, check: present, at: {json.dumps(place)}}}",
        ]
        text = "\n".join((*lines, ""))
        (folder / f"{identifier}.yaml").write_text(text, encoding="utf-8", newline="\n")
    return len(norm.services)


def _both(message: str, **values: object) -> str:
    """Return a text for people in both languages, as YAML."""
    both = {language: json.dumps(tr_in(language, message, **values), ensure_ascii=False) for language in ("fr", "en")}
    return f"{{fr: {both['fr']}, en: {both['en']}}}"
