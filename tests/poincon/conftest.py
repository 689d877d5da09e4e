"""One sandbox and one complete run for the whole folder: keys and runs are what costs."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from front_doors import Call, CompleteRun, Practice, Told

from norms.loader import load
from poincon.__main__ import main
from sandbox.pki import ensure
from sandbox.serve import Specification, World, spawn

WORLDS = {"without-relation": World(faults=("F-GEN-12",))}


class _HangsUp(BaseHTTPRequestHandler):
    """A service that reads a request and closes the connection without a word."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    data = tmp_path_factory.mktemp("poincon-data")
    pki = ensure(data / "sandbox" / "pki")
    specification = Specification(("ville/1.1", "annuaire/1.0"), str(data / "sandbox"), worlds=WORLDS)
    with spawn(specification) as sandbox:
        yield Practice(data, pki, sandbox)


@pytest.fixture(scope="session")
def sut(practice: Practice, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return practice.declared(tmp_path_factory.mktemp("declaration") / "sut.yaml")


@pytest.fixture(scope="session")
def complete_run(practice: Practice, sut: Path, tmp_path_factory: pytest.TempPathFactory) -> CompleteRun:
    """Do not change its folder: copy it."""
    where = tmp_path_factory.mktemp("complete")
    told = practice.run(["run", "--sut", sut, "--out", where / "run", "--jobs", "2", "--json"], where)
    assert told.code == 0, told.out + told.err
    return CompleteRun(where / "run", sut, load("ville/1.1"), told)


@pytest.fixture(scope="session")
def mute(practice: Practice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The declaration of a product whose TLS is right and that never answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*practice.pki.amc_identities()["tls"])
    with ThreadingHTTPServer(("127.0.0.1", 0), _HangsUp) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        address = f"https://127.0.0.1:{server.server_address[1]}/service"
        file = tmp_path_factory.mktemp("mute") / "sut.yaml"
        file.write_text(practice.text(endpoints={"IDB": address, "CLC": address}), encoding="utf-8")
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield file
        server.shutdown()
        serving.join()


@pytest.fixture(autouse=True)
def own_data(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the user's keys, register and folder out of the tests; the shared keys are used where a test has them."""
    data = request.getfixturevalue("practice").data if "practice" in request.fixturenames else tmp_path / "no-data"
    monkeypatch.setenv("POINCON_DATA", str(data))
    for name in ("POINCON_LANG", "POINCON_AUTHORITY", "POINCON_NORMS", "POINCON_RECOGNISED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Carry out a command in this process: `call("norms", "list")`."""

    def carry_out(*argv: str | Path) -> Told:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in argv])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        told = capsys.readouterr()
        return Told(code, told.out, told.err)

    return carry_out
