"""What a draft calls things: unique, of the right shape, and the same for the same folder."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from random import Random

from foreign_kits import TNS, imported, payloads, schema, wsdl
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from norms.behaviour import RandomIds, State
from norms.behaviour import load as load_behaviour
from norms.foreign import names
from norms.foreign.wsdl import Half, Name, Operation
from norms.loader import load

HALF = Half(Name("urn:x", "e"), (), "")
WORDS = st.text("abAB1é_-.", min_size=1, max_size=4)
SPACES = st.sampled_from(["urn:a", "urn:b/types", "http://exemple.invalid/2020/01", "", "urn:42"])
OPERATIONS = st.lists(
    st.builds(
        lambda name, space, local: Operation(name, Name(space, local), "1.1", HALF, HALF, Path("l.wsdl"), 1),
        WORDS, SPACES, WORDS,
    ),
    min_size=1, max_size=8, unique_by=lambda one: (one.interface, one.name),
)  # fmt: skip


@given(OPERATIONS, st.randoms())
def test_kinds_are_unique_whatever_the_order(operations: list[Operation], random: Random) -> None:
    kinds = names.kinds(operations)
    assert len(set(kinds.values())) == len(operations)
    assert all(re.fullmatch(r"[A-Z][A-Z0-9]*", kind) for kind in kinds.values())
    shuffled = list(operations)
    random.shuffle(shuffled)
    assert names.kinds(shuffled) == kinds


@given(OPERATIONS)
def test_files_and_addresses_are_unique(operations: list[Operation]) -> None:
    found = names.interface_names(operations)
    assert len(set(found.values())) == len({one.interface for one in operations})
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in found.values())


@given(st.lists(SPACES, unique=True), st.dictionaries(st.sampled_from(["p", "soap", "t", "ds", "con", "xs"]), SPACES))
def test_prefixes_are_unique_and_mean_nothing_else(spaces: list[str], declared: dict[str, str]) -> None:
    document = etree.Element("a", nsmap={prefix: space for prefix, space in declared.items() if space})
    found = names.prefixes(spaces, [document])
    assert set(found) == {space for space in spaces if space}
    assert len(set(found.values())) == len(found)
    assert not set(found.values()) & {"p", "soap", "ds", "xs", "con", "case", "xsi"}
    files = names.schema_names(spaces, found)
    assert len({name.casefold() for name in files.values()}) == len(spaces)


def test_the_prefix_of_the_documents_is_kept() -> None:
    document = etree.fromstring('<a xmlns:tns="urn:a"><b xmlns:liv="urn:a"/><c xmlns:liv="urn:a"/></a>')
    assert names.prefixes(["urn:a"], [document]) == {"urn:a": "liv"}
    assert names.prefixes(["http://www.w3.org/2000/09/xmldsig#"], []) == {"http://www.w3.org/2000/09/xmldsig#": "ds"}


def test_what_looks_like_a_template_is_answered_as_it_stands(tmp_path: Path) -> None:
    kind = ('<xs:element name="m"><xs:simpleType><xs:restriction base="xs:string">'
            '<xs:enumeration value="{{ 7 * 6 }}{% endraw %}"/></xs:restriction></xs:simpleType>'
            "</xs:element>")  # fmt: skip
    made = imported(tmp_path / "kit", tmp_path / "work", {"l.wsdl": wsdl(schema(payloads("", kind)))})
    behaviour = load_behaviour(load(str(made.folder), [tmp_path / "work"]))
    request = etree.parse(made.folder / "messages" / "PRENDRE.request.xml").getroot()
    answer = behaviour.answer(request, "PRENDRE", State(), date(2026, 1, 2), RandomIds())
    assert answer.root.findtext(f".//{{{TNS}}}m") == "{{ 7 * 6 }}{% endraw %}"
