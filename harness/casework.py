"""Runs one case against a product that is a server: steps in order, bindings, kept values, controls and retries.

A step that gets no complete answer is doubted before the product is: a control exchange (the nominal request of the
same service) says whether the service is there, then the step is sent once more. A step that the transport may refuse
stands between two control exchanges. Everything sent is recorded; judging is done elsewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, Protocol

import msgspec
from lxml import etree

from harness import crafting
from harness.client_port import RESPONSE_BYTES, ClientPort, WireResult
from harness.errors import CannotRun
from harness.observed import FRAMING
from harness.outgoing import Outgoing, Workshop, needs_earlier
from harness.reading import BrokenHttp, read_response
from harness.record import Exchange
from norms.errors import DataError, ParseRefusal, PoinconError
from norms.filling import Clock
from norms.functions import xpath
from norms.model import Norm
from norms.parsing import parse
from scenarios.bindings import COPY, Source, bind
from scenarios.declaration import Declaration
from scenarios.model import Case, Step

Purpose = Literal["step", "control", "retry", "preamble", "stale"]
State = Literal["", "not_run", "error"]
Recorder = Callable[[Exchange], None]
TRANSPORT_REFUSALS: Final = frozenset({"tls", "reset"})


@dataclass(frozen=True)
class CaseRun:
    """What running a case brought. state "" = judge the exchanges; else the verdict is fixed and `reason` says why."""

    exchanges: tuple[Exchange, ...]
    state: State = ""
    reason: str = ""


class CaseRunner(Protocol):
    """Runs a case of one role and hands over every exchange as it ends. Called from several threads."""

    def run(self, case: Case, record: Recorder) -> CaseRun:
        """Run `case`; never raises for what a product does."""
        ...

    def close(self) -> None:
        """Free connections and threads."""
        ...


@dataclass
class ServerCases:
    """Runs the cases of role server. peers: called with the SHA-256 and DER bytes of each server certificate seen."""

    norm: Norm
    declaration: Declaration
    port: ClientPort
    peers: Callable[[str, bytes], None]
    clock: Callable[[], Clock] = Clock.real
    _workshop: Workshop = field(init=False)
    _source: Source = field(init=False)

    def __post_init__(self) -> None:
        self._workshop = Workshop(self.norm, self.declaration)
        self._source = Source(self.norm, self.declaration)
        self.control_bindings = lru_cache(maxsize=64)(self._control_bindings)

    def run(self, case: Case, record: Recorder) -> CaseRun:
        """Run every step of `case`."""
        return _Running(self, self._workshop, case, record).run()

    def close(self) -> None:
        """Close the kept connections."""
        self.port.close()

    def _control_bindings(self, profile: str) -> Mapping[str, str]:
        """Return the values of the person that a scenario without `given` uses."""
        given = self._source.given(self.norm.default_given, profile, str(self.norm.root / "norm.yaml"), 0)
        return self._source.bindings(profile, given.entries[0])


class _Running:
    def __init__(self, house: ServerCases, workshop: Workshop, case: Case, record: Recorder) -> None:
        self._house, self._workshop, self._case, self._record = house, workshop, case, record
        self._exchanges: list[Exchange] = []
        self._numbers: dict[int, int] = {}
        self._lock = threading.Lock()
        self._earlier: bytes | None = None

    def run(self) -> CaseRun:
        try:
            bindings = bind(self._case.bindings, self._house.clock(), self._case.file)
            for number, step in enumerate(self._case.steps, 1):
                answers = self._step(number, step, bindings)
                if answers is None:
                    break
                bindings = {**bindings, **self._kept(step, answers)}
        except CannotRun as reason:
            return CaseRun(tuple(self._exchanges), "not_run", str(reason))
        except PoinconError as error:
            if isinstance(error, DataError) and self._exchanges:
                # A value that the product's own answers should have given is missing: the judge says so.
                return CaseRun(tuple(self._exchanges))
            return CaseRun(tuple(self._exchanges), "error", str(error))
        return CaseRun(tuple(self._exchanges))

    def _step(self, number: int, step: Step, bindings: Mapping[str, str]) -> list[Exchange] | None:
        """Send a step; None when the case cannot go on because nothing answers."""
        refusable = expects_transport_refusal(step)
        if refusable:
            self._control(number, step)
        if needs_earlier(step) and self._earlier is None:
            self._exchange("preamble", number, nominal(step), bindings)
        sent = self._send_all(number, step, bindings)
        failed = [exchange for exchange in sent if not is_complete(exchange)]
        if crafting.is_tls(step.http) or (refusable and failed):
            self._control(number, step)
        if not failed:
            return sent
        if any(exchange.outcome in TRANSPORT_REFUSALS for exchange in failed) and refusable:
            return sent
        control = self._control(number, step)
        again = self._exchange("retry", number, step, bindings)
        if not (is_complete(control) and is_complete(again)):
            return None
        return [exchange for exchange in sent if is_complete(exchange)] + [again]

    def _send_all(self, number: int, step: Step, bindings: Mapping[str, str]) -> list[Exchange]:
        if not step.parallel:
            return [self._exchange("step", number, step, bindings)]
        copies = [{**bindings, COPY: str(copy)} for copy in range(1, step.parallel + 1)]
        made = [self._make(step, values) for values in copies]
        together = threading.Barrier(len(made))

        def send(outgoing: Outgoing, values: Mapping[str, str]) -> Exchange:
            together.wait()
            return self._exchange("step", number, step, values, outgoing)

        with ThreadPoolExecutor(len(made), thread_name_prefix="parallel") as pool:
            return list(pool.map(send, made, copies))

    def _control(self, number: int, step: Step) -> Exchange:
        """Send the nominal request of the step's service, for the person that cases use by default."""
        bindings = bind(self._house.control_bindings(self._case.profile), self._house.clock(), self._case.file)
        plain = Step(send=step.send, line=step.line)
        return self._exchange("control", number, plain, bindings)

    def _make(self, step: Step, bindings: Mapping[str, str]) -> Outgoing:
        replay_of = etree.fromstring(self._earlier) if self._earlier and needs_earlier(step) else None
        return self._workshop.make(self._case, step, bindings, self._house.clock(), replay_of)

    def _exchange(
        self, purpose: Purpose, number: int, step: Step, bindings: Mapping[str, str], made: Outgoing | None = None
    ) -> Exchange:
        """Send a step's request (already `made`, or made here) and record what happens.

        A kept connection that closes before any answer says nothing of the product: the request is made anew, with a
        new assertion and new identifiers, and sent on a fresh connection. The first try is recorded as stale.
        """
        out = made or self._make(step, bindings)
        result = self._send(out, fresh=purpose == "retry" or expects_transport_refusal(step))
        if result.stale:
            self._note("stale", number, out, bindings, result)
            out = self._make(step, bindings)
            result = self._send(out, fresh=True)
        return self._note(purpose, number, out, bindings, result)

    def _send(self, out: Outgoing, *, fresh: bool) -> WireResult:
        return self._house.port.send(out.request, out.tls, raw=out.raw, fresh=fresh or out.fresh)

    def _note(
        self, purpose: Purpose, step: int, out: Outgoing, bindings: Mapping[str, str], result: WireResult
    ) -> Exchange:
        if result.peer:
            self._house.peers(result.tls.peer, result.peer)
        with self._lock:
            number = self._numbers[step] = self._numbers.get(step, 0) + 1
            exchange = _recorded(self._case.id, step, number, purpose, out, bindings, result)
            self._exchanges.append(exchange)
            self._record(exchange)
            if not (out.security or out.http or purpose == "control"):
                self._earlier = out.request.body
        return exchange

    def _kept(self, step: Step, answers: Sequence[Exchange]) -> dict[str, str]:
        """Return the values that the step keeps from the first answer that can be read."""
        if not step.keep:
            return {}
        for exchange in answers:
            root = _answer(self._house.norm, exchange)
            if root is not None:
                found = {name: text_of(xpath(self._house.norm, path)(root)) for name, path in step.keep.items()}
                return {name: value for name, value in found.items() if value is not None}
        return {}


def is_complete(exchange: Exchange) -> bool:
    """Tell whether a whole HTTP answer arrived: what the port saw and what the bytes say."""
    if exchange.outcome != "answered":
        return False
    try:
        read_response(exchange.response, RESPONSE_BYTES)
    except BrokenHttp as broken:
        return broken.reason != FRAMING
    return True


def nominal(step: Step) -> Step:
    """Return the step without its deviations."""
    return msgspec.structs.replace(step, security="", http="", parallel=0)


def expects_transport_refusal(step: Step) -> bool:
    """Tell whether an expectation of the step allows the transport itself to refuse."""
    return crafting.is_tls(step.http) or any(
        not TRANSPORT_REFUSALS.isdisjoint((expectation.value, *expectation.values)) for expectation in step.expect
    )


def _recorded(
    case: str, step: int, number: int, purpose: Purpose, out: Outgoing, bindings: Mapping[str, str], result: WireResult
) -> Exchange:
    return Exchange(
        id=f"{case}#{step}.{number}",
        case=case,
        step=step,
        number=number,
        purpose=purpose,
        kind=out.kind,
        url=out.request.url,
        sent_at=result.sent_at,
        received_at=result.received_at,
        outcome=result.outcome,
        detail=result.detail,
        bindings=dict(bindings),
        security=out.security,
        http=out.http,
        tls=result.tls,
        request=result.sent,
        response=result.received,
        duration_ms=result.duration_ms,
    )


def _answer(norm: Norm, exchange: Exchange) -> etree._Element | None:
    try:
        message = read_response(exchange.response, norm.security.limits.body_bytes)
        return parse(message.body, norm.security.limits, message.header("content-type"))
    except (BrokenHttp, ParseRefusal):
        return None


def text_of(found: object) -> str | None:
    """Return the text of what an XPath found (the first node of several), None when it found nothing."""
    if isinstance(found, list):
        if not found:
            return None
        found = found[0]
    return "".join(str(part) for part in found.itertext()) if isinstance(found, etree._Element) else str(found)


def total_ms(exchanges: Sequence[Exchange]) -> float:
    """Return the time that exchanges took, in milliseconds."""
    return sum(exchange.duration_ms for exchange in exchanges)
