"""Signature wrapping: moving what was signed out of the way of who reads. The laboratory's wrong messages.

Source: Somorovsky and others, "On Breaking SAML: Be Whoever You Want to Be" (2012), transposed to a SOAP header.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Final

from lxml import etree

from norms.wire import names
from norms.wire.recipe import Parts, new_identifier

_WRAPPER: Final = "{urn:poincon:wrapper}Wrapper"
_IMPOSTOR: Final = "99999999999"


def wrap_body(parts: Parts) -> None:
    """Move the signed body into a header block and put a forged body at its place."""
    body = parts.envelope.body
    forged = copy.deepcopy(body)
    forged.set(names.WSU_ID, new_identifier("body"))
    alter_text(forged)
    body.addprevious(forged)
    wrapper = etree.SubElement(parts.security.getparent(), _WRAPPER)  # type: ignore[arg-type]
    wrapper.append(body)


def alter_text(element: etree._Element) -> None:
    """Change one character of the first text that ends in a digit (or of the first text)."""
    leaves = [
        leaf for leaf in element.iter() if isinstance(leaf.tag, str) and not len(leaf) and (leaf.text or "").strip()
    ]
    leaf = next((leaf for leaf in leaves if (leaf.text or "")[-1].isdigit()), leaves[0] if leaves else element)
    text = leaf.text or ""
    leaf.text = f"{text[:-1]}{(int(text[-1]) + 1) % 10}" if text[-1:].isdecimal() else f"{text}x"


def _forged(signed: etree._Element) -> etree._Element:
    """Return an unsigned assertion that says somebody else."""
    forged = _bare(signed)
    forged.set("ID", new_identifier(""))
    name = forged.find(f"{names.SUBJECT}/{names.NAME_ID}")
    if name is not None:
        name.text = _IMPOSTOR
    return forged


def _bare(signed: etree._Element) -> etree._Element:
    bare = copy.deepcopy(signed)
    for signature in bare.findall(names.SIGNATURE):
        bare.remove(signature)
    return bare


def _signed(parts: Parts) -> tuple[etree._Element, etree._Element, etree._Element]:
    """Return the signed assertion, its signature and a forged assertion."""
    signed = parts.security.find(names.ASSERTION)
    signature = None if signed is None else signed.find(names.SIGNATURE)
    if signed is None or signature is None:
        raise ValueError("a signed assertion is needed")
    return signed, signature, _forged(signed)


def _before(parts: Parts) -> None:
    signed, _, forged = _signed(parts)
    signed.addprevious(forged)


def _nested(parts: Parts) -> None:
    signed, _, forged = _signed(parts)
    signed.addprevious(forged)
    forged.append(signed)


def _signature_moved(parts: Parts) -> None:
    signed, signature, forged = _signed(parts)
    signed.addprevious(forged)
    forged.insert(1, signature)


def _inside_signature(parts: Parts) -> None:
    signed, signature, forged = _signed(parts)
    signed.addprevious(forged)
    forged.insert(1, signature)
    signature.append(signed)


def _inside_object(parts: Parts) -> None:
    signed, signature, forged = _signed(parts)
    signed.addprevious(forged)
    forged.insert(1, signature)
    etree.SubElement(signature, names.OBJECT).append(signed)


def _extension(parts: Parts) -> None:
    signed, _, forged = _signed(parts)
    extension = etree.Element(_WRAPPER)
    signed.addprevious(extension)
    extension.append(forged)


def _second_header(parts: Parts) -> None:
    signed, _, forged = _signed(parts)
    signed.addprevious(forged)
    second = etree.Element(names.SECURITY)
    parts.security.addnext(second)
    second.append(signed)


def _flow_object(parts: Parts) -> None:
    """Put the signed assertion into an object of a signature of the header, a forged one at its place."""
    signed, _, forged = _signed(parts)
    signed.addprevious(forged)
    holder = etree.SubElement(parts.security, names.SIGNATURE, nsmap={"ds": names.DS})
    etree.SubElement(holder, names.OBJECT).append(signed)


ASSERTION_WRAPPINGS: Final[tuple[Callable[[Parts], None], ...]] = (
    _flow_object,
    _second_header,
    _before,
    _nested,
    _signature_moved,
    _inside_signature,
    _extension,
    _inside_object,
)
