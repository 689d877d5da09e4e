"""The capture of the practice software: a HAR that is whole at every moment, whatever the exchange was."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path

import pytest

from norms.errors import UsageError
from sandbox.capture import HarCapture, Heard

URL = "https://localhost/x"


def exchange(body: bytes = b"<a/>") -> Heard:
    heard = Heard(URL, {"Content-Type": "text/xml"}, body)
    for phase in ("connect", "send", "wait", "receive"):
        heard.reached(phase)
    heard.answered(200, [("Content-Type", "text/xml; charset=utf-8")], b"<b>\xc3\xa9</b>")
    return heard


def entries(path: Path) -> list[dict[str, dict[str, object]]]:
    return list(json.loads(path.read_text(encoding="utf-8"))["log"]["entries"])


def test_the_file_is_whole_after_each_exchange(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    with HarCapture(path) as capture:
        assert entries(path) == []
        for number in range(1, 4):
            capture.add(exchange())
            assert len(entries(path)) == number
    assert entries(path)[0]["response"]["content"]["text"] == "<b>é</b>"  # type: ignore[index]


def test_what_har_asks_of_an_entry(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    with HarCapture(path) as capture:
        capture.add(exchange())
    (entry,) = entries(path)
    assert entry["request"].keys() >= {
        "method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize",
    }  # fmt: skip
    assert entry["response"].keys() >= {
        "status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize",
    }  # fmt: skip
    timings = entry["timings"]
    assert all(isinstance(timings[phase], int | float) and timings[phase] >= 0 for phase in ("send", "wait", "receive"))
    assert str(entry["startedDateTime"]).endswith("Z")


def test_no_answer_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    silent = Heard(URL, {}, b"\xff\xfe<\x00")
    silent.comment = "TimeoutError"
    with HarCapture(path) as capture:
        capture.add(silent)
    (entry,) = entries(path)
    assert (entry["response"]["status"], entry["comment"]) == (0, "TimeoutError")
    sent = entry["request"]["postData"]
    assert isinstance(sent, dict) and sent["encoding"] == "base64"
    assert base64.b64decode(sent["text"]) == b"\xff\xfe<\x00"


def test_threads_may_share_it(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    with HarCapture(path) as capture:
        threads = [
            threading.Thread(target=lambda: [capture.add(exchange()) for _ in range(20)], daemon=True) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(entries(path)) == 80


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ne peut pas être écrit"):
        HarCapture(tmp_path / "no" / "a.har")
