"""From a folder of WSDL and XSD files to a draft norm, whole or not at all.

Everything is written and checked in a folder of its own; the caller moves it to its place once it is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import msgspec

from norms.errors import NormError
from norms.foreign import names, originals, told, written
from norms.foreign.compiling import compile_schemas
from norms.foreign.described import description
from norms.foreign.gathering import Kit
from norms.foreign.merging import Assembly
from norms.foreign.messages import Composer
from norms.foreign.samples import NoSampleError
from norms.foreign.written import Plan
from norms.foreign.wsdl import LeftOut, Name, Operation, Soap, describe, elements_of
from norms.i18n import tr
from norms.schema import Schemas

HISTORY = "CHANGES.md"


class Imported(msgspec.Struct, frozen=True):
    """What was made. folder: the draft; plan: its names; originals: how many files were kept."""

    folder: Path
    plan: Plan
    originals: int
    left_out: tuple[LeftOut, ...]


def import_folder(source: Path, name: str, version: str, work: Path, today: date, preferred: Soap = "1.2") -> Imported:
    """Write work/name/version from the files of `source` and return it.

    preferred: the SOAP version taken where a port type has both. Raises UsageError and NormError with one sentence;
    then nothing in `work` is of use.
    """
    kit = Kit(source)
    described = describe(kit, preferred)
    assembly = Assembly(kit, described.schemas)
    _check_elements(kit, assembly, described.operations)
    prefixes = names.prefixes(
        [*(one.namespace for one in elements_of(described.operations)), *assembly.namespaces()],
        [kit.read(path) for path in sorted(kit.used)],
    )
    folder = work / name / version
    compiled = compile_schemas(kit, assembly, described.operations, prefixes, folder)
    schema_files = compiled.files
    operations, failed, messages = _compose(compiled.operations, compiled.schemas, prefixes)
    left_out = (*described.left_out, *compiled.left_out, *failed)
    if not operations:
        first = failed[0]
        raise NormError(f"{first.name} : {first.why}.", file=kit.given / first.file, line=first.line)
    plan = _plan(name, version, today, operations, prefixes, tuple(f"schema/{one}" for one in schema_files.values()))
    for operation, kind in plan.kinds.items():
        for direction, message in zip(("request", "response"), messages[operation], strict=True):
            path = folder / "messages" / f"{kind}.{direction}.xml"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(message)
        written.write_answer(folder, kind, messages[operation][1])
    for file in dict.fromkeys(plan.wsdl.values()):
        path = folder / "wsdl" / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(description([one for one in operations if plan.wsdl[one] == file], prefixes, schema_files))
    written.write_data(plan, folder)
    count = originals.keep(kit, folder)
    notes = [told.standard(assembly.standard)] if assembly.standard else []
    if compiled.reduced is not None:
        notes.append(told.reduced(compiled.reduced))
    (folder / HISTORY).write_text(told.history(plan, count, notes, left_out), encoding="utf-8", newline="\n")
    return Imported(folder, plan, count, left_out)


def _check_elements(kit: Kit, assembly: Assembly, operations: tuple[Operation, ...]) -> None:
    for operation in operations:
        for name in elements_of([operation]):
            if ("element", name.namespace, name.local) not in assembly.components:
                raise NormError(
                    tr("L'opération « {operation} » porte l'élément « {name} », qu'aucun schéma du dossier ne définit "
                       "(espace de noms « {namespace} »).",
                       operation=operation.name, name=name.local, namespace=name.namespace),
                    file=kit.given / operation.file, line=operation.line,
                    remedy=tr("Ajoutez au dossier le fichier qui le définit."),
                )  # fmt: skip


def _compose(
    operations: tuple[Operation, ...], schemas: Schemas, prefixes: Mapping[str, str]
) -> tuple[list[Operation], list[LeftOut], dict[Operation, tuple[bytes, bytes]]]:
    composer = Composer(schemas, {prefix: namespace for namespace, prefix in prefixes.items()})
    kept: list[Operation] = []
    failed: list[LeftOut] = []
    messages = {}
    for operation in operations:
        try:
            messages[operation] = (
                composer.message(operation.request, operation.soap),
                composer.message(operation.response, operation.soap),
            )
            kept.append(operation)
        except NoSampleError as why:
            failed.append(LeftOut(operation.name, operation.file, operation.line, str(why)))
    return kept, failed, messages


def _plan(
    name: str,
    version: str,
    today: date,
    operations: list[Operation],
    prefixes: dict[str, str],
    schemas: tuple[str, ...],
) -> Plan:
    kinds = names.kinds(operations)
    interfaces = names.interface_names(operations)
    wsdl, path = {}, {}
    taken: set[tuple[str, Name]] = set()
    for operation, kind in kinds.items():
        word = interfaces[operation.interface]
        mixed = len({one.soap for one in operations if one.interface == operation.interface}) > 1
        word = f"{word}-soap{operation.soap.replace('.', '')}" if mixed else word
        wsdl[operation] = f"{word}.wsdl"
        address = f"/{name}/{version}/{word}"
        # Two operations of one content cannot share an address: the content alone tells them apart there.
        if (address, operation.request.element) in taken:
            address = f"{address}/{kind.lower()}"
        taken.add((address, operation.request.element))
        path[operation] = address
    return Plan(
        norm_id=name,
        version=version,
        letters=names.id_letters(name),
        today=today.isoformat(),
        kinds=kinds,
        wsdl=wsdl,
        path=path,
        prefixes=prefixes,
        schemas=schemas,
    )
