"""Small servers that behave exactly as a test says, on loopback, with or without TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import trustme

from harness.network import TlsClient

Handler = Callable[[socket.socket, threading.Event], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 4\r\n\r\n<a/>"


@dataclass
class Server:
    """A listening server; connections counts what arrived, stop ends the handlers' waits."""

    url: str
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)


def read_request(sock: socket.socket) -> bytes:
    """Read one request with Content-Length; b"" at the end of the stream."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(answer: bytes) -> Handler:
    """A handler that answers every request of a connection with the same bytes."""

    def handle(sock: socket.socket, _stop: threading.Event) -> None:
        while read_request(sock):
            sock.sendall(answer)

    return handle


@contextlib.contextmanager
def serving(handler: Handler, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Server]:
    """Serve connections with `handler` until the block ends."""
    listener = socket.create_server((host, 0))
    server = Server(f"{'https' if context else 'http'}://{host}:{listener.getsockname()[1]}/service")
    threads: list[threading.Thread] = []

    def serve_one(sock: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(sock.close)
            if context is not None:
                sock.settimeout(5)
                sock = context.wrap_socket(sock, server_side=True)
                stack.callback(sock.close)
                sock.settimeout(None)
            handler(sock, server.stop)

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            thread = threading.Thread(target=serve_one, args=(sock,), daemon=True)
            threads.append(thread)
            thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        server.stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join(2)


@dataclass(frozen=True)
class Pki:
    """A throw-away authority with a server context that asks for client certificates, and a client's files."""

    authority: trustme.CA
    server: ssl.SSLContext
    client: TlsClient


def make_pki(folder: Path, host: str = "127.0.0.1") -> Pki:
    """Return an authority, a mutual-TLS server context for `host` and a client that it accepts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued = authority.issue_cert("client@example.org")
    (folder / "client.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(folder / "client.key"))
    return Pki(
        authority,
        server_context(authority, host),
        TlsClient("client", folder / "client.pem", folder / "client.key", authorities=(folder / "ca.pem",)),
    )


def server_context(authority: trustme.CA, host: str, *, mutual: bool = True) -> ssl.SSLContext:
    """Return a server context with a certificate of `authority` for `host`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    if mutual:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
