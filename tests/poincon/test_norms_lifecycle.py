"""From one norm version to the next by the front doors: `norms new`, then `norms check` and `norms diff`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import pytest
from front_doors import CHECKOUT, Call
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from norms.digest import MANIFEST, manifest
from norms.draft import draft
from norms.errors import NormError
from norms.loader import load
from scenarios.reader import read_scenarios

SMALL = """\
id: {id}
version: {version}
revision: {revision}
title: {{fr: "Petite"}}
status: {status}
provenance: reconstruction
valid_from: {valid_from}
{more}"""


def small(root: Path, text: str = "", **keys: str) -> Path:
    """Write a norm without services and return its folder."""
    values = {"id": "petite", "version": '"1.0"', "revision": '"3"', "status": "withdrawn",
              "valid_from": '"2020-01-01"', "more": ""}  # fmt: skip
    folder = root / "petite" / "1.0"
    folder.mkdir(parents=True)
    (folder / "norm.yaml").write_text(text or SMALL.format(**{**values, **keys}), encoding="utf-8", newline="")
    return folder


@pytest.mark.parametrize("ref", ["ville/1.1", "annuaire/1.0", "commun/1.0"])
def test_a_new_version_passes_the_check_and_differs_only_in_its_name(
    ref: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = load(ref)
    new = f"{source.id}/9.9"
    told = call("norms", "new", ref, new, "--dir", tmp_path / "norms")
    assert told.code == 0, told.err
    scenarios = tmp_path / "norms" / "scenarios"
    monkeypatch.setenv("POINCON_NORMS", str(tmp_path / "norms"))
    monkeypatch.setenv("POINCON_SCENARIOS", str(scenarios))
    for word in ("norm.yaml", "requirements.csv", "CHANGES.md", "attribut Version", "POINCON_NORMS=", f"check {new}"):
        assert word in told.out
    checked = call("norms", "check", new)
    assert checked.code == 0, checked.out
    changes = call("norms", "diff", new, ref, "--json").json["changes"]  # type: ignore[index]
    assert {(change["subject"], change["id"]) for change in changes} <= {
        ("norm", name) for name in ("version", "revision", "status", "valid_from", "valid_to", "replaces")
    }
    assert ("9.9", source.version) in {(change["before"], change["after"]) for change in changes}
    copy = load(new)
    assert (copy.status, copy.revision, copy.replaces, copy.valid_to) == ("draft", "1", ref, "")
    assert copy.valid_from == date.today().isoformat()
    assert [page.id for page in read_scenarios(copy)] == [page.id for page in read_scenarios(source)]
    history = (copy.root / "CHANGES.md").read_text("utf-8")
    assert history.startswith(f"# {source.id} 9.9 – changements") and f"à partir de {ref}" in history
    assert "# The norm version as data." in (copy.root / "norm.yaml").read_text("utf-8") or ref == "commun/1.0"


def test_a_published_norm_leaves_its_manifest_behind(tmp_path: Path) -> None:
    folder = small(tmp_path, status="published", more='valid_to: "2030-12-31"\nreplaces: petite/0.9\n')
    (folder / MANIFEST).write_text(manifest(folder), encoding="utf-8")
    (folder / ".hidden").write_text("x", encoding="utf-8")
    new = draft(load(str(folder)), "petite/1.1", tmp_path, date(2027, 1, 2))
    assert sorted(path.name for path in new.iterdir()) == ["CHANGES.md", "norm.yaml"]
    copy = load(str(new), [])
    assert (copy.status, copy.valid_from, copy.valid_to, copy.replaces) == ("draft", "2027-01-02", "", "petite/1.0")
    assert sorted(path.name for path in new.parent.iterdir()) == ["1.0", "1.1"]


def test_a_norm_for_others_takes_its_pages_along(call: Call, tmp_path: Path) -> None:
    """It has no services, so no page of it runs alone; those that use it run them."""
    assert call("norms", "new", "socle/1.0", "socle/9.9", "--dir", tmp_path / "norms").code == 0
    pages = [CHECKOUT / "scenarios" / "socle" / "1.0", tmp_path / "norms" / "scenarios" / "socle" / "9.9"]
    names = [sorted(path.relative_to(root) for path in root.glob("*/*.yaml")) for root in pages]
    assert names[0] == names[1] != []


def test_a_norm_that_is_being_written_hides_no_other(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "norms"
    small(root, status="drafft")
    monkeypatch.setenv("POINCON_NORMS", str(root))
    told = call("norms", "list")
    assert told.code == 2 and "« drafft »" in told.err and "annuaire/1.0" in told.out


def test_another_norm_replaces_nothing(tmp_path: Path) -> None:
    folder = small(tmp_path, more="replaces: petite/0.9\n")
    assert load(str(draft(load(str(folder)), "autre/1.0", tmp_path, date(2027, 1, 2)))).replaces == ""


@pytest.mark.parametrize(
    "target", ["petite", "petite/", "/1.0", "../1.0", "petite/../x", "Petite/1", "petite/1/2", "a/ "]
)
def test_a_name_that_is_none_is_refused(target: str, call: Call, tmp_path: Path) -> None:
    told = call("norms", "new", small(tmp_path / "norms"), target, "--dir", tmp_path / "there")
    assert told.code == 2
    assert f"« {target} »" in told.err
    assert not (tmp_path / "there").exists()


def test_an_existing_target_is_left_alone(call: Call, tmp_path: Path) -> None:
    there = tmp_path / "there"
    source = small(tmp_path / "norms")
    assert call("norms", "new", source, "petite/2.0", "--dir", there).code == 0
    (there / "petite" / "2.0" / "CHANGES.md").write_text("à moi", encoding="utf-8")
    told = call("norms", "new", source, "petite/2.0", "--dir", there)
    assert (told.code, told.out) == (2, "")
    assert "existe déjà" in told.err
    assert (there / "petite" / "2.0" / "CHANGES.md").read_text("utf-8") == "à moi"
    known = call("norms", "new", "commun/1.0", "annuaire/1.0", "--dir", there)
    assert known.code == 2 and "annuaire/1.0 existe déjà" in known.err
    (there / "scenarios" / "petite" / "3.0").mkdir(parents=True)
    assert call("norms", "new", source, "petite/3.0", "--dir", there).code == 2
    assert not (there / "petite" / "3.0").exists()


def test_without_dir_it_goes_to_the_first_root_of_the_environment(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    monkeypatch.setenv("POINCON_NORMS", os.pathsep.join(map(str, roots)))
    monkeypatch.setenv("POINCON_SCENARIOS", str(tmp_path / "pages"))
    told = call("norms", "new", "annuaire/1.0", "annuaire/1.1")
    assert told.code == 0 and "définissez" not in told.out
    assert (roots[0] / "annuaire" / "1.1" / "norm.yaml").is_file()
    assert list((tmp_path / "pages" / "annuaire" / "1.1" / "server").glob("*.yaml"))
    assert call("norms", "check", "annuaire/1.1").code == 0


def test_without_any_root_it_goes_beside_the_bundled_norms(tmp_path: Path) -> None:
    home = tmp_path / "checkout"
    for package in ("norms", "scenarios", "sandbox", "harness", "reports", "poincon"):
        shutil.copytree(CHECKOUT / package, home / package, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POINCON_")}
    environment |= {"PYTHONPATH": str(home), "POINCON_CACHE": str(tmp_path / "cache")}
    for words in (["new", "annuaire/1.0", "annuaire/1.1"], ["check", "annuaire/1.1"]):
        done = subprocess.run(
            [sys.executable, "-m", "poincon", "norms", *words],
            cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    assert (home / "norms" / "annuaire" / "1.1" / "norm.yaml").is_file()
    assert (home / "scenarios" / "annuaire" / "1.1" / "server").is_dir()
    assert not (home / "norms" / "commun" / "1.1").exists()


@pytest.mark.parametrize(
    "text",
    ['{id: petite, version: "1.0", revision: "1", title: P, status: draft, provenance: official, valid_from: ""}\n',
     SMALL.format(id="petite", version="1.0", revision=">-\n  1", status="draft", valid_from='""', more="")],
)  # fmt: skip
def test_a_norm_file_whose_keys_cannot_be_set_is_refused(text: str, tmp_path: Path) -> None:
    folder = small(tmp_path, text)
    with pytest.raises(NormError, match="propre ligne"):
        draft(load(str(folder)), "petite/1.1", tmp_path, date(2027, 1, 2))
    assert [path.name for path in folder.parent.iterdir()] == ["1.0"]


STYLES = st.sampled_from(["{}", '"{}"', "'{}'"])
TAILS = st.sampled_from(["", " ", "  # depuis « toujours »: oui", " # x"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(["version", "revision", "status", "valid_from"]), st.tuples(STYLES, TAILS)),
    st.lists(st.sampled_from(['valid_to: ""', "valid_to:", "valid_to: 2031-01-01 # fin", "replaces: petite/0.9"]),
             unique_by=lambda line: line.partition(":")[0]),
    st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_however_the_keys_are_written(
    styles: dict[str, tuple[str, str]], more: list[str], crlf: bool, bom: bool
) -> None:
    values = {"version": "1.0", "revision": "3", "status": "withdrawn", "valid_from": "2020-01-01"}
    written = {key: style.format(values[key]) + tail for key, (style, tail) in styles.items()}
    text = SMALL.format(id="petite", more="".join(f"{line}\n" for line in more), **{**values, **written})
    text = ("\ufeff" if bom else "") + (text.replace("\n", "\r\n") if crlf else text)
    with tempfile.TemporaryDirectory() as root:
        source = load(str(small(Path(root), text)), [])
        copy = load(str(draft(source, "petite/1.1", Path(root), date(2027, 1, 2))), [])
        after = (copy.root / "norm.yaml").read_bytes().decode()
    assert (copy.ref, copy.revision, copy.status, copy.replaces) == ("petite/1.1", "1", "draft", "petite/1.0")
    assert (copy.valid_from, copy.valid_to, str(copy.title)) == ("2027-01-02", "", "Petite")
    assert after.count("#") == text.count("#")
    assert after.count("\n") - after.count("\r\n") == (0 if crlf else after.count("\n"))


def test_the_difference_is_told_in_french_and_in_json(call: Call, tmp_path: Path) -> None:
    one, two = small(tmp_path / "a"), small(tmp_path / "b", status="draft")
    told = call("norms", "diff", one, two)
    assert told.code == 0
    assert "De petite/1.0 à petite/1.0 : 1 différence(s)." in told.out
    assert "- norm.yaml : « status » passe de « withdrawn » à « draft »." in told.out
    decoded = call("norms", "diff", one, two, "--json").json
    assert decoded["changes"] == [  # type: ignore[index]
        {"subject": "norm", "kind": "changed", "id": "status", "field": "", "before": "withdrawn", "after": "draft",
         "within": ""}
    ]  # fmt: skip
    assert call("norms", "diff", one, one).out == "De petite/1.0 à petite/1.0 : 0 différence(s).\n"
    assert call("norms", "diff", one, "inconnue/1.0").code == 2
