"""Completing a product's unsigned request: its missing header blocks and its security, never its body.

Source: docs/formats/relay.md, "What is completed".
"""

from __future__ import annotations

import codecs
import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from norms.dynamic import RESERVED, names
from norms.errors import ParseRefusal, SecurityRefusal
from norms.filling import Clock, canonical_path, read_base, targets, value_of
from norms.i18n import tr
from norms.model import Norm, Service
from norms.parsing import parse
from norms.roots import NORM_FILE
from norms.wire.attributes import subject_of
from norms.wire.gate import signs_nothing
from norms.wire.names import SECURITY, SIGNATURE
from norms.wire.secure import Signers, secure_request
from norms.wire.soap import Envelope, qname

_ONE_VALUE: Final = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Completed:
    """A request as it leaves. added: local names of the header blocks put in; untouched: why nothing was, else ""."""

    body: bytes
    added: tuple[str, ...] = ()
    untouched: str = ""


class Completer:
    """Completes the requests to the services of one norm. values: of `${name}` that the message itself does not say."""

    def __init__(self, norm: Norm, signers: Signers, values: Mapping[str, str]) -> None:
        self._norm, self._signers, self._values = norm, signers, values

    def complete(
        self, services: Sequence[Service], body: bytes, content_type: str | None, audience: str, clock: Clock
    ) -> Completed:
        """Return the request with what it lacked. services: those of the address, of which the body tells one.

        content_type: as the product sent it; audience: the address for which the assertion is made. What is already
        signed, is no SOAP message or does not read stays as it is, byte for byte: the endpoint judges it.
        """
        try:
            root = parse(body, self._norm.security.limits, content_type)
            envelope = Envelope.of(root)
        except (ParseRefusal, SecurityRefusal) as refusal:
            return Completed(body, untouched=refusal.what)
        if any(next(security.iter(SIGNATURE), None) is not None for security in envelope.blocks(SECURITY)):
            return Completed(body, untouched=tr("elle est déjà signée"))
        service = self._asked(services, envelope)
        known = self._known(root, envelope)
        added = [*self._add_blocks(envelope, service, known, clock)]
        if signs_nothing(self._norm.security.request):
            if not added:
                return Completed(body, untouched=tr("la norme ne demande rien de plus"))
        else:
            added.insert(0, etree.QName(SECURITY).localname)
        subject = subject_of(self._norm, known, clock.today)
        done = secure_request(root, self._norm, service, self._signers, subject, audience, clock.now)
        return Completed(_encoded_like(body, done), tuple(added))

    def _asked(self, services: Sequence[Service], envelope: Envelope) -> Service:
        payload = envelope.payload
        tag = payload.tag if payload is not None else ""
        matching = (service for service in services if qname(self._norm.prefixes, service.request.element) == tag)
        return next(matching, services[0])

    def _known(self, root: etree._Element, envelope: Envelope) -> dict[str, str]:
        """Return the values by name: what the payload says where `fill` would write them, the profile that fits best
        for the others, and what was given from outside.
        """
        said: dict[str, str] = {}
        for expression, text in self._norm.fill.items():
            one = _ONE_VALUE.fullmatch(text)
            if one is None or one[1] in RESERVED:
                continue
            for target in targets(self._norm, root, expression):
                if envelope.body in target.element.iterancestors():
                    found = target.element.get(target.attribute) if target.attribute else target.element.text
                    if found and found.strip():
                        said.setdefault(one[1], found.strip())
        profiles = [profile.values for profile in self._norm.profiles]
        closest = max(profiles, key=lambda values: len(values.items() & said.items()), default={})
        return {**self._values, **closest, **said}

    def _add_blocks(
        self, envelope: Envelope, service: Service, known: Mapping[str, str], clock: Clock
    ) -> Iterator[str]:
        """Append the header blocks of the canonical message that the request lacks; yield their local names."""
        canonical = self._canonical(service, known, clock)
        wanted = () if canonical.header is None else canonical.header
        for block in [item for item in wanted if isinstance(item.tag, str) and item.tag != SECURITY]:
            if envelope.blocks(str(block.tag)):
                continue
            if envelope.header is None:
                envelope.body.addprevious(etree.Element(f"{{{envelope.namespace}}}Header"))
                envelope = Envelope.of(envelope.root)
            assert envelope.header is not None
            one = copy.deepcopy(block)
            one.tail = None
            envelope.header.append(one)
            yield etree.QName(one).localname

    def _canonical(self, service: Service, known: Mapping[str, str], clock: Clock) -> Envelope:
        root = read_base(canonical_path(self._norm, service.kind))
        for expression, text in self._norm.fill.items():
            if names(text) <= known.keys():
                for target in targets(self._norm, root, expression):
                    target.write(value_of(text, known, clock, self._norm.root / NORM_FILE, 0))
        return Envelope.of(root)


def _encoded_like(original: bytes, done: bytes) -> bytes:
    """Return the message in the encoding in which it came, so that its Content-Type stays true."""
    if not original.startswith(_UTF16):
        return done
    text = etree.tostring(etree.fromstring(done), encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16")
