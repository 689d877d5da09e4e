"""Copies a norm, those it uses and their scenarios under the names of `norm_renaming.Names`.

Markup (XML, XSD, WSDL, Schematron, templates) is rewritten tag by tag, XPath token by token, YAML key by key: a word is
renamed for what it is at its place, never because it looks like one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from norm_renaming import ERRORS, RESULTS, TOKEN, Names, last_name

from norms.errors import DataError
from norms.model import Norm
from norms.yamlfile import read_yaml
from scenarios.reader import default_roots

_TAG: Final = re.compile(
    r'<(?P<end>/?)(?P<name>[\w.-]+(?::[\w.-]+)?)(?P<rest>(?:\s+[\w.:-]+\s*=\s*"[^"]*")*)(?P<last>\s*/?>)'
)
_ATTRIBUTE: Final = re.compile(r'(?P<before>\s+)(?P<name>[\w.:-]+)(?P<equal>\s*=\s*)"(?P<value>[^"]*)"')
_PLACE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_OPERATORS: Final = frozenset({"and", "or", "div", "mod"})
_XPATHS: Final = frozenset({"context", "test", "select", "path"})
_TYPES: Final = frozenset({"type", "base", "itemType", "message", "binding"})
_PLAIN_IN_DECISIONS: Final = frozenset(
    {"reason", "fr", "en", "answer", "recall", "sequence", "width", "put", "add", "remove", "expire", "severity"}
)


class Rewriter:
    """Rewrites texts of a norm. Words without a new name stay."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._variables = {f"${name}" for name in names.result_values}
        self._rows = {f"{old.lower()}-": f"{new.lower()}-" for old, new in names.kinds.items()}

    def case(self, case_id: str) -> str:
        """Return the id of a written case: its scenario, and the profile it is for."""
        scenario, at, profile = case_id.partition("@")
        return f"{self.names.scenarios[scenario]}{at}{self.names.profiles.get(profile, profile)}"

    # --- XPath

    def xpath(self, text: str, results: bool = False) -> str:
        """Return an expression; results: a text in it is a result code."""
        last = ""

        def token(found: re.Match[str]) -> str:
            nonlocal last
            said = found[0]
            if found["literal"]:
                return f"{said[0]}{self._literal(said[1:-1], last, results)}{said[0]}"
            if found["name"] and not found["call"] and said not in _OPERATORS:
                last = said
                return self.qname(said)
            if found["variable"] or found["attribute"]:
                last = said
            return f"@{self.names.attributes.get(said[1:], said[1:])}" if found["attribute"] else said

        return TOKEN.sub(token, text)

    def _literal(self, text: str, last: str, results: bool) -> str:
        names = self.names
        if last == "@kind":
            return names.kinds.get(text, text)
        if last == "@pool":
            return names.pools.get(text, text)
        if results or last == names.result_at or last in self._variables:
            text = names.results.get(text, text)
        return names.tables.get(text, names.errors.get(text, names.words.get(text, text)))

    def qname(self, name: str) -> str:
        """Return the name of an element as it stands in XPath, tags and norm.yaml."""
        prefix, colon, local = name.partition(":")
        if not colon:
            return self.names.local.get(name, name)
        return self.names.elements.get(name) or f"{self.names.prefixes.get(prefix, prefix)}:{local}"

    # --- markup

    def markup(self, text: str) -> str:
        """Return an XML document, a template of one, or a piece."""
        places: list[str] = []

        def hide(found: re.Match[str]) -> str:
            places.append(self._place(found[0]))
            return f"PLACE{len(places) - 1}PLACE"

        text = _PLACE.sub(hide, text)
        result = re.escape(self.names.result_at)
        text = (
            re.sub(rf"(?<=<{result}>)[^<]*", lambda found: self.names.results.get(found[0].strip(), found[0]), text)
            if result
            else text
        )
        text = re.sub(r"(?<=>)[^<>\s]+(?=<)", lambda found: self._text(found[0]), text)
        target = re.search(r'targetNamespace="([^"]*)"', text)
        form = 'elementFormDefault="qualified"' in text
        text = _TAG.sub(lambda found: self._tag(found, target[1] if target else "", form), text)
        return re.sub(r"PLACE(\d+)PLACE", lambda found: places[int(found[1])], text)

    def _place(self, place: str) -> str:
        if any(re.search(rf"\b{name}\b", place) for name in self.names.result_values):
            return re.sub(r"(?<=')[^']*(?=')", lambda found: self.names.results.get(found[0], found[0]), place)
        return place

    def _text(self, text: str) -> str:
        return self.names.errors.get(text, self.names.words.get(text, text))

    def _tag(self, tag: re.Match[str], target: str, form: bool) -> str:
        name = tag["name"]
        prefix, _, local = name.rpartition(":")
        ours = prefix in self.names.prefixes or name in self.names.local or "PLACE" in name or prefix == "case"

        def attribute(found: re.Match[str]) -> str:
            old, value = found["name"], found["value"]
            if old.startswith("xmlns:"):
                new = f"xmlns:{self.names.prefixes.get(old[6:], old[6:])}"
                value = self.names.namespaces.get(value, value)
            else:
                new = self.names.attributes.get(old, old) if ours else old
                value = self._value(local, old, value, (target, form))
            return f'{found["before"]}{new}{found["equal"]}"{value}"'

        return f"<{tag['end']}{self.qname(name)}{_ATTRIBUTE.sub(attribute, tag['rest'])}{tag['last']}"

    def _value(self, tag: str, attribute: str, value: str, schema: tuple[str, bool]) -> str:
        names = self.names
        if attribute in _XPATHS or (tag in ("let", "param") and attribute == "value"):
            return self.xpath(value)
        if attribute in ("ref", "element"):
            return self.qname(value)
        if attribute in _TYPES:
            prefix, colon, local = value.partition(":")
            return f"{names.prefixes.get(prefix, prefix)}{colon}{local}"
        if attribute in ("schemaLocation", "location"):
            for old, new in names.norms.items():
                value = value.replace(f"/{old}/", f"/{new}/")
            return value
        match tag, attribute:
            case "element", "name":
                return self._declared(value, *schema)
            case "attribute", "name":
                return names.attributes.get(value, value)
            case "assert" | "report", "id":
                return names.rules.get(value, value)
            case "ns", "prefix":
                return names.prefixes.get(value, value)
            case "exchange", "kind":
                return names.kinds.get(value, value)
        return names.namespaces.get(value, names.requirements.get(value, names.words.get(value, value)))

    def _declared(self, name: str, target: str, form: bool) -> str:
        for prefix in self.names.prefixes_of(target):
            new = self.names.elements.get(f"{prefix}:{name}")
            if new is not None and (form or name not in self.names.local):
                return new.partition(":")[2]
        return self.names.local.get(name, name)

    # --- YAML

    def norm_file(self, said: Any, ref: str) -> Any:
        """Return norm.yaml."""
        names = self.names
        said["id"], said["version"] = names.norms[ref].split("/")
        said["replaces"] = ""
        said["uses"] = [names.norms[used] for used in _list(said.get("uses", []))]
        said["prefixes"] = {
            names.prefixes.get(prefix, prefix): names.namespaces.get(uri, uri)
            for prefix, uri in said.get("prefixes", {}).items()
        }
        for service in _list(said.get("services", [])):
            service["kind"] = names.kinds[service["kind"]]
            for key in {"operation", "path"} & service.keys():
                service[key] = names.words[service[key]]
            for part in (service["request"], service["response"]):
                part["element"] = self.qname(part["element"])
                if "action" in part:
                    part["action"] = names.words.get(part["action"], part["action"])
            for key in {"headers", "response_headers"} & service.keys():
                service[key] = [self.qname(one) for one in _list(service[key])]
            if "version_at" in service:
                service["version_at"] = self.xpath(service["version_at"])
        said["fill"] = {self.xpath(at): value for at, value in said.get("fill", {}).items()}
        said["reading"] = {name: self.xpath(at) for name, at in said.get("reading", {}).items()}
        said["always"] = [self.expectation(one) for one in _list(said.get("always", []))]
        for one in said.get("reactions", {}).values():
            one["requirement"] = names.requirements[one["requirement"]]
            one["outcomes"] = [self.outcome(outcome) for outcome in _list(one["outcomes"])]
        for profile in _list(said.get("profiles", [])):
            profile["code"] = names.profiles[profile["code"]]
        for key, known in (
            ("security", names.security),
            ("default_given", names.pools),
            ("derived_prefix", names.derived),
        ):
            if key in said:
                said[key] = known.get(said[key], said[key])
        return said

    def security_file(self, said: Any) -> Any:
        """Return security.yaml."""
        names = self.names

        def walk(node: Any, key: str = "") -> Any:
            if isinstance(node, dict):
                return {name: walk(value, name) for name, value in node.items()}
            asked = key == "signer" or key.endswith("_certificate") or key == "code"
            return names.certificates.get(node, names.errors.get(node, node)) if asked else node

        said = walk(said)
        for key, known in (("profiles", names.security), ("certificates", names.certificates)):
            said[key] = {known.get(name, name): value for name, value in said.get(key, {}).items()}
        return said

    def page(self, said: Any) -> Any:
        """Return a scenario."""
        names = self.names
        said["id"] = names.scenarios[said["id"]]
        if "given" in said:
            said["given"] = names.pools.get(said["given"], said["given"])
        if "profiles" in said:
            said["profiles"] = [names.profiles.get(one, one) for one in _list(said["profiles"])]
        for step in _list(said["steps"]):
            for key in ("send", "await"):
                if key in step:
                    step[key] = names.kinds.get(step[key], step[key])
            for key, new in (("with", self._text), ("insert", self.markup)):
                if key in step:
                    step[key] = {self.xpath(at): new(value) for at, value in step[key].items()}
            if "remove" in step:
                step["remove"] = [self.xpath(at) for at in _list(step["remove"])]
            if "keep" in step:
                step["keep"] = {name: self.xpath(at) for name, at in step["keep"].items()}
            if "reply" in step:
                step["reply"] = self.outcome(step["reply"])
            if "expect" in step:
                step["expect"] = [self.expectation(one) for one in _list(step["expect"])]
        return said

    def expectation(self, said: Any) -> Any:
        names, check, at = self.names, said["check"], said.get("at", "")
        said["requirement"] = names.requirements[said["requirement"]]
        known: Mapping[str, str] = {}
        if check == "result" or (at and last_name(at) == names.result_at):
            known = names.results
        elif check == "absent-next":
            known = names.kinds
        for key in ("value", "values"):
            if key in said:
                said[key] = [known.get(one, self.outcome(one)) for one in _list(said[key])]
        if "value" in said:
            (said["value"],) = said["value"]
        if at:
            said["at"] = self.xpath(at)
        if "table" in said:
            said["table"] = names.tables.get(said["table"], said["table"])
        return said

    def outcome(self, said: str) -> str:
        sort, colon, code = said.partition(":")
        if colon and sort == "result":
            return f"result:{self.names.results.get(code, code)}"
        return f"fault:{self._text(code)}" if colon and sort == "fault" else self._text(said)

    def decisions(self, said: Any) -> Any:
        """Return decisions.yaml."""
        if "decisions" in said:
            said["decisions"] = {self.names.kinds.get(kind, kind): one for kind, one in said["decisions"].items()}
        return self._decided(said, "")

    def _decided(self, node: Any, key: str) -> Any:
        if isinstance(node, dict):
            return {name: self._decided(value, name) for name, value in node.items()}
        if key == "kinds":
            return [self.names.kinds.get(kind, kind) for kind in _list(node)]
        if isinstance(node, list):
            return [self._decided(value, key) for value in node]
        if key == "id":
            return self.row(node)
        return node if key in _PLAIN_IN_DECISIONS else self.xpath(node, results=key in self.names.result_values)

    def row(self, name: str) -> str:
        return next((new + name[len(old) :] for old, new in self._rows.items() if name.startswith(old)), name)

    def population(self, said: Any) -> Any:
        """Return population.yaml."""
        said["pools"] = {self.names.pools[name]: pool for name, pool in said.get("pools", {}).items()}
        for pool in said["pools"].values():
            for entry in _list(pool.get("entries", [])):
                if "profiles" in entry:
                    entry["profiles"] = [self.names.profiles.get(one, one) for one in _list(entry["profiles"])]
        return said

    def deviations(self, said: Any) -> Any:
        """Return faults.yaml or variants.yaml."""
        for one in _list(next(iter(said.values()))):
            for change in (one, *_list(one.get("changes", []))):
                self._change(change)
        return said

    def _change(self, change: Any) -> None:
        names, at = self.names, change.get("at", "")
        renamed = (at and last_name(at) == names.result_at) or change.get("name") in names.result_values
        for key, new in (
            ("at", self.xpath), ("with", self.xpath), ("from", self.xpath), ("when", self.xpath), ("xml", self.markup),
            ("row", self.row), ("to", self.qname), ("code", self._text),
            ("value", lambda text: names.results.get(text, text) if renamed else self._text(text)),
            ("requirement", lambda text: names.requirements[text]),
        ):  # fmt: skip
            if key in change:
                change[key] = new(change[key])
        if change.get("operator") == "set-attribute":
            change["name"] = names.attributes.get(change["name"], change["name"])
        for key, known in (("kinds", names.kinds), ("consequences", names.requirements)):
            if key in change:
                change[key] = [known.get(one, one) for one in _list(change[key])]

    # --- folders

    def copy(self, norm: Norm, to: Path) -> None:
        """Copy the norm, those it uses and their scenarios below to/norms and to/scenarios."""
        for member in norm.family:
            target = to / "norms" / self.names.norms[member.ref]
            for path in sorted(member.root.rglob("*")):
                if path.is_file():
                    self._file(path, path.relative_to(member.root), member.ref, target)
            pages = to / "scenarios" / self.names.norms[member.ref]
            for root in default_roots():
                for path in sorted((root / member.id / member.version).glob("*/*.yaml")):
                    new = self.names.scenarios.get(path.stem)
                    if new is not None:
                        _write(pages / path.parent.name / f"{new}.yaml", json.dumps(self.page(_yaml(path))))

    def _file(self, path: Path, place: Path, ref: str, target: Path) -> None:
        names, text = self.names, path.read_bytes().decode("utf-8-sig") if path.suffix != ".pyc" else ""
        readers = {
            "norm.yaml": lambda said: self.norm_file(said, ref),
            "security.yaml": self.security_file,
            "decisions.yaml": self.decisions,
            "population.yaml": self.population,
            "faults.yaml": self.deviations,
            "variants.yaml": self.deviations,
        }
        if path.name in readers:
            _write(target / place, json.dumps(readers[path.name](_yaml(path)), ensure_ascii=False))
        elif path.suffix in (".xml", ".xsd", ".wsdl", ".sch"):
            start, separator, rest = place.name.partition("--" if "--" in place.name else ".")
            start = names.rules.get(start, names.kinds.get(start, start) if place.parts[0] == "messages" else start)
            kind, dash, prefix = start.partition("-")
            if place.parts[0] == "simulator" and prefix in names.prefixes:
                start = f"{kind}{dash}{names.prefixes[prefix]}"
            _write(target / place.with_name(f"{start}{separator}{rest}"), self.markup(text))
        elif path.suffix == ".csv":
            text = re.sub(r"\b[A-Z]+(?:-[A-Z]+)+-\d+\b", lambda found: names.requirements.get(found[0], found[0]), text)
            if path.stem in (RESULTS, ERRORS):
                known = names.results if path.stem == RESULTS else names.errors
                text = re.sub(
                    r"^[^;,\n]+(?=[;,])", lambda found: known.get(found[0], found[0]), text, flags=re.MULTILINE
                )
            stem = names.tables.get(path.stem, path.stem) if place.parts[0] == "codes" else path.stem
            _write(target / place.with_name(f"{stem}.csv"), text)


def _yaml(path: Path) -> Any:
    return read_yaml(path, DataError).plain()


def _list(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
