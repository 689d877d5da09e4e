"""Checks that compare several messages: an earlier step, the copies of a parallel step, a silence."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from harness.checks.base import Miss, Misses, PremiseMissing, Scene, one_of
from harness.checks.values import at, nothing
from harness.observed import Observed, moment
from harness.places import Spot
from norms.i18n import mark, tr
from norms.identify import heard
from norms.model import Norm

_MILLISECOND: Final = timedelta(milliseconds=5)


def same_as_step(scene: Scene) -> Misses | None:
    """Met when the texts are those of the same XPath in the message received at step `step`.

    Says nothing when neither message has any: content that the norm leaves free may be absent from both.
    """
    before, now = _before(scene), at(scene)
    if not before and not now:
        return None
    expected = tr("le même texte qu'à l'étape {etape} : {textes}", etape=scene.expectation.step, textes=_texts(before))
    if not now:
        return (nothing(scene, expected),)
    if [spot.text for spot in before] == [spot.text for spot in now]:
        return ()
    message = mark("Le texte a changé depuis l'étape {etape} : {trouve}.")
    return (_compared(scene, "differs-from-step", message, expected, now),)


def differs_from_step(scene: Scene) -> Misses:
    """Met when no text at the XPath is one of those in the message received at step `step`, which had some."""
    before, now = _before(scene), at(scene)
    if not before:
        raise PremiseMissing(tr("L'étape {etape} n'a pas apporté ce texte.", etape=scene.expectation.step))
    expected = tr("un autre texte qu'à l'étape {etape}", etape=scene.expectation.step)
    if not now:
        return (nothing(scene, expected),)
    if not {spot.text for spot in before} & {spot.text for spot in now}:
        return ()
    message = mark("Le texte est encore celui de l'étape {etape} : {trouve}.")
    return (_compared(scene, "same-as-step", message, expected, now),)


def _before(scene: Scene) -> list[Spot]:
    earlier = scene.earlier.get(scene.expectation.step)
    if earlier is None:
        raise PremiseMissing(tr("L'étape {etape} n'a pas apporté de message.", etape=scene.expectation.step))
    return at(scene, earlier)


def _compared(scene: Scene, reason: str, message: str, expected: str, now: list[Spot]) -> Miss:
    params = {"etape": str(scene.expectation.step), "trouve": _texts(now)}
    return Miss(reason, message, expected, _texts(now), params, now[0].path or scene.expectation.at, now[0].line)


def unique_across_parallel(scene: Scene) -> Misses:
    """Met when the text is there and different in each answer of the step."""
    texts, expected = _across(scene), tr("un texte différent dans chaque réponse")
    if any(not each for each in texts):
        return (nothing(scene, expected),)
    flat = [spot.text for each in texts for spot in each]
    twice = sorted({text for text in flat if flat.count(text) > 1})
    if not twice:
        return ()
    message = mark("Des réponses simultanées portent le même texte : {trouve}.")
    found = one_of(tuple(twice))
    return (Miss("not-unique", message, expected, found, {"trouve": found}, scene.expectation.at),)


def consistent_across_parallel(scene: Scene) -> Misses:
    """Met when the text is there and the same in all answers of the step."""
    texts, expected = _across(scene), tr("le même texte dans toutes les réponses")
    if any(not each for each in texts):
        return (nothing(scene, expected),)
    different = sorted({_texts(each) for each in texts})
    if len(different) == 1:
        return ()
    message, found = mark("Des réponses simultanées se contredisent : {trouve}."), " / ".join(different)
    return (Miss("inconsistent", message, expected, found, {"trouve": found}, scene.expectation.at),)


def _across(scene: Scene) -> list[list[Spot]]:
    if len(scene.siblings) < 2:
        raise PremiseMissing(tr("Moins de deux réponses simultanées ont été enregistrées."))
    return [at(scene, sibling) for sibling in scene.siblings]


def arrived(scene: Scene) -> Misses:
    """Met when a message of one of these kinds arrived by the end of the quiet time of the step.

    Its absence is held against the product only if the message before was seen and the driver says that the action
    was granted: whoever says nothing, or that it went no further, may not have been asked as the page wants.
    """
    expected = tr("un message {genres}", genres=one_of(scene.values))
    if any(each.exchange.outcome == "received" and _kind(scene, each) in scene.values for each in scene.siblings):
        return ()
    if not scene.seen_before:
        return (_unknown(expected, tr("le message précédent n'a pas été observé")),)
    if not any(each.exchange.told.outcome == "accepted" for each in scene.siblings):
        return (_unknown(expected, tr("le pilote ne dit pas que l'action a abouti")),)
    message = mark("Le produit dit avoir abouti sans avoir envoyé {attendu}.")
    return (Miss("not-sent", message, expected, tr("aucun message de ce genre"), {"attendu": expected}),)


def absent_next(scene: Scene) -> Misses:
    """Met when none of these kinds arrived during the quiet time of the step.

    It counts only if the message before was seen, the driver reported completion and the quiet time passed in full.
    """
    expected = tr("aucun message {genres}", genres=one_of(scene.values))
    for sibling in scene.siblings:
        if sibling.exchange.outcome != "received":
            continue
        kind = _kind(scene, sibling)
        if kind in scene.values:
            message = mark("Un message « {genre} » est arrivé alors qu'il ne devait pas être envoyé.")
            actual = tr("un message « {genre} »", genre=kind)
            return (Miss("sent-anyway", message, expected, actual, {"genre": kind}),)
        if not kind:
            return (_unknown(expected, tr("un message dont le genre est illisible est arrivé")),)
    silences = [each.exchange for each in scene.siblings if each.exchange.outcome == "silent"]
    quiet = timedelta(seconds=scene.step.quiet_seconds)
    if not scene.seen_before:
        return (_unknown(expected, tr("le message précédent n'a pas été observé")),)
    if not any(each.driver == "completed" for each in silences):
        return (_unknown(expected, tr("le pilote n'a pas confirmé la fin de l'action")),)
    if not any(moment(each.received_at) - moment(each.sent_at) + _MILLISECOND >= quiet for each in silences):
        return (_unknown(expected, tr("le temps de silence n'est pas écoulé")),)
    return ()


def _unknown(expected: str, why: str) -> Miss:
    message = mark("L'absence de message ne peut pas être affirmée : {pourquoi}.")
    return Miss("not-observed", message, expected, why, {"pourquoi": why}, verdict="inconclusive", blame="")


def _kind(scene: Scene, observed: Observed) -> str:
    return kind_of_request(scene.context.suite_norm, observed) or (
        "" if not observed.parsed else observed.exchange.kind
    )


def kind_of_request(norm: Norm, observed: Observed) -> str:
    """Return the message kind of a request, of the norm or of a companion; "" when it is none of theirs."""
    found = heard(norm, observed.root) if observed.parsed else None
    return found.service.kind if found else ""


def _texts(found: list[Spot]) -> str:
    return one_of(tuple(spot.text for spot in found))
