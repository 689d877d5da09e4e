"""Talking to a program by lines: what it says is heard within limits of time and bytes, what it complains is kept.

Nothing that the program does holds the laboratory up: it may hang, die, flood either stream, leave its input unread,
or leave children behind that keep its streams open.
"""

from __future__ import annotations

import codecs
import queue
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from subprocess import TimeoutExpired
from typing import IO, Final, Literal

from harness import processes
from harness.masking import masked, masked_in_full
from norms.i18n import tr

LINE_BYTES: Final = 65_536
"""A driver says little: a longer line is a flood."""
LINES: Final = 8
"""Lines that nobody has asked for yet; more of them are a flood."""
COMPLAINT: Final = 2_000
"""Characters kept of the end of what a program writes on its standard error."""

_CHUNK: Final = 65_536
_GLANCE: Final = 0.2
"""Seconds between two looks at whether the program still runs, its output being held open by somebody else."""
_FAREWELL: Final = 0.5

Heard = tuple[Literal["line", "flood", "end", "nothing"], bytes]
"""What came: a line without its line end; too much; the end of the output; nothing in time."""


class Conversation:
    """A running program. secrets: values that what is kept of its complaints must not show."""

    def __init__(self, command: str, folder: Path, secrets: Iterable[str] = ()) -> None:
        """Start it; raises OSError, or ValueError for a command that cannot be split into words."""
        self._secrets = tuple(secrets)
        self._process = processes.start(command, folder)
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self._complained = b""
        assert self._process.stdin and self._process.stdout and self._process.stderr, "pipes were asked for"
        self._input = self._process.stdin
        self._hearing = _thread(self._hear, self._process.stdout)
        self._listening = _thread(self._listen, self._process.stderr)

    @property
    def running(self) -> bool:
        """Whether the program has not ended."""
        return self._process.poll() is None

    def say(self, line: bytes, *, last: bool) -> None:
        """Send a line, and close the program's input after the last one; one that does not read is no obstacle."""
        _thread(self._write, line + b"\n", last)

    def hear(self, seconds: float) -> Heard:
        """Return what comes within `seconds`. A program that has ended says nothing more, whoever holds its output."""
        deadline = time.monotonic() + seconds
        ended = False
        while True:
            left = deadline - time.monotonic()
            try:
                return self._heard.get(timeout=max(0.0, min(left, _GLANCE)))
            except queue.Empty:
                if ended:
                    return ("end", b"")
                if left <= 0:
                    return ("nothing", b"")
                ended = not self.running

    def pending(self) -> Heard | None:
        """Return what has come already, None when nothing has."""
        try:
            return self._heard.get_nowait()
        except queue.Empty:
            return None

    def farewell(self, seconds: float) -> None:
        """Let the program end by itself: its input is closed, and it is given that time."""
        self._hush(self._input)
        try:
            self._process.wait(seconds)
        except TimeoutExpired:
            return

    def end(self) -> None:
        """End the program and its children."""
        processes.end(self._process)
        self._hush(self._input)
        for thread in (self._hearing, self._listening):
            thread.join(_FAREWELL)

    def ending(self) -> str:
        """Return how the program ended, for people; "" while it runs."""
        try:
            code = self._process.wait(_FAREWELL)
        except TimeoutExpired:
            return ""
        return tr("code de sortie {code}", code=code)

    def complaint(self) -> str:
        """Return the last line of its standard error, and then its end, masked; "" when nothing was written."""
        self._listening.join(0 if self.running else _FAREWELL)
        text = self._complained.decode("utf-8", "replace").strip()
        if not text:
            return ""
        # Masked before it is cut, so that no cut undoes a mask.
        whole = masked_in_full(text, self._secrets)[-COMPLAINT:]
        last = masked(text.splitlines()[-1].strip(), self._secrets)
        return f"« {last} »" if last == whole else f"« {last} » – … {whole}"

    def _write(self, line: bytes, last: bool) -> None:
        try:
            while line:
                line = line[self._input.write(line) :]
        except (OSError, ValueError):
            return  # a program that ended, or was ended, without reading may still have said something
        if last:
            self._hush(self._input)

    def _hear(self, output: IO[bytes]) -> None:
        """Cut the output into lines until it ends or is too much: then no more of it is read."""
        rest, mark = b"", codecs.BOM_UTF8  # which many programs on Windows write in front of their first line
        with output:
            while chunk := _read(output):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    self._heard.put(("line", line.removeprefix(mark)))
                    mark = b""
                if self._heard.qsize() > LINES or max(map(len, (*lines, rest))) > LINE_BYTES:
                    self._heard.put(("flood", b""))
                    return
        if rest.strip():
            self._heard.put(("line", rest.removeprefix(mark)))
        self._heard.put(("end", b""))

    def _listen(self, complaints: IO[bytes]) -> None:
        with complaints:
            while chunk := _read(complaints):
                self._complained = (self._complained + chunk)[-4 * COMPLAINT :]

    @staticmethod
    def _hush(pipe: IO[bytes]) -> None:
        try:
            pipe.close()
        except OSError:
            return


def _thread(work: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True, name="driver")
    thread.start()
    return thread


def _read(pipe: IO[bytes]) -> bytes:
    try:
        return pipe.read(_CHUNK)
    except (OSError, ValueError):
        return b""
