"""Three SOAP toolkits that are not ours, each a program of a few lines in `clients/`, and how to ask them something."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

each_toolkit = pytest.mark.parametrize("name", ["zeep", "node", "php"])
PROGRAMS = Path(__file__).with_name("clients")
CHECKOUT = PROGRAMS.parent.parent.parent
MODULES = (".npm/node_modules", "node_modules")
"""Where npm packages are looked for besides NODE_PATH; .ci/run prepares the first one."""
ATTRIBUTES = ("Version", "Numero")
"""Names of the messages of Ville that are attributes: one of the toolkits wants to be told."""


@dataclass(frozen=True)
class Toolkit:
    """A program that speaks SOAP. missing: why it cannot be used here, "" when it can."""

    name: str
    command: tuple[str, ...]
    missing: str

    def ask(self, wsdl: str, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return {"answer": …} or {"fault": text}."""
        asked = {"wsdl": wsdl, "operation": operation, "attributes": ATTRIBUTES, "body": body}
        done = subprocess.run(
            self.command,
            input=json.dumps(asked).encode(),
            capture_output=True,
            env={**os.environ, "NODE_PATH": node_path()},
            timeout=60,
            check=False,
        )
        assert done.stdout, done.stderr.decode(errors="replace")
        said: dict[str, Any] = json.loads(done.stdout)
        return said


def node_path() -> str:
    places = [os.environ.get("NODE_PATH", ""), *(str(CHECKOUT / name) for name in MODULES)]
    return os.pathsep.join(filter(None, places))


def works(*command: str) -> bool:
    done = subprocess.run(command, capture_output=True, env={**os.environ, "NODE_PATH": node_path()}, check=False)
    return done.returncode == 0


@cache
def toolkit(name: str) -> Toolkit:
    """Return the toolkit of that name: zeep, node or php."""
    if name == "zeep":
        missing = "" if importlib.util.find_spec("zeep") else "zeep is not installed (it is in the extra [dev])"
        return Toolkit(name, (sys.executable, str(PROGRAMS / "soap_zeep.py")), missing)
    program = shutil.which(name)
    if program is None:
        return Toolkit(name, (), f"{name} is not installed")
    if name == "node":
        missing = "" if works(program, "-e", "require('soap')") else "the npm package soap is not in .npm/node_modules"
        return Toolkit(name, (program, str(PROGRAMS / "soap_node.js")), missing)
    missing = "" if works(program, "-r", "exit(class_exists('SoapClient') ? 0 : 1);") else "PHP has no SoapClient"
    return Toolkit(name, (program, str(PROGRAMS / "soap_php.php")), missing)


def usable(name: str) -> Toolkit:
    """Return the toolkit of that name; the test is skipped where it is not installed."""
    found = toolkit(name)
    if found.missing:
        pytest.skip(found.missing)
    return found


@contextmanager
def relay(environment: Mapping[str, str], *arguments: str) -> Iterator[dict[str, Any]]:
    """Run `poincon relay … --json` and yield what it says of itself."""
    command = [sys.executable, "-m", "poincon", "relay", *arguments, "--json"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=CHECKOUT, env=environment)
    assert running.stdout is not None
    try:
        lines = []
        while (line := running.stdout.readline()) and line.rstrip() != b"}":
            lines.append(line)
        yield json.loads(b"".join([*lines, line]))
    finally:
        running.kill()
        running.wait()
        running.stdout.close()
