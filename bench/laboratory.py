"""The harness: the cost of a case over the bare signed exchange, exchanges per second, and growth."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from lxml import etree

from bench.measuring import Row, at_least, at_most, interleaved, median, ratio
from bench.signing import HandMade, Practice
from harness.run import RunOptions, run
from norms.functions import text_of, xpath
from norms.loader import load
from norms.model import Norm
from sandbox.pki import TestPki
from scenarios.model import Case, Suite

GROUP = "harness"
ROUNDS = 5
CASES = 200
STEPS = 10
"""Exchanges of one case when growth is measured: what grows is the record, not the suite."""
JOBS = 2


def measure(practice: Practice, folder: Path) -> list[Row]:
    """Wall clock, the sandbox in another process; each round repeats a nominal case by the harness and by hand."""
    number = iter(range(1_000_000))
    repeated = repeat(practice.suite, practice.nominal(), CASES)
    with Bare(practice) as bare:

        def ours(suite: Suite, jobs: int) -> float:
            return conducted(practice, suite, folder / f"run-{next(number)}", jobs)

        rounds = interleaved(
            {
                "harness": lambda: ours(repeated, 1) / CASES,
                "bare": lambda: bare.exchanges(CASES) / CASES,
                "parallel": lambda: ours(repeated, JOBS) / CASES,
            },
            ROUNDS,
        )
    whole = conducted(practice, practice.suite, folder / "suite", JOBS)
    exchanges = _exchanges(folder / "suite")
    return [
        Row(GROUP, "a case (engine, judge, evidence) ÷ the bare signed exchange", ratio(rounds, "harness", "bare"), "×",
            f"{median(rounds, 'bare') * 1000:.1f} ms by hand: built, signed, sent, answer parsed", at_most(1.5),
            f"{median(rounds, 'harness') * 1000:.1f} ms by the harness, one job"),
        Row(GROUP, f"signed exchanges with the sandbox, {JOBS} jobs", 1 / median(rounds, "parallel"), "exchanges/s",
            f"{1 / median(rounds, 'harness'):,.0f} with one job", at_least(300)),
        Row(GROUP, f"the whole suite of {practice.norm.ref}, {JOBS} jobs", whole, "s", "", None,
            f"{len(practice.suite.cases)} cases, {exchanges} exchanges, {exchanges / whole:,.0f} exchanges/s"),
    ]  # fmt: skip


def growth(practice: Practice, sizes: list[int]) -> list[Row]:
    """Time and peak memory of runs of growing size, each in a process of its own."""
    figures = {size: _grown(practice, size) for size in sizes}
    first, last = sizes[0], sizes[-1]
    per_case = {size: seconds / size for size, (seconds, _) in figures.items()}
    rows = [
        Row("growth", f"{size:,} exchanges", seconds, "s", f"peak {memory:.0f} MiB" if memory else "", None,
            f"{size / seconds:,.0f} exchanges/s")
        for size, (seconds, memory) in figures.items()
    ]  # fmt: skip
    rows.append(
        Row("growth", f"time of one exchange at {last:,} ÷ at {first:,}", per_case[last] / per_case[first], "×",
            bar=at_most(1.15))
    )  # fmt: skip
    if figures[first][1]:
        rows.append(
            Row("growth", f"peak memory at {last:,} ÷ at {first:,}", figures[last][1] / figures[first][1], "×",
                bar=at_most(1.15))
        )  # fmt: skip
    return rows


def repeat(suite: Suite, case: Case, times: int, steps: int = 1) -> Suite:
    """Return the suite made of `times` copies of a case, each of which takes its one step `steps` times."""
    copies = tuple(
        msgspec.structs.replace(case, id=f"{case.id}.{number}", steps=case.steps * steps) for number in range(times)
    )
    return msgspec.structs.replace(suite, cases=copies, not_selected=())


def conducted(practice: Practice, suite: Suite, out: Path, jobs: int) -> float:
    """Run a suite and return the seconds it took; everything must pass."""
    start = time.perf_counter()
    result = run(
        RunOptions(
            declaration=practice.declaration, suite=suite, norm=practice.norm, out=out, jobs=jobs, preflight=False
        )
    )
    seconds = time.perf_counter() - start
    if result.exit_code:
        raise AssertionError(f"the sandbox must pass: {result.verdicts.counts}")
    return seconds


class Bare:
    """The signed exchange by hand: http.client on one kept connection, lxml, one XPath for the result."""

    def __init__(self, practice: Practice) -> None:
        self._hand = HandMade(practice, practice.nominal())
        self._result = xpath(practice.norm, practice.norm.reading.result)
        self._path = urlsplit(self._hand.url).path
        context = ssl.create_default_context(cafile=str(practice.pki.authority))
        context.load_cert_chain(*practice.pki.laboratory_identities()["tls"])
        place = urlsplit(self._hand.url)
        self._connection = HTTPSConnection(place.hostname or "", place.port, context=context, timeout=30)

    def __enter__(self) -> Bare:
        self._connection.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def exchanges(self, count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            self._connection.request("POST", self._path, self._hand.body(), self._hand.headers)
            answer = self._connection.getresponse()
            root = etree.fromstring(answer.read())
            if answer.status != 200 or not text_of(self._result(root)):
                raise AssertionError(f"the sandbox must answer: {answer.status}")
        return time.perf_counter() - start


def _exchanges(folder: Path) -> int:
    return (folder / "journal.jsonl").read_bytes().count(b'"event":"exchange"')


def _grown(practice: Practice, size: int) -> tuple[float, float]:
    """Return seconds and peak MiB (0.0 where the system does not tell) of a run of `size` exchanges."""
    facts = [practice.norm.ref, practice.declaration.file, str(practice.pki.folder), str(size)]
    home = Path(__file__).resolve().parent.parent
    path = os.pathsep.join([str(home), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", "bench.laboratory", *facts],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    seconds, memory = json.loads(done.stdout)
    return float(seconds), float(memory)


def _peak() -> float:
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024


def _grow(norm: Norm, file: Path, pki: Path, size: int) -> tuple[float, float]:
    practice = Practice.declared(norm, file, TestPki(pki))
    suite = repeat(practice.suite, practice.nominal(), size // STEPS, STEPS)
    with tempfile.TemporaryDirectory(prefix="poincon-bench-") as folder:
        return conducted(practice, suite, Path(folder) / "run", JOBS), _peak()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_grow(load(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))))
