"""The voice of the practice software: it writes a request, sends it, sends it anew, and reads the answer."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from lxml import etree

from norms.behaviour.conduct import Conduct
from norms.behaviour.expressions import Variables
from norms.filling import Clock, Target, canonical_path, filled_message, freshened
from norms.model import Norm, Service
from norms.wire.attributes import subject_of
from norms.wire.deposit import enveloped
from norms.wire.gate import signs_nothing
from norms.wire.secure import Signers, secure_request
from sandbox.belief import Answer, Reader
from sandbox.calling import Caller, Letter
from sandbox.faults import change_tree
from sandbox.plan import Plan
from sandbox.temper import Temper
from sandbox.writing import compact, indent, rename_prefixes


@dataclass(frozen=True, slots=True)
class Means:
    """What the requests of one norm are signed, sent and believed with."""

    signers: Signers
    caller: Caller
    reader: Reader


class Exchanged(NamedTuple):
    """The last request of an exchange as it left (a deposit in its envelope), what came of it, the action under way."""

    request: etree._Element
    answer: Answer
    action: str

    @property
    def variables(self) -> Variables:
        """What the expressions of a conduct may use beside the answer."""
        return {"request": self.request, "today": datetime.now(UTC).date().isoformat(), "action": self.action}


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request that left: its tree before any deviation, its secured bytes."""

    root: etree._Element
    body: bytes


class Speaker:
    """Speaks a norm and its companions. means: by reference of the norm spoken."""

    def __init__(self, norm: Norm, conduct: Conduct, means: Mapping[str, Means], plan: Plan, temper: Temper) -> None:
        self._norm, self._conduct, self._means = norm, conduct, means
        self._plan, self._temper = plan, temper
        self._earlier: etree._Element | None = None

    def exchange(self, kind: str, values: Mapping[str, str], url: str) -> Exchanged:
        """Send a request to `url`, and send it anew as often as the conduct allows; return the last exchange.

        values: what `fill` may use. Raises DataError for a value that is missing.
        """
        spoken = self._norm.speaking(kind)
        service = spoken.service(kind) if spoken is not None else None
        assert spoken is not None and service is not None  # the reader of conduct.yaml refuses other kinds
        line = _Line(spoken, service, values, url)
        times, causes = self._temper.retries(kind)
        sent = self._request(line, None)
        exchanged = self._ask(line, sent)
        for _ in range(times):
            if exchanged.answer.cause not in causes:
                break
            if not self._temper.has("retry-unchanged", kind):
                sent = self._request(line, sent.root)
            exchanged = self._ask(line, sent)
        if self._temper.has("repeat-request", kind):
            self._ask(line, self._request(line, None))
        return exchanged

    def _request(self, line: _Line, again: etree._Element | None) -> _Sent:
        """Return a request. again: the tree of the one to be sent anew, under new identifiers and times."""
        clock, norm, kind = Clock.real(), line.norm, line.service.kind
        root = freshened(norm, again, clock) if again is not None else None
        if root is None:
            path = self._conduct.messages.get(kind) or canonical_path(norm, kind)
            root = filled_message(norm, path, line.values, clock)
            for node in [node for place in self._conduct.optional.get(kind, ()) for node in place.elements(root, {})]:
                if len(node) or not (node.text or "").strip():
                    Target(node).delete()
        plain = copy.deepcopy(root)
        for change in self._plan.changes("tree", kind, "answer", root):
            change_tree(root, change, norm, None)
        for change in self._plan.changes("writing", kind, "answer", root):
            if change.operator.name == "rename-prefixes":
                root = rename_prefixes(root)
            elif change.operator.name == "indent":
                indent(root)
            elif change.operator.name == "compact":
                compact(root)
        return _Sent(plain, self._secured(line, root, clock))

    def _secured(self, line: _Line, root: etree._Element, clock: Clock) -> bytes:
        norm, service = line.norm, line.service
        now, deviation, signers = clock.now, "", self._means[norm.ref].signers
        if service.carrier == "deposit" or signs_nothing(norm.security.request):
            return secure_request(root, norm, service, signers, None, line.url, now)
        for change in self._plan.changes("time", service.kind, "answer", root):
            if change.operator.name == "stale":
                now -= timedelta(seconds=float(change.parameters["seconds"]))
        for change in self._plan.changes("security", service.kind, "answer", root):
            if change.operator.name == "security":
                deviation = change.parameters["deviation"]
            else:
                signers = replace(signers, flow=signers.others[change.parameters["identity"]])
        subject = subject_of(norm, line.values, clock.today)
        earlier = self._earlier if self._earlier is not None else root
        body = secure_request(root, norm, service, signers, subject, line.url, now, deviation, replay_of=earlier)
        self._earlier = etree.fromstring(body)
        return body

    def _ask(self, line: _Line, sent: _Sent) -> Exchanged:
        kind = line.service.kind
        root = enveloped(etree.fromstring(sent.body))
        delay = sum(
            float(change.parameters["seconds"])
            for change in self._plan.changes("time", kind, "answer", root)
            if change.operator.name == "delay"
        )
        chunks = [
            int(change.parameters["bytes"])
            for change in self._plan.changes("writing", kind, "answer", root)
            if change.operator.name == "chunked"
        ]
        letter = Letter(line.url, line.service, sent.body, delay, chunks[0] if chunks else 0)
        means = self._means[line.norm.ref]
        reply = means.caller.post(letter, self._temper.waits(kind))
        checks, tolerated = self._temper.checks(kind), self._temper.tolerated(kind)
        answer = means.reader.read(reply, line.service, root, checks, datetime.now(UTC), tolerated)
        return Exchanged(root, answer, line.values.get("action", ""))


@dataclass(frozen=True, slots=True)
class _Line:
    """Whom a request goes to, and what it is made of."""

    norm: Norm
    service: Service
    values: Mapping[str, str]
    url: str
