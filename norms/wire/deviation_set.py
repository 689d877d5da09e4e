"""The closed set of wrong ways to secure a message, as a table. Source: docs/formats/security.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from norms.model import Text
from norms.wire import changes
from norms.wire.algorithms import HMAC_SHA256, RSA_SHA1, SHA1
from norms.wire.gate import Direction
from norms.wire.recipe import Context, Recipe
from norms.wire.wrapping import ASSERTION_WRAPPINGS, wrap_body

Change = Callable[[Recipe, Context], Recipe]


@dataclass(frozen=True)
class Deviation:
    """A wrong way to secure a message.

    identity: name in `Signers.others` that it needs, "" = none; needs: parts of the profile without which it makes no
    sense (words of `norms.wire.deviations.applies`); reasons: reason codes that a right receiver may answer with;
    directions: messages it applies to.
    """

    name: str
    text: Text
    needs: tuple[str, ...]
    reasons: frozenset[str]
    change: Change
    identity: str
    directions: tuple[Direction, ...]


def _row(
    name: str, directions: str, needs: str, reasons: str, change: Change, fr: str, en: str, identity: str = ""
) -> Deviation:
    both: tuple[Direction, ...] = ("request", "response")
    return Deviation(
        name=name,
        text=Text(fr, en),
        needs=tuple(needs.split()),
        reasons=frozenset(reasons.split()),
        change=change,
        identity=identity,
        directions=both if directions == "both" else ("request",),
    )


_parts = partial(partial, changes.set_parts)
_style = partial(partial, changes.restyle)
_uncover = partial(partial, changes.uncover)
_flow_key = partial(partial, changes.flow_key)
_assertion_key = partial(partial, changes.assertion_key)
_shift_assertion = partial(partial, changes.shift_assertion)
_shift_timestamp = partial(partial, changes.shift_timestamp)
_readdress = partial(partial, changes.readdress)
_WRAPPED: Final = (
    "assertion-multiple assertion-structure signature-structure signature-reference signature-missing signature-invalid"
)

_ROWS: Final = (
    _row("security-missing", "both", "security", "security-missing", _parts(present=False),
         "En-tête wsse:Security absent", "No wsse:Security header"),

    _row("assertion-missing", "request", "assertion", "assertion-missing", _parts(assertion=None),
         "Assertion absente", "No assertion"),
    _row("assertion-unsigned", "request", "assertion", "signature-missing", _parts(assertion_signer=None),
         "Assertion non signée", "Unsigned assertion"),
    _row("assertion-altered", "request", "assertion", "signature-invalid", _parts(before_flow=changes.alter_assertion),
         "Assertion modifiée après sa signature", "Assertion altered after it was signed"),
    _row("assertion-expired", "request", "assertion", "assertion-expired", _shift_assertion(sign=-1),
         "Assertion expirée", "Expired assertion"),
    _row("assertion-not-yet-valid", "request", "assertion", "assertion-not-yet-valid", _shift_assertion(sign=1),
         "Assertion pas encore valide", "Assertion not yet valid"),
    _row("assertion-lifetime", "request", "assertion", "assertion-lifetime", changes.lengthen,
         "Assertion de durée trop longue", "Assertion that lives too long"),
    _row("assertion-audience", "request", "assertion", "assertion-audience assertion-subject",
         _readdress(audience="https://ailleurs.invalid/service"),
         "Assertion destinée à un autre service", "Assertion for another service"),
    _row("assertion-no-audience", "request", "assertion", "assertion-audience", _readdress(audience=None),
         "Assertion sans destinataire", "Assertion without an audience"),
    _row("assertion-replayed", "request", "replay", "assertion-replayed", changes.replay,
         "Assertion déjà utilisée", "Assertion used before"),
    _row("assertion-attribute-missing", "request", "attributes", "assertion-attributes", changes.drop_attribute,
         "Attribut obligatoire absent de l'assertion", "Mandatory attribute missing from the assertion"),
    _row("assertion-qualifier", "request", "assertion", "assertion-subject", changes.unknown_qualifier,
         "NameQualifier hors de la liste de la norme", "NameQualifier outside the norm's list"),
    _row("assertion-two", "request", "assertion", "assertion-multiple", _parts(copies=2),
         "Deux assertions valides", "Two valid assertions"),
    _row("assertion-wrong-kind", "request", "assertion", "certificate-usage",
         _assertion_key(identity="assertion-wrong-kind"),
         "Assertion signée avec la clé d'authentification", "Assertion signed with the authentication key",
         "assertion-wrong-kind"),
    _row("assertion-expired-key", "request", "assertion", "certificate-expired",
         _assertion_key(identity="assertion-expired"),
         "Assertion signée avec un certificat expiré", "Assertion signed with an expired certificate",
         "assertion-expired"),
    _row("assertion-revoked-key", "request", "assertion", "certificate-revoked",
         _assertion_key(identity="assertion-revoked"),
         "Assertion signée avec un certificat révoqué", "Assertion signed with a revoked certificate",
         "assertion-revoked"),
    _row("assertion-other-authority", "request", "assertion", "certificate-untrusted",
         _assertion_key(identity="assertion-other-authority"),
         "Assertion signée sous une autre autorité", "Assertion signed under another authority",
         "assertion-other-authority"),
    _row("assertion-other-holder", "request", "binding", "assertion-binding assertion-subject",
         _assertion_key(identity="assertion-other-holder"),
         "Assertion signée par un autre titulaire que celui de la connexion",
         "Assertion signed by another holder than the connection's", "assertion-other-holder"),
    *(
        _row(f"assertion-wrapped-{number}", "request", "assertion", _WRAPPED, _parts(before_flow=wrapping),
             f"Assertion signée déplacée derrière une fausse (forme {number})",
             f"Signed assertion moved behind a forged one (shape {number})")
        for number, wrapping in enumerate(ASSERTION_WRAPPINGS, 1)
    ),
    _row("comment-in-identity", "request", "assertion", "signature-structure assertion-subject",
         _parts(before_flow=changes.comment_in_identity),
         "Commentaire au milieu de l'identité", "Comment inside the identity"),

    _row("flow-missing", "both", "flow", "signature-missing", _parts(flow_signer=None),
         "Signature du flux absente", "No flow signature"),
    _row("flow-wrong-kind", "both", "flow", "certificate-usage", _flow_key(identity="flow-wrong-kind"),
         "Flux signé avec un certificat d'un autre genre", "Flow signed with another kind of certificate",
         "flow-wrong-kind"),
    _row("flow-other-authority", "both", "flow", "certificate-untrusted", _flow_key(identity="flow-other-authority"),
         "Flux signé sous une autre autorité", "Flow signed under another authority", "flow-other-authority"),
    _row("flow-expired-key", "both", "flow", "certificate-expired", _flow_key(identity="flow-expired"),
         "Flux signé avec un certificat expiré", "Flow signed with an expired certificate", "flow-expired"),
    _row("body-unsigned", "both", "covers-body", "signature-coverage", _uncover(part="body"),
         "Corps du message hors de la signature", "Body not covered by the signature"),
    _row("body-altered", "both", "covers-body", "signature-invalid", _parts(after_flow=changes.alter_body),
         "Corps du message modifié après signature", "Body altered after signing"),
    _row("body-wrapped", "both", "covers-body", "signature-reference signature-coverage",
         _parts(after_flow=wrap_body),
         "Corps signé déplacé dans l'en-tête, faux corps à sa place",
         "Signed body moved to the header, forged body in its place"),
    _row("headers-unsigned", "both", "covers-headers service-headers", "signature-coverage", _uncover(part="headers"),
         "En-têtes du service hors de la signature", "Service headers not covered by the signature"),

    _row("timestamp-missing", "both", "timestamp", "timestamp-missing", _parts(timestamp=None),
         "Horodatage absent", "No timestamp"),
    _row("timestamp-expired", "both", "timestamp", "timestamp-expired", _shift_timestamp(sign=-1),
         "Horodatage expiré", "Expired timestamp"),
    _row("timestamp-future", "both", "timestamp", "timestamp-future", _shift_timestamp(sign=1),
         "Horodatage dans le futur", "Timestamp in the future"),
    _row("timestamp-unsigned", "both", "covers-timestamp timestamp", "signature-coverage", _uncover(part="timestamp"),
         "Horodatage hors de la signature", "Timestamp not covered by the signature"),

    _row("algorithm-sha1", "both", "signature", "signature-algorithm", _style(signature=RSA_SHA1, digest=SHA1),
         "Signature RSA-SHA1", "RSA-SHA1 signature"),
    _row("algorithm-hmac", "both", "signature", "signature-algorithm", _style(signature=HMAC_SHA256),
         "Signature HMAC dont le secret est la clé publique", "HMAC signature keyed with the public key"),
    _row("transform-xslt", "both", "signature", "signature-transform", _style(transform="xslt"),
         "Transformation XSLT dans une référence", "XSLT transform in a reference"),
    _row("transform-unknown", "both", "signature", "signature-transform", _style(transform="unknown"),
         "Transformation inconnue dans une référence", "Unknown transform in a reference"),
    _row("duplicate-id", "both", "signature", "duplicate-id", _parts(after_flow=changes.duplicate_identifier),
         "Identifiant d'une partie signée porté deux fois", "Identifier of a signed part carried twice"),
    _row("key-value-only", "both", "signature", "key-info", _style(key_info="key-value"),
         "Clé publique nue au lieu d'un certificat", "Bare public key instead of a certificate"),
)  # fmt: skip

DEVIATIONS: Final[Mapping[str, Deviation]] = MappingProxyType({deviation.name: deviation for deviation in _ROWS})
