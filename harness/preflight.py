"""`sut check`: what would make a run fail for reasons of configuration, found before the first case.

Every problem is said in the words of the product's file, with what to do. Nothing is sent but TLS handshakes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from harness.decoders import GROUP, decoder_of
from harness.errors import CannotRun, PreflightError, PreflightProblem
from harness.identities import ASSERTION, FLOW, TLS, identity, server_use, tls_clients
from harness.network import Deadline, ExchangeFailure, Resolver, TlsClient, connect
from harness.processes import words_of
from norms.dynamic import names
from norms.errors import DataError, SecurityRefusal
from norms.i18n import tr
from norms.model import CertificateKind, Norm
from norms.wire.attributes import attribute_texts
from norms.wire.trust import Anchors, check_chain, load_anchors
from scenarios.compiler import kinds_sent
from scenarios.declaration import Declaration, declaration_problems
from scenarios.model import Suite


def check(
    norm: Norm, declaration: Declaration, suite: Suite | None = None, *, call: bool = True
) -> list[PreflightProblem]:
    """Return everything that is not ready. suite: adds what its cases need; call: also try the addresses."""
    problems = [
        PreflightProblem(declaration.file, problem.line, f"{problem.place} : {problem.what}", problem.remedy)
        for problem in declaration_problems(norm, declaration, None if suite is None else kinds_sent(suite))
    ]
    problems += _anchor_problems(norm, declaration)
    problems += _identity_problems(norm, declaration)
    if suite is not None:
        problems += _value_problems(norm, declaration, suite)
    if declaration.product.role == "server":
        if call and not problems:
            problems += _address_problems(norm, declaration)
    else:
        problems += _driver_problems(declaration)
        problems += _deposit_problems(norm, declaration)
    return problems


def require(norm: Norm, declaration: Declaration, suite: Suite) -> None:
    """Raise PreflightError when anything is not ready."""
    problems = check(norm, declaration, suite)
    if problems:
        raise PreflightError(problems)


def _anchors(declaration: Declaration) -> Anchors | None:
    files = (*declaration.laboratory.anchors, *declaration.laboratory.revocations)
    return load_anchors(files) if declaration.laboratory.anchors else None


def _anchor_problems(norm: Norm, declaration: Declaration) -> Iterator[PreflightProblem]:
    security = norm.security
    if declaration.product.role == "server":
        verified = security.response.flow is not None
    else:
        verified = security.request.assertion is not None or bool(security.tls.client_certificate)
    if not declaration.laboratory.anchors:
        if verified:
            yield PreflightProblem(
                declaration.file,
                0,
                tr("laboratory.anchors : aucune autorité de confiance n'est déclarée."),
                tr("Indiquez le fichier PEM de l'autorité qui émet les certificats du produit."),
            )
        return
    try:
        _anchors(declaration)
    except DataError as error:
        yield PreflightProblem(error.file or declaration.file, error.line, error.what, error.remedy)


def expected_kinds(norm: Norm, declaration: Declaration) -> dict[str, str]:
    """Return the kind of certificate that each identity of the laboratory must have, by use."""
    security = norm.security
    if declaration.product.role == "server":
        policy = security.request
        kinds = {
            TLS: security.tls.client_certificate,
            ASSERTION: policy.assertion.signer if policy.assertion else "",
            FLOW: policy.flow.signer if policy.flow else "",
        }
    else:
        kinds = {
            server_use(declaration): security.tls.server_certificate,
            FLOW: security.response.flow.signer if security.response.flow else "",
        }
    return {use: kind for use, kind in kinds.items() if kind}


def _identity_problems(norm: Norm, declaration: Declaration) -> Iterator[PreflightProblem]:
    wanted = expected_kinds(norm, declaration)
    for use, kind in wanted.items():
        if use not in declaration.laboratory.identities:
            yield PreflightProblem(
                declaration.file,
                0,
                tr("laboratory.identities : l'identité « {nom} » ({genre}) manque.", nom=use, genre=kind),
                tr("Donnez son certificat et sa clé (PEM)."),
            )
    for use in declaration.laboratory.identities:
        try:
            found = identity(declaration, use)
        except DataError as error:
            yield PreflightProblem(error.file or declaration.file, error.line, error.what, error.remedy)
            continue
        if found is not None and use in wanted:
            what = _certificate_fault(norm, declaration, found.certificate, found.chain, wanted[use])
            if what:
                yield PreflightProblem(
                    declaration.file,
                    0,
                    tr("laboratory.identities.{nom} : {quoi}", nom=use, quoi=what),
                    tr("Il faut un certificat valable de genre « {genre} ».", genre=wanted[use]),
                )


def _certificate_fault(
    norm: Norm,
    declaration: Declaration,
    certificate: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
    kind: str,
) -> str:
    """Return what is wrong with a certificate of the laboratory, "" when nothing is."""
    at = datetime.now(UTC)
    if at > certificate.not_valid_after_utc:
        return tr("le certificat a expiré le {jour}.", jour=certificate.not_valid_after_utc.date())
    try:
        anchors = _anchors(declaration)
        if anchors is not None:
            wanted = norm.security.kinds.get(kind, CertificateKind())
            check_chain(certificate, chain, anchors, wanted, at, norm.security.algorithms)
    except SecurityRefusal as refusal:
        return refusal.what
    except DataError:
        return ""  # said once, for the anchors
    return ""


def _value_problems(norm: Norm, declaration: Declaration, suite: Suite) -> Iterator[PreflightProblem]:
    if declaration.product.role != "server":
        return
    for attribute, text in attribute_texts(norm).items():
        for name in sorted(names(text)):
            if any(not case.bindings.get(name) for case in suite.cases):
                yield PreflightProblem(
                    declaration.file,
                    0,
                    tr(
                        "laboratory.values : la valeur « {nom} » (attribut {attribut} de l'assertion) manque.",
                        nom=name,
                        attribut=attribute,
                    ),
                    tr("Écrivez-la sous « laboratory: values »."),
                )


def _address_problems(norm: Norm, declaration: Declaration) -> Iterator[PreflightProblem]:
    try:
        client, _ = tls_clients(norm, declaration)
    except DataError as error:
        yield PreflightProblem(error.file, error.line, error.what, error.remedy)
        return
    resolver = Resolver()
    for kind, url in declaration.product.endpoints.items():
        if norm.security.tls.client_certificate and urlsplit(url).scheme != "https":
            yield PreflightProblem(
                declaration.file,
                0,
                tr("product.endpoints.{genre} : {adresse} n'est pas une adresse https.", genre=kind, adresse=url),
                tr("La norme exige TLS : donnez l'adresse https du service."),
            )
            continue
        fault = _unreachable(resolver, url, client, declaration.timeouts.exchange)
        if fault is not None:
            yield PreflightProblem(
                declaration.file,
                0,
                tr(
                    "product.endpoints.{genre} : {adresse} ne répond pas ({quoi}).",
                    genre=kind,
                    adresse=url,
                    quoi=fault[0],
                ),
                fault[1],
            )


def _unreachable(resolver: Resolver, url: str, client: TlsClient, seconds: float) -> tuple[str, str] | None:
    """Try a connection; return what failed and what to do about it."""
    deadline = Deadline(seconds)
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        target = resolver.resolve(parts.scheme, parts.hostname or "", port, deadline)
        connect(target, client, deadline).close()
    except ExchangeFailure as failure:
        if failure.outcome == "tls":
            return f"TLS : {failure.detail}", tr(
                "Vérifiez product.tls.authority, l'identité « tls » et le certificat du serveur."
            )
        return failure.detail, tr("Vérifiez l'adresse, que le service tourne et que le réseau y mène.")
    except CannotRun as reason:
        return str(reason), tr("Corrigez l'identité « tls » de laboratory.identities.")
    return None


def _driver_problems(declaration: Declaration) -> Iterator[PreflightProblem]:
    driver = declaration.driver
    if driver is None:
        return
    try:
        words = words_of(driver.command)
    except ValueError:
        words = []
    folder = Path(declaration.file).resolve().parent if declaration.file else Path()
    if not words or not (shutil.which(words[0]) or (folder / words[0]).is_file()):
        yield PreflightProblem(
            declaration.file,
            0,
            tr("driver.command : le programme « {nom} » n'existe pas.", nom=words[0] if words else ""),
            tr("Indiquez un programme exécutable, avec son chemin s'il n'est pas dans le PATH."),
        )


def _deposit_problems(norm: Norm, declaration: Declaration) -> Iterator[PreflightProblem]:
    """Yield what keeps deposits from being taken. Without decoder their cases would be left out: that is said too."""
    deposits = declaration.laboratory.deposits
    if not any(service.carrier == "deposit" for service in norm.services):
        return
    if decoder_of(deposits.layout) is None:
        yield PreflightProblem(
            declaration.file,
            0,
            tr("laboratory.deposits.layout : aucun décodeur « {layout} » n'est installé.", layout=deposits.layout),
            tr(
                "Installez le paquet qui le fournit (points d'entrée « {group} »), ou écrivez « layout: xml ».",
                group=GROUP,
            ),
        )
    if deposits.folder is not None:
        nearest = next(place for place in (deposits.folder, *deposits.folder.resolve().parents) if place.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK):
            yield PreflightProblem(
                declaration.file,
                0,
                tr("laboratory.deposits.folder : « {folder} » n'est pas un dossier où écrire.", folder=deposits.folder),
                tr("Indiquez un dossier que le logiciel et le laboratoire peuvent tous deux écrire."),
            )
