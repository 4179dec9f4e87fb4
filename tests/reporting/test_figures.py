"""Rounding and wording of numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from braintumor_desktop.reporting import figures


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.9731, "97.3 %"), (1.0, "100.0 %"), (0.0, "0.0 %"), (0.99960, "more than 99.9 %"),
        (0.0004, "less than 0.1 %"), (0.9994, "99.9 %"),
        (0.99994, "more than 99.9 %"), (0.99996, "100.0 %"), (None, "unknown"), (math.nan, "unknown"),
    ],
)  # fmt: skip
def test_a_probability_never_rounds_up_to_certainty_in_words(value: float | None, words: str) -> None:
    assert figures.share_in_words(value) == words


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_unknown(value: float | None) -> None:
    assert figures.share(value) is None
    assert figures.in_words(value, 1, "mm") == "unknown"


@given(st.floats(0, 1e7))
def test_words_are_made_of_the_rounded_number(value: float) -> None:
    length = figures.length(value)
    assert length is not None
    words = figures.in_words(value, 1, "mm")
    assert float(words.removesuffix(" mm").replace(",", "")) == length


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.32174, "0.3217"), (0.000801234, "0.0008012"), (12.3456, "12.35"), (123.456, "123.5"), (12345.6, "12,346"),
        (-0.5, "-0.5000"), (0.0, "0.0"), (1e-13, "0.0"), (None, "unknown"), (math.nan, "unknown"),
    ],
)  # fmt: skip
def test_a_grey_value_has_four_digits_on_whatever_scale(value: float | None, words: str) -> None:
    assert figures.grey_in_words(value) == words


def test_a_small_negative_number_is_not_minus_zero() -> None:
    assert figures.in_words(-0.001, 1, "px") == "0.0 px"
