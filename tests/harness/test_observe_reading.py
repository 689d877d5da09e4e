"""Recordings that others wrote: every way in which an exchange is kept gives the same exchange, and damage is told."""

from __future__ import annotations

import base64
import gzip
import io
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import entry, har, observe, pair, record, talk, warc, whole
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from harness import warc as own
from harness.observation.har import HarRecording
from harness.observation.opening import open_recording
from harness.observation.recording import RecordingError
from harness.observation.warc_exchanges import MOST_OPEN
from harness.record import Exchange, TlsFacts
from norms.errors import UsageError

IDB = talk("IDB")


def counted(path: Path) -> tuple[int, int, int, int]:
    counts = observe(path).counts
    return counts.exchanges, counts.recognised, counts.unanswered, counts.valid


@pytest.mark.parametrize("compressed", [True, False])
def test_a_warc_compressed_or_not(tmp_path: Path, compressed: bool) -> None:
    assert counted(warc(tmp_path / "file", whole()[:2], compressed=compressed)) == (2, 2, 0, 4)


def test_a_warc_as_one_gzip_stream(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(pair(IDB) + pair(talk("CLC", 5))))
    assert counted(path) == (2, 2, 0, 4)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # warcio leaves its buffers open
def test_what_warcio_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        writer.write_record(writer.create_warcinfo_record("a.warc.gz", {"software": "warcio"}))
        writer.write_request_response_pair(
            writer.create_warc_record(
                IDB.address,
                "request",
                payload=io.BytesIO(IDB.request),
                http_headers=StatusAndHeaders(
                    "POST /IDB HTTP/1.1", [("Content-Type", IDB.media)], is_http_request=True
                ),
            ),
            writer.create_warc_record(
                IDB.address,
                "response",
                payload=io.BytesIO(IDB.response),
                http_headers=StatusAndHeaders("200 OK", [("Content-Type", IDB.media)], protocol="HTTP/1.1"),
            ),
        )
    assert counted(path) == (1, 1, 0, 2)


def test_a_run_of_our_own(tmp_path: Path) -> None:
    exchange = Exchange(
        "C#1.1", "C", 1, 1, "step", "IDB", IDB.address, IDB.asked, IDB.answered, "answered", "", {}, "", "", TlsFacts(),
        IDB.http_request(), IDB.http_response(), duration_ms=12.5,
    )  # fmt: skip
    arrived = replace_exchange(exchange, id="C#2.1", outcome="received", duration_ms=0.0)
    silent = replace_exchange(exchange, id="C#3.1", outcome="silent", request=b"", response=b"")
    cut = replace_exchange(exchange, id="C#4.1", outcome="timeout", response=b"HTTP/1.1 200 X\r\n")
    path = tmp_path / "exchanges.warc.gz"
    path.write_bytes(own.first_record("t", IDB.asked) + b"".join(map(own.stored, (exchange, arrived, silent, cut))))
    recording = open_recording(path)
    found = list(recording)
    assert recording.ignored == {}
    assert [(each.name, each.case, each.took_ms) for each in found] == [
        ("C#1.1", "C", 12.5), ("C#2.1", "C", None), ("C#4.1", "C", None),
    ]  # fmt: skip
    assert [each.asked_at for each in found[:2]] == [IDB.asked, IDB.answered], "an awaited message came when it came"
    assert counted(path) == (3, 3, 1, 5)


def replace_exchange(exchange: Exchange, **changes: object) -> Exchange:
    return msgspec.structs.replace(exchange, **changes)


def chunked(body: bytes) -> bytes:
    return (
        b"".join(b"%x\r\n%s\r\n" % (len(body[at : at + 700]), body[at : at + 700]) for at in range(0, len(body), 700))
        + b"0\r\n\r\n"
    )


CODED = {
    "chunked": (("Transfer-Encoding: chunked",), chunked(IDB.response)),
    "gzip": (("Content-Encoding: gzip",), gzip.compress(IDB.response)),
    "chunked gzip": (("Transfer-Encoding: chunked", "Content-Encoding: gzip"), chunked(gzip.compress(IDB.response))),
    "chunks undone by the recorder": (("Transfer-Encoding: chunked",), IDB.response),
    "gzip undone by the recorder": (("Content-Encoding: gzip", "Content-Length: 99"), IDB.response),
    "neither length nor coding": (("X-Nothing: 1",), IDB.response),
}


@pytest.mark.parametrize("name", CODED)
def test_bodies_in_their_codings(tmp_path: Path, name: str) -> None:
    headers, body = CODED[name]
    one = replace(IDB, answer_headers=headers, answer_body=body)
    assert counted(warc(tmp_path / "a", [one])) == (1, 1, 0, 2)


def test_a_body_cut_by_the_recorder_is_not_blamed_on_its_sender(tmp_path: Path) -> None:
    one = replace(IDB, answer_headers=(f"Content-Length: {len(IDB.response)}",), answer_body=IDB.response[:500])
    observation = observe(warc(tmp_path / "a", [one]))
    assert (observation.exit_code, observation.counts.inconclusive) == (3, 1)


def test_records_are_brought_together_by_their_links_wherever_they_stand(tmp_path: Path) -> None:
    first, second = pair(IDB), pair(talk("CLC", 5))
    cut_first, cut_second = (each.index(b"WARC/1.0", 1) for each in (first, second))
    mixed = first[:cut_first] + second[:cut_second] + second[cut_second:] + first[cut_first:]
    path = tmp_path / "a.warc"
    path.write_bytes(mixed)
    assert counted(path) == (2, 2, 0, 4)


def test_two_answers_to_one_request_are_two_exchanges(tmp_path: Path) -> None:
    links = {"WARC_Target_URI": IDB.address, "WARC_Date": IDB.asked, "Content_Type": "application/http"}
    path = tmp_path / "a.warc"
    path.write_bytes(
        record("response", IDB.http_response(), identity="<urn:uuid:a>", **links)
        + record("response", IDB.http_response(), WARC_Concurrent_To="<urn:uuid:a>", **links)
        + record("request", IDB.http_request(), WARC_Concurrent_To="<urn:uuid:a>", **links)
    )
    assert counted(path)[:2] == (2, 2)


def test_records_without_links_belong_together_when_they_stand_together(tmp_path: Path) -> None:
    def alone(kind: str, block: bytes, uri: str) -> bytes:
        return record(kind, block, WARC_Target_URI=uri, WARC_Date=IDB.asked, Content_Type="application/http")

    path = tmp_path / "a.warc"
    path.write_bytes(
        alone("request", IDB.http_request(), "https://a/1")
        + alone("response", IDB.http_response(), "https://a/1")
        + alone("request", IDB.http_request(), "https://a/2")
        + alone("response", IDB.http_response(), "https://a/3")
    )
    assert counted(path)[:3] == (3, 3, 1)


def test_other_records_are_passed_over_and_counted(tmp_path: Path) -> None:
    revisit = record("revisit", b"HTTP/1.1 200 OK\r\n\r\n", identity="<urn:uuid:r>", WARC_Target_URI=IDB.address)
    asked = record(
        "request", IDB.http_request(), WARC_Target_URI=IDB.address, WARC_Date=IDB.asked,
        Content_Type="application/http; msgtype=request", WARC_Concurrent_To="<urn:uuid:r>",
    )  # fmt: skip
    path = tmp_path / "a.warc"
    path.write_bytes(
        pair(IDB)
        + record("resource", b"x")
        + record("metadata", b"a: b\r\n")
        + record("\x1b[2J", b"")
        + revisit
        + asked
    )
    observation = observe(path)
    assert observation.ignored == {"metadata": 1, "other": 1, "resource": 1, "revisit": 1}
    assert (observation.counts.exchanges, observation.counts.unanswered, observation.exit_code) == (2, 0, 3)
    assert observation.findings[0].finding.reason == "not-recorded"


def test_halves_that_never_meet_do_not_pile_up(tmp_path: Path) -> None:
    lone = [
        record("request", IDB.http_request(), WARC_Target_URI=f"https://a/{number}", Content_Type="application/http",
               WARC_Concurrent_To=f"<urn:uuid:{number}>")
        for number in range(MOST_OPEN + 10)
    ]  # fmt: skip
    path = tmp_path / "a.warc"
    path.write_bytes(b"".join(lone))
    recording = open_recording(path)
    next(iter(recording))
    assert len(recording._open) == MOST_OPEN  # type: ignore[attr-defined]
    assert observe(path).counts.unanswered == MOST_OPEN + 10


# -- HAR -----------------------------------------------------------------------------------------------------


def test_a_har(tmp_path: Path) -> None:
    observation = observe(har(tmp_path / "a.har", [entry(IDB), entry(talk("CLC", 5))]))
    assert (observation.exit_code, observation.kind, observation.counts.valid) == (0, "har", 4)
    assert [(each.kind, each.median_ms) for each in observation.times] == [("CLC", 40.0), ("IDB", 40.0)]


def test_a_har_in_base64_behind_a_byte_order_mark_in_gzip(tmp_path: Path) -> None:
    one = entry(IDB)
    one["response"]["content"] |= {"text": base64.b64encode(IDB.response).decode(), "encoding": "base64"}
    path = har(tmp_path / "a.har", [one])
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + path.read_bytes()))
    assert counted(path) == (1, 1, 0, 2)


def test_a_har_of_a_message_in_utf_16(tmp_path: Path) -> None:
    one = entry(IDB)
    one["response"]["content"]["text"] = '<?xml version="1.0" encoding="UTF-16"?>' + IDB.response.decode()
    one["response"]["content"]["mimeType"] = "application/soap+xml"
    assert counted(har(tmp_path / "a.har", [one])) == (1, 1, 0, 2)


def test_bodies_that_a_har_does_not_hold(tmp_path: Path) -> None:
    without, unanswered, nothing = entry(IDB), entry(IDB), entry(IDB)
    del without["response"]["content"]["text"]
    unanswered["response"] = {"status": 0, "content": {}}
    del nothing["request"]["postData"]
    nothing["response"] = {"status": 204}
    observation = observe(har(tmp_path / "a.har", [without, unanswered, nothing]))
    counts = observation.counts
    assert (counts.recognised, counts.unrecognised, counts.unanswered, counts.inconclusive) == (2, 1, 1, 1)
    assert (observation.exit_code, observation.unrecognised[0].reason) == (3, "sans corps")


def test_empty_optional_parts_of_a_har(tmp_path: Path) -> None:
    one = entry(IDB) | {"timings": None, "time": None}
    one["request"] |= {"bodySize": None}
    assert counted(har(tmp_path / "a.har", [one])) == (1, 1, 0, 2)


# -- what is none --------------------------------------------------------------------------------------------

WARC = pair(IDB)
HAR = b'{"log": {"entries": [{"request": {"method": "POST", "url": "https://a/"}}]}}'
BAD = {
    "empty": (b"", "vide"),
    "text": (b"bonjour", "ni un WARC ni un HAR"),
    "gzip of text": (gzip.compress(b"bonjour"), "ni un WARC ni un HAR"),
    "gzip cut at once": (gzip.compress(WARC)[:12], "abîmée ou coupée"),
    "gzip cut": (gzip.compress(WARC)[:-30], "coupé"),
    "gzip damaged": (gzip.compress(WARC)[:-8] + b"\0" * 8, "abîmée"),
    "gzip followed by garbage": (gzip.compress(WARC) + b"garbage", "abîmée"),
    "record cut": (WARC[:-900], "coupé"),
    "headers cut": (WARC[:60], "coupé"),
    "no length": (WARC.replace(b"Content-Length", b"Content-Width", 1), "longueur"),
    "another length": (WARC.replace(b"Content-Length: ", b"Content-Length: -", 1), "longueur"),
    "too long headers": (b"WARC/1.0\r\n" + b"A: b\r\n" * 20_000 + b"\r\n", "trop longs"),
    "garbage after a record": (WARC + b"garbage", "ne commence pas"),
    "not JSON": (b'{"log": {"entries": [', "JSON"),
    "not HAR": (b'{"log": {}}', "HAR"),
    "not a HAR entry": (b'{"log": {"entries": [{"request": 7}]}}', "entrée 1"),
    "deep JSON": (b'{"log":' + b"[" * 100_000, "JSON"),
    "latin-1": ('{"log": {"entries": [{"request": {"url": "é"}}]}}'.encode("latin-1"), "entrée 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_recording_is_told_in_a_sentence(tmp_path: Path, name: str) -> None:
    data, said = BAD[name]
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(RecordingError, match=said) as told:
        observe(path)
    assert told.value.exit_code == 2 and str(path) in str(told.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_file_edited_at_random_is_judged_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([WARC, HAR, gzip.compress(WARC)])))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        content[start : start + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
    path = tmp_path / "file"
    path.write_bytes(content)
    try:
        assert observe(path).exit_code in (0, 1, 3)
    except RecordingError as told:
        assert told.exit_code == 2


def test_a_har_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.observation.har.MOST_BYTES", 20)
    path = tmp_path / "a.har"
    path.write_bytes(HAR)
    with pytest.raises(RecordingError, match="au plus"):
        list(HarRecording(path, compressed=False))


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(UsageError):
            open_recording(path)
