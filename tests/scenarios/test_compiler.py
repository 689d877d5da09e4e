from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from norms.errors import DataError, NormError
from norms.model import Always, Norm
from scenarios.compiler import compile_suite, kinds_sent, load_suite, suite_bytes
from scenarios.declaration import Declaration
from scenarios.model import Scenario, Suite
from scenarios.reader import read_scenarios

Declare = Callable[..., Declaration]

PAGE = """\
id: {id}
title: {{fr: "Un prêt"}}
role: server
purpose: {{fr: "Vérifier."}}
{head}
steps:
  - send: {send}
    with: {{"//j:Jouet": "{toy}"}}
    keep: {{code: "//j:Code"}}
    expect:
      - {{requirement: {requirement}, check: result, value: "{value}"}}
"""


@pytest.fixture
def page(toy: Norm, write: Callable[..., Path], tmp_path: Path) -> Callable[..., list[Scenario]]:
    def page(name: str = "JOU-S-001", **changes: str) -> list[Scenario]:
        values = {"head": "", "send": "PRET", "toy": "${jouet}", "requirement": "JOU-002", "value": "00", **changes}
        write(PAGE.format(id=name, **values), f"{name}.yaml")
        return read_scenarios(toy, [tmp_path])

    return page


def compiled(toy: Norm, scenarios: list[Scenario], declaration: Declaration | None) -> Suite:
    return compile_suite(toy, scenarios, declaration, "server", derived=())


def test_without_profiles_one_case_with_the_first_declared(
    toy: Norm, declare: Declare, page: Callable[..., list[Scenario]]
) -> None:
    suite = compiled(toy, page(), declare(("[PETIT, GRAND]", "[GRAND, PETIT]")))
    assert [(case.id, case.profile) for case in suite.cases] == [("JOU-S-001", "GRAND")]


def test_with_profiles_one_case_for_each_declared(
    toy: Norm, declare: Declare, page: Callable[..., list[Scenario]]
) -> None:
    scenarios = page(head="profiles: [GRAND, PETIT]")
    assert [case.id for case in compiled(toy, scenarios, declare()).cases] == ["JOU-S-001@PETIT", "JOU-S-001@GRAND"]
    only = compiled(toy, scenarios, declare(("[PETIT, GRAND]", "[PETIT]")))
    assert [case.id for case in only.cases] == ["JOU-S-001@PETIT"]


@pytest.mark.parametrize(
    ("head", "requirement", "change", "word"),
    [
        ("profiles: [GRAND]", "JOU-002", ("[PETIT, GRAND]", "[PETIT]"), "GRAND"),
        ("applies_if: ICS-RENDU", "JOU-002", ("ICS-RENDU: yes", "ICS-RENDU: no"), "ICS-RENDU"),
        ("", "JOU-005", ("ICS-RENDU: yes", "ICS-RENDU: no"), "exigence"),
    ],
)
def test_what_the_declaration_switches_off_is_not_selected_with_its_reason(
    toy: Norm,
    declare: Declare,
    page: Callable[..., list[Scenario]],
    head: str,
    requirement: str,
    change: tuple[str, str],
    word: str,
) -> None:
    scenarios = page(head=head, requirement=requirement)
    assert compiled(toy, scenarios, declare()).cases
    suite = compiled(toy, scenarios, declare(change))
    assert suite.cases == () and word in suite.not_selected[0].reason


def test_an_unanswered_claim_is_tested(toy: Norm, declare: Declare, page: Callable[..., list[Scenario]]) -> None:
    suite = compiled(toy, page(head="applies_if: ICS-RENDU"), declare(("ICS-RENDU: yes", "ICS-RENDU:")))
    assert len(suite.cases) == 1


def test_values_profile_person_ixit_laboratory(
    toy: Norm, declare: Declare, page: Callable[..., list[Scenario]]
) -> None:
    (case,) = compiled(toy, page(), declare()).cases
    assert case.bindings == {
        "age": "4", "comptoir": "Nord", "enfant": "123", "guichet": "G7", "jouet": "BALLE", "ne_le": "${today-4y}",
    }  # fmt: skip
    over = declare(('{guichet: "G7"}', '{guichet: "G7", jouet: "TRAIN", enfant: "5555"}'))
    assert compiled(toy, page(), over).cases[0].bindings["jouet"] == "TRAIN"


def test_the_products_own_persons_replace_the_pool(
    toy: Norm, declare: Declare, page: Callable[..., list[Scenario]]
) -> None:
    sut = declare(("comptoir: Nord", 'comptoir: Nord\n  population: {sages: [{enfant: "888"}]}'))
    assert compiled(toy, page(), sut).cases[0].bindings["enfant"] == "888"


def test_cases_that_change_their_person_take_turns(
    toy: Norm, declare: Declare, page: Callable[..., list[Scenario]]
) -> None:
    page("JOU-S-001", head="given: punis")
    scenarios = page("JOU-S-002", head="given: punis")
    cases = compiled(toy, scenarios, declare()).cases
    assert [case.exclusive for case in cases] == [True, True]
    assert {case.bindings["enfant"] for case in cases} == {"700", "701"}


@pytest.mark.parametrize(
    ("changes", "line", "word"),
    [
        ({"head": "given: sagess"}, 7, "sages"),
        ({"toy": "${jouett}"}, 7, "jouet"),
        ({"value": "${cod}"}, 11, "cod"),
        ({"value": "${code}"}, 11, "code"),
        ({"send": "RENDU", "toy": 'X", "//j:Le": "Y'}, 7, "//j:Le"),
    ],
)
def test_what_does_not_fit_is_an_error_of_the_scenario(
    toy: Norm, declare: Declare, page: Callable[..., list[Scenario]], changes: dict[str, str], line: int, word: str
) -> None:
    with pytest.raises(DataError) as caught:
        compiled(toy, page(**changes), declare())
    assert (caught.value.file, caught.value.line) == ("jouet/1.0/server/JOU-S-001.yaml", line)
    assert word in str(caught.value)


def test_a_missing_laboratory_value_is_an_error_of_the_declaration(
    toy: Norm, declare: Declare, page: Callable[..., list[Scenario]], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="guichet") as caught:
        compiled(toy, page(), declare(('{guichet: "G7"}', "{}")))
    assert caught.value.file == str(tmp_path / "sut.yaml")


def test_a_missing_ixit_value_is_an_error_of_the_declaration(
    toy: Norm, declare: Declare, page: Callable[..., list[Scenario]], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="comptoir") as caught:
        compiled(toy, page(value="${comptoir}"), declare(("comptoir: Nord", 'comptoir: ""')))
    assert (caught.value.file, caught.value.line) == (str(tmp_path / "sut.yaml"), 16)


def test_without_a_declaration_everything_is_compiled(toy: Norm, page: Callable[..., list[Scenario]]) -> None:
    suite = compiled(toy, page(head="applies_if: ICS-RENDU\nprofiles: [PETIT, GRAND]", value="${comptoir}"), None)
    assert len(suite.cases) == 2 and kinds_sent(suite) == ("PRET",)


def test_scenarios_of_the_other_role_are_left_out(
    toy: Norm, declare: Declare, page: Callable[..., list[Scenario]]
) -> None:
    assert compile_suite(toy, page(), declare(), "client", derived=()).cases == ()


def test_derived_cases_follow_their_service(toy: Norm, declare: Declare, page: Callable[..., list[Scenario]]) -> None:
    page("JOU-S-001")
    scenarios = page("JOU-S-002", head="applies_if: ICS-RENDU", send="RENDU")
    kinds = {case.steps[0].send for case in compile_suite(toy, scenarios, declare(), "server").cases}
    assert kinds == {"PRET", "RENDU"}
    suite = compile_suite(toy, scenarios, declare(("ICS-RENDU: yes", "ICS-RENDU: no")), "server")
    assert {case.steps[0].send for case in suite.cases} == {"PRET"}
    assert any("RENDU" in item.reason for item in suite.not_selected if "-D-RENDU-" in item.id)


def test_an_unknown_check_of_always_is_an_error_of_the_norm(toy: Norm, page: Callable[..., list[Scenario]]) -> None:
    broken = msgspec.structs.replace(toy, always=(Always("JOU-001", "answerd"),))
    with pytest.raises(NormError, match="answered"):
        compiled(broken, page(), None)


def test_the_digest_covers_what_can_change_a_verdict(
    toy: Norm, declare: Declare, page: Callable[..., list[Scenario]]
) -> None:
    base = compiled(toy, page(), declare())
    assert compiled(toy, page(), declare()).digest == base.digest
    same = ("PRET: https://jouets.example/pret", "PRET: https://autre.example/pret")
    assert compiled(toy, page(), declare(same)).digest == base.digest
    for change in [
        ("[PETIT, GRAND]", "[GRAND]"),
        ('guichet: "G7"', 'guichet: "G8"'),
        ("ICS-RENDU: yes", "ICS-RENDU: no"),
    ]:
        other = compiled(toy, page(), declare(change))
        assert other.digest != base.digest and other.source == base.source
    assert compiled(toy, page(value="01"), declare()).digest != base.digest
    changed = msgspec.structs.replace(toy, digest="0" * 64)
    assert compiled(changed, page(value="00"), declare()).source != base.source


def test_a_suite_survives_its_file(toy: Norm, declare: Declare, page: Callable[..., list[Scenario]]) -> None:
    suite = compile_suite(toy, page(), declare(), "server")
    data = suite_bytes(suite)
    assert load_suite(data) == suite and suite_bytes(load_suite(data)) == data


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"format": 1}', b"\xff"])
def test_a_damaged_suite_is_a_data_error(data: bytes) -> None:
    with pytest.raises(DataError):
        load_suite(data)


def test_a_suite_of_another_format_is_refused(toy: Norm, page: Callable[..., list[Scenario]]) -> None:
    suite = msgspec.structs.replace(compiled(toy, page(), None), format="poincon-suite/99")
    with pytest.raises(DataError, match="poincon-suite/99"):
        load_suite(suite_bytes(suite))
