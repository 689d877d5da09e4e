"""`poincon check` on a folder of a thousand messages of every norm: each is known by itself, and all are counted."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
import pytest
from front_doors import CHECKOUT, Call
from lxml import etree

from norms.case_check import is_case
from norms.check import CASE_KIND, checker_for
from norms.loader import available, load
from norms.model import Norm

MESSAGES = 1000
MEMORY = 200 * 1024 * 1024
# A process begins with the memory of the one that forks it, so a small one stands in between.
MEASURE = """
import resource, subprocess, sys
with open(sys.argv[1], "wb") as out:
    done = subprocess.run(sys.argv[2:], stdout=out)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
NORMS = CHECKOUT / "norms"


@dataclass(frozen=True)
class Given:
    """A message as it was put there. kind: "" for a SOAP fault, which several norms may know; cut: no XML any more."""

    norm: str
    kind: str
    valid: bool
    cut: bool = False

    def agrees(self, report: dict[str, Any]) -> bool:
        """Tell whether a report of `poincon check --json` names the message rightly and judges it rightly."""
        named = report["norm"] in (self.norm, "") if not self.kind else report["norm"] == self.norm
        rightly = named and (not self.kind or report["kind"] == self.kind)
        return report["valid"] == self.valid and (report["refusal"] == "malformed" if self.cut else rightly)


def norms() -> list[Norm]:
    """Return the bundled norms that have messages."""
    found = [load(ref, [NORMS]) for ref in available([NORMS])]
    return [norm for norm in found if norm.services]


def originals(norm: Norm) -> list[tuple[Path, bool]]:
    """Return the messages of a norm and whether they are valid."""
    good = [*norm.root.glob("messages/*.xml"), *norm.root.glob("examples/valid/*.xml")]
    bad = norm.root.glob("examples/invalid/*.xml")
    return [(path, True) for path in sorted(good)] + [(path, False) for path in sorted(bad)]


def kind_of(norm: Norm, root: etree._Element) -> str:
    identified = checker_for(norm).identify(root)
    return CASE_KIND if is_case(root) else identified[0] if identified else ""


def written(folder: Path) -> dict[str, Given]:
    """Write the messages, some broken: every seventh holds an element too many, every thirteenth is cut short."""
    sources = [(norm, path, valid) for norm in norms() for path, valid in originals(norm)]
    # There are more examples than places: every canonical message first, then the examples, spread over all norms.
    canonical = [source for source in sources if source[1].parent.name == "messages"]
    examples = [source for source in sources if source[1].parent.name != "messages"]
    room = min(MESSAGES - len(canonical), len(examples))
    sources = [*canonical, *(examples[place * len(examples) // room] for place in range(room))]
    given: dict[str, Given] = {}
    for number, (norm, path, valid) in zip(range(MESSAGES), cycle(sources), strict=False):
        root, content = etree.parse(path).getroot(), path.read_bytes()
        message = Given(norm.ref, kind_of(norm, root), valid)
        if number % 13 == 0:
            content, message = content[: len(content) // 2], Given(norm.ref, "", valid=False, cut=True)
        elif number % 7 == 0 and message.kind:
            body = next(root.iter("{*}Body"), None)
            etree.SubElement(root if body is None else body[0], "en-trop")
            content, message = etree.tostring(root), Given(norm.ref, message.kind, valid=False)
        file = folder / str(number % 10) / f"{number:04}.xml"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        given[str(file)] = message
    return given


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Given]]:
    folder = tmp_path_factory.mktemp("messages")
    return folder, written(folder)


@pytest.fixture(scope="module")
def checked(thousand: tuple[Path, dict[str, Given]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Exit code and greatest memory in bytes of `poincon check FOLDER --json`, and its reports."""
    out = tmp_path_factory.mktemp("out") / "reports.json"
    command = [sys.executable, "-m", "poincon", "check", str(thousand[0]), "--json"]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(out), *command],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        check=True,
    )
    code, peak = map(int, done.stdout.split())
    memory = peak * (1 if sys.platform == "darwin" else 1024)
    return {"code": code, "memory": memory, "reports": msgspec.json.decode(out.read_bytes())}


def test_each_of_a_thousand_messages_names_its_norm_and_kind(
    thousand: tuple[Path, dict[str, Given]], checked: dict[str, Any]
) -> None:
    _, given = thousand
    assert checked["code"] == 1
    assert len(checked["reports"]) == len(given) == MESSAGES
    assert [(one, given[one["path"]]) for one in checked["reports"] if not given[one["path"]].agrees(one)] == []
    assert {one["norm"] for one in checked["reports"]} >= {norm.ref for norm in norms()}


def test_a_thousand_messages_do_not_pile_up_in_memory(checked: dict[str, Any]) -> None:
    assert checked["memory"] < MEMORY


def test_the_end_counts_norms_kinds_and_verdicts(
    thousand: tuple[Path, dict[str, Given]], checked: dict[str, Any], call: Call
) -> None:
    told = call("check", thousand[0])
    assert told.code == 1
    lines = told.out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{MESSAGES} message(s)"))
    assert f"dont {sum(not one['valid'] for one in checked['reports'])} non valide(s)" in lines[start]
    counted = {}
    for line in lines[start + 1 :]:
        name, _, numbers = line.rpartition(" : ")
        counted[name.strip()] = tuple(int(part.split()[0]) for part in numbers.split(", "))
    for norm in norms():
        for service in norm.services:
            name = (norm.ref, service.kind, "response")
            told_of = Counter(
                one["valid"] for one in checked["reports"] if (one["norm"], one["kind"], one["direction"]) == name
            )
            assert counted[" ".join(name)] == (told_of[True], told_of[False])
    assert counted["refusé (malformed)"] == (0, sum(one.cut for one in thousand[1].values()))
    assert sum(map(sum, counted.values())) == MESSAGES
