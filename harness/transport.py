"""Judging an exchange of which no message came: the product's fault, its refusal, or the network's.

A control exchange is a request known to be good, sent to the same address before and after; a retry is the same
request again. Rows of the table of docs/formats/verdicts.md, "No answer".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from harness.checks.base import Miss
from harness.evaluation import Judged
from harness.findings import FindingMaker
from harness.observed import Observed, moment
from harness.plan import Plan, Planned
from harness.record import SERVER_CERTIFICATE_REFUSED, Blame
from norms.i18n import mark, tr

_OLD_TLS: Final = ("unsupported protocol", "protocol version", "wrong version number")
_REFUSAL_OUTCOMES: Final = ("tls", "reset")


def judge_no_answer(
    maker: FindingMaker, observed: Observed, plan: Plan, controls: Sequence[Observed], retries: Sequence[Observed]
) -> Judged:
    """Return what a missing answer means. controls, retries: all those recorded for the step."""
    refusal = next((planned for planned in plan.own if planned.name == "refused" and _listed(observed, planned)), None)
    if refusal is not None:
        again = [retry for retry in retries if _listed(retry, refusal)]
        return _judge_refusal(maker, plan, refusal, [observed, *again], controls)
    cited = plan.cited_for_transport()
    skipped = len(plan.all)
    if observed.outcome == "too-large" or _sut_is_to_blame(observed, controls, retries):
        finding = maker.of_miss(
            cited.requirement if cited else "", cited.name if cited else "", observed.exchange.id, _no_answer(observed)
        )
        own = int(cited is not None and not cited.always)
        return Judged([finding], int(cited is not None), own, skipped - 1, sound=False, readable=False)
    finding = maker.unclear(
        cited.requirement if cited else "",
        cited.name if cited else "",
        observed.exchange.id,
        _whose(observed, controls),
        observed.outcome,
        mark("Aucune réponse, et rien ne montre que le produit en est la cause : {trouve}."),
        tr("une réponse HTTP complète"),
        _outcome_text(observed),
    )
    return Judged([finding], skipped=skipped, sound=False, readable=False)


def _listed(observed: Observed, planned: Planned) -> bool:
    """Tell whether the outcome is a refusal of the request that the expectation lists.

    A server that cuts the connection of a client whose certificate it refuses may be seen as a reset instead of a TLS
    alert; our own refusal of the server's certificate is never the server's refusal.
    """
    if observed.outcome not in _REFUSAL_OUTCOMES or observed.exchange.detail.startswith(SERVER_CERTIFICATE_REFUSED):
        return False
    if observed.outcome in planned.values:
        return True
    return observed.outcome == "reset" and "tls" in planned.values and observed.exchange.http.startswith("tls-")


def _judge_refusal(
    maker: FindingMaker, plan: Plan, refusal: Planned, refusals: Sequence[Observed], controls: Sequence[Observed]
) -> Judged:
    """Judge a refusal that is allowed: it, or the same again, must stand between two successful control exchanges."""
    observed, good = refusals[0], [_order(control) for control in controls if _is_good(control)]
    if any(min(good) < _order(each) < max(good) for each in refusals if good):
        others = sum(planned.name == "refused" and not _listed(observed, planned) for planned in plan.own)
        return Judged(checked=1, own=1, skipped=others, readable=False)
    finding = maker.unclear(
        refusal.requirement,
        refusal.name,
        observed.exchange.id,
        "NETWORK",
        "refusal-not-bracketed",
        mark("Un refus de connexion ne compte qu'entre deux échanges témoins réussis : {trouve}."),
        tr("un refus entre deux échanges témoins réussis"),
        _outcome_text(observed),
    )
    return Judged([finding], skipped=len(plan.all), sound=False, readable=False)


def _sut_is_to_blame(observed: Observed, controls: Sequence[Observed], retries: Sequence[Observed]) -> bool:
    again = bool(retries) and all(_same_failure(observed, retry) for retry in retries)
    if not again:
        return False
    return _server_tls_is_wrong(observed) or any(_is_good(control) for control in controls)


def _same_failure(observed: Observed, other: Observed) -> bool:
    if observed.outcome != other.outcome:
        return False
    return _server_tls_is_wrong(observed) == _server_tls_is_wrong(other)


def _server_tls_is_wrong(observed: Observed) -> bool:
    """Tell whether what the server itself showed in TLS is the failure: its certificate or an old protocol."""
    if observed.outcome != "tls" or observed.exchange.http.startswith("tls-"):
        return False
    detail = observed.exchange.detail
    return detail.startswith(SERVER_CERTIFICATE_REFUSED) or any(text in detail for text in _OLD_TLS)


def _whose(observed: Observed, controls: Sequence[Observed]) -> Blame:
    """Return the blame when the product's fault is not shown: a TLS that never works is a matter of configuration."""
    never = not any(control.arrived for control in controls)
    return "CONFIG" if observed.outcome == "tls" and never else "NETWORK"


def _is_good(control: Observed) -> bool:
    """Tell whether a control exchange succeeded: a complete answer with a readable SOAP message and no 5xx."""
    return control.arrived and control.trouble is None and control.status < 500


def _order(observed: Observed) -> tuple[datetime, int]:
    return moment(observed.exchange.sent_at), observed.exchange.number


def _no_answer(observed: Observed) -> Miss:
    actual = _outcome_text(observed)
    return Miss(
        observed.outcome,
        mark("Aucune réponse exploitable, deux fois, alors qu'un échange témoin réussit : {trouve}.")
        if observed.outcome not in ("too-large", "tls")
        else mark("Aucune réponse exploitable : {trouve}."),
        tr("une réponse HTTP complète"),
        actual,
        {"trouve": actual},
    )


def _outcome_text(observed: Observed) -> str:
    texts = {
        "timeout": tr("délai dépassé"),
        "refused": tr("connexion refusée ou adresse inconnue"),
        "reset": tr("connexion coupée avant la fin de la réponse"),
        "tls": tr("échec TLS"),
        "bad-http": tr("réponse qui n'est pas du HTTP complet"),
        "too-large": tr("réponse au-delà de la taille admise"),
    }
    text = texts.get(observed.outcome, observed.outcome)
    detail = observed.exchange.detail if observed.outcome == "tls" else ""
    return f"{text} ({detail})" if detail else text
