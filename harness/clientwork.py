"""Runs one case against a product that is a client: stimulus, what arrives, what is answered, and silences.

A step that awaits a message is recorded as one exchange per request that arrived, or as one "silent" exchange. A quiet
step always ends with a "silent" exchange that spans its whole time; requests that arrived meanwhile stand before it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from harness.casework import CaseRun, Recorder, text_of
from harness.client_port import utc_now
from harness.decoders import decoder_of
from harness.deposits import FolderWatch
from harness.driver import FORMAT, OPERATOR_SECONDS, Actor, Follower, Outcome, Stimulus, actor_of
from harness.errors import CannotRun
from harness.identities import FLOW, Lent, server_use, untrusted_use
from harness.record import Exchange, TlsFacts, Told
from harness.replies import Replies
from harness.server_port import ServerPort
from harness.session import Arrival, Session, new_token
from norms import behaviour
from norms.dynamic import names, resolve
from norms.errors import PoinconError
from norms.filling import Clock
from norms.functions import xpath
from norms.i18n import tr
from norms.identify import Heard
from norms.model import Norm
from norms.wire.listener import ServerTls
from norms.wire.secure import Signers
from scenarios.bindings import ADDRESS, UNTRUSTED, bind
from scenarios.declaration import Declaration
from scenarios.model import Case, Step

Peers = Callable[[str, bytes], None]


class ClientCases:
    """Runs the cases of role client. operator: carries out stimuli when the declaration names no driver.

    With `session: case` each case has an address of its own, so that several can run at once; with `session: run` all
    share one, which a person can write once into a product, and run one after the other.
    """

    def __init__(self, norm: Norm, declaration: Declaration, peers: Peers, operator: Actor | None = None) -> None:
        self.norm, self.declaration, self.peers = norm, declaration, peers
        whole_run = declaration.laboratory.session or ("case" if declaration.driver else "run")
        self.token = new_token() if whole_run == "run" else ""
        self._turn = threading.Lock() if self.token else None
        self.actor = operator
        self.seconds = OPERATOR_SECONDS
        if declaration.driver is not None:
            folder = Path(declaration.file).resolve().parent if declaration.file else Path()
            secrets = [declaration.ixit.values.get(value.name, "") for value in norm.extra_values if value.secret]
            self.actor = actor_of(declaration.driver, folder, filter(None, secrets))
            self.seconds = declaration.driver.timeout
        lent, untrusted = Lent(declaration), untrusted_use(declaration)
        replies = Replies(
            [behaviour.load(speaker) for speaker in norm.speakers], Signers(flow=lent.get(FLOW), others=lent)
        )
        host, _, port = declaration.laboratory.listen.rpartition(":")
        self.port = ServerPort(
            norm,
            replies,
            (host.strip("[]"), int(port)),
            _server_tls(norm, declaration, server_use(declaration)),
            _server_tls(norm, declaration, untrusted) if untrusted in lent else None,
            declaration.laboratory.public_url,
            declaration.laboratory.deposits.layout,
        )
        self._layout = declaration.laboratory.deposits.layout
        self.port.start()
        dropped = declaration.laboratory.deposits.folder
        self.watch = (
            FolderWatch(dropped, self.port.take_file, norm.security.limits.body_bytes, shared=bool(self.token))
            if dropped is not None
            else None
        )

    def run(self, case: Case, record: Recorder) -> CaseRun:
        """Run every step of `case`."""
        if self.actor is None:
            return CaseRun((), "not_run", tr("Ni pilote ni opérateur ne peut faire agir le produit (driver)."))
        if self._deposits(case) and decoder_of(self._layout) is None:
            reason = tr("Aucun décodeur « {layout} » n'est installé pour lire les dépôts.", layout=self._layout)
            return CaseRun((), "not_run", reason)
        with self._turn or nullcontext():
            return _Running(self, self.actor, case, record).run()

    def open(self, session: Session) -> dict[str, str]:
        """Let the requests of a session in; return where they go, by message kind."""
        addresses = self.port.open(session)
        if self.watch is not None:
            folder = self.watch.open(session)
            addresses |= {each.kind: folder for each in self.norm.services if each.carrier == "deposit"}
        return addresses

    def shut(self, session: Session) -> None:
        """Let nothing more into a session."""
        self.port.close(session)
        if self.watch is not None:
            self.watch.close(session)

    def _deposits(self, case: Case) -> bool:
        """Tell whether a case awaits a deposit."""
        awaited = {step.await_ for step in case.steps}
        return any(each.kind in awaited for each in self.norm.services if each.carrier == "deposit")

    def close(self) -> None:
        """Stop the server and the driver."""
        if self.watch is not None:
            self.watch.stop()
        self.port.stop()
        if self.actor is not None:
            self.actor.close()


def _server_tls(norm: Norm, declaration: Declaration, use: str) -> ServerTls:
    files = declaration.laboratory.identities.get(use)
    if files is None:
        raise CannotRun(tr("La déclaration ne donne pas l'identité avec laquelle le laboratoire sert (server)."))
    return ServerTls(
        certificate=files.certificate,
        key=files.key,
        authorities=declaration.laboratory.anchors,
        minimum=norm.security.tls.minimum,
        # A product without a certificate is let in: what it sends is judged, an aborted handshake shows nothing.
        client="optional",
        # An expired one as well: the judge says so, with the requirement.
        check_time=False,
    )


@dataclass
class _Acting:
    """A stimulus under way. ended: monotonic time at which the actor reported."""

    outcome: Outcome | None = None
    ended: float = 0.0

    @property
    def report(self) -> Literal["", "completed", "failed"]:
        return self.outcome.report if self.outcome else ""


class _Running:
    def __init__(self, house: ClientCases, actor: Actor, case: Case, record: Recorder) -> None:
        self._house, self._actor, self._case, self._record = house, actor, case, record
        self._exchanges: list[Exchange] = []
        self._numbers: dict[int, int] = {}
        self._acting = _Acting()

    def run(self) -> CaseRun:
        try:
            bindings = bind(self._case.bindings, Clock.real(), self._case.file)
        except PoinconError as error:
            return CaseRun((), "error", str(error))
        session = Session(self._case, bindings, self._keep, self._house.token or new_token(), follow=self._follow)
        session.bindings = {**bindings, **self._house.port.values(session)}
        missing = sorted(name for name in _addresses_used(self._case) if name not in session.bindings)
        if missing:
            use = untrusted_use(self._house.declaration)
            return CaseRun((), "not_run", tr("Le laboratoire n'a pas d'identité « {use} ».", use=use))
        endpoints = self._house.open(session)
        try:
            for number, step in enumerate(self._case.steps, 1):
                observed = self._step(session, number, step, endpoints)
                if (outcome := self._acting.outcome) is not None and outcome.skipped:
                    return CaseRun(tuple(self._exchanges), "not_run", outcome.message)
                if not observed:
                    break  # nothing that follows could be judged
        except PoinconError as error:
            return CaseRun(tuple(self._exchanges), "error", str(error))
        finally:
            self._house.shut(session)
            if session.overrun:
                self._add(msgspec.structs.replace(self._nothing(len(self._case.steps), utc_now()), outcome="too-large"))
        return CaseRun(tuple(self._exchanges), "error" if session.failure else "", session.failure)

    def _step(self, session: Session, number: int, step: Step, endpoints: Mapping[str, str]) -> bool:
        """Run a step; return whether what it awaits may have come."""
        session.enter(number)
        began, started = utc_now(), time.monotonic()
        actor = self._stimulate(session, number, step, endpoints) if step.stimulus is not None else None
        if step.await_:
            session.wait(
                number,
                lambda found: any(arrival.kind in (step.await_, "") for arrival in found),
                lambda: self._deadline(started),
            )
        else:
            session.wait(number, lambda _: False, lambda: started + step.quiet_seconds)
        if actor is not None:
            actor.join(max(0.0, started + self._house.seconds - time.monotonic()) + 1.0)
        arrivals = session.arrived(number)
        for arrival in arrivals:
            self._received(number, arrival, began)
        if not arrivals or not step.await_:
            self._silent(number, step, session, began)
        return not step.await_ or any(arrival.kind in (step.await_, "") for arrival in arrivals)

    def _stimulate(self, session: Session, number: int, step: Step, endpoints: Mapping[str, str]) -> threading.Thread:
        bindings, clock = session.bindings, Clock.real()

        def say(text: str) -> str:
            return resolve(text, bindings, clock.today, now=clock.now, uuid=clock.uuid, file=self._case.file)

        stimulus = Stimulus(
            format=FORMAT,
            case=self._case.id,
            step=number,
            text=say(str(step.stimulus)),
            data={**self._known(session), **{name: say(text) for name, text in step.data.items()}},
            endpoints=dict(endpoints),
        )
        acting = self._acting = _Acting()

        def act() -> None:
            acting.outcome = self._actor.act(stimulus)
            acting.ended = time.monotonic()
            session.wake()

        thread = threading.Thread(target=act, daemon=True, name=f"stimulus {self._case.id}")
        thread.start()
        return thread

    def _follow(self, arrival: Arrival) -> None:
        if isinstance(self._actor, Follower):
            self._actor.arrived(self._case.id, arrival.kind, arrival.at, arrival.trouble)

    def _known(self, session: Session) -> dict[str, str]:
        """Return the values of the case that a driver may be told: those of its person and profile, no secret."""
        secret = {value.name for value in self._house.norm.extra_values if value.secret}
        return {
            name: text
            for name, text in session.bindings.items()
            if name not in secret and not name.startswith((ADDRESS, UNTRUSTED))
        }

    def _deadline(self, started: float) -> float:
        """Return until when a message is awaited: a product that has finished acting is given the quiet time more."""
        latest = started + self._house.seconds
        if self._acting.outcome is None:
            return latest
        if self._acting.report == "failed":
            return self._acting.ended
        return min(latest, max(started, self._acting.ended) + self._house.declaration.timeouts.quiet)

    def _received(self, number: int, arrival: Arrival, began: str) -> None:
        if arrival.peer:
            self._house.peers(arrival.tls.peer, arrival.peer)
        self._add(
            msgspec.structs.replace(
                self._nothing(number, min(began, arrival.at)),
                kind=arrival.kind,
                url=arrival.url,
                received_at=arrival.at,
                outcome="received",
                detail=arrival.trouble,
                bindings=arrival.bindings,
                tls=arrival.tls,
                request=arrival.request,
                response=arrival.response,
                layout=arrival.layout,
            )
        )

    def _silent(self, number: int, step: Step, session: Session, began: str) -> None:
        outcome, hint = self._acting.outcome, session.hint if step.await_ else None
        silent = msgspec.structs.replace(
            self._nothing(number, began),
            kind=step.await_,
            detail=outcome.message if outcome else "",
            bindings=dict(session.bindings),
        )
        if hint is not None and self._acting.report != "failed":
            silent = msgspec.structs.replace(silent, outcome=hint.outcome, detail=hint.what)
        self._add(silent)

    def _nothing(self, step: int, began: str) -> Exchange:
        """Return the next exchange of a step, in which nothing arrived."""
        number = self._numbers[step] = self._numbers.get(step, 0) + 1
        return Exchange(
            id=f"{self._case.id}#{step}.{number}",
            case=self._case.id,
            step=step,
            number=number,
            purpose="step",
            kind="",
            url="",
            sent_at=began,
            received_at=utc_now(),
            outcome="silent",
            detail="",
            bindings={},
            security="",
            http="",
            tls=TlsFacts(),
            request=b"",
            response=b"",
            driver=self._acting.report,
            told=self._acting.outcome.told if self._acting.outcome else Told(),
        )

    def _add(self, exchange: Exchange) -> None:
        self._exchanges.append(exchange)
        self._record(exchange)

    def _keep(self, number: int, heard: Heard, bindings: Mapping[str, str]) -> Mapping[str, str]:
        step = self._case.steps[number - 1]
        if heard.service.kind != step.await_:
            return bindings
        found = {name: text_of(xpath(heard.norm, path)(heard.root)) for name, path in step.keep.items()}
        return {**bindings, **{name: value for name, value in found.items() if value is not None}}


def _addresses_used(case: Case) -> set[str]:
    """Return the values of the session that the scenario names."""
    texts = [text for step in case.steps for text in (*step.edits.values(), *step.insert.values())]
    texts += [value for step in case.steps for each in step.expect for value in (each.value, *each.values)]
    return {name for text in texts for name in names(text) if name.startswith((ADDRESS, UNTRUSTED))}
