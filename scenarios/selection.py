"""What a declaration switches on and off: profiles, claims, requirements.

An unanswered question counts as "yes": what nobody claimed nor denied is tested. Source: docs/formats/sut.md, "ics".
"""

from __future__ import annotations

import msgspec

from norms.i18n import tr
from norms.model import Norm
from scenarios.declaration import Declaration
from scenarios.model import Scenario, Step


class Selection:
    """The choice that `declaration` (None = everything) makes among the requirements and profiles of `norm`."""

    def __init__(self, norm: Norm, declaration: Declaration | None) -> None:
        self._denied = frozenset(
            name for name, answer in (declaration.ics if declaration else {}).items() if answer == "no"
        )
        self._claims: dict[str, list[str]] = {}
        for claim in norm.claims:
            for requirement in claim.requirements:
                self._claims.setdefault(requirement, []).append(claim.id)
        self._applies_if = {item.id: item.applies_if for item in norm.all_requirements}
        codes = tuple(profile.code for profile in norm.profiles)
        if declaration is None:
            self.profiles = codes
        else:
            self.profiles = tuple(code for code in declaration.product.profiles if code in codes)

    def claimed(self, claim: str) -> bool:
        """Tell whether `claim` is not denied."""
        return claim not in self._denied

    def applies(self, requirement: str) -> bool:
        """Tell whether the requirement is one of this product's: its condition and one of its claims hold."""
        condition = self._applies_if.get(requirement, "")
        claims = self._claims.get(requirement, ())
        return (not condition or self.claimed(condition)) and (not claims or any(map(self.claimed, claims)))

    def profiles_of(self, scenario: Scenario) -> tuple[str, ...]:
        """Return the profiles for which `scenario` runs: one without `profiles` runs once, with the first declared."""
        if not scenario.profiles:
            return self.profiles[:1] or ("",)
        return tuple(code for code in self.profiles if code in scenario.profiles)

    def steps_of(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """Return the steps without the expectations of requirements that do not apply."""
        return tuple(
            step
            if all(self.applies(item.requirement) for item in step.expect)
            else msgspec.structs.replace(
                step, expect=tuple(item for item in step.expect if self.applies(item.requirement))
            )
            for step in steps
        )

    def refusal(self, scenario: Scenario) -> str:
        """Return why `scenario` is not selected, in the reader's language, "" when it is."""
        if scenario.applies_if and not self.claimed(scenario.applies_if):
            return tr("La déclaration répond « non » à {claim}.", claim=scenario.applies_if)
        if not self.profiles_of(scenario):
            return tr("Aucun de ces profils n'est déclaré : {profiles}.", profiles=", ".join(scenario.profiles))
        if not any(step.expect for step in self.steps_of(scenario.steps)):
            return tr("Aucune exigence citée ne s'applique à la déclaration.")
        return ""
