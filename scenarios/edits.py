"""Small changes of a canonical request, as a derived case makes them: write, remove, repeat."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec
from lxml import etree

from norms.filling import Clock
from norms.functions import functions_for, xpath
from norms.model import Norm, Text
from scenarios.model import Case, Expectation, Step
from scenarios.rendering import apply_edits

TRIAL_CLOCK: Final = Clock(datetime(2026, 1, 15, 12, tzinfo=UTC), lambda: "00000000-0000-4000-8000-000000000000")


class Change(msgspec.Struct, frozen=True):
    """The edits of one derived step, in the words of a scenario."""

    edits: dict[str, str] = {}
    remove: tuple[str, ...] = ()
    insert: dict[str, str] = {}

    def step(self, kind: str, *expect: Expectation) -> Step:
        """Return the step that sends the canonical request of `kind` so changed."""
        return Step(send=kind, edits=self.edits, remove=self.remove, insert=self.insert, expect=expect)

    def apply(self, norm: Norm, root: etree._Element) -> None:
        """Make the change on a tree."""
        step = self.step("")
        case = Case("", "", "derived", Text(""), Text(""), "server", "", "", {}, (step,), ())
        apply_edits(norm, root, case, step, {}, TRIAL_CLOCK)


# A change may depend on the tree: what follows a repeated element is written again after it.
Edits = Callable[[Norm, etree._Element], Change]


def written(path: str, text: str) -> Edits:
    """Return the change that writes `text` at an element or attribute."""
    return lambda _norm, _root: Change(edits={path: text})


def removed(path: str) -> Edits:
    """Return the change that takes an element or attribute out."""
    return lambda _norm, _root: Change(remove=(path,))


def duplicated(path: str, parent: str, copies: int) -> Edits:
    """Return the change that adds `copies` of an element right after it.

    A scenario appends at the end of a parent; so what follows is removed and appended again behind the copies.
    """

    def change(norm: Norm, root: etree._Element) -> Change:
        node = _element(norm, root, path)
        following = list(node.itersiblings(etree.Element))
        xml = _xml(norm, node) * copies + "".join(_xml(norm, item) for item in following)
        return Change(remove=(f"{path}/following-sibling::*",) if following else (), insert={parent: xml})

    return change


def filled_raw(norm: Norm, root: etree._Element) -> etree._Element:
    """Write the texts of `fill` into `root` without resolving them, so that what is copied stays dynamic."""
    for expression, text in norm.fill.items():
        found = xpath(norm, expression)(root)
        for element in found if isinstance(found, list) else ():
            if isinstance(element, etree._Element):
                element.text = text
    return root


def _element(norm: Norm, root: etree._Element, path: str) -> etree._Element:
    found = xpath(norm, path)(root)
    assert isinstance(found, list) and isinstance(found[0], etree._Element)
    return found[0]


def _xml(norm: Norm, node: etree._Element) -> str:
    """Return the XML of an element without the namespace declarations that insertion brings along."""
    text = etree.tostring(node, encoding="unicode", with_tail=False)
    for prefix, uri in functions_for(norm).namespaces.items():
        text = text.replace(f' xmlns:{prefix}="{uri}"', "")
    return text
