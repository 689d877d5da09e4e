"""The answers of a practice partner: jinja2 templates of whole SOAP envelopes, sandboxed and escaped for XML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment
from lxml import etree

from norms.errors import NormError
from norms.i18n import tr

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Templates:
    """The files of the `answers` folders, those of the last one first; compiled on first use."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(reversed(folders))
        self._environment = SandboxedEnvironment(
            loader=FileSystemLoader(self._folders, encoding="utf-8"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
        )

    def render(self, name: str, values: Mapping[str, Any]) -> etree._Element:
        """Return the answer as a tree. Raises NormError naming the template and its line when it is wrong."""
        files = [folder / f"{name}.xml" for folder in self._folders]
        file = next((file for file in files if file.is_file()), files[0])
        clean = {key: _FORBIDDEN.sub("�", value) if isinstance(value, str) else value for key, value in values.items()}
        try:
            text = self._environment.get_template(file.name).render(clean)
        except (TemplateError, SecurityError) as wrong:
            line = getattr(wrong, "lineno", None) or _line_of(wrong, file)
            raise NormError(tr("Le modèle ne se calcule pas : {why}.", why=str(wrong)), file=file, line=line) from wrong
        try:
            return etree.fromstring(text.encode(), self._parser)
        except etree.XMLSyntaxError as wrong:
            raise NormError(tr("Le modèle ne donne pas du XML : {why}.", why=str(wrong)), file=file) from wrong


def _line_of(error: BaseException, file: Path) -> int:
    """Return the template line in a traceback that jinja2 has rewritten, 0 when there is none."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name == file.name:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
