"""The words that people read for the names that the program uses. One place, so that every document says the same.

Source: docs/formats/certificate.md (the reserve printed on documents without legal value).
"""

from __future__ import annotations

from datetime import datetime

from norms.i18n import language, tr

_NO_BREAK = "\u00a0"


def verdict_word(name: str) -> str:
    """Return the word for a verdict or status of a case."""
    words = {
        "pass": tr("conforme"),
        "fail": tr("non conforme"),
        "inconclusive": tr("non concluant"),
        "error": tr("incident du laboratoire"),
        "not_selected": tr("sans objet"),
        "not_run": tr("non exécuté"),
        "remark": tr("remarque"),
    }
    return words[name]


def run_verdict_word(name: str) -> str:
    """Return the word for the verdict of a run; an incident of the laboratory concludes nothing."""
    return verdict_word("inconclusive" if name == "error" else name)


def blame_words(blame: str) -> str:
    """Return who answers for a finding, in words."""
    words = {
        "SUT": tr("le produit éprouvé"),
        "CONFIG": tr("la configuration ou les données fournies avec le produit"),
        "NETWORK": tr("le réseau ou la disponibilité du service"),
        "NORM": tr("la norme : les deux moteurs de schéma ne s’accordent pas"),
        "LAB": tr("le laboratoire"),
        "": tr("non établi"),
    }
    return words[blame]


def level_word(level: str) -> str:
    """Return the strength of a requirement in words."""
    words = {"MUST": tr("obligatoire"), "SHOULD": tr("recommandée"), "MAY": tr("facultative")}
    return words.get(level, level)


def severity_word(severity: str) -> str:
    """Return the severity of a requirement in the reader's language."""
    words = {"bloquante": tr("bloquante"), "majeure": tr("majeure"), "mineure": tr("mineure")}
    return words.get(severity, severity)


def role_words(role: str) -> str:
    """Return what the product plays."""
    return tr("serveur (système d’un AMC ou OTP)") if role == "server" else tr("client (logiciel d’un éditeur)")


def provenance_words(provenance: str) -> str:
    """Return where the norm's files come from."""
    if provenance == "official":
        return tr("fichiers officiels de l’association")
    return tr("reconstruction à partir d’informations publiques")


def status_words(status: str) -> str:
    """Return the state of a norm version in words."""
    words = {"draft": tr("projet"), "published": tr("publiée"), "withdrawn": tr("retirée")}
    return words.get(status, status)


def answer_words(answer: str) -> str:
    """Return yes / no of a claim in words; any other value unchanged, "" as « sans réponse »."""
    lowered = answer.strip().lower()
    if lowered in ("true", "oui", "yes"):
        return tr("oui")
    if lowered in ("false", "non", "no"):
        return tr("non")
    return answer if answer else tr("sans réponse")


def outcome_words(outcome: str) -> str:
    """Return what became of an exchange."""
    words = {
        "answered": tr("réponse reçue"),
        "timeout": tr("délai dépassé"),
        "refused": tr("connexion refusée"),
        "reset": tr("connexion coupée"),
        "tls": tr("échec TLS"),
        "bad-http": tr("réponse qui n’est pas du HTTP"),
        "too-large": tr("réponse trop grande"),
        "received": tr("message du produit reçu"),
        "silent": tr("aucun message du produit"),
    }
    return words.get(outcome, outcome)


def no_value_title() -> str:
    """Return the reserve in capitals."""
    return tr("SANS VALEUR D’AGRÉMENT")


def no_value_reasons(provenance: str, sandbox_authority: bool) -> tuple[str, ...]:
    """Return why a document has no legal value, one sentence each; empty when it has.

    provenance: of the norm, parents included; sandbox_authority: an authority in use is not one that the association
    recognises.
    """
    reasons: list[str] = []
    if provenance != "official":
        reasons.append(
            tr(
                "La norme éprouvée est une reconstruction faite à partir d’informations publiques : "
                "elle ne remplace pas les textes et schémas officiels de l’association."
            )
        )
    if sandbox_authority:
        reasons.append(
            tr(
                "Les certificats employés viennent d’une autorité d’essai, "
                "et non d’une autorité que l’association reconnaît."
            )
        )
    return tuple(reasons)


def relayed_sentence(count: int) -> str:
    """Return what it means that the relay carried exchanges of a run. count: how many, 1 or more."""
    return tr(
        "Échanges relayés : {count}. Le relais les a complétés ou portés (signature, TLS) à la place du produit, qui "
        "n’a donc pas prouvé qu’il sait le faire : ce passage ne peut pas être certifié.",
        count=whole(count),
    )


def whole(number: int) -> str:
    """Return a whole number with its thousands apart: 12 345 (fr) or 12,345 (en)."""
    grouped = f"{number:,}"
    return grouped if language() == "en" else grouped.replace(",", "\u202f")


def moment(timestamp: str) -> str:
    """Return an RFC 3339 UTC time as people write it; other text comes back unchanged."""
    try:
        at = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    except ValueError:
        return timestamp
    if language() == "en":
        return f"{at.day} {_month(at.month)} {at.year}, {at:%H:%M} UTC"
    return f"{_day(at.day)}{_NO_BREAK}{_month(at.month)} {at.year}, {at.hour}{_NO_BREAK}h{_NO_BREAK}{at:%M} (UTC)"


def day(date: str) -> str:
    """Return an ISO date (or the date of a time) as people write it; other text comes back unchanged."""
    try:
        at = datetime.fromisoformat(date[:10])
    except ValueError:
        return date
    if language() == "en":
        return f"{at.day} {_month(at.month)} {at.year}"
    return f"{_day(at.day)}{_NO_BREAK}{_month(at.month)} {at.year}"


def _day(number: int) -> str:
    return "1er" if number == 1 else str(number)


def _month(number: int) -> str:
    months = (
        tr("janvier"),
        tr("février"),
        tr("mars"),
        tr("avril"),
        tr("mai"),
        tr("juin"),
        tr("juillet"),
        tr("août"),
        tr("septembre"),
        tr("octobre"),
        tr("novembre"),
        tr("décembre"),
    )
    return months[number - 1]


def seconds(milliseconds: float) -> str:
    """Return a duration for people: « 340 ms », « 1,2 s »."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f}{_NO_BREAK}ms"
    text = f"{milliseconds / 1000:.1f}"
    return f"{text if language() == 'en' else text.replace('.', ',')}{_NO_BREAK}s"
