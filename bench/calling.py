"""A caller in a process of its own: posts ready bodies over kept mutual-TLS connections and counts the answers.

`python -m bench.calling` reads one `Job` (JSON) per line from its standard input and prints one `Outcome` each.
"""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from http.client import HTTPSConnection
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec


class Job(msgspec.Struct, frozen=True):
    """What to post. connections: how many are used at once; bodies: each is posted once."""

    url: str
    authority: str
    certificate: str
    key: str
    headers: dict[str, str]
    bodies: tuple[bytes, ...]
    connections: int = 2


class Outcome(msgspec.Struct, frozen=True):
    """seconds: from the first request to the last answer, connections already open; statuses: status -> how many."""

    seconds: float
    statuses: dict[str, int]


class Caller:
    """The other end of the process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.calling"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parent.parent,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(self, job: Job) -> Outcome:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Outcome)


def run(job: Job) -> Outcome:
    """Post every body of a job and return what came of it."""
    parts = urlsplit(job.url)
    context = ssl.create_default_context(cafile=job.authority)
    context.load_cert_chain(job.certificate, job.key)
    waiting = iter(job.bodies)
    lock, statuses = threading.Lock(), Counter[str]()

    def one(connection: HTTPSConnection) -> None:
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                return
            connection.request("POST", parts.path, body, job.headers)
            answer = connection.getresponse()
            answer.read()
            with lock:
                statuses[str(answer.status)] += 1

    connections = [
        HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=30) for _ in range(job.connections)
    ]
    for connection in connections:
        connection.connect()
    threads = [threading.Thread(target=one, args=(connection,)) for connection in connections]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    for connection in connections:
        connection.close()
    return Outcome(seconds, dict(statuses))


def main() -> None:
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(run(msgspec.json.decode(line, type=Job))) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
