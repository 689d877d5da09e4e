"""Checks on what the driver or operator of a product says: how it ended, what the user sees. Role client.

A statement counts only where something of the product was observed: who calls nothing may say what he likes.
"""

from __future__ import annotations

from harness.checks.base import Miss, Misses, Scene, one_of
from harness.record import Told
from norms.i18n import mark, tr


def outcome(scene: Scene) -> Misses:
    """Met when the product ended as one of the values: accepted, refused or stopped."""
    expected, told = tr("l'issue {issues}", issues=one_of(scene.values)), _last(scene)
    if not told.outcome:
        return (_unsaid(expected, tr("le pilote ne dit pas l'issue")),)
    if not _witnessed(scene):
        return (_unsaid(expected, tr("le pilote annonce « {issue} », mais rien n'est arrivé", issue=told.outcome)),)
    if told.outcome in scene.values:
        return ()
    message = mark("Le produit annonce l'issue « {trouve} » au lieu de {attendu}.")
    params = {"trouve": told.outcome, "attendu": one_of(scene.values)}
    return (Miss("outcome", message, expected, tr("l'issue « {issue} »", issue=told.outcome), params),)


def shown(scene: Scene) -> Misses:
    """Met when what the user sees contains one of the values."""
    expected, told = tr("un affichage qui contient {textes}", textes=one_of(scene.values)), _last(scene)
    if not told.outcome and not told.shown:
        return (_unsaid(expected, tr("le pilote ne dit pas ce qui est affiché")),)
    if not _witnessed(scene):
        return (_unsaid(expected, tr("le pilote annonce « {texte} », mais rien n'est arrivé", texte=told.shown)),)
    if any(value in told.shown for value in scene.values):
        return ()
    message = mark("L'utilisateur ne lit pas {attendu} mais « {trouve} ».")
    params = {"trouve": told.shown, "attendu": one_of(scene.values)}
    return (Miss("shown", message, expected, f"« {told.shown} »" if told.shown else tr("aucun texte"), params),)


def _last(scene: Scene) -> Told:
    """Return the last statement recorded: the driver speaks when it has done."""
    said = [each.exchange.told for each in scene.siblings if each.exchange.told != Told()]
    return said[-1] if said else Told()


def _witnessed(scene: Scene) -> bool:
    """Tell whether a message of the product was observed, in the step before or in this one."""
    return scene.seen_before or any(each.exchange.outcome == "received" for each in scene.siblings)


def _unsaid(expected: str, why: str) -> Miss:
    message = mark("Ce que montre le produit n'a pas été observé : {pourquoi}.")
    return Miss("not-observed", message, expected, why, {"pourquoi": why}, verdict="inconclusive", blame="CONFIG")
