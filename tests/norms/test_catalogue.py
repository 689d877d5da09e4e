"""The English catalogue: every sentence of the code is in it, and the compiled file is that of the text file."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_keywords
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from norms.i18n import LOCALE, speaking, tr, tr_in

ROOT = LOCALE.parent.parent
PACKAGES = ("norms", "scenarios", "sandbox", "harness", "reports", "poincon")
KEYWORDS = ("tr", "tr_in:2", "mark", "_both")
METHODS = [("**.py", "python"), ("**/templates/**.j2", "jinja2")]
TEXT = LOCALE / "en" / "LC_MESSAGES" / "poincon.po"

# What English never takes over from the French sentence: its quotation marks and the spaces that go with them.
FRENCH_ONLY = "«»\u00a0\u202f"


def _sentences() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        found = extract_from_dir(ROOT / package, METHODS, keywords=parse_keywords(KEYWORDS))
        for file, line, message, _comments, _context in found:
            assert isinstance(message, str), f"{package}/{file}:{line}"
            yield message, f"{package}/{file}:{line}"


def _texts(catalogue: Catalog) -> dict[str, str]:
    return {str(message.id): str(message.string) for message in catalogue if message.id}


def _places(sentence: str) -> list[str]:
    """The {named} places of a sentence with their conversions and formats, in alphabetical order."""
    parts = Formatter().parse(sentence)
    return sorted(f"{name}!{conversion}:{spec}" for _text, name, spec, conversion in parts if name is not None)


@pytest.fixture(scope="module")
def sentences() -> dict[str, str]:
    """Every message id of the code -> a place where it stands."""
    return dict(_sentences())


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    with TEXT.open("rb") as file:
        return read_po(file)


@pytest.fixture(scope="module")
def english(catalogue: Catalog) -> dict[str, str]:
    return _texts(catalogue)


def test_every_sentence_of_the_code_has_its_english_one(sentences: dict[str, str], english: dict[str, str]) -> None:
    assert len(sentences) > 1000
    assert [f"{place}: {text}" for text, place in sentences.items() if not english.get(text, "").strip()] == []


def test_no_entry_is_without_a_sentence(sentences: dict[str, str], english: dict[str, str], catalogue: Catalog) -> None:
    assert [text for text in english if text not in sentences] == []
    assert list(catalogue.obsolete) == []
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


def test_a_translation_has_the_places_of_its_sentence(english: dict[str, str]) -> None:
    assert [text for text, said in english.items() if _places(text) != _places(said)] == []


def test_a_translation_begins_and_ends_with_the_blanks_of_its_sentence(english: dict[str, str]) -> None:
    """Some sentences are parts of a longer line."""
    for text, said in english.items():
        assert (text[:1].isspace(), text[-1:].isspace()) == (said[:1].isspace(), said[-1:].isspace()), text


def test_english_has_english_punctuation(english: dict[str, str]) -> None:
    assert [said for said in english.values() if any(sign in said for sign in FRENCH_ONLY) or " :" in said] == []


def test_the_compiled_file_is_that_of_the_text_file(english: dict[str, str]) -> None:
    with TEXT.with_suffix(".mo").open("rb") as file:
        assert _texts(read_mo(file)) == english, "make messages"


def test_make_messages_extracts_what_this_test_extracts() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert " ".join(f"-k {keyword}" for keyword in KEYWORDS) + " " in makefile
    assert " ".join(PACKAGES) in makefile
    mapping = (ROOT / "babel.cfg").read_text("utf-8").split("\n")
    assert [line for line in mapping if line] == [f"[{method}: {pattern}]" for pattern, method in METHODS]


@pytest.mark.parametrize(
    ("sentence", "values", "french", "said"),
    [
        ("non conforme", {}, "non conforme", "non-conformant"),
        ("incident du laboratoire", {}, "incident du laboratoire", "laboratory incident"),
        ("La norme « {ref} » est inconnue.", {"ref": "x/1"}, "La norme « x/1 » est inconnue.",
         "The norm “x/1” is unknown."),
        ("Le code HTTP est {trouve} au lieu de {attendu}.", {"trouve": 500, "attendu": 400},
         "Le code HTTP est 500 au lieu de 400.", "The HTTP status is 500 instead of 400."),
        ("La date « ${{{place}}} » sort du calendrier.", {"place": "today+9y"},
         "La date « ${today+9y} » sort du calendrier.", "The date “${today+9y}” is outside the calendar."),
    ],
)  # fmt: skip
def test_the_environment_chooses_the_language(
    sentence: str, values: dict[str, object], french: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POINCON_LANG", raising=False)
    assert tr(sentence, **values) == french
    for chosen, expected in (("en", said), ("en_GB.UTF-8", said), ("fr", french), ("de", french)):
        monkeypatch.setenv("POINCON_LANG", chosen)
        assert tr(sentence, **values) == expected
        with speaking("fr"):
            assert tr(sentence, **values) == french
        assert (tr_in("fr", sentence, **values), tr_in("en", sentence, **values)) == (french, said)


def test_every_sentence_is_said_in_the_language_asked(english: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINCON_LANG", "en")
    assert {text: tr(text) for text in english} == english
    monkeypatch.setenv("POINCON_LANG", "fr")
    assert all(tr(text) == text for text in english)
