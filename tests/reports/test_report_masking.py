"""What no reader of a report may see, and what must stay readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from norms.masking import mask_nir
from reports.masking import Masker, printable


@pytest.mark.parametrize(
    "nir",
    [
        "1090763220834",
        "172192B999002",
        "1 09 07 63 220 834",
        "109076322083489",
        "1 09 07 63 220 834 89",
        "160012b020777",
    ],
)
def test_a_social_security_number_is_reduced_to_its_ends(nir: str) -> None:
    masked = mask_nir(f"<Nir>{nir}</Nir>")
    assert nir not in masked
    assert "*" * 10 in masked


@pytest.mark.parametrize(
    "text", ["99900063480", "0099990001", "ENG-20261120-000001", "5b0c8f1e-9d51-4a58-8a0e-0d3f6b7c1a11"]
)
def test_other_numbers_stay_readable(text: str) -> None:
    assert mask_nir(text) == text


@given(st.text())
def test_nothing_a_terminal_would_obey_is_left(text: str) -> None:
    shown = printable(text)
    assert not any(ord(character) < 32 and character not in "\n\t" for character in shown)
    assert not any(0x7F <= ord(character) < 0xA0 or 0x202A <= ord(character) <= 0x202E for character in shown)


def test_colours_of_a_terminal_become_text() -> None:
    assert printable("\x1b[31mrouge\x1b[0m\x07") == "[x1b]rouge[x1b][x07]"


def test_secrets_are_hidden_longest_first_and_short_ones_left_alone() -> None:
    mask = Masker(["abcd", "abcdef", "xy"])
    assert mask("abcdef abcd xy") == "••• ••• xy"
