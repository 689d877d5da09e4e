"""The one function behind every front end: a declaration and a suite become a run folder with verdicts.

Order of what is written: static files, journal and WARC while cases run, verdicts.json, the journal's last line (it
binds the others), run.json (it binds that line). An interruption at any point leaves a folder that `resume` continues.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from harness import folder as files
from harness import preflight
from harness.casework import CaseRunner, ServerCases
from harness.choice import choose
from harness.client_port import ClientPort, utc_now
from harness.context import JudgeContext
from harness.driver import Actor
from harness.engine import NETWORK_LIMIT, Engine
from harness.errors import EvidenceError, RunFolderError
from harness.events import Listener, RunFinished, RunStarted
from harness.evidence import exchanges_at, read_run
from harness.folder import Peers
from harness.journal import FORMAT, Begun
from harness.record import CaseVerdict, Verdicts
from harness.recorder import Kept, Opener, Recorder, append_mode
from harness.rejudge import judge_recorded, recorded_anchors, secrets_of
from harness.runfile import exit_code_of, run_file
from harness.verdicts import assemble, canonical
from norms.errors import DataError, UsageError
from norms.i18n import tr
from norms.model import Norm
from norms.wire.second import second_verifier
from scenarios.compiler import load_suite, suite_bytes
from scenarios.declaration import Declaration
from scenarios.model import Case, Suite

RESET_SECONDS = 300.0


@dataclass(frozen=True)
class RunOptions:
    """What to run and how.

    out: the run folder, new or empty, or with `resume` the one of an interrupted run; select: expression of
    `harness.choice`, None = all; tool: name and version of the program; on_event: listeners; preflight: False only
    where it was just done; network_limit: cases in a row without network before the rest is left out; opener: how
    evidence files are opened; operator: carries out stimuli when no driver is declared (role client);
    stop_at_fail: the rest is not run once a case has failed.
    """

    declaration: Declaration
    suite: Suite
    norm: Norm
    out: Path
    jobs: int = 1
    select: str | None = None
    resume: bool = False
    tool: str = "poincon"
    on_event: tuple[Listener, ...] = ()
    preflight: bool = True
    network_limit: int = NETWORK_LIMIT
    opener: Opener = append_mode
    operator: Actor | None = None
    stop_at_fail: bool = False


@dataclass(frozen=True)
class RunResult:
    """What a run gave. stopped: why it ended early, "" when every case was run."""

    folder: Path
    verdicts: Verdicts
    exit_code: int
    stopped: str = ""


def new_run_folder(parent: Path, suite: Suite, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Path:
    """Return a name for the folder of a new run below `parent`: time, norm and role, free at this moment."""
    base = f"{clock().strftime('%Y%m%d-%H%M%S')}-{suite.norm.replace('/', '-')}-{suite.role}"
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, 1000))
    return next(parent / name for name in names if not (parent / name).exists())


def run(options: RunOptions) -> RunResult:
    """Run, or resume, and return the result.

    Raises PreflightError and SelectionError before anything is sent, RunFolderError when the folder does not fit,
    EvidenceError (exit code 4) when the evidence cannot be kept: then nothing unwritten was acknowledged.
    """
    chosen = choose(options.suite.cases, options.select)
    if options.preflight:
        preflight.require(options.norm, options.declaration, options.suite)
    return _Run(options, chosen).run()


class _Run:
    def __init__(self, options: RunOptions, chosen: Sequence[Case]) -> None:
        self._options, self._chosen, self._folder = options, chosen, options.out
        self._recorder = Recorder(options.out, options.opener)

    def run(self) -> RunResult:
        options = self._options
        kept = self._recorder.resume() if options.resume else None
        if kept is None:
            self._prepare()
            begun = self._begin()
        else:
            begun = self._same_run(kept.begun)
        peers = Peers(self._folder)
        context = self._context(begun, peers)
        verdicts = self._kept_verdicts(context, kept) if kept else []
        stopped = ""
        if kept is None or not kept.finished:
            done = {verdict.id for verdict in verdicts}
            stopped, more = self._execute(context, peers, done, begun)
            verdicts += more
        return self._conclude(begun, assemble(options.suite, options.tool, verdicts), stopped, kept)

    def _prepare(self) -> None:
        options = self._options
        if self._folder.exists() and any(self._folder.iterdir()):
            raise UsageError(tr("Le dossier « {dossier} » n'est pas vide.", dossier=self._folder))
        files.write(self._folder / files.SUITE, suite_bytes(options.suite))
        files.write(self._folder / files.SUT, files.canonical(files.sut_record(options.norm, options.declaration)))
        files.copy_norm(options.norm, self._folder)
        files.copy_anchors(options.declaration, self._folder)

    def _begin(self) -> Begun:
        options = self._options
        begun = Begun(
            format=FORMAT,
            run=self._folder.name,
            tool=options.tool,
            norm=options.norm.ref,
            norm_digest=options.norm.digest,
            suite=options.suite.digest,
            started=utc_now(),
            select=options.select or "",
            certification=options.declaration.certification,
            second_verifier=second_verifier(),
        )
        self._recorder.begin(begun)
        self._reset()
        return begun

    def _same_run(self, begun: Begun) -> Begun:
        """Refuse to mix two suites, selections or programs in one record."""
        options = self._options
        recorded = load_suite((self._folder / files.SUITE).read_bytes())
        same = (begun.suite, begun.select, begun.tool) == (options.suite.digest, options.select or "", options.tool)
        if not same or recorded != options.suite:
            raise RunFolderError(
                tr("L'exécution interrompue portait sur une autre suite, sélection ou version de Poinçon."),
                file=self._folder,
                remedy=tr("Reprenez-la dans les mêmes conditions, ou lancez une nouvelle exécution."),
            )
        return begun

    def _context(self, begun: Begun, peers: Peers) -> JudgeContext:
        norm = self._options.norm
        return JudgeContext(
            norm=norm,
            anchors=recorded_anchors(self._folder),
            today=date.fromisoformat(begun.started[:10]),
            tool=self._options.tool,
            certificates=peers.certificates,
            secrets=secrets_of(norm, self._options.suite),
            second_verifier=bool(begun.second_verifier),
        )

    def _kept_verdicts(self, context: JudgeContext, kept: Kept) -> list[CaseVerdict]:
        cases = {case.id: case for case in self._options.suite.cases}
        return [
            judge_recorded(
                context,
                cases[entry.case],
                exchanges_at(self._folder, kept.exchanges[entry.case]),
                entry.state,
                entry.reason,
            )
            for entry in kept.cases
        ]

    def _execute(
        self, context: JudgeContext, peers: Peers, done: set[str], begun: Begun
    ) -> tuple[str, list[CaseVerdict]]:
        options = self._options
        try:
            runner = self._runner(peers)
        except BaseException:
            self._recorder.close()
            raise
        judge = partial(judge_recorded, context)
        engine = Engine(
            runner, judge, self._recorder, options.on_event, options.jobs, options.network_limit, options.stop_at_fail
        )
        waiting = [case for case in self._chosen if case.id not in done]
        try:
            self._tell(RunStarted(begun.run, self._folder, begun.norm, len(waiting), len(done)))
            result = engine.run(waiting)
            ids = {case.id for case in self._chosen}
            left = [case for case in options.suite.cases if case.id not in ids and case.id not in done]
            return result.stopped, [*result.verdicts, *engine.leave_out(left, tr("Hors de la sélection demandée."))]
        except BaseException:
            self._recorder.close()
            raise
        finally:
            runner.close()

    def _runner(self, peers: Peers) -> CaseRunner:
        options = self._options
        if options.suite.role == "server":
            port = ClientPort(options.declaration.timeouts.exchange)
            return ServerCases(options.norm, options.declaration, port, peers.add)
        from harness.clientwork import ClientCases

        return ClientCases(options.norm, options.declaration, peers.add, options.operator)

    def _conclude(self, begun: Begun, verdicts: Verdicts, stopped: str, kept: Kept | None) -> RunResult:
        if kept is None or not kept.finished:
            files.write(self._folder / files.VERDICTS, canonical(verdicts))
            self._recorder.finish(files.file_digests(self._folder), stopped)
        record = read_run(self._folder)
        if record.finished is None or record.verdicts is None:
            raise EvidenceError(tr("Les preuves ne se relisent pas dans « {dossier} ».", dossier=self._folder))
        content = run_file(
            self._folder,
            begun,
            record.cases,
            record.finished,
            record.verdicts,
            record.head,
            record.entries,
            record.root,
        )
        files.write(self._folder / files.RUN, content)
        code = exit_code_of(record.verdicts, begun)
        self._tell(RunFinished(self._folder, record.verdicts, code, record.finished.stopped))
        return RunResult(self._folder, record.verdicts, code, record.finished.stopped)

    def _reset(self) -> None:
        """Run the command that restores the product's data; raises DataError when it fails."""
        command = self._options.declaration.reset
        if not command:
            return
        where = Path(self._options.declaration.file).resolve().parent
        try:
            done = subprocess.run(
                command, shell=True, cwd=where, capture_output=True, timeout=RESET_SECONDS, check=False
            )
            failure = "" if done.returncode == 0 else tr("code de retour {code}", code=done.returncode)
        except (OSError, subprocess.TimeoutExpired) as error:
            failure = str(error)
        if failure:
            self._recorder.close()
            raise DataError(
                tr("La commande « reset » a échoué : {quoi}.", quoi=failure),
                file=self._options.declaration.file,
                remedy=tr("Corrigez-la, puis relancez."),
            )

    def _tell(self, event: RunStarted | RunFinished) -> None:
        for listener in self._options.on_event:
            listener(event)
