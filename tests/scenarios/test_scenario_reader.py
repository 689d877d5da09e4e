from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from norms.errors import DataError
from norms.model import Norm
from norms.yamlfile import parse_yaml
from scenarios.page import PageReader
from scenarios.reader import read_scenarios

GOOD = """\
id: JOU-S-001
title: {fr: "Un prêt"}
role: server
purpose: {fr: "Vérifier que le prêt se fait."}
applies_if: ICS-RENDU
profiles: [PETIT]
given: sages
exclusive: true
steps:
  - send: PRET
    with:
      "//j:Jouet": "${jouet}"
    remove: ["//j:Surnom"]
    insert: {"//j:Demande": "<j:Jouet>DE</j:Jouet>"}
    http: oversize
    parallel: "2"
    keep: {code: "//j:Code"}
    expect:
      - {requirement: JOU-002, check: result, value: "00"}
      - {requirement: JOU-003, check: refused, values: ["fault:X1", "http:4xx", tls]}
  - send: PRET
    expect:
      - requirement: JOU-002
        check: same-as-step
        at: "//j:Code"
        step: "1"
"""

CLIENT = """\
id: JOU-C-001
title: {fr: "Demander"}
role: client
purpose: {fr: "Vérifier."}
steps:
  - stimulus: {fr: "Demandez pour ${enfant}.", data: {enfant: "${enfant}"}}
    await: PRET
    reply: fault:X1
    keep: {demande: "//wsa:MessageID"}
    expect:
      - {requirement: JOU-008, check: valid}
  - quiet: "2.5"
    expect:
      - {requirement: JOU-008, check: absent-next, value: RENDU}
"""


def test_reads_every_key_of_a_server_scenario(toy: Norm, write: Callable[..., Path], tmp_path: Path) -> None:
    write(GOOD)
    (scenario,) = read_scenarios(toy, [tmp_path])
    first, second = scenario.steps
    assert (scenario.id, scenario.role, scenario.given, scenario.exclusive) == ("JOU-S-001", "server", "sages", True)
    assert scenario.file == "jouet/1.0/server/JOU-S-001.yaml"
    assert (first.send, first.http, first.parallel, first.line) == ("PRET", "oversize", 2, 10)
    assert first.edits == {"//j:Jouet": "${jouet}"} and first.remove == ("//j:Surnom",)
    assert first.insert == {"//j:Demande": "<j:Jouet>DE</j:Jouet>"} and first.keep == {"code": "//j:Code"}
    assert [item.values or item.value for item in first.expect] == ["00", ("fault:X1", "http:4xx", "tls")]
    assert (second.expect[0].step, second.expect[0].line) == (1, 23)


def test_reads_every_key_of_a_client_scenario(toy: Norm, write: Callable[..., Path], tmp_path: Path) -> None:
    write(CLIENT, "JOU-C-001.yaml", "client")
    (scenario,) = read_scenarios(toy, [tmp_path])
    first, second = scenario.steps
    assert first.stimulus is not None and first.stimulus.fr == "Demandez pour ${enfant}."
    assert (first.data, first.await_, first.reply) == ({"enfant": "${enfant}"}, "PRET", "fault:X1")
    assert (second.quiet_seconds, second.await_) == (2.5, "")


BAD = [
    ("send: PRET\n    with", "sned: PRET\n    with", 10, "send"),
    ("send: PRET\n    with", "send: PRETT\n    with", 10, "PRET"),
    ("role: server", "role: serveur", 3, "server"),
    ("id: JOU-S-001", "id: JOU-S-002", 1, "JOU-S-002.yaml"),
    ("applies_if: ICS-RENDU", "applies_if: ICS-RENDUS", 5, "ICS-RENDU"),
    ("profiles: [PETIT]", "profiles: [PETITS]", 6, "PETIT"),
    ("exclusive: true", "exclusive: oui", 8, "true"),
    ('"//j:Jouet": "${jouet}"', '"//k:Jouet": "${jouet}"', 12, "j"),
    ('"//j:Jouet": "${jouet}"', '"//j:Jouet[": "${jouet}"', 12, "XPath"),
    ('"//j:Jouet": "${jouet}"', '"//j:Jouet": "${today-3w}"', 12, "${today-3w}"),
    ('"//j:Jouet": "${jouet}"', '"//j:Jouet": "${jouet"', 12, "${"),
    ("<j:Jouet>DE</j:Jouet>", "<j:Jouet>DE</j:Joue>", 14, "XML"),
    ("http: oversize", "http: oversized", 15, "oversize"),
    ('parallel: "2"', 'parallel: "1"', 16, "2"),
    ('parallel: "2"', 'parallel: "200"', 16, "32"),
    ("keep: {code:", "keep: {uuid:", 17, "uuid"),
    ("JOU-002, check: result", "JOU-0O2, check: result", 19, "JOU-002"),
    ("check: result", "check: resultat", 19, "result"),
    ('result, value: "00"', "result", 19, "value"),
    ("check: result", "check: valid", 19, "value"),
    ('"http:4xx"', '"http:9xx"', 20, "http:4xx"),
    ('step: "1"', 'step: "2"', 26, "précédente"),
    ('at: "//j:Code"\n        step', 'at: "p:nop(.)"\n        step', 25, "p:"),
    ("check: same-as-step", "check: unique-across-parallel", 24, "parallel"),
    ("check: same-as-step", "check: absent-next", 24, "rôle"),
    ("given: sages", "given: sages\ngiven: punis", 8, "deux fois"),
    ('title: {fr: "Un prêt"}', 'title: {en: "A loan"}', 2, "fr"),
    ("steps:\n", "steps: []\nlater:\n", 10, "later"),
]


@pytest.mark.parametrize(("old", "new", "line", "word"), BAD)
def test_a_bad_scenario_names_file_line_and_remedy(
    toy: Norm, write: Callable[..., Path], old: str, new: str, line: int, word: str
) -> None:
    assert GOOD.count(old) == 1
    path = write(GOOD.replace(old, new))
    with pytest.raises(DataError) as caught:
        PageReader(toy).read(path)
    assert (caught.value.file, caught.value.line) == (str(path), line)
    assert word in str(caught.value)


BAD_CLIENT = [
    ("await: PRET\n", "", 7),
    ("reply: fault:X1", "reply: faute:X1", 8),
    ("reply: fault:X1", "reply: example:examples/valid/rien.xml", 8),
    ("reply: fault:X1", "reply: example:../../secret.xml", 8),
    ('quiet: "2.5"', 'quiet: "0"', 12),
    ("value: RENDU", "value: RENDUS", 14),
    ("check: valid", "check: answered", 11),
    ("check: valid", "check: absent-next, value: RENDU", 10),
    ("check: absent-next, value: RENDU", "check: valid", 14),
]


@pytest.mark.parametrize(("old", "new", "line"), BAD_CLIENT)
def test_a_bad_client_scenario_names_its_line(
    toy: Norm, write: Callable[..., Path], old: str, new: str, line: int
) -> None:
    assert CLIENT.count(old) == 1
    text = CLIENT.replace(old, new)
    path = write(text, "JOU-C-001.yaml", "client")
    with pytest.raises(DataError) as caught:
        PageReader(toy).read(path)
    assert caught.value.line in (line, line + 1)
    assert str(path) in str(caught.value)


def test_a_scenario_in_the_folder_of_the_other_role_is_refused(toy: Norm, write: Callable[..., Path]) -> None:
    with pytest.raises(DataError, match="client"):
        PageReader(toy).read(write(GOOD, role="client"))


def test_one_id_in_two_roots_is_refused(toy: Norm, write: Callable[..., Path], tmp_path: Path) -> None:
    path = write(GOOD)
    other = tmp_path / "other" / "jouet" / "1.0" / "server" / path.name
    other.parent.mkdir(parents=True)
    other.write_text(GOOD, encoding="utf-8")
    with pytest.raises(DataError, match="JOU-S-001"):
        read_scenarios(toy, [tmp_path, tmp_path / "other"])


def test_what_was_read_is_kept_until_a_page_changes(
    toy: Norm, write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(GOOD)
    first = read_scenarios(toy, [tmp_path])
    with monkeypatch.context() as patch:
        patch.setattr(PageReader, "read", None)
        assert read_scenarios(toy, [tmp_path]) == first
    write(GOOD.replace("Un prêt", "Un autre prêt"))
    assert read_scenarios(toy, [tmp_path])[0].title.fr == "Un autre prêt"
    write(GOOD.replace("send: PRET", "sned: PRET"))
    with pytest.raises(DataError):
        read_scenarios(toy, [tmp_path])


@given(st.text(max_size=300))
def test_any_text_is_a_scenario_or_a_data_error(text: str) -> None:
    try:
        parse_yaml(text, Path("x.yaml"))
    except DataError as error:
        assert error.file == "x.yaml"


LINES = GOOD.splitlines(keepends=True)


@given(st.integers(0, len(LINES) - 1), st.text(alphabet="abc: {}[]\"'-$&*!#\t\n", max_size=12))
def test_a_page_with_one_line_replaced_reads_or_is_a_data_error(
    toy: Norm, tmp_path_factory: pytest.TempPathFactory, index: int, text: str
) -> None:
    path = tmp_path_factory.mktemp("page") / "JOU-S-001.yaml"
    path.write_text("".join([*LINES[:index], text + "\n", *LINES[index + 1 :]]), encoding="utf-8")
    try:
        PageReader(toy).read(path)
    except DataError as error:
        assert error.file == str(path)
        assert error.line >= 0
