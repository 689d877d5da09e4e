"""`poincon sandbox serve | faults | population`."""

from __future__ import annotations

import csv
import sys
from argparse import Namespace
from pathlib import Path

from norms import behaviour, loader
from norms.errors import UsageError
from norms.i18n import tr
from norms.model import Norm
from norms.publication import withdrawn
from poincon.console import print_json, print_table, wait_for_interrupt
from poincon.places import sandbox_data
from poincon.practice import practice_declaration
from sandbox.serve import Sandbox, World


def serve(arguments: Namespace) -> int:
    """Open the simulators and wait until interrupted."""
    refs = arguments.norms or [norm.ref for norm in map(loader.load, loader.available()) if _served(norm)]
    if arguments.sut and len(refs) != 1:
        raise UsageError(tr("--sut demande exactement une norme."))
    world = World(tuple(arguments.fault), tuple(arguments.variant))
    data = sandbox_data(arguments.data)
    with Sandbox(refs, data, arguments.host, arguments.port, {"": world}) as sandbox:
        if arguments.sut:
            norm = loader.load(refs[0])
            _write_new(arguments.sut, practice_declaration(norm, sandbox.endpoints(), sandbox.pki))
        if arguments.json:
            print_json(sandbox.addresses)
        else:
            for ref, kinds in sandbox.addresses.worlds[""].items():
                print("\n  ".join([ref, *withdrawn(loader.load(ref))]))
                for kind, address in kinds.items():
                    print(f"  {kind:4} {address}    (WSDL : {address}?wsdl)")
            print(tr("Clés et certificats d'essai : {folder}", folder=sandbox.pki.folder))
            if arguments.sut:
                print(tr("Déclaration prête : {file}", file=arguments.sut))
                print(tr("Dans un autre terminal : poincon run --sut {file}", file=arguments.sut))
            print(tr("Ctrl-C pour arrêter."))
        sys.stdout.flush()
        wait_for_interrupt(tr("Bac à sable fermé."))
    return 0


def _served(norm: Norm) -> bool:
    """Whether the norm is served when none is named: it has services and is not withdrawn."""
    return bool(norm.services) and not list(withdrawn(norm))


def _write_new(file: Path, text: str) -> None:
    """Write a file that is ours to write: a missing one, or one that an earlier `serve` made."""
    first = text.splitlines()[0]
    if file.exists() and not file.read_text(encoding="utf-8", errors="replace").startswith(first):
        raise UsageError(tr("« {file} » existe déjà et n'est pas une déclaration d'entraînement.", file=file))
    file.write_text(text, encoding="utf-8")


def show_faults(arguments: Namespace) -> int:
    """Print the seeded faults and the conformant variants of a norm."""
    found = behaviour.load(loader.load(arguments.norm))
    if arguments.json:
        faults = [fault.described for fault in found.faults]
        print_json({"faults": faults, "variants": [variant.described for variant in found.variants]})
        return 0
    print_table(
        (tr("défaut"), tr("exigence"), tr("ce qu'il fait")),
        [(fault.id, fault.requirement, str(fault.title)) for fault in found.faults],
    )
    print()
    print_table((tr("variante"), tr("liberté prise")), [(variant.id, str(variant.title)) for variant in found.variants])
    return 0


def show_population(arguments: Namespace) -> int:
    """Print the test subjects of a norm; with --csv as a `;` separated file for a spreadsheet."""
    population = behaviour.load(loader.load(arguments.norm)).population
    rows = [(pool.name, entry.values) for pool in population.pools for entry in pool.entries]
    columns = sorted({key for _, values in rows for key in values})
    table = [[pool, *(values.get(column, "") for column in columns)] for pool, values in rows]
    if arguments.csv:
        writer = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
        writer.writerow(["pool", *columns])
        writer.writerows(table)
    else:
        print_table(["pool", *columns], table)
    return 0
