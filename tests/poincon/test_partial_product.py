"""A product that does not do everything: what it declares away is not asked of it, and is listed."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
from front_doors import Call

from harness.record import Verdicts


def test_a_product_without_clc_needs_no_address_of_it_and_is_judged_on_the_rest(
    sut: Path, call: Call, tmp_path: Path
) -> None:
    text = re.sub(r"(?m)^    CLC: .*\n", "", sut.read_text(encoding="utf-8")).replace("ICS-CLC: yes", "ICS-CLC: no")
    less = tmp_path / "sut.yaml"
    less.write_text(text, encoding="utf-8")
    told = call("sut", "check", less)
    assert told.code == 0, told.out
    told = call("run", "--sut", less, "--out", tmp_path / "run", "--jobs", "2")
    verdicts = msgspec.json.decode((tmp_path / "run" / "verdicts.json").read_bytes(), type=Verdicts)
    assert told.code == 0, told.out
    assert verdicts.counts.not_selected > 10 and verdicts.counts.passed > 60
    off = {case.id for case in verdicts.cases if case.verdict == "not_selected"}
    assert "VIL-S-089" in off and "VIL-S-001@MED" not in off
    assert all(case.reason for case in verdicts.cases if case.id in off)
