"""Whatever a driver does, the laboratory gets a sentence that says so, and goes on with the next stimulus."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.conversation import COMPLAINT
from harness.driver import FORMAT, Actor, Outcome, Stimulus, actor_of
from scenarios.declaration import Driver

ACCEPTED = '{"outcome": "accepted"}'
READS = "import json, sys\nline = sys.stdin.readline()\n"


def stimulus(case: str = "C-1", size: int = 1) -> Stimulus:
    return Stimulus(FORMAT, case, 1, "Faites.", {"a": "b" * size}, {"PING": "https://x/"})


def driver(folder: Path, program: str, mode: str = "one-shot", seconds: float = 20.0, secrets: tuple[str, ...] = ()):
    (folder / "driver.py").write_text(program, encoding="utf-8")
    return actor_of(Driver(f'"{sys.executable}" driver.py', mode, seconds), folder, secrets)  # type: ignore[arg-type]


def one(actor: Actor, case: str = "C-1") -> Outcome:
    try:
        return actor.act(stimulus(case))
    finally:
        actor.close()


WELL = {
    "says so": "print(json.dumps({'outcome': 'accepted', 'message': 'élu'}))",
    "ends its line as Windows does": 'sys.stdout.buffer.write(b\'{"outcome": "accepted"}\\r\\n\')',
    "begins with a byte order mark": 'sys.stdout.buffer.write(b\'\\xef\\xbb\\xbf{"outcome": "accepted"}\\n\')',
    "leaves a blank line first": f"print(); print('{ACCEPTED}')",
    "ends without a line end": f"sys.stdout.write('{ACCEPTED}')",
    "says more than is asked for": 'print(\'{"outcome": "accepted", "version": 3}\')',
    "chatters on its standard error": f"sys.stderr.write('.' * 3_000_000); print('{ACCEPTED}')",
}


@pytest.mark.parametrize("name", WELL)
@pytest.mark.parametrize("mode", ["one-shot", "persistent"])
def test_what_a_driver_may_do(tmp_path: Path, name: str, mode: str) -> None:
    outcome = one(driver(tmp_path, READS + WELL[name], mode))
    assert (outcome.report, outcome.told.outcome) == ("completed", "accepted"), outcome.message


AMISS = {
    "hangs": (READS + "import time; time.sleep(60)", "aucune réponse en"),
    "hangs without reading": ("import time; time.sleep(60)", "aucune réponse en"),
    "ends": (READS + "raise SystemExit(3)", "il s'est arrêté sans répondre (code de sortie 3)"),
    "ends without reading": ("raise SystemExit(3)", "il s'est arrêté sans répondre (code de sortie 3)"),
    "crashes": (READS + "json.loads('x')", "« json.decoder.JSONDecodeError: Expecting value"),
    "closes its output": (READS + "import os, time; os.close(1); time.sleep(60)", "fermé sa sortie standard"),
    "talks nonsense": (READS + "print('bonjour')", "il n'a pas écrit le JSON attendu"),
    "quotes its nonsense": (READS + "print('bonjour')", "« bonjour »"),
    "does not know the outcomes": (READS + 'print(\'{"outcome": "maybe"}\')', "JSON attendu"),
    "gives amounts as numbers": (READS + 'print(\'{"outcome": "accepted", "amounts": {"a": 9.0}}\')', "amounts"),
    "gives no object": (READS + "print('[]')", "JSON attendu"),
    "nests without end": (READS + 'print(\'{"outcome": "accepted", "x": \' + \'[\' * 60000)', "JSON attendu"),
    "writes Latin-1": (READS + "sys.stdout.buffer.write('{\"message\": \"é\"}\\n'.encode('latin-1'))", "UTF-8"),
    "writes UTF-16": (READS + f"sys.stdout.buffer.write('{ACCEPTED}\\n'.encode('utf-16'))", "UTF-8"),
    "writes binary": (READS + "sys.stdout.buffer.write(bytes(range(256)))", "il n'"),
    "floods in one line": (READS + "while True: sys.stdout.write('x' * 100000)", "il a écrit plus de 65536 octets"),
    "floods in lines": (READS + "while True: print('x')", "plus de 8 lignes|JSON attendu"),
    "floods in blank lines": (READS + "while True: print()", "plus de 8 lignes"),
    "floods its standard error": (READS + "while True: sys.stderr.write('x' * 100000)", "aucune réponse en"),
    "fails and says why": (READS + 'print(\'{"outcome": "failed", "message": "écran absent"}\')', "écran absent"),
    "fails without a word": (READS + 'print(\'{"outcome": "failed"}\')', "il ne dit pas pourquoi"),
}


@pytest.mark.parametrize("name", AMISS)
@pytest.mark.parametrize("mode", ["one-shot", "persistent"])
def test_what_a_driver_may_not_do_is_said(tmp_path: Path, name: str, mode: str) -> None:
    program, sentence = AMISS[name]
    quick = "aucune réponse" in sentence
    outcome = one(driver(tmp_path, program, mode, 0.8 if quick else 20.0))
    assert outcome.report == "failed"
    assert any(each in outcome.message for each in sentence.split("|")), outcome.message
    assert outcome.told.outcome == ""


def test_a_driver_that_does_not_exist_is_said(tmp_path: Path) -> None:
    assert "il ne démarre pas" in one(actor_of(Driver("no-such-program-here"), tmp_path)).message


def test_a_command_with_an_open_quotation_mark_is_said(tmp_path: Path) -> None:
    assert "il ne démarre pas" in one(actor_of(Driver('python "driver.py'), tmp_path)).message


def test_two_lines_for_one_stimulus_say_nothing(tmp_path: Path) -> None:
    refused = ACCEPTED.replace("accepted", "refused")
    outcome = one(driver(tmp_path, READS + f"print('{ACCEPTED}'); print('{refused}')"))
    assert outcome.report == "failed" and "plusieurs lignes" in outcome.message


def test_a_one_shot_driver_is_not_waited_for_after_its_line(tmp_path: Path) -> None:
    program = READS + f"print('{ACCEPTED}', flush=True)\nimport time; time.sleep(60)"
    assert one(driver(tmp_path, program)).report == "completed"


PARROT = """\
import json, sys, pathlib, time
starts = pathlib.Path('starts')
starts.write_text(starts.read_text() + 'x' if starts.exists() else 'x')
for line in sys.stdin:
    case = json.loads(line)['case']
    {act}
    print(json.dumps({{'outcome': 'completed', 'message': case}}), flush=True)
"""


def told(folder: Path, act: str, *cases: str) -> list[str]:
    """What a persistent driver said of each case, "failed" where it failed; then how often it was started."""
    actor = driver(folder, PARROT.format(act=act), "persistent", 5.0)
    try:
        said = []
        for case in cases:
            outcome = actor.act(stimulus(case))
            said.append(outcome.message if outcome.report == "completed" else "failed")
            time.sleep(0.2)
    finally:
        actor.close()
    return [*said, f"started {len((folder / 'starts').read_text())}"]


def test_a_persistent_driver_is_started_once(tmp_path: Path) -> None:
    assert told(tmp_path, "pass", "a", "b", "c") == ["a", "b", "c", "started 1"]


def test_one_that_dies_is_replaced_for_the_next_stimulus(tmp_path: Path) -> None:
    assert told(tmp_path, "if case == 'b': sys.exit(1)", "a", "b", "c") == ["a", "failed", "c", "started 2"]


def test_one_that_dies_between_two_stimuli_spoils_neither(tmp_path: Path) -> None:
    act = "if case == 'a': print(json.dumps({'outcome': 'completed', 'message': 'a'}), flush=True); sys.exit(0)"
    assert told(tmp_path, act, "a", "b") == ["a", "b", "started 2"]


def test_one_that_says_it_failed_is_kept(tmp_path: Path) -> None:
    act = "if case == 'b': print(json.dumps({'outcome': 'failed', 'message': 'x'}), flush=True); continue"
    assert told(tmp_path, act, "a", "b", "c") == ["a", "failed", "c", "started 1"]


def test_what_was_said_before_it_was_asked_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    act = "if case == 'a': print(json.dumps({'outcome': 'accepted', 'message': 'too early'}), flush=True)"
    assert told(tmp_path, act, "a", "b", "c") == ["too early", "failed", "c", "started 2"]


def test_one_that_never_reads_does_not_block_whatever_is_sent(tmp_path: Path) -> None:
    actor = driver(tmp_path, "import time; time.sleep(60)", "persistent", 0.3)
    outcome = actor.act(stimulus(size=3_000_000))
    actor.close()
    assert "aucune réponse" in outcome.message


def test_the_end_of_standard_error_is_kept_and_masked(tmp_path: Path) -> None:
    nir = "1 09 07 63 220 834 89"
    program = READS + f"sys.stderr.write('début ' + 'x' * 9000 + ' {nir} mot-de-passe\\nla fin {nir} mot-de-passe')"
    message = one(driver(tmp_path, program, secrets=("mot-de-passe",))).message
    assert "« la fin 1************89 ••• »" in message
    assert "début" not in message and "mot-de-passe" not in message and "220" not in message
    assert COMPLAINT < len(message) < COMPLAINT + 300


LEAVES_A_CHILD = """\
import subprocess, sys
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])
open('child', 'w').write(str(child.pid))
{then}
"""


def alive(number: int) -> bool:
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(number)], capture_output=True, check=False).stdout.strip()
    return bool(told) and not told.startswith(b"Z")


@pytest.mark.skipif(os.name != "posix", reason="the children of a program that has ended are found on POSIX only")
@pytest.mark.parametrize(
    ("then", "report"),
    [(f"print('{ACCEPTED}')", "completed"), ("sys.exit(1)", "failed"), ("child.wait()", "failed")],
    ids=["answers", "ends", "hangs"],
)
@pytest.mark.parametrize("mode", ["one-shot", "persistent"])
def test_what_a_driver_started_ends_with_it(tmp_path: Path, then: str, report: str, mode: str) -> None:
    outcome = one(driver(tmp_path, READS + LEAVES_A_CHILD.format(then=then), mode, 1.5))
    child = int((tmp_path / "child").read_text())
    assert outcome.report == report, outcome.message
    for _ in range(50):
        if not alive(child):
            break
        time.sleep(0.1)
    assert not alive(child)
