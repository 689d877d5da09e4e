"""Runs one case against a product that is a client: stimulus, what arrives, what is answered, and silences.

A step that awaits a message is recorded as one exchange per request that arrived, or as one "silent" exchange. A quiet
step always ends with a "silent" exchange that spans its whole time; requests that arrived meanwhile stand before it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec
from lxml import etree

from harness.casework import CaseRun, Recorder, text_of
from harness.client_port import utc_now
from harness.driver import FORMAT, Actor, Outcome, Stimulus, actor_of
from harness.errors import CannotRun
from harness.identities import FLOW, Lent, server_use
from harness.record import Exchange, TlsFacts, Told
from harness.replies import Replies
from harness.server_port import Arrival, ServerPort, Session
from norms import behaviour
from norms.dynamic import resolve
from norms.errors import PoinconError
from norms.filling import Clock
from norms.functions import xpath
from norms.i18n import tr
from norms.model import Norm
from norms.wire.listener import ServerTls
from norms.wire.secure import Signers
from scenarios.bindings import bind
from scenarios.declaration import Declaration
from scenarios.model import Case, Step

OPERATOR_SECONDS: Final = 300.0
Peers = Callable[[str, bytes], None]


class ClientCases:
    """Runs the cases of role client. operator: carries out stimuli when the declaration names no driver."""

    def __init__(self, norm: Norm, declaration: Declaration, peers: Peers, operator: Actor | None = None) -> None:
        self.norm, self.declaration, self.peers = norm, declaration, peers
        self.actor = operator
        self.seconds = OPERATOR_SECONDS
        if declaration.driver is not None:
            folder = Path(declaration.file).resolve().parent if declaration.file else Path()
            self.actor, self.seconds = actor_of(declaration.driver, folder), declaration.driver.timeout
        lent = Lent(declaration)
        replies = Replies(behaviour.load(norm), Signers(flow=lent.get(FLOW), others=lent))
        host, _, port = declaration.laboratory.listen.rpartition(":")
        self.port = ServerPort(
            replies,
            host.strip("[]"),
            int(port),
            _server_tls(norm, declaration),
            norm.security.limits,
            declaration.laboratory.public_url,
        )
        self.port.start()

    def run(self, case: Case, record: Recorder) -> CaseRun:
        """Run every step of `case`."""
        if self.actor is None:
            return CaseRun((), "not_run", tr("Ni pilote ni opérateur ne peut faire agir le produit (driver)."))
        return _Running(self, self.actor, case, record).run()

    def close(self) -> None:
        """Stop the server and the driver."""
        self.port.stop()
        if self.actor is not None:
            self.actor.close()


def _server_tls(norm: Norm, declaration: Declaration) -> ServerTls:
    files = declaration.laboratory.identities.get(server_use(declaration))
    if files is None:
        raise CannotRun(tr("La déclaration ne donne pas l'identité avec laquelle le laboratoire sert (server)."))
    return ServerTls(
        certificate=files.certificate,
        key=files.key,
        authorities=declaration.laboratory.anchors,
        minimum=norm.security.tls.minimum,
        # A product without a certificate is let in: what it sends is judged, an aborted handshake shows nothing.
        client="optional",
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
            session = Session(self._case, bind(self._case.bindings, Clock.real(), self._case.file), self._keep)
        except PoinconError as error:
            return CaseRun((), "error", str(error))
        endpoints = self._house.port.open(session)
        try:
            for number, step in enumerate(self._case.steps, 1):
                self._step(session, number, step, endpoints)
        except PoinconError as error:
            return CaseRun(tuple(self._exchanges), "error", str(error))
        finally:
            self._house.port.close(session)
        return CaseRun(tuple(self._exchanges))

    def _step(self, session: Session, number: int, step: Step, endpoints: Mapping[str, str]) -> None:
        session.enter(number)
        began, started = utc_now(), time.monotonic()
        actor = self._stimulate(session, number, step, endpoints) if step.stimulus is not None else None
        if step.await_:
            session.wait(
                number,
                lambda found: any(arrival.kind in (step.await_, "") for arrival in found),
                lambda: self._deadline(started, stimulated=step.stimulus is not None),
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

    def _known(self, session: Session) -> dict[str, str]:
        """Return the values of the case that a driver may be told: those of its person and profile, no secret."""
        secret = {value.name for value in self._house.norm.extra_values if value.secret}
        return {name: text for name, text in session.bindings.items() if name not in secret}

    def _deadline(self, started: float, *, stimulated: bool) -> float:
        """Return until when a message is awaited: a product that has finished acting is given the quiet time more."""
        latest = started + self._house.seconds
        if stimulated and self._acting.outcome is not None:
            if self._acting.report == "failed":
                return self._acting.ended
            return min(latest, self._acting.ended + self._house.declaration.timeouts.quiet)
        return latest

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
            )
        )

    def _silent(self, number: int, step: Step, session: Session, began: str) -> None:
        outcome = self._acting.outcome
        self._add(
            msgspec.structs.replace(
                self._nothing(number, began),
                kind=step.await_,
                detail=outcome.message if outcome else "",
                bindings=dict(session.bindings),
            )
        )

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

    def _keep(self, number: int, root: etree._Element, bindings: Mapping[str, str]) -> Mapping[str, str]:
        norm = self._house.norm
        found = {name: text_of(xpath(norm, path)(root)) for name, path in self._case.steps[number - 1].keep.items()}
        return {**bindings, **{name: value for name, value in found.items() if value is not None}}
