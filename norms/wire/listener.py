"""The listener, HTTPS or plain HTTP: uvicorn with httptools, the caller's certificate visible, and limits of our own.

No ASGI server shows the client certificate or bounds the count, size and time of headers, so a subclass of uvicorn's
protocol does. What is refused here never reaches the application: ambiguous heads (400), too many or too long headers
(431), late heads and slow bodies (408), bodies over the limit (413). After a refusal the connection is read to nowhere
for a moment, so that the peer can read the answer, and closed.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from norms.errors import UsageError
from norms.i18n import tr
from norms.model import Limits
from norms.wire.protocol import GuardedProtocol

if TYPE_CHECKING:
    from uvicorn.server import ServerState

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# X509_V_FLAG_NO_CHECK_TIME of OpenSSL; the ssl module has no name for it.
_NO_CHECK_TIME: Final = 0x200000
_HANDSHAKE_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class ServerTls:
    """How the server side of TLS behaves.

    certificate (with its chain) and key: PEM files; authorities: PEM files of the authorities whose client
    certificates are accepted; revocations: PEM files of their revocation lists, checked when given; minimum: lowest
    version; client: "required" refuses a caller without certificate in the handshake; check_time: False accepts
    expired certificates (a deviation for practice).
    """

    certificate: Path
    key: Path
    authorities: tuple[Path, ...] = ()
    revocations: tuple[Path, ...] = ()
    minimum: str = "1.2"
    client: Literal["required", "optional"] = "required"
    check_time: bool = True

    def context(self) -> ssl.SSLContext:
        """Return the server context; raises UsageError when a file cannot be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3 if self.minimum == "1.3" else ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED if self.client == "required" else ssl.CERT_OPTIONAL
        try:
            context.load_cert_chain(self.certificate, self.key)
            for file in (*self.authorities, *self.revocations):
                context.load_verify_locations(file)
        except (OSError, ssl.SSLError) as unusable:
            raise UsageError(
                tr("Les fichiers TLS du serveur ne sont pas utilisables : {why}.", why=str(unusable))
            ) from unusable
        if self.revocations:
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        if not self.check_time:
            context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
        return context


class Listener:
    """Serves one ASGI application in a thread of its own, with its own event loop.

    tls: None serves plain HTTP, for callers that have made sure that only this machine is listened to. most_at_once:
    while more connections than that are open, requests get 503; None sets no bound. `start()` returns (host, port)
    once the socket listens; `stop()` closes every connection and joins the thread.
    """

    def __init__(
        self, app: App, host: str, port: int, tls: ServerTls | None, limits: Limits, *, most_at_once: int | None = None
    ) -> None:
        self._app, self._host, self._port, self._tls, self._limits = app, host, port, tls, limits
        self._most_at_once = most_at_once
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port; the port is the bound one once started."""
        return self._host, self._port

    @property
    def base(self) -> str:
        """The address as a URL, "https://127.0.0.1:8443"; its port is the bound one once started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self._port}"

    def start(self) -> tuple[str, int]:
        """Bind, serve in a thread, and return (host, port). Raises UsageError when the address is not free."""
        context = self._tls.context() if self._tls else None
        bound = self._bind()
        self._port = bound.getsockname()[1]
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(bound, context, ready), name="listener", daemon=True)
        self._thread.start()
        ready.result()
        return self.address

    def stop(self) -> None:
        """Close all connections and wait for the thread; does nothing when not started."""
        if self._thread is None or self._loop is None or self._stopping is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._thread = None

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # asyncio turns Nagle's algorithm off only where the protocol is named; with it an answer waits 40 ms.
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((self._host, self._port))
        except OSError as taken:
            bound.close()
            raise UsageError(
                tr("L'adresse {host}:{port} n'est pas libre : {why}.", host=self._host, port=self._port, why=str(taken))
            ) from taken
        return bound

    def _run(self, bound: socket.socket, context: ssl.SSLContext | None, ready: Future[None]) -> None:
        asyncio.run(self._serve(bound, context, ready))

    async def _serve(self, bound: socket.socket, context: ssl.SSLContext | None, ready: Future[None]) -> None:
        from uvicorn.config import Config
        from uvicorn.server import ServerState

        logging.getLogger("uvicorn").addHandler(logging.NullHandler())
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        config = Config(
            self._app,
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            limit_concurrency=None if self._most_at_once is None else self._most_at_once + 1,
            timeout_keep_alive=30,
        )
        config.load()
        state = ServerState()
        factory = partial(GuardedProtocol, config=config, server_state=state, app_state={}, limits=self._limits)
        try:
            server = await self._loop.create_server(
                factory,
                sock=bound,
                ssl=context,
                backlog=512,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS if context else None,
                ssl_shutdown_timeout=_CLOSE_SECONDS if context else None,
            )
        except OSError as failed:
            ready.set_exception(UsageError(tr("Le serveur ne démarre pas : {why}.", why=str(failed))))
            return
        ready.set_result(None)
        await self._stopping.wait()
        server.close()
        await _close_all(state)


async def _close_all(state: ServerState) -> None:
    for task in list(state.tasks):
        task.cancel()
    for connection in list(state.connections):
        connection.transport.abort()
    if state.tasks:
        await asyncio.wait(list(state.tasks), timeout=_CLOSE_SECONDS)
    # Aborted transports tell their protocols in the next turns of the loop.
    for _ in range(100):
        if not state.connections:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0)
