"""`poincon certify | verify`."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from norms.errors import UsageError
from norms.i18n import tr
from norms.wire.keys import Identity, load_identity
from poincon.commands.product import folder_of
from poincon.console import print_json
from poincon.places import sandbox_data, sandbox_keys
from reports.issue import certify as issue
from reports.kill import read_kill_record
from reports.verify import verify_certificate


def certify(arguments: Namespace) -> int:
    """Seal the certificate (or the signed bilan) of a run, behind the certification gate."""
    folder = folder_of(arguments.run)
    record = read_kill_record(arguments.kill_rate) if arguments.kill_rate else None
    issued = issue(folder, seal_of(arguments), register_folder(), arguments.out or folder, record)
    print(tr("Délivré : {number}, {file}", number=issued.content.number, file=issued.path))
    return 0


def seal_of(arguments: Namespace) -> Identity:
    """Return the seal named on the command line, else the sandbox's own, which has no value outside it."""
    if arguments.seal is None:
        return sandbox_keys().identity("seal")
    if arguments.seal_certificate is None:
        raise UsageError(tr("--seal demande --seal-certificate : le certificat de cette clé."))
    return load_identity(arguments.seal_certificate, arguments.seal)


def register_folder() -> Path:
    """Return the folder of the register of issued documents."""
    return sandbox_data().parent / "register"


def verify(arguments: Namespace) -> int:
    """Check a certificate offline; exit 0 when it is authentic and valid, else 1."""
    report = verify_certificate(arguments.certificate, arguments.run, arguments.authority)
    if arguments.json:
        print_json(report)
    else:
        print("\n".join(report.lines))
    return 0 if report.valid else 1
