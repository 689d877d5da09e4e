"""Generated faults of a practice software: complete, always the same, and never what a conformant one may do."""

from __future__ import annotations

from dataclasses import replace

from norms.behaviour import Fault
from norms.behaviour.software import load_software
from norms.loader import load
from sandbox.conduct_mutants import conduct_mutants
from sandbox.mutants import mutants

VILLE = load("ville/1.1")
SOFTWARE = load_software(VILLE)


def deeds(faults: tuple[Fault, ...]) -> set[tuple[str, str, tuple[str, ...]]]:
    return {
        (change.operator.name, " ".join(change.parameters.values()), change.kinds)
        for fault in faults
        for change in fault.changes
    }


def test_each_part_of_the_conduct_is_tried() -> None:
    found = deeds(conduct_mutants(SOFTWARE))
    routes = [(kind, route) for kind, table in SOFTWARE.conduct.routes.items() for route in table]
    assert {("force-route", route.id, (kind,)) for kind, route in routes} <= found
    last = {table[-1].id for table in SOFTWARE.conduct.routes.values()}
    ignored = {("ignore-route", route.id, (kind,)) for kind, route in routes if route.id not in last}
    assert {deed for deed in found if deed[0] == "ignore-route"} == ignored
    assert {words for name, words, _ in found if name == "believe"} == set(SOFTWARE.conduct.believes)
    assert {kinds for name, _, kinds in found if name == "skip-directory"} == {("IDB",), ("CLC",), ("DRE",)}
    assert {words for name, words, _ in found if name == "go-on"} == {"CLC", "DRE"}
    assert ("retry", "1 Receiver", ()) in found
    assert ("retry", "1 silence Receiver Sender", ()) in found


def test_a_seed_gives_the_same_faults_and_another_seed_other_values() -> None:
    first, again, other = (conduct_mutants(SOFTWARE, seed) for seed in (1, 1, 2))
    assert deeds(first) == deeds(again)
    assert deeds(first) != deeds(other)
    assert [fault.id for fault in first] == [fault.id for fault in other]
    assert len({fault.id for fault in first}) == len(first)


def test_what_a_variant_does_is_no_fault() -> None:
    own = next(fault for fault in conduct_mutants(SOFTWARE) if fault.changes[0].operator.name == "repeat-request")
    variant = replace(SOFTWARE.variants[0], changes=own.changes)
    freer = replace(SOFTWARE, variants=(*SOFTWARE.variants, variant))
    assert deeds(conduct_mutants(SOFTWARE)) - deeds(conduct_mutants(freer)) == deeds((own,))


def test_requests_to_companions_and_deposits_have_mutants_too() -> None:
    every = mutants(VILLE, 1, "request")
    kinds = {kind for fault in every for change in fault.changes for kind in change.kinds}
    assert kinds == {"IDB", "CLC", "DRE", "ADR"}
    fewer = mutants(VILLE, 1, "request", SOFTWARE.variants)
    gone = {fault.title.fr for fault in every} - {fault.title.fr for fault in fewer}
    assert "IDB com:CritereSecondaire retiré" in gone
    assert "IDB ctx:Nom altéré" in gone
    assert all("retiré" in title or "altéré" in title for title in gone)
    assert len(fewer) < len(every)


def test_a_partner_that_answers_has_none_for_what_it_is_not_tested_for() -> None:
    kinds = {kind for fault in mutants(VILLE, 1) for change in fault.changes for kind in change.kinds}
    assert kinds == {"IDB", "CLC"}
