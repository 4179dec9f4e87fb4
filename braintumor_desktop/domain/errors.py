"""The one typed error of the program: a stable code, one plain sentence and a next step."""

from __future__ import annotations

from enum import StrEnum

from braintumor_desktop.domain.phrases import phrase


class ErrorCode(StrEnum):
    """Stable codes. Other programs match on them: add, never rename."""

    FILE_NOT_FOUND = "file_not_found"
    IS_DIRECTORY = "is_directory"
    FILE_UNREADABLE = "file_unreadable"
    FILE_EMPTY = "file_empty"
    FILE_TOO_LARGE = "file_too_large"
    FILE_CHANGED = "file_changed"
    NOT_AN_IMAGE = "not_an_image"
    RENAMED_NOT_IMAGE = "renamed_not_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    IMAGE_TRUNCATED = "image_truncated"
    IMAGE_CORRUPT = "image_corrupt"
    IMAGE_ANIMATED = "image_animated"
    IMAGE_TOO_MANY_PIXELS = "image_too_many_pixels"
    IMAGE_TOO_SMALL = "image_too_small"
    IMAGE_BLANK = "image_blank"
    STACK_UNEVEN = "stack_uneven"
    DICOM_NOT_AN_IMAGE = "dicom_not_an_image"
    DICOM_NO_PIXELS = "dicom_no_pixels"
    DICOM_UNSUPPORTED_SYNTAX = "dicom_unsupported_syntax"
    DICOM_DAMAGED = "dicom_damaged"
    DICOMDIR_FILES_MISSING = "dicomdir_files_missing"
    DICOMDIR_POINTS_OUTSIDE = "dicomdir_points_outside"
    NIFTI_DAMAGED = "nifti_damaged"
    VOLUME_NOT_FINITE = "volume_not_finite"
    AFFINE_INVALID = "affine_invalid"
    AFFINE_SHEARED = "affine_sheared"
    FRAME_UNKNOWN = "frame_unknown"
    ARCHIVE_DAMAGED = "archive_damaged"
    ARCHIVE_ENCRYPTED = "archive_encrypted"
    ARCHIVE_UNSAFE = "archive_unsafe"
    ARCHIVE_TOO_LARGE = "archive_too_large"
    MODEL_UNKNOWN = "model_unknown"
    MODEL_MISSING = "model_missing"
    MODEL_DAMAGED = "model_damaged"
    DEVICE_UNAVAILABLE = "device_unavailable"
    OUT_OF_MEMORY = "out_of_memory"
    EXPORT_FAILED = "export_failed"
    NOT_DEIDENTIFIABLE = "not_deidentifiable"
    TEXT_IN_PICTURE = "text_in_picture"
    READING_DAMAGED = "reading_damaged"
    READING_NOT_KEPT = "reading_not_kept"
    DATA_INVALID = "data_invalid"
    INTERNAL = "internal"


class BrainTumorError(Exception):
    """Everything the program can refuse, in words a reader can act on.

    code: a stable `ErrorCode`; message: one plain sentence, without patient data beyond what the
    reader typed or dropped; hint: the next step. The original exception, if any, is `__cause__`.
    """

    def __init__(self, code: ErrorCode, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def as_dict(self) -> dict[str, str]:
        """The `error` object of the command-line contract."""
        return {"code": self.code.value, "message": self.message, "hint": self.hint}


class Cancelled(Exception):  # noqa: N818 - a request that was honoured, not an error
    """The reader asked to stop, and the work stopped."""


def internal_error(cause: BaseException) -> BrainTumorError:
    """Wrap an unforeseen exception; its text may hold a path or a name, so only its type is told."""
    return BrainTumorError(
        ErrorCode.INTERNAL,
        phrase("Something unforeseen went wrong inside the program ({name}).", name=type(cause).__name__),
        phrase("Try again; if it comes back, run the same file on the command line with --debug."),
    )
