"""From a `http:` deviation to what is really sent: the tree before it is signed, then the request, then its bytes.

Every name of `scenarios.happenings.HTTP_DEVIATIONS` is made here, one function each. A deviation of the envelope is
made *before* the signature, so that the signature is not what a product refuses; a deviation of the document's bytes
or of HTTP is made after it. `tls-*` names change the connection only (see `tls_for`).
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from lxml import etree

from harness.http_message import HttpRequest, authority, render
from harness.network import TlsClient
from norms.model import Limits, Norm, Service
from norms.wire.soap import NAMESPACES

_FOREIGN: Final = "urn:poincon:deviation"
_DECLARATION: Final = re.compile(rb"^\s*<\?xml[^>]*\?>\s*")
_ROOT_START: Final = re.compile(rb"<[A-Za-z_][^>]*>")
_ROOT_NAME: Final = re.compile(rb"<([A-Za-z_][^\s/>]*)")
_CHUNK: Final = 1024
_RENAMED: Final = "prefixes-renamed"
TLS_PREFIX: Final = "tls-"
TLS_OLD: Final = "tls-1.1"
TLS_NONE: Final = "tls-no-certificate"

TreeEdit = Callable[[etree._Element, Service, Limits], None]
RequestEdit = Callable[[HttpRequest, Norm, Service], HttpRequest]


def plain_request(url: str, target: str, service: Service, body: bytes) -> HttpRequest:
    """Return the nominal request of `service`: POST, media type and transport action of its SOAP version."""
    action = service.request.action
    if service.soap == "1.2":
        headers: tuple[tuple[str, str], ...] = (
            ("Content-Type", f'application/soap+xml; charset=utf-8; action="{action}"'),
        )
    else:
        headers = (("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", f'"{action}"'))
    fixed = (("User-Agent", "Poincon"), ("Accept-Encoding", "identity"), ("Accept", "application/soap+xml, text/xml"))
    return HttpRequest(url, "POST", target, headers + fixed, body)


def shape_tree(root: etree._Element, deviation: str, service: Service, limits: Limits) -> etree._Element:
    """Return the unsecured envelope as `deviation` says (`root` itself may change); most leave it alone."""
    if deviation == _RENAMED:
        return _renamed(root)
    edit = _TREE.get(deviation)
    if edit is not None:
        edit(root, service, limits)
    return root


def shape_request(request: HttpRequest, deviation: str, norm: Norm, service: Service) -> HttpRequest:
    """Return the request as `deviation` says; most deviations change one thing of it."""
    edit = _REQUEST.get(deviation)
    return edit(request, norm, service) if edit is not None else request


def raw_bytes(request: HttpRequest, deviation: str) -> bytes:
    """Return the bytes that go over the wire under a deviation."""
    headers = (("Host", authority(request.url)), *request.headers)
    length = str(len(request.body))
    if deviation == "chunked":
        return render(
            request.method, request.target, (*headers, ("Transfer-Encoding", "chunked")), _chunks(request.body)
        )
    if deviation == "duplicate-content-length":
        contrary = (("Content-Length", length), ("Content-Length", str(len(request.body) + 7)))
        return render(request.method, request.target, (*headers, *contrary), request.body)
    if request.method == "GET":
        return render("GET", request.target, headers, b"")
    return render(request.method, request.target, (*headers, ("Content-Length", length)), request.body)


def is_tls(deviation: str) -> bool:
    """Tell whether `deviation` is one of the connection, not of the message."""
    return deviation.startswith(TLS_PREFIX)


def tls_for(deviation: str, nominal: TlsClient, identities: Mapping[str, TlsClient]) -> TlsClient | None:
    """Return how to connect under `deviation`; None when it needs an identity that nobody gave.

    identities: what the declaration offers, by use: `tls-expired` needs an identity of that name.
    """
    if not is_tls(deviation):
        return nominal
    if deviation == TLS_NONE:
        return replace(nominal, name="", certificate=None, key=None, password="")
    if deviation == TLS_OLD:
        return replace(nominal, maximum=deviation.removeprefix(TLS_PREFIX))
    return identities.get(deviation)


# --- the tree, before the signature


def _header(root: etree._Element) -> etree._Element:
    """Return the SOAP header of `root`, made when there is none."""
    namespace = etree.QName(root).namespace
    header = root.find(f"{{{namespace}}}Header")
    if header is None:
        header = etree.Element(f"{{{namespace}}}Header")
        root.insert(0, header)
    return header


def _foreign_block(root: etree._Element) -> etree._Element:
    return etree.SubElement(_header(root), f"{{{_FOREIGN}}}Block", nsmap={"dev": _FOREIGN})


def _other_version(root: etree._Element, service: Service, _limits: Limits) -> None:
    old = NAMESPACES[service.soap]
    new = NAMESPACES["1.1" if service.soap == "1.2" else "1.2"]
    for element in root.iter(f"{{{old}}}*"):
        element.tag = f"{{{new}}}{etree.QName(element).localname}"
        for name in list(element.attrib):
            if isinstance(name, str) and name.startswith(f"{{{old}}}"):
                element.set(f"{{{new}}}{etree.QName(name).localname}", element.attrib.pop(name))


def _deep_nesting(root: etree._Element, _service: Service, limits: Limits) -> None:
    element = _foreign_block(root)
    for _ in range(limits.depth + 1):
        element = etree.SubElement(element, f"{{{_FOREIGN}}}Level")


def _element_flood(root: etree._Element, _service: Service, limits: Limits) -> None:
    block = _foreign_block(root)
    for _ in range(limits.elements + 1):
        etree.SubElement(block, f"{{{_FOREIGN}}}Item")


def _attribute_flood(root: etree._Element, _service: Service, limits: Limits) -> None:
    block = _foreign_block(root)
    for number in range(limits.attributes_per_element + 1):
        block.set(f"a{number}", "")


def _two_payloads(root: etree._Element, _service: Service, _limits: Limits) -> None:
    body = root.find(f"{{{etree.QName(root).namespace}}}Body")
    if body is not None and len(body):
        body.append(etree.fromstring(etree.tostring(body[0], with_tail=False)))


def _empty_body(root: etree._Element, _service: Service, _limits: Limits) -> None:
    body = root.find(f"{{{etree.QName(root).namespace}}}Body")
    if body is not None:
        for child in list(body):
            body.remove(child)
        body.text = None


def _must_understand(root: etree._Element, service: Service, _limits: Limits) -> None:
    _foreign_block(root).set(f"{{{NAMESPACES[service.soap]}}}mustUnderstand", "1")


_TREE: Final[dict[str, TreeEdit]] = {
    "soap-version-other": _other_version,
    "deep-nesting": _deep_nesting,
    "element-flood": _element_flood,
    "attribute-flood": _attribute_flood,
    "two-payloads": _two_payloads,
    "empty-body": _empty_body,
    "must-understand-unknown": _must_understand,
}


def _renamed(root: etree._Element) -> etree._Element:
    """Return the same infoset under other prefixes, with blanks between elements."""
    spaces = dict.fromkeys(str(etree.QName(node).namespace or "") for node in root.iter(etree.Element))
    prefixes: dict[str, str] = {f"q{number}x": space for number, space in enumerate(filter(None, spaces), 1)}
    renamed = etree.Element(root.tag, nsmap=prefixes)
    pairs = [(root, renamed)]
    while pairs:
        old, new = pairs.pop()
        new.text = old.text
        for name, value in old.attrib.items():
            new.set(name, value)
        for child in old.iterchildren(etree.Element):
            copied = etree.SubElement(new, child.tag)
            copied.tail = child.tail
            pairs.append((child, copied))
    etree.indent(renamed, space="\t")
    return renamed


# --- the request, after the signature


def _header_value(request: HttpRequest, name: str, value: str | None) -> HttpRequest:
    """Return the request with one header replaced, or taken out (None)."""
    headers = []
    for key, old in request.headers:
        if key.lower() != name.lower():
            headers.append((key, old))
        elif value is not None:
            headers.append((key, value))
    return replace(request, headers=tuple(headers))


def _content_type(request: HttpRequest) -> str:
    return next((value for name, value in request.headers if name.lower() == "content-type"), "")


def _charset(request: HttpRequest, charset: str) -> HttpRequest:
    return _header_value(request, "Content-Type", _content_type(request).replace("charset=utf-8", f"charset={charset}"))


def _action(request: HttpRequest, service: Service, action: str | None) -> HttpRequest:
    if service.soap == "1.1":
        return _header_value(request, "SOAPAction", None if action is None else f'"{action}"')
    bare = re.sub(r'; action="[^"]*"', "", _content_type(request))
    return _header_value(request, "Content-Type", bare if action is None else f'{bare}; action="{action}"')


def _wrong_action(request: HttpRequest, norm: Norm, service: Service) -> HttpRequest:
    others = [other.request.action for other in norm.services if other.request.action != service.request.action]
    return _action(request, service, others[0] if others else f"{service.request.action}Other")


def _prolog(body: bytes, text: bytes) -> bytes:
    """Return `body` with `text` after its XML declaration."""
    match = _DECLARATION.match(body)
    cut = match.end() if match else 0
    return body[:cut] + text + body[cut:]


def _doctype(body: bytes, subset: bytes = b"", reference: bytes = b"") -> bytes:
    """Return `body` with a DOCTYPE for its root; reference: what is written first inside the root."""
    match = _DECLARATION.match(body)
    start = _ROOT_START.search(body, match.end() if match else 0)
    name = _ROOT_NAME.search(body, match.end() if match else 0)
    if start is None or name is None:
        return body
    with_reference = body[: start.end()] + reference + body[start.end() :]
    return _prolog(with_reference, b"<!DOCTYPE " + name.group(1) + (b" [" + subset + b"]" if subset else b"") + b">\n")


def _entity_bomb(body: bytes) -> bytes:
    levels = [b'<!ENTITY e0 "poincon">']
    levels += [b'<!ENTITY e%d "%s">' % (level, b"&e%d;" % (level - 1) * 10) for level in range(1, 10)]
    return _doctype(body, b"".join(levels), b"&e9;")


def _external_entity(body: bytes) -> bytes:
    return _doctype(body, b'<!ENTITY outside SYSTEM "file:///etc/hostname">', b"&outside;")


def _recoded(request: HttpRequest, name: str, codec: str) -> HttpRequest:
    document = _DECLARATION.sub(b"", request.body).decode("utf-8")
    body = f'<?xml version="1.0" encoding="{name}"?>\n{document}'.encode(codec)
    return _charset(replace(request, body=body), name.lower())


def _body(change: Callable[[bytes], bytes]) -> RequestEdit:
    return lambda request, _norm, _service: replace(request, body=change(request.body))


def _oversize(request: HttpRequest, norm: Norm, _service: Service) -> HttpRequest:
    missing = norm.security.limits.body_bytes + 1 - len(request.body)
    return replace(request, body=request.body + b" " * max(missing, 1))


_REQUEST: Final[dict[str, RequestEdit]] = {
    "method-get": lambda request, _norm, _service: replace(request, method="GET", body=b""),
    "method-put": lambda request, _norm, _service: replace(request, method="PUT"),
    "content-type-wrong": lambda request, _norm, _service: _header_value(
        request, "Content-Type", "text/plain; charset=utf-8"
    ),
    "content-type-missing": lambda request, _norm, _service: _header_value(request, "Content-Type", None),
    "action-wrong": _wrong_action,
    "action-missing": lambda request, _norm, service: _action(request, service, None),
    "doctype": _body(_doctype),
    "entity-bomb": _body(_entity_bomb),
    "external-entity": _body(_external_entity),
    "oversize": _oversize,
    "truncated-xml": _body(lambda body: body[: len(body) * 2 // 3]),
    "encoding-utf7": lambda request, _norm, _service: _recoded(request, "UTF-7", "utf-7"),
    "encoding-utf16": lambda request, _norm, _service: _recoded(request, "UTF-16", "utf-16"),
    "charset-mismatch": lambda request, _norm, _service: _charset(request, "iso-8859-1"),
    "content-encoding-gzip": lambda request, _norm, _service: replace(
        request,
        headers=(*request.headers, ("Content-Encoding", "gzip")),
        body=gzip.compress(request.body, mtime=0),
    ),
    "processing-instruction": _body(lambda body: _prolog(body, b"<?poincon deviation?>\n")),
    "unknown-path": lambda request, _norm, _service: replace(
        request, target=f"{request.target.partition('?')[0].rstrip('/')}/poincon-unknown-path"
    ),
}

_BYTES: Final = ("chunked", "duplicate-content-length")

DEVIATIONS: Final = frozenset((*_TREE, _RENAMED, *_REQUEST, *_BYTES))
"""Deviations of the message that are made here; `tls-*` names come on top."""


def _chunks(body: bytes) -> bytes:
    pieces = [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
