"""`poincon relay`: signs and carries a product's unsigned requests while its own signing is not ready."""

from __future__ import annotations

import ssl
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from harness.identities import ASSERTION, FLOW, Lent, tls_clients
from harness.network import tls_context
from norms import loader
from norms.errors import DataError, UsageError
from norms.i18n import tr
from norms.model import Limits, Norm
from norms.wire.keys import load_identity
from norms.wire.secure import Signers
from poincon.console import print_json, wait_for_interrupt
from poincon.places import sandbox_keys
from poincon.practice import client_identities
from sandbox.pki import TestPki
from sandbox.plain import plain_listener
from sandbox.relay import Destination, Hand, Relay
from scenarios.declaration import Declaration, read_sut

_LISTEN: Final = "127.0.0.1:0"


def relay(arguments: Namespace) -> int:
    """Open the relay, say its addresses, and carry until interrupted."""
    declaration = read_sut(arguments.sut) if arguments.sut else None
    norm = _norm(arguments.norm, declaration)
    destination = _destination(arguments.to, norm, declaration)
    if declaration is not None and declaration.product.role == "server":
        hands = [_lent(norm, declaration, arguments.authority)]
    else:
        pki = sandbox_keys(arguments.data)
        hands = [_practice(each, pki, arguments.authority) for each in norm.speakers]
    host, port = _listen(arguments.listen, destination)
    carrying = Relay(hands, destination, arguments.timeout, _quiet if arguments.json else print_line)
    with plain_listener(carrying, host, port, _widest(hands), remote=arguments.allow_remote) as listener:
        addresses = carrying.addresses(listener.base)
        if arguments.json:
            print_json({"base": listener.base, "norm": norm.ref, "endpoints": addresses})
        else:
            _tell(norm, destination, listener.base, addresses)
        sys.stdout.flush()
        wait_for_interrupt(tr("Relais fermé."))
    return 0


def print_line(line: str) -> None:
    """Print what happened to one request, at once."""
    print(line, flush=True)


def _quiet(_: str) -> None:
    """Say nothing: standard output holds one JSON document."""


def _norm(named: str | None, declaration: Declaration | None) -> Norm:
    ref = named or (declaration.product.norm if declaration else "")
    if not ref:
        raise UsageError(tr("Nommez la norme avec --norm, ou donnez une déclaration avec --sut."))
    norm = loader.load(ref)
    if declaration is not None and declaration.product.norm != norm.ref:
        raise UsageError(
            tr(
                "La déclaration est celle de la norme {other}, pas de {norm}.",
                other=declaration.product.norm,
                norm=norm.ref,
            )
        )
    if not norm.services:
        raise UsageError(tr("La norme {norm} n'a pas de service.", norm=norm.ref))
    return norm


def _destination(written: Sequence[str], norm: Norm, declaration: Declaration | None) -> Destination:
    """Return where to carry: what --to says, else what the declaration says."""
    if written:
        return _named(written, norm)
    if declaration is None:
        raise UsageError(tr("Dites où porter les demandes : --to https://… ou --sut FICHIER."))
    if declaration.product.role == "server":
        return Destination(kinds={kind: _https(url) for kind, url in declaration.product.endpoints.items()})
    host, _, port = declaration.laboratory.listen.rpartition(":")
    public = declaration.laboratory.public_url.rstrip("/")
    front = urlsplit(public)
    if port == "0" or front.scheme != "http" or front.port is None or front.path:
        raise DataError(
            tr("Pour passer par le relais, la session doit avoir une adresse fixe et donner celle du relais."),
            file=declaration.file,
            remedy=tr(
                'Sous « laboratory », écrivez par exemple listen: "127.0.0.1:9443" et '
                'public_url: "http://127.0.0.1:8080".'
            ),
        )
    name = "localhost" if host in ("127.0.0.1", "0.0.0.0", "[::]") else host
    return Destination(f"https://{name}:{port}", called=public)


def _named(written: Sequence[str], norm: Norm) -> Destination:
    services = {service.kind: service for each in norm.speakers for service in each.services}
    base, kinds = "", {}
    for text in written:
        kind, equals, url = text.partition("=")
        if not equals or "/" in kind:
            if base:
                raise UsageError(tr("--to ne prend qu'une adresse de base ; les autres s'écrivent GENRE=adresse."))
            base = _https(text)
            # An address of one service is as good as the base that it stands on.
            base = next((base.removesuffix(item.path) for item in services.values() if base.endswith(item.path)), base)
            base = base.rstrip("/")
        elif kind not in services:
            raise UsageError(
                tr(
                    "« {kind} » n'est pas un message de {norm} : {known}.",
                    kind=kind,
                    norm=norm.ref,
                    known=", ".join(services),
                )
            )
        else:
            kinds[kind] = _https(url)
    return Destination(base, kinds)


def _https(url: str) -> str:
    """Return an address to carry to, or refuse what is none."""
    try:
        place = urlsplit(url)
        good = place.scheme == "https" and bool(place.hostname) and place.port != 0 and url.isascii()
        good = good and not (place.username or place.query or place.fragment)
    except ValueError:
        good = False
    if not good or not url.isprintable() or " " in url:
        raise UsageError(tr("« {url} » n'est pas une adresse où porter : écrivez https://hôte:port/…", url=url))
    return url


def _practice(norm: Norm, pki: TestPki, authority: Path | None) -> Hand:
    """Return what the test PKI lends for a norm: card, software and their right certificates."""
    held = client_identities(norm, pki)
    context = _context(authority or pki.authority)
    if "tls" in held:
        context.load_cert_chain(*held["tls"])
    wanted = {use: load_identity(*held[use]) for use in (ASSERTION, FLOW) if use in held}
    return Hand(norm, context, Signers(wanted.get(ASSERTION), wanted.get(FLOW)), _examples(norm))


def _lent(norm: Norm, declaration: Declaration, authority: Path | None) -> Hand:
    """Return what a declaration of role server lends: the identities with which the laboratory calls."""
    lent = Lent(declaration)
    client, _ = tls_clients(norm, declaration)
    context = tls_context(replace(client, authorities=(authority,)) if authority else client)
    values = {**_examples(norm), **declaration.laboratory.values, **declaration.ixit.values}
    return Hand(norm, context, Signers(lent.get(ASSERTION), lent.get(FLOW)), values)


def _context(authority: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(cafile=str(authority))
    except (OSError, ssl.SSLError) as unusable:
        raise UsageError(
            tr("« {file} » n'est pas une autorité utilisable (PEM) : {why}.", file=authority, why=unusable)
        ) from unusable
    return context


def _examples(norm: Norm) -> Mapping[str, str]:
    return {value.name: value.example for value in norm.extra_values}


def _listen(written: str | None, destination: Destination) -> tuple[str, int]:
    """Return where to listen: as written, else where the session says that products call, else a free port."""
    called = urlsplit(destination.called)
    if written is None and called.hostname and called.port:
        return called.hostname, called.port
    host, colon, port = (written or _LISTEN).rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise UsageError(tr("« {text} » n'est pas hôte:port, comme 127.0.0.1:8080.", text=written))
    return host.strip("[]"), int(port)


def _widest(hands: Sequence[Hand]) -> Limits:
    """Return the largest value of each limit: each norm's own endpoint judges by its own."""
    limits = [hand.norm.security.limits for hand in hands]
    return Limits(**{name: max(getattr(item, name) for item in limits) for name in Limits.__struct_fields__})


def _tell(norm: Norm, destination: Destination, base: str, addresses: Mapping[str, str]) -> None:
    print(tr("Relais de {norm} : {base}", norm=norm.ref, base=base))
    described = {service.kind for each in norm.speakers for service in each.services if service.wsdl}
    for kind, address in addresses.items():
        print(f"  {kind:4} {address}" + (f"    (WSDL : {address}?wsdl)" if kind in described else ""))
    target = destination.base or ", ".join(f"{kind} {url}" for kind, url in destination.kinds.items())
    print(tr("Porte à : {target}", target=target))
    print(tr("Le corps de vos demandes n'est jamais changé. Un passage relayé le dit et ne peut pas être certifié."))
    print(tr("Ctrl-C pour arrêter."))
