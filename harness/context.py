"""What the judge knows beside suite and exchanges. All of it comes from the run folder; nothing is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from norms.model import Norm

if TYPE_CHECKING:
    from norms.wire.trust import Anchors


@dataclass(frozen=True)
class JudgeContext:
    """The constants of a judgement.

    norm: that of the message judged; tested: that of the suite, when the message is one of a companion norm;
    anchors: authorities that signatures must lead to; today: date of the run, for code tables and `${today}`;
    tool: name and version of this program; certificates: DER certificates that products presented in TLS, by their
    SHA-256 in hex (`TlsFacts.peer`); secrets: values that must never be shown; second_verifier: whether the run had
    a second verifier of signatures to ask; second_opinion: ask it about every message, not only before blame.
    """

    norm: Norm
    anchors: Anchors | None
    today: date
    tool: str = ""
    certificates: Mapping[str, bytes] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    second_verifier: bool = True
    second_opinion: bool = False
    tested: Norm | None = None

    @property
    def suite_norm(self) -> Norm:
        """The norm of the suite: the one whose requirements are cited."""
        return self.tested or self.norm

    def speaking(self, kind: str) -> JudgeContext:
        """Return the context for messages of `kind`: with the norm that has that service, else this one."""
        spoken = self.suite_norm.speaking(kind)
        return self if spoken is None or spoken is self.norm else replace(self, norm=spoken, tested=self.suite_norm)
