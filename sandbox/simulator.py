"""The ASGI application of a sandbox: worlds under /w/<name>/, partners by path, descriptions by ?wsdl."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

from norms.errors import PoinconError
from norms.wire.description import describe
from norms.wire.listener import Message, Receive, Scope, Send
from norms.wire.protocol import CUT, EXTENSION
from sandbox.messages import HttpRequest, Reply
from sandbox.partner import Partner

_PREFIX: Final = "/w/"
_log = logging.getLogger(__name__)


def world_path(world: str) -> str:
    """Return the path prefix of a world; the nameless world is at the root."""
    return f"{_PREFIX}{world}" if world else ""


class Simulator:
    """Routes requests to the partners of each world; worlds may be added while it runs."""

    def __init__(self, worlds: Mapping[str, Sequence[Partner]] | None = None) -> None:
        self._worlds = {name: tuple(partners) for name, partners in (worlds or {}).items()}
        self._waiting: dict[int, list[Reply]] = {}

    def add(self, world: str, partners: Sequence[Partner]) -> None:
        """Serve one more world, or another in its place."""
        self._worlds[world] = tuple(partners)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP exchange (ASGI 3)."""
        body = await _read(receive)
        if body is None:
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        tls = scope.get("extensions", {}).get(EXTENSION, {})
        request = HttpRequest(scope["method"], headers, body, tls.get("peer"))
        try:
            reply = await self._reply(scope["path"], scope["query_string"], request)
        except PoinconError as wrong:
            _log.error("%s", wrong)
            reply = Reply(500, "text/plain; charset=utf-8", str(wrong).encode())
        await _write(reply, scope, send)

    async def _reply(self, path: str, query: bytes, request: HttpRequest) -> Reply:
        found = self._find(path)
        if found is None:
            return Reply(404, "text/plain; charset=utf-8", b"not-found")
        partner, local = found
        asked = parse_qs(query.decode("latin-1"), keep_blank_values=True, max_num_fields=10) if query else {}
        if request.method == "GET" and ("wsdl" in asked or "xsd" in asked):
            return _description(partner, local, asked)
        reply = partner.handle(local, request)
        return await self._mixed(partner, reply) if reply.mix else reply

    async def _mixed(self, partner: Partner, reply: Reply) -> Reply:
        """Wait, and return the answer of another call that waits too, if there is one."""
        waiting = self._waiting.setdefault(id(partner), [])
        waiting.append(reply)
        await asyncio.sleep(reply.mix)
        others = [other for other in waiting if other is not reply]
        waiting.remove(reply)
        return others[0] if others else reply

    def _find(self, path: str) -> tuple[Partner, str] | None:
        world, local = "", path
        if path.startswith(_PREFIX):
            world, _, rest = path.removeprefix(_PREFIX).partition("/")
            local = f"/{rest}"
        for partner in self._worlds.get(world, ()):
            if partner.services_at(local):
                return partner, local
        for partner in self._worlds.get(world, ()):
            if partner.plan.serves_any_path:
                return partner, partner.norm.services[0].path
        return None


def _description(partner: Partner, path: str, asked: dict[str, list[str]]) -> Reply:
    service = partner.services_at(path)[0]
    schema = asked["xsd"][0] if "xsd" in asked else ""
    document = None
    if not partner.plan.hides_description and (schema or "xsd" not in asked):
        document = describe(partner.norm, service, f"{partner.base}{path}", schema)
    if document is None:
        return Reply(404, "text/plain; charset=utf-8", b"not-found")
    return Reply(200, "text/xml; charset=utf-8", document)


async def _read(receive: Receive) -> bytes | None:
    """Return the whole body (the listener bounds it), None when the caller has gone."""
    parts: list[bytes] = []
    while True:
        message: Message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


async def _write(reply: Reply, scope: Scope, send: Send) -> None:
    if reply.delay:
        await asyncio.sleep(reply.delay)
    if reply.close:
        scope["extensions"][CUT]["cut"]()
        return
    headers = [(b"content-type", reply.content_type.encode("latin-1"))]
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    if not reply.chunk:
        headers.append((b"content-length", b"%d" % len(reply.body)))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.keep_bytes is not None:
        await send({"type": "http.response.body", "body": reply.body[: reply.keep_bytes], "more_body": True})
        scope["extensions"][CUT]["cut"]()
        return
    size = reply.chunk or max(len(reply.body), 1)
    for start in range(0, max(len(reply.body), 1), size):
        piece = reply.body[start : start + size]
        await send({"type": "http.response.body", "body": piece, "more_body": start + size < len(reply.body)})
