"""The closed vocabulary of checks: what an expectation of a scenario may say. Of what happens: `scenarios.happenings`.

A name that is not here does not exist: the reader refuses it and proposes the nearest one. Missing logic becomes a new
name with its Python check, docstring and tests, never an expression in a scenario. Source: docs/formats/scenario.md.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from norms.model import Text

CheckKey = Literal["at", "value", "table", "step"]


class CheckSpec(msgspec.Struct, frozen=True):
    """How a check is written. needs / takes: keys that must / may stand beside it (`value` = value or values).

    roles: roles of the product under which the check has a meaning; outcomes: its values are outcomes (`fault:CODE` …);
    number: its only value is an integer; beside: key that its step must have ("" = `send` or `await`).
    """

    name: str
    text: Text
    needs: tuple[CheckKey, ...] = ()
    takes: tuple[CheckKey, ...] = ()
    roles: tuple[Literal["server", "client"], ...] = ("server", "client")
    outcomes: bool = False
    number: bool = False
    beside: Literal["", "parallel", "quiet"] = ""


SERVER: Final = ("server",)
CLIENT: Final = ("client",)

_CHECKS: Final = (
    CheckSpec(
        "answered",
        Text("Une réponse HTTP complète arrive dans le délai.", "A complete HTTP answer arrives in time."),
        roles=SERVER,
    ),
    CheckSpec(
        "valid",
        Text(
            "Le message respecte le schéma, les règles et les tables de codes de la norme.",
            "The message complies with the schema, rules and code tables of the norm.",
        ),
    ),
    CheckSpec(
        "accepted",
        Text("La réponse est une réponse normale, pas une faute SOAP.", "The answer is normal, not a SOAP fault."),
        roles=SERVER,
    ),
    CheckSpec(
        "result",
        Text(
            "Le code résultat de la réponse est l'une des valeurs attendues.",
            "The result code of the answer is one of the values.",
        ),
        needs=("value",),
        roles=SERVER,
    ),
    CheckSpec(
        "fault",
        Text(
            "La réponse est une faute SOAP ; son code d'erreur est l'une des valeurs, s'il y en a.",
            "The answer is a SOAP fault; its error code is one of the values, if any are given.",
        ),
        takes=("value",),
        roles=SERVER,
    ),
    CheckSpec(
        "fault-class",
        Text(
            "La réponse est une faute SOAP dont la cause est la demande (Sender) ou le service (Receiver).",
            "The answer is a SOAP fault caused by the request (Sender) or by the service (Receiver).",
        ),
        needs=("value",),
        roles=SERVER,
    ),
    CheckSpec(
        "refused",
        Text(
            "La demande est refusée de l'une des façons énumérées : faute, refus TLS, code HTTP ou coupure.",
            "The request is refused in one of the listed ways: fault, TLS refusal, HTTP status or cut.",
        ),
        needs=("value",),
        roles=SERVER,
        outcomes=True,
    ),
    CheckSpec(
        "schema-accepted",
        Text(
            "Un message valide n'est pas refusé de l'une des façons énumérées ; un refus métier reste permis.",
            "A valid message is not refused in one of the listed ways; a business refusal stays allowed.",
        ),
        needs=("value",),
        roles=SERVER,
        outcomes=True,
    ),
    CheckSpec(
        "http-status",
        Text("Le code HTTP est l'une des valeurs (200, 4xx …).", "The HTTP status is one of the values (200, 4xx …)."),
        needs=("value",),
        roles=SERVER,
    ),
    CheckSpec(
        "within-ms",
        Text(
            "La réponse arrive en moins de « value » millisecondes.",
            "The answer arrives in less than `value` milliseconds.",
        ),
        needs=("value",),
        roles=SERVER,
        number=True,
    ),
    CheckSpec(
        "correlated",
        Text(
            "La réponse rappelle l'identifiant du message envoyé (RelatesTo).",
            "The answer recalls the identifier of the message sent (RelatesTo).",
        ),
        roles=SERVER,
    ),
    CheckSpec(
        "action",
        Text(
            "L'action du message est celle que la norme prévoit pour ce service.",
            "The action of the message is the one of the norm for this service.",
        ),
    ),
    CheckSpec(
        "version",
        Text(
            "Le message déclare la version du service que la norme prévoit.",
            "The message declares the version of the service that the norm says.",
        ),
    ),
    CheckSpec(
        "signed",
        Text(
            "La sécurité du message (horodatage, assertion, signature du flux) est celle du profil de la norme.",
            "The security of the message (timestamp, assertion, flow signature) is that of the norm's profile.",
        ),
    ),
    CheckSpec(
        "code",
        Text(
            "Le code lu à « at » est l'une des valeurs, et appartient à la table quand elle est nommée.",
            "The code read at `at` is one of the values, and belongs to the table when one is named.",
        ),
        needs=("at", "value"),
        takes=("table",),
    ),
    CheckSpec(
        "in-table",
        Text(
            "Le code lu à « at » appartient à la table à la date du jour.",
            "The code read at `at` belongs to the table today.",
        ),
        needs=("at", "table"),
    ),
    CheckSpec(
        "equals",
        Text("Le texte lu à « at » est l'une des valeurs.", "The text read at `at` is one of the values."),
        needs=("at", "value"),
    ),
    CheckSpec(
        "only",
        Text(
            "Le texte lu à « at », s'il y en a un, est l'une des valeurs.",
            "The text read at `at`, if there is any, is one of the values.",
        ),
        needs=("at", "value"),
    ),
    CheckSpec(
        "differs",
        Text("Le texte lu à « at » n'est aucune des valeurs.", "The text read at `at` is none of the values."),
        needs=("at", "value"),
    ),
    CheckSpec(
        "amount",
        Text(
            "Le montant lu à « at » est égal à l'une des valeurs (égalité décimale exacte : 9.0 = 9.00).",
            "The amount read at `at` equals one of the values (exact decimals: 9.0 = 9.00).",
        ),
        needs=("at", "value"),
    ),
    CheckSpec(
        "matches",
        Text(
            "Le texte lu à « at » correspond en entier à l'une des expressions régulières.",
            "The whole text read at `at` matches one of the regular expressions.",
        ),
        needs=("at", "value"),
    ),
    CheckSpec(
        "excludes",
        Text(
            "Aucune des valeurs ne figure dans le message, en texte ou en attribut.",
            "None of the values occurs in the message, as text or in an attribute.",
        ),
        needs=("value",),
    ),
    CheckSpec(
        "not-before",
        Text(
            "Chaque date lue à « at », s'il y en a, est celle de « value » ou une plus tardive.",
            "Each date read at `at`, if there is any, is that of `value` or a later one.",
        ),
        needs=("at", "value"),
    ),
    CheckSpec(
        "near-now",
        Text(
            "L'instant lu à « at » s'écarte d'au plus « value » secondes de l'heure du laboratoire.",
            "The time read at `at` is within `value` seconds of the laboratory's clock.",
        ),
        needs=("at", "value"),
        number=True,
    ),
    CheckSpec(
        "present",
        Text("« at » désigne au moins un élément du message.", "`at` matches at least one node of the message."),
        needs=("at",),
    ),
    CheckSpec(
        "absent",
        Text("« at » ne désigne rien dans le message.", "`at` matches nothing in the message."),
        needs=("at",),
    ),
    CheckSpec(
        "count",
        Text(
            "« at » désigne exactement « value » éléments du message.",
            "`at` matches exactly `value` nodes of the message.",
        ),
        needs=("at", "value"),
        number=True,
    ),
    CheckSpec(
        "same-as-step",
        Text(
            "Le texte lu à « at » est le même que dans le message reçu à l'étape « step ».",
            "The text read at `at` is the same as in the message received at step `step`.",
        ),
        needs=("at", "step"),
    ),
    CheckSpec(
        "differs-from-step",
        Text(
            "Le texte lu à « at » n'est pas celui du message reçu à l'étape « step ».",
            "The text read at `at` is not the one of the message received at step `step`.",
        ),
        needs=("at", "step"),
    ),
    CheckSpec(
        "unique-across-parallel",
        Text(
            "Le texte lu à « at » est différent dans chaque réponse des envois parallèles.",
            "The text read at `at` is different in each answer of the parallel sends.",
        ),
        needs=("at",),
        beside="parallel",
        roles=SERVER,
    ),
    CheckSpec(
        "consistent-across-parallel",
        Text(
            "Le texte lu à « at » est le même dans toutes les réponses des envois parallèles.",
            "The text read at `at` is the same in all answers of the parallel sends.",
        ),
        needs=("at",),
        beside="parallel",
        roles=SERVER,
    ),
    CheckSpec(
        "arrived",
        Text(
            "Un message d'un des genres énumérés arrive avant la fin du silence, si le produit dit avoir abouti.",
            "A message of a listed kind arrives before the silence ends, if the product says that it succeeded.",
        ),
        needs=("value",),
        beside="quiet",
        roles=CLIENT,
    ),
    CheckSpec(
        "absent-next",
        Text(
            "Aucun message des genres énumérés n'arrive pendant le temps de silence de l'étape.",
            "No message of the listed kinds arrives during the quiet time of the step.",
        ),
        needs=("value",),
        beside="quiet",
        roles=CLIENT,
    ),
    CheckSpec(
        "called-at",
        Text(
            "La demande est envoyée à l'adresse « value », ou à celle que la session donne pour ce service.",
            "The request is sent to the address `value`, or to the one that the session gives for this service.",
        ),
        takes=("value",),
        roles=CLIENT,
    ),
    CheckSpec(
        "peer",
        Text(
            "Le produit présente en TLS un certificat du genre et de l'autorité que demande le profil de sécurité.",
            "The product presents in TLS a certificate of the kind and authority that the security profile names.",
        ),
        roles=CLIENT,
    ),
    CheckSpec(
        "outcome",
        Text(
            "Le produit dit que l'action s'est terminée ainsi : accepted, refused ou stopped.",
            "The product says that the action ended so: accepted, refused or stopped.",
        ),
        needs=("value",),
        beside="quiet",
        roles=CLIENT,
    ),
    CheckSpec(
        "shown",
        Text(
            "L'utilisateur lit un texte qui contient l'une des valeurs.",
            "The user sees a text that contains one of the values.",
        ),
        needs=("value",),
        beside="quiet",
        roles=CLIENT,
    ),
)

CHECKS: Final[dict[str, CheckSpec]] = {spec.name: spec for spec in _CHECKS}
