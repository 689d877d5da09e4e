"""How to make a failure happen again: the laboratory's own command, and the bare request for anybody's tools."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.record import Exchange
from reports.messages import take_apart

REQUESTS: Final = "requests"
_NOT_REPEATED: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "user-agent"})


@dataclass(frozen=True)
class Reproducer:
    """Commands that repeat one exchange. replay: signs again; curl: sends the recorded bytes, "" when curl cannot.

    request_file: path of the recorded body, relative to the run folder, that curl sends.
    """

    replay: str
    curl: str = ""
    request_file: str = ""


def reproducer(run: str, case: str, exchange: Exchange | None, role: str) -> Reproducer:
    """Return the commands for an exchange of a case. run: run folder as the reader types it; role: the product's.

    curl is left out for a client product (nothing is sent to it), and for requests that are deliberately not HTTP.
    """
    replay = f"poincon replay {shlex.quote(run)} {shlex.quote(case)}"
    if exchange is None or role == "client" or exchange.http or not exchange.request:
        return Reproducer(replay)
    message = take_apart(exchange.request)
    if not message.start:
        return Reproducer(replay)
    method = message.start.split(" ", 1)[0]
    file = request_file(exchange)
    parts = ["curl", "--include", "--request", method]
    if exchange.tls.client:
        parts += ["--cert", "CERTIFICAT.pem", "--key", "CLE.pem"]
    if exchange.url.startswith("https:"):
        parts += ["--cacert", "AUTORITE.pem"]
    for name, value in message.headers:
        if name.lower() not in _NOT_REPEATED:
            parts += ["--header", f"{name}: {value}"]
    parts += ["--data-binary", f"@{file}", "--url", exchange.url]
    return Reproducer(replay, " ".join(shlex.quote(part) for part in parts), file)


def request_file(exchange: Exchange) -> str:
    """Return the path, relative to the run folder, under which the body of a request is written."""
    return f"{REQUESTS}/{re.sub(r'[^0-9A-Za-z._-]+', '-', exchange.id)}.xml"


def write_request(folder: Path, exchange: Exchange) -> Path:
    """Write the body of a recorded request below the run folder for curl; return its path."""
    target = folder / request_file(exchange)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(take_apart(exchange.request).body)
    return target
