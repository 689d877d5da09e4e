"""What every test of decisions needs: a fixed day and instant, test persons, edited messages, readings of answers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from lxml import etree

from norms.behaviour import Answer, Behaviour, RandomIds
from norms.model import Norm

TODAY = date(2026, 11, 21)
_PLACES = {
    "//com:Nir": "nir",
    "//com:CleNir": "cle_nir",
    "//com:DateNaissance": "date_naissance",
    "//com:RangGemellaire": "rang",
    "//com:NumeroAMC": "numero_amc",
    "//com:NumeroAdherent": "numero_adherent",
}


class FixedIds(RandomIds):
    """The real identifiers at a fixed instant of TODAY."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 10, tzinfo=UTC)


def person_of(behaviour: Behaviour, pool: str, index: int = 0) -> dict[str, str]:
    """Return the edits that make a message speak of a person of a pool."""
    values = behaviour.population.pool(pool)[index].values
    return {place: values[name] for place, name in _PLACES.items()}


def edited(norm: Norm, file: str | Path, edits: dict[str, str]) -> etree._Element:
    """Return the message of a file of the norm with edits (XPath -> text); each must find something."""
    root = etree.parse(norm.root / file).getroot()
    for path, value in edits.items():
        nodes = root.xpath(path, namespaces=norm.prefixes)
        assert isinstance(nodes, list) and nodes, path
        for node in nodes:
            assert isinstance(node, etree._Element)
            node.text = value
    return root


def found(answer: Answer, name: str) -> list[str]:
    """Return the texts of the elements of that local name."""
    return [node.text or "" for node in answer.root.iter(f"{{*}}{name}")]
