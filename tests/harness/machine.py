"""A product of role client made of one function: what it does when it is told to act on the trial norm."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import trustme
from msgspec.structs import replace

from harness.driver import Outcome, Stimulus
from harness.run import RunOptions, RunResult, run
from norms.model import Norm, Text
from scenarios.declaration import Declaration, IdentityFiles, Laboratory, Product, Timeouts
from scenarios.model import Case, Expectation, Step
from tests.harness.lab import REQUEST, make_suite
from tests.harness.servers import make_pki

ASK = Step(
    stimulus=Text("Demandez la couleur ${couleur}."),
    data={"couleur": "${couleur}"},
    await_="PING",
    expect=(Expectation("ESS-004", "equals", at="//e:Ping/e:Couleur", value="${couleur}"),),
    line=1,
)
HUSH = Step(quiet_seconds=0.2, expect=(Expectation("ESS-004", "absent-next", value="PING"),), line=2)


def write_keys(folder: Path) -> trustme.CA:
    """Write what both sides need (ca.pem, client and server .pem and .key) and return their authority."""
    authority = make_pki(folder).authority
    issued = authority.issue_cert("localhost", "127.0.0.1")
    (folder / "server.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(folder / "server.key"))
    return authority


class Machine:
    """A product: what it does when it is told to act."""

    def __init__(self, folder: Path, action: Callable[[Machine, Stimulus], Outcome | None]) -> None:
        self._action = action
        self._context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        self._context.load_cert_chain(folder / "client.pem", folder / "client.key")
        self.answers: list[tuple[int, bytes]] = []

    def act(self, stimulus: Stimulus) -> Outcome:
        return self._action(self, stimulus) or Outcome("completed")

    def close(self) -> None:
        pass

    def call(self, url: str, body: str, content_type: str = "application/soap+xml; charset=utf-8") -> None:
        parts = urlsplit(url)
        connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=self._context, timeout=5)
        try:
            connection.request("POST", parts.path, body.encode(), {"Content-Type": content_type})
            answer = connection.getresponse()
            self.answers.append((answer.status, answer.read()))
        except (OSError, http.client.HTTPException) as error:
            self.answers.append((0, str(error).encode()))
        finally:
            connection.close()


def asks(product: Machine, stimulus: Stimulus) -> None:
    product.call(stimulus.endpoints["PING"], REQUEST.replace("bleu", stimulus.data["couleur"]))


def declared(folder: Path, **more: object) -> Declaration:
    files = IdentityFiles(folder / "server.pem", folder / "server.key")
    laboratory = Laboratory({"server": files}, (folder / "ca.pem",))
    product = Product("Éditeur", "Logiciel", "1.0", "essai/1.0", "client", ("A",))
    return replace(Declaration(product, laboratory, timeouts=Timeouts(quiet=0.3)), **more)


def play(
    norm: Norm, folder: Path, out: Path, action: Callable[[Machine, Stimulus], Outcome | None], *cases: Case
) -> tuple[RunResult, Machine]:
    product = Machine(folder, action)
    suite = make_suite(norm, *cases, role="client")
    result = run(RunOptions(declared(folder), suite, norm, out, preflight=False, operator=product, tool="poincon test"))
    return result, product
