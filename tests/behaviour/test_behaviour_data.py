"""Files of a simulator that are wrong: every error names the file, the line and what to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from norms.behaviour import Behaviour, RandomIds, State, load
from norms.errors import NormError, UsageError
from norms.loader import load as load_norm
from norms.model import Norm

POPULATION = """
pools:
  droits-ouverts:
    title: {fr: Ouverts}
    entries:
      - {nir: "1", cle: a}
lists:
  amc:
    - {numero: "7"}
"""
DECISIONS = """
fault: {answer: fault}
decisions:
  IDB:
    rows:
      - {id: tout, answer: a}
  CLC:
    rows:
      - {id: rien, answer: a}
"""
REQUEST = "<r><n>1</n><n>2</n><k>x</k></r>"


class Folder:
    """A copy of a norm whose simulator is written by the test."""

    def __init__(self, root: Path) -> None:
        self.simulator = root / "simulator"
        (self.simulator / "answers").mkdir(parents=True)
        ville = load_norm("ville/1.1")
        online = tuple(service for service in ville.services if service.carrier == "soap")
        self.norm: Norm = msgspec.structs.replace(ville, root=root, parents=(), services=online)
        self.write("population.yaml", POPULATION)
        self.write("decisions.yaml", DECISIONS)
        self.write("answers/a.xml", "<a/>")
        self.write("answers/fault.xml", "<f/>")

    def write(self, name: str, text: str) -> None:
        (self.simulator / name).write_text(text, encoding="utf-8")

    def idb(self, table: str, answer: str = "<a/>") -> Behaviour:
        """Load with that table of IDB (indented by the test) and that template."""
        self.write("answers/a.xml", answer)
        rest = "\n  CLC:\n    rows:\n      - {id: rien, answer: a}\n"
        self.write("decisions.yaml", f"fault: {{answer: fault}}\ndecisions:\n  IDB:\n{table}{rest}")
        return load(self.norm)

    def refused(self) -> NormError:
        with pytest.raises(NormError) as raised:
            load(self.norm)
        return raised.value


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def ask(behaviour: Behaviour, state: State | None = None, day: date = date(2026, 1, 10)) -> etree._Element:
    kept = state if state is not None else State()
    return behaviour.answer(etree.fromstring(REQUEST), "IDB", kept, day, RandomIds()).root


def test_the_smallest_simulator_answers(folder: Folder) -> None:
    assert ask(load(folder.norm)).tag == "a"


def test_a_table_without_default_is_refused(folder: Folder) -> None:
    folder.write("decisions.yaml", DECISIONS.replace("{id: tout, answer: a}", "{id: tout, when: 'true()', answer: a}"))
    error = folder.refused()
    assert (Path(error.file).name, error.line) == ("decisions.yaml", 5)
    assert "IDB" in error.what and error.remedy


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("{id: tout, answer: a}", "{id: tout, answer: b}", 6, "« b »"),
        ("{id: tout, answer: a}", "{id: tout, answr: a}", 6, "answr"),
        ("{id: tout, answer: a}", "{id: tout, answer: a}\n      - {id: tout, answer: a}", 6, "tout"),
        ("{id: tout, answer: a}", "{id: x, when: '$inconnue', answer: a}\n      - {id: t, answer: a}", 6, "inconnue"),
        ("{id: tout, answer: a}", "{id: x, when: '][', answer: a}\n      - {id: t, answer: a}", 6, "]["),
        ("{id: tout, answer: a}", "{id: x, when: 'zz:a', answer: a}\n      - {id: t, answer: a}", 6, "zz"),
        ("{id: tout, answer: a}", "{id: x, set: {v: {recal: c}}, answer: a}", 6, "recal"),
        ("{id: tout, answer: a}", "{id: x, effects: [{put: c}], answer: a}", 6, "clé"),
        ("  CLC:", "  SIM:", 7, "SIM"),
    ],
)
def test_a_wrong_table_is_refused_at_its_line(folder: Folder, old: str, new: str, line: int, word: str) -> None:
    folder.write("decisions.yaml", DECISIONS.replace(old, new))
    error = folder.refused()
    assert (Path(error.file).name, error.line) == ("decisions.yaml", line)
    assert word in str(error)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ('      - {nir: "1", cle: a}\n', "", "vide"),
        ("cle: a", "Clé: a", "Clé"),
        ("cle: a", "profiles: [XYZ]", "XYZ"),
        ("droits-ouverts:", "autres:", "droits-ouverts"),
        ("  amc:", "  entry:", "entry"),
    ],
)
def test_a_wrong_population_is_refused(folder: Folder, old: str, new: str, word: str) -> None:
    folder.write("population.yaml", POPULATION.replace(old, new))
    error = folder.refused()
    assert Path(error.file).name == "population.yaml" and error.line
    assert word in str(error)


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ("operator: exploser", "exploser"),
        ("operator: set-text\n    at: //a", "value"),
        ("operator: remove\n    at: //a\n    value: x", "value"),
        ("operator: remove\n    at: ']['", "]["),
        ("operator: ignore-row\n    row: autre", "autre"),
        ("operator: accept-without\n    reasons: [inconnue]", "inconnue"),
        ("operator: delay\n    seconds: vite", "vite"),
        ("operator: close\n    kinds: [SIM]", "SIM"),
        ("operator: set-value\n    name: rien\n    value: x", "rien"),
        ("kinds: [IDB]", "operator"),
    ],
)
def test_a_wrong_fault_is_refused(folder: Folder, fault: str, word: str) -> None:
    head = "faults:\n  - id: F-1\n    title: Un\n    requirement: VIL-IDB-001\n    "
    folder.write("faults.yaml", head + fault + "\n")
    error = folder.refused()
    assert Path(error.file).name == "faults.yaml" and error.line
    assert word in str(error)


def test_a_fault_cites_a_known_requirement_and_has_its_own_id(folder: Folder) -> None:
    entry = "  - {id: F-1, title: Un, requirement: VIL-IDB-001, operator: close}\n"
    folder.write("faults.yaml", "faults:\n" + entry + entry)
    assert "F-1" in folder.refused().what
    folder.write("faults.yaml", "faults:\n" + entry.replace("IDB-001", "IDB-999"))
    assert "VIL-IDB-999" in folder.refused().what


def test_faults_and_pools_are_found_by_name_or_the_nearest_is_named() -> None:
    behaviour = load(load_norm("ville/1.1"))
    assert behaviour.fault("F-GEN-05").requirement == "SOC-GEN-002"
    assert behaviour.variant("V-PREFIXES").id == "V-PREFIXES"
    with pytest.raises(UsageError, match="F-GEN-05"):
        behaviour.fault("F-GEN-05X")
    with pytest.raises(NormError, match="droits-clos"):
        behaviour.population.pool("droit-clos")


def test_a_template_cannot_reach_python_and_its_gaps_are_errors(folder: Folder) -> None:
    for template in ("<a>{{ ''.__class__.__mro__ }}</a>", "<a>{{ absente }}</a>", "<a>{{ }}</a>", "<a>", "{% x %}"):
        behaviour = folder.idb("    rows: [{id: t, answer: a}]", template)
        with pytest.raises(NormError) as raised:
            ask(behaviour)
        assert Path(raised.value.file).name == "a.xml"


def test_values_are_escaped_in_a_template(folder: Folder) -> None:
    behaviour = folder.idb("""    rows: [{id: t, set: {v: "'<b>&\\"'"}, answer: a}]""", "<a c='{{ v }}'>{{ v }}</a>")
    root = ask(behaviour)
    assert root.text == root.get("c") == '<b>&"'


def test_the_first_row_that_holds_decides(folder: Folder) -> None:
    behaviour = folder.idb(
        """    let: {k: "//k"}
    rows:
      - {id: un, when: "$k = 'y'", set: {v: "'1'"}, answer: a}
      - {id: deux, when: "$k = 'x'", set: {v: "'2'"}, answer: a}
      - {id: trois, when: "true()", set: {v: "'3'"}, answer: a}
      - {id: defaut, set: {v: "'4'"}, answer: a}""",
        "<a>{{ v }}</a>",
    )
    assert ask(behaviour).text == "2"


def test_lines_have_their_own_table(folder: Folder) -> None:
    behaviour = folder.idb(
        """    rows:
      - id: t
        each:
          select: //n
          let: {n: "."}
          rows:
            - {when: ". = '1'", set: {v: "p:mul('0.105', '1')"}}
            - {set: {v: "p:percent('0.125', '100')"}}
          finally: {w: "concat($n, '=', $v)"}
        after: {somme: "p:sum($lines/line/v)"}
        answer: a""",
        "<a>{% for line in lines %}{{ line.w }};{% endfor %}{{ somme }}</a>",
    )
    assert ask(behaviour).text == "1=0.11;2=0.13;0.24"


def test_population_and_state_are_seen_by_expressions(folder: Folder) -> None:
    behaviour = folder.idb(
        """    let:
      n: "//n[1]"
      qui: {nodes: "$pop/entry[nir = $n]"}
      fois: {recall: passages, key: "$n"}
    rows:
      - id: t
        set: {cle: "$qui/cle", amc: "$pop/amc/numero", avant: "$fois/nombre", total: "count($state/passages)"}
        effects: [{add: passages, key: "$n", values: {nombre: "'1'"}}]
        answer: a""",
        "<a>{{ cle }},{{ amc }},{{ avant }},{{ total }}</a>",
    )
    state = State()
    assert [ask(behaviour, state).text for _ in range(3)] == ["a,7,,0", "a,7,1,1", "a,7,2,1"]


def test_effects_put_remove_and_expire(folder: Folder) -> None:
    table = """    let: {{la: {{recall: c, key: "'k'"}}}}
    rows:
      - {{id: t, set: {{v: "$la/v"}}, effects: [{effect}], answer: a}}"""
    state = State()

    def step(effect: str, day: int = 10) -> str | None:
        behaviour = folder.idb(table.format(effect=effect), "<a>{{ v }}</a>")
        return ask(behaviour, state, date(2026, 1, day)).text

    put = """{put: c, key: "'k'", values: {v: "'1'"}, until: "'2026-01-12'"}"""
    nothing = """{remove: autre, key: "'k'"}"""
    assert [step(put), step(nothing), step(nothing, 12), step(nothing, 13)] == [None, "1", "1", None]
    step(put)
    step("""{expire: c, key: "'k'", until: "'2026-01-11'"}""")
    assert [step(nothing, 11), step(nothing, 12)] == ["1", None]
    step(put)
    step("""{remove: c, key: "'k'"}""")
    assert step(nothing) is None


def test_rows_know_every_line_and_effects_are_done_for_each(folder: Folder) -> None:
    behaviour = folder.idb(
        """    let:
      lignes: {nodes: //n, values: {n: ".", vue: "boolean($state/vus[numero = $n])", carre: "p:mul($n, $n)"}}
    rows:
      - id: deja
        when: "$lignes[vue = 'true']"
        set: {v: "concat(count($state/vus), ' ', $state/vus[2]/carre)"}
        answer: a
      - id: t
        set: {v: "p:sum($lignes/carre)"}
        effects: [{put: vus, each: $lignes, key: n, values: {numero: n, carre: carre}, until: "p:add-days($date, n)"}]
        answer: a""",
        "<a>{{ v }}</a>",
    )
    state = State()
    answers = [ask(behaviour, state, date(2026, 1, day)).text for day in (10, 11, 12, 13)]
    assert answers == ["5.00", "2 4.00", "1 ", "5.00"]


def test_once_repeats_an_answer_that_had_effects(folder: Folder) -> None:
    behaviour = folder.idb(
        """    once: "//k"
    rows:
      - id: t
        set: {numero: {sequence: s, width: 3}}
        effects: [{put: c, key: "//k", until: "p:add-days($date, 1)"}]
        answer: a""",
        "<a id='{{ uuid() }}'>{{ numero }}</a>",
    )
    state = State()
    first, again = ask(behaviour, state), ask(behaviour, state)
    assert (first.text, again.text) == ("001", "001")
    assert first.get("id") != again.get("id")
    assert ask(behaviour, state, date(2026, 1, 12)).text == "002"


def test_the_state_keeps_its_newest_items() -> None:
    from norms.behaviour.state import CAPACITY

    state = State()
    for number in range(CAPACITY + 5):
        state.put("c", str(number), {"v": "1"})
    assert state.recall("c", "4") is None
    assert state.recall("c", "5") is not None
    assert len(state.xml) == CAPACITY
