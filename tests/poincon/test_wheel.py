"""The wheel, in an environment of its own and used from another folder: data, command and plugin are in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from front_doors import CHECKOUT, Practice

from norms.loader import available, load

pytest.importorskip("build")
pytest.importorskip("hatchling")

PACKAGES = {"norms", "scenarios", "sandbox", "harness", "reports", "poincon"}


@dataclass(frozen=True)
class Installed:
    """Poinçon as pip installs it. bin: where its python and its command are."""

    wheel: Path
    bin: Path

    def run(self, program: str, *argv: str | Path, cwd: Path, code: int = 0) -> str:
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
        done = subprocess.run(
            [str(self.bin / program), *map(str, argv)],
            cwd=cwd, env=environment, capture_output=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout.decode() + done.stderr.decode()
        return done.stdout.decode()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build from the checkout; what Poinçon depends on is taken from the running environment: no network."""
    where = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(where), str(CHECKOUT)],
        cwd=where, capture_output=True, timeout=100, check=True,
    )  # fmt: skip
    (wheel,) = where.glob("poincon-*.whl")
    home = where / "venv"
    venv.create(home, with_pip=True)
    inside = sysconfig.get_paths("venv", {"base": str(home), "platbase": str(home)})
    (Path(inside["purelib"]) / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    made = Installed(wheel, Path(inside["scripts"]))
    made.run("python", "-m", "pip", "install", "-q", "--no-index", "--no-deps", wheel, cwd=where)
    return made


def test_the_wheel_holds_code_and_data_and_nothing_else(installed: Installed) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == PACKAGES
    for package in PACKAGES:
        folder = CHECKOUT / package
        ours = {
            path.relative_to(CHECKOUT).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert ours <= set(names), sorted(ours - set(names))[:5]
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pem", ".key"))]


def test_the_command_knows_its_norms_from_anywhere(installed: Installed, tmp_path: Path) -> None:
    listed = json.loads(installed.run("poincon", "norms", "list", "--json", cwd=tmp_path))
    assert [f"{item['id']}/{item['version']}" for item in listed] == available()
    ville = next(item for item in listed if (item["id"], item["version"]) == ("ville", "1.1"))
    assert ville["digest"] == load("ville/1.1").digest, "the norm files are the same, byte for byte"
    assert list(tmp_path.iterdir()) == []


def test_the_command_compiles_the_suite_from_anywhere(installed: Installed, tmp_path: Path) -> None:
    from poincon.commands.suite import full_suite

    told = installed.run("poincon", "suite", "show", "ville/1.1", cwd=tmp_path)
    assert full_suite(load("ville/1.1"), "server").digest in told.splitlines()[-1]


def test_the_modules_are_those_of_the_wheel(installed: Installed, tmp_path: Path) -> None:
    program = "import norms, reports, sandbox; print(norms.__file__, reports.__file__, sandbox.__file__, sep='\\n')"
    for file in installed.run("python", "-c", program, cwd=tmp_path).splitlines():
        assert Path(file).is_relative_to(installed.bin.parent), file


def test_pytest_collects_and_runs_the_installed_scenarios(
    installed: Installed, practice: Practice, sut: Path, tmp_path: Path
) -> None:
    argv = ["-m", "pytest", "-p", "no:cacheprovider", "scenarios/ville/1.1", "--sut", sut]
    told = installed.run("python", *argv, "-k", "VIL-S-003", "--run-folder", tmp_path / "run", cwd=tmp_path, code=3)
    assert f"1 passed, {len(full_suite_ids()) - 1} deselected" in told
    assert (tmp_path / "run" / "bilan.html").is_file()


def full_suite_ids() -> list[str]:
    from poincon.commands.suite import full_suite

    return [case.id for case in full_suite(load("ville/1.1"), "server").cases]


def test_a_foreign_package_in_front_of_ours_is_said_clearly(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "__init__.py").write_text("", encoding="utf-8")
    done = subprocess.run(
        [str(installed.bin / "python"), "-m", "poincon", "norms", "list"],
        cwd=tmp_path, env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    said = done.stderr.decode()
    assert done.returncode == 2, said
    assert "un autre paquet « reports » masque celui de Poinçon" in said
    assert "pipx install" in said
    assert "Traceback" not in said
