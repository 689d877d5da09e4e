"""A plain HTTP listener for this machine: uvicorn behind the guards of `norms.wire.protocol`, without TLS."""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

import uvicorn

from norms.errors import UsageError
from norms.i18n import tr
from norms.model import Limits
from norms.wire.listener import App
from norms.wire.protocol import GuardedProtocol

_MOST_AT_ONCE: Final = 64
_CLOSE_SECONDS: Final = 1


class PlainListener:
    """Serves one ASGI application over HTTP in a thread of its own. `start` returns (host, port), `stop` ends it.

    host: a loopback address or "localhost"; any other only when `remote` says so. At most 64 requests at once, the
    others get 503.
    """

    def __init__(self, app: App, host: str, port: int, limits: Limits, *, remote: bool = False) -> None:
        if not (remote or is_loopback(host)):
            raise UsageError(
                tr(
                    "« {host} » n'est pas une adresse de cette machine seule : qui l'atteint ferait signer ce qu'il "
                    "veut. Écoutez sur 127.0.0.1, ou ajoutez --allow-remote si c'est voulu.",
                    host=host,
                )
            )
        self._host, self._port = ("127.0.0.1" if host == "localhost" else host), port
        config = uvicorn.Config(
            app,
            # A protocol class is all that uvicorn asks of this; its types name only its own two.
            http=partial(GuardedProtocol, limits=limits),  # type: ignore[arg-type]
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_AT_ONCE,
            timeout_graceful_shutdown=_CLOSE_SECONDS,
        )
        self._server = _Server(config)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def base(self) -> str:
        """The address of the listener, "http://127.0.0.1:8080"; its port is the bound one once started."""
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}"

    def start(self) -> tuple[str, int]:
        """Bind and serve. Raises UsageError when the address is not free."""
        logging.getLogger("uvicorn").addHandler(logging.NullHandler())
        bound = self._bind()
        self._port = bound.getsockname()[1]
        self._thread = threading.Thread(target=self._server.run, args=([bound],), name="relay", daemon=True)
        self._thread.start()
        self._server.ready.result()
        return self._host, self._port

    def stop(self) -> None:
        """Close every connection; does nothing when not started."""
        if self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
            self._thread = None

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # The protocol is named so that asyncio turns Nagle's algorithm off.
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


class _Server(uvicorn.Server):
    """uvicorn's server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready: Future[None] = Future()

    async def startup(self, *arguments: Any, **named: Any) -> None:
        await super().startup(*arguments, **named)
        self.ready.set_result(None)


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches `host`; a name other than localhost is not asked for."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
