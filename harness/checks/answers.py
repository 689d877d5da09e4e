"""Checks on the answer as a whole: did it come, how fast, with which outcome."""

from __future__ import annotations

from typing import Final

from lxml import etree

from harness.checks.base import Miss, Misses, Scene, one_of
from harness.errors import SuiteFault
from harness.observed import Observed, moment
from harness.places import Spot, spots
from norms.functions import xpath
from norms.i18n import mark, tr
from norms.wire.soap import Envelope

_SENDER_RECEIVER: Final = {"Client": "Sender", "Server": "Receiver"}


def answered(_scene: Scene) -> Misses:
    """Met once a complete HTTP answer arrived: the judge asks no check before."""
    return ()


def http_status(scene: Scene) -> Misses:
    """Met when the HTTP status is one of the values (`200`, `4xx`)."""
    status = scene.observed.status
    if any(status_matches(status, value) for value in scene.values):
        return ()
    return (
        Miss(
            "http-status",
            mark("Le code HTTP est {trouve} au lieu de {attendu}."),
            f"HTTP {' | '.join(scene.values)}",
            f"HTTP {status}",
            {"trouve": str(status), "attendu": " | ".join(scene.values)},
        ),
    )


def status_matches(status: int, pattern: str) -> bool:
    """Tell whether an HTTP status is the one written, or of the class written (`4xx`)."""
    return str(status) == pattern or (pattern.endswith("xx") and str(status)[:1] == pattern[:1])


def within_ms(scene: Scene) -> Misses:
    """Met when the recorded answer came within `value` milliseconds. Its time is not said."""
    exchange, limit = scene.observed.exchange, int(scene.values[0])
    elapsed = moment(exchange.received_at) - moment(exchange.sent_at)
    took = exchange.duration_ms or elapsed.total_seconds() * 1000
    if took < limit:
        return ()
    return (
        Miss(
            "too-slow",
            mark("La réponse n'est pas arrivée en moins de {limite} ms."),
            tr("moins de {limite} ms", limite=limit),
            tr("davantage"),
            {"limite": str(limit)},
        ),
    )


def accepted(scene: Scene) -> Misses:
    """Met by a normal answer."""
    return () if scene.observed.shape == "normal" else (unexpected_fault(scene.observed),)


def result(scene: Scene) -> Misses:
    """Met when the result code of the answer (`reading.result`) is one of the values."""
    found = result_codes(scene.observed)
    if found and all(spot.text in scene.values for spot in found):
        return ()
    expected = tr("résultat {valeurs}", valeurs=one_of(scene.values))
    if not found:
        return (
            Miss(
                "result-missing", mark("La réponse ne porte pas de code résultat."), expected, tr("aucun code résultat")
            ),
        )
    wrong = next(spot for spot in found if spot.text not in scene.values)
    return (
        Miss(
            "result",
            mark("Le code résultat est « {trouve} » au lieu de {attendu}."),
            expected,
            tr("résultat « {code} »", code=wrong.text),
            {"trouve": wrong.text, "attendu": one_of(scene.values)},
            wrong.path,
            wrong.line,
        ),
    )


def fault(scene: Scene) -> Misses:
    """Met by a SOAP fault whose error code (`reading.fault`) is one of the values, if any are given."""
    observed = scene.observed
    expected = (
        tr("une faute SOAP {codes}", codes=one_of(scene.values)).rstrip() if scene.values else tr("une faute SOAP")
    )
    if observed.shape != "fault":
        return (_not_refused(observed, expected),)
    if not scene.values or any(code.text in scene.values for code in fault_codes(observed)):
        return ()
    return (_wrong_fault(observed, expected),)


def fault_class(scene: Scene) -> Misses:
    """Met by a SOAP fault blamed on the request (Sender) or on the service (Receiver), as the values say."""
    observed = scene.observed
    expected = tr("une faute SOAP de classe {classes}", classes=one_of(scene.values))
    if observed.shape != "fault":
        return (_not_refused(observed, expected),)
    spot = _fault_code(observed)
    name = spot.text.rpartition(":")[2].partition(".")[0]
    found = _SENDER_RECEIVER.get(name, name) if observed.service.soap == "1.1" else name
    if found in scene.values:
        return ()
    return (
        Miss(
            "fault-class",
            mark("La faute SOAP est de classe « {trouve} » au lieu de {attendu}."),
            expected,
            tr("une faute SOAP de classe « {classe} »", classe=found),
            {"trouve": found, "attendu": one_of(scene.values)},
            spot.path,
            spot.line,
        ),
    )


def refused(scene: Scene) -> Misses:
    """Met when the answer is one of the refusals listed. Those without an answer: see `harness.transport`."""
    observed = scene.observed
    if any(is_outcome(observed, outcome) for outcome in scene.values):
        return ()
    expected = tr("un refus : {outcomes}", outcomes=one_of(scene.values))
    if observed.shape == "fault":
        return (_wrong_fault(observed, expected),)
    if observed.shape == "normal":
        return (_not_refused(observed, expected),)
    return (
        Miss(
            "refusal-other",
            mark("Le refus n'a pas l'une des formes permises : {trouve}."),
            expected,
            f"HTTP {observed.status}",
            {"trouve": f"HTTP {observed.status}"},
        ),
    )


def schema_accepted(scene: Scene) -> Misses:
    """Met when the answer is none of the refusals listed; any other answer, a business refusal included, is fine."""
    observed = scene.observed
    hit = next((outcome for outcome in scene.values if is_outcome(observed, outcome)), "")
    if not hit:
        return ()
    actual = describe(observed)
    return (
        Miss(
            "valid-message-refused",
            mark("Un message valide est refusé : {trouve}."),
            tr("aucun refus de la forme {outcomes}", outcomes=one_of(scene.values)),
            actual,
            {"trouve": actual},
        ),
    )


def is_outcome(observed: Observed, outcome: str) -> bool:
    """Tell whether an answer that arrived is that outcome (`fault`, `fault:X`, `result:X`, `http:4xx`)."""
    kind, _, detail = outcome.partition(":")
    if kind == "http":
        return observed.shape != "normal" and status_matches(observed.status, detail)
    if kind == "fault":
        return observed.shape == "fault" and (not detail or any(code.text == detail for code in fault_codes(observed)))
    if kind == "result":
        codes = result_codes(observed) if observed.shape == "normal" else []
        return bool(codes) and all(code.text == detail for code in codes)
    if kind in ("tls", "reset"):
        return False
    raise SuiteFault(tr("L'issue « {outcome} » n'existe pas.", outcome=outcome))


def result_codes(observed: Observed) -> list[Spot]:
    """Return the result codes of a normal answer."""
    return _read(observed, observed.norm.reading.result, "reading.result")


def fault_codes(observed: Observed) -> list[Spot]:
    """Return the error codes of a fault."""
    return _read(observed, observed.norm.reading.fault, "reading.fault")


def _read(observed: Observed, expression: str, name: str) -> list[Spot]:
    if not expression:
        raise SuiteFault(tr("La norme ne dit pas où lire « {nom} ».", nom=name))
    return spots(xpath(observed.norm, expression)(observed.root), observed.norm)


def _fault_node(observed: Observed) -> etree._Element:
    payload = Envelope.of(observed.root).payload
    if payload is None:
        raise SuiteFault("a fault without a payload")
    return payload


def _fault_code(observed: Observed) -> Spot:
    fault_node = _fault_node(observed)
    space = etree.QName(fault_node).namespace
    node = (
        fault_node.find("faultcode")
        if observed.service.soap == "1.1"
        else fault_node.find(f"{{{space}}}Code/{{{space}}}Value")
    )
    found = spots([node if node is not None else fault_node], observed.norm)[0]
    return found if node is not None else Spot("", found.path, found.line)


def describe(observed: Observed) -> str:
    """Return in French what arrived: fault with its code and label, normal answer with its result code."""
    if observed.shape == "normal":
        codes = result_codes(observed) if observed.norm.reading.result else []
        return (
            tr("une réponse normale, résultat « {code} »", code=codes[0].text) if codes else tr("une réponse normale")
        )
    if observed.shape != "fault":
        return f"HTTP {observed.status}"
    codes = fault_codes(observed) if observed.norm.reading.fault else []
    code = codes[0].text if codes else _fault_code(observed).text
    label = _fault_label(observed)
    return (
        tr("une faute SOAP « {code} » ({libelle})", code=code, libelle=label)
        if label
        else tr("une faute SOAP « {code} »", code=code)
    )


def _fault_label(observed: Observed) -> str:
    fault_node = _fault_node(observed)
    space = etree.QName(fault_node).namespace
    node = (
        fault_node.find("faultstring")
        if observed.service.soap == "1.1"
        else fault_node.find(f"{{{space}}}Reason/{{{space}}}Text")
    )
    return "" if node is None else spots([node], observed.norm)[0].text


def unexpected_fault(observed: Observed) -> Miss:
    """Return the miss of a fault that arrived where a normal answer was due."""
    actual, node = describe(observed), spots([_fault_node(observed)], observed.norm)[0]
    return Miss(
        "unexpected-fault",
        mark("Une réponse normale était attendue : {trouve}."),
        tr("une réponse normale"),
        actual,
        {"trouve": actual},
        node.path,
        node.line,
    )


def _wrong_fault(observed: Observed, expected: str) -> Miss:
    actual = describe(observed)
    codes = fault_codes(observed) if observed.norm.reading.fault else []
    place = codes[0] if codes else spots([_fault_node(observed)], observed.norm)[0]
    message = mark("Le refus n'est pas celui que la norme prévoit : {trouve}.")
    return Miss("fault-code", message, expected, actual, {"trouve": actual}, place.path, place.line)


def _not_refused(observed: Observed, expected: str) -> Miss:
    actual = describe(observed)
    return Miss("not-refused", mark("La demande devait être refusée : {trouve}."), expected, actual, {"trouve": actual})
