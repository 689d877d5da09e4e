"""The declaration of a product, sut.yaml: what it is, what it claims, where it answers, what the laboratory uses.

Source: docs/formats/sut.md. Paths are relative to the file. Errors are DataError with file and line; what is merely not
filled in yet is a Problem, so that a pre-flight can show all of them at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, cast
from urllib.parse import urlsplit

import msgspec

from norms.dynamic import NAME
from norms.i18n import tr
from norms.model import Norm
from norms.yamlfile import Node, read_yaml
from scenarios.model import Role

Answer = Literal["yes", "no"]
_IDENTITY: Final = re.compile(r"[a-z][a-z0-9.-]*")


class ProductTls(msgspec.Struct, frozen=True):
    """How the product's TLS server is recognised. authority: PEM file; server_name: name in its certificate."""

    authority: Path | None = None
    server_name: str = ""


class Product(msgspec.Struct, frozen=True):
    """The product under test. norm: "id/version"; endpoints: message kind -> address (role server)."""

    vendor: str
    name: str
    version: str
    norm: str
    role: Role
    profiles: tuple[str, ...]
    endpoints: dict[str, str] = {}
    tls: ProductTls = ProductTls()


class IdentityFiles(msgspec.Struct, frozen=True):
    """A certificate with its key, PEM files. password_env: environment variable that holds the key's password."""

    certificate: Path
    key: Path
    password_env: str = ""


class Deposits(msgspec.Struct, frozen=True):
    """How deposits come in (role client). folder: where files are dropped, None = over HTTPS; layout: "xml" = as the
    norm's schema says, else the name of a decoder.
    """

    folder: Path | None = None
    layout: str = "xml"


class Laboratory(msgspec.Struct, frozen=True):
    """What the laboratory uses. identities by use: tls, assertion, flow, server, tls-expired …; values: of ${name}.

    session (role client): whether each case or the whole run has an address, "" = the case with a driver, else the run;
    deposits: how documents without SOAP come in.
    """

    identities: dict[str, IdentityFiles] = {}
    anchors: tuple[Path, ...] = ()
    revocations: tuple[Path, ...] = ()
    values: dict[str, str] = {}
    listen: str = "127.0.0.1:0"
    public_url: str = ""
    session: Literal["", "case", "run"] = ""
    deposits: Deposits = Deposits()


class ExtraValues(msgspec.Struct, frozen=True):
    """IXIT: values by name; population: pool -> the product's own persons, values by name."""

    values: dict[str, str] = {}
    population: dict[str, tuple[dict[str, str], ...]] = {}


class Driver(msgspec.Struct, frozen=True):
    """The program that makes a product of role client act. timeout: seconds for one stimulus."""

    command: str
    mode: Literal["one-shot", "persistent"] = "one-shot"
    timeout: float = 30.0


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds. exchange: total deadline of one exchange; quiet: silence that proves that nothing more comes."""

    exchange: float = 10.0
    quiet: float = 2.0


class Declaration(msgspec.Struct, frozen=True):
    """sut.yaml, read. certification: False for a trial that asks for no certificate; reset: command that restores data.

    lines: where each claim and value was written, for messages.
    """

    product: Product
    laboratory: Laboratory = Laboratory()
    ics: dict[str, Answer] = {}
    ixit: ExtraValues = ExtraValues()
    driver: Driver | None = None
    reset: str = ""
    timeouts: Timeouts = Timeouts()
    certification: bool = True
    file: str = ""
    lines: dict[str, int] = {}


class Problem(msgspec.Struct, frozen=True):
    """Something missing or contrary in a declaration that reads well. place: its key; line: 0 when not written."""

    place: str
    what: str
    remedy: str = ""
    line: int = 0


def read_sut(path: Path) -> Declaration:
    """Read a declaration; raise DataError at the first fault of form. Meaning is checked by `declaration_problems`."""
    root = read_yaml(path)
    members = root.only(("product",), ("laboratory", "ics", "ixit", "driver", "reset", "timeouts", "certification"))
    folder = path.resolve().parent
    ics = members.get("ics")
    ixit = members.get("ixit")
    claims = {
        key: cast(Answer, node.choice(("yes", "no")))
        for key, node in (ics.mapping() if ics else {}).items()
        if node.value != ""
    }
    lines = {key: node.line for part in (ics, ixit) if part for key, node in part.mapping().items()}
    return Declaration(
        product=_product(members["product"], folder),
        laboratory=_laboratory(members["laboratory"], folder) if "laboratory" in members else Laboratory(),
        ics=claims,
        ixit=_extra(ixit) if ixit else ExtraValues(),
        driver=_driver(members["driver"]) if _written(members.get("driver")) else None,
        reset=members["reset"].text() if "reset" in members else "",
        timeouts=_timeouts(members["timeouts"]) if "timeouts" in members else Timeouts(),
        certification=members["certification"].flag() if "certification" in members else True,
        file=str(path),
        lines=lines,
    )


def declaration_problems(norm: Norm, declaration: Declaration, kinds: Sequence[str] | None = None) -> list[Problem]:
    """Return what keeps `declaration` from being complete against `norm`, in the order of the file.

    kinds: the message kinds whose address is needed (`scenarios.compiler.kinds_sent`), default all of the norm.
    """
    return [*_product_problems(norm, declaration, kinds), *_claim_problems(norm, declaration)]


def _product_problems(norm: Norm, declaration: Declaration, needed: Sequence[str] | None) -> list[Problem]:
    product, problems = declaration.product, list[Problem]()
    if product.norm != norm.ref:
        problems.append(Problem("product.norm", tr("La norme déclarée est « {norm} ».", norm=product.norm)))
    known = {profile.code for profile in norm.profiles}
    if known and not product.profiles:
        problems.append(
            Problem(
                "product.profiles",
                tr("Aucun profil n'est déclaré."),
                tr("Profils possibles : {names}.", names=", ".join(sorted(known))),
            )
        )
    problems.extend(
        Problem(
            "product.profiles",
            tr("Le profil « {code} » n'existe pas dans la norme.", code=code),
            tr("Profils possibles : {names}.", names=", ".join(sorted(known))),
        )
        for code in product.profiles
        if code not in known
    )
    kinds = [service.kind for service in norm.tested_services("server")]
    problems.extend(
        Problem("product.endpoints", tr("« {kind} » n'est pas un service de la norme.", kind=kind))
        for kind in product.endpoints
        if kind not in kinds
    )
    if product.role == "server":
        problems.extend(
            Problem("product.endpoints", tr("L'adresse du service {kind} manque.", kind=kind), f"{kind}: https://…")
            for kind in (kinds if needed is None else needed)
            if kind not in product.endpoints
        )
    problems.extend(
        Problem("laboratory.identities", tr("Le fichier « {file} » n'existe pas.", file=str(path)))
        for identity in declaration.laboratory.identities.values()
        for path in (identity.certificate, identity.key)
        if not path.is_file()
    )
    return problems


def _claim_problems(norm: Norm, declaration: Declaration) -> list[Problem]:
    problems = list[Problem]()
    known = {claim.id for claim in norm.claims}
    for claim in norm.claims:
        if claim.status == "mandatory" and claim.id not in declaration.ics:
            problems.append(
                Problem(
                    f"ics.{claim.id}",
                    tr("La question n'a pas de réponse : {question}", question=claim.question),
                    tr("Écrivez « {id}: yes » ou « {id}: no ».", id=claim.id),
                    declaration.lines.get(claim.id, 0),
                )
            )
    problems.extend(
        Problem(f"ics.{name}", tr("La norme ne pose pas cette question."), tr("Retirez-la."), declaration.lines[name])
        for name in declaration.ics
        if name not in known
    )
    names = {value.name for value in norm.extra_values}
    problems.extend(
        Problem(f"ixit.{name}", tr("La norme ne demande pas cette valeur."), tr("Retirez-la."), declaration.lines[name])
        for name in declaration.ixit.values
        if name not in names
    )
    problems.extend(
        Problem(
            f"ixit.{value.name}",
            tr("La valeur manque : {question}", question=value.question),
            tr("Exemple : {example}.", example=value.example),
            declaration.lines.get(value.name, 0),
        )
        for value in norm.extra_values
        if not declaration.ixit.values.get(value.name)
    )
    return problems


def _product(node: Node, folder: Path) -> Product:
    members = node.only(("vendor", "name", "version", "norm", "role"), ("profiles", "endpoints", "tls"))
    for key in ("vendor", "name", "version", "norm"):
        if not members[key].text().strip():
            raise members[key].fault(tr("« product.{key} » est vide.", key=key), tr("Remplissez cette ligne."))
    endpoints = members["endpoints"].mapping() if "endpoints" in members else {}
    tls = members["tls"].only((), ("authority", "server_name")) if "tls" in members else {}
    authority = tls["authority"].text() if "authority" in tls else ""
    return Product(
        vendor=members["vendor"].text(),
        name=members["name"].text(),
        version=members["version"].text(),
        norm=members["norm"].text(),
        role=cast(Role, members["role"].choice(("server", "client"))),
        profiles=members["profiles"].texts() if "profiles" in members else (),
        endpoints={kind: _address(address) for kind, address in endpoints.items()},
        tls=ProductTls(
            folder / authority if authority else None, tls["server_name"].text() if "server_name" in tls else ""
        ),
    )


def _address(node: Node) -> str:
    address = node.text()
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("https", "http") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise node.fault(
            tr("« {address} » n'est pas l'adresse d'un service.", address=address),
            tr("Écrivez une adresse comme https://recette.exemple.fr/idb."),
        )
    return address


def _laboratory(node: Node, folder: Path) -> Laboratory:
    members = node.only(
        (), ("identities", "anchors", "revocations", "values", "listen", "public_url", "session", "deposits")
    )
    identities = members["identities"].mapping() if "identities" in members else {}
    values = members["values"].mapping() if "values" in members else {}
    for key, item in values.items():
        _value_name(item, key)
    listen = members["listen"].text() if "listen" in members else Laboratory().listen
    if not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}", listen):
        raise members["listen"].fault(tr("« {listen} » n'est pas hôte:port.", listen=listen), "127.0.0.1:8443")
    return Laboratory(
        identities={name: _identity(item, name, folder) for name, item in identities.items()},
        anchors=_paths(members.get("anchors"), folder),
        revocations=_paths(members.get("revocations"), folder),
        values={key: item.text() for key, item in values.items()},
        listen=listen,
        public_url=_address(members["public_url"]) if _written(members.get("public_url")) else "",
        session=cast(
            Literal["", "case", "run"], members["session"].choice(("case", "run")) if "session" in members else ""
        ),
        deposits=_deposits(members["deposits"], folder) if "deposits" in members else Deposits(),
    )


def _deposits(node: Node, folder: Path) -> Deposits:
    members = node.only((), ("folder", "layout"))
    return Deposits(
        folder=folder / members["folder"].text() if "folder" in members else None,
        layout=members["layout"].text() if "layout" in members else Deposits().layout,
    )


def _identity(node: Node, name: str, folder: Path) -> IdentityFiles:
    if not _IDENTITY.fullmatch(name):
        raise node.fault(tr("« {name} » n'est pas un nom d'identité.", name=name), "tls, assertion, flow, tls-expired")
    members = node.only(("certificate", "key"), ("password_env",))
    return IdentityFiles(
        certificate=folder / members["certificate"].text(),
        key=folder / members["key"].text(),
        password_env=members["password_env"].text() if "password_env" in members else "",
    )


def _paths(node: Node | None, folder: Path) -> tuple[Path, ...]:
    return tuple(folder / name for name in node.texts()) if node else ()


def _extra(node: Node) -> ExtraValues:
    members = node.mapping()
    values = {_value_name(item, key): item.text() for key, item in members.items() if key != "population"}
    population = members.get("population")
    pools: dict[str, tuple[dict[str, str], ...]] = {}
    for pool, entries in (population.mapping() if population else {}).items():
        for entry in entries.items():
            for key, item in entry.mapping().items():
                _value_name(item, key)
        pools[pool] = tuple(entry.text_map() for entry in entries.items())
    return ExtraValues(values, pools)


def _value_name(node: Node, key: str) -> str:
    if not NAME.fullmatch(key):
        raise node.fault(
            tr("« {key} » n'est pas un nom de valeur.", key=key), tr("Écrivez des minuscules, chiffres et « _ ».")
        )
    return key


def _driver(node: Node) -> Driver:
    members = node.only(("command",), ("mode", "timeout"))
    return Driver(
        command=members["command"].text(),
        mode=cast(
            Literal["one-shot", "persistent"],
            members["mode"].choice(("one-shot", "persistent")) if "mode" in members else "one-shot",
        ),
        timeout=members["timeout"].number(0.001) if "timeout" in members else Driver("").timeout,
    )


def _timeouts(node: Node) -> Timeouts:
    members, default = node.only((), ("exchange", "quiet")), Timeouts()
    return Timeouts(
        exchange=members["exchange"].number(0.001) if "exchange" in members else default.exchange,
        quiet=members["quiet"].number(0.001) if "quiet" in members else default.quiet,
    )


def _written(node: Node | None) -> bool:
    return node is not None and node.value != ""
