"""Deposits dropped into a folder: how they are judged and answered; layouts and their decoders."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from msgspec.structs import replace

from harness import decoders, session
from harness.deposits import RETURNS
from harness.driver import Stimulus
from harness.errors import PreflightProblem
from harness.evidence import read_run, verify_evidence
from harness.preflight import check
from harness.record import CaseVerdict
from harness.rejudge import rejudge, rejudge_verdicts
from harness.run import RunOptions, run
from norms.loader import load
from norms.model import Norm, Text
from scenarios.declaration import Declaration, Deposits
from scenarios.model import Expectation, Step
from tests.harness.lab import NAMESPACE, case, make_norm, make_suite
from tests.harness.machine import HUSH, Machine, declared

DEPOSIT = f'<e:Depot xmlns:e="{NAMESPACE}"><e:Couleur>bleu</e:Couleur></e:Depot>'
_RETURN = (
    '<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Body>'
    f'<e:Retour xmlns:e="{NAMESPACE}"><e:Couleur>{{}}</e:Couleur></e:Retour></soap:Body></soap:Envelope>'
)
HAND_IN = Step(
    stimulus=Text("Déposez."),
    await_="DEP",
    expect=(
        Expectation("ESS-004", "valid"),
        Expectation("ESS-004", "equals", at="//e:Depot/e:Couleur", value="${couleur}"),
    ),
    line=1,
)


class Reversed:
    """A layout that is the document backwards. Its `read` counts."""

    def __init__(self) -> None:
        self.read = 0

    def decode(self, document: bytes) -> bytes:
        self.read += 1
        if not document.startswith(b">"):
            raise ValueError("le premier octet n'est pas « > »")
        return document[::-1]

    def encode(self, answer: bytes) -> bytes:
        return answer[::-1]


@pytest.fixture(scope="module")
def norm(tmp_path_factory: pytest.TempPathFactory) -> Norm:
    """The trial norm, with a deposit."""
    root = tmp_path_factory.mktemp("norms")
    folder = make_norm(root).root
    service = (
        'fill: {"//e:Ping',
        '  - kind: DEP\n    title: {fr: "Dépôt", en: "Deposit"}\n    carrier: deposit\n    roles: [client]\n'
        "    path: /dep\n"
        '    request: {element: "e:Depot"}\n    response: {element: "e:Retour"}\nfill: {"//e:Ping',
    )
    element = '<xs:element name="{}"><xs:complexType><xs:sequence><xs:element name="Couleur" type="xs:string"/>'
    both = "".join(
        element.format(name) + "</xs:sequence></xs:complexType></xs:element>" for name in ("Depot", "Retour")
    )
    row = '{id: depot, set: {couleur: "//e:Couleur"}, answer: retour}'
    for name, (old, new) in {
        "norm.yaml": service,
        "schema/essai.xsd": ("</xs:schema>", both + "</xs:schema>"),
        "simulator/decisions.yaml": ("decisions:\n", f"decisions:\n  DEP:\n    rows:\n      - {row}\n"),
    }.items():
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    (folder / "messages" / "DEP.request.xml").write_text(DEPOSIT, encoding="utf-8")
    (folder / "messages" / "DEP.response.xml").write_text(DEPOSIT.replace("Depot", "Retour"), encoding="utf-8")
    (folder / "simulator" / "answers" / "retour.xml").write_text(_RETURN.format("{{ couleur }}"), encoding="utf-8")
    return load(str(folder), [root])


@pytest.fixture
def layout(monkeypatch: pytest.MonkeyPatch) -> Reversed:
    """The layout "envers", as an installed package would supply it."""
    decoder = Reversed()
    supplied(monkeypatch, decoder)
    return decoder


def supplied(monkeypatch: pytest.MonkeyPatch, decoder: object | None) -> None:
    class Point:
        def load(self) -> object:
            return decoder

    def points(group: str, name: str) -> list[Point]:
        return [Point()] if decoder is not None and (group, name) == ("poincon.decoders", "envers") else []

    monkeypatch.setattr(decoders, "entry_points", points)
    decoders.decoder_of.cache_clear()


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    decoders.decoder_of.cache_clear()


def lent(keys: Path, wanted: Deposits) -> Declaration:
    plain = declared(keys)
    return replace(plain, laboratory=replace(plain.laboratory, deposits=wanted))


def handed_in(
    norm: Norm, keys: Path, tmp_path: Path, document: bytes, layout: str = "xml", *steps: Step
) -> CaseVerdict:
    """Run a case whose product drops `document`, and wait for what comes back of it."""

    def drops(_: Machine, stimulus: Stimulus) -> None:
        place = Path(url2pathname(urlsplit(stimulus.endpoints["DEP"]).path))
        (place / ".d.part").write_bytes(document)
        (place / ".d.part").replace(place / "d.xml")
        deadline = time.monotonic() + 10
        while not (place / RETURNS / "d.xml").exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    suite = make_suite(norm, case(1, *(steps or (HAND_IN,)), role="client"), role="client")
    declaration = lent(keys, Deposits(tmp_path / "depots", layout))
    product = Machine(keys, drops)
    options = RunOptions(declaration, suite, norm, tmp_path / "r", preflight=False, operator=product, tool="essai")
    result = run(options)
    assert verify_evidence(tmp_path / "r") == []
    return result.verdicts.cases[0]


def returned(tmp_path: Path) -> bytes:
    return (tmp_path / "depots" / RETURNS / "d.xml").read_bytes()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_deposit_is_judged_whatever_its_encoding(norm: Norm, keys: Path, tmp_path: Path, encoding: str):
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?>{DEPOSIT}'
    verdict = handed_in(norm, keys, tmp_path, text.encode(encoding))
    assert verdict.verdict == "pass", verdict.findings
    assert b"<e:Couleur>bleu</e:Couleur>" in returned(tmp_path) and b"Envelope" not in returned(tmp_path)
    (exchange,) = read_run(tmp_path / "r").exchanges("ESS-S-001")
    assert exchange.url.startswith("file:") and exchange.url.endswith("/d.xml")
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()


def test_a_return_that_is_meant_to_come_late_does(norm: Norm, keys: Path, tmp_path: Path):
    verdict = handed_in(norm, keys, tmp_path, DEPOSIT.encode(), "xml", replace(HAND_IN, reply="slow:1"))
    assert verdict.verdict == "pass", verdict.findings
    later, came = (tmp_path / "depots" / name for name in (f"{RETURNS}/d.xml", "d.xml"))
    assert later.stat().st_mtime - came.stat().st_mtime >= 1


def test_a_return_that_we_cannot_write_is_our_incident(norm: Norm, keys: Path, tmp_path: Path):
    """The product waits for it in vain: neither a step that it then misses nor one that it then meets counts."""

    def drops(_: Machine, stimulus: Stimulus) -> None:
        place = Path(url2pathname(urlsplit(stimulus.endpoints["DEP"]).path))
        (place / RETURNS).rmdir()
        (place / RETURNS).write_bytes(b"")
        (place / "d.xml").write_bytes(DEPOSIT.encode())
        time.sleep(1)

    suite = make_suite(norm, case(1, HAND_IN, HUSH, role="client"), role="client")
    declaration = lent(keys, Deposits(tmp_path / "depots", "xml"))
    result = run(RunOptions(declaration, suite, norm, tmp_path / "r", preflight=False, operator=Machine(keys, drops)))
    verdict = result.verdicts.cases[0]
    assert (verdict.verdict, result.exit_code) == ("error", 4) and "d.xml" in verdict.reason
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()


@pytest.mark.parametrize(
    "document",
    [b"<pas fini", b"\xff\x00\x1b[31m", DEPOSIT.encode()[:40], b"<autre/>", DEPOSIT.replace("bleu", "rouge").encode()],
)
def test_a_bad_deposit_is_the_products_fault(norm: Norm, keys: Path, tmp_path: Path, document: bytes):
    verdict = handed_in(norm, keys, tmp_path, document)
    assert verdict.verdict == "fail" and verdict.findings[0].blame == "SUT"


def test_an_encoding_that_the_wire_does_not_know_is_told(norm: Norm, keys: Path, tmp_path: Path):
    text = f'<?xml version="1.0" encoding="iso-8859-1"?>{DEPOSIT.replace("bleu", "été")}'
    verdict = handed_in(norm, keys, tmp_path, text.encode("iso-8859-1"))
    assert (verdict.verdict, verdict.findings[0].blame) == ("fail", "SUT")
    sentence = "ni en UTF-8 ni en UTF-16"
    assert sentence in verdict.findings[0].actual and sentence in returned(tmp_path).decode()


def test_a_deposit_that_is_too_large_is_the_products_fault(norm: Norm, keys: Path, tmp_path: Path):
    small = replace(norm, security=replace(norm.security, limits=replace(norm.security.limits, body_bytes=2000)))
    verdict = handed_in(small, keys, tmp_path, DEPOSIT.encode() + b" " * 5000)
    assert (verdict.verdict, verdict.findings[0].reason) == ("fail", "too-large")
    (exchange,) = read_run(tmp_path / "r").exchanges("ESS-S-001")
    assert len(exchange.request) < 2500


def test_a_thousand_files_are_turned_away_and_not_judged(
    norm: Norm, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(session, "MOST_ARRIVALS", 5)

    def floods(_: Machine, stimulus: Stimulus) -> None:
        place = Path(url2pathname(urlsplit(stimulus.endpoints["DEP"]).path))
        for number in range(1000):
            (place / f"{number}.xml").write_text(DEPOSIT, encoding="utf-8")
        deadline = time.monotonic() + 10
        while len(list((place / RETURNS).iterdir())) < 5 and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)

    suite = make_suite(norm, case(1, HAND_IN, HUSH, role="client"), role="client")
    declaration = lent(keys, Deposits(tmp_path / "depots"))
    product = Machine(keys, floods)
    result = run(RunOptions(declaration, suite, norm, tmp_path / "r", preflight=False, operator=product))
    found = [(each.verdict, each.blame, each.reason) for each in result.verdicts.cases[0].findings]
    assert ("inconclusive", "CONFIG", "too-many-calls") in found
    kept = read_run(tmp_path / "r").exchanges("ESS-S-001")
    assert sum(each.outcome == "received" for each in kept) == 5
    assert len(list((tmp_path / "depots" / RETURNS).iterdir())) == 5


# --- layouts


def test_another_layout_is_decoded_judged_and_answered_in_it(
    norm: Norm, keys: Path, tmp_path: Path, layout: Reversed, monkeypatch: pytest.MonkeyPatch
):
    verdict = handed_in(norm, keys, tmp_path, DEPOSIT.encode()[::-1], "envers")
    assert verdict.verdict == "pass", verdict.findings
    assert b"<e:Couleur>bleu</e:Couleur>" in returned(tmp_path)[::-1]
    (exchange,) = read_run(tmp_path / "r").exchanges("ESS-S-001")
    assert exchange.layout == "envers" and exchange.request.endswith(DEPOSIT.encode()[::-1])

    before = layout.read
    assert rejudge(tmp_path / "r") == (tmp_path / "r" / "verdicts.json").read_bytes()
    assert layout.read > before

    supplied(monkeypatch, None)
    (again,) = (each for each in rejudge_verdicts(tmp_path / "r").cases if each.id == "ESS-S-001")
    assert again.verdict == "error" and again.findings[0].blame == "LAB"
    assert "Aucun décodeur « envers »" in again.findings[0].actual


def test_a_document_that_is_not_of_its_layout_is_the_products_fault(
    norm: Norm, keys: Path, tmp_path: Path, layout: Reversed
):
    verdict = handed_in(norm, keys, tmp_path, DEPOSIT.encode(), "envers")
    assert (verdict.verdict, verdict.findings[0].blame, verdict.findings[0].check) == ("fail", "SUT", "valid")
    assert "le premier octet n'est pas « > »" in verdict.findings[0].actual
    assert "le premier octet" in returned(tmp_path).decode()
    assert layout.read


def test_a_decoder_that_crashes_blames_nobody(norm: Norm, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Broken(Reversed):
        def decode(self, document: bytes) -> bytes:
            raise KeyError(document)

    supplied(monkeypatch, Broken())
    verdict = handed_in(norm, keys, tmp_path, DEPOSIT.encode()[::-1], "envers")
    assert verdict.verdict == "error" and verdict.findings[0].blame == "LAB"
    assert "Le décodeur « envers » a échoué (KeyError)" in verdict.findings[0].actual


def test_without_decoder_the_cases_of_deposits_are_not_run(
    norm: Norm, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    supplied(monkeypatch, None)
    verdict = handed_in(norm, keys, tmp_path, DEPOSIT.encode(), "envers")
    assert verdict.verdict == "not_run" and "Aucun décodeur « envers »" in verdict.reason


# --- pre-flight


def problems(norm: Norm, keys: Path, wanted: Deposits) -> list[PreflightProblem]:
    return [each for each in check(norm, lent(keys, wanted)) if "deposits" in each.what]


def test_the_preflight_says_what_deposits_lack(
    norm: Norm, keys: Path, tmp_path: Path, layout: Reversed, monkeypatch: pytest.MonkeyPatch
):
    assert problems(norm, keys, Deposits()) == []
    assert problems(norm, keys, Deposits(tmp_path / "nouveau", "envers")) == []
    (tmp_path / "fichier").touch()
    (no_folder,) = problems(norm, keys, Deposits(tmp_path / "fichier"))
    assert "fichier" in no_folder.what
    (beneath_a_file,) = problems(norm, keys, Deposits(tmp_path / "fichier" / "depots"))
    assert "depots" in beneath_a_file.what
    supplied(monkeypatch, None)
    (no_decoder,) = problems(norm, keys, Deposits(None, "envers"))
    assert "« envers »" in no_decoder.what and "poincon.decoders" in no_decoder.remedy
