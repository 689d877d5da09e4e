"""Signed requests made by hand: a nominal case of the suite, filled, secured, ready to be posted."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from lxml import etree

from harness.crafting import plain_request
from harness.http_message import request_target
from norms.dynamic import resolve
from norms.filling import Clock
from norms.functions import xpath
from norms.model import Norm, Service
from norms.wire.attributes import subject_of
from norms.wire.secure import Signers, secure_request
from poincon.practice import practice_declaration
from sandbox.pki import TestPki
from scenarios.bindings import bind
from scenarios.compiler import compile_suite
from scenarios.declaration import Declaration, read_sut
from scenarios.model import Case, Suite
from scenarios.reader import read_scenarios
from scenarios.rendering import build_message

_BLANKS = ("${uuid}", "${now}", "${number}")


@dataclass(frozen=True)
class Practice:
    """A product to run against: the sandbox at `endpoints`, declared like any other."""

    norm: Norm
    declaration: Declaration
    suite: Suite
    pki: TestPki

    @classmethod
    def at(cls, norm: Norm, endpoints: dict[str, str], pki: TestPki, folder: Path) -> Practice:
        file = folder / "sut.yaml"
        file.write_text(practice_declaration(norm, endpoints, pki), encoding="utf-8")
        return cls.declared(norm, file, pki)

    @classmethod
    def declared(cls, norm: Norm, file: Path, pki: TestPki) -> Practice:
        declaration = read_sut(file)
        return cls(norm, declaration, compile_suite(norm, read_scenarios(norm), declaration, "server"), pki)

    def nominal(self) -> Case:
        """Return the first case that is one right request with its expectations."""
        return next(
            case
            for case in self.suite.cases
            if case.origin == "written"
            and case.given in ("", self.norm.default_given)
            and len(case.steps) == 1
            and not case.exclusive
            and _is_plain(case)
        )

    def signers(self) -> Signers:
        files = self.pki.laboratory_identities()
        return Signers(self.pki.identity(files["assertion"][0].stem), self.pki.identity(files["flow"][0].stem))

    def service(self, case: Case) -> Service:
        found = self.norm.service(case.steps[0].send)
        assert found is not None
        return found


def _is_plain(case: Case) -> bool:
    step = case.steps[0]
    return bool(step.send and not (step.base or step.security or step.http or step.parallel or step.remove)) and any(
        each.check == "result" for each in step.expect
    )


class HandMade:
    """Builds and signs the request of one case as a program written for it alone would: a tree with few blanks."""

    def __init__(self, practice: Practice, case: Case) -> None:
        self._norm, self._signers = practice.norm, practice.signers()
        self._service = practice.service(case)
        self.url = practice.declaration.product.endpoints[self._service.kind]
        self.headers = dict(plain_request(self.url, request_target(self.url), self._service, b"").headers)
        clock = Clock.real()
        bindings = bind(case.bindings, clock, case.file)
        self._tree = build_message(self._norm, case, case.steps[0], bindings, clock)
        places = list(self._tree.iter())
        self._blanks = [
            (places.index(element), text)
            for expression, text in self._norm.fill.items()
            if any(blank in text for blank in _BLANKS)
            for element in cast(list[etree._Element], xpath(self._norm, expression)(self._tree))
        ]
        self._subject = subject_of(self._norm, bindings, clock.today)

    def body(self) -> bytes:
        """Return one more signed request, with identifiers and times of its own."""
        root, clock = copy.deepcopy(self._tree), Clock.real()
        places = list(root.iter())
        for index, text in self._blanks:
            places[index].text = resolve(text, {}, clock.today, now=clock.now, uuid=clock.uuid)
        return secure_request(root, self._norm, self._service, self._signers, self._subject, self.url, clock.now)
