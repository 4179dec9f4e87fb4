"""Mask and heat-map files, read back pixel by pixel."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from braintumor_desktop.domain.errors import BrainTumorError, ErrorCode
from braintumor_desktop.reporting import batch_stems, write_heatmap, write_mask


def test_a_mask_file_is_the_mask_pixel_by_pixel(make_analysis: Any, tmp_path: Path) -> None:
    analysis = make_analysis()
    path = write_mask(analysis, tmp_path / "made" / "on the way")
    assert path == tmp_path / "made" / "on the way" / "scan one.png"
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        assert picture.mode == "L"
        assert picture.size == (240, 180)
        pixels = np.asarray(picture)
    assert np.array_equal(pixels == 255, analysis.segmentation.mask[0])
    assert set(np.unique(pixels)) == {0, 255}


def test_no_lesion_gives_an_empty_mask_of_the_input_s_size(make_analysis: Any, tmp_path: Path) -> None:
    path = write_mask(make_analysis(lesion=False), tmp_path)
    assert path is not None
    with Image.open(path) as picture:
        assert picture.size == (240, 180)
        assert picture.getextrema() == (0, 0)


def test_a_heat_map_file_holds_0_to_255_for_0_to_1(make_analysis: Any, tmp_path: Path) -> None:
    analysis = make_analysis()
    heat = np.zeros((1, 180, 240), np.float32)
    heat[0, 0, :5] = (0.0, 0.5, 1.0, 1.5, np.nan)
    path = write_heatmap(
        dataclasses.replace(analysis, explanation=dataclasses.replace(analysis.explanation, heatmap=heat)), tmp_path
    )
    assert path == tmp_path / "scan one.png"
    with Image.open(path) as picture:
        assert picture.mode == "L"
        assert picture.size == (240, 180)
        assert np.asarray(picture)[0, :5].tolist() == [0, 128, 255, 255, 0]


def test_a_picture_of_several_pages_gives_one_mask_page_a_slice(make_analysis: Any, tmp_path: Path) -> None:
    analysis = make_analysis(slices=3, path=Path("stack.tiff"))
    mask = analysis.segmentation.mask.copy()
    mask[1] = False
    segmentation = dataclasses.replace(analysis.segmentation, mask=mask)
    path = write_mask(dataclasses.replace(analysis, segmentation=segmentation), tmp_path)
    assert path == tmp_path / "stack.tif"
    with Image.open(path) as picture:
        assert picture.n_frames == 3  # type: ignore[attr-defined]
        for index in range(3):
            picture.seek(index)
            assert np.array_equal(np.asarray(picture) == 255, mask[index])


def test_a_model_without_outline_or_heat_map_writes_no_file(make_analysis: Any, tmp_path: Path) -> None:
    analysis = make_analysis(outlined=False, heated=False)
    assert write_mask(analysis, tmp_path) is None
    assert write_heatmap(analysis, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_replaces_the_files_of_the_first(make_analysis: Any, tmp_path: Path) -> None:
    write_mask(make_analysis(), tmp_path)
    write_mask(make_analysis(lesion=False), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["scan one.png"]
    with Image.open(tmp_path / "scan one.png") as picture:
        assert picture.getextrema() == (0, 0)


def test_inputs_of_the_same_stem_get_files_of_their_own(make_analysis: Any, tmp_path: Path) -> None:
    inputs = [Path("a/scan.png"), Path("b/scan.jpg"), Path("b/scan-2.png"), Path("c/SCAN.bmp"), Path("c/other.png")]
    stems = batch_stems(inputs)
    assert stems == ["scan", "scan-3", "scan-2", "SCAN-4", "other"]
    for stem, path in zip(stems, inputs, strict=True):
        write_mask(make_analysis(path=path), tmp_path, stem=stem)
    assert len(list(tmp_path.iterdir())) == 5


@given(st.lists(st.sampled_from(["a", "A", "a-2", "a-3", "A-2", "b", "ß", "ss", "İ"]), max_size=12))
def test_batch_stems_never_collide_and_keep_the_order(names: list[str]) -> None:
    stems = batch_stems([Path("folder") / f"{name}.png" for name in names])
    assert len({stem.casefold() for stem in stems}) == len(names)
    for name, stem in zip(names, stems, strict=True):
        assert stem == name or stem.startswith(f"{name}-")


def test_a_file_where_the_folder_should_be_is_refused(make_analysis: Any, tmp_path: Path) -> None:
    (tmp_path / "masks").write_text("in the way")
    with pytest.raises(BrainTumorError) as refused:
        write_mask(make_analysis(), tmp_path / "masks")
    assert refused.value.code is ErrorCode.EXPORT_FAILED
    assert (tmp_path / "masks").read_text() == "in the way"
