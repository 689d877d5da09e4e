"""`poincon` and `python -m poincon`: parse, dispatch, turn errors into one sentence and an exit code.

Exit codes: 0 all pass · 1 a fail · 2 usage or configuration · 3 inconclusive or nothing tested · 4 our own incident.
"""

from __future__ import annotations

import errno
import importlib
import sys
from collections.abc import Callable, Sequence

from norms.errors import PoinconError
from norms.i18n import tr
from poincon.parser import build_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. argv: arguments without the program's name."""
    _speak_utf8()
    arguments = build_parser().parse_args(argv)
    module, _, function = arguments.command_function.partition(":")
    try:
        from poincon.guard import refuse_shadows

        refuse_shadows()
        command: Callable[..., int] = getattr(importlib.import_module(f"poincon.commands.{module}"), function)
        return command(arguments)
    except PoinconError as error:
        print(f"poincon: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(tr("poincon: interrompu ; ce qui était écrit est gardé."), file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        print(tr("poincon: « {file} » : {why}.", file=error.filename, why=_why(error)), file=sys.stderr)
        return 2


def _why(error: OSError) -> str:
    """Return what the system said, in the reader's language where it is one of the usual reasons."""
    usual = {
        errno.ENOENT: tr("ce fichier ou ce dossier n'existe pas"),
        errno.EACCES: tr("accès refusé"),
        errno.EEXIST: tr("existe déjà"),
        errno.EISDIR: tr("c'est un dossier"),
        errno.ENOTDIR: tr("ce n'est pas un dossier"),
        errno.ENOSPC: tr("le disque est plein"),
    }
    return usual.get(error.errno or 0, error.strerror or str(error))


def _speak_utf8() -> None:
    # A Windows console or a C locale would otherwise fail on the first accented letter.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")


if __name__ == "__main__":
    sys.exit(main())
