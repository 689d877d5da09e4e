"""scenario.schema.json: the form of a scenario for editors (completion, underlining). The reader stays the judge.

Written by `python -m scenarios.json_schema`; a test keeps file and vocabulary equal.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from scenarios.happenings import HTTP_DEVIATIONS, REPLIES
from scenarios.vocabulary import CHECKS

FILE: Final = Path(__file__).with_name("scenario.schema.json")

_STRING: Final = {"type": "string"}
_STRINGS: Final = {"type": "array", "items": _STRING}
_MAP: Final = {"type": "object", "additionalProperties": _STRING}
_TEXT: Final = {
    "type": "object",
    "required": ["fr"],
    "additionalProperties": False,
    "properties": {"fr": {"type": "string", "minLength": 1}, "en": _STRING},
}


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a scenario file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Poinçon scenario",
        **_closed(
            ["id", "title", "role", "purpose", "steps"],
            {
                "id": {"type": "string", "pattern": "^[A-Z0-9]+(-[A-Z0-9]+)+$"},
                "title": _TEXT,
                "role": {"enum": ["server", "client"]},
                "purpose": _TEXT,
                "applies_if": _STRING,
                "profiles": _STRINGS,
                "given": _STRING,
                "exclusive": {"enum": ["true", "false", True, False]},
                "steps": {"type": "array", "minItems": 1, "items": {"anyOf": [_server_step(), _client_step()]}},
            },
        ),
    }


def _server_step() -> dict[str, Any]:
    return _closed(
        ["send"],
        {
            "send": _STRING,
            "base": _STRING,
            "security": _STRING,
            "http": {"enum": list(HTTP_DEVIATIONS)},
            "parallel": _STRING,
            **_common(),
        },
    )


def _client_step() -> dict[str, Any]:
    prefixes = [name for name in REPLIES if name.endswith(":")]
    whole = [name for name in REPLIES if not name.endswith(":")]
    stimulus = {**_TEXT, "properties": {**_TEXT["properties"], "data": _MAP}}  # type: ignore[dict-item]
    step = _closed(
        [],
        {
            "stimulus": stimulus,
            "await": _STRING,
            "quiet": _STRING,
            "reply": {"anyOf": [{"enum": whole}, {"type": "string", "pattern": f"^({'|'.join(prefixes)})."}]},
            **_common(),
        },
    )
    return {**step, "anyOf": [{"required": [key]} for key in ("stimulus", "await", "quiet")]}


def _common() -> dict[str, Any]:
    return {
        "with": _MAP,
        "remove": _STRINGS,
        "insert": _MAP,
        "keep": _MAP,
        "expect": {"type": "array", "items": {"oneOf": [_expectation(name) for name in CHECKS]}},
    }


def _expectation(name: str) -> dict[str, Any]:
    spec = CHECKS[name]
    keys: dict[str, Any] = {"requirement": _STRING, "check": {"const": name, "description": spec.text.en}}
    for key in (*spec.needs, *spec.takes):
        keys[key] = _STRING
        if key == "value":
            keys["values"] = {**_STRINGS, "minItems": 1}
    needs = [key for key in spec.needs if key != "value"]
    form = _closed(["requirement", "check", *needs], keys)
    return {**form, "oneOf": [{"required": ["value"]}, {"required": ["values"]}]} if "value" in spec.needs else form


def _closed(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


def schema_text() -> str:
    """Return the text of scenario.schema.json."""
    return json.dumps(scenario_schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(schema_text(), encoding="utf-8")
