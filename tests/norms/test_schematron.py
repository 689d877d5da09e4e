from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from norms.errors import NormError
from norms.functions import Functions
from norms.loader import load
from norms.schematron import Rules
from norms.xpath import split_union

Compile = Callable[..., Rules]
HEAD = '<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron"{attributes}><sch:ns prefix="t" uri="urn:t"/>'


@pytest.fixture
def compile_rules(tmp_path: Path) -> Compile:
    functions = Functions(load("commun/1.0"))

    def make(content: str, attributes: str = "", phase: str = "") -> Rules:
        path = tmp_path / "regles.sch"
        path.write_text(HEAD.format(attributes=attributes) + content + "</sch:schema>", encoding="utf-8")
        return Rules([path], functions, phase)

    return make


def broken(rules: Rules, body: str) -> list[tuple[str, str]]:
    """Return rule id and name of the element for each violation in `<r>body</r>`."""
    root = etree.fromstring(f'<r xmlns:t="urn:t">{body}</r>')
    return [(violation.rule, violation.element.tag) for violation in rules.violations(root)]


def rule(context: str, *tests: str, lets: str = "", name: str = "R") -> str:
    asserts = "".join(
        f'<sch:assert id="{name}{number}" role="X-1" test="{test}">m</sch:assert>' for number, test in enumerate(tests)
    )
    return f'<sch:rule context="{context}">{lets}{asserts}</sch:rule>'


def pattern(*rules: str, lets: str = "") -> str:
    return f"<sch:pattern>{lets}{''.join(rules)}</sch:pattern>"


def test_assert_is_broken_when_false_and_report_when_true(compile_rules: Compile) -> None:
    rules = compile_rules(
        '<sch:pattern><sch:rule context="a"><sch:assert id="A" role="X-1" test="@n = 1">n</sch:assert>'
        '<sch:report id="B" role="X-2" test="@n = 3">n</sch:report></sch:rule></sch:pattern>'
    )
    assert broken(rules, '<a n="1"/>') == []
    assert broken(rules, '<a n="2"/>') == [("A", "a")]
    assert broken(rules, '<a n="3"/>') == [("A", "a"), ("B", "a")]


def test_violation_cites_its_requirement_and_shows_values(compile_rules: Compile) -> None:
    rules = compile_rules(
        '<sch:pattern><sch:rule context="t:a" role="X-9"><sch:assert id="A" test="b = 1">Dans <sch:name/>, '
        'b vaut <sch:emph><sch:value-of select="b"/></sch:emph>\n et non <sch:value-of select="count(b)"/>.'
        "</sch:assert></sch:rule></sch:pattern>"
    )
    found = rules.violations(etree.fromstring('<r xmlns:t="urn:t"><t:a><b>7</b></t:a></r>'))
    assert [(one.requirement, one.message) for one in found] == [("X-9", "Dans t:a, b vaut 7 et non 1.")]


def test_first_rule_of_a_pattern_takes_the_node(compile_rules: Compile) -> None:
    rules = compile_rules(pattern(rule("a[@x]", "@x = 1", name="P"), rule("a", "false()", name="Q")))
    assert broken(rules, '<a x="1"/>') == []
    assert broken(rules, '<a x="2"/><a/>') == [("P0", "a"), ("Q0", "a")]


def test_first_rule_takes_the_node_from_a_visited_rule(compile_rules: Compile) -> None:
    """The second rule cannot be joined; the first, which nothing breaks, still takes its nodes."""
    rules = compile_rules(pattern(rule("a[@x]", "@x = 1", name="P"), rule("a", "b[@x = current()/@x]", name="Q")))
    assert broken(rules, '<a x="1"/>') == []
    assert broken(rules, "<a/>") == [("Q0", "a")]


@pytest.mark.parametrize(
    "condition", ["@x = '1'", "@x = 1", "@x &lt; 2 and @y", "1", "last()", "@x = '['", "b[@x = 1]"]
)
def test_joined_rules_take_nodes_like_visited_ones(compile_rules: Compile, condition: str) -> None:
    """The rules are first joined into one question, then (with current()) only visited: the answers are the same."""
    body = "".join(f"<a {attributes}/>" for attributes in ('x="1"', 'x="1" y=""', 'x="2"', 'x="["', ""))
    body += '<a><b x="1"/></a>'
    joined = compile_rules(pattern(rule(f"/r/a[{condition}]", "true()", name="P"), rule("/r/a", "false()", name="Q")))
    found = broken(joined, body)
    visited = compile_rules(
        pattern(
            rule(f"/r/a[{condition}]", "true()", name="P"), rule("/r/a", "b[false() and @x = current()/@x]", name="Q")
        )
    )
    assert found == broken(visited, body) and 0 < len(found) < 6


def test_patterns_do_not_take_nodes_from_each_other(compile_rules: Compile) -> None:
    rules = compile_rules(pattern(rule("a", "true()")) + pattern(rule("a", "false()", name="Q")))
    assert broken(rules, "<a/>") == [("Q0", "a")]


@pytest.mark.parametrize(
    ("context", "elements"),
    [
        ("a", ["a", "a", "a"]),
        ("b/a", ["a"]),
        ("b//a", ["a", "a"]),
        ("/r/a", ["a"]),
        ("//c/a", ["a"]),
        ("a[1]", ["a", "a", "a"]),
        ("b | c", ["b", "c"]),
        ("a[@n='|'] | /r", ["r"]),
        ("*[self::b or self::c]", ["b", "c"]),
    ],
)
def test_context_matches_anywhere(compile_rules: Compile, context: str, elements: list[str]) -> None:
    body = "<a/><b><a/><c><a/></c></b>"
    visited = compile_rules(pattern(rule(context, "none[@x = current()/@x]")))
    joined = compile_rules(pattern(rule(context, "false()")))
    for rules in (visited, joined):
        assert [tag for _, tag in broken(rules, body)] == elements


LETS = [
    # (lets of schema, of pattern, of rule, test)
    ('<sch:let name="v" value="//max"/>', "", "", "@n &lt;= $v"),
    ("", '<sch:let name="v" value="//max"/>', "", "@n &lt;= $v"),
    ("", "", '<sch:let name="v" value="//max"/>', "@n &lt;= $v"),
    ("", "", '<sch:let name="v" value="../max"/>', "@n &lt;= $v"),
    ("", "", '<sch:let name="v" value="../max"/><sch:let name="w" value="number($v)"/>', "@n &lt;= $w"),
    ("", "", '<sch:let name="v" value="@n"/>', "not(../max[. &lt; $v])"),
    ("", "", '<sch:let name="v" value="current()/@n"/>', "../max >= $v"),
    ('<sch:let name="v" value="0"/>', "", '<sch:let name="v" value="../max"/>', "@n &lt;= $v"),
    ("", "", "", "not(../max[. &lt; current()/@n])"),
    ("", "", "", "../max >= current()/@n"),
]


@pytest.mark.parametrize(("schema", "of_pattern", "of_rule", "test"), LETS)
def test_variables_at_every_level(
    compile_rules: Compile, schema: str, of_pattern: str, of_rule: str, test: str
) -> None:
    rules = compile_rules(schema + pattern(rule("a", test, lets=of_rule), lets=of_pattern))
    assert broken(rules, '<max>5</max><a n="5"/>') == []
    assert broken(rules, '<max>5</max><a n="6"/>') == [("R0", "a")]


def test_phases_select_patterns(compile_rules: Compile) -> None:
    content = (
        '<sch:phase id="un"><sch:active pattern="p1"/></sch:phase>'
        f'<sch:pattern id="p1">{rule("a", "false()", name="P")}</sch:pattern>'
        f'<sch:pattern id="p2">{rule("a", "false()", name="Q")}</sch:pattern>'
    )
    assert broken(compile_rules(content), "<a/>") == [("P0", "a"), ("Q0", "a")]
    assert broken(compile_rules(content, phase="un"), "<a/>") == [("P0", "a")]
    assert broken(compile_rules(content, ' defaultPhase="un"'), "<a/>") == [("P0", "a")]
    assert len(broken(compile_rules(content, ' defaultPhase="un"', "#ALL"), "<a/>")) == 2
    with pytest.raises(NormError, match="deux"):
        compile_rules(content, phase="deux")


def test_abstract_patterns_and_rules(compile_rules: Compile) -> None:
    rules = compile_rules(
        '<sch:pattern abstract="true" id="borne"><sch:rule abstract="true" id="fin">'
        '<sch:assert id="F" role="X" test="@f and $oub">f</sch:assert></sch:rule>'
        '<sch:rule context="$ou"><sch:extends rule="fin"/>'
        '<sch:assert id="B" role="X" test="@n &lt;= $oub and \'$ou\'">b</sch:assert></sch:rule></sch:pattern>'
        '<sch:pattern is-a="borne"><sch:param name="ou" value="a"/><sch:param name="oub" value="5"/></sch:pattern>'
    )
    assert sorted(broken(rules, '<a n="6"/>')) == [("B", "a"), ("F", "a")]
    assert broken(rules, '<a n="6" f=""/>') == [("B", "a")]
    assert broken(rules, '<a n="5" f=""/>') == []


UNSUPPORTED = [
    '<sch:include href="autre.sch"/>',
    "<sch:diagnostics/>",
    '<sch:pattern documents="x"/>',
    '<sch:pattern><sch:rule context="a" flag="x"/></sch:pattern>',
    '<x:key xmlns:x="http://www.w3.org/1999/XSL/Transform" name="k"/>',
    '<sch:pattern><sch:rule><sch:assert id="A" role="X" test="1">m</sch:assert></sch:rule></sch:pattern>',
    '<sch:pattern><sch:rule context="a"><sch:assert role="X" test="1">m</sch:assert></sch:rule></sch:pattern>',
    '<sch:pattern><sch:rule context="a"><sch:assert id="A" test="1">m</sch:assert></sch:rule></sch:pattern>',
    '<sch:pattern><sch:rule context="a"><sch:assert id="A" role="X">m</sch:assert></sch:rule></sch:pattern>',
    pattern(rule("a", "1"), rule("b", "\n1"))
    .replace("\n1", "1")
    .replace('<sch:rule context="b">', '\n<sch:rule context="b">'),
    pattern(rule("a", "document('x')/b")),
    pattern(rule("a", "key('k', 1)")),
    pattern(rule("a", "u:b")),
    pattern(rule("a", "$absent = 1")),
    pattern(rule("a", "$w = 1", lets='<sch:let name="v" value="$w"/><sch:let name="w" value="1"/>')),
    pattern(rule("a[$v]", "1", lets='<sch:let name="v" value="1"/>')),
    pattern(rule("a", "b[")),
    pattern(rule("a", "matches(b, 'x')")),
    pattern(rule("a/@n", "1")),
    pattern(rule("a | b/text()", "1")),
    pattern(rule("comment()", "1")),
    pattern(rule("/", "1")),
    pattern(rule("a | ", "1")),
    pattern(rule("a[current()]", "1")),
    pattern(rule("a", "position() = 1")),
    pattern(rule("a", "count(b[1]) + last() = 1")),
    pattern(rule("id('x')", "1")),
    '<sch:pattern is-a="absent"/>',
    '<sch:pattern><sch:rule context="a"><sch:extends rule="absent"/></sch:rule></sch:pattern>',
    '<sch:let name="v"/>',
    '<sch:phase id="p"><sch:active pattern="absent"/></sch:phase>',
    "<?xslt x?>",
]


@pytest.mark.parametrize("content", UNSUPPORTED)
def test_what_cannot_be_run_is_refused_with_its_line(compile_rules: Compile, content: str) -> None:
    with pytest.raises(NormError) as caught:
        compile_rules("\n\n" + content)
    assert Path(caught.value.file).name == "regles.sch"
    assert caught.value.line >= 3


@pytest.mark.parametrize("binding", ["xquery", "stx", "XSLT"])
def test_other_query_languages_are_refused(compile_rules: Compile, binding: str) -> None:
    with pytest.raises(NormError, match=binding):
        compile_rules("", f' queryBinding="{binding}"')


@pytest.mark.parametrize("binding", ["xslt", "xpath"])
def test_xpath_1_bindings_are_accepted(compile_rules: Compile, binding: str) -> None:
    assert broken(compile_rules(pattern(rule("a", "0")), f' queryBinding="{binding}"'), "<a/>") == [("R0", "a")]


def test_rule_that_cannot_be_evaluated_is_an_error_of_the_norm(compile_rules: Compile) -> None:
    rules = compile_rules(pattern(rule("a", "count($v) = 1", lets='<sch:let name="v" value="1"/>')))
    with pytest.raises(NormError, match="évaluée"):
        broken(rules, "<a/>")


def test_rules_tell_what_a_document_exercises(compile_rules: Compile) -> None:
    rules = compile_rules(
        pattern(rule("a[@x]", "1", name="P"), rule("a", "1", name="Q")) + pattern(rule("b", "1", name="S"))
    )
    assert rules.exercised(etree.fromstring('<r><a x="1"/></r>')) == {"P0"}
    assert rules.exercised(etree.fromstring("<r><a/><b/></r>")) == {"Q0", "S0"}


@pytest.mark.parametrize(
    ("expression", "parts"),
    [("a|b", ["a", "b"]), ("a[b|c] | d", ["a[b|c]", "d"]), ("a['|']|(b|c)", ["a['|']", "(b|c)"])],
)
def test_union_is_split_outside_brackets_and_literals(expression: str, parts: list[str]) -> None:
    assert split_union(expression) == parts


# The joined expression against a visit of every node.

CONTEXTS = st.sampled_from(["a", "b", "a[@x]", "a/b", "*[@x]", "a | b", "//a[1]", "/r/*", "b[1]"])
TESTS = st.sampled_from(
    ["@x = 1", "not(b)", "count(a) &lt; 2", "$v = 1", "a[@x = $v]", "current()/@x", "b[@x = current()/@x]", "@x",
     "../@x", "a[last()]/@x = 1", "not($v)", "string-length(@x) &gt; $w", "$k/@x", "not($k[@x = $v])"]
)  # fmt: skip
RULES = st.lists(
    st.tuples(CONTEXTS, st.lists(TESTS, min_size=1, max_size=3), st.sampled_from(["@x", "//a/@x", "count(*)"])),
    min_size=1,
    max_size=3,
)
ELEMENT = st.recursive(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["", ' x="1"', ' x="2"'])).map(lambda one: f"<{one[0]}{one[1]}/>"),
    lambda inner: st.tuples(
        st.sampled_from("ab"), st.sampled_from(["", ' x="1"']), st.lists(inner, min_size=1, max_size=3)
    ).map(lambda one: f"<{one[0]}{one[1]}>{''.join(one[2])}</{one[0]}>"),
    max_leaves=6,
)


@given(RULES, ELEMENT)
def test_joining_changes_no_verdict(
    tmp_path_factory: pytest.TempPathFactory, rules: list[tuple[str, list[str], str]], body: str
) -> None:
    """A test with a predicate on `current()` is never joined: the same violations must come out."""
    functions = Functions(load("commun/1.0"))
    texts = []
    for suffix in ("", " and count(/*[count(current()) = 1]) = 1"):
        content = '<sch:let name="w" value="count(//a)"/>' + pattern(
            *(
                rule(
                    context,
                    *(f"boolean({test}){suffix}" for test in tests),
                    lets=f'<sch:let name="v" value="{value}"/><sch:let name="k" value="b"/>',
                    name=f"R{number}-",
                )
                for number, (context, tests, value) in enumerate(rules)
            )
        )
        texts.append(HEAD.format(attributes="") + content + "</sch:schema>")
    found = []
    for text in texts:
        path = tmp_path_factory.mktemp("rules") / "r.sch"
        path.write_text(text, encoding="utf-8")
        root = etree.fromstring(f"<r>{body}</r>")
        tree = root.getroottree()
        found.append([(one.rule, tree.getpath(one.element)) for one in Rules([path], functions).violations(root)])
    assert found[0] == found[1]
