"""`poincon norms import`: a draft norm from the WSDL and XSD files of somebody else, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from norms import loader
from norms.draft import split_ref
from norms.errors import UsageError
from norms.foreign.draft import Imported, import_folder
from norms.foreign.originals import FOLDER
from norms.i18n import tr
from poincon.commands.norms_new import places, tell_roots
from scenarios.draft import target_of, write_first_pages

SHOWN_LEFT_OUT = 20


def import_norm(arguments: Namespace) -> int:
    """Write the norm and its first scenarios, and say what is there and what is left to do."""
    name, version = split_ref(arguments.target)
    if arguments.target in loader.available():
        raise UsageError(tr("La norme {ref} existe déjà ; rien n'est écrit.", ref=arguments.target))
    norms, pages = places(arguments.dir)
    folder, scenarios = norms / name / version, target_of(pages, name, version)
    if folder.exists():
        raise UsageError(tr("« {folder} » existe déjà ; rien n'est écrit.", folder=folder))
    with tempfile.TemporaryDirectory(prefix="poincon-") as work:
        made = Path(work) / "norms"
        imported = import_folder(arguments.source, name, version, made, date.today(), arguments.soap)
        norm = loader.load(str(imported.folder), [made])
        written = Path(work) / "scenarios"
        count = write_first_pages(norm, imported.plan.letters, imported.plan.requirement, written)
        with _moved(imported.folder, folder), _moved(written, scenarios):
            pass  # both are at their places, or neither
    _tell(arguments.target, imported, folder)
    print(tr("Premiers scénarios, un par opération : {count}, dans {folder}.", count=count, folder=scenarios))
    tell_roots(norms, pages)
    print(tr("Ensuite : poincon norms check {ref} · poincon sandbox serve {ref}", ref=arguments.target))
    return 0


@contextmanager
def _moved(source: Path, target: Path) -> Iterator[None]:
    """Put a folder at its place; take it away again when what follows fails."""
    missing = [folder for folder in target.parents if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as beside:
            # A folder beside the target can be renamed to it at once, whatever disk the work was done on.
            shutil.copytree(source, Path(beside) / target.name)
            (Path(beside) / target.name).rename(target)
        yield
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        for folder in missing:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


def _tell(ref: str, imported: Imported, folder: Path) -> None:
    print(
        tr("{ref} est un projet fait de {count} fichier(s), gardés tels quels dans {originals}/ : {folder}",
           ref=ref, count=imported.originals, originals=FOLDER, folder=folder)
    )  # fmt: skip
    print(tr("Opérations : {count}", count=len(imported.plan.kinds)))
    for one in imported.left_out[:SHOWN_LEFT_OUT]:
        place = f"{one.file.as_posix()}:{one.line}"
        print("- " + tr("laissée de côté : {name} ({place}) : {why}", name=one.name, place=place, why=one.why))
    if len(imported.left_out) > SHOWN_LEFT_OUT:
        print("- " + tr("… et {count} autres, toutes dans CHANGES.md.", count=len(imported.left_out) - SHOWN_LEFT_OUT))
