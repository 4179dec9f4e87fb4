"""The bundled sample: a synthetic head with a lesion, made on the spot. There is no patient."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.imaging.phantom import FIELD_OF_VIEW_MM, Lesion, make_picture, make_volume
from braintumor_desktop.imaging.phantom_files import write_png

SEED = 7
SIZE = 384
LESION = Lesion(kind="homogeneous", radius_mm=13.0)
_NOTE = phrase("This is a synthetic head made by the program, not a patient.")


def sample_picture() -> Study:
    """One axial slice through the lesion."""
    pixels, _ = make_picture(SEED, SIZE, LESION)
    spacing = FIELD_OF_VIEW_MM / SIZE
    geometry = Geometry(pixel_spacing_mm=(spacing, spacing), orientation=("L", "P"))
    return _study("Synthetic head", pixels[None], geometry)


def sample_mask() -> NDArray[np.bool_]:
    """The lesion of `sample_picture` as it was drawn, (rows, columns)."""
    return make_picture(SEED, SIZE, LESION)[1]


def sample_stack() -> Study:
    """A coarse stack of the whole head, upwards."""
    volume = make_volume(SEED, shape=(24, 224, 224), spacing_mm=(6.0, 1.0, 1.0), lesion=LESION)
    geometry = Geometry(
        pixel_spacing_mm=volume.spacing_mm[1:], slice_spacing_mm=volume.spacing_mm[0], orientation=("L", "P")
    )
    return _study("Synthetic stack", volume.pixels, geometry)


def write_sample_picture(path: Path) -> Path:
    """The sample picture as a PNG file, marked as synthetic. Raises BrainTumorError (export_failed)."""
    pixels, _ = make_picture(SEED, SIZE, LESION)
    return write_png(pixels, path, seed=SEED)


def _study(name: str, pixels: NDArray[Any], geometry: Geometry) -> Study:
    source = Source(
        path=Path(name),
        sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
        size_bytes=pixels.nbytes,
        kind=InputKind.PICTURE,
        format="phantom",
        bits=8 * pixels.itemsize,
        lossy=False,
        synthetic=True,
    )
    return Study(pixels, source, geometry, notes=(_NOTE,))
