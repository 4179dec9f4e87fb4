"""Maps of a whole series in one byte a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray


class ByteMaps:
    """A map (slices, rows, columns) of 0..1 in steps of 1/255: a quarter of float32's memory. A `SliceMaps`.

    grey: uint8, 255 for 1.0. ``maps[index]`` gives float32 (rows, columns); ``np.asarray(maps)`` all of it.
    """

    def __init__(self, grey: NDArray[np.uint8]) -> None:
        self.grey = grey

    @classmethod
    def empty(cls, shape: tuple[int, ...]) -> ByteMaps:
        """All zero."""
        return cls(np.zeros(shape, np.uint8))

    def put(self, index: int, values: NDArray[np.float32]) -> None:
        """Keep one slice, values 0..1 (rows, columns), rounded."""
        self.grey[index] = np.rint(np.clip(values, 0, 1) * np.float32(255))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.grey.shape

    @property
    def nbytes(self) -> int:
        return self.grey.nbytes

    def __len__(self) -> int:
        return len(self.grey)

    def __getitem__(self, index: int, /) -> NDArray[np.float32]:
        return np.asarray(self.grey[index] * np.float32(1 / 255))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[np.generic]:
        return (self.grey * np.float32(1 / 255)).astype(dtype or np.float32, copy=False)
