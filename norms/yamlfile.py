"""Read YAML files that people write: every scalar is a string, every node knows its line.

Anchors, aliases, tags and several documents in one file are refused, and so is a key written twice. Errors are
`DataError` (or the subclass given) with file, line and remedy. Source: docs/formats/norm.md, "YAML files".
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from norms.errors import DataError
from norms.i18n import tr

MAXIMUM_BYTES: Final = 4_194_304
MAXIMUM_DEPTH: Final = 64

Plain = str | list["Plain"] | dict[str, "Plain"]


class Node:
    """A value of a YAML file with its place. value: str, tuple of nodes, or dict of nodes in the file's order.

    place: how a person finds it, "services[0].request.element"; line: 1-based.
    """

    __slots__ = ("error", "file", "line", "place", "value")

    def __init__(
        self,
        value: str | tuple[Node, ...] | dict[str, Node],
        line: int,
        file: Path,
        place: str,
        error: type[DataError],
    ) -> None:
        self.value, self.line, self.file, self.place, self.error = value, line, file, place, error

    def fault(self, what: str, remedy: str = "") -> DataError:
        """Return the file's error at this node's line, to be raised."""
        return self.error(what, file=self.file, line=self.line, remedy=remedy)

    @property
    def is_text(self) -> bool:
        """Whether this is a scalar."""
        return isinstance(self.value, str)

    @property
    def is_list(self) -> bool:
        """Whether this is a sequence."""
        return isinstance(self.value, tuple)

    def text(self) -> str:
        """Return the scalar; raise when this is a list or a mapping."""
        if isinstance(self.value, str):
            return self.value
        raise self.fault(tr("« {place} » doit être un texte.", place=self._name))

    def choice(self, allowed: Iterable[str]) -> str:
        """Return the scalar when it is one of `allowed`; raise naming the nearest one."""
        text, names = self.text(), tuple(allowed)
        if text in names:
            return text
        raise self.fault(
            tr("« {place} » vaut « {value} ».", place=self._name, value=text),
            tr("Valeurs possibles : {names}.", names=", ".join(names)),
        )

    def flag(self) -> bool:
        """Return True for `true`, False for `false`; raise otherwise."""
        return self.choice(("true", "false")) == "true"

    def integer(self, minimum: int = 0) -> int:
        """Return the scalar as a decimal integer not below `minimum`; raise otherwise."""
        text = self.text()
        if text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and int(text) >= minimum:
            return int(text)
        raise self.fault(
            tr("« {place} » vaut « {value} ».", place=self._name, value=text),
            tr("Écrivez un nombre entier à partir de {minimum}.", minimum=minimum),
        )

    def number(self, minimum: float = 0) -> float:
        """Return the scalar as a number (seconds and the like) not below `minimum`; raise otherwise."""
        text = self.text()
        digits = text.replace(".", "", 1)
        if digits.isascii() and digits.isdigit() and float(text) >= minimum:
            return float(text)
        raise self.fault(
            tr("« {place} » vaut « {value} ».", place=self._name, value=text),
            tr("Écrivez un nombre à partir de {minimum}.", minimum=minimum),
        )

    def items(self) -> tuple[Node, ...]:
        """Return the members of the list; a missing value written as `key:` is an empty list."""
        if isinstance(self.value, tuple):
            return self.value
        if self.value == "":
            return ()
        raise self.fault(tr("« {place} » doit être une liste.", place=self._name))

    def mapping(self) -> dict[str, Node]:
        """Return the members of the mapping; a missing value written as `key:` is an empty mapping."""
        if isinstance(self.value, dict):
            return self.value
        if self.value == "":
            return {}
        raise self.fault(tr("« {place} » doit être un bloc « clé: valeur ».", place=self._name))

    def texts(self) -> tuple[str, ...]:
        """Return a list of scalars; a single scalar counts as a list of one."""
        if isinstance(self.value, str) and self.value:
            return (self.value,)
        return tuple(node.text() for node in self.items())

    def text_map(self) -> dict[str, str]:
        """Return a mapping of scalars."""
        return {key: node.text() for key, node in self.mapping().items()}

    def only(self, required: Iterable[str] = (), optional: Iterable[str] = ()) -> dict[str, Node]:
        """Return the mapping after refusing unknown keys (naming the nearest known one) and missing required keys."""
        members, needed = self.mapping(), tuple(required)
        known = (*needed, *optional)
        for key, node in members.items():
            if key not in known:
                raise node.fault(
                    tr("La clé « {key} » est inconnue dans « {place} ».", key=key, place=self._name),
                    nearest(key, known),
                )
        for key in needed:
            if key not in members:
                raise self.fault(
                    tr("La clé « {key} » manque dans « {place} ».", key=key, place=self._name),
                    tr("Ajoutez « {key}: … ».", key=key),
                )
        return members

    def plain(self) -> Plain:
        """Return strings, lists and dicts without lines."""
        if isinstance(self.value, str):
            return self.value
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return {key: node.plain() for key, node in self.value.items()}

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, in the file's order."""
        yield self
        below: Iterable[Node] = ()
        if isinstance(self.value, tuple):
            below = self.value
        elif isinstance(self.value, dict):
            below = self.value.values()
        for node in below:
            yield from node.walk()

    @property
    def _name(self) -> str:
        return self.place or self.file.name


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the remedy sentence for an unknown word: the nearest known one, or all of them."""
    names = tuple(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return tr("Vouliez-vous dire « {name} » ?", name=close[0])
    return tr("Valeurs possibles : {names}.", names=", ".join(names))


def read_yaml(path: Path, error: type[DataError] = DataError) -> Node:
    """Read one file. error: the class raised, `DataError` or a subclass (`NormError` inside a norm folder)."""
    try:
        if path.stat().st_size > MAXIMUM_BYTES:
            raise error(tr("Le fichier est trop gros."), file=path, remedy=tr("Découpez-le."))
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as missing:
        raise error(tr("Le fichier n'existe pas."), file=path, remedy=tr("Créez-le ou corrigez son nom.")) from missing
    except UnicodeDecodeError as bad:
        raise error(tr("Le fichier n'est pas en UTF-8."), file=path, remedy=tr("Enregistrez-le en UTF-8.")) from bad
    except OSError as unreadable:
        raise error(tr("Le fichier ne peut pas être lu : {why}.", why=unreadable.strerror), file=path) from unreadable
    return parse_yaml(text, path, error)


def parse_yaml(text: str, path: Path, error: type[DataError] = DataError) -> Node:
    """Read a text; `path` names it in errors."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as bad:
        mark = bad.problem_mark or bad.context_mark
        raise error(
            tr("Le YAML ne se lit pas : {why}.", why=bad.problem or bad.context or ""),
            file=path,
            line=mark.line + 1 if mark else 0,
            remedy=tr("Vérifiez l'indentation et les guillemets de cette ligne."),
        ) from bad
    except (YAMLError, RecursionError, ValueError) as bad:
        raise error(tr("Le YAML ne se lit pas : {why}.", why=str(bad).splitlines()[0]), file=path) from bad
    if root is None:
        raise error(tr("Le fichier est vide."), file=path)
    return _convert(root, path, error, "", set(), 0)


_PLAIN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value")
)


def _convert(node: Any, path: Path, error: type[DataError], place: str, seen: set[int], depth: int) -> Node:
    line = node.start_mark.line + 1

    def refusal(what: str, remedy: str = "") -> DataError:
        return error(what, file=path, line=line, remedy=remedy)

    if depth > MAXIMUM_DEPTH:
        raise refusal(tr("Le fichier a trop de niveaux."))
    if id(node) in seen or node.anchor:
        raise refusal(tr("Les ancres et les alias (& et *) ne sont pas admis."), tr("Recopiez la valeur."))
    seen.add(id(node))
    if str(node.tag) not in _PLAIN_TAGS:
        raise refusal(tr("L'étiquette « {tag} » n'est pas admise.", tag=node.tag), tr("Écrivez la valeur sans « ! »."))
    if node.id == "scalar":
        return Node(node.value, line, path, place, error)
    if node.id == "sequence":
        members = tuple(
            _convert(child, path, error, f"{place}[{index}]", seen, depth + 1) for index, child in enumerate(node.value)
        )
        return Node(members, line, path, place, error)
    mapping: dict[str, Node] = {}
    for key_node, child in node.value:
        key = _convert(key_node, path, error, place, seen, depth + 1)
        if not isinstance(key.value, str) or key.value == "<<":
            raise key.fault(tr("Une clé doit être un texte simple."))
        if key.value in mapping:
            raise key.fault(
                tr("La clé « {key} » est écrite deux fois.", key=key.value),
                tr("Gardez une seule des deux (la première est ligne {line}).", line=mapping[key.value].line),
            )
        mapping[key.value] = _convert(
            child, path, error, f"{place}.{key.value}" if place else key.value, seen, depth + 1
        )
        mapping[key.value].line = key.line
    return Node(mapping, line, path, place, error)
