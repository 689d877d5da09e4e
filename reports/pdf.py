"""bilan.pdf: the bilan printed by a browser that the machine already has."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from norms.i18n import tr
from reports.errors import ReportError

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_INSTALLED: Final = (
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
SECONDS: Final = 120


def write_pdf(html: Path, target: Path) -> Path:
    """Print an HTML file to PDF with Chromium, Chrome or Edge; return the PDF's path.

    The browser named by POINCON_BROWSER comes first. Raises ReportError when there is none or when it fails.
    """
    browser = _browser()
    if browser is None:
        raise ReportError(
            tr(
                "Aucun navigateur capable d’écrire un PDF n’a été trouvé (Chromium, Chrome, Edge). "
                "Ouvrez {file} et imprimez-le en PDF, ou indiquez un navigateur dans POINCON_BROWSER.",
                file=html,
            )
        )
    target.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}"]
        if os.environ.get("POINCON_BROWSER_NO_SANDBOX"):
            command.append("--no-sandbox")
        command += ["--no-pdf-header-footer", f"--print-to-pdf={target.resolve()}", html.resolve().as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as failed:
            raise ReportError(tr("Le navigateur {browser} n’a pas écrit le PDF.", browser=browser)) from failed
    if done.returncode != 0 or not target.is_file():
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
        raise ReportError(tr("Le navigateur {browser} n’a pas écrit le PDF : {said}", browser=browser, said=said[0]))
    return target


def _browser() -> str | None:
    named = os.environ.get("POINCON_BROWSER", "")
    found = (shutil.which(name) for name in (named, *BROWSERS) if name)
    return next((path for path in found if path), next((path for path in _INSTALLED if Path(path).is_file()), None))
