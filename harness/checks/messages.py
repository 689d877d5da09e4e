"""Checks on the message as a whole: schema and rules, security, correlation, action."""

from __future__ import annotations

from typing import Final

from harness.checks.base import Miss, Misses, Scene, one_of
from harness.decoders import XML
from harness.errors import SuiteFault
from harness.observed import Observed
from harness.places import Spot, spots
from norms.chains import ChainProblem
from norms.check import Problem, checker_for
from norms.functions import xpath
from norms.i18n import mark, tr
from norms.wire import names
from norms.wire.gate import signs_nothing
from norms.wire.soap import Envelope

MOST_PROBLEMS: Final = 20
"""Problems of one message that become findings; the rest would say the same again."""
_MEDIA_TYPES: Final = {"1.1": "text/xml", "1.2": "application/soap+xml"}
_XML_TYPES: Final = ("application/xml", "text/xml")
STRUCTURAL: Final = ("schema", "structure")


def valid(scene: Scene) -> Misses:
    """Met when the message complies with the schema, the rules and the code tables of the norm.

    Rules are only reported of a message that has the right structure: of another they say nothing new. The message
    must also travel under the media type of its SOAP version (SOAP 1.1 §6, SOAP 1.2 part 2 §7), a deposit in the layout
    of the norm under one of XML (RFC 7303 §9).
    """
    observed = scene.observed
    problems = checker_for(scene.context.norm).check(observed.root, observed.service.kind, observed.direction)
    structural = [problem for problem in problems if problem.source in STRUCTURAL]
    certain = [problem for problem in structural if not problem.split]
    return (*_media_type(observed), *(_problem(problem) for problem in (certain or problems)[:MOST_PROBLEMS]))


def _media_type(observed: Observed) -> Misses:
    deposit = observed.service.carrier == "deposit"
    if deposit and observed.exchange.layout != XML:
        return ()
    wanted = _XML_TYPES if deposit else (_MEDIA_TYPES[observed.service.soap],)
    found = (observed.http.header("content-type") or "").partition(";")[0].strip().lower()
    if found in wanted:
        return ()
    message = mark("Le message voyage sous le type « {trouve} » au lieu de « {attendu} ».")
    params = {"trouve": found, "attendu": wanted[0]}
    return (Miss("media-type", message, wanted[0], found or tr("aucun type"), params, "Content-Type"),)


def _problem(problem: Problem) -> Miss:
    if problem.source not in STRUCTURAL:
        return rule_miss(problem)
    return Miss(
        "schema-split" if problem.split else problem.source,
        mark("Les deux moteurs de schéma se contredisent : {detail}") if problem.split else mark("Schéma : {detail}"),
        tr("un message conforme au schéma"),
        _actual(problem),
        {"detail": problem.message, "regle": problem.rule},
        problem.path,
        problem.line,
        "",
        "inconclusive" if problem.split else "fail",
        "NORM" if problem.split else "SUT",
    )


def rule_miss(problem: Problem | ChainProblem) -> Miss:
    """Return the miss of a rule that does not hold, in a message or over a case; it cites its own requirement."""
    return Miss(
        f"rule:{problem.rule}",
        mark("Règle {regle} : {detail}"),
        tr("la règle {regle} respectée", regle=problem.rule),
        _actual(problem),
        {"detail": problem.message, "regle": problem.rule},
        problem.path,
        problem.line,
        problem.requirement,
    )


def _actual(problem: Problem | ChainProblem) -> str:
    return f"{problem.message} (« {problem.value} »)" if problem.value else problem.message


def signed(scene: Scene) -> Misses | None:
    """Met when timestamp, assertion and flow signature are those of the security profile, at the time of arrival.

    Says nothing where the profile carries nothing, of a deposit, nor of an unsigned fault when only the norm's own
    `always` asks.
    """
    observed, security = scene.observed, scene.context.norm.security
    policy = security.request if observed.direction == "request" else security.response
    if signs_nothing(policy) or observed.service.carrier == "deposit":
        return None
    if scene.always and observed.shape == "fault" and not Envelope.of(observed.root).blocks(names.SECURITY):
        return None
    opinion = scene.security.opinion(observed)
    refusal, expected = opinion.refusal, tr("la sécurité du profil « {profil} »", profil=security.name)
    if opinion.split:
        actual = refusal.what if refusal else tr("signature admise par l'un, refusée par l'autre")
        message = mark("Deux vérificateurs se contredisent sur les signatures du message : {detail}")
        return (
            Miss("verifiers-split", message, expected, actual, {"detail": actual}, verdict="inconclusive", blame="LAB"),
        )
    if refusal is None:
        return ()
    if refusal.reason == "unavailable":
        message = mark("La sécurité du message ne peut pas être jugée : {detail}")
        detail = {"detail": refusal.what}
        return (Miss("unavailable", message, expected, refusal.what, detail, verdict="inconclusive", blame="CONFIG"),)
    message = mark("La sécurité du message est refusée : {detail}")
    return (Miss(refusal.reason, message, expected, refusal.what, {"detail": refusal.what}),)


def correlated(scene: Scene) -> Misses | None:
    """Met when the answer recalls the identifier of the message sent.

    Says nothing when the message sent carried none or could not be read on purpose, nor of a fault that recalls
    nothing when only the norm's own `always` asks.
    """
    observed, reading = scene.observed, scene.context.norm.reading
    if not reading.relates_to or not reading.message_id:
        raise SuiteFault(tr("La norme ne dit pas où lire « {nom} ».", nom="reading.relates_to"))
    sent = _texts(scene, reading.message_id, ours=True)
    found = _texts(scene, reading.relates_to)
    if not sent or (not found and scene.always and observed.shape == "fault"):
        return None
    expected = tr("le rappel de {identifiant}", identifiant=one_of(tuple(spot.text for spot in sent)))
    if not found:
        message = mark("La réponse ne rappelle pas l'identifiant du message envoyé.")
        return (Miss("not-correlated", message, expected, tr("aucun rappel"), {}, reading.relates_to),)
    wanted = {spot.text for spot in sent}
    message = mark("La réponse rappelle « {trouve} », qui n'a pas été envoyé dans cette demande.")
    return tuple(
        Miss("correlation", message, expected, f"« {spot.text} »", {"trouve": spot.text}, spot.path, spot.line)
        for spot in found
        if spot.text not in wanted
    )


def action(scene: Scene) -> Misses | None:
    """Met when the action of the message is the service's, in the message and, of a request, in its HTTP head.

    Says nothing of a fault: the norm names the action of normal answers only. Nor of a deposit, which has none.
    """
    observed, expression = scene.observed, scene.context.norm.reading.action
    if observed.shape == "fault" or observed.service.carrier == "deposit":
        return None
    wanted, message = observed.part.action, mark("L'action est « {trouve} » au lieu de « {attendu} ».")
    found = _texts(scene, expression) if expression else []
    if expression and not found:
        found = [Spot("", expression, 0)]
    if observed.direction == "request":
        found += _http_actions(observed)
    if not found:
        raise SuiteFault(tr("La norme ne dit pas où lire « {nom} ».", nom="reading.action"))
    return tuple(
        Miss(
            "action",
            message,
            tr("action « {action} »", action=wanted),
            f"« {spot.text} »" if spot.text else tr("aucune action"),
            {"trouve": spot.text, "attendu": wanted},
            spot.path,
            spot.line,
        )
        for spot in found
        if spot.text != wanted
    )


def version(scene: Scene) -> Misses | None:
    """Met when the message declares the version of its service where the norm says so.

    Says nothing of a fault, nor of a message without that place when only the norm's own `always` asks: whether it must
    be there is for the schema to say.
    """
    observed, service = scene.observed, scene.observed.service
    if observed.shape == "fault":
        return None
    found = _texts(scene, service.version_at) if service.version_at else []
    if not found:
        if scene.always:
            return None
        if not service.version_at:
            raise SuiteFault(tr("La norme ne dit pas où lire « {nom} ».", nom="version_at"))
        found = [Spot("", service.version_at, 0)]
    return tuple(
        Miss(
            "version",
            mark("La version déclarée est « {trouve} » au lieu de « {attendu} »."),
            tr("version « {version} »", version=service.version),
            f"« {spot.text} »" if spot.text else tr("aucune version"),
            {"trouve": spot.text, "attendu": service.version},
            spot.path,
            spot.line,
        )
        for spot in found
        if spot.text != service.version
    )


def _http_actions(observed: Observed) -> list[Spot]:
    """Return the action of the HTTP head: SOAPAction (SOAP 1.1, required) or `action=` (SOAP 1.2, optional)."""
    if observed.service.soap == "1.1":
        return [Spot((observed.http.header("soapaction") or "").strip().strip('"'), "SOAPAction", 0)]
    for parameter in (observed.http.header("content-type") or "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "action":
            return [Spot(value.strip().strip('"'), "Content-Type", 0)]
    return []


def _texts(scene: Scene, expression: str, *, ours: bool = False) -> list[Spot]:
    root = scene.observed.counterpart if ours else scene.observed.root
    norm = scene.context.norm
    return [] if root is None else spots(xpath(norm, expression)(root), norm)
