from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from norms.identifiers import finess, is_ccam, is_lpp, is_nabm, lpp_key, luhn, nir_key, rpps

DIGITS = st.text("0123456789", min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("nir", "key"),
    [
        ("1090763220834", "89"),
        ("2090763220834", "39"),
        ("1810163220751", "40"),
        ("2550814168025", "38"),
        ("172192B999002", "24"),
        ("160012B020777", "13"),
        ("297022A020778", "78"),
    ],
)
def test_nir_key(nir: str, key: str) -> None:
    assert nir_key(nir) == key


@pytest.mark.parametrize(
    "nir", ["", "109076322083", "10907632208345", "172193B999002", "1721A2B999002", "１090763220834"]
)
def test_nir_of_another_shape_has_no_key(nir: str) -> None:
    assert nir_key(nir) == ""


@given(st.integers(0, 10**13 - 1))
def test_nir_with_its_key_is_a_multiple_of_97(number: int) -> None:
    nir = f"{number:013d}"
    assert (int(nir) + int(nir_key(nir))) % 97 == 0
    assert 1 <= int(nir_key(nir)) <= 97


@given(st.integers(0, 10**13 - 1), st.integers(0, 12), st.integers(1, 9))
def test_nir_key_sees_every_wrong_digit(number: int, position: int, shift: int) -> None:
    nir = f"{number:013d}"
    other = nir[:position] + str((int(nir[position]) + shift) % 10) + nir[position + 1 :]
    assert nir_key(other) != nir_key(nir)


@given(DIGITS, st.integers(0, 20), st.integers(1, 9))
def test_luhn_has_one_right_digit_and_sees_every_wrong_one(stem: str, position: int, shift: int) -> None:
    right = [stem + str(digit) for digit in range(10) if luhn(stem + str(digit))]
    assert len(right) == 1
    index = position % len(right[0])
    wrong = right[0][:index] + str((int(right[0][index]) + shift) % 10) + right[0][index + 1 :]
    assert not luhn(wrong)


@pytest.mark.parametrize("text", ["99900063480", "99700735741"])
def test_rpps(text: str) -> None:
    assert rpps(text)
    assert not rpps(text[:-1] + str((int(text[-1]) + 1) % 10))
    assert not rpps("0" + text)


@pytest.mark.parametrize("text", ["010000024", "750712184", "0B0152872"])
def test_finess(text: str) -> None:
    assert finess(text)
    assert not finess(text[:-1] + str((int(text[-1]) + 1) % 10))
    assert not finess(text[:-1])


def test_finess_letter_stands_second() -> None:
    assert not finess("B00152872")


@pytest.mark.parametrize("text", ["1100028", "1255096"])
def test_lpp(text: str) -> None:
    assert is_lpp(text)
    assert lpp_key(text[:6]) == text[6]
    assert not is_lpp(text[:6] + str((int(text[6]) + 1) % 10))


@pytest.mark.parametrize("text", ["", "12345", "1234567", "12a456"])
def test_lpp_stem_of_another_shape_has_no_key(text: str) -> None:
    assert lpp_key(text) == ""


@given(st.text(max_size=15))
def test_identifiers_are_total(text: str) -> None:
    for function in (nir_key, luhn, rpps, finess, lpp_key, is_lpp, is_ccam, is_nabm):
        assert function(text) is not None


def test_act_shapes() -> None:
    assert is_ccam("HBQK002")
    assert not is_ccam("HBQ0002")
    assert is_nabm("1104")
    assert not is_nabm("11O4")
