"""The bundled sample: a synthetic head with a lesion, made on the spot. There is no patient."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from braintumor_desktop.domain.study import Geometry, InputKind, Source, Study
from braintumor_desktop.imaging.phantom import FIELD_OF_VIEW_MM, Lesion, make_picture, make_volume

_SIZE = 384
_LESION = Lesion()


def sample_picture() -> Study:
    """One axial slice through the lesion."""
    pixels, _ = make_picture(size=_SIZE, lesion=_LESION)
    spacing = FIELD_OF_VIEW_MM / _SIZE
    geometry = Geometry(pixel_spacing_mm=(spacing, spacing), orientation=("L", "P"))
    return _study("Synthetic head", pixels[None], geometry)


def sample_stack() -> Study:
    """A coarse stack of the whole head, upwards."""
    volume = make_volume(shape=(20, 224, 224), spacing_mm=(5.0, 1.0, 1.0), lesion=_LESION)
    geometry = Geometry(
        pixel_spacing_mm=volume.spacing_mm[1:], slice_spacing_mm=volume.spacing_mm[0], orientation=("L", "P")
    )
    return _study("Synthetic stack", volume.pixels, geometry)


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
    return Study(pixels, source, geometry)
