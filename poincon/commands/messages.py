"""`poincon check FILE…`: judge messages without any server."""

from __future__ import annotations

from argparse import Namespace

from norms.check import check_files
from norms.i18n import tr
from poincon.console import print_json


def check_messages(arguments: Namespace) -> int:
    """Check files or folders of messages; exit 1 when one is not valid."""
    reports = check_files(arguments.files, arguments.norm, arguments.message)
    if arguments.json:
        print_json(reports)
    else:
        for report in reports:
            print(report.text())
        invalid = sum(not report.valid for report in reports)
        if len(reports) > 1:
            print(tr("{total} message(s), {invalid} non valide(s)", total=len(reports), invalid=invalid))
    return 0 if reports and all(report.valid for report in reports) else 1
