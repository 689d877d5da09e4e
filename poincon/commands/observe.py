"""`poincon observe FILE`: judge traffic that others recorded, without a declaration."""

from __future__ import annotations

from argparse import Namespace

from harness.observation.observer import Observer
from harness.observation.opening import open_recording
from norms.errors import NormError
from norms.i18n import tr
from norms.loader import available, load
from norms.model import Norm
from norms.wire.trust import load_anchors
from poincon.conduct import TOOL
from poincon.console import note, print_json
from reports.observation import report_lines


def observe(arguments: Namespace) -> int:
    """Judge every message of a WARC or HAR; exit 0 all valid, 1 one breaks the norm, 3 nothing could be concluded."""
    recording = open_recording(arguments.file)
    anchors = load_anchors(arguments.anchors) if arguments.anchors is not None else None
    tested = load(arguments.norm) if arguments.norm else None
    norms = tested.speakers if tested is not None else _available()
    seen = Observer(norms, tested, anchors, TOOL).observe(recording)
    if arguments.json:
        print_json(seen)
    else:
        print("\n".join(report_lines(seen)))
    return seen.exit_code


def _available() -> tuple[Norm, ...]:
    norms = []
    for ref in available():
        try:
            norms.append(load(ref))
        except NormError as error:
            note(tr("{ref} est laissée de côté : {why}", ref=ref, why=error))
    return tuple(norms)
