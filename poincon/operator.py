"""A person who makes the product act: told what to do, shown what arrives, asked what the screen showed.

He may have the card repeated, skip a case (it is then not run, never a pass) and stop (the run can be resumed).
"""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from harness.driver import OPERATOR_SECONDS, Outcome, Stimulus
from harness.events import CaseFinished, CaseStarted, Event, ExchangeRecorded, RunStarted
from harness.masking import masked
from harness.record import Told
from norms.i18n import tr
from poincon.stimulus_card import Cards
from reports.wording import verdict_word

_PROMPT: Final = "> "
_JUDGING_SECONDS: Final = 10.0
"""How long a card waits for the verdict of the case before it."""
_ENDINGS: Final[dict[str, Literal["accepted", "refused", "stopped"]]] = {
    "a": "accepted",
    "r": "refused",
    "s": "stopped",
}


class Stopped(KeyboardInterrupt):
    """The operator stops. Like an interruption: what was acknowledged is kept, the case under way is run again."""


class _Late(Exception):  # noqa: N818 - a state of a dialogue, not a fault
    """Nobody has answered in time."""


class Operator:
    """Carries out stimuli through a person, and listens to the run. One case at a time.

    read: returns the next line, "" at the end of the input; write: shows a text; seconds: what a stimulus may take.
    """

    def __init__(
        self,
        cards: Cards,
        read: Callable[[], str],
        write: Callable[[str], None],
        seconds: float = OPERATOR_SECONDS,
    ) -> None:
        self._cards, self._write, self._seconds = cards, write, seconds
        self._keyboard = _Keyboard(read)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._judged = threading.Condition()
        self._waiting: set[str] = set()
        self._number, self._total, self._arrived = 0, 0, 0
        self._case = ""
        self._endpoints: dict[str, str] = {}
        self.folder = Path()

    def act(self, stimulus: Stimulus) -> Outcome:
        """Show what to do and return what the person says of it."""
        self._case = stimulus.case
        self._arrived = 0
        with self._judged:
            self._judged.wait_for(lambda: not self._waiting - {stimulus.case}, _JUDGING_SECONDS)
        if self._stopped.is_set():
            return _skipped(tr("interrompu par l'opérateur"))
        deadline = time.monotonic() + self._seconds
        try:
            return self._dialogue(stimulus, deadline)
        except _Late:
            minutes = round(self._seconds / 60)
            self._say("", tr("Rien n'a été dit en {minutes} minutes : le cas est abandonné.", minutes=minutes))
            return Outcome("failed", tr("l'opérateur n'a rien dit en {minutes} minutes", minutes=minutes))
        except Stopped:
            self._stopped.set()
            return _skipped(tr("interrompu par l'opérateur"))
        finally:
            self._case = ""

    def arrived(self, case: str, kind: str, at: str, trouble: str) -> None:
        """Show that a request has arrived."""
        hour = datetime.fromisoformat(at).astimezone().strftime("%H:%M:%S")
        if kind:
            line = tr("{kind} reçu à {hour}", kind=kind, hour=hour)
        else:
            line = tr("un message que la norme ne connaît pas, reçu à {hour}", hour=hour)
        self._arrived += 1
        self._say(f"\r  ◂ {line}" + (f" ({masked(trouble)})" if trouble else ""))
        if case == self._case:
            self._show(_PROMPT)

    def close(self) -> None:
        """Nothing runs between two stimuli."""

    def __call__(self, event: Event) -> None:
        """Follow the run; raises Stopped once the person has stopped."""
        if isinstance(event, RunStarted):
            self._begin(event)
        elif isinstance(event, CaseStarted):
            self._number += 1
            self._waiting.add(event.case)
        elif isinstance(event, ExchangeRecorded) and self._stopped.is_set():
            raise Stopped
        elif isinstance(event, CaseFinished):
            self._finish(event)

    def stop(self) -> None:
        """Have the dialogue end, from wherever it is; a second time, interrupt."""
        if self._stopped.is_set():
            raise KeyboardInterrupt
        self._stopped.set()
        self._keyboard.hang_up()

    def _begin(self, event: RunStarted) -> None:
        self._total, self.folder = event.cases, event.folder
        lines = [tr("{norm} : {cases} cas à faire, un par un.", norm=event.norm, cases=event.cases)]
        if event.kept:
            lines.append(tr("{kept} cas déjà faits sont gardés.", kept=event.kept))
        lines.append(tr("Chaque fiche dit quoi faire dans votre logiciel. Ce qui arrive s'affiche ici."))
        self._say(*lines, *_help(), "")

    def _finish(self, event: CaseFinished) -> None:
        verdict = event.verdict
        with self._judged:
            known = verdict.id in self._waiting
            self._waiting.discard(verdict.id)
            self._judged.notify_all()
        if not known:
            return  # outside the selection: nobody has worked on it
        self._say(
            f"  = {verdict.id} : {verdict_word(verdict.verdict)}{f' ({verdict.reason})' if verdict.reason else ''}"
        )
        for finding in verdict.findings:
            if finding.verdict != "remark":
                self._say(
                    "    " + tr("attendu {wanted}, constaté {found}", wanted=finding.expected, found=finding.actual)
                )

    def _dialogue(self, stimulus: Stimulus, deadline: float) -> Outcome:
        self._card(stimulus)
        sure = False
        while True:
            key = self._ask(tr("Entrée : c'est fait · e : dire ce que montre l'écran · ? : aide"), deadline).lower()
            if key == "q":
                raise Stopped
            if key == "p":
                why = self._ask(tr("Pourquoi passer ce cas ? (Entrée : sans raison)"), deadline)
                return _skipped(tr("passé par l'opérateur : {why}", why=masked(why)) if why else "")
            if key == "i":
                self._card(stimulus)
            elif key == "d":
                self._say(*self._cards.addresses(stimulus), *self._cards.others(stimulus))
            elif key == "?":
                self._say(*_help())
            elif key not in ("", "e"):
                self._say(tr("« {key} » n'est pas une des touches.", key=masked(key)), *_help())
            elif not (self._arrived or sure) and self._cards.awaits(stimulus):
                # An Enter too many must not declare done what nobody has begun.
                self._say(tr("Rien n'est encore arrivé. Si votre logiciel a vraiment fini, dites-le une seconde fois."))
                sure = True
            else:
                told = self._screen(deadline) if key == "e" or self._cards.asks(stimulus) else Told()
                return Outcome("completed", told.shown, told)

    def _card(self, stimulus: Stimulus) -> None:
        lines = list(self._cards.card(stimulus, self._number, self._total))
        if stimulus.endpoints != self._endpoints:
            lines += self._cards.addresses(stimulus)
            self._endpoints = dict(stimulus.endpoints)
        self._say("", *lines)

    def _screen(self, deadline: float) -> Told:
        """Ask how it ended, what is shown, and the amounts; each may be left unsaid."""
        question = tr(
            "Comment cela finit-il à l'écran ? a : accepté · r : refusé · s : le logiciel s'arrête · p : je passe"
        )
        while (key := self._ask(question, deadline).lower()) not in (*_ENDINGS, "p"):
            self._say(tr("« {key} » n'est pas une des touches.", key=masked(key)))
        shown = self._ask(tr("Message affiché, tel quel (Entrée : aucun)"), deadline)
        amounts = _amounts(self._ask(tr("Montants affichés, « nom=valeur nom=valeur » (Entrée : aucun)"), deadline))
        return Told(_ENDINGS.get(key, ""), shown, amounts)

    def _ask(self, question: str, deadline: float) -> str:
        self._say(question)
        self._show(_PROMPT)
        line = self._keyboard.line(deadline - time.monotonic())
        if line is None or self._stopped.is_set():
            raise Stopped
        return line.strip()

    def _say(self, *lines: str) -> None:
        self._show("".join(f"{line}\n" for line in lines))

    def _show(self, text: str) -> None:
        with self._lock:
            self._write(text)


class _Keyboard:
    """Lines that are asked for, read on a thread of their own so that nobody who asks waits beyond his time."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._wanted = threading.Semaphore(0)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reading = False
        self._gone = False
        threading.Thread(target=self._work, daemon=True, name="operator").start()

    def line(self, seconds: float) -> str | None:
        """Return the next line, None at the end of the input; raises _Late."""
        if self._gone:
            return None
        while not self._lines.empty():  # said when nobody asked any more
            self._lines.get()
            self._reading = False
        if not self._reading:
            self._reading = True
            self._wanted.release()
        try:
            line = self._lines.get(timeout=max(0.0, seconds))
        except queue.Empty:
            raise _Late from None
        self._reading = False
        self._gone = line is None
        return line

    def hang_up(self) -> None:
        """Have whoever waits for a line get none."""
        self._gone = True
        self._lines.put(None)

    def _work(self) -> None:
        while self._wanted.acquire():
            try:
                line = self._read()
            except (OSError, ValueError):
                line = ""
            self._lines.put(line or None)
            if not line:
                return


def _skipped(why: str) -> Outcome:
    return Outcome("failed", why or tr("passé par l'opérateur"), skipped=True)


def _help() -> Iterable[str]:
    keys = {
        tr("Entrée"): tr("c'est fait : votre logiciel a fini d'agir"),
        "e": tr("c'est fait, et je dis ce que montre l'écran"),
        "i": tr("répéter la consigne"),
        "d": tr("toutes les données et les adresses"),
        "p": tr("passer ce cas : il ne compte pas"),
        "q": tr("arrêter ; on reprendra plus tard"),
    }
    width = max(map(len, keys))
    return [f"  {key.ljust(width)}  {what}" for key, what in keys.items()]


def _amounts(text: str) -> dict[str, str]:
    pairs = (word.split("=", 1) for word in text.replace(";", " ").split() if "=" in word)
    return {name: value.replace(",", ".") for name, value in pairs if name}


def terminal_lines() -> Callable[[], str]:
    """Return a reader of the terminal's lines, "" at its end.

    Unbuffered: a thread that waits inside a buffer could not be left behind when the program ends.
    """
    terminal = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - standard input, for as long as we run

    def line() -> str:
        return terminal.read(4096).decode("utf-8", "replace")

    return line


@contextmanager
def stopping(operator: Operator) -> Iterator[None]:
    """Have an interruption (Ctrl-C) stop the operator's run where it can be resumed."""
    before = signal.signal(signal.SIGINT, lambda *_: operator.stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
