from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from norms.dynamic import names, resolve, shift_date, syntax_fault
from norms.errors import DataError, NormError
from norms.filling import Clock, read_base
from norms.functions import xpath
from norms.model import Norm, Text
from scenarios.bindings import bind
from scenarios.model import Case, Step
from scenarios.rendering import build_message

BINDINGS = {"enfant": "456", "jouet": "VELO", "guichet": "G2"}
TODAY = date(2026, 3, 31)


def case_of(step: Step) -> Case:
    return Case("C", "C", "written", Text("t"), Text("p"), "server", "", "", BINDINGS, (step,), (), file="c.yaml")


def built(norm: Norm, clock: Clock, **step: object) -> etree._Element:
    one = Step(send="PRET", line=7, **step)  # type: ignore[arg-type]
    return build_message(norm, case_of(one), one, BINDINGS, clock)


def texts(norm: Norm, root: etree._Element, expression: str) -> list[str]:
    found = xpath(norm, expression)(root)
    assert isinstance(found, list)
    return [item.text or "" if isinstance(item, etree._Element) else str(item) for item in found]


def test_the_canonical_message_is_filled(toy: Norm, clock: Clock) -> None:
    root = built(toy, clock)
    assert texts(toy, root, "//j:Enfant") == ["456"]
    assert texts(toy, root, "//j:Jouet") == ["VELO"]
    assert texts(toy, root, "//j:Le") == ["2026-03-31"]
    assert texts(toy, root, "//wsa:MessageID") == ["uuid:00000000-0000-4000-8000-000000000001"]


def test_edits_come_after_fill_then_remove_then_insert(toy: Norm, clock: Clock) -> None:
    root = built(
        toy,
        clock,
        edits={"//j:Enfant": "999", "//j:Demande/@Version": "9.9", "//j:Demande/@Neuf": "${jouet}"},
        remove=("//j:Surnom", "//j:Demande/@Neuf"),
        insert={"//j:Demande": "<j:Jouet>${jouet}</j:Jouet><j:Jouet>DE</j:Jouet>"},
    )
    assert texts(toy, root, "//j:Enfant") == ["999"]
    assert texts(toy, root, "//j:Demande/@*") == ["9.9"]
    assert texts(toy, root, "//j:Surnom") == []
    assert texts(toy, root, "//j:Jouet") == ["VELO", "VELO", "DE"]


def test_an_element_with_children_is_replaced_by_text(toy: Norm, clock: Clock) -> None:
    root = built(toy, clock, edits={"//j:Demande": "rien"})
    assert texts(toy, root, "//j:Demande") == ["rien"] and texts(toy, root, "//j:Demande/*") == []


def test_base_replaces_the_canonical_message(toy: Norm, clock: Clock) -> None:
    root = built(toy, clock, base="examples/invalid/R-JOU-01--enfant-triste-qui-paie.xml")
    assert texts(toy, root, "//j:Humeur") == ["triste"]


@pytest.mark.parametrize(
    "step",
    [
        {"edits": {"//j:Nulle": "x"}},
        {"edits": {"//j:Nulle/@x": "x"}},
        {"edits": {"count(//j:Jouet)": "x"}},
        {"remove": ("//j:Nulle",)},
        {"remove": ("//j:Demande/@Nulle",)},
        {"remove": ("/soap:Envelope",)},
        {"insert": {"//j:Nulle": "<j:Jouet/>"}},
        {"edits": {"//j:Jouet": "${inconnu}"}},
        {"edits": {"//j:Jouet": "\x01"}},
    ],
)
def test_an_edit_that_does_not_fit_is_an_error_of_the_scenario(
    toy: Norm, clock: Clock, step: dict[str, object]
) -> None:
    with pytest.raises(DataError) as caught:
        built(toy, clock, **step)
    assert (caught.value.file, caught.value.line) == ("c.yaml", 7)


def test_a_value_missing_for_fill_names_norm_yaml(toy: Norm, clock: Clock) -> None:
    step = Step(send="PRET")
    with pytest.raises(DataError, match=r"norm\.yaml.*guichet"):
        build_message(toy, case_of(step), step, {"enfant": "1", "jouet": "A"}, clock)


def test_a_missing_message_is_an_error_of_the_norm(tmp_path: Path) -> None:
    with pytest.raises(NormError, match=r"rien\.xml"):
        read_base(tmp_path / "rien.xml")


@given(st.integers(0, 2**32 - 1))
def test_the_same_clock_gives_the_same_bytes(toy: Norm, seed: int) -> None:
    def once() -> bytes:
        clock = Clock(datetime(2026, 1, 1, tzinfo=UTC), lambda: f"{seed:08x}-0000-4000-8000-000000000000")
        return etree.tostring(built(toy, clock, edits={"//j:Prix": "${number}"}))

    assert once() == once()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${today}", "2026-03-31"),
        ("${today-31d}", "2026-02-28"),
        ("${today-1m}", "2026-02-28"),
        ("${today+11m}", "2027-02-28"),
        ("${today-2y}", "2024-03-31"),
        ("${now}", "2026-03-31T08:30:00Z"),
        ("${now-90s}", "2026-03-31T08:28:30Z"),
        ("${now+1h}", "2026-03-31T09:30:00Z"),
        ("a ${enfant} b ${jouet}", "a 456 b VELO"),
        ("prix : 3 $ {x}", "prix : 3 $ {x}"),
    ],
)
def test_every_form_of_the_vocabulary(text: str, expected: str) -> None:
    now = datetime(2026, 3, 31, 8, 30, tzinfo=UTC)
    assert syntax_fault(text) == ""
    assert resolve(text, BINDINGS, TODAY, now=now) == expected


@pytest.mark.parametrize("text", ["${}", "${Nir}", "${today-3w}", "${today - 3d}", "${now+1d}", "${a.b}", "${a"])
def test_what_is_not_in_the_vocabulary_is_found(text: str) -> None:
    assert syntax_fault(text).startswith("${")


@pytest.mark.parametrize("text", ["${nirr}", "${uuid}", "${number}"])
def test_an_unknown_name_is_an_error_at_its_place(text: str) -> None:
    with pytest.raises(DataError) as caught:
        resolve(text, {"nir": "1"}, TODAY, file="s.yaml", line=12)
    assert (caught.value.file, caught.value.line) == ("s.yaml", 12)


def test_a_date_off_the_calendar_is_an_error() -> None:
    with pytest.raises(DataError, match="calendrier"):
        resolve("${today-99999y}", {}, TODAY)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,5}", fullmatch=True).filter(lambda n: n not in ("today", "now", "uuid")),
        st.text(max_size=20),
        max_size=5,
    ),
    st.text(alphabet="abc é<&", max_size=10),
)
def test_resolving_replaces_once_and_leaves_the_rest(bindings: dict[str, str], tail: str) -> None:
    text = "".join(f"[${{{name}}}]" for name in bindings) + tail
    assert resolve(text, bindings, TODAY) == "".join(f"[{value}]" for value in bindings.values()) + tail
    assert names(text) == set(bindings)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-1200, 1200))
def test_shifting_months_keeps_the_day_or_takes_the_last(day: date, number: int) -> None:
    moved = shift_date(day, number, "m")
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == number
    assert moved.day == day.day or (moved + timedelta(days=1)).day == 1


def test_bindings_are_resolved_once_per_execution(clock: Clock) -> None:
    bound = bind({"ne_le": "${today-4y}", "nom": "Lulu"}, clock)
    assert bound["ne_le"] == "2022-03-31" and bound["nom"] == "Lulu"
    assert len(bound["case_number"]) == 9 and bound["case_number"].isdigit()
