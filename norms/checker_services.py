"""`norms check`: are the services of a norm complete? WSDL, operation, action, payload elements, canonical messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lxml import etree

from norms.errors import NormError
from norms.i18n import tr
from norms.message_check import Checker
from norms.model import Norm, Service
from norms.norm_problem import NormProblem, problem_of
from norms.places import line_of
from norms.roots import NORM_FILE
from norms.schema import roots_of, walk
from norms.wire.soap import qname
from norms.yamlfile import nearest, read_yaml

WSDL: Final = "http://schemas.xmlsoap.org/wsdl/"
WSDL_SOAP: Final = {"1.1": "http://schemas.xmlsoap.org/wsdl/soap/", "1.2": "http://schemas.xmlsoap.org/wsdl/soap12/"}
XSD: Final = "http://www.w3.org/2001/XMLSchema"


def message_files(norm: Norm, service: Service) -> tuple[tuple[str, Path], ...]:
    """Return direction and path of the canonical messages of a service."""
    folder = norm.root / "messages"
    return tuple((direction, folder / f"{service.kind}.{direction}.xml") for direction in ("request", "response"))


def service_problems(norm: Norm, checker: Checker) -> Iterator[NormProblem]:
    """Yield what is missing or wrong around the services."""
    file = norm.root / NORM_FILE
    nodes = read_yaml(file, NormError).mapping()["services"].items() if norm.services else ()
    for service, node in zip(norm.services, nodes, strict=True):
        parts = (service.request.element, service.response.element, *service.headers, *service.response_headers)
        for name in parts:
            if qname(norm.prefixes, name) not in checker.schemas.elements:
                yield NormProblem(
                    file,
                    node.line,
                    tr("{kind} : l'élément « {name} » n'est déclaré par aucun schéma.", kind=service.kind, name=name),
                    nearest(name, (f"{prefix}:{one}" for prefix, one in _global_elements(norm, checker))),
                )
        for _, path in message_files(norm, service):
            if not path.is_file():
                yield NormProblem(path, 0, tr("Le message canonique manque."), tr("Ajoutez une instance valide."))
        if service.carrier == "soap":
            yield from _wsdl_problems(norm, service)
    if norm.services and not norm.security.name:
        yield NormProblem(file, 0, tr("La norme a des services mais pas de profil « security »."))


def _global_elements(norm: Norm, checker: Checker) -> Iterator[tuple[str, str]]:
    for prefix, uri in norm.prefixes.items():
        for element in checker.schemas.elements:
            if element.startswith(f"{{{uri}}}"):
                yield prefix, element.rpartition("}")[2]


def _wsdl_problems(norm: Norm, service: Service) -> Iterator[NormProblem]:
    path = norm.root / service.wsdl
    try:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        root = etree.fromstring(path.read_bytes(), parser)
    except OSError:
        yield NormProblem(path, 0, tr("Le WSDL de {kind} manque.", kind=service.kind), tr("Créez-le."))
        return
    except etree.XMLSyntaxError as bad:
        yield NormProblem(path, bad.lineno or 0, tr("Le XML est mal formé : {why}.", why=bad.msg))
        return
    operations = {one.get("name", ""): one for one in root.iterfind(f"{{{WSDL}}}portType/{{{WSDL}}}operation")}
    if service.operation not in operations:
        sentence = tr("Le WSDL ne définit pas l'opération « {name} ».", name=service.operation)
        yield NormProblem(path, line_of(root), sentence, nearest(service.operation, operations))
    yield from _binding_problems(path, root, service)
    yield from _import_problems(norm, path, root)


def _binding_problems(path: Path, root: etree._Element, service: Service) -> Iterator[NormProblem]:
    soap = WSDL_SOAP[service.soap]
    if root.find(f".//{{{soap}}}binding") is None:
        yield NormProblem(path, line_of(root), tr("Le WSDL n'a pas de liaison SOAP {version}.", version=service.soap))
        return
    for operation in root.iterfind(f"{{{WSDL}}}binding/{{{WSDL}}}operation"):
        described = operation.find(f"{{{soap}}}operation")
        action = "" if described is None else described.get("soapAction", "")
        if operation.get("name") == service.operation and action and action != service.request.action:
            yield NormProblem(
                path,
                line_of(operation),
                tr("L'action est « {actual} » dans le WSDL et « {expected} » dans {file}.",
                   actual=action, expected=service.request.action, file=NORM_FILE),
            )  # fmt: skip


def _import_problems(norm: Norm, path: Path, root: etree._Element) -> Iterator[NormProblem]:
    """The schemas that a WSDL names must be files of the norms too."""
    for element in root.iter(f"{{{XSD}}}import", f"{{{XSD}}}include", f"{{{WSDL}}}import"):
        location = element.get("schemaLocation") or element.get("location")
        if location is None:
            continue
        target = (path.parent / location).resolve()
        within = any(target.is_relative_to(root_folder) for root_folder in roots_of(norm))
        if not within or "://" in location:
            yield NormProblem(
                path,
                line_of(element),
                tr("« {location} » est hors du dossier des normes.", location=location),
                tr("Un WSDL n'importe que des fichiers des normes, par un chemin relatif."),
            )
        elif not target.is_file():
            sentence = tr("Le fichier « {location} » n'existe pas.", location=location)
            yield NormProblem(path, line_of(element), sentence, tr("Créez-le ou corrigez son nom."))
        elif target.suffix == ".xsd":
            try:
                walk([target], roots_of(norm))
            except NormError as error:
                yield problem_of(error, target)
