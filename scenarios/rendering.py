"""Build the message of a step: canonical or example file, `fill` of the norm, edits of the scenario.

Deterministic: the same case, step, bindings and clock give the same tree. Nothing here signs or sends.
Source: docs/formats/scenario.md and docs/formats/norm.md ("fill").
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from norms.errors import DataError
from norms.filling import Clock, Target, canonical_path, filled_message, targets, value_of
from norms.functions import functions_for
from norms.i18n import tr
from norms.model import Norm
from scenarios.model import Case, Step


def build_message(norm: Norm, case: Case, step: Step, bindings: Mapping[str, str], clock: Clock) -> etree._Element:
    """Return the unsecured SOAP envelope that `step` (server role) sends.

    bindings: `case.bindings` with the values kept so far. Fill entries that match nothing are ignored; an edit of the
    scenario that matches nothing is a DataError of the scenario.
    """
    path = norm.root / step.base if step.base else canonical_path(norm, step.send)
    root = filled_message(norm, path, bindings, clock)
    apply_edits(norm, root, case, step, bindings, clock)
    return root


class UnplacedError(DataError):
    """What a scenario wants changed is not in the message."""


def apply_edits(
    norm: Norm, root: etree._Element, case: Case, step: Step, bindings: Mapping[str, str], clock: Clock
) -> None:
    """Apply `with`, then `remove`, then `insert` of `step` to `root`; raise UnplacedError when one matches nothing."""
    for expression, text in step.edits.items():
        for target in _required(norm, root, expression, case, step):
            target.write(value_of(text, bindings, clock, case.file, step.line))
    for expression in step.remove:
        for target in _required(norm, root, expression, case, step, existing=True):
            target.delete()
    for expression, xml in step.insert.items():
        for target in _required(norm, root, expression, case, step):
            target.append(fragment(norm, value_of(xml, bindings, clock, case.file, step.line)))


def fragment(norm: Norm, xml: str) -> etree._Element:
    """Return a holder element whose children are `xml`, read with the norm's prefixes; raise XMLSyntaxError."""
    holder = etree.Element("holder", nsmap=functions_for(norm).namespaces)
    opening = etree.tostring(holder, encoding="unicode").removesuffix("/>")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(f"{opening}>{xml}</holder>", parser)


def _required(
    norm: Norm, root: etree._Element, expression: str, case: Case, step: Step, existing: bool = False
) -> list[Target]:
    found = targets(norm, root, expression, existing)
    if not found:
        raise UnplacedError(
            tr("L'XPath « {expression} » ne désigne rien dans le message.", expression=expression),
            file=case.file,
            line=step.line,
            remedy=tr("Comparez avec le message canonique de la norme."),
        )
    return found
