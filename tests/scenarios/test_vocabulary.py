from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from scenarios.happenings import HTTP_DEVIATIONS, REPLIES, is_http_status, is_outcome, is_reply
from scenarios.json_schema import FILE, scenario_schema, schema_text
from scenarios.page import PARALLEL_MAXIMUM
from scenarios.vocabulary import CHECKS

DOCUMENT = Path(__file__).parents[2] / "docs" / "formats" / "scenario.md"


def documented(heading: str) -> set[str]:
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}", 1)[1].split("\n## ", 1)[0]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_every_check_is_documented_and_no_other() -> None:
    assert documented("Expectations") == set(CHECKS)


def test_every_http_deviation_is_documented_and_no_other() -> None:
    assert documented("`http:`") == set(HTTP_DEVIATIONS)


def test_every_reply_is_documented() -> None:
    section = DOCUMENT.read_text(encoding="utf-8").split("\n## `reply:`", 1)[1].split("\n## ", 1)[0]
    assert all(f"`{name}" in section for name in REPLIES)


def test_the_limit_of_parallel_is_documented() -> None:
    assert f"2 to {PARALLEL_MAXIMUM} copies" in DOCUMENT.read_text(encoding="utf-8")


def test_the_json_schema_file_is_the_vocabulary() -> None:
    assert FILE.read_text(encoding="utf-8") == schema_text()
    assert json.loads(schema_text()) == scenario_schema()


@pytest.mark.parametrize(
    "text", ["fault", "fault:SEC-01", "result:03", "tls", "reset", "http:403", "http:4xx", "http:413"]
)
def test_outcomes(text: str) -> None:
    assert is_outcome(text)


@pytest.mark.parametrize(
    "text", ["", "fault:", "faults", "http:", "http:40", "http:600", "http:4x3", "tls:", "fault: A"]
)
def test_not_outcomes(text: str) -> None:
    assert not is_outcome(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("normal", True), ("silence", True), ("fault:X", True), ("http:503", True), ("security:flow-missing", True),
        ("example:a.xml", True), ("fault:", False), ("fault", False), ("http:5xx", False), ("autre", False),
        ("normal:x", False), ("", False),
    ],
)  # fmt: skip
def test_replies(text: str, expected: bool) -> None:
    assert is_reply(text) is expected


def test_http_status() -> None:
    assert is_http_status("200") and is_http_status("5xx")
    assert not is_http_status("2000") and not is_http_status("xxx")
