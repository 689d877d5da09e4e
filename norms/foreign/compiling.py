"""The schemas of a draft, written and compiled in both engines; what they refuse goes, as long as something is left.

Foreign schemas are often wrong in places that no message uses: then only what the messages can use is kept. Where a
message does use a wrong place, its operations are left out. A fault is told at its place in the originals.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from norms.errors import NormError
from norms.foreign import names
from norms.foreign.gathering import Kit
from norms.foreign.merging import Assembly, Component, Key, origin, write
from norms.foreign.wsdl import LeftOut, Operation, elements_of
from norms.i18n import tr
from norms.schema import Schemas


class Compiled(msgspec.Struct, frozen=True):
    """schemas: in both engines; files: namespace -> name in schema/; reduced: why not everything was kept, or None."""

    schemas: Schemas
    files: dict[str, str]
    operations: tuple[Operation, ...]
    left_out: tuple[LeftOut, ...]
    reduced: NormError | None


class _RefusedError(Exception):
    """An engine does not accept the schemas. component: where, None when it does not say."""

    def __init__(self, error: NormError, component: Component | None) -> None:
        super().__init__(str(error))
        self.error, self.component = error, component


def compile_schemas(
    kit: Kit, assembly: Assembly, operations: Sequence[Operation], prefixes: Mapping[str, str], folder: Path
) -> Compiled:
    """Write folder/schema and return what both engines accept. Raises NormError when no operation is left."""
    remaining, left_out = list(operations), list[LeftOut]()
    only: set[Key] | None = None
    first: NormError | None = None
    while True:
        try:
            schemas, files = _write(kit, assembly, prefixes, folder, only)
            return Compiled(schemas, files, tuple(remaining), tuple(left_out), first)
        except _RefusedError as refused:
            first = first or refused.error
            if refused.component is not None and only is not None:
                users = assembly.users(refused.component.key)
                hurt = [one for one in remaining if any(key in users for key in _keys(one))]
                remaining = [one for one in remaining if one not in hurt]
                why = tr("ses schémas ne se compilent pas : {why}", why=str(refused.error))
                left_out += [LeftOut(one.name, one.file, one.line, why) for one in hurt]
            elif only is not None:
                raise refused.error from refused
            if not remaining:
                raise refused.error from refused
            only = assembly.needed(key for one in remaining for key in _keys(one))


def _keys(operation: Operation) -> list[Key]:
    return [("element", name.namespace, name.local) for name in elements_of([operation])]


def _write(
    kit: Kit, assembly: Assembly, prefixes: Mapping[str, str], folder: Path, only: Collection[Key] | None
) -> tuple[Schemas, dict[str, str]]:
    place = folder / "schema"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    merged = assembly.merged(only)
    names_of = names.schema_names([file.namespace for file in merged], prefixes)
    texts = {(place / names_of[file.namespace]).resolve(): (file, write(file, prefixes, names_of)) for file in merged}
    for path, (_, text) in texts.items():
        path.write_bytes(text)
    try:
        schemas = Schemas(list(texts), [folder.parent.parent.resolve()])
        schemas.prepare_second()
    except NormError as error:
        found = texts.get(Path(error.file).resolve()) if error.file else None
        component = origin(*found, error.line) if found is not None and error.line else None
        if component is None:
            raise _RefusedError(NormError(error.what, file=kit.given, remedy=error.remedy), None) from error
        told = NormError(error.what, file=component.file, line=component.line, remedy=error.remedy)
        raise _RefusedError(told, component) from error
    return schemas, names_of
