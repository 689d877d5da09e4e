"""Ports and files that cannot be used: one sentence, exit code 2, no traceback."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from front_doors import Call, CompleteRun


@pytest.mark.parametrize("port", ["99999", "-1", "huit", "8443.5", "١٢"])
def test_a_port_that_is_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    from poincon.__main__ import main

    with pytest.raises(SystemExit) as ended:
        main(["sandbox", "serve", "ville/1.1", f"--port={port}"])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and port in said and "65535" in said


def test_a_port_that_is_taken(call: Call) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = call("sandbox", "serve", "ville/1.1", "--port", port)
    assert told.code == 2 and port in told.err and "Traceback" not in told.err


def test_a_report_where_no_folder_is(complete_run: CompleteRun, call: Call, tmp_path: Path) -> None:
    target = tmp_path / "nulle-part" / "junit.xml"
    told = call("report", complete_run.folder, "--format", "junit", "--out", target)
    assert told.code == 2
    assert str(target) in told.err and "n'existe pas" in told.err
