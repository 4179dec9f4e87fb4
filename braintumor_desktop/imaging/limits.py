"""What is refused before it costs memory or time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes beyond which an input is refused, each judged by a header before anything is decoded.

    max_file_bytes, max_pixels: of a picture, on disk and decoded (all its pages together);
    max_volume_bytes: of one DICOM or NIfTI file on disk; max_volume_pixels: of a series or volume, all slices together
    (128 million are 490 slices of 512 × 512: 256 MB of 16-bit pixels, and the analysis takes 9 bytes a pixel more);
    max_archive_bytes, max_archive_files: of a ZIP, unpacked.
    """

    max_file_bytes: int = 16 * 2**20
    max_pixels: int = 64_000_000
    max_volume_bytes: int = 2 * 2**30
    max_volume_pixels: int = 128_000_000
    max_archive_bytes: int = 8 * 2**30
    max_archive_files: int = 50_000


DEFAULT_LIMITS = Limits()
