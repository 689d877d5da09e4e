"""A norm with a companion: what the loader, the pages, a client session and the run folder make of both."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.driver import Stimulus
from harness.rejudge import rejudge
from norms.errors import DataError, NormError
from norms.loader import load
from norms.model import Norm, Text
from scenarios.compiler import compile_suite
from scenarios.coverage import coverage
from scenarios.model import Expectation, Step
from scenarios.page import PageReader
from scenarios.reader import read_scenarios
from tests.harness.lab import REQUEST, case, make_norm, make_suite
from tests.harness.machine import Machine, play

FIND = Step(
    stimulus=Text("Cherchez."),
    await_="DIR",
    expect=(
        Expectation("ESS-004", "valid"),
        Expectation("ESS-004", "equals", at="//g:Ping/g:Couleur", value="vert"),
        Expectation("ESS-004", "called-at"),
    ),
    line=1,
)


def renamed(text: str) -> str:
    """Return a text of the trial norm in the words of its companion."""
    for old, new in (("essai", "guide"), ("PING", "DIR"), ("/ping", "/dir"), ("ESS-", "GUI-")):
        text = text.replace(old, new)
    return re.sub(r"\be(?=[:=])", "g", text)


def beside(root: Path, *changes: tuple[str, str]) -> Norm:
    """Return the trial norm with a companion, `guide/1.0`: the same norm in other words. changes: of norm.yaml."""
    own = make_norm(root).root
    other = root / "guide" / "1.0"
    shutil.copytree(own, other)
    for path in [path for path in other.rglob("*") if path.is_file()]:
        text = renamed(path.read_text(encoding="utf-8"))
        path.unlink()
        path.with_name(renamed(path.name)).write_text(text, encoding="utf-8")
    file = own / "norm.yaml"
    text = file.read_text(encoding="utf-8").replace("uses: []", "uses: []\ncompanions: [guide/1.0]")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    return load(str(own), [root])


@pytest.fixture(scope="module")
def norm(tmp_path_factory: pytest.TempPathFactory) -> Norm:
    return beside(tmp_path_factory.mktemp("norms"))


def finds(product: Machine, stimulus: Stimulus) -> None:
    """Send the companion's message to the companion's address."""
    product.call(stimulus.endpoints["DIR"], renamed(REQUEST).replace("bleu", "vert"))


def test_a_norm_speaks_its_companions(norm: Norm) -> None:
    assert [one.ref for one in norm.speakers] == ["essai/1.0", "guide/1.0"]
    spoken = norm.speaking("DIR")
    assert spoken is not None and spoken.ref == "guide/1.0" and norm.service("DIR") is None
    assert norm.speaking("AUTRE") is None


def test_a_kind_of_a_companion_is_not_the_norm_s_own(tmp_path: Path) -> None:
    with pytest.raises(NormError, match=r"DIR.*guide/1\.0"):
        beside(tmp_path, ("kind: PING", "kind: DIR"))


def test_the_digest_of_a_norm_changes_with_its_companion(tmp_path: Path) -> None:
    before = beside(tmp_path)
    file = tmp_path / "guide" / "1.0" / "requirements.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("DOIT demander", "DOIT chercher"), encoding="utf-8")
    after = load(str(before.root), [tmp_path])
    assert after.digest != before.digest and after.companions[0].digest != before.companions[0].digest


def write_page(tmp_path: Path, steps: str) -> Path:
    folder = tmp_path / "essai" / "1.0" / "client"
    folder.mkdir(parents=True)
    file = folder / "ESS-C-001.yaml"
    file.write_text(
        "id: ESS-C-001\ntitle: {fr: Chercher}\nrole: client\npurpose: {fr: Vérifier.}\nsteps:\n" + steps,
        encoding="utf-8",
    )
    return file


STEP = """\
  - stimulus: {{fr: "Cherchez."}}
    await: {kind}
    expect:
      - {{requirement: ESS-004, check: equals, at: "//{prefix}:Couleur", value: "{value}"}}
"""


def test_a_step_is_read_in_the_words_of_the_norm_that_it_awaits(norm: Norm, tmp_path: Path) -> None:
    steps = [STEP.format(kind=kind, prefix=prefix, value="vert") for kind, prefix in (("DIR", "g"), ("PING", "e"))]
    scenario = PageReader(norm).read(write_page(tmp_path, "".join(steps)))
    assert [step.await_ for step in scenario.steps] == ["DIR", "PING"]


@pytest.mark.parametrize(("kind", "prefix"), [("DIR", "e"), ("PING", "g")])
def test_the_words_of_the_other_norm_are_unknown(norm: Norm, tmp_path: Path, kind: str, prefix: str) -> None:
    page = write_page(tmp_path, STEP.format(kind=kind, prefix=prefix, value="vert"))
    with pytest.raises(DataError, match=f"{prefix}:"):
        PageReader(norm).read(page)


@pytest.mark.parametrize("name", ["address_dir", "untrusted_ping"])
def test_addresses_of_a_session_are_known_to_a_page(norm: Norm, tmp_path: Path, name: str) -> None:
    write_page(tmp_path, STEP.format(kind="DIR", prefix="g", value=f"${{{name}}}"))
    suite = compile_suite(norm, read_scenarios(norm, [tmp_path]), None, "client")
    assert suite.cases[0].steps[0].expect[0].value == f"${{{name}}}"


@pytest.mark.parametrize("name", ["address_autre", "address_DIR"])
def test_an_address_of_nobody_is_refused(norm: Norm, tmp_path: Path, name: str) -> None:
    write_page(tmp_path, STEP.format(kind="DIR", prefix="g", value=f"${{{name}}}"))
    with pytest.raises(DataError, match=name):
        compile_suite(norm, read_scenarios(norm, [tmp_path]), None, "client")


def test_what_is_judged_on_every_request_counts_as_tested(tmp_path: Path) -> None:
    """Also a check that looks at requests of a client; one that looks at answers says nothing about a client."""
    always = "  - {requirement: ESS-001, check: answered}\n"
    norm = beside(tmp_path, (always, always + "  - {requirement: ESS-004, check: valid}\n"))
    lines = {line.requirement: line for line in coverage(norm, make_suite(norm, role="client")).lines}
    assert lines["ESS-004"].by == ("always",) and "ESS-001" not in lines


def test_a_request_to_the_companion_is_judged_in_its_words(norm: Norm, keys: Path, tmp_path: Path) -> None:
    result, product = play(norm, keys, tmp_path / "r", finds, case(1, FIND, role="client"))
    assert result.exit_code == 0 and result.verdicts.counts.passed == 1
    assert product.answers[0][0] == 200 and b"guide" in product.answers[0][1]
    wrong = replace(FIND, expect=(Expectation("ESS-004", "called-at", value="https://ailleurs.example/dir"),))
    result, _ = play(norm, keys, tmp_path / "w", finds, case(1, wrong, role="client"))
    finding = result.verdicts.cases[0].findings[0]
    assert (finding.verdict, finding.blame, finding.reason) == ("fail", "SUT", "called-elsewhere")


def test_the_folder_of_a_run_holds_the_companion_and_is_judged_again_without_the_norms(
    keys: Path, tmp_path: Path
) -> None:
    norm = beside(tmp_path / "norms")
    play(norm, keys, tmp_path / "r", finds, case(1, FIND, role="client"))
    copied = tmp_path / "r" / "norm" / "guide" / "1.0"
    assert (copied / "norm.yaml").read_bytes() == (norm.companions[0].root / "norm.yaml").read_bytes()
    assert (copied / "schema" / "guide.xsd").is_file()
    shutil.rmtree(tmp_path / "norms")
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()
