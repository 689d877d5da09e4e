"""The exchanges of one beneficiary, in order of time, judged together by the rules over a whole case.

Who the beneficiary of a request is, its norm says (`reading.person`); what a run of this program recorded is taken
case by case. While the recording is read, messages wait in a temporary file that nobody else can open; in memory stand
some 300 bytes a beneficiary and 8 an exchange. A group beyond MOST_TOGETHER is not judged, and said.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

import msgspec
from lxml import etree

from harness.observation.recognition import Recognised
from harness.observation.recording import Recorded, Side
from harness.observed import Observed
from norms.chains import ChainExchange, ChainProblem, case_document
from norms.check import checker_for
from norms.errors import PoinconError
from norms.functions import text_of, xpath
from norms.model import Norm
from norms.parsing import parse
from norms.wire.deposit import enveloped

MOST_TOGETHER: Final = 400
MOST_BYTES: Final = 8 * 1024 * 1024


class Kept(msgspec.Struct, frozen=True):
    """An exchange as it waits. request, response: bodies without coding, b"" when either cannot be relied on; before:
    the verdict on each message so far; broken: sides whose own fault has been told."""

    norm: str
    kind: str
    number: int
    name: str
    at: str
    url: str
    request: bytes = b""
    response: bytes = b""
    before: dict[Side, str] = {}
    broken: tuple[Side, ...] = ()

    @property
    def hole(self) -> bool:
        """Whether the exchange is missing from what is judged together."""
        return not (self.request and self.response)


class Problem(msgspec.Struct, frozen=True):
    """A rule that does not hold. of, side: the message that it blames; sure: no earlier exchange is missing."""

    of: Kept
    side: Side
    problem: ChainProblem
    sure: bool


class Incident(msgspec.Struct, frozen=True):
    """The rules over a group could not be evaluated: ours, nobody's fault. of: its last exchange."""

    of: Kept
    what: str


class Together:
    """Gathers exchanges and judges those of one beneficiary together."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="poincon-")  # noqa: SIM115 - closed by `close`
        self._groups: dict[bytes, array[int]] = {}
        self.judged = self.too_large = 0

    def close(self) -> None:
        """Remove what was kept."""
        self._file.close()

    def add(
        self, recorded: Recorded, what: Recognised, request: Observed | None, response: Observed | None, kept: Kept
    ) -> None:
        """Keep an exchange of a norm that has rules over a case; those staged by a run of ours are left out."""
        if recorded.staged or not checker_for(what.norm).chains:
            return
        if _sound(request) and _sound(response):
            assert request is not None and response is not None
            kept = msgspec.structs.replace(kept, request=request.http.body, response=response.http.body)
        data = msgspec.msgpack.encode(kept)
        offset = self._file.seek(0, 2)
        self._file.write(len(data).to_bytes(8, "big") + data)
        self._groups.setdefault(_key(recorded, what.norm, request), array("q")).append(offset)

    def problems(self, norms: dict[str, Norm]) -> Iterator[Problem | Incident]:
        """Yield what the rules find, group by group."""
        for offsets in self._groups.values():
            if len(offsets) > MOST_TOGETHER:
                self.too_large += 1
                continue
            group = sorted((self._read(offset) for offset in offsets), key=lambda each: (each.at, each.number))
            if sum(len(each.request) + len(each.response) for each in group) > MOST_BYTES:
                self.too_large += 1
                continue
            self.judged += 1
            try:
                found = list(_judged(norms[group[0].norm], group))
            except PoinconError as error:
                yield Incident(group[-1], str(error))
            except Exception as error:  # noqa: BLE001 - a crash of ours: never a pass, never a blame
                yield Incident(group[-1], type(error).__name__)
            else:
                yield from found

    def _read(self, offset: int) -> Kept:
        self._file.seek(offset)
        size = int.from_bytes(self._file.read(8), "big")
        return msgspec.msgpack.decode(self._file.read(size), type=Kept)


def _sound(observed: Observed | None) -> bool:
    return observed is not None and observed.arrived and observed.trouble is None


def _key(recorded: Recorded, norm: Norm, request: Observed | None) -> bytes:
    person = ""
    if norm.reading.person and request is not None and _sound(request):
        person = " ".join(text_of(xpath(norm, norm.reading.person)(request.root)).split())
    # Whoever names nobody stands alone.
    parts = (norm.ref, recorded.case, person or f"#{recorded.number}")
    return blake2b("\n".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _judged(norm: Norm, group: list[Kept]) -> Iterator[Problem]:
    taken = [each for each in group if not each.hole]
    if not taken:
        return
    first_hole = next((place for place, each in enumerate(group) if each.hole), len(group))
    sure = {each.number for each in group[:first_hole]}
    exchanges = [
        ChainExchange(each.kind, step, _tree(each.request, norm), _tree(each.response, norm))
        for step, each in enumerate(taken, 1)
    ]
    for problem in checker_for(norm).chains.problems(case_document(exchanges)):
        if problem.exchange < 0 or problem.side == "":
            continue
        of = taken[problem.exchange]
        if problem.side not in of.broken:
            yield Problem(of, problem.side, problem, of.number in sure)


def _tree(body: bytes, norm: Norm) -> etree._Element:
    return enveloped(parse(body, norm.security.limits))
