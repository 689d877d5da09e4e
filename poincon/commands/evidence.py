"""`poincon rejudge | replay | report`: work on a run folder."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from harness.evidence import read_run, verify_evidence
from harness.rejudge import differences
from harness.rejudge import rejudge as judged_again
from harness.verdicts import exit_code
from norms.i18n import tr
from poincon.commands.product import folder_of, summary
from poincon.conduct import TOOL, campaign_of, write_reports
from poincon.console import print_json
from poincon.guided import run_guided
from reports.source import subject_of


def rejudge(arguments: Namespace) -> int:
    """Judge a run again from its evidence; exit 0 when verdicts.json is the same, 1 when not, 4 when it is damaged."""
    folder = folder_of(arguments.run)
    damages = verify_evidence(folder)
    changed = [] if damages else differences(folder)
    if arguments.json:
        print_json({"damages": [str(damage) for damage in damages], "differences": changed})
    for damage in damages if not arguments.json else ():
        print(damage)
    if damages:
        return 4
    before = read_run(folder).begun.tool
    if before != TOOL and not arguments.json:
        print(tr("Jugé par {before}, rejugé par {now}.", before=before, now=TOOL))
    same = judged_again(folder) == (folder / "verdicts.json").read_bytes()
    if not arguments.json:
        for change in changed:
            print(
                tr(
                    "{case} : avant {before}, maintenant {after}",
                    case=change.case,
                    before=change.before,
                    after=change.after,
                )
            )
        print(
            tr("Les mêmes verdicts, octet pour octet ({tool}).", tool=TOOL)
            if same
            else tr("Les verdicts diffèrent de verdicts.json ({tool}).", tool=TOOL)
        )
    return 0 if same else 1


def replay(arguments: Namespace) -> int:
    """Run one case of a run again on the product and show what came; the exit code is that case's own."""
    folder = folder_of(arguments.run)
    campaign = campaign_of(arguments.sut)
    result = run_guided(campaign, select=arguments.case)
    write_reports(result.folder)
    print("\n".join(summary(result.verdicts)))
    print(tr("Premier passage : {before}. Rejeu : {after}", before=folder, after=result.folder))
    return exit_code(result.verdicts, partial=False)


def report(arguments: Namespace) -> int:
    """Write a report of a run in the format asked; print its place (JSON goes to standard output without --out)."""
    folder = folder_of(arguments.run)
    if arguments.format == "json":
        content = (folder / "run.json").read_text(encoding="utf-8")
        if arguments.out is None:
            print(content)
            return 0
        arguments.out.write_text(content, encoding="utf-8")
        print(arguments.out)
        return 0
    print(_written(folder, arguments.format, arguments.out))
    return 0


def _written(folder: Path, kind: str, out: Path | None) -> Path:
    subject = subject_of(folder)
    if kind == "junit":
        from reports.junit import write_junit

        return write_junit(subject, out or folder / "junit.xml")
    if kind == "allure":
        from reports.allure import write_allure

        return write_allure(subject, out or folder / "allure-results")
    from reports.bilan import write_bilan

    html = write_bilan(subject, folder, str(folder))
    if kind == "pdf":
        from reports.pdf import write_pdf

        return write_pdf(html, out or folder / "bilan.pdf")
    if out is None:
        return html
    out.write_bytes(html.read_bytes())
    return out
