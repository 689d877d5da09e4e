"""The relay: takes unsigned SOAP requests in plain HTTP, completes them, carries them over mutual TLS, hands back the
answer as it came. It never speaks in a service's name: what it has to say itself is plain text.

Source: docs/formats/relay.md.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs

from norms.errors import PoinconError
from norms.filling import Clock
from norms.i18n import tr
from norms.model import Norm, Service
from norms.wire.description import describe
from norms.wire.listener import Receive, Scope, Send
from norms.wire.protocol import CUT
from norms.wire.relayed import HEADER, VALUE
from norms.wire.secure import Signers
from sandbox.carrying import Answer, Fields, NotCarried, carry, end_to_end
from sandbox.completing import Completed, Completer

_MARK: Final = (HEADER.lower().encode(), VALUE.encode())
_TEXT: Final = "text/plain; charset=utf-8"
_XML: Final = "text/xml; charset=utf-8"


@dataclass(frozen=True)
class Hand:
    """What the relay lends to a product for one norm. values: of `${name}` that messages do not say themselves."""

    norm: Norm
    tls: ssl.SSLContext
    signers: Signers
    values: Mapping[str, str]


@dataclass(frozen=True)
class Destination:
    """Where requests go: message kind -> its address; the others below `base` ("" = nowhere), under their own path.

    called: base of the addresses for which assertions are made, "" = the address carried to.
    """

    base: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    called: str = ""


@dataclass(frozen=True)
class _Way:
    """Where one path of the relay leads."""

    hand: Hand
    services: tuple[Service, ...]
    target: str
    audience: str


class Relay:
    """The ASGI application. seconds: for one request and its answer; note: told one line for each request."""

    def __init__(
        self, hands: Sequence[Hand], destination: Destination, seconds: float, note: Callable[[str], None]
    ) -> None:
        self._destination, self._seconds, self._note = destination, seconds, note
        self._completers = {hand.norm.ref: Completer(hand.norm, hand.signers, hand.values) for hand in hands}
        self._hands = tuple(hands)
        self.base = ""

    def addresses(self, base: str) -> dict[str, str]:
        """Return message kind -> address at this relay, of the services that lead somewhere.

        base: "http://host:port" of the relay, which its descriptions will show from now on.
        """
        self.base = base
        services = [service for hand in self._hands for service in hand.norm.services]
        return {service.kind: f"{base}{service.path}" for service in services if self._way(service.path) is not None}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP exchange (ASGI 3)."""
        body = await _read(receive)
        if body is None:
            return
        way = self._way(scope["path"])
        if way is None:
            await self._say(send, 404, self._unknown(scope["path"]))
        elif scope["method"] in ("GET", "HEAD"):
            await self._describe(way, scope, send)
        elif scope["method"] != "POST":
            await self._say(send, 405, tr("Ce relais porte des demandes POST."), (b"allow", b"GET, POST"))
        else:
            await self._relay(way, body, scope, send)

    def _way(self, path: str) -> _Way | None:
        """Return where a path leads: a service's own, or the same below a prefix of the destination's base."""
        for hand in self._hands:
            services = tuple(service for service in hand.norm.services if path.endswith(service.path))
            if not services:
                continue
            kinds = self._destination.kinds
            named = next((service.kind for service in services if service.kind in kinds), "")
            if named and path == services[0].path:
                return _Way(hand, services, kinds[named], kinds[named])
            if self._destination.base and not named:
                called = self._destination.called or self._destination.base
                return _Way(hand, services, f"{self._destination.base}{path}", f"{called}{path}")
        return None

    def _unknown(self, path: str) -> str:
        known = "\n".join(f"  {kind:4} {address}" for kind, address in self.addresses(self.base).items())
        return tr("Ce relais ne mène nulle part depuis « {path} ». Ses adresses :", path=path) + f"\n{known}\n"

    async def _describe(self, way: _Way, scope: Scope, send: Send) -> None:
        asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=10)
        schema = asked["xsd"][0] if "xsd" in asked else ""
        document = None
        if ("wsdl" in asked or schema) and way.services[0].wsdl:
            document = describe(way.hand.norm, way.services[0], f"{self.base}{scope['path']}", schema)
        if document is None:
            await self._say(send, 404, tr("Cette adresse prend des demandes POST ; sa description est à « ?wsdl »."))
        else:
            await _answer(send, 200, [(b"content-type", _XML.encode())], document)

    async def _relay(self, way: _Way, body: bytes, scope: Scope, send: Send) -> None:
        content_type = next(
            (value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"), None
        )
        completer, what = self._completers[way.hand.norm.ref], way.services[0]
        try:
            # Signing takes milliseconds: other requests go on meanwhile.
            sent = (
                await asyncio.to_thread(
                    completer.complete, way.services, body, content_type, way.audience, Clock.real()
                )
                if what.carrier == "soap"
                else Completed(body, untouched=tr("rien ne s'y ajoute"))
            )
            headers = [field for field in end_to_end(scope["headers"]) if field[0] != _MARK[0]]
            answer = await carry(way.target, [*headers, _MARK], sent.body, way.hand.tls, self._seconds)
        except PoinconError as wrong:
            self._note(f"{scope['path']} : {wrong}")
            await self._say(send, 500, tr("Le relais ne peut pas compléter cette demande : {why}", why=wrong))
        except NotCarried as failed:
            self._note(f"{scope['path']} : {failed.what}")
            await self._say(send, failed.status, failed.what)
        else:
            self._note(f"{scope['path']} : {_told(sent, answer)}")
            await _hand_back(answer, scope, send)

    async def _say(self, send: Send, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
        """Answer in the relay's own name."""
        await _answer(send, status, [(b"content-type", _TEXT.encode()), _MARK, *headers], f"{text}\n".encode())


def _told(sent: Completed, answer: Answer) -> str:
    done = (
        tr("portée telle quelle ({why})", why=sent.untouched.rstrip("."))
        if sent.untouched
        else tr("complétée ({names})", names=", ".join(sent.added))
    )
    came = tr("réponse {status}", status=answer.status) if answer.whole else tr("réponse coupée")
    return f"{done}, {came}"


async def _hand_back(answer: Answer, scope: Scope, send: Send) -> None:
    """Answer as the other side did; where it cut the connection, cut it at the same place."""
    headers = [*answer.headers, _MARK]
    if answer.whole:
        await _answer(send, answer.status, headers, answer.body)
        return
    if answer.status:
        if answer.length >= 0:
            headers.append((b"content-length", b"%d" % answer.length))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    scope["extensions"][CUT]["cut"]()


async def _answer(send: Send, status: int, headers: Fields, body: bytes) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def _read(receive: Receive) -> bytes | None:
    """Return the whole body (the listener bounds it), None when the caller has gone."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
