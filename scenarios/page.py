"""Read one scenario file into a `Scenario`, strictly: every name must be in a closed list or in the norm.

Source: docs/formats/scenario.md. Errors are DataError with file, line, and what to write instead.
"""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Final, cast

from lxml import etree

from norms.dynamic import NAME, RESERVED, syntax_fault
from norms.errors import NormError
from norms.functions import xpath
from norms.i18n import tr
from norms.model import Norm, Text
from norms.yamlfile import Node, nearest, read_yaml
from scenarios.happenings import FAULT_CLASSES, HTTP_DEVIATIONS, REPLIES, is_http_status, is_outcome, is_reply
from scenarios.model import Expectation, Role, Scenario, Step
from scenarios.rendering import fragment
from scenarios.vocabulary import CHECKS, CheckSpec

PARALLEL_MAXIMUM: Final = 32
_NOTHING: Final = etree.Element("nothing")
_SERVER_KEYS: Final = (
    "base", "with", "remove", "insert", "security", "http", "parallel", "keep", "expect",
)  # fmt: skip
_CLIENT_KEYS: Final = (
    "stimulus", "await", "quiet", "reply", "with", "remove", "insert", "keep", "expect",
)  # fmt: skip


class PageReader:
    """Reads scenario files of one norm, each id once. What the norm allows is gathered once for all files."""

    def __init__(self, norm: Norm) -> None:
        self.norm = norm
        self._spoken = norm
        beside = [item for companion in norm.companions for item in companion.all_requirements]
        self._requirements = frozenset(item.id for item in (*norm.all_requirements, *beside))
        self._claims = frozenset(item.id for item in norm.claims)
        self._kinds = {
            "server": tuple(service.kind for service in norm.tested_services("server")),
            "client": tuple(service.kind for speaker in norm.speakers for service in speaker.tested_services("client")),
        }
        self._profiles = tuple(profile.code for profile in norm.profiles)
        self._seen: dict[str, Path] = {}

    @cached_property
    def _security(self) -> tuple[str, ...]:
        from norms.wire.secure import DEVIATIONS

        return tuple(DEVIATIONS)

    def read(self, path: Path, root: Path | None = None) -> Scenario:
        """Return the scenario of `path`; raise DataError at the first fault.

        root: the scenarios root that the scenario's `file` is relative to (default: the whole path is kept).
        """
        document = read_yaml(path)
        page = document.only(
            ("id", "title", "role", "purpose", "steps"), ("applies_if", "profiles", "given", "exclusive")
        )
        role = cast(Role, page["role"].choice(("server", "client")))
        steps = page["steps"].items()
        if not steps:
            raise page["steps"].fault(tr("Le scénario n'a aucune étape."), tr("Écrivez au moins une étape."))
        scenario = Scenario(
            id=page["id"].text(),
            title=_text(page["title"]),
            role=role,
            purpose=_text(page["purpose"]),
            steps=self._steps(steps, role),
            applies_if=_known(page["applies_if"], self._claims) if "applies_if" in page else "",
            profiles=tuple(_known(node, self._profiles) for node in _members(page.get("profiles"))),
            given=_name(page.get("given")),
            exclusive=page["exclusive"].flag() if "exclusive" in page else False,
            file=(path.relative_to(root) if root else path).as_posix(),
        )
        if path.stem != scenario.id:
            raise page["id"].fault(
                tr("L'identifiant « {id} » n'est pas le nom du fichier.", id=scenario.id),
                tr("Nommez le fichier « {id}.yaml ».", id=scenario.id),
            )
        if scenario.id in self._seen:
            raise page["id"].fault(
                tr("L'identifiant « {id} » est déjà celui de {other}.", id=scenario.id, other=self._seen[scenario.id]),
                tr("Donnez un identifiant neuf : un identifiant ne se réutilise jamais."),
            )
        self._seen[scenario.id] = path
        if path.parent.name in ("server", "client") and path.parent.name != role:
            raise page["role"].fault(
                tr("Le rôle « {role} » n'est pas celui du dossier « {folder} ».", role=role, folder=path.parent.name),
                tr("Déplacez le fichier ou corrigez le rôle."),
            )
        if not any(step.expect for step in scenario.steps):
            raise page["steps"].fault(tr("Le scénario n'attend rien."), tr("Ajoutez « expect » à une étape."))
        return scenario

    def _steps(self, nodes: tuple[Node, ...], role: Role) -> tuple[Step, ...]:
        if role == "server":
            return tuple(self._server_step(node, number) for number, node in enumerate(nodes, start=1))
        return tuple(
            self._in_the_words_of(node)._client_step(node, number) for number, node in enumerate(nodes, start=1)
        )

    def _in_the_words_of(self, step: Node) -> PageReader:
        """Return a reader for a step that awaits a message of a companion: its prefixes, tables and files."""
        awaited = step.mapping().get("await")
        spoken = self.norm.speaking(awaited.text()) if awaited is not None else None
        if spoken is None or spoken is self.norm:
            return self
        reader = copy(self)
        reader._spoken = spoken
        return reader

    def _server_step(self, node: Node, number: int) -> Step:
        members = node.only(("send",), _SERVER_KEYS)
        parallel = members["parallel"].integer(minimum=2) if "parallel" in members else 0
        if parallel > PARALLEL_MAXIMUM:
            raise members["parallel"].fault(
                tr("{count} envois parallèles sont trop.", count=parallel),
                tr("Au plus {maximum}.", maximum=PARALLEL_MAXIMUM),
            )
        return Step(
            send=_known(members["send"], self._kinds["server"]),
            base=self._base(members.get("base")),
            edits=self._xpath_map(members.get("with")),
            remove=tuple(self._xpath(item) for item in _members(members.get("remove"))),
            insert=self._insertions(members.get("insert")),
            security=_known(members["security"], self._security) if "security" in members else "",
            http=_known(members["http"], tuple(HTTP_DEVIATIONS)) if "http" in members else "",
            keep=self._keep(members.get("keep")),
            parallel=parallel,
            expect=self._expectations(members, "server", number),
            line=node.line,
        )

    def _client_step(self, node: Node, number: int) -> Step:
        members = node.only((), _CLIENT_KEYS)
        if not {"stimulus", "await", "quiet"} & set(members):
            raise node.fault(
                tr("L'étape n'a ni « stimulus », ni « await », ni « quiet »."), tr("Écrivez l'un des trois.")
            )
        if "await" in members and "quiet" in members:
            raise members["quiet"].fault(
                tr("« await » et « quiet » s'excluent dans une étape."), tr("Faites-en deux étapes.")
            )
        for key in ("reply", "with", "remove", "insert", "keep"):
            if key in members and "await" not in members:
                raise members[key].fault(tr("« {key} » demande « await ».", key=key), tr("Ajoutez « await: … »."))
        stimulus, data = self._stimulus(members.get("stimulus"))
        quiet = members["quiet"].number() if "quiet" in members else 0.0
        if "quiet" in members and not quiet:
            raise members["quiet"].fault(tr("Le silence dure zéro seconde."), tr("Écrivez un nombre de secondes."))
        return Step(
            stimulus=stimulus,
            data=data,
            await_=_known(members["await"], self._kinds["client"]) if "await" in members else "",
            reply=self._reply(members.get("reply")),
            edits=self._xpath_map(members.get("with")),
            remove=tuple(self._xpath(item) for item in _members(members.get("remove"))),
            insert=self._insertions(members.get("insert")),
            keep=self._keep(members.get("keep")),
            quiet_seconds=quiet,
            expect=self._expectations(members, "client", number),
            line=node.line,
        )

    def _stimulus(self, node: Node | None) -> tuple[Text | None, dict[str, str]]:
        if node is None:
            return None, {}
        members = node.only(("fr",), ("en", "data"))
        data = members["data"].mapping() if "data" in members else {}
        english = _dynamic(members["en"]) if "en" in members else ""
        return Text(_dynamic(members["fr"]), english), {_key(item, key): _dynamic(item) for key, item in data.items()}

    def _reply(self, node: Node | None) -> str:
        if node is None:
            return ""
        reply = node.text()
        if not is_reply(reply):
            raise node.fault(tr("La réponse « {reply} » est inconnue.", reply=reply), nearest(reply, REPLIES))
        head, _, rest = reply.partition(":")
        if head == "security":
            _check_known(node, rest, self._security)
        elif head == "example":
            self._file(node, rest)
        return reply

    def _expectations(self, step: dict[str, Node], role: Role, number: int) -> tuple[Expectation, ...]:
        return tuple(self._expectation(item, step, role, number) for item in _members(step.get("expect")))

    def _expectation(self, node: Node, step: dict[str, Node], role: Role, number: int) -> Expectation:
        members = node.only(("requirement", "check"), ("at", "value", "values", "table", "step"))
        spec = CHECKS[_known(members["check"], tuple(CHECKS))]
        if role not in spec.roles:
            raise members["check"].fault(
                tr("Le contrôle « {check} » n'a pas de sens pour ce rôle.", check=spec.name),
                nearest(spec.name, [name for name, other in CHECKS.items() if role in other.roles]),
            )
        beside = spec.beside or ("send" if role == "server" else "await")
        if beside not in step:
            raise members["check"].fault(
                tr("Le contrôle « {check} » demande « {key} » dans son étape.", check=spec.name, key=beside),
                tr("Ajoutez « {key}: … » ou placez ce contrôle dans une autre étape.", key=beside),
            )
        _check_keys(node, members, spec)
        value, values = self._values(members, spec)
        return Expectation(
            requirement=_known(members["requirement"], self._requirements),
            check=spec.name,
            at=self._xpath(members["at"]) if "at" in members else "",
            value=value,
            values=values,
            table=_known(members["table"], tuple(self._spoken.tables)) if "table" in members else "",
            step=self._earlier(members["step"], number) if "step" in members else 0,
            line=node.line,
        )

    def _values(self, members: dict[str, Node], spec: CheckSpec) -> tuple[str, tuple[str, ...]]:
        if "value" in members and "values" in members:
            raise members["values"].fault(tr("« value » et « values » s'excluent."), tr("Gardez « values »."))
        nodes = (members["value"],) if "value" in members else _members(members.get("values"))
        if "values" in members and not nodes:
            raise members["values"].fault(tr("« values » est vide."), tr("Écrivez au moins une valeur."))
        for item in nodes:
            self._check_value(item, spec)
        if "value" in members:
            return nodes[0].text(), ()
        return "", tuple(item.text() for item in nodes)

    def _check_value(self, node: Node, spec: CheckSpec) -> None:
        value = _dynamic(node)
        if spec.outcomes and not is_outcome(value):
            raise node.fault(
                tr("« {value} » n'est pas une issue de refus.", value=value),
                tr("Écrivez fault, fault:CODE, result:CODE, tls, reset, http:403 ou http:4xx."),
            )
        if spec.name == "http-status" and not is_http_status(value):
            raise node.fault(tr("« {value} » n'est pas un code HTTP.", value=value), tr("Écrivez 403 ou 4xx."))
        if spec.name == "fault-class":
            _check_known(node, value, FAULT_CLASSES)
        if spec.name in ("arrived", "absent-next"):
            _check_known(node, value, self._kinds["client"])
        if spec.name == "matches":
            _check_pattern(node, value)
        if spec.number:
            node.integer()

    def _earlier(self, node: Node, number: int) -> int:
        step = node.integer(minimum=1)
        if step >= number:
            raise node.fault(
                tr("L'étape {step} n'est pas avant l'étape {number}.", step=step, number=number),
                tr("Nommez une étape précédente, comptée à partir de 1."),
            )
        return step

    def _keep(self, node: Node | None) -> dict[str, str]:
        return {_key(item, key): self._xpath(item) for key, item in (node.mapping() if node else {}).items()}

    def _xpath_map(self, node: Node | None) -> dict[str, str]:
        result = {}
        for expression, item in (node.mapping() if node else {}).items():
            self._compile(item, expression)
            result[expression] = _dynamic(item)
        return result

    def _insertions(self, node: Node | None) -> dict[str, str]:
        result = self._xpath_map(node)
        for expression, item in (node.mapping() if node else {}).items():
            try:
                fragment(self._spoken, result[expression])
            except etree.XMLSyntaxError as bad:
                raise item.fault(
                    tr("Le XML à insérer ne se lit pas : {why}.", why=bad.msg or ""),
                    tr("Utilisez les préfixes de norm.yaml."),
                ) from bad
        return result

    def _xpath(self, node: Node) -> str:
        expression = node.text()
        self._compile(node, expression)
        return expression

    def _compile(self, node: Node, expression: str) -> None:
        try:
            # Evaluated once on nothing: libxml2 finds a wrong number of arguments no earlier.
            xpath(self._spoken, expression)(_NOTHING)
        except NormError as bad:
            raise node.fault(bad.what, bad.remedy) from bad
        except etree.XPathError as bad:
            raise node.fault(
                tr("L'XPath « {expression} » ne s'évalue pas : {why}.", expression=expression, why=str(bad))
            ) from bad

    def _base(self, node: Node | None) -> str:
        return self._file(node, node.text()) if node else ""

    def _file(self, node: Node, name: str) -> str:
        root = self._spoken.root.resolve()
        path = (root / name).resolve()
        if not path.is_relative_to(root) or not path.is_file():
            raise node.fault(
                tr("Le fichier « {name} » n'existe pas dans la norme.", name=name),
                tr("Donnez un chemin depuis le dossier de la norme, comme examples/valid/….xml."),
            )
        return name


def _text(node: Node) -> Text:
    members = node.only(("fr",), ("en",))
    if not members["fr"].text().strip():
        raise members["fr"].fault(tr("Le texte français est vide."), tr("Écrivez une phrase."))
    return Text(members["fr"].text(), members["en"].text() if "en" in members else "")


def _members(node: Node | None) -> tuple[Node, ...]:
    if node is None:
        return ()
    return (node,) if isinstance(node.value, str) and node.value else node.items()


def _known(node: Node, known: Collection[str]) -> str:
    _check_known(node, node.text(), known)
    return node.text()


def _check_known(node: Node, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise node.fault(tr("« {name} » est inconnu.", name=name), nearest(name, sorted(known)))


def _name(node: Node | None) -> str:
    return node.text().strip() if node else ""


def _key(node: Node, key: str) -> str:
    if not NAME.fullmatch(key) or key in RESERVED:
        raise node.fault(
            tr("« {key} » n'est pas un nom de valeur.", key=key),
            tr("Écrivez des minuscules, chiffres et « _ » ; ni today, ni now, ni uuid."),
        )
    return key


def _dynamic(node: Node) -> str:
    text = node.text()
    bad = syntax_fault(text)
    if bad:
        raise node.fault(
            tr("« {place} » n'est pas une valeur dynamique.", place=bad),
            tr("Écrivez ${nom}, ${today-3d}, ${now+5m} ou ${uuid}."),
        )
    return text


def _check_keys(node: Node, members: dict[str, Node], spec: CheckSpec) -> None:
    written = {"value" if key == "values" else key for key in members} - {"requirement", "check"}
    for key in spec.needs:
        if key not in written:
            raise node.fault(
                tr("Le contrôle « {check} » demande « {key} ».", check=spec.name, key=key),
                tr("Ajoutez « {key}: … ».", key=key),
            )
    for extra in sorted(written - {*spec.needs, *spec.takes}):
        raise members.get(extra, node).fault(
            tr("Le contrôle « {check} » ne prend pas « {key} ».", check=spec.name, key=extra), tr("Retirez cette clé.")
        )


def _check_pattern(node: Node, pattern: str) -> None:
    import re

    try:
        re.compile(pattern)
    except re.error as bad:
        raise node.fault(tr("L'expression régulière ne se lit pas : {why}.", why=str(bad)), tr("Corrigez-la.")) from bad
