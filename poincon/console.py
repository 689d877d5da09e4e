"""What the commands print: JSON for machines, aligned tables and progress for people."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any

import msgspec


def print_json(value: Any) -> None:
    """Print one JSON document, indented, on standard output."""
    print(msgspec.json.format(msgspec.json.encode(value, enc_hook=_in_json), indent=2).decode())


def _in_json(value: object) -> str:
    """Return the text of a path; everything else that JSON does not know is a mistake of ours."""
    if isinstance(value, PurePath):
        return str(value)
    raise NotImplementedError(type(value).__name__)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print aligned columns, the last one unpadded, so that a pipe and a terminal read the same."""
    lines = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for number, line in enumerate(lines):
        cells = [cell.ljust(width) for cell, width in zip(line[:-1], widths, strict=False)]
        print("  ".join([*cells, line[-1]]).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def note(text: str) -> None:
    """Print a line for people on standard error, where it does not disturb what a machine reads."""
    print(text, file=sys.stderr, flush=True)


def wait_for_interrupt(farewell: str) -> None:
    """Wait for Ctrl-C, then say farewell; also where a shell that starts jobs in the background ignores that signal."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        # A wait without end is deaf to Ctrl-C on Windows.
        while not threading.Event().wait(1):
            pass
    except KeyboardInterrupt:
        note(farewell)
