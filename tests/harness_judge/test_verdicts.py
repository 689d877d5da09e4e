"""Counts, the verdict of a run, exit codes and the bytes of verdicts.json."""

from __future__ import annotations

import itertools
import json

import msgspec
import pytest
from judge_samples import CONTEXT, answer, case, exchange, expect, fault, send

from harness.judge import judge
from harness.record import CaseVerdict, Counts
from harness.verdicts import assemble, canonical, count, exit_code, overall, read_verdicts
from norms.errors import DataError
from scenarios.model import NotSelected, Suite

STEP = send(expect("result", value="00"))


def suite(*ids: str) -> Suite:
    cases = tuple(msgspec.structs.replace(case(STEP), id=name) for name in ids)
    return Suite(
        "f", "mini/1.0", "1", "reconstruction", "d", "server", cases, (NotSelected("Z", "sans objet ici"),), "q"
    )


def verdicts(**counts: int):
    names = [name for name, number in counts.items() for _ in range(number)]
    cases = [CaseVerdict(f"C{index}", "C", name, ()) for index, name in enumerate(names)]
    made = Suite("f", "n", "1", "reconstruction", "d", "server", (), (), "q")
    empty = assemble(made, "t", ())
    return msgspec.structs.replace(empty, counts=count(cases), cases=tuple(cases))


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ({"pass": 2}, 0),
        ({"pass": 2, "not_selected": 1, "not_run": 1}, 0),
        ({}, 3),
        ({"not_run": 3}, 3),
        ({"not_selected": 3}, 3),
        ({"pass": 2, "inconclusive": 1}, 3),
        ({"pass": 2, "error": 1}, 4),
        ({"pass": 2, "error": 1, "inconclusive": 1}, 4),
        ({"pass": 2, "fail": 1}, 1),
        ({"fail": 1, "error": 1, "inconclusive": 1}, 1),
    ],
)
def test_exit_codes(counts, code):
    assert exit_code(verdicts(**counts)) == code


def test_a_partial_certification_run_is_inconclusive_at_best():
    assert exit_code(verdicts(**{"pass": 1}), partial=True) == 3
    assert exit_code(verdicts(fail=1), partial=True) == 1


def test_only_passes_alone_make_a_pass():
    for numbers in itertools.product((0, 1), repeat=6):
        counts = Counts(*numbers)
        assert (overall(counts) == "pass") == (numbers[0] == 1 and not any(numbers[1:4]))


def test_a_run_is_told_whole():
    told = judge(
        CONTEXT,
        suite("A", "B", "C", "D"),
        {"A": [exchange()], "B": [exchange(answer("10"))]},
        not_run={"C": "pas de carte"},
    )
    assert [(each.id, each.verdict) for each in told.cases] == [
        ("A", "pass"), ("B", "fail"), ("C", "not_run"), ("D", "inconclusive"), ("Z", "not_selected"),
    ]  # fmt: skip
    assert told.counts == Counts(1, 1, 1, 0, 1, 1)
    assert (told.verdict, told.cases[2].reason, told.cases[4].reason) == ("fail", "pas de carte", "sans objet ici")


def test_a_failure_stands_although_the_case_could_not_be_ended():
    reasons = {"A": "certificat absent"}
    assert judge(CONTEXT, suite("A"), {"A": [exchange(fault())]}, not_run=reasons).verdict == "fail"
    assert judge(CONTEXT, suite("A"), {"A": [exchange()]}, not_run=reasons).cases[0].verdict == "not_run"


def test_a_fixed_verdict_is_kept():
    fixed = CaseVerdict("A", "A", "error", (), reason="incident")
    assert judge(CONTEXT, suite("A"), {"A": [exchange()]}, fixed={"A": fixed}).cases[0] == fixed


def test_a_case_without_any_verdict_was_not_run():
    assert assemble(suite("A"), "t", ()).cases[0].verdict == "not_run"


def test_the_bytes_are_canonical_and_are_read_again():
    told = judge(CONTEXT, suite("A", "B"), {"A": [exchange(answer("é"))], "B": [exchange()]})
    content = canonical(told)
    assert read_verdicts(content) == told
    assert canonical(read_verdicts(content)) == content
    assert "é" in content.decode()
    assert list(json.loads(content)) == sorted(json.loads(content))
    assert list(json.loads(content)["counts"]) == ["error", "fail", "inconclusive", "not_run", "not_selected", "pass"]
    assert b"duration" not in content
    assert content.endswith(b"}\n")


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"format": "other/1"}'])
def test_other_files_are_refused(content):
    with pytest.raises(DataError):
        read_verdicts(content, "verdicts.json")


def test_another_format_is_refused():
    other = msgspec.structs.replace(verdicts(), format="poincon/verdicts/9")
    with pytest.raises(DataError):
        read_verdicts(canonical(other))
