"""NIfTI files without identity: the voxels and their geometry, and nothing that is text."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from typing import Any

import nibabel
import numpy as np

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.imaging.volume_checks import within_memory

_TEXT_FIELDS = ("data_type", "db_name", "descrip", "aux_file", "intent_name", "unused_str")
_UNUSED_FIELDS = ("extents", "session_error", "regular", "glmax", "glmin")
_nifti: Any = nibabel  # its functions carry no types


def clean_nifti(data: bytes, *, packed: bool, most_bytes: int) -> bytes:
    """A NIfTI-1 or -2 file with the same voxels and geometry, as one file.

    Emptied: every text field, unused fields, extensions, what lies between header and voxels and behind them, and the
    name and time in a gzip header. packed: whether the result is gzipped; most_bytes: unpacked size refused beyond.
    Raises BrainTumorError: nifti_damaged, image_truncated, unsupported_format (voxels in a second file),
    file_too_large.
    """
    with within_memory():
        plain = _unpacked(data, most_bytes) if data[:2] == b"\x1f\x8b" else data
        try:
            kind = _nifti.Nifti2Header if plain[4:8] == b"n+2\0" else _nifti.Nifti1Header
            header = kind.from_fileobj(io.BytesIO(plain), check=False)
            voxels = _voxels(plain, header)
            written = _emptied(header)
        except BrainTumorError:
            raise
        except Exception as cause:  # nibabel raises many types on damaged headers
            raise _damaged() from cause
        whole = written + bytes(4) + voxels  # four bytes that say: no extensions
        return gzip.compress(whole, compresslevel=4, mtime=0) if packed else whole


def _unpacked(data: bytes, most_bytes: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            plain = stream.read(most_bytes + 1)
    except (OSError, EOFError, zlib.error) as cause:
        raise _damaged() from cause
    if len(plain) > most_bytes:
        raise BrainTumorError(
            ErrorCode.FILE_TOO_LARGE, "The volume unpacks to more than a volume can be.", "Split it into smaller ones."
        )
    return plain


def _voxels(plain: bytes, header: Any) -> bytes:
    if bytes(header["magic"]).startswith(b"ni1"):
        raise BrainTumorError(
            ErrorCode.UNSUPPORTED_FORMAT,
            "The header's voxels lie in a second file, which is not read.",
            "Convert the pair to one .nii file.",
        )
    offset = int(header["vox_offset"])
    size = math.prod(int(n) for n in header.get_data_shape()) * header.get_data_dtype().itemsize
    if offset < header.sizeof_hdr or size == 0:
        raise _damaged()
    voxels = plain[offset : offset + size]
    if len(voxels) < size:
        raise BrainTumorError(
            ErrorCode.IMAGE_TRUNCATED, "The NIfTI file ends before its last voxel.", "Copy it again from its source."
        )
    return voxels


def _emptied(header: Any) -> bytes:
    """The header's own bytes, in its own byte order."""
    fields = header.structarr
    for name in (*_TEXT_FIELDS, *_UNUSED_FIELDS):
        if name in (fields.dtype.names or ()):
            fields[name] = np.zeros_like(fields[name])
    fields["vox_offset"] = header.sizeof_hdr + 4
    return bytes(header.binaryblock)


def _damaged() -> BrainTumorError:
    return BrainTumorError(ErrorCode.NIFTI_DAMAGED, "The NIfTI file is damaged.", "Export or convert the volume again.")
