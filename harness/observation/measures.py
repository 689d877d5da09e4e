"""Counting while a recording is read: messages, answer times, refusals, claims, what was not recognised. Bounded."""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from harness.checks.answers import fault_codes, result_codes
from harness.masking import masked
from harness.observation.judging import http_refusal
from harness.observation.recognition import Recognised
from harness.observation.recording import Recorded, Side
from harness.observation.result import (
    AnswerTimes,
    ClaimCount,
    CodeCount,
    Counts,
    MessageCount,
    Unrecognised,
)
from harness.observed import Observed
from harness.reading import BrokenHttp, read_request
from norms.errors import NormError
from norms.filling import canonical_path, read_base
from norms.functions import text_of, xpath
from norms.i18n import tr
from norms.masking import HIDDEN
from norms.model import Norm

MOST_CODES: Final = 200
MOST_UNRECOGNISED: Final = 100
_LONGEST_CODE: Final = 40
_LONGEST_ADDRESS: Final = 160
_SECRET_STEP: Final = re.compile(r"(?<=/)[0-9A-Za-z_~-]{24,}(?=/|$)")
_Service = tuple[str, str]


def address(url: str) -> str:
    """Return an address for people: without query, user, or steps that look like a secret."""
    plain = url.partition("?")[0].partition("#")[0]
    scheme, separator, rest = plain.partition("://")
    place, slash, path = rest.partition("/")
    shown = f"{scheme}{separator}{place.rpartition('@')[2]}{slash}{path}" if separator else plain
    return masked(_SECRET_STEP.sub(HIDDEN, shown[: 4 * _LONGEST_ADDRESS]))[:_LONGEST_ADDRESS]


@dataclass
class _Messages:
    verdicts: Counter[str] = field(default_factory=Counter)


class Measures:
    """The figures of one recording."""

    def __init__(self) -> None:
        self._messages: dict[tuple[str, str, Side], _Messages] = {}
        self._times: dict[_Service, array[float]] = {}
        self._refusals: dict[_Service, Counter[str]] = {}
        self._faults: dict[_Service, Counter[str]] = {}
        self._claims: dict[_Service, Counter[str]] = {}
        self._granted: dict[_Service, str] = {}
        self._unrecognised: Counter[tuple[str, str]] = Counter()
        self._exchanges = self._recognised = self._unanswered = 0
        self.first = self.last = ""

    def exchange(self, recorded: Recorded) -> None:
        """Count an exchange, whatever it is."""
        self._exchanges += 1
        for at in (recorded.asked_at, recorded.answered_at):
            if at:
                self.first = min(self.first or at, at)
                self.last = max(self.last, at)

    def unrecognised(self, recorded: Recorded, reason: str) -> None:
        """Count an exchange that no norm knows."""
        try:
            method = read_request(recorded.request, 0).method
        except BrokenHttp:
            method = recorded.request.partition(b" ")[0][:16].decode("ascii", "replace")
        key = (f"{masked(method)} {address(recorded.url)}".strip(), reason)
        if key not in self._unrecognised and len(self._unrecognised) >= MOST_UNRECOGNISED:
            key = (tr("autres"), reason)
        self._unrecognised[key] += 1

    def recognised(self, recorded: Recorded, what: Recognised) -> None:
        """Count an exchange of a norm."""
        self._recognised += 1
        key = _key(what)
        answered = bool(recorded.response) or "response" in recorded.lost
        if not answered:
            self._unanswered += 1
        elif recorded.took_ms is not None:
            self._times.setdefault(key, array("d")).append(recorded.took_ms)
        if what.service.carrier == "deposit":
            self._claims.setdefault(key, Counter()).update({"claims": 1, "answered": int(answered)})

    def message(self, what: Recognised, side: Side, verdict: str) -> None:
        """Count a message that was judged."""
        key = (*_key(what), side)
        self._messages.setdefault(key, _Messages()).verdicts[verdict] += 1

    def changed(self, norm: str, kind: str, side: Side, before: str, after: str) -> None:
        """Take back the verdict on a message that has a worse one now."""
        verdicts = self._messages[norm, kind, side].verdicts
        verdicts[before] -= 1
        verdicts[after] += 1

    def answer(self, what: Recognised, observed: Observed) -> None:
        """Count what an answer says: a result other than the canonical answer's is a refusal."""
        key = _key(what)
        by_http = http_refusal(observed)
        if observed.shape == "fault" or by_http:
            codes = [by_http] if by_http else [spot.text for spot in fault_codes(observed)] or [""]
            _note(self._faults.setdefault(key, Counter()), codes[0])
            refused = True
        elif observed.shape == "normal" and what.norm.reading.result:
            codes = [spot.text for spot in result_codes(observed)]
            refused = bool(codes) and codes[0] != self._granting(what.norm, what.service.kind)
            if refused:
                _note(self._refusals.setdefault(key, Counter()), codes[0])
        else:
            return
        if what.service.carrier == "deposit" and refused:
            self._claims.setdefault(key, Counter())["rejected"] += 1

    def _granting(self, norm: Norm, kind: str) -> str:
        key = (norm.ref, kind)
        if key not in self._granted:
            try:
                root = read_base(canonical_path(norm, kind, "response"))
                self._granted[key] = text_of(xpath(norm, norm.reading.result)(root)).strip()
            except NormError:
                self._granted[key] = ""
        return self._granted[key]

    def counts(self, beneficiaries: int, not_together: int) -> Counts:
        """Return the figures of the whole recording."""
        total: Counter[str] = Counter()
        for each in self._messages.values():
            total.update(each.verdicts)
        return Counts(
            exchanges=self._exchanges,
            recognised=self._recognised,
            unrecognised=self._exchanges - self._recognised,
            unanswered=self._unanswered,
            messages=total.total(),
            valid=total["pass"],
            invalid=total["fail"],
            inconclusive=total["inconclusive"],
            error=total["error"],
            beneficiaries=beneficiaries,
            not_together=not_together,
        )

    def messages(self) -> tuple[MessageCount, ...]:
        """Return the messages by kind and side."""
        return tuple(
            MessageCount(
                *key,
                messages=each.verdicts.total(),
                valid=each.verdicts["pass"],
                invalid=each.verdicts["fail"],
                inconclusive=each.verdicts["inconclusive"],
                error=each.verdicts["error"],
                share=_share(each.verdicts["pass"], each.verdicts["pass"] + each.verdicts["fail"]),
            )
            for key, each in sorted(self._messages.items())
        )

    def times(self) -> tuple[AnswerTimes, ...]:
        """Return the answer times by kind."""
        return tuple(
            AnswerTimes(*key, answers=len(found), median_ms=_at(found, 0.5), p95_ms=_at(found, 0.95))
            for key, found in sorted((key, sorted(times)) for key, times in self._times.items())
        )

    def refusals(self) -> tuple[CodeCount, ...]:
        """Return the refusals by kind and result code, the most frequent first."""
        return _codes(self._refusals)

    def faults(self) -> tuple[CodeCount, ...]:
        """Return the SOAP faults by kind and error code, the most frequent first."""
        return _codes(self._faults)

    def claims(self) -> tuple[ClaimCount, ...]:
        """Return the deposits by kind."""
        return tuple(
            ClaimCount(
                *key,
                claims=found["claims"],
                answered=found["answered"],
                rejected=found["rejected"],
                share=_share(found["rejected"], found["answered"]),
            )
            for key, found in sorted(self._claims.items())
        )

    def all_unrecognised(self) -> tuple[Unrecognised, ...]:
        """Return what was not recognised, the most frequent first."""
        ordered = sorted(self._unrecognised.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Unrecognised(what, reason, count) for (what, reason), count in ordered)


def _key(what: Recognised) -> _Service:
    return what.norm.ref, what.service.kind


def _note(counter: Counter[str], code: str) -> None:
    known = masked(code)[:_LONGEST_CODE] or tr("sans code")
    counter[known if known in counter or len(counter) < MOST_CODES else tr("autres")] += 1


def _codes(found: dict[_Service, Counter[str]]) -> tuple[CodeCount, ...]:
    return tuple(
        CodeCount(*key, code=code, count=count)
        for key, counter in sorted(found.items())
        for code, count in sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _at(ordered: list[float], quantile: float) -> float:
    """Return the nearest-rank quantile of ordered values."""
    return round(ordered[max(0, math.ceil(quantile * len(ordered)) - 1)], 3)
