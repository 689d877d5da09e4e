"""Many runs of role client at once in one process, whose products try to read each other's sessions by every door."""

from __future__ import annotations

import gzip
import http.client
import secrets
import ssl
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import trustme
from msgspec.structs import replace

from harness.driver import Outcome, Stimulus
from harness.run import RunOptions, RunResult, run
from norms.loader import load
from norms.model import Norm, Text
from scenarios.declaration import Declaration, IdentityFiles, Laboratory, Product, Timeouts
from scenarios.model import Expectation, Step
from tests.harness.lab import REQUEST, case, make_norm, make_suite

VENDORS = 5
NEIGHBOURS = 12
"""At so many ports each product tries every address: of all vendors, its own among them."""
TYPE = "application/soap+xml; charset=utf-8"
FIRST, KNOWN = "<e:Code>01</e:Code>", "<e:Code>00</e:Code>"
_DECISIONS = """\
fault: {answer: fault}
decisions:
  PING:
    let: {cle: "//e:Id", connue: {recall: engagements, key: "$cle"}}
    rows:
      - {id: rappel, when: "$connue", set: {couleur: "string($connue/couleur)", code: "'00'"}, answer: pong}
      - id: depot
        set: {couleur: "//e:Couleur", code: "'01'"}
        answer: pong
        effects: [{put: engagements, key: "$cle", values: {couleur: "$couleur"}}]
"""
_ASK = Step(
    stimulus=Text("Déposez."),
    await_="PING",
    expect=(Expectation("ESS-004", "equals", at="//e:Ping/e:Couleur", value="${couleur}"),),
    line=1,
)
_REST = Step(quiet_seconds=0.05, line=2)


def remembering_norm(root: Path) -> Norm:
    """Return the trial norm with a simulator that remembers: an Id once given has the colour it came with."""
    folder = make_norm(root).root
    (folder / "simulator" / "decisions.yaml").write_text(_DECISIONS, encoding="utf-8")
    return load(str(folder), [root])


@dataclass
class Keys:
    """Certificates of the laboratory and of each vendor, of one authority."""

    folder: Path

    def __post_init__(self) -> None:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.folder / "ca.pem"))
        for name in ("server", *(f"vendor{number}" for number in range(VENDORS))):
            issued = authority.issue_cert("localhost", "127.0.0.1", organization_name=name)
            (self.folder / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
            issued.private_key_pem.write_to_path(str(self.folder / f"{name}.key"))

    def client(self, vendor: int) -> ssl.SSLContext:
        """Return how a vendor's product connects."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        context.load_cert_chain(self.folder / f"vendor{vendor}.pem", self.folder / f"vendor{vendor}.key")
        return context

    def declaration(self, vendor: int) -> Declaration:
        """Return a vendor's declaration."""
        files = IdentityFiles(self.folder / "server.pem", self.folder / "server.key")
        product = Product(f"Editeur-{vendor}", f"Logiciel-{vendor}", "1.0", "essai/1.0", "client", ("A",))
        laboratory = Laboratory({"server": files}, (self.folder / "ca.pem",))
        return Declaration(product, laboratory, timeouts=Timeouts(quiet=0.1))


@dataclass
class Runner:
    """One run and its product. secret: only its own folder and answers may hold it; deposit: Id of its commitment."""

    number: int
    campaign: Campaign
    url: str = ""
    secret: str = field(default_factory=lambda: f"secret-{secrets.token_hex(8)}")
    deposit: str = field(default_factory=lambda: f"engagement-{secrets.token_hex(8)}")

    @property
    def vendor(self) -> int:
        return self.number % VENDORS

    @property
    def faulty(self) -> bool:
        """The last vendor's product says another colour than it should."""
        return self.vendor == VENDORS - 1

    @property
    def token(self) -> str:
        return urlsplit(self.url).path.split("/")[2]

    @property
    def folder(self) -> Path:
        return self.campaign.out / f"run{self.number}"

    def play(self) -> RunResult:
        """Run the one case of this product."""
        norm = self.campaign.norm
        alone = replace(case(1, _ASK, _REST, role="client"), bindings={"couleur": self.secret})
        suite = make_suite(norm, alone, role="client")
        declared = self.campaign.keys.declaration(self.vendor)
        return run(RunOptions(declared, suite, norm, self.folder, preflight=False, operator=self, tool="poincon test"))

    def act(self, stimulus: Stimulus) -> Outcome:
        """Deposit under the own Id once all are there, then read wherever something of another may be."""
        self.url = stimulus.endpoints["PING"]
        self.campaign.together.wait()
        own = Caller(self.url, self.campaign.keys.client(self.vendor))
        colour = f"faux-{self.secret}" if self.faulty else self.secret
        status, answer = own.post(urlsplit(self.url).path, message(self.deposit, colour))
        self.campaign.check(
            status == 200 and FIRST in answer, f"{self.number} : son propre dépôt est {status} {answer}"
        )
        self.campaign.together.wait()
        runners = self.campaign.runners
        others = [runners[(self.number + step) % len(runners)] for step in range(1, len(runners))]
        for other in others:
            self.ask_for_state(own, other)
        for other in others[:NEIGHBOURS]:
            self.knock(other)
        own.close()
        self.campaign.together.wait()
        return Outcome("completed")

    def close(self) -> None:
        """Nothing to end."""

    def ask_for_state(self, own: Caller, other: Runner) -> None:
        """Ask the own session for the commitment of another: it must be unknown."""
        status, answer = own.post(urlsplit(self.url).path, message(other.deposit, "lecture"))
        self.campaign.read(
            status == 200 and FIRST in answer and other.secret not in answer,
            f"l'état de {other.number} se lit dans la session de {self.number} : {answer}",
        )

    def knock(self, other: Runner) -> None:
        """Try addresses at the other's port that are none of its session."""
        door = Caller(other.url, self.campaign.keys.client(self.vendor))
        for path in guesses(self, other):
            status, answer = door.post(path, message(other.deposit, "lecture"))
            self.campaign.read(
                status in (400, 404) and other.secret not in answer,
                f"{self.number} entre chez {other.number} par {path} : {status} {answer}",
            )
        door.close()


def guesses(own: Runner, other: Runner) -> tuple[str, ...]:
    """Return addresses at the port of `other` that are not below its secret."""
    token = other.token
    return (
        f"/s/{own.token}/ping", f"/s/{own.token}/..%2f{token}/ping", f"/s/{own.token}/../{token}/ping",
        f"/s/{token[:-1]}/ping", f"/s/{token}0/ping", f"/s/{token[1:]}/ping", f"/s/{token[:24]}/ping",
        f"/s/{token.swapcase()}x/ping", f"/s/{secrets.token_hex(24)}/ping", f"/s/{token}%00/ping",
        f"/s/%20{token}/ping",
        f"//s/{token}/ping", f"/s//{token}/ping", f"/S/{token}/ping", f"/s/?token={token}", f"/{token}/ping",
        f"/x/../s/{token}/ping", f"/s/%2e%2e/s/{token}/ping", "/s/", "/ping",
    )  # fmt: skip


class Caller:
    """A kept connection to one listener."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=60)

    def post(self, path: str, body: str) -> tuple[int, str]:
        """Post a message as it is; return status and text of the answer."""
        self._connection.request("POST", path, body.encode(), {"Content-Type": TYPE})
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode()

    def close(self) -> None:
        self._connection.close()


def message(identifier: str, colour: str) -> str:
    """Return a request."""
    return REQUEST.replace(">0<", f">{identifier}<").replace("bleu", colour)


class Campaign:
    """Runs under way at the same time. leaks: what was read of another; reads: how often somebody tried."""

    def __init__(self, norm: Norm, keys: Keys, out: Path, count: int) -> None:
        self.norm, self.keys, self.out = norm, keys, out
        self.together = threading.Barrier(count, timeout=120)
        self.leaks: list[str] = []
        self.reads = 0
        self.runners: Sequence[Runner] = ()
        self._lock = threading.Lock()
        self.runners = tuple(Runner(number, self) for number in range(count))

    def play(self) -> list[RunResult]:
        """Run all at once, then look into every folder for what belongs to others."""
        with ThreadPoolExecutor(len(self.runners)) as pool:
            results = list(pool.map(lambda runner: runner.play(), self.runners))
        for runner in self.runners:
            self._look_into(runner)
        return results

    def check(self, good: bool, leak: str) -> None:
        """Keep what should not be."""
        if not good:
            with self._lock:
                self.leaks.append(leak)

    def read(self, good: bool, leak: str) -> None:
        """Count an attempt to read what is another's."""
        with self._lock:
            self.reads += 1
        self.check(good, leak)

    def _look_into(self, runner: Runner) -> None:
        content = b"\n".join(contents(runner.folder))
        self.check(runner.secret.encode() in content, f"le dossier de {runner.number} n'a pas son propre secret")
        for other in self.runners:
            if other is runner:
                continue
            marks = [other.secret, other.token]
            if other.vendor != runner.vendor:
                marks.append(f"Editeur-{other.vendor}")
            for mark in marks:
                # Its own product asked for the other's Id and at the other's port: of these nothing else is known here.
                self.read(
                    mark.encode() not in content, f"{mark} de {other.number} est dans le dossier de {runner.number}"
                )


def contents(folder: Path) -> Iterator[bytes]:
    """Yield the bytes of every file of a run folder, records unpacked."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            yield gzip.decompress(data) if path.suffix == ".gz" else data
