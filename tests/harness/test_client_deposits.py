"""Deposits dropped into a folder: which files count, when, and what their product is told; layouts and decoders."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from msgspec.structs import replace

from harness import decoders, deposits, session
from harness.deposits import RETURNS, FolderWatch
from harness.driver import Stimulus
from harness.errors import PreflightProblem
from harness.evidence import read_run, verify_evidence
from harness.preflight import check
from harness.record import CaseVerdict
from harness.rejudge import rejudge, rejudge_verdicts
from harness.replies import Reply
from harness.run import RunOptions, run
from harness.session import Session
from norms.loader import load
from norms.model import Norm, Text
from scenarios.declaration import Declaration, Deposits
from scenarios.model import Expectation, Step
from tests.harness.lab import NAMESPACE, case, make_norm, make_suite
from tests.harness.servers import make_pki
from tests.harness.test_client_role import HUSH, Machine, declared

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


# --- which files count


class Folder:
    """A watched folder and what was taken from it."""

    def __init__(self, root: Path, limit: int = 1000, *, answer: bytes = b"<retour/>") -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.answer, self.come = answer, threading.Event()
        self.session = Session(case(1, HAND_IN, role="client"), {}, lambda _, __, values: values)
        self.watch = FolderWatch(root, self._take, limit, shared=True)
        self.path = Path(url2pathname(urlsplit(self.watch.open(self.session)).path))

    def _take(self, _: Session, url: str, body: bytes) -> Reply:
        self.taken.append((Path(url2pathname(urlsplit(url).path)).name, body))
        self.come.set()
        return Reply(200, "", self.answer)

    def waited(self, count: int) -> list[tuple[str, bytes]]:
        """Return what was taken once there are `count` files, then a moment more in which none may follow."""
        deadline = time.monotonic() + 20
        while len(self.taken) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        return self.taken


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Callable[..., Folder]]:
    made: list[Folder] = []

    def make(**more: object) -> Folder:
        made.append(Folder(tmp_path / "depots", **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.watch.stop()


@pytest.mark.parametrize("name", ["facture.xml", "ma facture n° 1.xml", "façade-été-漢.xml", "100 %25.xml", "x" * 120])
def test_a_file_of_any_name_is_taken_once_and_answered_under_its_name(folder: Callable[..., Folder], name: str):
    watched = folder()
    (watched.path / name).write_bytes(b"<depot/>")
    assert watched.waited(1) == [(name, b"<depot/>")]
    assert (watched.path / RETURNS / name).read_bytes() == b"<retour/>"
    assert [path.name for path in (watched.path / RETURNS).iterdir()] == [name]
    assert (watched.path / name).read_bytes() == b"<depot/>"


def test_what_was_there_before_is_not_the_sessions_unless_it_is_written_anew(
    tmp_path: Path, folder: Callable[..., Folder]
):
    (tmp_path / "depots").mkdir()
    (tmp_path / "depots" / "hier.xml").write_bytes(b"<hier/>")
    (tmp_path / "depots" / "encore.xml").write_bytes(b"<hier/>")
    watched = folder()
    (watched.path / "encore.xml").write_bytes(b"<aujourdhui/>")
    assert watched.waited(1) == [("encore.xml", b"<aujourdhui/>")]


def test_a_file_that_grows_is_taken_when_it_is_whole(folder: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(deposits, "SETTLED_SECONDS", 2.0)  # however busy the machine is
    watched = folder()
    with (watched.path / "lente.xml").open("wb") as file:
        for _ in range(8):
            file.write(b"<piece/>")
            file.flush()
            time.sleep(0.12)
    assert watched.waited(1) == [("lente.xml", b"<piece/>" * 8)]


def test_unfinished_empty_and_foreign_entries_do_not_count(folder: Callable[..., Folder]):
    watched = folder()
    for name in ("a.part", "b.tmp", ".c.xml.part"):
        (watched.path / name).write_bytes(b"<depot/>")
    (watched.path / "vide.xml").touch()
    (watched.path / "dossier").mkdir()
    (watched.path / "dossier" / "d.xml").write_bytes(b"<depot/>")
    (watched.path / RETURNS / "e.xml").write_bytes(b"<depot/>")
    (watched.path / "a.part").rename(watched.path / "a.xml")
    assert watched.waited(1) == [("a.xml", b"<depot/>")]


def test_links_are_not_followed(folder: Callable[..., Folder], tmp_path: Path):
    watched = folder()
    (tmp_path / "ailleurs.xml").write_bytes(b"<secret/>")
    try:
        (watched.path / "lien.xml").symlink_to(tmp_path / "ailleurs.xml")
        (watched.path / "perdu.xml").symlink_to(tmp_path / "absent.xml")
    except OSError:
        pytest.skip("no links on this system")
    (watched.path / "vraie.xml").write_bytes(b"<depot/>")
    assert watched.waited(1) == [("vraie.xml", b"<depot/>")]


def test_a_file_that_goes_while_it_is_looked_at_stops_nothing(folder: Callable[..., Folder]):
    watched = folder()
    for number in range(20):
        fleeting = watched.path / f"a{number}.xml"
        fleeting.write_bytes(b"<fugace/>")
        time.sleep(0.02)
        fleeting.unlink()
    (watched.path / "z.xml").write_bytes(b"<depot/>")
    assert watched.waited(1) == [("z.xml", b"<depot/>")]


def test_a_file_that_nobody_may_read_or_answer_keeps_no_other_waiting(
    folder: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch
):
    watched = folder()
    unwilling = Path.open

    def refuse(self: Path, *arguments: object, **more: object) -> object:
        if self.name == "a.xml" and arguments == ("rb",):
            raise PermissionError(13, "refused", str(self))
        return unwilling(self, *arguments, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    (watched.path / RETURNS / "b.xml").mkdir()
    for name in ("a.xml", "b.xml", "c.xml"):
        (watched.path / name).write_bytes(b"<depot/>")
    assert watched.waited(2) == [("b.xml", b"<depot/>"), ("c.xml", b"<depot/>")]
    assert (watched.path / RETURNS / "c.xml").read_bytes() == b"<retour/>"


def test_a_file_beyond_the_limit_is_cut_just_behind_it(folder: Callable[..., Folder]):
    watched = folder(limit=100)
    (watched.path / "grande.xml").write_bytes(b"x" * 5000)
    assert watched.waited(1) == [("grande.xml", b"x" * 101)]


def test_after_its_end_a_session_takes_nothing(folder: Callable[..., Folder]):
    watched = folder()
    watched.watch.close(watched.session)
    (watched.path / "tard.xml").write_bytes(b"<depot/>")
    assert watched.waited(0) == []


# --- a whole run


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


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    issued = make_pki(folder).authority.issue_cert("localhost", "127.0.0.1")
    (folder / "server.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(folder / "server.key"))
    return folder


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
