"""The window for brain tissue leaves air and scalp out."""

from __future__ import annotations

import numpy as np

from braintumor_desktop.imaging.brain_window import brain_window
from braintumor_desktop.imaging.phantom import make_volume
from braintumor_desktop.imaging.windowing import robust_window


def test_tissue_takes_more_of_the_grey_scale_than_with_percentiles_of_everything() -> None:
    pixels = make_volume(5, (16, 96, 96), (9.0, 2.2, 2.2)).pixels
    brain, everything = brain_window(pixels), robust_window(pixels)
    air = np.percentile(pixels, 5)
    assert brain.low > air
    assert brain.low > everything.low
    assert brain.width < everything.width
    middle = pixels[8, 40:56, 30:66]
    assert ((middle > brain.low) & (middle < brain.high)).mean() > 0.9


def test_where_no_head_stands_out_it_is_the_percentiles_of_everything() -> None:
    flat = np.full((3, 40, 40), 7, np.uint8)
    assert brain_window(flat) == robust_window(flat)
