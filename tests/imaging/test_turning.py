"""Flips and quarter turns against NumPy, and the letters that go with them against the affine."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from braintumor_desktop.imaging.orientation import letter
from braintumor_desktop.imaging.turning import Turn, to_upright

STEPS = {
    "clockwise": (Turn.clockwise, lambda plane: np.rot90(plane, -1)),
    "anticlockwise": (Turn.anticlockwise, np.rot90),
    "flipped across": (Turn.flipped_across, np.fliplr),
    "flipped down": (Turn.flipped_down, np.flipud),
}
moves = st.lists(st.sampled_from(sorted(STEPS)), max_size=7)
PLANE = np.arange(12).reshape(3, 4)


def turned(names: list[str]) -> Turn:
    return reduce(lambda turn, name: STEPS[name][0](turn), names, Turn())


@given(moves)
def test_any_sequence_of_flips_and_turns_lies_as_numpy_lays_it(names: list[str]) -> None:
    expected = reduce(lambda plane, name: STEPS[name][1](plane), names, PLANE)
    np.testing.assert_array_equal(turned(names).apply(PLANE), expected)


@given(moves)
def test_a_turn_is_undone(names: list[str]) -> None:
    turn = turned(names)
    np.testing.assert_array_equal(turn.undo(turn.apply(PLANE)), PLANE)


@given(moves, st.sampled_from([("L", "P"), ("L", "I"), ("PL", "IP")]))
def test_a_picture_stored_in_any_way_is_turned_to_lie_as_usual(names: list[str], usual: tuple[str, str]) -> None:
    stored = turned(names).edges(usual)
    assert stored is not None
    upright = to_upright((stored.right, stored.bottom))
    shown = upright.edges((stored.right, stored.bottom))
    assert shown is not None
    assert (shown.right, shown.bottom) == usual
    np.testing.assert_array_equal(upright.apply(turned(names).apply(PLANE)), PLANE)


def test_a_picture_of_unknown_orientation_stays_as_it_is() -> None:
    assert to_upright(None) == Turn()


@given(moves, st.sampled_from([(0, 1, 1, 1), (0, 1, -1, -1), (1, 2, 1, -1), (2, 0, -1, 1)]))
def test_letters_follow_every_flip_and_turn(names: list[str], axes: tuple[int, int, int, int]) -> None:
    """The patient coordinate of each pixel, laid down by NumPy, must grow the way the letters say."""
    across, down, sign_across, sign_down = axes
    row, column = np.indices((5, 6), dtype=float)
    patient = np.zeros((3, 5, 6))
    patient[across] += sign_across * column
    patient[down] += sign_down * row
    laid: NDArray[np.float64] = np.stack([turned(names).apply(each) for each in patient])
    first, second = np.zeros(3), np.zeros(3)
    first[across], second[down] = sign_across, sign_down
    edges = turned(names).edges((letter(first), letter(second)))
    assert edges is not None
    to_right, to_bottom = laid[:, 0, -1] - laid[:, 0, 0], laid[:, -1, 0] - laid[:, 0, 0]
    assert (edges.right, edges.left) == (letter(to_right), letter(-to_right))
    assert (edges.bottom, edges.top) == (letter(to_bottom), letter(-to_bottom))


def test_an_unknown_orientation_has_no_letters() -> None:
    assert Turn().clockwise().edges(None) is None


@pytest.mark.parametrize(
    ("orientation", "turn", "sentence"),
    [
        (("L", "P"), Turn(), "The patient's left is on the right side of the screen"),
        (("L", "P"), Turn().flipped_across(), "The patient's left is on the left side of the screen"),
        (("L", "P"), Turn().clockwise(), "The patient's left is at the bottom of the screen"),
        (("P", "I"), Turn(), "Seen from the patient's left side"),
        (("P", "I"), Turn().flipped_across(), "Seen from the patient's right side"),
        (("AL", "I"), Turn(), "Seen from the patient's right side"),
        (("LA", "I"), Turn(), "The patient's left is on the right side of the screen"),
    ],
)
def test_the_side_of_the_patient_is_said_in_words(orientation: tuple[str, str], turn: Turn, sentence: str) -> None:
    edges = turn.edges(orientation)
    assert edges is not None
    assert edges.sentence() == sentence
