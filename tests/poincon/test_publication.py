"""The life of a norm version by the front doors: published, frozen, revised, withdrawn, two versions side by side."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from front_doors import Call
from lxml import etree

from norms.digest import MANIFEST, WITHDRAWAL, compare_manifest
from norms.errors import NormError
from norms.loader import load
from norms.publication import publish, require_intact, revise, withdraw
from poincon.__main__ import main
from poincon.practice import practice_declaration
from sandbox.pki import ensure
from sandbox.serve import Sandbox

SOURCE, OLD, NEW = "annuaire/1.0", "guide/1.0", "guide/2.0"
WAITING = re.compile(r"(?m)^.*;suite-a-venir\r?\n")


@dataclass(frozen=True)
class Laboratory:
    """Two published versions of one norm, each with a run that was certified. Do not change: use `norms`."""

    root: Path
    data: Path
    runs: dict[str, Path]
    suts: dict[str, Path]
    addresses: dict[str, dict[str, str]]


def set_environment(patch: pytest.MonkeyPatch, root: Path, data: Path) -> None:
    patch.setenv("POINCON_NORMS", str(root))
    patch.setenv("POINCON_SCENARIOS", str(root / "scenarios"))
    patch.setenv("POINCON_DATA", str(data))


def done(*argv: str | Path) -> None:
    assert main([str(word) for word in argv]) == 0, argv


def as_draft(folder: Path) -> Path:
    """Take back the publication of a copy, if it was published."""
    if load(str(folder)).status == "published":
        revise(load(str(folder)), date(2027, 1, 2))
    return folder


def without_promises(folder: Path) -> None:
    """Drop the requirements whose suite is still to come: a draft may wait, a publication may not."""
    file = folder / "requirements.csv"
    file.write_text(WAITING.sub("", file.read_text("utf-8")), encoding="utf-8")


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    home = tmp_path_factory.mktemp("laboratory")
    root, data = home / "norms", home / "data"
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, root, data)
        done("norms", "new", SOURCE, OLD, "--dir", root)
        without_promises(root / OLD)
        done("norms", "publish", as_draft(root / "commun" / "1.0"))
        done("norms", "publish", OLD)
        done("norms", "new", OLD, NEW, "--dir", root)
        done("norms", "publish", NEW)
        runs, suts = {}, {}
        with Sandbox([OLD, NEW], data / "sandbox") as sandbox:
            for ref in (OLD, NEW):
                suts[ref], runs[ref] = home / f"{load(ref).version}.yaml", home / f"run-{load(ref).version}"
                declared = practice_declaration(
                    load(ref), sandbox.endpoints(norm=ref), ensure(data / "sandbox" / "pki")
                )
                suts[ref].write_text(declared, encoding="utf-8")
                done("run", "--sut", suts[ref], "--out", runs[ref], "--jobs", "2")
                done("certify", runs[ref])
            yield Laboratory(root, data, runs, suts, {ref: sandbox.endpoints(norm=ref) for ref in (OLD, NEW)})


@pytest.fixture
def norms(laboratory: Laboratory, own_data: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the laboratory's norms that a test may change, and that the commands find."""
    root = tmp_path / "norms"
    shutil.copytree(laboratory.root, root)
    set_environment(monkeypatch, root, laboratory.data)
    return root


def test_a_draft_is_refused_with_every_reason(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "norms"
    set_environment(monkeypatch, root, tmp_path)
    assert call("norms", "new", SOURCE, OLD, "--dir", root).code == 0
    as_draft(root / "commun" / "1.0")
    folder, pages = root / OLD, root / "scenarios" / OLD / "server"
    without_promises(folder)
    with (folder / "requirements.csv").open("a", encoding="utf-8") as file:
        file.write("ANN-LPS-099;9;MUST;mineure;client;;Le système DOIT attendre.;;suite-a-venir\n")
    (folder / "CHANGES.md").unlink()
    page = next(page for page in sorted(pages.glob("*.yaml")) if "ANN-ADR-005" in page.read_text("utf-8"))
    page.unlink()
    before = (folder / "norm.yaml").read_bytes()
    told = call("norms", "publish", OLD)
    assert told.code == 1, told.err
    for reason in (
        "commun/1.0",
        "attendent la suite",
        "L'historique de la norme manque",
        "« ANN-ADR-005 » n'est citée",
    ):
        assert sum(reason in line and ": erreur : " in line for line in told.out.splitlines()) == 1, reason
    assert "guide/1.0 n'est pas publiée : 4 erreur(s)" in told.out
    assert (folder / "norm.yaml").read_bytes() == before and not (folder / MANIFEST).exists()


def test_a_norm_for_others_may_not_promise_either(call: Call, tmp_path: Path) -> None:
    """It has nothing to be tested on, and would keep every norm that uses it from being published."""
    root = tmp_path / "norms"
    assert call("norms", "new", "socle/1.0", "socle/9.9", "--dir", root).code == 0
    done("norms", "publish", as_draft(root / "commun" / "1.0"))
    without_promises(root / "socle" / "9.9")
    with (root / "socle" / "9.9" / "requirements.csv").open("a", encoding="utf-8") as file:
        file.write("SOC-LPS-099;9;MUST;mineure;client;;Le système DOIT attendre.;;suite-a-venir\n")
    told = call("norms", "publish", root / "socle" / "9.9")
    assert told.code == 1 and "1 exigences MUST attendent" in told.out
    without_promises(root / "socle" / "9.9")
    assert call("norms", "publish", root / "socle" / "9.9").code == 0


def test_a_publication_changes_the_status_and_nothing_else(laboratory: Laboratory) -> None:
    text = (laboratory.root / OLD / "norm.yaml").read_text("utf-8")
    was = (load(SOURCE).root / "norm.yaml").read_text("utf-8").splitlines()
    today = date.today().isoformat()
    changed = [line for line in text.splitlines() if line not in was]
    assert set(changed) <= {'id: "guide"', 'revision: "1"', 'status: "published"', f'valid_from: "{today}"'}
    assert 'status: "published"' in text and text.count("#") == "\n".join(was).count("#")
    assert f"## Révision 1 (publiée le {today})\n" in (laboratory.root / OLD / "CHANGES.md").read_text("utf-8")
    assert compare_manifest(laboratory.root / OLD) == []


def test_published_once(norms: Path, call: Call) -> None:
    assert call("norms", "check", OLD, NEW).code == 0
    told = call("norms", "publish", OLD)
    assert (told.code, told.out) == (2, "") and "n'est pas un projet" in told.err


def test_a_first_day_is_given_where_none_was(tmp_path: Path) -> None:
    folder = tmp_path / "petite" / "1.0"
    folder.mkdir(parents=True)
    text = 'id: petite\nversion: "1.0"\nrevision: "1"\ntitle: P\nstatus: draft # projet\n'
    (folder / "norm.yaml").write_text(f"{text}provenance: official\nvalid_from:\n", encoding="utf-8")
    publish(load(str(folder), []), date(2027, 1, 2))
    published = load(str(folder), [])
    assert (published.status, published.valid_from) == ("published", "2027-01-02")
    assert "# projet" in (folder / "norm.yaml").read_text("utf-8") and compare_manifest(folder) == []


def test_a_changed_publication_is_refused_wherever_something_could_come_of_it(
    laboratory: Laboratory, norms: Path, call: Call
) -> None:
    table = norms / OLD / "codes" / "services.csv"
    table.write_bytes(table.read_bytes().replace(b"Simulation", b"Simulatiom", 1))
    (norms / OLD / "codes" / "neuf.csv").write_text("code;libelle;valid_from;valid_to\n", encoding="utf-8")
    (norms / OLD / "messages" / "ADR.response.xml").unlink()
    names = "codes/services.csv (modifié), messages/ADR.response.xml (disparu), codes/neuf.csv (ajouté)"
    for command in (
        ["run", "--sut", laboratory.suts[OLD]], ["sut", "check", laboratory.suts[OLD]], ["kill-rate", OLD],
        ["certify", laboratory.runs[OLD], "--out", "deux.xml"],
    ):  # fmt: skip
        told = call(*command)
        assert told.code != 0, command
        assert names in told.err and "Rétablissez-les" in told.err and f"revise {OLD}" in told.err, command
    checked = call("norms", "check", OLD)
    assert checked.code == 1 and "services.csv: erreur : Le fichier a changé" in checked.out
    assert call("norms", "list").code == call("norms", "show", OLD).code == 0
    assert call("norms", "check", NEW).code == 0
    assert call("sut", "check", laboratory.suts[NEW]).code == 0


def test_a_changed_parent_is_refused_too(laboratory: Laboratory, norms: Path, call: Call) -> None:
    with (norms / "commun" / "1.0" / "CHANGES.md").open("a", encoding="utf-8") as file:
        file.write("un mot de plus\n")
    told = call("run", "--sut", laboratory.suts[NEW])
    assert told.code == 2 and "commun/1.0 a changé : CHANGES.md (modifié)" in told.err


def test_the_simulator_may_grow(laboratory: Laboratory, norms: Path, call: Call) -> None:
    digest = load(OLD).digest
    with (norms / OLD / "simulator" / "variants.yaml").open("a", encoding="utf-8") as file:
        file.write(
            '  - {id: V-NEUVE, title: {fr: "Autre libellé"}, operator: set-text, at: "//libelle", value: "Neuf"}\n'
        )
    assert call("norms", "check", OLD).code == 0
    require_intact(load(OLD))
    assert load(OLD).digest == digest
    assert call("certify", laboratory.runs[OLD], "--out", "encore.xml").code == 0


def test_two_versions_live_beside_each_other(laboratory: Laboratory, norms: Path, call: Call) -> None:
    (old,), (new,) = (laboratory.addresses[ref].values() for ref in (OLD, NEW))
    assert old != new and new.endswith(f"/{NEW}/annuaire/1.0/search")
    for ref in (OLD, NEW):
        certificate = etree.parse(laboratory.runs[ref] / "certificate.xml")
        version, digest = (certificate.findtext(f".//{{*}}Norm/{{*}}{name}") for name in ("Version", "Digest"))
        assert (f"guide/{version}", digest) == (ref, load(ref).digest)
    revise(load(NEW), date(2027, 1, 2))
    assert call("certify", laboratory.runs[OLD], "--out", "un.xml").code == 0
    refused = call("certify", laboratory.runs[NEW], "--out", "deux.xml")
    assert refused.code != 0 and "a éprouvé la révision 1" in refused.err and "est 2" in refused.err


def test_a_withdrawn_norm_certifies_nothing_new(laboratory: Laboratory, norms: Path, call: Call) -> None:
    digest, run = load(OLD).digest, laboratory.runs[OLD]
    told = call("norms", "withdraw", OLD, "--reason", "Remplacée par la 2.0 : « sans » \n critère")
    assert told.code == 0, told.err
    today = date.today().isoformat()
    norm = load(OLD)
    assert (norm.status, norm.valid_to, norm.digest) == ("withdrawn", today, digest)
    assert compare_manifest(norms / OLD) == [] and call("norms", "check", OLD).code == 0
    why = f"La norme guide/1.0 est retirée depuis le {today} : Remplacée par la 2.0 : « sans » critère"
    refused = call("certify", run, "--out", "trois.xml")
    assert refused.code != 0 and why in refused.err
    for command in (["run", "--sut", laboratory.suts[OLD]], ["sut", "check", laboratory.suts[OLD]]):
        told = call(*command)
        assert told.code == 2 and why in told.err and "certification: false" in told.err
    assert re.search(r"guide/1\.0 +retirée .*\nguide/2\.0 +publiée ", call("norms", "list").out)
    assert why in call("norms", "show", OLD).out
    listed = {one["id"] + "/" + one["version"]: one for one in call("norms", "list", "--json").json}  # type: ignore[attr-defined]
    assert (listed[OLD]["status"], listed[OLD]["valid_to"]) == ("withdrawn", today) and listed[NEW][
        "withdrawal"
    ] is None

    assert call("rejudge", run).code == 0
    authority = ensure(laboratory.data / "sandbox" / "pki").authority
    assert call("verify", run / "certificate.xml", "--run", run, "--authority", authority).code == 0
    assert call("certify", laboratory.runs[NEW], "--out", "quatre.xml").code == 0


def test_a_trial_against_a_withdrawn_norm_says_so(laboratory: Laboratory, norms: Path, call: Call) -> None:
    withdraw(load(OLD), "Remplacée.", date.today(), [])
    text = laboratory.suts[OLD].read_text("utf-8").replace("certification: true", "certification: false")
    Path("essai.yaml").write_text(text, encoding="utf-8")
    told = call("run", "--sut", "essai.yaml", "--out", "essai", "--select", "ANN-S-001")
    assert "1 conforme" in told.out, told.err
    assert "retirée" in Path("essai/bilan.html").read_text("utf-8")
    assert call("rejudge", "essai").code == 0


def test_what_cannot_be_withdrawn_or_revised(norms: Path, call: Call) -> None:
    assert call("norms", "new", NEW, "guide/3.0").code == 0
    told = call("norms", "revise", norms / "commun" / "1.0")
    assert told.code == 2 and f"révisez d'abord {OLD}, {NEW}" in told.err
    for ref, reason, words in (
        ("guide/3.0", "Trop tôt", "n'est pas publiée"), (OLD, "  ", "Dites pourquoi"),
        (norms / "commun" / "1.0", "Vieille", f"retirez d'abord {OLD}, {NEW}"),
    ):  # fmt: skip
        told = call("norms", "withdraw", ref, "--reason", reason)
        assert told.code == 2 and words in told.err
    assert call("norms", "withdraw", OLD, "--reason", "Vieille").code == 0
    assert call("norms", "withdraw", OLD, "--reason", "Vieille").code == 2
    assert call("norms", "revise", OLD).code == 2


def test_the_withdrawal_of_a_norm_that_it_uses_counts(laboratory: Laboratory, norms: Path, call: Call) -> None:
    assert call("norms", "revise", NEW).code == call("norms", "withdraw", OLD, "--reason", "Vieille").code == 0
    assert [member.status for member in load(NEW).family] == ["draft", "published"]
    assert call("norms", "withdraw", norms / "commun" / "1.0", "--reason", "Vieille aussi").code == 0
    assert [member.status for member in load(NEW).family] == ["draft", "withdrawn"]
    told = call("run", "--sut", laboratory.suts[NEW])
    assert told.code == 2 and "commun/1.0 est retirée" in told.err


def test_a_draft_with_the_record_of_a_withdrawal_is_refused(norms: Path, call: Call) -> None:
    assert call("norms", "withdraw", OLD, "--reason", "Vieille").code == 0
    revised = load(NEW)
    revise(revised, date(2027, 1, 2))
    shutil.copy(norms / OLD / WITHDRAWAL, norms / NEW / WITHDRAWAL)
    with pytest.raises(NormError, match="pas été publié"):
        load(NEW)
    assert call("norms", "new", OLD, "guide/4.0").code == 0
    assert not (norms / "guide" / "4.0" / WITHDRAWAL).exists() and not (norms / "guide" / "4.0" / MANIFEST).exists()


def test_an_erratum_is_a_new_revision(norms: Path, call: Call) -> None:
    table = norms / OLD / "codes" / "services.csv"
    table.write_bytes(table.read_bytes().replace(b"Simulation", b"Simulation du reste", 1))
    told = call("norms", "revise", OLD)
    assert told.code == 0 and "révision 2" in told.out, told.err
    norm = load(OLD)
    assert (norm.status, norm.revision) == ("draft", "2") and not (norms / OLD / MANIFEST).exists()
    history = (norms / OLD / "CHANGES.md").read_text("utf-8")
    assert history.index("## Révision 2 (projet)") < history.index("## Révision 1 (publiée le")
    assert call("norms", "publish", OLD).code == 0
    assert (load(OLD).status, load(OLD).revision) == ("published", "2")
    assert "## Révision 2 (publiée le" in (norms / OLD / "CHANGES.md").read_text("utf-8")


def test_an_interrupted_publication_leaves_a_draft(norms: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("norms", "revise", OLD).code == 0

    moved = Path.replace

    def killed(self: Path, target: Path) -> Path:
        if target.name == "norm.yaml":
            raise KeyboardInterrupt
        return moved(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        call("norms", "publish", OLD)
    assert load(OLD).status == "draft" and (norms / OLD / MANIFEST).is_file()
    assert call("norms", "publish", OLD).code == 0 and compare_manifest(norms / OLD) == []
