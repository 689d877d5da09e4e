"""A caller that signs like a right client, over real TLS on loopback."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from lxml import etree

from norms.model import Norm
from norms.wire.secure import Signers, Subject, secure_request
from norms.wire.soap import serialize
from sandbox.pki import TestPki
from sandbox.serve import Sandbox, Spawned

SOAP12 = 'application/soap+xml; charset=utf-8; action="{action}"'
ATTRIBUTES = {
    "identifiantFacturation": "751234567",
    "codeSpecialiteAMO": "01",
    "secteurActivite": "SA07",
}


@dataclass
class Answer:
    """What came back; tree: None when the body is no XML."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def tree(self) -> etree._Element:
        return etree.fromstring(self.body)

    def text(self, local: str) -> str:
        found = self.tree.xpath("string(//*[local-name() = $name])", name=local)
        return str(found)

    @property
    def error(self) -> str:
        return str(self.tree.xpath("string(//*[local-name() = 'Erreur']/*[local-name() = 'Code'])"))


class Caller:
    """Calls services of one world over real TLS."""

    def __init__(self, sandbox: Sandbox | Spawned, norm: Norm, world: str = "") -> None:
        self.sandbox, self.norm, self.world = sandbox, norm, world
        self.pki = TestPki(Path(sandbox.addresses.pki))

    def in_world(self, world: str) -> Caller:
        return Caller(self.sandbox, self.norm, world)

    def context(self, identity: str | None = "tls") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.pki.authority))
        if identity:
            certificate, key = self.pki.laboratory_identities()[identity]
            context.load_cert_chain(certificate, key)
        return context

    def url(self, kind: str) -> str:
        return self.sandbox.endpoints(self.world)[kind]

    def message(self, kind: str, edits: dict[str, str] | None = None) -> etree._Element:
        root = etree.parse(self.norm.root / "messages" / f"{kind}.request.xml").getroot()
        spaces = self.norm.prefixes
        for node in root.iterfind(".//wsa:MessageID", {"wsa": "http://www.w3.org/2005/08/addressing"}):
            node.text = f"uuid:{uuid4()}"
        today = datetime.now(UTC).astimezone().date().isoformat()
        dates = {"//idb:DateReference": today, "//clc:DateFacture": today, "//clc:DateSoins": today}
        for path, value in {**dates, **(edits or {})}.items():
            if path.split(":")[0].strip("/") in spaces:
                for node in root.xpath(path, namespaces=spaces):
                    node.text = value
        return root

    def secured(
        self,
        kind: str,
        root: etree._Element,
        deviation: str = "",
        *,
        replay_of: etree._Element | None = None,
    ) -> bytes:
        service = self.norm.service(kind)
        assert service is not None
        identities = self.pki.laboratory_identities()
        others = {
            name: self.pki.identity(files[0].stem)
            for name, files in identities.items()
            if deviation and name not in ("tls", "assertion", "flow")
        }
        signers = Signers(
            self.pki.identity(identities["assertion"][0].stem), self.pki.identity(identities["flow"][0].stem), others
        )
        subject = Subject("99900063480", "CPS", ATTRIBUTES)
        now = datetime.now(UTC)
        return secure_request(
            root, self.norm, service, signers, subject, self.url(kind), now, deviation, replay_of=replay_of
        )

    def post(
        self,
        kind: str,
        body: bytes,
        *,
        headers: dict[str, str] | None = None,
        method: str = "POST",
        identity: str | None = "tls",
        query: str = "",
        chunked: bool = False,
    ) -> Answer:
        service = self.norm.service(kind)
        assert service is not None
        place = urlsplit(self.url(kind))
        if service.soap == "1.2":
            sent = {"Content-Type": SOAP12.format(action=service.request.action)}
        else:
            sent = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{service.request.action}"'}
        sent.update(headers or {})
        connection = HTTPSConnection(place.hostname or "", place.port, context=self.context(identity), timeout=20)
        try:
            sending = iter([body]) if chunked else body or None
            connection.request(method, place.path + query, sending, sent, encode_chunked=chunked)
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def call(self, kind: str, edits: dict[str, str] | None = None, deviation: str = "") -> Answer:
        return self.post(kind, self.secured(kind, self.message(kind, edits), deviation))

    def unsecured(self, kind: str, edits: dict[str, str] | None = None) -> Answer:
        return self.post(kind, serialize(self.message(kind, edits)), identity="tls-software")

    def raw(self, kind: str, data: bytes, wait: float = 10, identity: str = "tls") -> bytes:
        """Send bytes over TLS and return the answer, or what came of it before the peer closed."""
        place = urlsplit(self.url(kind))
        received = b""
        with (
            socket.create_connection((place.hostname or "", place.port or 443), wait) as plain,
            self.context(identity).wrap_socket(plain, server_hostname=place.hostname) as secure,
        ):
            secure.sendall(data)
            try:
                while not _complete(received) and (chunk := secure.recv(65536)):
                    received += chunk
            except (ConnectionError, ssl.SSLError):
                pass
        return received


def _complete(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
    return bool(end) and length is not None and len(body) >= int(length[1])
