"""Which norm does a document belong to? Told by its payload, then by the version that it declares.

A SOAP fault names no norm: every norm that knows what its details hold may be the one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from lxml import etree

from norms.case_check import is_case, messages_of
from norms.errors import NormError, SecurityRefusal, UsageError
from norms.functions import functions_for, text_of
from norms.i18n import tr
from norms.message_check import Direction, checker_for
from norms.model import Norm, Service
from norms.wire.deposit import enveloped, is_bare
from norms.wire.soap import NAMESPACES, SOAP12, Envelope, qname
from norms.yamlfile import nearest

CASE_KIND: Final = "case"


class Match(NamedTuple):
    """A norm that a document may belong to. kind: of the message, CASE_KIND of a case document (direction "")."""

    norm: Norm
    kind: str
    direction: Direction | str


class Library:
    """The norms that a document may belong to. A norm that did not load matters only when no other fits.

    kind: look only for messages of this kind; a document that no norm knows then counts as a request of it.
    """

    def __init__(self, norms: Sequence[Norm], kind: str | None = None, failure: NormError | None = None) -> None:
        self.norms = [norm for norm in norms if norm.services and (kind is None or norm.service(kind) is not None)]
        self._kind, self._failure = kind, failure
        if not self.norms:
            if failure is not None:
                raise failure
            kinds = [service.kind for norm in norms for service in norm.services]
            if kind is None:
                raise UsageError(tr("Aucune norme avec des services n'est disponible."))
            raise UsageError(tr("Le message « {kind} » est inconnu.", kind=kind) + " " + nearest(kind, kinds))

    def matches(self, root: etree._Element) -> list[Match]:
        """Return every norm that the document may belong to, [] when none knows it. Raises NormError."""
        if is_case(root):
            return self._case(root)
        found = [match for norm in self.norms for match in self._message(norm, root)]
        if not found and self._failure:
            raise self._failure
        if len(found) < 2:
            return found
        if is_fault(root):
            return [match for match in found if _knows_details(match.norm, root)] or found
        return [match for match in found if _declares(match.norm, match.kind, root)] or found

    def _message(self, norm: Norm, root: etree._Element) -> Iterator[Match]:
        identified = [one for one in checker_for(norm).candidates(root) if self._kind in (None, one[0])]
        if identified:
            yield Match(norm, *identified[0])
        elif is_fault(root):
            for service in norm.services:
                if NAMESPACES[service.soap] == etree.QName(root).namespace and self._kind in (None, service.kind):
                    yield Match(norm, service.kind, "response")
                    break
        elif self._kind is not None:
            yield Match(norm, self._kind, "request")

    def _case(self, root: etree._Element) -> list[Match]:
        """Return the norms that know every message of a case but its faults, else those that know any of them.

        The only norm there is knows it anyway: it can tell what is wrong with the document.
        """
        messages = [(kind, message) for kind, _, message in messages_of(root) if not is_fault(message)]
        known = {norm.ref: [checker_for(norm).identify(message) for _, message in messages] for norm in self.norms}
        found = [norm for norm in self.norms if messages and all(known[norm.ref])]
        found = found or [norm for norm in self.norms if any(known[norm.ref]) or len(self.norms) == 1]
        declared = [norm for norm in found if any(_declares(norm, kind, message) for kind, message in messages)]
        return [Match(norm, CASE_KIND, "") for norm in declared or found]


class Heard(NamedTuple):
    """A request that was heard: the norm that it speaks, its service, and its envelope (a deposit is put into one)."""

    norm: Norm
    service: Service
    root: etree._Element


def heard(norm: Norm, root: etree._Element) -> Heard | None:
    """Return what a request to `norm` or to one of its companions is, None when it is none of theirs."""
    bare = is_bare(root)
    payloads = {root.tag} if bare else {child.tag for body in root.findall("{*}Body") for child in body}
    for speaker in norm.speakers:
        for service in speaker.services:
            if bare == (service.carrier == "deposit") and qname(speaker.prefixes, service.request.element) in payloads:
                return Heard(speaker, service, enveloped(root))
    return None


def is_fault(root: etree._Element) -> bool:
    """Tell whether a document is an envelope with a SOAP fault."""
    try:
        return Envelope.of(root).is_fault
    except SecurityRefusal:
        return False


def _knows_details(norm: Norm, root: etree._Element) -> bool:
    envelope = Envelope.of(root)
    path = f"*/{{{SOAP12}}}Detail/*" if envelope.namespace == SOAP12 else "*/detail/*"
    return any(detail.tag in checker_for(norm).schemas.elements for detail in envelope.body.iterfind(path))


def _declares(norm: Norm, kind: str, root: etree._Element) -> bool:
    service = norm.service(kind)
    if service is None or not service.version_at:
        return False
    return text_of(functions_for(norm).compile(service.version_at)(root)) == service.version
