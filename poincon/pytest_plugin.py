"""The second front end: `pytest scenarios/<norm>/<version> --sut sut.yaml` collects the cases as items over one engine.

Every case of the suite is an item: written ones below their YAML page, derived ones below the folder. The run itself
goes on in a thread of the same engine; an item waits for its case's verdict. Inconclusive has its own letter, `I`.
Without `--sut` the plugin does nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.events import Event
    from harness.record import CaseVerdict, Exchange
    from harness.run import RunResult
    from poincon.conduct import Campaign
    from scenarios.model import Case

VERDICT = "poincon_verdict"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--sut`, `--run-folder` and `--run-jobs`."""
    group = parser.getgroup("poincon", "Poinçon, conformance to the inter AMC norms")
    group.addoption("--sut", type=Path, help="declaration of the product (sut.yaml)")
    group.addoption("--run-folder", type=Path, help="run folder to write (default: a new one below runs/)")
    group.addoption("--run-jobs", type=int, default=1, help="cases at once")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> None:
    """Let `scenarios/<norm>/<version>` mean the installed pages when no such folder is here."""
    if not any(argument == "--sut" or argument.startswith("--sut=") for argument in args):
        return
    import scenarios

    bundled = Path(scenarios.__file__).parent.parent
    for place, argument in enumerate(args):
        if argument.startswith("scenarios/") and not Path(argument).exists() and (bundled / argument).exists():
            args[place] = str(bundled / argument)


def pytest_configure(config: pytest.Config) -> None:
    """Compile the suite once the declaration is known; a wrong declaration is a usage error with its own message."""
    sut = config.getoption("--sut")
    if sut is None:
        return
    from norms.errors import PoinconError
    from poincon.conduct import campaign_of

    try:
        config.stash[_RUN] = _SuiteRun(campaign_of(sut), config)
    except PoinconError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the folder of the declared norm and role, or one that it inherits pages from."""
    run = parent.config.stash.get(_RUN, None)
    if run is None or path not in run.folders:
        return None
    return _SuiteFolder.from_parent(parent, path=path)


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Keep each case once: all are found below the norm's folder, and again below those it inherits pages from."""
    if session.config.stash.get(_RUN, None) is not None:
        kept: dict[str, pytest.Item] = {}
        for item in items:
            kept.setdefault(item.case.id if isinstance(item, CaseItem) else item.nodeid, item)
        items[:] = kept.values()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the run which cases pytest kept, so that the verdicts file says what was left out."""
    run = session.config.stash.get(_RUN, None)
    if run is not None and not session.config.option.collectonly:
        run.chosen = tuple(item.case.id for item in session.items if isinstance(item, CaseItem))


def pytest_report_teststatus(report: pytest.TestReport | pytest.CollectReport) -> tuple[str, str, str] | None:
    """Give inconclusive and incident their own letters and words."""
    if not isinstance(report, pytest.TestReport) or report.when != "call":
        return None
    verdict = next((value for name, value in report.user_properties if name == VERDICT), None)
    words = {"inconclusive": ("inconclusive", "I", "INCONCLUSIVE"), "error": ("error", "E", "INCIDENT")}
    return words.get(str(verdict))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the run and exit with the run's own code (docs/formats/verdicts.md)."""
    run = session.config.stash.get(_RUN, None)
    if run is None or not run.started:
        return
    result = run.finish()
    if result is not None and session.exitstatus in (0, 1):
        session.exitstatus = result.exit_code


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say where the bilan and the evidence are."""
    run = config.stash.get(_RUN, None)
    if run is None or run.result is None:
        return
    from poincon.commands.product import relayed, summary

    told = (*summary(run.result.verdicts), *relayed(run.result.folder))
    for line in (*told, f"bilan : {run.result.folder / 'bilan.html'}"):
        terminalreporter.write_line(line)


class _StoppedError(Exception):
    """Raised inside the engine to end a run that pytest gave up."""


class _SuiteRun:
    """One run of the suite in a thread, and the verdicts as they come."""

    def __init__(self, campaign: Campaign, config: pytest.Config) -> None:
        import scenarios

        self.campaign, self._config = campaign, config
        norm = campaign.norm
        self.chosen: tuple[str, ...] = ()
        self.result: RunResult | None = None
        self.folders = tuple(
            path
            for root in (Path(config.rootpath) / "scenarios", Path(scenarios.__file__).parent)
            for member in norm.family
            if (path := root / member.id / member.version / campaign.suite.role).is_dir()
        )
        self._verdicts: dict[str, CaseVerdict] = {}
        self._exchanges: dict[str, list[Exchange]] = {}
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._stopping = False

    @property
    def started(self) -> bool:
        """Whether an item asked for its verdict."""
        return self._thread is not None

    def verdict(self, case: str) -> tuple[CaseVerdict, list[Exchange]]:
        """Wait for a case's verdict; start the run when this is the first one."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="poincon-run")
            self._thread.start()
        with self._news:
            self._news.wait_for(lambda: case in self._verdicts or not self._running())
        if case not in self._verdicts:
            if self._failure is not None:
                raise self._failure
            assert self.result is not None
            self._verdicts |= {verdict.id: verdict for verdict in self.result.verdicts.cases}
        return self._verdicts[case], self._exchanges.pop(case, [])

    def finish(self) -> RunResult | None:
        """Wait for the end, write the reports, and return the result; None when the run could not end."""
        self._stopping = len(self._verdicts) < len(self.chosen)
        assert self._thread is not None
        self._thread.join()
        if self.result is not None:
            from poincon.conduct import write_reports

            write_reports(self.result.folder)
        return self.result

    def _running(self) -> bool:
        return self.result is None and self._failure is None

    def _run(self) -> None:
        from poincon.conduct import run_campaign

        every = [case.id for case in self.campaign.suite.cases]
        partial = set(self.chosen) != set(every)
        try:
            result = run_campaign(
                self.campaign,
                self._config.getoption("--run-folder"),
                jobs=self._config.getoption("--run-jobs"),
                select=",".join(self.chosen) if partial else None,
                listeners=(self._listen,),
            )
        except BaseException as failure:  # noqa: BLE001 - raised again in the item that waits for a verdict
            with self._news:
                self._failure = failure
                self._news.notify_all()
            return
        with self._news:
            self.result = result
            self._news.notify_all()

    def _listen(self, event: Event) -> None:
        from harness.events import CaseFinished, ExchangeRecorded

        if self._stopping:
            raise _StoppedError
        with self._news:
            if isinstance(event, ExchangeRecorded):
                self._exchanges.setdefault(event.exchange.case, []).append(event.exchange)
            elif isinstance(event, CaseFinished):
                self._verdicts[event.verdict.id] = event.verdict
                self._news.notify_all()


_RUN = pytest.StashKey[_SuiteRun]()


class _SuiteFolder(pytest.Directory):
    """The folder of a role: the pages of the suite in order, inherited ones included, then the derived cases.

    The folder of an inherited page leads to the same pages, so that a node id that pytest prints can be typed again.
    """

    def collect(self) -> Iterator[pytest.Collector]:
        run = self.config.stash[_RUN]
        pages: dict[str, list[Case]] = {}
        for case in run.campaign.suite.cases:
            pages.setdefault(case.scenario if case.origin == "written" else "", []).append(case)
        for scenario, cases in pages.items():
            if not scenario:
                yield _Derived.from_parent(self, name="derived", cases=cases)
                continue
            page = next(path for folder in run.folders if (path := folder / f"{scenario}.yaml").is_file())
            yield _Page.from_parent(self, path=page, cases=cases)


class _Page(pytest.File):
    """One scenario. It is a file to pytest, so that a node id that pytest prints can be typed again."""

    def __init__(self, *, cases: list[Case], **more: Any) -> None:
        super().__init__(**more)
        self._cases = cases

    def collect(self) -> Iterator[pytest.Item]:
        for case in self._cases:
            yield CaseItem.from_parent(self, name=case.id, case=case)


class _Derived(pytest.Collector):
    """All derived cases: no page holds them."""

    def __init__(self, *, cases: list[Case], **more: Any) -> None:
        super().__init__(**more)
        self._cases = cases

    def collect(self) -> Iterator[pytest.Item]:
        for case in self._cases:
            yield CaseItem.from_parent(self, name=case.id, case=case)


class CaseItem(pytest.Item):
    """One case of the suite."""

    def __init__(self, *, case: Case, **more: Any) -> None:
        super().__init__(**more)
        self.case = case
        for name in (*case.requirements, case.profile):
            if name:
                self.extra_keyword_matches.add(name)

    def runtest(self) -> None:
        """Wait for the verdict; fail unless it is a pass."""
        run = self.config.stash[_RUN]
        verdict, exchanges = run.verdict(self.case.id)
        self.user_properties.append((VERDICT, verdict.verdict))
        if self.config.pluginmanager.hasplugin("allure_pytest"):
            from poincon.allure_items import tell_allure

            tell_allure(run.campaign, self.case, verdict, exchanges)
        if verdict.verdict == "not_run":
            pytest.skip(verdict.reason)
        if verdict.verdict != "pass":
            raise _VerdictError(verdict)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Show findings as Requirement / Expected / Actual, and errors of configuration as their sentence."""
        from norms.errors import PoinconError
        from poincon.commands.product import case_lines

        if isinstance(excinfo.value, _VerdictError):
            return "\n".join(case_lines(excinfo.value.verdict))
        if isinstance(excinfo.value, PoinconError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Name the page, its first line and the case with its title."""
        return self.parent.path if self.parent is not None else self.path, 0, f"{self.case.id} {self.case.title}"


class _VerdictError(Exception):
    """A case that did not pass."""

    def __init__(self, verdict: CaseVerdict) -> None:
        super().__init__(verdict.id)
        self.verdict = verdict
