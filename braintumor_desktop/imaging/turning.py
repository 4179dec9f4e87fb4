"""Flips and quarter turns of what is shown, and where the patient's directions then lie on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.phrases import Phrase, phrase

_OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S", "H": "F", "F": "H"}
# Unit vectors in DICOM's patient axes (left, posterior, superior) by letter; H and F are its words for S and I.
_VECTORS = {
    "L": (1, 0, 0),
    "R": (-1, 0, 0),
    "P": (0, 1, 0),
    "A": (0, -1, 0),
    "S": (0, 0, 1),
    "H": (0, 0, 1),
    "I": (0, 0, -1),
    "F": (0, 0, -1),
}
_LEFT_IS = {
    "right": (phrase("The patient's left is on the right side of the screen"), phrase("Patient's left: screen right")),
    "left": (phrase("The patient's left is on the left side of the screen"), phrase("Patient's left: screen left")),
    "top": (phrase("The patient's left is at the top of the screen"), phrase("Patient's left: screen top")),
    "bottom": (phrase("The patient's left is at the bottom of the screen"), phrase("Patient's left: screen bottom")),
}
_FROM_LEFT = phrase("Seen from the patient's left side"), phrase("From the patient's left")
_FROM_RIGHT = phrase("Seen from the patient's right side"), phrase("From the patient's right")
_NEITHER = phrase("The patient's left is on neither side of the screen")


@dataclass(frozen=True)
class Edges:
    """Patient directions at the four edges of the screen, such as ``R`` or, oblique, ``AL``."""

    left: str
    right: str
    top: str
    bottom: str

    def sentence(self) -> str:
        """Which side of the screen is the patient's left, in words."""
        return self._words()[0]

    def brief(self) -> str:
        """The same in few words, for small views."""
        return self._words()[1]

    def _words(self) -> tuple[Phrase, Phrase]:
        """A sentence and a few words."""
        for side, letters in (("right", self.right), ("left", self.left), ("top", self.top), ("bottom", self.bottom)):
            if letters.startswith("L"):
                return _LEFT_IS[side]
        return {"R": _FROM_LEFT, "L": _FROM_RIGHT}.get(self._away(), (_NEITHER, _NEITHER))

    def _away(self) -> str:
        """The direction away from the viewer, into the screen."""
        right, down = (np.array(_VECTORS.get(letters[:1], (0, 0, 0))) for letters in (self.right, self.bottom))
        normal = np.cross(right, down)
        return next((letter for letter, vector in _VECTORS.items() if tuple(normal) == vector), "")


@dataclass(frozen=True)
class Turn:
    """One of the eight ways to lay a picture down: first mirrored left to right or not, then turned clockwise.

    mirrored: whether left and right are swapped; quarters: turns of 90° clockwise, 0 to 3.
    """

    mirrored: bool = False
    quarters: int = 0

    @property
    def matrix(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """From picture directions (x right, y down) to screen directions, two rows."""
        return _matrix(self.mirrored, self.quarters)

    @property
    def lies_across(self) -> bool:
        """Rows of the picture run up and down the screen."""
        return self.quarters % 2 == 1

    def clockwise(self) -> Turn:
        return Turn(self.mirrored, (self.quarters + 1) % 4)

    def anticlockwise(self) -> Turn:
        return Turn(self.mirrored, (self.quarters - 1) % 4)

    def flipped_across(self) -> Turn:
        """Left and right of the screen swapped."""
        return Turn(not self.mirrored, -self.quarters % 4)

    def flipped_down(self) -> Turn:
        """Top and bottom of the screen swapped."""
        return Turn(not self.mirrored, (2 - self.quarters) % 4)

    def apply(self, plane: NDArray[Any]) -> NDArray[Any]:
        """The plane (rows, columns) as it lies on the screen."""
        return np.rot90(plane[:, ::-1] if self.mirrored else plane, -self.quarters)

    def undo(self, plane: NDArray[Any]) -> NDArray[Any]:
        """The plane that `apply` turns into this one."""
        turned = np.rot90(plane, self.quarters)
        return turned[:, ::-1] if self.mirrored else turned

    def edges(self, orientation: Sequence[str] | None) -> Edges | None:
        """Patient directions on the screen. orientation: towards the picture's right and bottom edge, None: unknown."""
        if orientation is None:
            return None
        right, bottom = orientation
        x_axis, y_axis = (_along(row, right, bottom) for row in self.matrix)
        return Edges(opposite(x_axis), x_axis, opposite(y_axis), y_axis)


@cache  # asked for several times whenever a view is painted
def _matrix(mirrored: bool, quarters: int) -> tuple[tuple[int, int], tuple[int, int]]:
    m = np.array([[-1 if mirrored else 1, 0], [0, 1]])
    clockwise = np.array([[0, -1], [1, 0]])  # right becomes down where y runs down
    (a, b), (c, d) = np.linalg.matrix_power(clockwise, quarters) @ m
    return (int(a), int(b)), (int(c), int(d))


UPRIGHT = Turn()
"""As the file has it."""

_USUAL = {("L", "P"), ("L", "I"), ("L", "F"), ("P", "I"), ("P", "F")}
"""Letters at the right and bottom edge of axial, coronal and sagittal pictures as radiologists are used to them."""


@cache
def to_upright(orientation: tuple[str, str] | None) -> Turn:
    """The turn after which a picture lies as radiologists are used to; as it is where its orientation isn't known.

    orientation: towards the picture's right and bottom edge.
    """
    for turn in (Turn(mirrored, quarters) for mirrored in (False, True) for quarters in range(4)):
        edges = turn.edges(orientation)
        if edges is not None and (edges.right[:1], edges.bottom[:1]) in _USUAL:
            return turn
    return UPRIGHT


def opposite(letters: str) -> str:
    """The other end of a DICOM patient direction such as ``L`` or ``AL`` (PS3.3 C.7.6.1.1.1)."""
    return "".join(_OPPOSITE.get(letter, "?") for letter in letters)


def _along(screen_axis: tuple[int, int], right: str, bottom: str) -> str:
    """The patient direction along a screen axis, given as (share of picture x, share of picture y)."""
    across, down = screen_axis
    letters, sign = (right, across) if across else (bottom, down)
    return letters if sign > 0 else opposite(letters)
