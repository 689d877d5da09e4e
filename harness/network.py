"""TCP and TLS towards a product: one resolution, one total deadline, every byte kept.

`connect` stands where httpcore2's own network backend would: its `TeeStream` keeps what goes out and comes in after
TLS and bounds both time and bytes. Nothing here knows HTTP beyond "a head must end some day".
"""

from __future__ import annotations

import hashlib
import selectors
import socket
import ssl
import threading
import time
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import httpcore2

from harness.errors import CannotRun
from harness.record import SERVER_CERTIFICATE_REFUSED, Outcome, TlsFacts
from norms.i18n import tr

HEAD_BYTES: Final = 262_144
"""Bytes that may arrive before the head of the final answer is complete (interim answers included)."""
_PIECE: Final = 16_384
_LOCAL_TLS_REASONS: Final = ("NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE", "NO_CIPHER_MATCH")


class ExchangeFailure(Exception):  # noqa: N818 - an outcome of the wire, never an error of ours
    """An exchange that brought no complete answer. outcome: of `harness.record.Outcome`; detail: for people."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        self.outcome, self.detail = outcome, detail
        super().__init__(detail)


class Deadline:
    """The moment at which everything of one exchange ends, on the monotonic clock: a wrong wall clock is harmless."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left; raises ExchangeFailure("timeout") when none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.failure()
        return left

    def failure(self) -> ExchangeFailure:
        """Return the failure that says this deadline has passed."""
        return ExchangeFailure("timeout", f"no complete answer within {self.seconds:g} s")


@dataclass(frozen=True)
class Target:
    """Where to connect: the scheme, name and port of an address, and the one IP address that the name gave."""

    scheme: str
    host: str
    port: int
    ip: str


class Resolver:
    """Name resolution done once per name for the whole run, so that a name cannot move during it (attack T04).

    A name with several addresses gets the first that accepts a connection, and keeps it.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], str] = {}
        self._lock = threading.Lock()

    def resolve(self, scheme: str, host: str, port: int, deadline: Deadline) -> Target:
        """Return the target of `host`; raises ExchangeFailure("refused") when the name is unknown."""
        with self._lock:
            known = self._known.get((host, port))
        if known is None:
            found = _look_up(host, port, deadline)
            known = found[0] if len(found) == 1 else _first_open(found, port, deadline)
            with self._lock:
                known = self._known.setdefault((host, port), known)
        return Target(scheme, host, port, known)


def _look_up(host: str, port: int, deadline: Deadline) -> list[str]:
    """Return the addresses of `host`; getaddrinfo has no timeout, so it runs in a thread that we may leave."""
    answer: list[str] = []
    error: list[OSError | UnicodeError] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.extend(dict.fromkeys(str(address[4][0]) for address in found))
        except (OSError, UnicodeError) as failure:
            error.append(failure)

    thread = threading.Thread(target=ask, daemon=True, name=f"resolve {host}")
    thread.start()
    thread.join(deadline.remaining())
    if error:
        raise ExchangeFailure("refused", f"unknown host {host}: {error[0]}")
    if not answer:
        raise deadline.failure()
    return answer


def _first_open(addresses: list[str], port: int, deadline: Deadline) -> str:
    """Return the first address that accepts a connection, the first of all when none does."""
    for address in addresses:
        try:
            socket.create_connection((address, port), timeout=deadline.remaining() / len(addresses)).close()
        except OSError:
            continue
        return address
    return addresses[0]


@dataclass(frozen=True)
class TlsClient:
    """What the laboratory presents and trusts on one connection.

    name: of the identity, "" for no certificate; certificate / key: PEM files (certificate followed by its chain);
    authorities: PEM files that may vouch for the server; minimum / maximum: TLS versions ("1.2"), "" no maximum;
    server_name: name expected in the server's certificate, "" = the host of the address.
    """

    name: str = ""
    certificate: Path | None = None
    key: Path | None = None
    password: str = ""
    authorities: tuple[Path, ...] = ()
    minimum: str = "1.2"
    maximum: str = ""
    server_name: str = ""


_VERSIONS: Final = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


@lru_cache(maxsize=64)
def tls_context(client: TlsClient) -> ssl.SSLContext:
    """Return the TLS context of `client`; the server's name and chain are always verified.

    Raises CannotRun when a file cannot be used or this Python cannot speak the version asked.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        for authority in client.authorities:
            context.load_verify_locations(cafile=str(authority))
        if client.certificate is not None:
            context.load_cert_chain(client.certificate, client.key, password=lambda: client.password)
        with warnings.catch_warnings():
            # Offering an old version is the point of some cases; Python warns that it is old.
            warnings.simplefilter("ignore", DeprecationWarning)
            if client.maximum:
                context.minimum_version = min(_VERSIONS[client.minimum], _VERSIONS[client.maximum])
                context.maximum_version = _VERSIONS[client.maximum]
                if client.maximum in ("1.0", "1.1"):
                    context.set_ciphers("ALL:@SECLEVEL=0")
            else:
                context.minimum_version = _VERSIONS[client.minimum]
    except (OSError, ValueError) as error:
        raise CannotRun(
            tr("L'identité TLS « {nom} » est inutilisable : {erreur}.", nom=client.name or "–", erreur=error)
        ) from error
    context.set_alpn_protocols(["http/1.1"])
    return context


@lru_cache(maxsize=64)
def certificate_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of the first certificate of a PEM file."""
    return hashlib.sha256(first_certificate(path.read_text(encoding="ascii", errors="replace"))).hexdigest()


def first_certificate(pem: str) -> bytes:
    """Return the DER bytes of the first certificate in `pem`; raises ValueError when there is none."""
    end = "-----END CERTIFICATE-----"
    start = pem.find("-----BEGIN CERTIFICATE-----")
    stop = pem.find(end, start)
    if start < 0 or stop < 0:
        raise ValueError("no certificate in this PEM file")
    return ssl.PEM_cert_to_DER_cert(pem[start : stop + len(end)])


class TeeStream:
    """A connected stream (httpcore2's NetworkStream protocol): keeps every application byte, obeys the deadline.

    facts, peer: what TLS said, and the peer's certificate (DER); sent / received: bytes of the current exchange;
    closed_by_peer: the peer ended its side; limit: most bytes that may arrive (beyond: ExchangeFailure "too-large").
    """

    def __init__(self, sock: socket.socket, deadline: Deadline, facts: TlsFacts, peer: bytes = b"") -> None:
        self._sock = sock
        self.facts = facts
        self.peer = peer
        self.begin(deadline)

    def begin(self, deadline: Deadline) -> None:
        """Start another exchange on this connection."""
        self._deadline = deadline
        self._pending = bytearray()
        self.sent = bytearray()
        self.received = bytearray()
        self.closed_by_peer = False
        self.limit = HEAD_BYTES

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline rules
        """Return the next bytes, b"" at the end; raises ExchangeFailure."""
        try:
            self._flush()
        except httpcore2.WriteError:
            # Refusing before everything is read is legal: the answer, if any, is already on its way.
            self._pending.clear()
        self._sock.settimeout(self._deadline.remaining())
        try:
            data = self._sock.recv(max_bytes)
        except TimeoutError as error:
            raise self._deadline.failure() from error
        except ssl.SSLError as error:
            raise ExchangeFailure("tls", tls_detail(error)) from error
        except OSError as error:
            raise ExchangeFailure("reset", f"connection cut: {error.strerror or error}") from error
        room = self.limit - len(self.received)
        self.received += data[: max(room, 0)]
        if len(data) > room:
            raise ExchangeFailure("too-large", f"more than {self.limit} bytes")
        self.closed_by_peer = not data
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - the deadline rules
        """Send `buffer`, a short one together with what follows; raises httpcore2.WriteError when nobody reads it."""
        self._pending += buffer
        if len(self._pending) > _PIECE:
            self._flush()

    def _flush(self) -> None:
        try:
            while self._pending:
                if len(self.sent) >= _PIECE:
                    self._await_room()
                self._sock.settimeout(self._deadline.remaining())
                count = self._sock.send(self._pending[:_PIECE])
                self.sent += self._pending[:count]
                del self._pending[:count]
        except TimeoutError as error:
            raise self._deadline.failure() from error
        except OSError as error:
            raise httpcore2.WriteError(str(error)) from error

    def _await_room(self) -> None:
        """Wait until more can be sent; a peer that answers without reading the rest has refused it: WriteError."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_WRITE)
            if selector.select(min(0.25, self._deadline.remaining())):
                return
            selector.modify(self._sock, selectors.EVENT_WRITE | selectors.EVENT_READ)
            ready = selector.select(self._deadline.remaining())
            if not any(mask & selectors.EVENT_WRITE for _, mask in ready):
                raise httpcore2.WriteError("the peer stopped reading")

    def close(self) -> None:
        """Close at once; no TLS farewell is awaited."""
        self._sock.close()

    def get_extra_info(self, info: str) -> Any:
        """Answer httpcore2's question whether an idle connection has something to read (then it is stale)."""
        if info == "is_readable":
            with selectors.DefaultSelector() as selector:
                selector.register(self._sock, selectors.EVENT_READ)
                return bool(selector.select(0))
        return None


def tls_detail(error: ssl.SSLError) -> str:
    """Return what OpenSSL said, without file names and line numbers of its source."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{SERVER_CERTIFICATE_REFUSED}: {error.verify_message}"
    return (error.reason or str(error)).replace("_", " ").lower()


def connect(target: Target, tls: TlsClient | None, deadline: Deadline) -> TeeStream:
    """Return a connection to the target's one IP address, with TLS for https; raises ExchangeFailure, CannotRun."""
    try:
        sock = socket.create_connection((target.ip, target.port), timeout=deadline.remaining())
    except TimeoutError as error:
        raise deadline.failure() from error
    except OSError as error:
        raise ExchangeFailure("refused", f"{target.ip} port {target.port}: {error.strerror or error}") from error
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.scheme != "https":
            return TeeStream(sock, deadline, TlsFacts())
        client = tls or TlsClient()
        return _start_tls(sock, target, client, deadline)
    except BaseException:
        sock.close()
        raise


def _start_tls(sock: socket.socket, target: Target, client: TlsClient, deadline: Deadline) -> TeeStream:
    context = tls_context(client)
    presented = certificate_digest(client.certificate) if client.certificate else ""
    sock.settimeout(deadline.remaining())
    try:
        secured = context.wrap_socket(sock, server_hostname=client.server_name or target.host)
    except TimeoutError as error:
        raise deadline.failure() from error
    except ssl.SSLError as error:
        if error.reason in _LOCAL_TLS_REASONS:
            raise CannotRun(
                tr("Cette machine ne sait pas parler TLS {version}.", version=client.maximum or client.minimum)
            ) from error
        raise ExchangeFailure("tls", tls_detail(error)) from error
    except OSError as error:
        raise ExchangeFailure("tls", f"handshake cut: {error.strerror or error}") from error
    cipher = secured.cipher()
    peer = secured.getpeercert(binary_form=True)
    facts = TlsFacts(
        version=secured.version() or "",
        cipher=cipher[0] if cipher else "",
        peer=hashlib.sha256(peer).hexdigest() if peer else "",
        client=presented,
    )
    return TeeStream(secured, deadline, facts, peer or b"")
