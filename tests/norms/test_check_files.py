from __future__ import annotations

from pathlib import Path

import pytest
from tiny_norm import ANSWER, CONTEXT, DEMAND, ERROR, FAULT, NORM, SECURITY, SOCLE, envelope, write_norms

from norms.check import FileReport, check_file, check_files
from norms.errors import NormError, UsageError
from norms.loader import load


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_norms(tmp_path / "norms")


def message(tmp_path: Path, text: str | bytes, name: str = "message.xml") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def summary(report: FileReport) -> tuple[str, str, str, bool]:
    return report.norm, report.kind, report.direction, report.valid


def test_norm_kind_and_direction_are_told_by_the_payload(root: Path, tmp_path: Path) -> None:
    request = message(tmp_path, envelope(DEMAND, CONTEXT), "a.xml")
    response = message(tmp_path, envelope(ANSWER.replace("3.30", "4")), "b.xml")
    reports = check_files([request, response], roots=[root])
    assert [summary(report) for report in reports] == [
        ("emprunt/1.0", "EMP", "request", True),
        ("emprunt/1.0", "EMP", "response", False),
    ]
    assert [problem.rule for problem in reports[1].problems] == ["R-002"]


def test_fault_is_checked_as_an_answer(root: Path, tmp_path: Path) -> None:
    good = message(tmp_path, envelope(FAULT.format(detail=ERROR)), "a.xml")
    bad = message(tmp_path, envelope(FAULT.format(detail=ERROR.replace("1234", ""))), "b.xml")
    assert [summary(one) for one in check_files([good, bad], roots=[root])] == [
        ("emprunt/1.0", "EMP", "response", True),
        ("emprunt/1.0", "EMP", "response", False),
    ]


def test_folders_are_walked_in_order(root: Path) -> None:
    reports = check_files([root / "emprunt" / "1.0" / "examples"], roots=[root])
    assert [report.path.name for report in reports] == ["R-001--retour-avant.xml", "R-002--total-faux.xml"]
    assert not any(report.valid for report in reports)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (b"<a>", "malformed"),
        (b"<!DOCTYPE a><a/>", "doctype"),
        (b"<a/>", "unknown-operation"),
        (envelope("<x/>").encode(), "unknown-operation"),
        (b"<a>" + b"x" * 100_001 + b"</a>", "too-large"),
        (envelope("<x>" * 30 + "</x>" * 30).encode(), "too-deep"),
    ],
)
def test_refused_file_says_why(root: Path, tmp_path: Path, text: bytes, refusal: str) -> None:
    (report,) = check_files([message(tmp_path, text)], roots=[root / "..", root])
    assert (report.refusal, report.valid, report.problems) == (refusal, False, ())
    assert report.why


@pytest.fixture
def two_versions(root: Path) -> Path:
    """Two versions of one norm whose messages differ in the version that a request declares, and in nothing else."""
    later = NORM.replace('version: "1.0"\nrev', 'version: "1.1"\nrev').replace(
        '    version: "1.0"', '    version: "1.1"'
    )
    folder = root / "emprunt" / "1.0"
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        copy = root / "emprunt" / "1.1" / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (root / "emprunt" / "1.1" / "norm.yaml").write_text(later, encoding="utf-8")
    return root


def test_version_that_the_message_declares_decides(two_versions: Path, tmp_path: Path) -> None:
    root = two_versions
    old = message(tmp_path, envelope(DEMAND, CONTEXT), "a.xml")
    new = message(tmp_path, envelope(DEMAND.replace('"1.0"', '"1.1"'), CONTEXT), "b.xml")
    assert [report.norm for report in check_files([old, new], roots=[root])] == ["emprunt/1.0", "emprunt/1.1"]
    assert [report.valid for report in check_files([old, new], "emprunt/1.0", roots=[root])] == [True, False]


@pytest.mark.parametrize(
    "text", [envelope(ANSWER), envelope(DEMAND.replace('"1.0"', '"2.0"'), CONTEXT)], ids=["none", "another"]
)
def test_a_message_that_may_be_of_two_versions_is_refused_until_one_is_named(
    two_versions: Path, tmp_path: Path, text: str
) -> None:
    file = message(tmp_path, text)
    (report,) = check_files([file], roots=[two_versions])
    assert (report.refusal, report.norm, report.valid) == ("ambiguous", "", False)
    assert all(word in report.why for word in ("emprunt/1.0", "emprunt/1.1", "--norm"))
    (named,) = check_files([file], "emprunt/1.1", roots=[two_versions])
    assert (named.refusal, named.norm, named.kind) == ("", "emprunt/1.1", "EMP")


def test_a_fault_on_which_all_norms_agree_needs_none_to_be_named(two_versions: Path, tmp_path: Path) -> None:
    good = message(tmp_path, envelope(FAULT.format(detail=ERROR)), "a.xml")
    bad = message(tmp_path, envelope(FAULT.format(detail=ERROR.replace("1234", ""))), "b.xml")
    bare = message(tmp_path, envelope(FAULT.format(detail="")), "c.xml")
    reports = check_files([good, bad, bare], roots=[two_versions])
    assert [summary(report) for report in reports] == [
        ("", "", "response", True), ("", "", "response", False), ("", "", "response", True)
    ]  # fmt: skip
    strict = (two_versions / "socle/1.0/schema/socle.xsd").read_text(encoding="utf-8").replace("[0-9]{4}", "[5-9]{4}")
    for name, text in (("norm.yaml", SOCLE.replace('"1.0"', '"2.0"', 1)), ("schema/socle.xsd", strict)):
        path = two_versions / "socle/2.0" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in ("norm.yaml", "schema/emprunt.xsd"):
        file = two_versions / "emprunt/1.1" / path
        file.write_text(file.read_text(encoding="utf-8").replace("socle/1.0", "socle/2.0"), encoding="utf-8")
    (two_versions / "socle/2.0/security.yaml").write_text(SECURITY, encoding="utf-8")
    (report,) = check_files([good], roots=[two_versions])
    assert report.refusal == "ambiguous"


def test_kind_that_is_given_is_imposed(root: Path, tmp_path: Path) -> None:
    (report,) = check_files([message(tmp_path, envelope("<x/>", CONTEXT))], "emprunt/1.0", "EMP", [root])
    assert [problem.rule for problem in report.problems] == ["unknown-operation"]
    with pytest.raises(UsageError, match="« EMP »"):
        check_files([], "emprunt/1.0", "EMPP", [root])


def test_norm_that_does_not_load_is_told_only_when_nothing_else_fits(root: Path, tmp_path: Path) -> None:
    write_norms(root, {"autre/1.0/norm.yaml": "id: autre\n"})
    known, unknown = message(tmp_path, envelope(ANSWER), "a.xml"), message(tmp_path, "<a/>", "b.xml")
    assert check_files([known], roots=[root])[0].valid
    with pytest.raises(NormError, match="version"):
        check_files([unknown], roots=[root])


def test_missing_path_is_an_error_of_the_caller(root: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.xml"):
        check_files([tmp_path / "absent.xml"], roots=[root])


def test_file_against_one_norm(root: Path, tmp_path: Path) -> None:
    norm = load("emprunt/1.0", [root])
    assert check_file(message(tmp_path, envelope(ANSWER)), norm, confirm=True).valid
