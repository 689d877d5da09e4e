"""A practice partner: the services of one norm in one world."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from norms.behaviour import Behaviour, Circumstances, IdSource, RandomIds, State
from norms.errors import ParseRefusal, SecurityRefusal
from norms.model import Refusal, Service
from norms.wire.deposit import MEDIA_TYPE, bared, enveloped
from norms.wire.gate import signs_nothing
from norms.wire.secure import Signers, secure_response
from norms.wire.soap import serialize
from norms.wire.trust import Anchors
from sandbox.admission import Admission, Call
from sandbox.faults import change_tree
from sandbox.messages import HttpRequest, Reply
from sandbox.plan import Plan
from sandbox.writing import compact, indent, rename_prefixes

_PLAIN: Final = "text/plain; charset=utf-8"
_TYPES: Final = {"1.1": "text/xml; charset=utf-8", "1.2": "application/soap+xml; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a partner trusts and signs with."""

    anchors: Anchors
    signers: Signers


class Partner:
    """Answers requests to one norm's services in one world; has its own state and replay memory.

    base: address of the world ("https://host:port/w/name"). `handle` is synchronous and must have one caller at a
    time, so that effects on the state are whole.
    """

    def __init__(
        self, behaviour: Behaviour, credentials: Credentials, plan: Plan, base: str, ids: IdSource | None = None
    ) -> None:
        self.norm, self.plan, self.base = behaviour.norm, plan, base
        self._behaviour, self._credentials = behaviour, credentials
        self._ids: IdSource = ids or RandomIds()
        self._admission = Admission(behaviour.norm, credentials.anchors, plan)
        self._state = State()

    def services_at(self, path: str) -> tuple[Service, ...]:
        """Return the services of an address, empty when there is none."""
        return tuple(service for service in self.norm.services if service.path == path)

    def handle(self, path: str, request: HttpRequest) -> Reply:
        """Return the answer of the service at `path`, a fault when the request is refused."""
        self.plan.next_call()
        services = self.services_at(path)
        call = Call(services, request, self._ids.now(), f"{self.base}{path}")
        try:
            root, service = self._admission.admit(call)
            self._pass_gates(call, root, service)
        except (ParseRefusal, SecurityRefusal) as refusal:
            return self._refuse(call, refusal.reason, refusal.what)
        return self._answer(call, root, service)

    def _pass_gates(self, call: Call, root: etree._Element, service: Service) -> None:
        refused = self._behaviour.interpreter.gate(root, service.kind, self._state, self._circumstances(call))
        if refused is not None and not call.tolerates(refused[0]):
            raise SecurityRefusal(*refused)

    def _circumstances(self, call: Call) -> Circumstances:
        return Circumstances(call.now.astimezone().date(), self._ids, self.base)

    def _answer(self, call: Call, root: etree._Element, service: Service) -> Reply:
        overrides = self.plan.overrides(service.kind, root)
        now = self._circumstances(call)
        answer = self._behaviour.interpreter.answer(root, service, self._state, now, overrides)
        tree = self._changed(enveloped(answer.root), call, "answer")
        media = MEDIA_TYPE if call.is_deposit else _TYPES[service.soap]
        reply = Reply(200, media, self._secured(tree, call, service, "answer"))
        return self._departed(reply, call, "answer")

    def _refuse(self, call: Call, reason: str, what: str) -> Reply:
        self.plan.note_refusal()
        soap = call.services[0].soap
        planned = self.norm.security.refusals.get(reason, Refusal("Receiver", "", 500))
        refusal = self.plan.refusal(call.kind, reason, planned)
        headers = {"allow": "POST"} if refusal.http == 405 else {}
        if call.is_deposit:
            told = f"{refusal.code} : {what}" if refusal.code else what
            return self._departed(Reply(refusal.http, _PLAIN, told.encode(), headers=headers), call, "fault")
        written = (refusal.fault, refusal.code, reason, what)
        tree = self._behaviour.interpreter.fault(call.root, soap, written, self._state, self._circumstances(call))
        tree = self._changed(tree, call, "fault")
        # The HTTP binding of SOAP 1.1 (§6.2) knows one status for all faults.
        status = 500 if soap == "1.1" and refusal.http == 400 else refusal.http
        return self._departed(Reply(status, _TYPES[soap], serialize(tree), headers=headers), call, "fault")

    def _changed(self, tree: etree._Element, call: Call, on: str) -> etree._Element:
        for change in self.plan.changes("tree", call.kind, on, call.root):
            change_tree(tree, change, self.norm, call.root)
        for change in self.plan.changes("writing", call.kind, on, call.root):
            if change.operator.name == "rename-prefixes":
                tree = rename_prefixes(tree)
            elif change.operator.name == "indent":
                indent(tree)
            elif change.operator.name == "compact":
                compact(tree)
        return tree

    def _secured(self, tree: etree._Element, call: Call, service: Service, on: str) -> bytes:
        if call.is_deposit:
            return bared(tree)
        if signs_nothing(self.norm.security.response):
            return serialize(tree)
        deviation, signers, now = "", self._credentials.signers, self._signing_time(call, on)
        for change in self.plan.changes("security", call.kind, on, call.root):
            if change.operator.name == "security":
                deviation = change.parameters["deviation"]
            else:
                signers = replace(signers, flow=signers.others[change.parameters["identity"]])
        return secure_response(tree, self.norm, service, signers, now, deviation)

    def _signing_time(self, call: Call, on: str) -> datetime:
        shifts = (
            timedelta(seconds=float(change.parameters["seconds"]))
            for change in self.plan.changes("time", call.kind, on, call.root)
            if change.operator.name == "stale"
        )
        return call.now - sum(shifts, timedelta())

    def _departed(self, reply: Reply, call: Call, on: str) -> Reply:
        """Return the reply as the faults and variants of time, HTTP and writing let it leave."""
        for change in self.plan.changes("time", call.kind, on, call.root):
            if change.operator.name == "delay":
                reply = replace(reply, delay=reply.delay + float(change.parameters["seconds"]))
        for change in self.plan.changes("http", call.kind, on, call.root):
            reply = _over_http(reply, change.operator.name, change.parameters)
        for change in self.plan.changes("writing", call.kind, on, call.root):
            if change.operator.name == "chunked":
                reply = replace(reply, chunk=int(change.parameters["bytes"]))
        return reply


def _over_http(reply: Reply, operator: str, parameters: dict[str, str]) -> Reply:
    if operator == "http-status":
        return replace(reply, status=int(parameters["status"]))
    if operator == "content-type":
        return replace(reply, content_type=parameters["value"])
    if operator == "truncate":
        return replace(reply, keep_bytes=int(parameters["bytes"]))
    if operator == "mix-answers":
        return replace(reply, mix=float(parameters["seconds"]))
    if operator == "close":
        return replace(reply, close=True)
    if operator == "body":
        return replace(reply, body=parameters["text"].encode())
    if operator == "prefix-body":
        return replace(reply, body=parameters["text"].encode() + reply.body)
    return reply
