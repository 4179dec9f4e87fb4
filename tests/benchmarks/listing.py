"""How long does it take until two thousand DICOM files are a list of series? Run it by hand.

    python tests/benchmarks/listing.py [--files 2000] [--size 256]

The files, ten series of a synthetic head in shuffled folders with names that say nothing, are written to a temporary
folder first. Only headers are read for the list; how soon a cancel is obeyed, and how long one series then takes to
load, is printed too.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import generate_uid

from braintumor_desktop.domain.errors import Cancelled
from braintumor_desktop.imaging import list_inputs
from braintumor_desktop.imaging.phantom import make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series

SERIES = 10


def write(folder: Path, files: int, size: int) -> None:
    volume = make_volume(3, (4, size, size), (1.0, 230 / size, 230 / size))
    first = write_dicom_series(volume, folder / "template")[0]
    names = random.Random(1)
    for series in range(SERIES):
        uid = generate_uid()
        for number in range(files // SERIES):
            data = pydicom.dcmread(first)
            data.SeriesInstanceUID, data.SeriesNumber, data.InstanceNumber = uid, series + 1, number + 1
            data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            data.ImagePositionPatient = [*data.ImagePositionPatient[:2], float(number)]
            data.PixelData = np.roll(data.pixel_array, number).tobytes()
            inside = folder / "disc" / f"{names.randrange(8)}" / f"{names.randrange(8)}"
            inside.mkdir(parents=True, exist_ok=True)
            data.save_as(inside / f"IM{names.randrange(10**9):09d}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        write(Path(temporary), options.files, options.size)
        disc = Path(temporary) / "disc"
        began = time.perf_counter()
        catalog = list_inputs([disc])
        seconds = time.perf_counter() - began
        assert not catalog.problems
        shape = f"{len(catalog.entries)} series of {catalog.entries[0].slices} slices"
        print(f"{options.files} files listed in {seconds:.1f} s: {shape}")
        asked: list[float] = []

        def stop() -> bool:
            if not asked and time.perf_counter() - began > seconds / 3:
                asked.append(time.perf_counter())
            return bool(asked)

        began = time.perf_counter()
        try:
            list_inputs([disc], cancelled=stop)
        except Cancelled:
            print(f"a cancel was obeyed after {1000 * (time.perf_counter() - asked[0]):.1f} ms")
        began = time.perf_counter()
        catalog.entries[0].load()
        print(f"one series loaded in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
