"""The sandbox under full security against services that others would write: spyne, and the npm package `soap`."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from lxml import etree

from bench.calling import Caller, Job
from bench.measuring import Row, at_least, interleaved, median, ratio
from bench.signing import HandMade, Practice
from norms.wire.soap import Envelope, serialize

GROUP = "sandbox"
ROUNDS = 5
REQUESTS = 300
HOME = Path(__file__).resolve().parent


def measure(practice: Practice) -> list[Row]:
    """Requests per second over loopback, mutual TLS, two kept connections, the caller in a process of its own."""
    hand = HandMade(practice, practice.nominal())
    files = practice.pki.laboratory_identities()["tls"]

    def job(url: str, headers: dict[str, str], bodies: list[bytes]) -> Job:
        certificate, key = map(str, files)
        return Job(url, str(practice.pki.authority), certificate, key, headers, tuple(bodies))

    with ExitStack() as stack:
        caller = stack.enter_context(Caller())

        def seconds(wanted: Job) -> float:
            outcome = caller.run(wanted)
            if set(outcome.statuses) != {"200"}:
                raise AssertionError(f"{wanted.url}: {outcome.statuses}")
            return outcome.seconds / len(wanted.bodies)

        sides = {"sandbox": lambda: seconds(job(hand.url, hand.headers, [hand.body() for _ in range(REQUESTS)]))}
        spyne = _spyne(stack, practice)
        if spyne:
            sides["spyne"] = lambda: seconds(job(spyne, hand.headers, _questions(hand)))
        npm = _npm(stack, practice)
        if npm:
            sides["npm"] = lambda: seconds(job(npm, hand.headers, [hand.body() for _ in range(REQUESTS)]))
        rounds = interleaved(sides, ROUNDS)
    rows = [
        Row(GROUP, "full security: all verified and checked, answer signed", 1 / median(rounds, "sandbox"),
            "requests/s", "", None, f"{practice.service(practice.nominal()).kind}, distinct pre-signed requests"),
    ]  # fmt: skip
    if spyne:
        what = "÷ spyne with its lxml validator, which verifies and signs nothing"
        beside = f"{1 / median(rounds, 'spyne'):,.0f} requests/s"
        rows.append(Row(GROUP, what, ratio(rounds, "spyne", "sandbox"), "×", beside, at_least(3)))
    else:
        rows.append(Row(GROUP, "÷ spyne with its lxml validator", None, "×", "", at_least(3), "spyne is not installed"))
    if npm:
        what = "÷ npm soap, which checks, verifies and signs nothing"
        beside = f"{1 / median(rounds, 'npm'):,.0f} requests/s"
        rows.append(Row(GROUP, what, ratio(rounds, "npm", "sandbox"), "×", beside))
    else:
        rows.append(Row(GROUP, "÷ npm soap", None, "×", note="node or its package soap is not installed"))
    return rows


def _spyne(stack: ExitStack, practice: Practice) -> str:
    """Start the spyne service; return its address, "" when spyne is not there."""
    if importlib.util.find_spec("spyne") is None:
        return ""
    return _started(stack, [sys.executable, "-m", "bench.spyne_service", *_tls(practice)], HOME.parent) + "/"


def _questions(hand: HandMade) -> list[bytes]:
    """Return what the spyne service is asked: the same signed messages, whose body holds its own question."""
    from bench.spyne_service import QUESTION

    found = []
    for number in range(REQUESTS):
        root = etree.fromstring(hand.body())
        body = Envelope.of(root).body
        del body[:]
        body.append(etree.fromstring(QUESTION.format(number=number)))
        found.append(serialize(root))
    return found


def _npm(stack: ExitStack, practice: Practice) -> str:
    """Start the service of npm's soap, found from the current folder; return its address, "" when it is not there."""
    node = shutil.which("node")
    found = node and subprocess.run([node, "-e", "require.resolve('soap')"], capture_output=True, check=False)
    if not node or not found or found.returncode:
        return ""
    wsdl = practice.norm.root / practice.service(practice.nominal()).wsdl
    return _started(stack, [node, str(HOME / "soap_server.js"), str(wsdl), *_tls(practice)], Path.cwd()) + "/soap"


def _tls(practice: Practice) -> list[str]:
    certificate, key = practice.pki.amc_identities()["tls"]
    return [str(certificate), str(key), str(practice.pki.authority)]


def _started(stack: ExitStack, command: list[str], folder: Path) -> str:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder)
    stack.callback(process.communicate)
    assert process.stdout is not None
    return f"https://localhost:{int(process.stdout.readline())}"
