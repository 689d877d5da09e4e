"""Another side for the relay: a TLS server that keeps each request and answers the very bytes that a test gives it."""

from __future__ import annotations

import socket
import ssl
import threading
from types import TracebackType
from typing import Self

from sandbox.pki import TestPki

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 4\r\n\r\n<a/>"


class Upstream:
    """answer: bytes of every answer, b"" = cut without one, None = silence. identity: of the test PKI."""

    def __init__(self, pki: TestPki, answer: bytes | None = ANSWER, identity: str = "amc-server") -> None:
        self._answer = answer
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pki.certificate(identity), pki.key(identity))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.base = f"https://localhost:{self._listening.getsockname()[1]}"
        self.requests: list[bytes] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        # Closing a socket does not wake who waits on it everywhere; a last caller does.
        socket.create_connection(self._listening.getsockname()).close()
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while True:
            plain, _ = self._listening.accept()
            with plain:
                if self._over.is_set():
                    return
                try:
                    with self._context.wrap_socket(plain, server_side=True) as secured:
                        self._exchange(secured)
                except OSError:
                    continue

    def _exchange(self, secured: ssl.SSLSocket) -> None:
        request = b""
        while not _whole(request):
            request += secured.recv(65_536)
        self.requests.append(request)
        if self._answer is None:
            self._over.wait(20)
        else:
            secured.sendall(self._answer)


def _whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = next(
        (int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0
    )
    return bool(end) and len(body) >= length
