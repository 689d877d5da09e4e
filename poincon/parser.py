"""The command line as argparse sees it. Nothing heavy is imported here: `--help` must answer at once.

Each command names the function that carries it out as "module:function" of `poincon.commands`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from norms.i18n import language, tr
from poincon import __version__

# argparse's own words, which it asks gettext for under the English ones.
_ARGPARSE: Final = {
    "usage: ": "usage : ",
    "positional arguments": "arguments",
    "options": "options",
    "show this help message and exit": "montre cette aide",
    "show program's version number and exit": "montre la version du programme",
    "%(prog)s: error: %(message)s\n": "%(prog)s : %(message)s\n",
    "the following arguments are required: %s": "il manque : %s",
    "unrecognized arguments: %s": "arguments inconnus : %s",
    "expected one argument": "demande une valeur",
    "expected at least one argument": "demande au moins une valeur",
    "argument %(argument_name)s: %(message)s": "%(argument_name)s : %(message)s",
    "invalid choice: %(value)r (choose from %(choices)s)": "%(value)r n'existe pas ; au choix : %(choices)s",
    "invalid %(type)s value: %(value)r": "valeur %(type)s incorrecte : %(value)r",
    "ambiguous option: %(option)s could match %(matches)s": "%(option)s est ambigu : %(matches)s",
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of every command; help texts are in the reader's language."""
    if language() == "fr":
        vars(argparse)["_"] = lambda text: _ARGPARSE.get(text, text)
    parser = argparse.ArgumentParser(
        prog="poincon",
        description=tr("Poinçon, laboratoire de conformité aux normes inter AMC."),
        epilog=tr(
            "Codes de sortie : 0 conforme · 1 non conforme · 2 usage ou configuration · 3 non concluant · 4 incident."
        ),
    )
    parser.add_argument("--version", action="version", version=f"poincon {__version__}")
    commands = parser.add_subparsers(metavar=tr("COMMANDE"), required=True)
    _norms(commands)
    _suite(commands)
    _sandbox(commands)
    _product(commands)
    _relay(commands)
    _evidence(commands)
    _certificate(commands)
    _laboratory(commands)
    return parser


if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]


def _command(commands: Commands, name: str, function: str, text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(command_function=function)
    return command


def _group(commands: Commands, name: str, text: str) -> Commands:
    group = commands.add_parser(name, help=text, description=text)
    return group.add_subparsers(metavar=tr("ACTION"), required=True)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(tr("« {text} » n'est pas un port : 0 à 65535.", text=text))
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(
            tr("« {text} » n'est pas un nombre de secondes : plus de 0, 3600 au plus.", text=text)
        )
    return seconds


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help=tr("réponse pour une machine"))


def _role(command: argparse.ArgumentParser) -> None:
    command.add_argument("--role", choices=("server", "client"), default="server", help=tr("rôle du produit testé"))


def _norms(commands: Commands) -> None:
    group = _group(commands, "norms", tr("les normes connues du laboratoire"))
    _json(_command(group, "list", "norms:list_norms", tr("la liste des normes")))
    show = _command(group, "show", "norms:show_norm", tr("une norme : services, exigences, règles, tables"))
    show.add_argument("norm", metavar="NORME")
    _json(show)
    check = _command(group, "check", "norms:check_norms", tr("vérifie un dossier de norme et dit quoi corriger"))
    check.add_argument("norm", metavar="NORME", nargs="*")
    _json(check)
    diff = _command(group, "diff", "norms:diff_norms", tr("ce qui change d'une version de norme à une autre"))
    diff.add_argument("before", metavar="AVANT")
    diff.add_argument("after", metavar="APRES")
    _json(diff)
    new = _command(group, "new", "norms_new:new_norm", tr("commence une version de norme par la copie d'une autre"))
    new.add_argument("source", metavar="DE")
    new.add_argument("target", metavar="VERS", help=tr("norme/version à créer"))
    new.add_argument(
        "--dir", type=Path, metavar="DOSSIER", help=tr("où l'écrire (sinon le premier dossier de POINCON_NORMS)")
    )
    foreign = _command(
        group, "import", "norms_import:import_norm", tr("fait un projet de norme des WSDL et XSD d'un tiers")
    )
    foreign.add_argument("source", metavar="DOSSIER", type=Path, help=tr("dossier des WSDL et de tous leurs schémas"))
    foreign.add_argument("--as", required=True, dest="target", metavar="NORME", help=tr("norme/version à créer"))
    foreign.add_argument(
        "--soap", choices=("1.1", "1.2"), default="1.2", help=tr("version de SOAP à prendre quand les deux sont là")
    )
    foreign.add_argument(
        "--dir", type=Path, metavar="OU", help=tr("où l'écrire (sinon le premier dossier de POINCON_NORMS)")
    )
    publish = _command(group, "publish", "norms_life:publish", tr("publie un projet de norme, s'il est en ordre"))
    publish.add_argument("norm", metavar="NORME")
    revise = _command(group, "revise", "norms_life:revise", tr("reprend une norme publiée pour une révision"))
    revise.add_argument("norm", metavar="NORME")
    withdraw = _command(group, "withdraw", "norms_life:withdraw", tr("retire une norme publiée"))
    withdraw.add_argument("norm", metavar="NORME")
    withdraw.add_argument("--reason", required=True, metavar="TEXTE", help=tr("pourquoi elle est retirée"))
    files = _command(commands, "check", "messages:check_messages", tr("contrôle des messages : schéma, règles, tables"))
    files.add_argument("files", metavar="FICHIER", nargs="+", type=Path)
    files.add_argument("--norm", metavar="NORME", help=tr("norme (sinon reconnue d'après le message)"))
    files.add_argument("--message", metavar="GENRE", help=tr("genre de message attendu"))
    files.add_argument("--security", action="store_true", help=tr("contrôle aussi signatures, assertion et horodatage"))
    files.add_argument(
        "--authority", type=Path, metavar="AC", help=tr("autorité des signatures (sinon celle du bac à sable)")
    )
    _json(files)


def _suite(commands: Commands) -> None:
    group = _group(commands, "suite", tr("les cas exécutables d'une norme"))
    for name, function, text in (
        ("show", "suite:show", tr("les cas, leur provenance et leurs exigences")),
        ("coverage", "suite:show_coverage", tr("les exigences éprouvées, et les autres avec leur raison")),
        ("ledger", "suite:show_ledger", tr("chaque contrainte des schémas avec ses cas")),
    ):
        command = _command(group, name, function, text)
        command.add_argument("norm", metavar="NORME")
        _role(command)
        _json(command)


def _sandbox(commands: Commands) -> None:
    group = _group(commands, "sandbox", tr("les partenaires d'entraînement"))
    serve = _command(group, "serve", "sandbox:serve", tr("ouvre les simulateurs et dit leurs adresses"))
    serve.add_argument("norms", metavar="NORME", nargs="*")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=0, help=tr("0 : un port libre"))
    serve.add_argument("--data", type=Path, metavar="DOSSIER", help=tr("où sont les clés et certificats d'essai"))
    serve.add_argument("--fault", action="append", default=[], metavar="ID", help=tr("défaut semé (répétable)"))
    serve.add_argument("--variant", action="append", default=[], metavar="ID", help=tr("variante conforme (répétable)"))
    serve.add_argument("--sut", type=Path, metavar="FICHIER", help=tr("écrit aussi un sut.yaml prêt à l'emploi"))
    _json(serve)
    robot = _command(group, "robot", "robot:robot", tr("le logiciel d'entraînement : une consigne par ligne, en JSON"))
    robot.add_argument("norm", metavar="NORME")
    robot.add_argument("--data", type=Path, metavar="DOSSIER", help=tr("où sont les clés et certificats d'essai"))
    robot.add_argument("--fault", action="append", default=[], metavar="ID", help=tr("défaut semé (répétable)"))
    robot.add_argument("--variant", action="append", default=[], metavar="ID", help=tr("variante conforme (répétable)"))
    robot.add_argument("--capture", type=Path, metavar="FICHIER", help=tr("écrit chaque échange dans ce HAR"))
    faults = _command(group, "faults", "sandbox:show_faults", tr("les défauts semés et les variantes d'une norme"))
    faults.add_argument("norm", metavar="NORME")
    _json(faults)
    population = _command(group, "population", "sandbox:show_population", tr("les bénéficiaires d'essai d'une norme"))
    population.add_argument("norm", metavar="NORME")
    population.add_argument("--csv", action="store_true")


def _product(commands: Commands) -> None:
    group = _group(commands, "sut", tr("le produit sous test et sa déclaration"))
    init = _command(group, "init", "product:init", tr("écrit un sut.yaml commenté"))
    init.add_argument("norm", metavar="NORME")
    _role(init)
    init.add_argument("--out", type=Path, metavar="FICHIER", help=tr("fichier à écrire (sinon la sortie standard)"))
    init.add_argument("--data", type=Path, metavar="DOSSIER", help=tr("où sont les clés et certificats d'essai"))
    check = _command(group, "check", "product:check", tr("vérifie la déclaration et les adresses avant une exécution"))
    check.add_argument("sut", metavar="FICHIER", type=Path)
    _json(check)
    run = _command(commands, "run", "product:run", tr("exécute la suite sur un produit"))
    run.add_argument("--sut", required=True, type=Path, metavar="FICHIER")
    run.add_argument("--select", metavar="EXPR", help=tr("cas, exigences ou profils à retenir"))
    run.add_argument("--jobs", type=int, default=1, metavar="N")
    run.add_argument("--out", type=Path, metavar="DOSSIER", help=tr("dossier d'exécution à écrire"))
    run.add_argument("--resume", action="store_true", help=tr("continue l'exécution interrompue de --out"))
    _json(run)


def _relay(commands: Commands) -> None:
    relay = _command(
        commands, "relay", "relay:relay", tr("signe et porte les demandes d'un logiciel qui ne signe pas encore")
    )
    relay.add_argument("--norm", metavar="NORME", help=tr("la norme parlée (sinon celle de --sut)"))
    relay.add_argument(
        "--to", nargs="+", default=[], metavar="ADRESSE", help=tr("où porter : une adresse de base, ou GENRE=adresse …")
    )
    relay.add_argument(
        "--sut", type=Path, metavar="FICHIER", help=tr("une déclaration qui dit où porter, et avec quelles identités")
    )
    relay.add_argument("--listen", metavar="HOTE:PORT", help=tr("adresse d'écoute (sinon 127.0.0.1, port libre)"))
    relay.add_argument("--allow-remote", action="store_true", help=tr("écoute aussi au-delà de cette machine"))
    relay.add_argument("--authority", type=Path, metavar="AC", help=tr("autorité des adresses où porter (PEM)"))
    relay.add_argument(
        "--timeout", type=_seconds, default=60.0, metavar="S", help=tr("secondes laissées à une réponse")
    )
    relay.add_argument("--data", type=Path, metavar="DOSSIER", help=tr("où sont les clés et certificats d'essai"))
    _json(relay)


def _evidence(commands: Commands) -> None:
    rejudge = _command(
        commands, "rejudge", "evidence:rejudge", tr("rejuge une exécution d'après ses preuves, sans réseau")
    )
    rejudge.add_argument("run", metavar="EXECUTION", type=Path)
    _json(rejudge)
    replay = _command(commands, "replay", "evidence:replay", tr("rejoue un cas d'une exécution"))
    replay.add_argument("run", metavar="EXECUTION", type=Path)
    replay.add_argument("case", metavar="CAS")
    replay.add_argument(
        "--sut", type=Path, default=Path("sut.yaml"), metavar="FICHIER", help=tr("la déclaration (sinon ./sut.yaml)")
    )
    report = _command(commands, "report", "evidence:report", tr("écrit un rapport d'une exécution"))
    report.add_argument("run", metavar="EXECUTION", type=Path)
    report.add_argument("--format", choices=("html", "junit", "allure", "json", "pdf"), default="html")
    report.add_argument("--out", type=Path, metavar="FICHIER")
    observe = _command(
        commands, "observe", "observe:observe", tr("juge un trafic enregistré (WARC ou HAR), sans déclaration")
    )
    observe.add_argument("file", metavar="FICHIER", type=Path)
    observe.add_argument("--norm", metavar="NORME", help=tr("seulement cette norme et celles qui l'accompagnent"))
    observe.add_argument(
        "--anchors",
        type=Path,
        metavar="AC",
        help=tr("juge aussi les signatures, d'après ces autorités (fichier, dossier)"),
    )
    _json(observe)


def _certificate(commands: Commands) -> None:
    certify = _command(commands, "certify", "certificate:certify", tr("délivre le certificat d'une exécution conforme"))
    certify.add_argument("run", metavar="EXECUTION", type=Path)
    certify.add_argument("--seal", type=Path, metavar="CLE", help=tr("clé du sceau (sinon celle du bac à sable)"))
    certify.add_argument("--seal-certificate", type=Path, metavar="CERTIFICAT")
    certify.add_argument("--out", type=Path, metavar="FICHIER")
    certify.add_argument("--kill-rate", type=Path, metavar="FICHIER", help=tr("mesure à porter sur le certificat"))
    verify = _command(commands, "verify", "certificate:verify", tr("vérifie un certificat hors ligne"))
    verify.add_argument("certificate", metavar="CERTIFICAT", type=Path)
    verify.add_argument("--run", type=Path, metavar="EXECUTION", help=tr("vérifie aussi les preuves de l'exécution"))
    verify.add_argument("--authority", type=Path, metavar="AC", help=tr("autorité du sceau"))
    _json(verify)


def _laboratory(commands: Commands) -> None:
    kill = _command(
        commands, "kill-rate", "killrate:kill_rate", tr("mesure la suite : défauts détectés, fausses alertes")
    )
    kill.add_argument("norm", metavar="NORME")
    _role(kill)
    kill.add_argument("--jobs", type=int, default=2, metavar="N")
    kill.add_argument(
        "--only", action="append", default=[], metavar="ID", help=tr("seulement ce défaut ou cette variante")
    )
    kill.add_argument("--generated", action="store_true", help=tr("mutants engendrés au lieu des défauts semés"))
    kill.add_argument("--seed", type=int, default=0, metavar="S")
    kill.add_argument("--record", type=Path, metavar="FICHIER", help=tr("garde la mesure pour un certificat"))
    _json(kill)
    conformance = _command(
        commands,
        "conformance",
        "conformance:conformance",
        tr("toutes les normes contre le bac à sable, bilans et certificats"),
    )
    conformance.add_argument(
        "--sut", type=Path, metavar="FICHIER", help=tr("un produit réel plutôt que le bac à sable")
    )
    conformance.add_argument("norms", nargs="*", metavar="NORME", help=tr("seulement ces normes (id/version)"))
    conformance.add_argument(
        "--kill-records", type=Path, metavar="DOSSIER", help=tr("relevés de « kill-rate --record » à citer (*.json)")
    )
    conformance.add_argument(
        "--role", choices=("server", "client"), help=tr("un seul rôle du produit (sinon les deux)")
    )
    conformance.add_argument("--jobs", type=int, default=2, metavar="N")
    conformance.add_argument("--out", type=Path, default=Path("runs"), metavar="DOSSIER")
