from __future__ import annotations

from pathlib import Path

import pytest

from norms.errors import DataError, NormError
from norms.yamlfile import MAXIMUM_DEPTH, parse_yaml, read_yaml

FILE = Path("page.yaml")


def refusal(text: str) -> DataError:
    with pytest.raises(DataError) as caught:
        parse_yaml(text, FILE)
    return caught.value


def test_every_scalar_is_the_string_that_was_written() -> None:
    plain = parse_yaml('a: 010\nb: yes\nc: 1.50\nd: 2026-01-01\ne: ~\nf:\ng: "x"\n', FILE).plain()
    assert plain == {"a": "010", "b": "yes", "c": "1.50", "d": "2026-01-01", "e": "~", "f": "", "g": "x"}


def test_nodes_know_line_and_place() -> None:
    root = parse_yaml("# remarque\na:\n  - b: 1\n    c: {d: 2}\n", FILE)
    inner = root.mapping()["a"].items()[0].mapping()["c"].mapping()["d"]
    assert (inner.line, inner.place) == (4, "a[0].c.d")


def test_key_written_twice_is_refused_at_its_line() -> None:
    error = refusal("a: 1\nb: 2\na: 3\n")
    assert error.line == 3
    assert "« a » est écrite deux fois" in error.what
    assert "ligne 1" in error.remedy


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n",
        "a: &x [1]\n",
        "<<: {a: 1}\n",
        "a: !!python/object:os.system x\n",
        "a: !ruby x\n",
        "? [a]\n: b\n",
        "a: 1\n---\nb: 2\n",
        "a: [1\n",
        "a: 'x\n",
        "\ta: 1\n",
        "",
        "a: \x01\n",
        "[" * (MAXIMUM_DEPTH + 2) + "]" * (MAXIMUM_DEPTH + 2),
    ],
)
def test_what_is_not_plain_data_is_refused(text: str) -> None:
    assert refusal(text).file == "page.yaml"


def test_unknown_key_names_the_nearest_known_one() -> None:
    with pytest.raises(DataError) as caught:
        parse_yaml("titel: x\n", FILE).only(("title",), ("steps",))
    assert caught.value.line == 1
    assert "« title »" in caught.value.remedy


def test_missing_key_is_refused() -> None:
    with pytest.raises(DataError, match="« title » manque"):
        parse_yaml("steps: x\n", FILE).only(("title",), ("steps",))


def test_values_of_the_wrong_shape_are_refused() -> None:
    root = parse_yaml("t: x\nl: [a]\nm: {k: v}\nn: '12'\nneg: -3\n", FILE).mapping()
    assert root["t"].choice(("x", "y")) == "x"
    assert (root["n"].integer(), root["neg"].integer(-5)) == (12, -3)
    for wrong in (
        root["l"].text,
        root["t"].items,
        root["l"].mapping,
        root["t"].flag,
        root["t"].integer,
        root["neg"].number,
        lambda: root["t"].choice(("y", "z")),
        root["neg"].integer,
    ):
        with pytest.raises(DataError):
            wrong()


def test_error_class_is_the_readers_choice(tmp_path: Path) -> None:
    with pytest.raises(NormError):
        read_yaml(tmp_path / "absent.yaml", NormError)
    (tmp_path / "latin.yaml").write_bytes("é: 1".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        read_yaml(tmp_path / "latin.yaml")


def test_byte_order_mark_is_understood(tmp_path: Path) -> None:
    (tmp_path / "bom.yaml").write_text("a: é\n", encoding="utf-8-sig")
    assert read_yaml(tmp_path / "bom.yaml").plain() == {"a": "é"}
