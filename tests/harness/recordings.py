"""Recordings made by hand: exchanges of a norm's own messages, written as others write WARC and HAR files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from harness.observation.observer import Observer
from harness.observation.opening import open_recording
from harness.observation.result import Grouped, Observation
from norms.loader import load
from norms.model import Norm

NORM = load("ville/1.1")
START = datetime.fromisoformat("2026-11-20T09:31:00.000+00:00")


@dataclass(frozen=True)
class Talk:
    """One exchange. after: seconds since START; took: milliseconds; b"" for an answer that never came."""

    kind: str
    request: bytes
    response: bytes
    after: float = 0
    took: float = 40
    status: int = 200
    url: str = ""
    answer_headers: tuple[str, ...] = ()
    answer_body: bytes | None = None

    @property
    def norm(self) -> Norm:
        norm = NORM.speaking(self.kind)
        assert norm is not None
        return norm

    @property
    def media(self) -> str:
        service = self.norm.service(self.kind)
        assert service is not None
        if service.carrier == "deposit":
            return "application/xml; charset=utf-8"
        return "text/xml; charset=utf-8" if service.soap == "1.1" else "application/soap+xml; charset=utf-8"

    @property
    def address(self) -> str:
        return self.url or f"https://amc.exemple.test/{self.kind}"

    @property
    def asked(self) -> str:
        return stamp(self.after)

    @property
    def answered(self) -> str:
        return stamp(self.after + self.took / 1000)

    def http_request(self) -> bytes:
        service = self.norm.service(self.kind)
        assert service is not None
        extra = f'SOAPAction: "{service.request.action}"\r\n' if service.soap == "1.1" else ""
        head = f"POST /{self.kind} HTTP/1.1\r\nHost: amc.exemple.test\r\nContent-Type: {self.media}\r\n{extra}"
        return f"{head}Content-Length: {len(self.request)}\r\n\r\n".encode() + self.request

    def http_response(self) -> bytes:
        body = self.response if self.answer_body is None else self.answer_body
        length = () if self.answer_headers else (f"Content-Length: {len(body)}",)
        lines = (f"HTTP/1.1 {self.status} X", f"Content-Type: {self.media}", *length, *self.answer_headers)
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def stamp(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def talk(kind: str, after: float = 0, **changes: Any) -> Talk:
    """Return the exchange of the canonical messages of a kind."""
    norm = NORM.speaking(kind)
    assert norm is not None
    sides = [(norm.root / "messages" / f"{kind}.{side}.xml").read_bytes() for side in ("request", "response")]
    return replace(Talk(kind, *sides, after=after), **changes)


def swapped(one: Talk, side: str, before: str, after: str) -> Talk:
    """Return the exchange with a text of one message replaced; it must be there."""
    body: bytes = getattr(one, side)
    assert before.encode() in body, before
    return replace(one, **{side: body.replace(before.encode(), after.encode())})


def whole() -> list[Talk]:
    """Return a chain that is in order: rights, guarantee, claim and its return."""
    return [talk("IDB", 0), talk("CLC", 5), talk("DRE", 10)]


def record(kind: str, block: bytes, *, identity: str = "", **headers: str) -> bytes:
    """Return one WARC record. headers: names with _ for -."""
    lines = {
        "WARC-Type": kind,
        "WARC-Record-ID": identity or f"<urn:uuid:{uuid4()}>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
        "Content-Length": str(len(block)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"WARC/1.0\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


def pair(one: Talk) -> bytes:
    """Return the records of an exchange as warcio and others write them: the response, then its request."""
    identity = f"<urn:uuid:{uuid4()}>"
    response = record(
        "response",
        one.http_response(),
        identity=identity,
        WARC_Target_URI=one.address,
        WARC_Date=one.answered,
        Content_Type="application/http; msgtype=response",
    )
    request = record(
        "request",
        one.http_request(),
        WARC_Target_URI=one.address,
        WARC_Date=one.asked,
        Content_Type="application/http; msgtype=request",
        WARC_Concurrent_To=identity,
    )
    return (response if one.response or one.answer_body is not None else b"") + request


def warc(path: Path, talks: Sequence[Talk], *, compressed: bool = True) -> Path:
    """Write a WARC, one gzip member for each pair."""
    path.write_bytes(b"".join(gzip.compress(pair(one)) if compressed else pair(one) for one in talks))
    return path


def entry(one: Talk) -> dict[str, Any]:
    """Return an exchange as a HAR entry with the least that tools write."""
    no_answer = not one.response and one.answer_body is None
    content = {"size": len(one.response), "mimeType": one.media, "text": one.response.decode()}
    action = one.norm.service(one.kind)
    assert action is not None
    headers = [{"name": "Content-Type", "value": one.media}]
    headers += [{"name": "SOAPAction", "value": f'"{action.request.action}"'}] if action.soap == "1.1" else []
    return {
        "startedDateTime": one.asked,
        "time": one.took,
        "request": {
            "method": "POST",
            "url": one.address,
            "headers": headers,
            "postData": {"mimeType": one.media, "text": one.request.decode()},
        },
        "response": {"status": 0, "headers": [], "content": {"size": 0}}
        if no_answer
        else {"status": one.status, "headers": [], "content": content},
        "timings": {"send": 1, "wait": one.took - 2, "receive": 1},
        "comment": "noté par un outil",
    }


def har(path: Path, entries: Sequence[dict[str, Any]]) -> Path:
    """Write a HAR."""
    path.write_text(json.dumps({"log": {"version": "1.2", "creator": {}, "entries": list(entries)}}), encoding="utf-8")
    return path


def observe(path: Path, norm: Norm | None = NORM, **given: Any) -> Observation:
    """Observe a file as the command does."""
    norms = NORM.speakers if norm is not None else [load(ref) for ref in ("ville/1.0", "ville/1.1", "annuaire/1.0")]
    return Observer(norms, norm, given.get("anchors"), "test").observe(open_recording(path))


def seen(observation: Observation) -> list[tuple[str, str, str, str]]:
    """Return kind, side, verdict and requirement of what was found."""
    return [(each.kind, each.side, each.finding.verdict, each.finding.requirement) for each in observation.findings]


def only(observation: Observation) -> Grouped:
    """Return the one sort of finding there is."""
    (found,) = observation.findings
    return found
