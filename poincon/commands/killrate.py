"""`poincon kill-rate N`."""

from __future__ import annotations

from argparse import Namespace

import msgspec

from norms import loader
from norms.errors import UsageError
from norms.i18n import tr
from norms.publication import require_intact
from poincon.console import note, print_json
from poincon.kill import measure
from poincon.places import sandbox_data


def kill_rate(arguments: Namespace) -> int:
    """Measure and print; exit 0 when every fault is killed without a false alarm, else 1."""
    if arguments.generated and arguments.record:
        raise UsageError(
            tr("Un certificat porte la détection des défauts semés : --record ne va pas avec --generated.")
        )
    norm = loader.load(arguments.norm)
    require_intact(norm)
    report = measure(
        norm,
        sandbox_data(),
        role=arguments.role,
        jobs=arguments.jobs,
        only=arguments.only,
        generated=arguments.generated,
        seed=arguments.seed,
        on_world=lambda world, outcome: note(f"  {world:32} {outcome or tr('bien')}"),
    )
    if arguments.record:
        arguments.record.write_bytes(msgspec.json.encode(report.record()))
    if arguments.json:
        print_json(report)
    else:
        print(
            tr(
                "{norm} : {killed} défauts détectés sur {total}, {alarms} fausse(s) alerte(s), {variants} variante(s)",
                norm=report.norm,
                killed=report.killed,
                total=report.total,
                alarms=len(report.false_alarms),
                variants=len(report.variants),
            )
        )
        for scenario in report.redundant:
            print(tr("{scenario} : le retirer ne changerait ni la couverture ni la détection.", scenario=scenario))
    return 0 if report.perfect else 1
