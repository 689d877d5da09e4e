"""`python -m bench`: one table of figures, each beside an alternative measured in the same run.

Nothing asserts a time: the exit code is 0 whatever the figures are, 1 when a measure itself breaks.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bench import checking, laboratory, serving, starting
from bench.measuring import Row
from bench.sample import sample_norm
from bench.signing import Practice
from sandbox.pki import TestPki
from sandbox.serve import Specification, spawn

AREAS = ("check", "sandbox", "harness", "growth", "start")
SIZES = [1_000, 4_000]
LONG = 100_000


class Report(msgspec.Struct, frozen=True):
    format: str
    python: str
    processors: int
    load: float | None
    seconds: float
    rows: tuple[Row, ...]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--long", action="store_true", help=f"growth up to {LONG:,} exchanges")
    parser.add_argument("--norm", help="norm to measure with (default: the bundled one with the most rules)")
    parser.add_argument("--only", choices=AREAS, action="append", help="measure this area alone (may be repeated)")
    wanted = parser.parse_args(arguments)
    start, load = time.perf_counter(), _load()
    rows = measure(wanted.norm, wanted.only or AREAS, long=wanted.long)
    report = Report(
        "poincon/bench/1",
        platform.python_version(),
        os.cpu_count() or 0,
        load,
        round(time.perf_counter() - start, 1),
        tuple(rows),
    )
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n" if wanted.json else table(report))
    return 0


def measure(ref: str | None, areas: list[str] | tuple[str, ...], *, long: bool) -> list[Row]:
    norm = sample_norm(ref)
    rows = checking.measure(norm) if "check" in areas else []
    if {"sandbox", "harness", "growth"} & set(areas):
        with tempfile.TemporaryDirectory(prefix="poincon-bench-") as name:
            folder = Path(name)
            with spawn(Specification(norms=(norm.ref,), data=str(folder / "sandbox"))) as sandbox:
                practice = Practice.at(norm, sandbox.endpoints(), TestPki(Path(sandbox.addresses.pki)), folder)
                rows += serving.measure(practice) if "sandbox" in areas else []
                rows += laboratory.measure(practice, folder) if "harness" in areas else []
                rows += laboratory.growth(practice, [*SIZES, LONG] if long else SIZES) if "growth" in areas else []
    return rows + (starting.measure(norm) if "start" in areas else [])


def table(report: Report) -> str:
    lines = []
    group = ""
    for row in report.rows:
        if row.group != group:
            group = row.group
            lines.append(f"\n{group}")
        value = "–" if row.value is None else f"{row.value:,.2f}" if row.value < 100 else f"{row.value:,.0f}"
        bar = f"{'≥' if row.bar.sense == 'at least' else '≤'} {row.bar.limit:g}" if row.bar else ""
        mark = {True: "✓", False: "✗", None: " "}[row.met]
        beside = f"beside {row.beside}" if row.beside and row.bar is not None and row.unit == "×" else row.beside
        tail = " · ".join(part for part in (beside, row.note) if part)
        lines.append(f"  {row.what:<66} {value:>9} {row.unit:<12} {bar:>8} {mark}  {tail}".rstrip())
    busy = "" if report.load is None else f", load {report.load:.1f} at the start"
    lines.append(f"\nPython {report.python}, {report.processors} processors{busy}; {report.seconds:.0f} s")
    return "\n".join(lines).lstrip("\n") + "\n"


def _load() -> float | None:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


if __name__ == "__main__":
    sys.exit(main())
