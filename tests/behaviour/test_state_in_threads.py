"""A partner's memory is written by one thread while the one that made it goes on parsing."""

from __future__ import annotations

import subprocess
import sys

WORK = """
import threading
from lxml import etree
from norms.behaviour.state import State

made, ready, over = [], threading.Event(), threading.Event()

def parses():
    made.append(State())
    ready.set()
    number = 0
    while not over.is_set():
        number += 1
        names = (f"<p{number}.{each}/>" for each in range(2000))
        etree.fromstring("<r>" + "".join(names) + "</r>")

parsing = threading.Thread(target=parses)
parsing.start()
ready.wait()
for number in range(2000):
    made[0].put("c", str(number % 50), {f"w{number}.{each}": "x" for each in range(50)})
over.set()
parsing.join()
print(len(made[0].xml))
"""


def test_a_state_may_be_written_beside_a_thread_that_parses() -> None:
    """In a process of its own: it dies when names of both land in one dictionary."""
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "50\n"), done.stderr
