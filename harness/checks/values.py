"""Checks on what stands at an XPath of the message. Unless said otherwise every node that `at` matches must meet it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from lxml import etree

from harness.checks.base import Miss, Misses, Scene, one_of
from harness.errors import SuiteFault
from harness.observed import Observed
from harness.places import Spot, spot_of, spots
from norms.amounts import read_amount
from norms.functions import functions_for, xpath
from norms.i18n import mark, tr


def at(scene: Scene, observed: Observed | None = None) -> list[Spot]:
    """Return what the expectation's XPath selects in the message (or in another one)."""
    seen = observed or scene.observed
    return spots(xpath(seen.norm, scene.expectation.at)(seen.root), seen.norm)


def nothing(scene: Scene, expected: str) -> Miss:
    """Return the miss of an XPath that selects nothing."""
    place = scene.expectation.at
    message = mark("Rien ne se trouve à « {place} ».")
    return Miss("missing", message, expected, tr("rien à cet endroit"), {"place": place}, place)


def _each(scene: Scene, expected: str, reason: str, message: str, meets: Callable[[str], bool]) -> Misses:
    found = at(scene)
    if not found:
        return (nothing(scene, expected),)
    return tuple(
        Miss(
            reason,
            message,
            expected,
            f"« {spot.text} »",
            {"trouve": spot.text, "attendu": expected},
            spot.path or scene.expectation.at,
            spot.line,
        )
        for spot in found
        if not meets(spot.text)
    )


def equals(scene: Scene) -> Misses:
    """Met when the text is one of the values."""
    expected = one_of(scene.values)
    message = mark("Le texte est « {trouve} » au lieu de {attendu}.")
    return _each(scene, expected, "value", message, lambda text: text in scene.values)


def only(scene: Scene) -> Misses:
    """Met when the text is one of the values, or there is none: for content that the norm leaves free to be absent."""
    return equals(scene) if at(scene) else ()


def differs(scene: Scene) -> Misses:
    """Met when the text is none of the values."""
    expected = tr("autre chose que {valeurs}", valeurs=one_of(scene.values))
    return _each(
        scene,
        expected,
        "value-forbidden",
        mark("Le texte « {trouve} » est interdit ici."),
        lambda text: text not in scene.values,
    )


def code(scene: Scene) -> Misses:
    """Met when the code is one of the values, and a member of the table today when one is named."""
    expected = tr("code {valeurs}", valeurs=one_of(scene.values))
    missed = in_table(scene) if scene.expectation.table else ()
    if missed:
        return missed
    message = mark("Le code est « {trouve} » au lieu de {attendu}.")
    return _each(scene, expected, "code", message, lambda text: text in scene.values)


def in_table(scene: Scene) -> Misses:
    """Met when the code is a member of the table on the day of the run."""
    table, day = scene.expectation.table, scene.context.today
    tables = functions_for(scene.context.norm).tables
    expected = tr("un code de la table « {table} » en vigueur le {jour}", table=table, jour=day.isoformat())
    message = mark("Le code « {trouve} » n'est pas {attendu}.")
    return _each(scene, expected, "code-table", message, lambda text: tables.has(table, text, day))


def amount(scene: Scene) -> Misses:
    """Met when the amount equals one of the values, as exact decimals."""
    wanted: set[Decimal] = set()
    for value in scene.values:
        number = read_amount(value)
        if number is None:
            raise SuiteFault(tr("« {valeur} » n'est pas un montant.", valeur=value))
        wanted.add(number)
    expected = tr("montant {valeurs}", valeurs=one_of(scene.values))
    message = mark("Le montant est « {trouve} » au lieu de {attendu}.")
    return _each(scene, expected, "amount", message, lambda text: read_amount(text) in wanted)


def matches(scene: Scene) -> Misses:
    """Met when the whole text matches one of the regular expressions."""
    patterns = [re.compile(value) for value in scene.values]
    expected = tr("un texte de la forme {formes}", formes=one_of(scene.values))
    message = mark("Le texte « {trouve} » n'a pas la forme attendue.")
    return _each(scene, expected, "pattern", message, lambda text: any(each.fullmatch(text) for each in patterns))


def near_now(scene: Scene) -> Misses:
    """Met when the time is within `value` seconds of the laboratory's clock at the moment the message arrived."""
    seconds = int(scene.values[0])
    expected = tr("l'heure du laboratoire, à {secondes} s près", secondes=seconds)

    def meets(text: str) -> bool:
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            return False
        return time.tzinfo is not None and abs((time - scene.observed.at).total_seconds()) <= seconds

    return _each(scene, expected, "clock", mark("L'instant « {trouve} » n'est pas {attendu}."), meets)


def not_before(scene: Scene) -> Misses:
    """Met when each date that the XPath selects is `value` or later; an end need not be known, so none is fine too."""
    if not at(scene):
        return ()
    first = scene.values[0]

    def meets(text: str) -> bool:
        try:
            return date.fromisoformat(text) >= date.fromisoformat(first)
        except ValueError:
            return False

    expected = tr("le {date} ou plus tard", date=first)
    return _each(scene, expected, "too-early", mark("La date « {trouve} » n'est pas {attendu}."), meets)


def present(scene: Scene) -> Misses:
    """Met when the XPath selects something."""
    return () if at(scene) else (nothing(scene, tr("un élément présent")),)


def absent(scene: Scene) -> Misses:
    """Met when the XPath selects nothing."""
    found = at(scene)
    if not found:
        return ()
    place = found[0].path or scene.expectation.at
    message = mark("« {place} » ne devait pas figurer dans le message.")
    return (
        Miss("forbidden", message, tr("rien à cet endroit"), tr("présent"), {"place": place}, place, found[0].line),
    )


def count(scene: Scene) -> Misses:
    """Met when the XPath selects exactly `value` nodes."""
    wanted, found = int(scene.values[0]), len(at(scene))
    if found == wanted:
        return ()
    return (
        Miss(
            "count",
            mark("{trouve} éléments au lieu de {attendu}."),
            tr("{nombre} éléments", nombre=wanted),
            tr("{nombre} éléments", nombre=found),
            {"trouve": str(found), "attendu": str(wanted)},
            scene.expectation.at,
        ),
    )


def excludes(scene: Scene) -> Misses:
    """Met when none of the values occurs in a text or an attribute of the message."""
    forbidden = [value for value in scene.values if value]
    if not forbidden:
        raise SuiteFault(tr("« excludes » n'a aucune valeur à chercher."))
    for element in scene.observed.root.iter(etree.Element):
        texts = [element.text or "", element.tail or "", *(str(value) for value in element.attrib.values())]
        if any(value in text for value in forbidden for text in texts):
            spot = spot_of(element, scene.context.norm)
            message = mark("Une valeur qui ne doit pas être communiquée figure à « {place} ».")
            params = {"place": spot.path}
            found = Miss(
                "disclosed", message, tr("valeur absente"), tr("valeur présente"), params, spot.path, spot.line
            )
            return (found,)
    return ()
