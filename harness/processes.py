"""Programs that the laboratory starts, and ends with everything that they started in their turn.

The one place of the harness where POSIX and Windows differ: a session of its own and a signal to its group on the one,
`taskkill /T` on the other. A program that leaves its group on purpose (a daemon) is out of reach on both.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

_END_SECONDS: Final = 5.0


def words_of(command: str) -> list[str]:
    """Return the words of a command as the system will see them; raises ValueError for a quotation mark left open."""
    if sys.platform == "win32":
        return [word.strip('"') for word in shlex.split(command, posix=False)]
    return shlex.split(command)


def start(command: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start `command` in `folder`, its three streams unbuffered pipes; raises OSError, or ValueError as `words_of`."""
    words: str | list[str] = command if sys.platform == "win32" else words_of(command)
    return subprocess.Popen(
        words,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program that `start` started, and its children; one that has ended already may have left some."""
    if sys.platform == "win32":
        words = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        try:
            subprocess.run(words, capture_output=True, timeout=_END_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            process.kill()
    else:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
