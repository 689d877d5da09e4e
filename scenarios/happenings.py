"""The closed vocabularies of what happens: HTTP deviations, replies of the simulator, outcomes of a refusal.

A name that is not here does not exist: the reader refuses it and proposes the nearest one. Names of `security:` belong
to `norms.wire.secure.DEVIATIONS`. Source: docs/formats/scenario.md.
"""

from __future__ import annotations

import re
from typing import Final

from norms.model import Text

HTTP_DEVIATIONS: Final[dict[str, Text]] = {
    "method-get": Text("Requête GET au lieu de POST", "GET instead of POST"),
    "method-put": Text("Requête PUT au lieu de POST", "PUT instead of POST"),
    "content-type-wrong": Text("Type de contenu text/plain", "Content type text/plain"),
    "content-type-missing": Text("En-tête Content-Type absent", "No Content-Type header"),
    "action-wrong": Text("Action du transport d'une autre opération", "Transport action of another operation"),
    "action-missing": Text("Action du transport absente", "No transport action"),
    "soap-version-other": Text("Enveloppe de l'autre version de SOAP", "Envelope of the other SOAP version"),
    "doctype": Text("Déclaration DOCTYPE inoffensive", "Harmless DOCTYPE declaration"),
    "entity-bomb": Text("Entités imbriquées exponentielles", "Exponential nested entities"),
    "external-entity": Text("Entité externe vers un fichier local", "External entity towards a local file"),
    "oversize": Text("Corps plus grand que la limite de la norme", "Body above the limit of the norm"),
    "truncated-xml": Text("Document XML coupé avant la fin", "XML document cut before its end"),
    "deep-nesting": Text("Éléments imbriqués au-delà de la limite", "Elements nested beyond the limit"),
    "element-flood": Text("Plus d'éléments que la limite", "More elements than the limit"),
    "attribute-flood": Text("Plus d'attributs sur un élément que la limite", "More attributes than the limit"),
    "encoding-utf7": Text("Document encodé en UTF-7", "Document encoded in UTF-7"),
    "encoding-utf16": Text("Document encodé en UTF-16 avec BOM", "Document encoded in UTF-16 with BOM"),
    "charset-mismatch": Text(
        "Jeu de caractères HTTP contraire à la déclaration XML", "HTTP charset against XML declaration"
    ),
    "content-encoding-gzip": Text("Corps compressé par gzip", "Body compressed with gzip"),
    "processing-instruction": Text("Instruction de traitement avant l'enveloppe", "Processing instruction first"),
    "two-payloads": Text("Deux charges utiles dans le corps SOAP", "Two payloads in the SOAP body"),
    "empty-body": Text("Corps SOAP vide", "Empty SOAP body"),
    "must-understand-unknown": Text(
        "Bloc d'en-tête inconnu marqué mustUnderstand", "Unknown header block marked mustUnderstand"
    ),
    "chunked": Text("Corps envoyé par fragments (chunked) : légal", "Chunked body: legal"),
    "duplicate-content-length": Text("Deux en-têtes Content-Length contraires", "Two contrary Content-Length headers"),
    "prefixes-renamed": Text(
        "Mêmes noms, autres préfixes et autres blancs entre éléments : légal", "Other prefixes and blanks: legal"
    ),
    "unknown-path": Text("Chemin inconnu du service", "Path unknown to the service"),
    "tls-no-certificate": Text("Connexion sans certificat client", "Connection without a client certificate"),
    "tls-expired": Text("Certificat client expiré", "Expired client certificate"),
    "tls-revoked": Text("Certificat client révoqué", "Revoked client certificate"),
    "tls-other-authority": Text(
        "Certificat client d'une autorité inconnue", "Client certificate of an unknown authority"
    ),
    "tls-wrong-kind": Text("Certificat client du mauvais genre", "Client certificate of the wrong kind"),
    "tls-1.1": Text("Connexion limitée à TLS 1.1", "Connection limited to TLS 1.1"),
}

REPLIES: Final[dict[str, Text]] = {
    "normal": Text("Réponse du simulateur selon la norme et la personne", "Answer of the simulator"),
    "silence": Text("Aucune réponse : la connexion reste ouverte", "No answer: the connection stays open"),
    "slow:": Text("Réponse du simulateur après ce nombre de secondes (slow:2)", "The same, that many seconds later"),
    "reset": Text("Connexion coupée sans réponse", "Connection cut without an answer"),
    "truncated-xml": Text("Réponse coupée avant la fin", "Answer cut before its end"),
    "fault:": Text("Faute SOAP portant ce code d'erreur (fault:CODE)", "SOAP fault with this error code"),
    "http:": Text("Code HTTP seul, sans corps SOAP (http:503)", "Bare HTTP status (http:503)"),
    "security:": Text("Réponse dont la sécurité dévie (security:NOM)", "Answer with deviating security"),
    "example:": Text("Fichier d'exemple de la norme (example:CHEMIN)", "Example file of the norm"),
}

SLOWEST_SECONDS: Final = 60
_OUTCOME: Final = re.compile(r"fault|fault:\S+|result:\S+|tls|reset|http:[1-5](\d\d|xx)")
FAULT_CLASSES: Final = ("Sender", "Receiver")
_HTTP_STATUS: Final = re.compile(r"[1-5](\d\d|xx)")


def is_outcome(text: str) -> bool:
    """Tell whether `text` is an outcome of a refusal.

    `fault` (any SOAP fault), `fault:CODE`, `result:CODE` (a normal answer with that result code), `tls`, `reset`,
    `http:403`, `http:4xx`.
    """
    return _OUTCOME.fullmatch(text) is not None


def is_http_status(text: str) -> bool:
    """Tell whether `text` is an HTTP status or a class of them: `403`, `4xx`."""
    return _HTTP_STATUS.fullmatch(text) is not None


def is_reply(text: str) -> bool:
    """Tell whether `text` is a reply of the simulator: a name of REPLIES, or a prefix of it with what follows."""
    if text in REPLIES:
        return not text.endswith(":")
    head, colon, rest = text.partition(":")
    if head == "http":
        return is_http_status(rest) and rest.isdigit()
    if head == "slow":
        return rest.isdigit() and 0 < int(rest) <= SLOWEST_SECONDS
    return bool(rest) and head + colon in REPLIES
