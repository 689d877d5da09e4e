"""The text of a new sut.yaml: every key with a comment, every question of the norm's ICS and IXIT.

Source: docs/formats/sut.md. The comments are for people and follow the reader's language.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from norms.dynamic import names
from norms.i18n import tr
from norms.model import Norm
from scenarios.bindings import CASE_NUMBER, COPY
from scenarios.model import Role


class Prefill(msgspec.Struct, frozen=True):
    """What the caller already knows. identities: use -> (certificate, key); paths as written in the file."""

    vendor: str = ""
    name: str = ""
    product_version: str = ""
    endpoints: dict[str, str] = {}
    identities: dict[str, tuple[str, str]] = {}
    anchors: tuple[str, ...] = ()
    revocations: tuple[str, ...] = ()
    authority: str = ""
    server_name: str = ""
    values: dict[str, str] = {}
    claims: dict[str, str] = {}
    ixit: dict[str, str] = {}


_EXAMPLE_HOST: Final = "https://recette.exemple.fr"
_COMMENT_COLUMN: Final = 40


def sut_template(norm: Norm, role: Role, prefill: Prefill | None = None) -> str:
    """Return a declaration to be filled in for a product of `role`; what `prefill` knows stands in it already."""
    known = prefill or Prefill()
    parts = [_head(norm, role), _product(norm, role, known), _laboratory(norm, role, known)]
    parts += [_claims(norm, known), _values(norm, known)]
    if role == "client":
        parts.append(_driver())
    return "\n".join("\n".join(part) + "\n" for part in (*parts, _tail()))


def laboratory_names(norm: Norm) -> tuple[str, ...]:
    """Return the names that messages of `norm` use and neither profiles, population nor IXIT supply, sorted."""
    supplied = {name for profile in norm.profiles for name in profile.values}
    supplied |= {value.name for value in norm.extra_values}
    from norms.behaviour.population import population_of

    supplied |= {name for pool in population_of(norm).pools for item in pool.entries for name in item.values}
    used = {name for text in norm.fill.values() for name in names(text)}
    return tuple(sorted(used - supplied - {CASE_NUMBER, COPY}))


def needed_identities(norm: Norm, role: Role) -> dict[str, str]:
    """Return the identities that the laboratory needs to play the peer of `role`: use -> kind of certificate."""
    security = norm.security
    if role == "client":
        response = security.response.flow
        found = {"server": security.tls.server_certificate, "flow": response.signer if response else ""}
    else:
        request = security.request
        found = {
            "tls": security.tls.client_certificate,
            "assertion": request.assertion.signer if request.assertion else "",
            "flow": request.flow.signer if request.flow else "",
        }
    return {use: kind for use, kind in found.items() if kind}


def _head(norm: Norm, role: Role) -> Iterator[str]:
    yield _comment(tr("Déclaration du produit pour la norme {norm}.", norm=norm.ref))
    yield _comment(tr("Les chemins partent du dossier de ce fichier. Mettez les nombres entre guillemets."))
    yield _comment(tr("N'écrivez ici ni mot de passe, ni personne réelle : les personnes d'essai sont dans la norme."))
    if role == "client":
        yield "#"
        yield _comment(tr("1. product : votre logiciel. 2. ics : ce qu'il fait. 3. driver : ce qui le fait agir."))
        yield _comment(tr("4. poincon sut check : ce qui manque encore. 5. poincon run --sut : l'exécution."))


def _product(norm: Norm, role: Role, known: Prefill) -> Iterator[str]:
    yield "product:"
    yield "  vendor: " + _quoted(known.vendor or tr("Nom de l'éditeur ou de l'organisme"))
    yield "  name: " + _quoted(known.name or tr("Nom du produit"))
    yield _line(
        "  version: " + _quoted(known.product_version or "1.0"),
        tr("version exacte, telle que le certificat la portera"),
    )
    yield "  norm: " + _quoted(norm.ref)
    yield _line(f"  role: {role}", tr("server : le laboratoire appelle le produit ; client : le produit appelle"))
    if norm.profiles:
        codes = ", ".join(profile.code for profile in norm.profiles)
        yield _line(f"  profiles: [{codes}]", tr("gardez ceux du produit"))
        yield from (_comment(f"{profile.code} : {profile.title}", 4) for profile in norm.profiles)
    if role == "server":
        yield _line("  endpoints:", tr("adresse de chaque service"))
        for service in norm.tested_services("server"):
            yield f"    {service.kind}: " + _quoted(known.endpoints.get(service.kind, _EXAMPLE_HOST + service.path))
    if role == "client":
        return
    yield "  tls:"
    yield _line("    authority: " + _quoted(known.authority), tr("autorité du certificat TLS du produit (PEM)"))
    yield _line("    server_name: " + _quoted(known.server_name), tr("nom dans ce certificat, si l'adresse diffère"))


def _laboratory(norm: Norm, role: Role, known: Prefill) -> Iterator[str]:
    yield _line("laboratory:", tr("ce que le laboratoire utilise pour jouer le partenaire"))
    kinds = needed_identities(norm, role)
    identities = {use: (f"pki/{kind}.pem", f"pki/{kind}.key") for use, kind in kinds.items()} | known.identities
    yield "  identities:" if identities else "  identities: {}"
    for use, (certificate, key) in identities.items():
        if use in kinds:
            yield _comment(tr("certificat de genre {kind}", kind=kinds[use]), 4)
        if role == "client" and use == "server":
            yield _comment(tr("celui que votre logiciel voit : faites-lui accepter l'autorité qui l'a émis"), 4)
        yield f"    {use}: {{certificate: {_quoted(certificate)}, key: {_quoted(key)}}}"
    recognised = (
        tr("autorités de vos certificats (PEM)") if role == "client" else tr("autorités reconnues (fichiers PEM)")
    )
    yield _line("  anchors: " + _listed(known.anchors), recognised)
    yield _line("  revocations: " + _listed(known.revocations), tr("listes de révocation"))
    values = {**dict.fromkeys(laboratory_names(norm) if role == "server" else (), ""), **known.values}
    yield _line("  values:" if values else "  values: {}", tr("valeurs que les messages utilisent"))
    yield from (f"    {name}: {_quoted(value)}" for name, value in values.items())
    if role == "client":
        yield _line('  listen: "127.0.0.1:0"', tr("adresse d'écoute ; 0 : port libre"))
        yield _line(
            "  # session: run", tr("case : une adresse par cas, avec un pilote ; run : une seule, avec un opérateur")
        )
        yield _line('  public_url: ""', tr("adresse que le produit doit appeler, si elle diffère"))


def _claims(norm: Norm, known: Prefill) -> Iterator[str]:
    yield _line("ics:" if norm.claims else "ics: {}", tr("ce que le produit déclare faire : yes ou no"))
    for claim in norm.claims:
        yield _comment(claim.question, 2)
        yield f"  {claim.id}: {known.claims.get(claim.id, '')}".rstrip()


def _values(norm: Norm, known: Prefill) -> Iterator[str]:
    yield _line("ixit:", tr("valeurs propres au produit"))
    for value in norm.extra_values:
        yield _comment(value.question, 2)
        yield _line(
            f"  {value.name}: " + _quoted(known.ixit.get(value.name, "")),
            tr("exemple : {example}", example=value.example),
        )
    yield _comment(tr("Vos propres personnes de test, par groupe, si celles de la norme ne conviennent pas :"), 2)
    yield "  # population:"
    yield f"  #   {norm.default_given or 'groupe'}:"
    yield '  #     - {nom: "valeur"}'


def _driver() -> Iterator[str]:
    yield _comment(
        tr("Votre pilote n'est pas écrit ? Mettez un # devant ces quatre lignes et lancez l'exécution sur un")
    )
    yield _comment(tr("terminal : un opérateur y suivra les consignes."))
    yield _line("driver:", tr("programme qui fait agir le produit ; sans lui, un opérateur suit les consignes"))
    yield _line('  command: "python pilote.py"', tr("reçoit chaque consigne en JSON sur son entrée standard"))
    yield _line("  mode: one-shot", tr("one-shot : un lancement par consigne ; persistent : un seul"))
    yield _line('  timeout: "30"', tr("secondes accordées à une consigne"))


def _tail() -> Iterator[str]:
    yield _line('reset: ""', tr("commande qui remet les données du produit dans leur état de départ"))
    yield "timeouts:"
    yield _line('  exchange: "30"', tr("secondes accordées à un échange"))
    yield _line('  quiet: "3"', tr("secondes de silence qui prouvent que rien ne suit"))
    yield _line("certification: true", tr("false : simple essai, sans certificat"))


def _line(text: str, comment: str) -> str:
    return f"{text.ljust(_COMMENT_COLUMN)}  # {comment}"


def _comment(text: str, indent: int = 0) -> str:
    return " " * indent + "# " + " ".join(text.split())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _listed(paths: Sequence[str]) -> str:
    return "[" + ", ".join(_quoted(path) for path in paths) + "]"
