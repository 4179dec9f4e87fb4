import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.domain.findings import CLASSES
from braintumor_desktop.models.loading import load_network
from braintumor_desktop.models.manifest import (
    find_model,
    manifest_path,
    read_manifest,
    verified_weights,
    write_manifest,
)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A copy of the bundled weights that a test may damage."""
    shutil.copytree(manifest_path().parent, tmp_path / "weights")
    return tmp_path / "weights"


def test_every_bundled_model_is_whole_and_names_its_classes() -> None:
    rows = read_manifest()
    assert [row.id for row in rows.values() if row.default] == ["neuro"]
    for row in rows.values():
        assert verified_weights(row).is_file()
        binary = row.id == "lenet-binary"
        assert row.classes == (("tumor", "no_tumor") if binary else tuple(c.value for c in CLASSES))
        assert row.licence
        assert row.training_data


def test_a_manifest_reads_back_as_written(tmp_path: Path) -> None:
    rows = read_manifest()
    write_manifest(rows, tmp_path / "manifest.json")
    assert read_manifest(tmp_path / "manifest.json") == rows


def test_one_flipped_bit_in_the_weights_is_refused(weights: Path) -> None:
    row = find_model("neuro", weights / "manifest.json")
    content = bytearray((weights / row.file).read_bytes())
    content[len(content) // 2] ^= 1
    (weights / row.file).write_bytes(content)
    with pytest.raises(BrainTumorError) as refusal:
        load_network(row, weights)
    assert refusal.value.code is ErrorCode.MODEL_DAMAGED


def test_a_missing_weight_file_is_told_as_missing(weights: Path) -> None:
    row = find_model("neuro", weights / "manifest.json")
    (weights / row.file).unlink()
    with pytest.raises(BrainTumorError) as refusal:
        load_network(row, weights)
    assert refusal.value.code is ErrorCode.MODEL_MISSING


def test_an_unknown_model_is_told_with_those_that_exist() -> None:
    with pytest.raises(BrainTumorError) as refusal:
        find_model("resnet")
    assert refusal.value.code is ErrorCode.MODEL_UNKNOWN
    assert "neuro" in refusal.value.hint


def test_an_architecture_of_a_later_version_is_told_as_such(weights: Path) -> None:
    row = replace(find_model("neuro", weights / "manifest.json"), architecture="neuro-9")
    with pytest.raises(BrainTumorError) as refusal:
        load_network(row, weights)
    assert refusal.value.code is ErrorCode.MODEL_UNKNOWN


@pytest.mark.parametrize("text", ["", "[]", "{", json.dumps({"models": [{"id": "x"}]})])
def test_a_broken_manifest_is_one_typed_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(BrainTumorError) as refusal:
        read_manifest(tmp_path / "manifest.json")
    assert refusal.value.code is ErrorCode.MODEL_DAMAGED


def test_no_manifest_at_all_is_told_as_missing(tmp_path: Path) -> None:
    with pytest.raises(BrainTumorError) as refusal:
        read_manifest(tmp_path / "manifest.json")
    assert refusal.value.code is ErrorCode.MODEL_MISSING
