"""How long a start takes: the command line over a bare interpreter, and a norm from nothing and from its cache."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.measuring import Row, at_most, interleaved, median
from norms.model import Norm

GROUP = "start"
STARTS = 15
LOADS = 3

_LOADING = """
import sys, time
import norms.check, norms.loader
start = time.perf_counter()
norm = norms.loader.load(sys.argv[1])
loaded = time.perf_counter()
norms.check.checker_for(norm)
print(loaded - start, time.perf_counter() - loaded)
"""


def measure(norm: Norm) -> list[Row]:
    home = Path(__file__).resolve().parent.parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(home), *filter(None, sys.path)])}

    def started(*arguments: str) -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
        return time.perf_counter() - begin

    starts = interleaved(
        {"help": lambda: started("-m", "poincon", "--help"), "bare": lambda: started("-c", "pass")}, STARTS
    )
    cold: list[float] = []
    warm: list[float] = []
    compiled: list[float] = []
    for _ in range(LOADS):
        with tempfile.TemporaryDirectory(prefix="poincon-bench-") as cache:
            for figures in (cold, warm):
                done = subprocess.run(
                    [sys.executable, "-c", _LOADING, norm.ref],
                    check=True,
                    capture_output=True,
                    env={**environment, "POINCON_CACHE": cache},
                )
                load, check = map(float, done.stdout.split())
                figures.append(load)
                compiled.append(check)
    checker = sorted(compiled)[len(compiled) // 2]
    return [
        Row(GROUP, "poincon --help over a bare interpreter", (median(starts, "help") - median(starts, "bare")) * 1000,
            "ms", f"{median(starts, 'bare') * 1000:.0f} ms bare", at_most(100), f"median of {STARTS}"),
        Row(GROUP, "a norm compiles, cold (with schemas and rules)", (sorted(cold)[LOADS // 2] + checker) * 1000,
            "ms", "", at_most(1000), f"{norm.ref}; second opinions excluded"),
        Row(GROUP, "a norm from its cache", sorted(warm)[LOADS // 2] * 1000, "ms",
            f"{checker * 1000:.0f} ms more for schemas and rules, which libxml2 cannot keep", at_most(50)),
    ]  # fmt: skip
