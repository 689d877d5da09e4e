"""Copies a norm, those it uses, its companions and their scenarios under the names of `norm_renaming.Names`.

YAML is rewritten key by key; what stands in it and beside it, by `markup_rewriting`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from markup_rewriting import Markup
from norm_renaming import ERRORS, RESULTS, Names, last_name

from norms.errors import DataError
from norms.yamlfile import read_yaml
from scenarios.reader import default_roots

_PLAIN_IN_DECISIONS: Final = frozenset(
    {"reason", "fr", "en", "answer", "recall", "sequence", "width", "put", "add", "remove", "expire", "severity"}
)


class Rewriter(Markup):
    """Rewrites the files of a norm."""

    def __init__(self, names: Names) -> None:
        super().__init__(names)
        self._rows = {f"{old.lower()}-": f"{new.lower()}-" for old, new in names.kinds.items()}

    def case(self, case_id: str) -> str:
        """Return the id of a written case: its scenario, and the profile it is for."""
        scenario, at, profile = case_id.partition("@")
        return f"{self.names.scenarios[scenario]}{at}{self.names.profiles.get(profile, profile)}"

    # --- YAML

    def norm_file(self, said: Any, ref: str) -> Any:
        """Return norm.yaml."""
        names = self.names
        said["id"], said["version"] = names.norms[ref].split("/")
        said["replaces"] = ""
        for key in {"uses", "companions"} & said.keys():
            said[key] = [names.norms[named] for named in _list(said[key])]
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
            told = step.get("stimulus", {}).get("data", {})
            if "action" in told:
                told["action"] = names.stimuli.get(told["action"], told["action"])
            for key in ("send", "await"):
                if key in step:
                    step[key] = names.kinds.get(step[key], step[key])
            if "with" in step:
                step["with"] = {self.xpath(at): self._put(at, value) for at, value in step["with"].items()}
            if "insert" in step:
                step["insert"] = {self.xpath(at): self.markup(value) for at, value in step["insert"].items()}
            if "remove" in step:
                step["remove"] = [self.xpath(at) for at in _list(step["remove"])]
            if "keep" in step:
                step["keep"] = {name: self.xpath(at) for name, at in step["keep"].items()}
            if "reply" in step:
                step["reply"] = self.outcome(step["reply"])
            if "expect" in step:
                step["expect"] = [self.expectation(one) for one in _list(step["expect"])]
        return said

    def _put(self, at: str, value: str) -> str:
        return self.names.results.get(value, value) if last_name(at) in self.names.result_at else self._text(value)

    def expectation(self, said: Any) -> Any:
        names, check, at = self.names, said["check"], said.get("at", "")
        said["requirement"] = names.requirements[said["requirement"]]
        known: Mapping[str, str] = {}
        if check in ("result", "shown") or (at and last_name(at) in names.result_at):
            known = names.results
        elif check in ("absent-next", "arrived"):
            known = names.kinds
        if "kinds" in said:
            said["kinds"] = [names.kinds.get(kind, kind) for kind in _list(said["kinds"])]
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
        for entries in said.get("lists", {}).values():
            for entry in _list(entries):
                entry |= {
                    key: self.names.words.get(value, value) for key, value in entry.items() if value.startswith("/")
                }
        return said

    def conduct(self, said: Any) -> Any:
        """Return conduct.yaml."""
        kinds = self.names.kinds
        said["actions"] = {
            self.names.stimuli[name]: {
                "start": kinds.get(action["start"], action["start"]),
                "allows": [kinds.get(kind, kind) for kind in _list(action.get("allows", []))],
            }
            for name, action in said.get("actions", {}).items()
        }
        if "fault" in said:
            said["fault"]["shown"] = self.xpath(said["fault"]["shown"])
        directory = said.get("directory", {})
        if "kind" in directory:
            directory["kind"] = kinds.get(directory["kind"], directory["kind"])
        for key in {"refused", "shown", "found"} & directory.keys():
            directory[key] = self.xpath(directory[key])
        for one, key in ((directory, "values"), (said, "optional"), (said, "messages"), (said, "routes")):
            if key in one:
                one[key] = {kinds.get(kind, kind): value for kind, value in one[key].items()}
        for kind, left_out in said.get("optional", {}).items():
            said["optional"][kind] = [self.xpath(at) for at in _list(left_out)]
        for route in (route for routes in said.get("routes", {}).values() for route in _list(routes)):
            for key in {"when", "shown"} & route.keys():
                route[key] = self.xpath(route[key])
            for key in {"keep", "tell"} & route.keys():
                route[key] = {name: self.xpath(at) for name, at in route[key].items()}
            if "send" in route:
                route["send"] = kinds.get(route["send"], route["send"])
        return said

    def deviations(self, said: Any) -> Any:
        """Return faults.yaml or variants.yaml."""
        for one in _list(next(iter(said.values()))):
            for change in (one, *_list(one.get("changes", []))):
                self._change(change)
        return said

    def _change(self, change: Any) -> None:
        names, at = self.names, change.get("at", "")
        renamed = (at and last_name(at) in names.result_at) or change.get("name") in names.result_values
        for key, new in (
            ("at", self.xpath), ("with", self.xpath), ("from", self.xpath), ("when", self.xpath), ("xml", self.markup),
            ("row", self.row), ("to", self.qname), ("code", self._text),
            ("kind", lambda kind: names.kinds.get(kind, kind)),
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

    def copy(self, to: Path) -> None:
        """Copy the norm, those it uses, its companions and their scenarios below to/norms and to/scenarios."""
        for member in self.names.members:
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
            "conduct.yaml": self.conduct,
            "client-faults.yaml": self.deviations,
            "client-variants.yaml": self.deviations,
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
