"""The sandbox as a whole: norms, worlds, keys and addresses; in this process or in one of its own.

    with Sandbox(["ville/1.1"], data) as sandbox:
        sandbox.endpoints()["IDB"]

`python -m sandbox.serve` reads one line of JSON (a `Specification`) from its standard input, prints one line with the
addresses, and stops when its standard input is closed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from norms.behaviour import Behaviour, Fault, load
from norms.errors import PoinconError, UsageError
from norms.i18n import tr
from norms.loader import load as load_norm
from norms.model import Limits, Norm
from norms.wire.listener import Listener, ServerTls
from norms.wire.secure import Signers
from norms.yamlfile import nearest
from sandbox.mutants import mutants
from sandbox.partner import Credentials, Partner
from sandbox.pki import TestPki, ensure
from sandbox.plan import Plan
from sandbox.simulator import Simulator, world_path

_OVERSIZE: Final = 4


class World(msgspec.Struct, frozen=True):
    """What departs from the plain partner at one address: ids of faults.yaml (or of mutants) and of variants.yaml."""

    faults: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()


class Specification(msgspec.Struct, frozen=True):
    """A sandbox in words. norms: "ville/1.1" or folders; mutant_seed: also offers the generated faults of that seed."""

    norms: tuple[str, ...]
    data: str
    host: str = "127.0.0.1"
    port: int = 0
    worlds: dict[str, World] = {}
    mutant_seed: int | None = None


class Addresses(msgspec.Struct, frozen=True):
    """Where a sandbox listens: worlds -> norm -> message kind -> address; pki: folder of its keys."""

    worlds: dict[str, dict[str, dict[str, str]]]
    pki: str

    def endpoints(self, world: str = "", norm: str = "") -> dict[str, str]:
        """Return kind -> address in a world, of one norm or of all (the first norm that has a kind wins)."""
        if world not in self.worlds:
            raise UsageError(tr("Le bac à sable n'a pas de monde « {world} ».", world=world))
        found: dict[str, str] = {}
        for ref, kinds in self.worlds[world].items():
            if norm in ("", ref):
                found = {**kinds, **found}
        return found


class Sandbox:
    """Practice partners of several norms in several worlds, served by this process.

    norms: references, folders or loaded norms; data: folder for its keys (`data/pki`), made when missing; worlds: by
    name; the nameless world is always there, plain unless given. Each world has its own state and replay memory.
    """

    def __init__(
        self,
        norms: Sequence[str | Norm],
        data: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        worlds: Mapping[str, World] | None = None,
        mutant_seed: int | None = None,
    ) -> None:
        self._norms = _apart(norm if isinstance(norm, Norm) else load_norm(norm) for norm in norms)
        if not self._norms:
            raise UsageError(tr("Un bac à sable demande au moins une norme."))
        self._behaviours = tuple(load(norm) for norm in self._norms)
        self._data, self._host, self._port = data, host, port
        self._planned = {"": World(), **(worlds or {})}
        self._faults = {
            behaviour.norm.ref: {fault.id: fault for fault in _faults(behaviour, mutant_seed)}
            for behaviour in self._behaviours
        }
        self._pki: TestPki | None = None
        self._listeners: dict[tuple[frozenset[str], bool], tuple[Listener, Simulator]] = {}
        self._addresses: dict[str, dict[str, dict[str, str]]] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pki(self) -> TestPki:
        """The test keys of this sandbox."""
        if self._pki is None:
            self._pki = ensure(self._data / "pki")
        return self._pki

    @property
    def addresses(self) -> Addresses:
        """All addresses, as the child process prints them."""
        return Addresses(self._addresses, str(self.pki.folder))

    def endpoints(self, world: str = "", norm: str = "") -> dict[str, str]:
        """Return kind -> address in a world, of one norm or of all (the first norm that has a kind wins)."""
        return self.addresses.endpoints(world, norm)

    def start(self) -> None:
        """Listen. Raises UsageError for an unknown fault or an address that is taken."""
        try:
            for name, world in self._planned.items():
                self.add_world(name, world)
        except PoinconError:
            self.stop()
            raise

    def stop(self) -> None:
        """Close every connection."""
        for listener, _ in self._listeners.values():
            listener.stop()
        self._listeners.clear()

    def add_world(self, name: str, world: World) -> dict[str, str]:
        """Serve one more world, while running; return its addresses by kind."""
        if name and not name.replace("-", "").replace("_", "").isalnum():
            raise UsageError(tr("« {name} » ne peut pas nommer un monde.", name=name))
        plans = self._plans(world)
        accepted = frozenset().union(*(plan.accepted_tls for plan in plans))
        listener, simulator = self._listener(accepted, any(plan.receives_oversize for plan in plans))
        base = f"{listener.base}{world_path(name)}"
        partners = [
            Partner(behaviour, self._credentials(plan), plan, base)
            for behaviour, plan in zip(self._behaviours, plans, strict=True)
        ]
        simulator.add(name, partners)
        self._addresses[name] = {
            norm.ref: {service.kind: f"{base}{service.path}" for service in norm.services} for norm in self._norms
        }
        return self.endpoints(name)

    def _plans(self, world: World) -> list[Plan]:
        """Return one plan per norm; every id must belong to one of them."""
        known_faults = [fault for faults in self._faults.values() for fault in faults]
        known_variants = [variant.id for behaviour in self._behaviours for variant in behaviour.variants]
        for chosen, known in ((world.faults, known_faults), (world.variants, known_variants)):
            for item in chosen:
                if item not in known:
                    remedy = nearest(item, known) if known else ""
                    raise UsageError(tr("« {id} » n'existe pas dans ces normes. {remedy}", id=item, remedy=remedy))
        plans = []
        for behaviour in self._behaviours:
            faults = self._faults[behaviour.norm.ref]
            plans.append(
                Plan(
                    [faults[item] for item in world.faults if item in faults],
                    [variant for variant in behaviour.variants if variant.id in world.variants],
                )
            )
        return plans

    def _listener(self, accepted: frozenset[str], oversize: bool) -> tuple[Listener, Simulator]:
        """Return the listener for worlds that are lenient in that way; the plain one has the port asked."""
        key = (accepted, oversize)
        found = self._listeners.get(key)
        if found is None:
            simulator = Simulator()
            limits = _widest(self._norms)
            if oversize:
                limits = msgspec.structs.replace(limits, body_bytes=_OVERSIZE * limits.body_bytes)
            port = 0 if accepted or oversize else self._port
            listener = Listener(simulator, self._host, port, _server_tls(self.pki, self._norms, accepted), limits)
            listener.start()
            found = self._listeners[key] = (listener, simulator)
        return found

    def _credentials(self, plan: Plan) -> Credentials:
        identities = self.pki.amc_identities()
        others = {}
        if plan.changes_signing:
            others = {name: self.pki.identity(files[0].stem) for name, files in identities.items()}
        return Credentials(
            self.pki.anchors(), Signers(flow=self.pki.identity(identities["flow"][0].stem), others=others)
        )


def _apart(norms: Iterable[Norm]) -> tuple[Norm, ...]:
    """Return the norms; one that names a path of another (two versions of it, say) is served below its own name."""
    taken: set[str] = set()
    found = []
    for norm in norms:
        if not taken.isdisjoint(service.path for service in norm.services):
            moved = (msgspec.structs.replace(one, path=f"/{norm.ref}{one.path}") for one in norm.services)
            norm = msgspec.structs.replace(norm, services=tuple(moved))
        taken.update(service.path for service in norm.services)
        found.append(norm)
    return tuple(found)


def _faults(behaviour: Behaviour, mutant_seed: int | None) -> tuple[Fault, ...]:
    generated = mutants(behaviour.norm, mutant_seed) if mutant_seed is not None else ()
    return (*behaviour.faults, *generated)


def _server_tls(pki: TestPki, norms: Sequence[Norm], accepted: frozenset[str]) -> ServerTls:
    certificate, key = pki.amc_identities()["tls"]
    asked = any(norm.security.tls.client_certificate for norm in norms)
    foreign = (pki.certificate("other-authority"),) if "untrusted" in accepted else ()
    return ServerTls(
        certificate,
        key,
        (pki.authority, *foreign),
        () if accepted & {"revoked", "untrusted"} else (pki.revocations,),
        min((norm.security.tls.minimum for norm in norms), default="1.2"),
        "required" if asked and "none" not in accepted else "optional",
        check_time="expired" not in accepted,
    )


def _widest(norms: Sequence[Norm]) -> Limits:
    """Return the largest value of each limit: the listener is the outer wall, each norm checks its own."""
    limits = [norm.security.limits for norm in norms]
    return Limits(**{name: max(getattr(item, name) for item in limits) for name in Limits.__struct_fields__})


class Spawned:
    """A sandbox in a process of its own. `addresses` says where; `stop()` ends it, leaving the context does too."""

    def __init__(self, process: subprocess.Popen[bytes], addresses: Addresses) -> None:
        self._process, self.addresses = process, addresses

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def endpoints(self, world: str = "", norm: str = "") -> dict[str, str]:
        """See `Sandbox.endpoints`."""
        return self.addresses.endpoints(world, norm)

    def stop(self) -> None:
        """Close its standard input and wait for its end; kill it after ten seconds."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def spawn(specification: Specification) -> Spawned:
    """Start a sandbox in a child process and return it once it listens. Raises UsageError when it does not start."""
    source = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(msgspec.json.encode(specification) + b"\n")
    process.stdin.flush()
    line = process.stdout.readline()
    try:
        return Spawned(process, msgspec.json.decode(line, type=Addresses))
    except msgspec.MsgspecError as silent:
        process.stdin.close()
        process.wait()
        process.stdout.close()
        raise UsageError(tr("Le bac à sable n'a pas démarré.")) from silent


def main() -> int:
    """Serve what the first line of standard input says until it is closed; return the exit code."""
    try:
        wanted = msgspec.json.decode(sys.stdin.buffer.readline(), type=Specification)
        with Sandbox(
            wanted.norms, Path(wanted.data), wanted.host, wanted.port, wanted.worlds, wanted.mutant_seed
        ) as sandbox:
            sys.stdout.buffer.write(msgspec.json.encode(sandbox.addresses) + b"\n")
            sys.stdout.buffer.flush()
            sys.stdin.buffer.read()
    except msgspec.MsgspecError as wrong:
        sys.stderr.write(tr("La demande de bac à sable ne se lit pas : {why}.", why=str(wrong)) + "\n")
        return 2
    except PoinconError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return wrong.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
