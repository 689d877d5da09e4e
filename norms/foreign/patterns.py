"""Texts that match a pattern of XML Schema: a reader of its regular expressions, and short examples of them.

The examples are candidates: whoever uses one asks the schema engines whether it is valid. A construct that is not
understood gives no candidate. Source: XML Schema part 2, appendix F.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

# Characters tried in this order: what people expect to see in an example first.
_PREFERRED: Final = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "abcdefghijklmnopqrstuvwxyz" + "1234567890" + "-_./:,;+*=@#%&'()?!$|~^\"<>[]{}\\`"
    + " éèàçôÉ€§°" + "\t\n\r"
)  # fmt: skip
_LONGEST: Final = 10_000
_VARIANTS: Final = 12
_NESTING: Final = 60
_CONTROL: Final = {"n": "\n", "r": "\r", "t": "\t"}

Test = Callable[[str], bool]


class UnreadablePatternError(ValueError):
    """A pattern, or a part of one, that is not understood."""


@dataclass(frozen=True)
class Characters:
    """One character of a class; allowed: examples in order of preference, never empty."""

    allowed: str


@dataclass(frozen=True)
class Joined:
    """Parts one after the other."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Either:
    """One of several branches."""

    branches: tuple[Part, ...]


@dataclass(frozen=True)
class Repeated:
    """A part several times; maximum None = without bound."""

    part: Part
    minimum: int
    maximum: int | None


Part = Characters | Joined | Either | Repeated


def widths(part: Part) -> tuple[int, int]:
    """Return the least and the greatest length of a match; the greatest is cut at a limit of ours."""
    if isinstance(part, Characters):
        return 1, 1
    if isinstance(part, Joined):
        pairs = [widths(one) for one in part.parts]
        return min(sum(low for low, _ in pairs), _LONGEST), min(sum(high for _, high in pairs), _LONGEST)
    if isinstance(part, Either):
        pairs = [widths(one) for one in part.branches]
        return min(low for low, _ in pairs), max(high for _, high in pairs)
    low, high = widths(part.part)
    most = _LONGEST if part.maximum is None else part.maximum
    return min(low * part.minimum, _LONGEST), min(high * most, _LONGEST)


def examples(pattern: str, lengths: Sequence[int]) -> Iterator[str]:
    """Yield candidates for a pattern, of these lengths as far as it allows them; nothing for one not understood."""
    try:
        part = _Reader(pattern).whole()
    except UnreadablePatternError:
        return
    low, high = widths(part)
    if low >= _LONGEST:
        return
    wanted = dict.fromkeys(min(max(length, low), high) for length in lengths)
    for variant in range(_VARIANTS):
        for length in wanted:
            yield _Writer(variant).text(part, length)


class _Writer:
    """Writes one example. variant: which branches and which characters are taken first."""

    def __init__(self, variant: int) -> None:
        self._variant = variant
        self._counts: Counter[str] = Counter()

    def text(self, part: Part, length: int) -> str:
        if isinstance(part, Characters):
            run = _run(part.allowed)
            # Every third variant keeps to one character: a run of one digit passes most further checks.
            step = self._variant // 3 + (0 if self._variant % 3 == 2 else self._counts[run])
            self._counts[run] += 1
            return run[step % len(run)]
        if isinstance(part, Either):
            turned = [
                part.branches[(index + self._variant) % len(part.branches)] for index in range(len(part.branches))
            ]
            return self.text(min(turned, key=lambda branch: _distance(branch, length)), length)
        if isinstance(part, Joined):
            return "".join(
                self.text(one, share) for one, share in zip(part.parts, _shares(part.parts, length), strict=True)
            )
        high = widths(part.part)[1]
        if high == 0:
            return ""
        most = _LONGEST if part.maximum is None else part.maximum
        count = min(max(part.minimum, -(-length // high)), most)
        return "".join(self.text(part.part, share) for share in _shares([part.part] * count, length))


def _run(allowed: str) -> str:
    """Return the first characters of the same sort: digits count up, letters go on, nothing else mixes in."""
    sort = unicodedata.category(allowed[0])
    same = [char for char in allowed[:36] if unicodedata.category(char) == sort]
    return "".join(same[:9]) if sort in ("Lu", "Ll", "Nd") else allowed[0]


def _distance(part: Part, length: int) -> int:
    low, high = widths(part)
    return max(low - length, length - high, 0)


def _shares(parts: Sequence[Part], length: int) -> list[int]:
    bounds = [widths(part) for part in parts]
    shares = [low for low, _ in bounds]
    spare = length - sum(shares)
    for index, (low, high) in enumerate(bounds):
        more = max(min(spare, high - low), 0)
        shares[index] += more
        spare -= more
    return shares


class _Reader:
    """A recursive descent over one pattern."""

    def __init__(self, pattern: str) -> None:
        self._text, self._at, self._depth = pattern, 0, 0

    def whole(self) -> Part:
        part = self._either()
        if self._at < len(self._text):
            raise UnreadablePatternError(self._text)
        return part

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else ""

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise UnreadablePatternError(self._text)
        self._at += 1
        return self._text[self._at - 1]

    def _either(self) -> Part:
        self._depth += 1
        if self._depth > _NESTING:
            raise UnreadablePatternError(self._text)
        branches = [self._joined()]
        while self._peek() == "|":
            self._next()
            branches.append(self._joined())
        self._depth -= 1
        return branches[0] if len(branches) == 1 else Either(tuple(branches))

    def _joined(self) -> Part:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._quantified(self._atom()))
        return Joined(tuple(parts))

    def _atom(self) -> Part:
        char = self._next()
        if char == "(":
            part = self._either()
            if self._next() != ")":
                raise UnreadablePatternError(self._text)
            return part
        if char in "?*+{}":
            raise UnreadablePatternError(self._text)
        if char == "[":
            return _class(self._bracket())
        if char == "\\":
            return _class(self._escape())
        if char == ".":
            return _class(lambda one: one not in "\n\r")
        return Characters(char)

    def _quantified(self, part: Part) -> Part:
        char = self._peek()
        if char in ("?", "*", "+"):
            self._next()
            return Repeated(part, 1 if char == "+" else 0, 1 if char == "?" else None)
        if char != "{":
            return part
        end = self._text.find("}", self._at)
        low, comma, high = self._text[self._at + 1 : end].partition(",")
        if end < 0 or not low.isdecimal() or not (high == "" or high.isdecimal()) or int(low) > _LONGEST:
            raise UnreadablePatternError(self._text)
        self._at = end + 1
        return Repeated(part, int(low), int(high) if high else None if comma else int(low))

    def _escape(self) -> Test:
        char = self._next()
        if char in "pP":
            return self._property(negative=char == "P")
        if char.lower() in _MULTIPLE:
            test = _MULTIPLE[char.lower()]
            return (lambda one: not test(one)) if char.isupper() else test
        return _equals(_CONTROL.get(char, char))

    def _property(self, *, negative: bool) -> Test:
        end = self._text.find("}", self._at)
        if self._next() != "{" or end < 0:
            raise UnreadablePatternError(self._text)
        name = self._text[self._at : end]
        self._at = end + 1

        def holds(one: str) -> bool:
            if name == "IsBasicLatin":
                return one < "\x80"
            if name.startswith("Is"):
                return "\x80" <= one < "\u0100"
            return unicodedata.category(one).startswith(name)

        return (lambda one: not holds(one)) if negative else holds

    def _bracket(self) -> Test:
        """Read a class after its bracket, with ranges, escapes and subtraction."""
        negative = self._peek() == "^"
        if negative:
            self._next()
        tests: list[Test] = []
        without: Test | None = None
        while True:
            char = self._next()
            if char == "]" and tests:
                break
            if char == "-" and self._peek() == "[":
                self._next()
                without = self._bracket()
                if self._next() != "]":
                    raise UnreadablePatternError(self._text)
                break
            tests.append(self._member(char))
        return lambda one: any(test(one) for test in tests) != negative and not (without is not None and without(one))

    def _member(self, char: str) -> Test:
        if char == "\\":
            first = self._peek()
            if first.lower() in _MULTIPLE or first in ("p", "P"):
                return self._escape()
            char = _CONTROL.get(self._next(), first)
        if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", "[", ""):
            self._next()
            last = self._next()
            if last == "\\":
                last = self._next()
                last = _CONTROL.get(last, last)
            low = char
            return lambda one: low <= one <= last
        return _equals(char)


def _equals(char: str) -> Test:
    return lambda one: one == char


def _class(test: Test) -> Characters:
    allowed = "".join(char for char in _PREFERRED if test(char))
    if not allowed:
        allowed = next((chr(code) for code in range(0xA0, 0xD800) if test(chr(code))), "")
    if not allowed:
        raise UnreadablePatternError
    return Characters(allowed)


def _is_name(char: str) -> bool:
    return char.isalnum() or char in "._:-"


_MULTIPLE: Final[dict[str, Test]] = {
    "s": lambda one: one in " \t\n\r",
    "d": lambda one: unicodedata.category(one) == "Nd",
    "w": lambda one: unicodedata.category(one)[0] not in "PZC",
    "i": lambda one: one.isalpha() or one in "_:",
    "c": _is_name,
}
