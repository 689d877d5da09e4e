"""A run over the wire whose norm has a rule over the whole case: an honest product, one with a seeded fault."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from harness.evidence import verify_evidence
from harness.rejudge import rejudge
from harness.run import run
from norms.loader import load
from norms.model import Norm
from scenarios.compiler import compile_suite
from scenarios.model import Expectation, Step
from tests.harness.lab import NAMESPACE, case, echo, make_norm, make_suite, options, pong
from tests.harness.servers import serving

CHAIN = f"""\
<schema xmlns="http://purl.oclc.org/dsdl/schematron"><ns prefix="e" uri="{NAMESPACE}"/><pattern>
  <rule context="case:response//e:Pong">
    <assert id="R-ESS-CAS" role="ESS-002" test="e:Code = /case:case/case:exchange[1]/case:response//e:Code"
      >Le code ne change pas dans un cas.</assert>
  </rule>
</pattern></schema>
"""
STEP = Step(send="PING", expect=(Expectation("ESS-002", "present", at="//e:Code"),))


@pytest.fixture
def norm(tmp_path: Path) -> Norm:
    folder = make_norm(tmp_path / "norms").root
    (folder / "rules" / "chain").mkdir(parents=True)
    (folder / "rules" / "chain" / "cas.sch").write_text(CHAIN, encoding="utf-8")
    return load(str(folder), [tmp_path / "norms"])


def changing() -> Callable[[str], str]:
    """The seeded fault: every answer has another code."""
    numbers = count()
    return lambda colour: pong(colour, f"{next(numbers):02}")


def test_an_honest_product_passes_and_a_changing_one_is_caught(norm: Norm, tmp_path: Path):
    suite = make_suite(norm, case(1, STEP, STEP))
    with serving(echo()) as server:
        assert run(options(norm, suite, server.url, tmp_path / "honest")).exit_code == 0
    with serving(echo(changing())) as server:
        result = run(options(norm, suite, server.url, tmp_path / "faulty"))
    (finding,) = result.verdicts.cases[0].findings
    assert result.exit_code == 1
    assert (finding.reason, finding.location.exchange) == ("rule:R-ESS-CAS", "ESS-S-001#2.1")
    for name in ("honest", "faulty"):
        assert verify_evidence(tmp_path / name) == []
        assert rejudge(tmp_path / name) == (tmp_path / name / "verdicts.json").read_bytes()


def test_another_chain_rule_is_another_suite(norm: Norm):
    before = compile_suite(norm, (), None, "server", derived=())
    (norm.root / "rules" / "chain" / "cas.sch").write_text(CHAIN.replace("R-ESS-CAS", "R-ESS-AUTRE"), encoding="utf-8")
    after = compile_suite(load(str(norm.root), [norm.root.parents[1]]), (), None, "server", derived=())
    assert before.digest != after.digest and before.source != after.source
