"""docs/exemples: the drivers speak the protocol, the files for continuous integration name commands that exist."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.driver import FORMAT, Outcome, Stimulus, actor_of
from norms.yamlfile import read_yaml
from poincon.parser import build_parser
from scenarios.declaration import Driver

EXAMPLES = Path(__file__).resolve().parent.parent / "docs" / "exemples"
JAVA = pytest.mark.skipif(shutil.which("java") is None, reason="no java here: the example in Java is not executed")
PYTHON = f'"{sys.executable}"'
COMMANDS = [
    pytest.param("python", f"{PYTHON} pilote.py", "one-shot", id="python"),
    pytest.param("python", f"{PYTHON} pilote_permanent.py", "persistent", id="python-persistent"),
    pytest.param("java", "java Pilote.java", "one-shot", id="java", marks=JAVA),
    pytest.param("java", "java Pilote.java", "persistent", id="java-persistent", marks=JAVA),
]
VALUES = {"nir": "1", "nom": 'D\'Été "né" \\ \t', "vide": "", "œuvre": "…"}
ECHO = {
    "python": ('return {"outcome": "accepted", "message": texte + "|" + donnees["nom"] + "|" + adresses["IDB"]}', "# "),
    "java": ('return reponse("accepted", texte + "|" + donnees.get("nom") + "|" + adresses.get("IDB"));', "// "),
}


def talk(folder: Path, command: str, mode: str) -> list[Outcome]:
    actor = actor_of(Driver(command, mode, 60.0), folder)  # type: ignore[arg-type]
    try:
        asked = [Stimulus(FORMAT, "C", 1, f"Né\n« {number} »", VALUES, {"IDB": "https://x/é"}) for number in (1, 2)]
        return [actor.act(each) for each in asked]
    finally:
        actor.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("language", "command", "mode"), COMMANDS)
def test_an_example_says_that_it_calls_nothing_yet(language: str, command: str, mode: str) -> None:
    for outcome in talk(EXAMPLES / language, command, mode):
        assert (outcome.report, "n'appelle encore aucun logiciel" in outcome.message) == ("failed", True), outcome


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("language", "command", "mode"), COMMANDS)
def test_an_example_tells_what_is_put_in_the_marked_place(
    tmp_path: Path, language: str, command: str, mode: str
) -> None:
    answer, comment = ECHO[language]
    for file in (EXAMPLES / language).iterdir():
        if file.is_file():
            text, marked = re.subn(
                rf"(?m)^( +){comment}return .*$", rf"\1{answer}".replace("\\|", "|"), file.read_text("utf-8")
            )
            assert marked == 1, file
            # What stands below would never be reached, which Java refuses.
            text = re.sub(r'(?m)^ +return (reponse\()?\{?"(outcome": ")?failed.*\n', "", text, count=1)
            (tmp_path / file.name).write_text(text, encoding="utf-8")
    for number, outcome in enumerate(talk(tmp_path, command, mode), 1):
        assert outcome.told.outcome == "accepted", outcome.message
        assert outcome.told.shown == f"Né\n« {number} »|{VALUES['nom']}|https://x/é"


def lines_of(name: str) -> Iterator[str]:
    """Yield the commands of a file for continuous integration that call us, without what stands in front."""
    for line in (EXAMPLES / "ci" / name).read_text("utf-8").splitlines():
        found = re.search(r"(?:^|[\s'\\/])poincon ((?:sut|run|norms)\b[^']*)", line)
        if found and not line.lstrip().startswith(("#", "//", "name:")):
            yield found[1].replace("\\\\", "/")


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml", "Jenkinsfile"])
def test_every_command_of_a_ci_file_exists_and_publishes_junit(name: str) -> None:
    parser, carried_out = build_parser(), []
    for line in lines_of(name):
        arguments = parser.parse_args(shlex.split(line))
        carried_out.append(arguments.command_function)
    assert set(carried_out) == {"product:init", "product:check", "product:run"}
    text = (EXAMPLES / "ci" / name).read_text("utf-8")
    assert "windows" in text and "runs/ci" in text and "|| true" not in text and "continue-on-error" not in text


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml"])
def test_a_ci_file_is_yaml(name: str) -> None:
    assert read_yaml(EXAMPLES / "ci" / name).mapping()
