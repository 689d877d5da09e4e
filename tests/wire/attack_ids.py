"""Which test carries out which attack of the catalogue: id -> test. Attacks of a table share one test."""

from __future__ import annotations

from wire_attacks import ATTACKS

IN_TABLE = {attack.id: "test_attacks.py::test_a_hostile_request_is_refused" for attack in ATTACKS}
ATTACK_IDS = IN_TABLE | {
    "S14": "test_attacks.py::test_s14_the_reader_gets_the_element_that_was_verified",
    "S19": "test_attacks.py::test_s19_keyed_hashes_are_not_computed_even_when_a_norm_allows_them",
    "S21": "test_trust.py::test_s21_only_named_curves",
    "A01": "test_replay.py::test_a01_a_replayed_assertion_is_refused",
}
