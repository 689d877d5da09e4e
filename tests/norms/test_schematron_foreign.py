from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from lxml import etree

from norms.errors import NormError, PoinconError
from norms.functions import Functions
from norms.loader import load
from norms.schematron import Rules

installed = pytest.mark.skipif(importlib.util.find_spec("saxonche") is None, reason="saxonche is not installed")

RULES = """<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron" queryBinding="{binding}">
  <sch:ns prefix="t" uri="urn:t"/>
  <sch:let name="most" value="max(//t:a/@n/xs:integer(.))"/>
  <sch:pattern>
    <sch:rule context="t:a[@skip]"><sch:assert id="S" role="X-0" test="true()">jamais</sch:assert></sch:rule>
    <sch:rule context="t:a">
      <sch:let name="own" value="xs:integer(@n)"/>
      <sch:assert id="A" role="X-1" test="{test}"
        >n vaut <sch:value-of select="@n"/> sur <sch:value-of select="$most"/>.</sch:assert>
    </sch:rule>
  </sch:pattern>
</sch:schema>"""
DOCUMENT = '<r xmlns:t="urn:t"><t:a n="1"/><!-- c --><b><t:a n="12"/><t:a skip="" n="30"/></b></r>'


def compile_rules(
    tmp_path: Path, test: str = "every $d in (1 to $own) satisfies $d lt 10", binding: str = "xslt2"
) -> Rules:
    path = tmp_path / "r.sch"
    path.write_text(RULES.format(binding=binding, test=test), encoding="utf-8")
    return Rules([path], Functions(load("commun/1.0")))


def test_without_the_engine_rules_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "saxonche", None)
    monkeypatch.setattr("norms.schematron_foreign.importlib.util.find_spec", lambda _: None)
    with pytest.raises(NormError, match="xslt2") as caught:
        compile_rules(tmp_path)
    assert "saxonche" in caught.value.remedy


@installed
@pytest.mark.parametrize("binding", ["xslt2", "xslt3", "xpath3"])
def test_rules_run_in_their_process(tmp_path: Path, binding: str) -> None:
    rules = compile_rules(tmp_path, binding=binding)
    root = etree.fromstring(DOCUMENT)
    (violation,) = rules.violations(root)
    assert (violation.rule, violation.requirement, violation.message) == ("A", "X-1", "n vaut 12 sur 30.")
    assert violation.element is root.find("b")[0]  # type: ignore[index]
    assert rules.violations(etree.fromstring('<r xmlns:t="urn:t"><t:a n="3"/></r>')) == []
    assert rules.exercised(root) == {"A", "S"}


@installed
def test_current_and_attributes(tmp_path: Path) -> None:
    rules = compile_rules(tmp_path, "not(//t:a[@skip][@n lt current()/@n])")
    assert rules.violations(etree.fromstring(DOCUMENT)) == []


@installed
@pytest.mark.parametrize(
    "test", ["matches(", "u:b", "nothing(1)", "doc('file:///etc/hosts')", "fn:unparsed-text('x')", "doc#1"]
)
def test_what_cannot_be_run_is_refused_with_its_line(tmp_path: Path, test: str) -> None:
    with pytest.raises(NormError) as caught:
        compile_rules(tmp_path, test)
    assert caught.value.line == 9


@installed
def test_rule_that_fails_on_a_message_is_an_incident(tmp_path: Path) -> None:
    rules = compile_rules(tmp_path)
    with pytest.raises(PoinconError, match=r"r\.sch"):
        rules.violations(etree.fromstring('<r xmlns:t="urn:t"><t:a n="x"/></r>'))
    assert rules.violations(etree.fromstring('<r xmlns:t="urn:t"><t:a n="3"/></r>')) == []
