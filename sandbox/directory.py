"""How the practice software finds the address of a service: it asks the directory that its conduct names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from norms.behaviour.conduct import Conduct
from norms.errors import DataError
from norms.i18n import tr
from sandbox.speaker import Speaker
from sandbox.temper import Ending, Temper


class Located(NamedTuple):
    """Where a service is; without an address, how the errand ends there and what the user sees."""

    url: str
    ending: Ending = "accepted"
    shown: str = ""


class Finder:
    """Finds addresses: in the directory when it is given one that lists the service, else among those it was given."""

    def __init__(self, conduct: Conduct, speaker: Speaker, temper: Temper) -> None:
        self._directory, self._shown = conduct.directory, conduct.shown
        self._speaker, self._temper = speaker, temper

    def locate(self, kind: str, values: Mapping[str, str], given: Mapping[str, str]) -> Located:
        """Return where the service of that kind is. values: of the errand; given: kind -> address.

        Raises DataError when the address was to be given and is not.
        """
        directory = self._directory
        if directory is None or directory.kind not in given or kind not in directory.values:
            return Located(_given(kind, given))
        if self._temper.has("skip-directory", kind):
            return Located(_given(kind, given))
        asked = {**values, **directory.values[kind]}
        exchanged = self._speaker.exchange(directory.kind, asked, given[directory.kind])
        answer, known = exchanged.answer, exchanged.variables
        if answer.doubt or answer.root is None:
            return Located("", "stopped", answer.doubt or tr("L'annuaire ne répond pas."))
        if answer.fault:
            return Located("", "stopped", self._shown.text(answer.root, {}))
        if directory.refused.holds(answer.root, known):
            lost = Located("", "refused", directory.shown.text(answer.root, known))
        elif self._temper.has("keep-address", kind):
            return Located(_given(kind, given))
        else:
            url = (self._temper.address(kind, answer.root, known) or directory.found.text(answer.root, known)).strip()
            if url:
                return Located(url)
            lost = Located("", "refused", tr("L'annuaire ne donne pas d'adresse pour ce service."))
        return Located(_given(kind, given)) if self._temper.ignores_refusal(kind, answer.root, known) else lost


def _given(kind: str, given: Mapping[str, str]) -> str:
    try:
        return given[kind]
    except KeyError:
        raise DataError(tr("La consigne ne donne pas l'adresse du service {kind}.", kind=kind)) from None
