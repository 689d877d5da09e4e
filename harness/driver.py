"""Making a product of role client act: a program that reads a stimulus as JSON and says when it is done.

One-shot: the program is started for each stimulus, gets one JSON line on its standard input, and prints one JSON line
`{"outcome": …, "message": "…", "amounts": {…}}`; outcome: accepted, refused, stopped, completed (done, nothing said of
the end), failed. Persistent: it is started once, a line in, a line out. A program that hangs, dies, floods, talks
nonsense or out of turn has failed; it never stops the laboratory. Source: docs/formats/run.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol, runtime_checkable

import msgspec

from harness.conversation import LINE_BYTES, LINES, Conversation, Heard
from harness.masking import masked
from harness.record import Told
from norms.i18n import speaking, tr
from scenarios import declaration

FORMAT: Final = "poincon/stimulus/1"
OPERATOR_SECONDS: Final = 1800.0
"""What a person is given for one stimulus."""
_REST_SECONDS: Final = 2.0
"""What a program is given to end by itself once it has said its line."""
_EXCERPT: Final = 100

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
    """How a stimulus went. message: what the driver said, or what was wrong; told: what it says of the product.

    skipped: the operator passes over the case; whatever was seen of it, it is not run.
    """

    report: Report
    message: str = ""
    told: Told = field(default_factory=Told)
    skipped: bool = False


class Actor(Protocol):
    """Whoever makes the product act: a program or, through a front end, a person."""

    def act(self, stimulus: Stimulus) -> Outcome:
        """Have the stimulus carried out; returns when it is done or has failed."""
        ...

    def close(self) -> None:
        """Stop whatever still runs."""
        ...


@runtime_checkable
class Follower(Protocol):
    """An actor that is told at once what arrives: a person looks on."""

    def arrived(self, case: str, kind: str, at: str, trouble: str) -> None:
        """Hear of a request. kind: "" when it is no message of the norm; at: UTC, RFC 3339; trouble: "" when none."""
        ...


class OneShot:
    """Starts the program for each stimulus."""

    def __init__(self, driver: declaration.Driver, folder: Path, secrets: Iterable[str] = ()) -> None:
        self._driver, self._folder, self._secrets = driver, folder, tuple(secrets)
        self._running: set[Conversation] = set()
        self._lock = threading.Lock()

    def act(self, stimulus: Stimulus) -> Outcome:
        """Run the program once."""
        with speaking("fr"):
            conversation = _started(self._driver, self._folder, self._secrets)
            if isinstance(conversation, Outcome):
                return conversation
            with self._lock:
                self._running.add(conversation)
            try:
                return _asked(conversation, stimulus, self._driver.timeout, last=True)
            except _Misbehaved as fault:
                return _failed(fault, conversation)
            finally:
                conversation.end()
                with self._lock:
                    self._running.discard(conversation)

    def close(self) -> None:
        """End what an interrupted run has left."""
        with self._lock:
            left = list(self._running)
        for conversation in left:
            conversation.end()


class Persistent:
    """Keeps one program for the run; one that has ended or misbehaved is replaced for the next stimulus."""

    def __init__(self, driver: declaration.Driver, folder: Path, secrets: Iterable[str] = ()) -> None:
        self._driver, self._folder, self._secrets = driver, folder, tuple(secrets)
        self._conversation: Conversation | None = None
        self._lock = threading.Lock()

    def act(self, stimulus: Stimulus) -> Outcome:
        """Ask the running program; one stimulus at a time."""
        with self._lock, speaking("fr"):
            conversation = self._ready()
            if isinstance(conversation, Outcome):
                return conversation
            try:
                _refuse_early_words(conversation)
                return _asked(conversation, stimulus, self._driver.timeout, last=False)
            except _Misbehaved as fault:
                try:
                    return _failed(fault, conversation)
                finally:
                    self._stop()

    def close(self) -> None:
        """Let the program end, and end it."""
        with self._lock:
            if self._conversation is not None:
                self._conversation.farewell(_REST_SECONDS)
            self._stop()

    def _ready(self) -> Conversation | Outcome:
        """Return the running program, a new one where it has ended since."""
        if self._conversation is not None and not self._conversation.running:
            self._stop()
        if self._conversation is None:
            started = _started(self._driver, self._folder, self._secrets)
            if isinstance(started, Outcome):
                return started
            self._conversation = started
        return self._conversation

    def _stop(self) -> None:
        if self._conversation is not None:
            self._conversation.end()
            self._conversation = None


def actor_of(driver: declaration.Driver, folder: Path, secrets: Iterable[str] = ()) -> Actor:
    """Return who carries out stimuli. folder: where the command is run; secrets: values that nobody must read."""
    return (Persistent if driver.mode == "persistent" else OneShot)(driver, folder, secrets)


class _Misbehaved(Exception):  # noqa: N818 - what a program did, said for people; not a fault of ours
    """A program did not keep to the protocol."""


def _started(driver: declaration.Driver, folder: Path, secrets: Iterable[str]) -> Conversation | Outcome:
    try:
        return Conversation(driver.command, folder, secrets)
    except (OSError, ValueError) as error:
        return Outcome("failed", tr("il ne démarre pas ({pourquoi})", pourquoi=error))


def _failed(fault: _Misbehaved, conversation: Conversation) -> Outcome:
    complaint = conversation.complaint()
    if not complaint:
        return Outcome("failed", str(fault))
    return Outcome("failed", tr("{faute} ; sa sortie d'erreur finit par {texte}", faute=fault, texte=complaint))


def _refuse_early_words(conversation: Conversation) -> None:
    """Raise _Misbehaved for what was said since the last answer: it must not be taken for the next one."""
    while (heard := conversation.pending()) is not None:
        sort, line = heard
        if sort == "flood":
            raise _Misbehaved(_flooded())
        if sort == "line" and line.strip():
            raise _Misbehaved(tr("il avait parlé avant d'être interrogé : « {texte} »", texte=_excerpt(line)))


def _asked(conversation: Conversation, stimulus: Stimulus, seconds: float, *, last: bool) -> Outcome:
    """Send a stimulus and return what the program says within `seconds`; raises _Misbehaved."""
    deadline = time.monotonic() + seconds
    conversation.say(msgspec.json.encode(stimulus), last=last)
    sort, line = _heard(conversation, deadline)
    if sort != "line":
        raise _Misbehaved(_silence(conversation, sort, seconds))
    said = _decoded(line)
    if last:
        sort, more = _heard(conversation, time.monotonic() + _REST_SECONDS)
        if sort == "flood":
            raise _Misbehaved(_flooded())
        if sort == "line":
            raise _Misbehaved(tr("il a écrit plusieurs lignes pour une consigne : « {texte} »", texte=_excerpt(more)))
    if said.outcome == "failed" and not said.message:
        return Outcome("failed", conversation.complaint() or tr("il ne dit pas pourquoi"))
    return said.outcome_of_it()


def _heard(conversation: Conversation, deadline: float) -> Heard:
    """Return the next thing that is no blank line."""
    while True:
        sort, line = conversation.hear(max(0.0, deadline - time.monotonic()))
        if sort != "line" or line.strip():
            return sort, line


def _silence(conversation: Conversation, sort: str, seconds: float) -> str:
    if sort == "flood":
        return _flooded()
    if sort == "nothing":
        return tr("aucune réponse en {secondes} s", secondes=f"{seconds:g}")
    ending = conversation.ending()
    if not ending:
        return tr("il a fermé sa sortie standard sans répondre")
    return tr("il s'est arrêté sans répondre ({fin})", fin=ending)


def _flooded() -> str:
    most = {"octets": LINE_BYTES, "lignes": LINES}
    return tr("il a écrit plus de {octets} octets sur une ligne, ou plus de {lignes} lignes", **most)


def _decoded(line: bytes) -> Said:
    try:
        return msgspec.json.decode(line.decode(), type=Said)
    except UnicodeDecodeError:
        raise _Misbehaved(tr("il n'écrit pas en UTF-8 : « {texte} »", texte=_excerpt(line))) from None
    except (msgspec.MsgspecError, RecursionError) as error:
        why, text = str(error), _excerpt(line)
        raise _Misbehaved(
            tr("il n'a pas écrit le JSON attendu ({faute}) : « {texte} »", faute=why, texte=text)
        ) from None


def _excerpt(line: bytes) -> str:
    # Masked before it is cut, so that no cut undoes a mask.
    return masked(line.decode("utf-8", "replace"))[:_EXCERPT]
