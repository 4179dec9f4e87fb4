"""What the tests of DICOM do with files: load the only series, change a tag, expect a refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from braintumor_desktop.domain.errors import BrainTumorError
from braintumor_desktop.imaging import Entry, Limits, list_inputs, load


def only(*paths: Path) -> Entry:
    catalog = list_inputs(paths)
    assert not catalog.problems
    (entry,) = catalog.entries
    return entry


def edit(path: Path, change: Callable[[Dataset], None], *, to: Path | None = None) -> Path:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(to or path)
    return to or path


def refusal(path: Path, limits: Limits = Limits()) -> BrainTumorError:  # noqa: B008 - frozen
    with pytest.raises(BrainTumorError) as caught:
        load(path, limits)
    assert caught.value.message.endswith(".")
    assert caught.value.hint.endswith(".")
    return caught.value
