"""One difference of two norms, and all of them: what `norms.diff` finds and `norms.diff_text` says."""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from norms.model import Text

Kind = Literal["added", "removed", "changed"]
Subject = Literal[
    "norm", "requirement", "claim", "value", "service", "element", "rule", "table", "code", "profile", "security",
    "file", "simulator",
]  # fmt: skip

# Entries of norm.yaml that carry the number of the version.
_NUMBERS: Final = ("version", "prefixes")
_WORD: Final = re.compile(r"[^\s<>]+|[<>]")


class Change(msgspec.Struct, frozen=True):
    """One difference. id: of what differs (requirement, kind of message, path of an element, code, path of a file …).

    field: which of its properties, "" for the whole; within: the table of a code, else ""; before, after: texts, ""
    for nothing. A field that lists (enumeration, period, column, always, requirements of a claim) gives one change per
    member, added or removed. Field "name" of an element: another name for the same content; of a file, "version": only
    the number of the version differs, "writing": what reads it sees no difference.
    """

    subject: Subject
    kind: Kind
    id: str
    field: str = ""
    before: str = ""
    after: str = ""
    within: str = ""


class NormDiff(msgspec.Struct, frozen=True):
    """All differences of two norms. before, after: their names, with the digests of what they say.

    titles: subject -> id -> the sentence or name that people know it by, for what `changes` name.
    """

    before: str
    after: str
    before_digest: str
    after_digest: str
    changes: tuple[Change, ...]
    titles: dict[Subject, dict[str, Text]] = {}

    def renumbers(self, change: Change) -> bool:
        """Say whether the change is nothing but the number of the version: in an address, an action, a namespace …"""
        if change.subject == "file":
            return change.field == "version"
        carries = change.subject == "service" or (change.subject == "norm" and change.id in _NUMBERS)
        return carries and change.kind == "changed" and renumbered(change.before, change.after, self.before, self.after)

    def of(self, *subjects: Subject) -> tuple[Change, ...]:
        """Return the changes of these subjects, in their order."""
        return tuple(change for change in self.changes if change.subject in subjects)


def renumbered(old: str, new: str, before: str, after: str) -> bool:
    """Say whether two texts differ only by the version of the norms `before` and `after` (`id/version`) in them.

    A number that stands alone between blanks or tags is a value (an amount), not a version.
    """
    versions = before.rpartition("/")[2], after.rpartition("/")[2]
    if (old, new) == versions:
        return True
    olds, news = _WORD.findall(old), _WORD.findall(new)
    return (
        olds != news
        and len(olds) == len(news)
        and all(
            one == two or (one != versions[0] and one.replace(*versions) == two)
            for one, two in zip(olds, news, strict=True)
        )
    )
