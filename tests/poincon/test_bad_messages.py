"""Files that are no messages, and files of every kind edited at random: refused in a sentence, never a traceback."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from clumsy import PAGE, refusal
from front_doors import Call
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from norms.check import check_files
from norms.errors import DataError
from norms.loader import load
from scenarios.declaration import read_sut
from scenarios.reader import read_scenarios

SOAP = "http://www.w3.org/2003/05/soap-envelope"

BIG = 50 * 1024 * 1024
MESSAGES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "empty": (b"", ("Le message est vide",)),
    "binary": (gzip.compress(b"<a/>"), ("ni en UTF-8 ni en UTF-16",)),
    "HTML": (b"<!DOCTYPE html><html><body><p>Erreur 502<br></body></html>", ("DOCTYPE",)),
    "JSON": (json.dumps({"nir": "1"}).encode(), ("XML",)),
    "DOCTYPE": (b'<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY b "c">]>\n<a>&b;</a>', ("DOCTYPE",)),
    "a file of the disk": (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>', ("DOCTYPE",)),
    "cut": (f'<s:Envelope xmlns:s="{SOAP}"><s:Body>'.encode(), ("XML",)),
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?><a/>', ("UTF-7",)),
    "of no norm": (f'<s:Envelope xmlns:s="{SOAP}"><s:Body><a/></s:Body></s:Envelope>'.encode(), ("norme",)),
    "deep": (b"<a>" * 5000 + b"</a>" * 5000, ("niveaux",)),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_that_is_none(name: str, call: Call, tmp_path: Path) -> None:
    content, words = MESSAGES[name]
    file = tmp_path / "message.xml"
    file.write_bytes(content)
    told = call("check", file)
    said = told.out + told.err
    assert told.code == 1, told
    assert "Traceback" not in said
    assert said.startswith(str(file)), said
    assert all(word in said for word in words), said
    assert len(said) < 1000


def test_a_message_of_50_megabytes(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "message.xml"
    with file.open("wb") as stream:
        stream.write(f'<s:Envelope xmlns:s="{SOAP}"><s:Body><a>'.encode())
        stream.seek(BIG)
        stream.write(b"</a></s:Body></s:Envelope>")
    told = call("check", file)
    assert told.code == 1
    assert str(file) in told.out
    assert "Traceback" not in told.out + told.err
    assert re.search(r"octets|gros|volumineu", told.out), told.out


def test_messages_that_are_not_there(call: Call, tmp_path: Path) -> None:
    refusal(call("check", tmp_path / "absent.xml"), 2, "absent.xml")
    (tmp_path / "empty").mkdir()
    told = call("check", tmp_path / "empty")
    assert told.code != 0, "nothing was checked: that is no success"
    assert "Traceback" not in told.out + told.err
    assert told.out + told.err
    message = load("ville/1.1").root / "messages" / "IDB.request.xml"
    refusal(call("check", message, "--norm", "ville/7"), 2, "« ville/7 »")
    refusal(call("check", message, "--message", "IDBB"), 2, "« IDBB » est inconnu", "« IDB »")


# -- at random -----------------------------------------------------------------------------------------------

SPITEFUL = b"\x00\xff\t:{}[]\"'&*!|>-#%@,;<\n 0aZ"
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["replace", "insert", "delete", "repeat a line", "drop a line", "indent a line", "cut"]),
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(SPITEFUL),
    ),
    min_size=1,
    max_size=4,
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def edited(content: bytes, edits: list[tuple[str, float, int]]) -> bytes:
    """Return what a clumsy hand makes of a file."""
    for what, where, byte in edits:
        place = int(where * len(content))
        lines = content.split(b"\n")
        line = int(where * len(lines))
        content = {
            "replace": content[:place] + bytes([byte]) + content[place + 1 :],
            "insert": content[:place] + bytes([byte]) + content[place:],
            "delete": content[:place] + content[place + 1 + byte % 40 :],
            "repeat a line": b"\n".join([*lines[:line], *lines[line : line + 1] * 2, *lines[line + 1 :]]),
            "drop a line": b"\n".join([*lines[:line], *lines[line + 1 :]]),
            "indent a line": b"\n".join([*lines[:line], b"  " + lines[line], *lines[line + 1 :]]),
            "cut": content[:place],
        }[what]
    return content


@QUICK
@given(edits=EDITS)
def test_a_declaration_edited_at_random_is_read_or_refused_in_a_sentence(
    edits: list[tuple[str, float, int]], sut: Path, tmp_path: Path
) -> None:
    file = tmp_path / "sut.yaml"
    file.write_bytes(edited(sut.read_bytes(), edits))
    try:
        read_sut(file)
    except DataError as error:
        assert str(error).startswith(str(file))


@QUICK
@given(edits=EDITS)
def test_a_message_edited_at_random_is_checked_or_refused_in_a_sentence(
    edits: list[tuple[str, float, int]], tmp_path: Path
) -> None:
    message = load("ville/1.1").root / "messages" / "CLC.request.xml"
    file = tmp_path / "message.xml"
    file.write_bytes(edited(message.read_bytes(), edits))
    (report,) = check_files([file])
    assert report.valid or report.why or all(problem.message for problem in report.problems)


@QUICK
@given(edits=EDITS)
def test_a_scenario_edited_at_random_is_read_or_refused_in_a_sentence(
    edits: list[tuple[str, float, int]], tmp_path: Path
) -> None:
    file = tmp_path / "annuaire" / "1.0" / "server" / "ANN-S-900.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(edited(PAGE.encode(), edits))
    try:
        read_scenarios(load("annuaire/1.0"), [tmp_path])
    except DataError as error:
        assert str(error).startswith(str(file))
