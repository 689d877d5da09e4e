"""Which requirement is cited when a recorded message misses what every message owes?

On an answer, the norm's `always` says it. Of requests it does not speak: there it is the requirement that the norm's
pages cite most often for that check in that role.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property

from norms.model import Norm
from scenarios.model import Role
from scenarios.reader import read_scenarios


class Citations:
    """The requirements that the pages of a norm cite. Raises DataError when a page cannot be read."""

    def __init__(self, norm: Norm) -> None:
        self._norm = norm

    def of(self, check: str, role: Role) -> str:
        """Return the id of a requirement that binds `role`, "" when no page makes that check."""
        counted = self._counted.get((check, role))
        return max(counted, key=lambda each: (counted[each], each)) if counted else ""

    @cached_property
    def _counted(self) -> dict[tuple[str, Role], Counter[str]]:
        counted: dict[tuple[str, Role], Counter[str]] = {}
        for scenario in read_scenarios(self._norm):
            for step in scenario.steps:
                for each in step.expect:
                    requirement = self._norm.requirement(each.requirement)
                    if requirement is not None and requirement.role in (scenario.role, "both"):
                        counted.setdefault((each.check, scenario.role), Counter())[each.requirement] += 1
        return counted
