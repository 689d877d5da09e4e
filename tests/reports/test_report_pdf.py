"""bilan.pdf: printed by the browser of the machine, or a clear word when there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reports.errors import ReportError
from reports.pdf import BROWSERS, write_pdf


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="no Chromium, Chrome or Edge on this machine")
def test_a_page_becomes_a_pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINCON_BROWSER_NO_SANDBOX", "1")
    page = tmp_path / "page.html"
    page.write_text("<p>Conforme</p>", encoding="utf-8")
    assert write_pdf(page, tmp_path / "page.pdf").read_bytes().startswith(b"%PDF-")


def test_without_a_browser_the_reader_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("POINCON_BROWSER", raising=False)
    monkeypatch.setattr("reports.pdf._INSTALLED", ())
    with pytest.raises(ReportError, match="imprimez-le en PDF"):
        write_pdf(tmp_path / "page.html", tmp_path / "page.pdf")


def test_a_browser_that_fails_is_no_pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = shutil.which("false")
    if refusing is None:
        pytest.skip("no program that always fails on this machine")
    monkeypatch.setenv("POINCON_BROWSER", refusing)
    with pytest.raises(ReportError, match="n’a pas écrit"):
        write_pdf(tmp_path / "page.html", tmp_path / "page.pdf")
