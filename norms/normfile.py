"""norm.yaml as structs: the strict reader of a norm's own file. Source: docs/formats/norm.md, "norm.yaml"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final, Literal, TypeVar, cast

import msgspec

from norms.errors import NormError
from norms.i18n import tr
from norms.model import Always, Part, Profile, Reaction, Reactions, Reading, Rounding, Service, Text
from norms.yamlfile import Node, read_yaml

REQUIRED: Final = ("id", "version", "revision", "title", "status", "provenance", "valid_from")
OPTIONAL: Final = (
    "valid_to", "replaces", "regime", "uses", "security", "rounding", "prefixes", "schemas", "services", "fill",
    "default_given", "profiles", "reading", "always", "reactions", "derived_prefix", "companions",
)  # fmt: skip
STATUSES: Final = ("draft", "published", "withdrawn")
PROVENANCES: Final = ("reconstruction", "official")
REGIMES: Final = ("laboratory", "self-conformance")
MODES: Final = ("half-up", "half-even", "half-down", "up", "down", "ceiling", "floor", "05up")

_T = TypeVar("_T")

NORM_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
NORM_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]*")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_KIND: Final = re.compile(r"[A-Z][A-Z0-9_]*")


class NormFile(msgspec.Struct, frozen=True):
    """What norm.yaml says, with the lines that later errors need."""

    id: str
    version: str
    revision: str
    title: Text
    status: str
    provenance: str
    valid_from: str
    valid_to: str
    replaces: str
    regime: str
    uses: tuple[tuple[str, int], ...]
    companions: tuple[tuple[str, int], ...]
    security: str
    security_line: int
    rounding: Rounding | None
    prefixes: dict[str, str]
    schemas: tuple[tuple[str, int], ...]
    services: tuple[tuple[Service, int], ...]
    fill: dict[str, str]
    default_given: str
    profiles: tuple[Profile, ...]
    reading: Reading
    always: tuple[tuple[Always, int], ...]
    reactions: Reactions
    reaction_lines: tuple[tuple[str, int], ...]
    derived_prefix: str


def read_norm_file(path: Path) -> NormFile:
    """Read norm.yaml. Raises NormError with file, line and remedy."""
    root = read_yaml(path, NormError)
    keys = root.only(REQUIRED, OPTIONAL)

    def one(name: str, default: str = "") -> str:
        return keys[name].text() if name in keys else default

    def pairs(name: str) -> tuple[tuple[str, int], ...]:
        return tuple((node.text(), node.line) for node in keys[name].items()) if name in keys else ()

    services = _unique(keys, "services", _service, lambda service: service.kind)
    profiles = _unique(keys, "profiles", _profile, lambda profile: profile.code)
    kinds = tuple(service.kind for service, _ in services)
    reactions = keys["reactions"].only((), Reactions.__struct_fields__) if "reactions" in keys else {}
    return NormFile(
        id=_shaped(keys["id"], NORM_NAME, tr("Lettres minuscules, chiffres et tirets.")),
        version=_shaped(keys["version"], NORM_VERSION, tr("Par exemple « 1.1 ».")),
        revision=_shaped(keys["revision"], NORM_VERSION, tr("Par exemple « 1 ».")),
        title=read_text(keys["title"]),
        status=keys["status"].choice(STATUSES),
        provenance=keys["provenance"].choice(PROVENANCES),
        valid_from=_date(keys["valid_from"]),
        valid_to=_date(keys["valid_to"]) if "valid_to" in keys else "",
        replaces=one("replaces"),
        regime=keys["regime"].choice(REGIMES) if "regime" in keys else "laboratory",
        uses=pairs("uses"),
        companions=pairs("companions"),
        security=one("security"),
        security_line=keys["security"].line if "security" in keys else 0,
        rounding=_rounding(keys["rounding"]) if "rounding" in keys else None,
        prefixes=keys["prefixes"].text_map() if "prefixes" in keys else {},
        schemas=pairs("schemas"),
        services=services,
        fill=keys["fill"].text_map() if "fill" in keys else {},
        default_given=one("default_given"),
        profiles=tuple(profile for profile, _ in profiles),
        reading=_reading(keys["reading"]) if "reading" in keys else Reading(),
        always=tuple((_always(node, kinds), node.line) for node in keys["always"].items()) if "always" in keys else (),
        reactions=_reactions(reactions),
        reaction_lines=tuple((node.mapping()["requirement"].text(), node.line) for node in reactions.values()),
        derived_prefix=_shaped(keys["derived_prefix"], _KIND, tr("Lettres majuscules, chiffres et « _ »."))
        if "derived_prefix" in keys
        else "",
    )


def read_text(node: Node) -> Text:
    """Read a text for people: `{fr: …, en: …}`, or a plain scalar for French alone."""
    if node.is_text:
        return Text(fr=node.text())
    keys = node.only(("fr",), ("en",))
    return Text(fr=keys["fr"].text(), en=keys["en"].text() if "en" in keys else "")


def _unique(
    keys: dict[str, Node], name: str, read: Callable[[Node], _T], key: Callable[[_T], str]
) -> tuple[tuple[_T, int], ...]:
    found: dict[str, tuple[_T, int]] = {}
    for node in keys[name].items() if name in keys else ():
        value = read(node)
        if key(value) in found:
            raise node.fault(
                tr("« {id} » est défini deux fois.", id=key(value)),
                tr("Le premier est ligne {line}.", line=found[key(value)][1]),
            )
        found[key(value)] = (value, node.line)
    return tuple(found.values())


def _shaped(node: Node, shape: re.Pattern[str], remedy: str) -> str:
    text = node.text()
    if not shape.fullmatch(text):
        raise node.fault(tr("« {value} » n'a pas la forme attendue.", value=text), remedy)
    return text


def _date(node: Node) -> str:
    text = node.text()
    if text:
        _shaped(node, _DATE, tr("Écrivez une date AAAA-MM-JJ."))
        try:
            date.fromisoformat(text)
        except ValueError as bad:
            raise node.fault(tr("« {value} » n'est pas une date.", value=text)) from bad
    return text


def _service(node: Node) -> Service:
    carried = node.mapping().get("carrier")
    deposited = carried is not None and carried.choice(("soap", "deposit")) == "deposit"
    needed = ("kind", "title", "path", "request", "response")
    keys = node.only(
        needed if deposited else (*needed, "soap", "wsdl", "operation"),
        ("carrier", "roles", "version_at", "version", *(() if deposited else ("headers", "response_headers"))),
    )
    if ("version_at" in keys) != ("version" in keys):
        raise node.fault(tr("« version_at » et « version » vont ensemble."), tr("Donnez les deux ou aucun."))
    if not keys["path"].text().startswith("/"):
        raise keys["path"].fault(tr("Le chemin d'un service commence par « / »."))
    return Service(
        kind=_shaped(keys["kind"], _KIND, tr("Lettres majuscules, chiffres et « _ ».")),
        title=read_text(keys["title"]),
        soap="1.2" if deposited else cast(Literal["1.1", "1.2"], keys["soap"].choice(("1.1", "1.2"))),
        wsdl="" if deposited else keys["wsdl"].text(),
        operation="" if deposited else keys["operation"].text(),
        path=keys["path"].text(),
        request=_part(keys["request"], named=not deposited),
        response=_part(keys["response"], named=not deposited),
        carrier="deposit" if deposited else "soap",
        roles=tuple(
            cast(Literal["client", "server"], role.choice(("client", "server"))) for role in keys["roles"].items()
        )
        if "roles" in keys
        else ("client", "server"),
        headers=keys["headers"].texts() if "headers" in keys else (),
        response_headers=keys["response_headers"].texts() if "response_headers" in keys else (),
        version_at=keys["version_at"].text() if "version_at" in keys else "",
        version=keys["version"].text() if "version" in keys else "",
    )


def _part(node: Node, *, named: bool) -> Part:
    """Read one direction. named: it has an action."""
    keys = node.only(("element", "action") if named else ("element",))
    return Part(element=keys["element"].text(), action=keys["action"].text() if named else "")


def _profile(node: Node) -> Profile:
    keys = node.only(("code", "title"), ("values",))
    return Profile(
        code=_shaped(keys["code"], _KIND, tr("Lettres majuscules, chiffres et « _ ».")),
        title=read_text(keys["title"]),
        values=keys["values"].text_map() if "values" in keys else {},
    )


def _rounding(node: Node) -> Rounding:
    keys = node.only((), ("mode", "places"))
    default = Rounding()
    return Rounding(
        mode=keys["mode"].choice(MODES) if "mode" in keys else default.mode,
        places=keys["places"].integer() if "places" in keys else default.places,
    )


def _reading(node: Node) -> Reading:
    names = Reading.__struct_fields__
    return Reading(**{name: child.text() for name, child in node.only((), names).items()})


def _reactions(nodes: dict[str, Node]) -> Reactions:
    found = {}
    for name, node in nodes.items():
        keys = node.only(("requirement", "outcomes"))
        if not keys["outcomes"].texts():
            raise keys["outcomes"].fault(tr("La liste « outcomes » est vide."), tr("Écrivez par exemple fault:CODE."))
        found[name] = Reaction(requirement=keys["requirement"].text(), outcomes=keys["outcomes"].texts())
    return Reactions(**found)


def _always(node: Node, kinds: tuple[str, ...]) -> Always:
    keys = node.only(("requirement", "check"), ("kinds", "at", "value", "values", "table"))
    for kind in keys["kinds"].items() if "kinds" in keys and keys["kinds"].is_list else ():
        kind.choice(kinds)
    return Always(
        requirement=keys["requirement"].text(),
        check=keys["check"].text(),
        kinds=keys["kinds"].texts() if "kinds" in keys else (),
        at=keys["at"].text() if "at" in keys else "",
        value=keys["value"].text() if "value" in keys else "",
        values=keys["values"].texts() if "values" in keys else (),
        table=keys["table"].text() if "table" in keys else "",
    )
