"""Making a product of role client act: a program that reads a stimulus as JSON and says when it is done.

One-shot: the program is started for each stimulus, gets one JSON line on its standard input, and prints one JSON line
`{"outcome": …, "message": "…", "amounts": {…}}`; outcome: accepted, refused, stopped, completed (done, nothing said of
the end), failed. Persistent: it is started once, a line in, a line out. A program that hangs, dies, floods or talks
nonsense has failed; it never stops the laboratory. Source: docs/formats/run.md.
"""

from __future__ import annotations

import os
import queue
import shlex
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Literal, Protocol

import msgspec

from harness.record import Told
from scenarios import declaration

FORMAT: Final = "poincon/stimulus/1"
LINE_BYTES: Final = 65_536
"""A driver says little: a longer line is a flood."""

Report = Literal["completed", "failed"]
"""Whether the stimulus was carried out; how it ended for the user is another matter (`Told`)."""


class Stimulus(msgspec.Struct, frozen=True):
    """What the product must do. text: for people; data: for programs; endpoints: message kind -> address to call."""

    format: str
    case: str
    step: int
    text: str
    data: dict[str, str]
    endpoints: dict[str, str]


class Said(msgspec.Struct, frozen=True):
    """The answer of a driver. message: what the user sees, or why it failed; amounts: values that the product shows."""

    outcome: Literal["accepted", "refused", "stopped", "completed", "failed"]
    message: str = ""
    amounts: dict[str, str] = {}

    def outcome_of_it(self) -> Outcome:
        """Return what it means for the run."""
        if self.outcome == "failed":
            return Outcome("failed", self.message)
        ended: Literal["", "accepted", "refused", "stopped"] = "" if self.outcome == "completed" else self.outcome
        return Outcome("completed", self.message, Told(ended, self.message, self.amounts))


@dataclass(frozen=True)
class Outcome:
    """How a stimulus went. message: what the driver said, or what was wrong; told: what it says of the product."""

    report: Report
    message: str = ""
    told: Told = field(default_factory=Told)


class Actor(Protocol):
    """Whoever makes the product act: a program or, through a front end, a person."""

    def act(self, stimulus: Stimulus) -> Outcome:
        """Have the stimulus carried out; returns when it is done or has failed."""
        ...

    def close(self) -> None:
        """Stop whatever still runs."""
        ...


class OneShot:
    """Starts the program for each stimulus."""

    def __init__(self, driver: declaration.Driver, folder: Path) -> None:
        self._driver, self._folder = driver, folder

    def act(self, stimulus: Stimulus) -> Outcome:
        """Run the program once."""
        conversation = _start(self._driver, self._folder)
        if isinstance(conversation, Outcome):
            return conversation
        try:
            return conversation.ask(stimulus, self._driver.timeout, last=True)
        finally:
            conversation.kill()

    def close(self) -> None:
        """Nothing runs between two stimuli."""


class Persistent:
    """Keeps one program for the run; one that failed to answer is replaced for the next stimulus."""

    def __init__(self, driver: declaration.Driver, folder: Path) -> None:
        self._driver, self._folder = driver, folder
        self._conversation: _Conversation | None = None
        self._lock = threading.Lock()

    def act(self, stimulus: Stimulus) -> Outcome:
        """Ask the running program; one stimulus at a time."""
        with self._lock:
            if self._conversation is None:
                started = _start(self._driver, self._folder)
                if isinstance(started, Outcome):
                    return started
                self._conversation = started
            outcome = self._conversation.ask(stimulus, self._driver.timeout, last=False)
            if self._conversation.spoilt:
                self._stop()
            return outcome

    def close(self) -> None:
        """Stop the program."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        if self._conversation is not None:
            self._conversation.kill()
            self._conversation = None


def actor_of(driver: declaration.Driver, folder: Path) -> Actor:
    """Return who carries out stimuli. folder: where the command is run."""
    return Persistent(driver, folder) if driver.mode == "persistent" else OneShot(driver, folder)


class _Conversation:
    """A running program. spoilt: it can no longer be talked to."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self._process, self._stdin, self._stdout = process, stdin, stdout
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.spoilt = False
        threading.Thread(target=self._read, daemon=True, name="driver").start()

    def ask(self, stimulus: Stimulus, seconds: float, *, last: bool) -> Outcome:
        """Send a stimulus and return what the program says within `seconds`."""
        try:
            self._stdin.write(msgspec.json.encode(stimulus) + b"\n")
            self._stdin.flush()
            if last:
                self._stdin.close()
        except OSError:
            # A program that ends without reading may still have said something.
            self.spoilt = True
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            return self._failed(f"the driver said nothing within {seconds:g} s")
        if not line.endswith(b"\n") and len(line) >= LINE_BYTES:
            return self._failed(f"the driver printed more than {LINE_BYTES} bytes in one line")
        if not line.strip():
            return self._failed("the driver ended without a word")
        try:
            said = msgspec.json.decode(line, type=Said)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return self._failed(f"the driver's line is not the JSON expected: {error}")
        return said.outcome_of_it()

    def kill(self) -> None:
        """End the program and free its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._stdin, self._stdout):
            try:
                pipe.close()
            except OSError:
                self.spoilt = True

    def _failed(self, message: str) -> Outcome:
        self.spoilt = True
        return Outcome("failed", message)

    def _read(self) -> None:
        """Put the first bytes of each line where `ask` waits; what a program prints without being asked is lost."""
        try:
            while line := self._stdout.readline(LINE_BYTES):
                if self._lines.qsize() < 2:
                    self._lines.put(line)
        except (OSError, ValueError):
            self.spoilt = True
        self._lines.put(b"")


def _start(driver: declaration.Driver, folder: Path) -> _Conversation | Outcome:
    words: str | list[str] = driver.command if os.name == "nt" else shlex.split(driver.command)
    try:
        process = subprocess.Popen(
            words, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except (OSError, ValueError) as error:
        return Outcome("failed", f"the driver does not start: {error}")
    if process.stdin is None or process.stdout is None:
        raise AssertionError("pipes were asked for")
    return _Conversation(process, process.stdin, process.stdout)
