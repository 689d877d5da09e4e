"""The operators that change an answer before it is signed. Names and parameters: `norms.behaviour.operators`.

An operator whose XPath finds nothing changes nothing: the answer simply has no such content.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from lxml import etree

from norms.behaviour import Change
from norms.errors import NormError
from norms.i18n import tr
from norms.model import Norm
from norms.wire.soap import qname


def change_tree(root: etree._Element, change: Change, norm: Norm, request: etree._Element | None) -> None:
    """Apply one operator of phase "tree" to the answer, in place."""
    _OPERATORS[change.operator.name](_Target(root, change, norm, request))


class _Target:
    def __init__(self, root: etree._Element, change: Change, norm: Norm, request: etree._Element | None) -> None:
        self.root, self.change, self.norm, self.request = root, change, norm, request

    def parameter(self, name: str, default: str = "") -> str:
        return self.change.parameters.get(name, default)

    def nodes(self, name: str = "at") -> list[etree._Element]:
        return self.change.paths[name].elements(self.root, {})

    def tag(self, name: str) -> str:
        try:
            return qname(self.norm.prefixes, name)
        except KeyError as unknown:
            raise NormError(tr("Le préfixe de « {name} » n'est pas déclaré.", name=name)) from unknown


def _set_text(target: _Target) -> None:
    for node in target.nodes():
        _replace_text(node, target.parameter("value"))


def _copy_text(target: _Target) -> None:
    text = target.change.paths["from"].text(target.root, {})
    for node in target.nodes():
        _replace_text(node, text)


def _copy_request(target: _Target) -> None:
    if target.request is not None:
        text = target.change.paths["from"].text(target.request, {})
        for node in target.nodes():
            _replace_text(node, text)


def _remove(target: _Target) -> None:
    for node in target.nodes():
        _drop(node)


def _insert(target: _Target) -> None:
    declarations = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in target.norm.prefixes.items())
    try:
        wrapper = etree.fromstring(f"<w {declarations}>{target.parameter('xml')}</w>")
    except etree.XMLSyntaxError as wrong:
        raise NormError(tr("Le paramètre « xml » d'un défaut n'est pas du XML : {why}.", why=str(wrong))) from wrong
    place = target.parameter("place", "last")
    for node in target.nodes():
        for piece in list(wrapper):
            _put(node, copy.deepcopy(piece), place)


def _put(node: etree._Element, piece: etree._Element, place: str) -> None:
    piece.tail = None
    if place == "last":
        node.append(piece)
    elif place == "first":
        node.insert(0, piece)
    elif place == "before":
        node.addprevious(piece)
    else:
        node.addnext(piece)


def _duplicate(target: _Target) -> None:
    for node in target.nodes():
        node.addnext(copy.deepcopy(node))


def _rename(target: _Target) -> None:
    for node in target.nodes():
        node.tag = target.tag(target.parameter("to"))


def _set_attribute(target: _Target) -> None:
    for node in target.nodes():
        node.set(target.tag(target.parameter("name")), target.parameter("value"))


def _shift_amount(target: _Target) -> None:
    for node in target.nodes():
        try:
            _replace_text(node, str(Decimal(node.text or "") + Decimal(target.parameter("by"))))
        except InvalidOperation:
            continue


def _shift_date(target: _Target) -> None:
    for node in target.nodes():
        try:
            shifted = date.fromisoformat(node.text or "") + timedelta(days=int(target.parameter("days")))
        except ValueError:
            continue
        _replace_text(node, shifted.isoformat())


def _swap(target: _Target) -> None:
    for node, other in zip(target.nodes(), target.nodes("with"), strict=False):
        if not _nested(node, other):
            place = etree.Element("place")
            node.addprevious(place)
            other.addprevious(node)
            place.addprevious(other)
            _drop(place)


def _nested(node: etree._Element, other: etree._Element) -> bool:
    return node is other or node in other.iterancestors() or other in node.iterancestors()


def _replace_text(node: etree._Element, text: str) -> None:
    for child in list(node):
        node.remove(child)
    node.text = text


def _drop(node: etree._Element) -> None:
    parent = node.getparent()
    if parent is not None:
        parent.remove(node)


_OPERATORS: dict[str, Callable[[_Target], None]] = {
    "set-text": _set_text,
    "copy-text": _copy_text,
    "copy-request": _copy_request,
    "remove": _remove,
    "insert": _insert,
    "duplicate": _duplicate,
    "rename": _rename,
    "set-attribute": _set_attribute,
    "shift-amount": _shift_amount,
    "shift-date": _shift_date,
    "swap": _swap,
}
