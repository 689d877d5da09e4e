"""What sessions keep in memory does not grow with what products send."""

from __future__ import annotations

import socket
import ssl
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.driver import Stimulus
from harness.evidence import read_run
from harness.run import RunOptions, run
from norms.model import Norm
from norms.wire import protocol
from tests.harness.lab import REQUEST, case, make_suite
from tests.harness.machine import ASK, Machine, declared

MIB = 1 << 20
PADDING = " " * 800_000


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def peak(norm: Norm, keys: Path, out: Path, count: int) -> int:
    """Return the most bytes held while `count` cases of 800 kB each are run and judged."""

    def pads(product: Machine, stimulus: Stimulus) -> None:
        product.call(stimulus.endpoints["PING"], REQUEST + PADDING)
        product.answers.clear()

    suite = make_suite(norm, *(case(number, ASK, role="client") for number in range(count)), role="client")
    product = Machine(keys, pads)
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    result = run(RunOptions(declared(keys), suite, norm, out, preflight=False, operator=product))
    assert result.verdicts.counts.passed == count
    assert len(read_run(out).exchanges("ESS-S-000")[0].request) > len(PADDING)
    return tracemalloc.get_traced_memory()[1] - before


@pytest.mark.usefixtures("traced")
def test_exchanges_leave_the_memory_with_their_case(norm: Norm, keys: Path, tmp_path: Path):
    few, many = (peak(norm, keys, tmp_path / str(count), count) for count in (6, 24))
    assert many < few + 4 * MIB, (few, many)


@pytest.mark.usefixtures("traced")
def test_callers_without_session_hold_no_body(norm: Norm, keys: Path, tmp_path: Path):
    grown: list[int] = []

    def crowds(product: Machine, stimulus: Stimulus) -> None:
        before = tracemalloc.get_traced_memory()[0]
        crowd = []
        parts = urlsplit(stimulus.endpoints["PING"])
        context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
        for _ in range(30):
            plain = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5)
            crowd.append(context.wrap_socket(plain, server_hostname="localhost"))
            crowd[-1].sendall(b"POST /s/nobody/ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n")
            crowd[-1].sendall(PADDING.encode())
        product.call(stimulus.endpoints["PING"], REQUEST)
        grown.append(tracemalloc.get_traced_memory()[0] - before)
        for slow in crowd:
            slow.close()

    suite = make_suite(norm, case(1, ASK, role="client"), role="client")
    result = run(
        RunOptions(declared(keys), suite, norm, tmp_path / "r", preflight=False, operator=Machine(keys, crowds))
    )
    assert result.exit_code == 0
    assert grown[0] < 30 * len(PADDING) * 3 // 4, grown


def test_connections_beyond_the_cap_are_cut(norm: Norm, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(protocol, "MOST_CONNECTIONS", 5)
    refused: list[str] = []

    def crowds(product: Machine, stimulus: Stimulus) -> None:
        parts = urlsplit(stimulus.endpoints["PING"])
        context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
        crowd = []
        for _ in range(5):
            plain = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5)
            crowd.append(context.wrap_socket(plain, server_hostname="localhost"))
            crowd[-1].sendall(b"P")
        product.call(stimulus.endpoints["PING"], REQUEST)
        refused.append(str(product.answers[-1][0]))
        for slow in crowd:
            slow.close()
        while product.answers[-1][0] != 200:
            product.call(stimulus.endpoints["PING"], REQUEST)

    suite = make_suite(norm, case(1, ASK, role="client"), role="client")
    result = run(
        RunOptions(declared(keys), suite, norm, tmp_path / "r", preflight=False, operator=Machine(keys, crowds))
    )
    assert refused == ["0"]
    assert result.exit_code == 0
