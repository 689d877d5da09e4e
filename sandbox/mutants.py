"""Generated faults: one element of a canonical answer taken out or altered. Simple, many, and always the same."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal

from lxml import etree

from norms.behaviour import Change, Fault, Variant
from norms.behaviour.expressions import Expression
from norms.behaviour.operators import OPERATORS
from norms.errors import NormError
from norms.filling import canonical_path, read_base
from norms.model import Norm, Service, Text
from norms.yamlfile import Node

_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def mutants(
    norm: Norm,
    seed: int = 0,
    direction: Literal["request", "response"] = "response",
    variants: Iterable[Variant] = (),
) -> tuple[Fault, ...]:
    """Return the mutants of a norm, in document order: for each element of the canonical answers (or requests, those
    to its companions as well) "remove", and for each element that holds text "alter" (drawn with `seed`; the same seed
    gives the same mutants). They break no named requirement.

    variants: conformant partners; what they remove is not removed, what they write otherwise is not altered.
    """
    changes = [change for variant in variants for change in variant.changes]
    found: list[Fault] = []
    for speaker in norm.speakers if direction == "request" else (norm,):
        for service in speaker.tested_services("client" if direction == "request" else "server"):
            file = canonical_path(speaker, service.kind, direction)
            if file.is_file():
                found += _of_service(speaker, service, file, seed, changes)
    return tuple(found)


def _of_service(norm: Norm, service: Service, file: Path, seed: int, allowed: list[Change]) -> Iterator[Fault]:
    root = read_base(file)
    names = {uri: prefix for prefix, uri in norm.prefixes.items()}
    free = {
        (change.operator.name, node)
        for change in allowed
        if change.concerns(service.kind, "answer") and change.operator.name in ("remove", "set-text")
        for node in change.paths["at"].elements(root, {})
    }
    seen: set[str] = set()
    for node in root.iter(etree.Element):
        place = _path(node, names)
        if place.count("/") < 4 or place in seen:
            continue
        seen.add(place)
        label = f"M-{service.kind}-{len(seen):03d}"
        title = f"{service.kind} {place.rpartition('/')[2]}"
        if ("remove", node) not in free:
            yield _mutant(norm, service, file, f"{label}-R", f"{title} retiré", "remove", {"at": place})
        text = (node.text or "").strip()
        if text and not len(node) and ("set-text", node) not in free:
            altered = _altered(text, random.Random(f"{seed} {service.kind} {place}"))
            changed = {"at": place, "value": altered}
            yield _mutant(norm, service, file, f"{label}-A", f"{title} altéré", "set-text", changed)


def _mutant(
    norm: Norm, service: Service, file: Path, fault_id: str, title: str, operator: str, parameters: dict[str, str]
) -> Fault:
    at = Expression(norm, Node(parameters["at"], 0, file, "", NormError), ())
    change = Change(OPERATORS[operator], parameters, {"at": at}, (service.kind,))
    return Fault(fault_id, Text(fr=title), "", (), (change,))


def _path(node: etree._Element, names: dict[str, str]) -> str:
    steps = []
    for step in (node, *node.iterancestors()):
        name = etree.QName(step)
        prefix = names.get(str(name.namespace), "") if name.namespace else ""
        steps.append(f"{prefix}:{name.localname}" if prefix else name.localname)
    return "/" + "/".join(reversed(steps))


def _altered(text: str, chance: random.Random) -> str:
    """Return another text of the same shape."""
    try:
        return (date.fromisoformat(text) + timedelta(days=chance.choice((-400, -1, 1, 400)))).isoformat()
    except ValueError:
        pass
    places = [index for index, letter in enumerate(text) if letter.isalnum()]
    if not places:
        return f"{text}X"
    index = chance.choice(places)
    choices = "0123456789" if text[index].isdigit() else _LETTERS
    drawn = chance.choice([letter for letter in choices if letter != text[index].upper()])
    return text[:index] + drawn + text[index + 1 :]
