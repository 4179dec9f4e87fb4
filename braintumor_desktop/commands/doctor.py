"""``braintumor doctor``: is this installation whole and able to work, and if not, why."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from braintumor_desktop import __version__
from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode, internal_error

PACKAGES = (
    "PySide6_Essentials",
    "torch",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "safetensors",
    "pydicom",
    "nibabel",
)


SELF_TEST_DICE = 0.5
"""Overlap that the default model must reach on the phantom's lesion; far below what it gives when whole."""


@dataclass(frozen=True)
class Check:
    """One question and its answer."""

    name: str
    passed: bool
    detail: str


def run(*, as_json: bool) -> int:
    """Print every check; 0 where the program is ready, 1 where it isn't."""
    checks = [_tried("resources", _resources), _tried("weights", _weights), _tried("device", _device)]
    checks.append(_tried("DICOM codecs", _codecs))
    checks.append(_tried("self-test on the phantom", _self_test))
    ready = all(check.passed for check in checks)
    if as_json:
        print(json.dumps({"ready": ready, "versions": _versions(), "checks": [asdict(c) for c in checks]}, indent=2))
        return 0 if ready else 1
    for name, number in _versions().items():
        print(f"{name} {number}")
    for check in checks:
        print(f"[{'ok' if check.passed else 'FAILED'}] {check.name}: {check.detail}")
    print("ready" if ready else "not ready: " + "; ".join(c.name for c in checks if not c.passed))
    return 0 if ready else 1


def _tried(name: str, question: Callable[[], str]) -> Check:
    try:
        return Check(name, True, question())
    except Exception as cause:  # noqa: BLE001 - the doctor tells every fault and goes on
        error = cause if isinstance(cause, BrainTumorError) else internal_error(cause)
        return Check(name, False, f"{error.message} {error.hint} [{error.code}]")


def _versions() -> dict[str, str]:
    found: dict[str, Any] = {"braintumor-desktop": __version__, "python": platform.python_version()}
    found["system"] = f"{platform.system()} {platform.release()} {platform.machine()}"
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "bundled" if getattr(sys, "frozen", False) else "not installed"
    return found


def _resources() -> str:
    from PIL import ImageFont

    from braintumor_desktop.domain.findings import CLASSES
    from braintumor_desktop.language import available_languages, read_language
    from braintumor_desktop.locations import bundled
    from braintumor_desktop.reporting import reference_text

    for label in CLASSES:
        reference_text(label)
    if not bundled("docs", "USER_GUIDE.md").is_file():
        words = "The user guide that comes with the program is missing."
        raise BrainTumorError(ErrorCode.DATA_INVALID, words, "Install the program again.")
    languages = [read_language(bundled("resources", "languages", f"{code}.po")) for code in available_languages()]
    try:
        for family in {"NotoSans", *(language.font for language in languages)} - {""}:
            for weight in ("Regular", "Bold"):
                ImageFont.truetype(bundled("resources", "fonts", f"{family}-{weight}.ttf"))
    except OSError as missing:
        words = "The fonts that come with the program are missing."
        raise BrainTumorError(ErrorCode.DATA_INVALID, words, "Install the program again.") from missing
    return "reference texts, fonts and the user guide are there"


def _weights() -> str:
    from braintumor_desktop.models.manifest import read_manifest, verified_weights

    rows = read_manifest()
    for row in rows.values():
        verified_weights(row)
    return f"{len(rows)} verified: {', '.join(rows)}"


def _device() -> str:
    import torch

    from braintumor_desktop.inference.device import choose_device

    chosen = choose_device("auto")
    if chosen.type == "cuda":
        return f"{chosen}, {torch.cuda.get_device_name(chosen)}"
    return f"cpu, {torch.get_num_threads()} threads"


def _codecs() -> str:
    from braintumor_desktop.imaging.codecs import SYNTAXES, missing_codecs

    missing = missing_codecs()
    if missing:
        raise BrainTumorError(
            ErrorCode.DICOM_UNSUPPORTED_SYNTAX,
            f"Decoders of DICOM pixels are missing: {', '.join(missing)}.",
            "Install the program again.",
        )
    return f"{len(SYNTAXES)} transfer syntaxes can be read"


def _self_test() -> str:
    from braintumor_desktop.imaging.sample import sample_mask, sample_picture
    from braintumor_desktop.inference import Analyzer

    truth = sample_mask()
    analysis = Analyzer.open().analyze(sample_picture())
    found = analysis.segmentation
    if found is None or not found.present:
        raise _self_test_failed("it outlines no lesion")
    both = int((found.mask[0] & truth).sum())
    overlap = 2 * both / (int(found.mask[0].sum()) + int(truth.sum()))
    if overlap < SELF_TEST_DICE:
        raise _self_test_failed(f"its outline overlaps the lesion by Dice {overlap:.2f} only")
    return f"lesion outlined, Dice {overlap:.2f}, {analysis.timing.total:.0f} ms"


def _self_test_failed(reason: str) -> BrainTumorError:
    return BrainTumorError(
        ErrorCode.INTERNAL,
        f"The default model does not find the lesion of the built-in phantom: {reason}.",
        "Install the program again; its weights or its numeric libraries are not the ones it was tested with.",
    )
