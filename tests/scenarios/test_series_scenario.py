"""A series dropped on a real X display, stopped half-way, analysed to the end, and its mask read back by someone else.

Screenshots where BRAINTUMOR_SHOTS says.
"""

from __future__ import annotations

import os
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.affines import apply_affine
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot
from window_shots import shoot

from braintumor_desktop.imaging.phantom import Lesion, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from braintumor_desktop.models.manifest import manifest_path
from braintumor_desktop.ui.case import Case, CaseState
from braintumor_desktop.ui.main_window import MainWindow

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="needs an X display (run under xvfb-run)"),
    pytest.mark.skipif(not manifest_path().exists(), reason="the weights manifest is absent"),
]
PATIENCE_MS = 120_000
LESION = Lesion(kind="homogeneous", radius_mm=15.0)


def drop(window: MainWindow, folder: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    at = QPointF(window.rect().center())
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(at.toPoint(), action, data, button, keys))
    QApplication.sendEvent(window, QDropEvent(at, action, data, button, keys, QEvent.Type.Drop))


def test_a_series_is_stopped_then_analysed_to_the_end_and_its_mask_lies_on_the_lesion(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    volume = make_volume(5, (72, 160, 160), (2.0, 1.45, 1.45), LESION)
    write_dicom_series(volume, tmp_path / "disc")
    stages: list[str] = []

    def stop_half_way(case: Case) -> None:
        stages.append(case.stage)
        if case.fraction > 0.3 and case.state is CaseState.ANALYSING:
            window.workspace.changed.disconnect(stop_half_way)
            window.results.show_case(case)  # as it will be at the end of this turn of the event loop
            qtbot.mouseClick(window.results.button, Qt.MouseButton.LeftButton)
            shoot(window, "series-01-half-way")

    window.workspace.changed.connect(stop_half_way)
    drop(window, tmp_path / "disc")
    qtbot.waitUntil(lambda: bool(window.workspace.model.cases), timeout=PATIENCE_MS)
    (case,) = window.workspace.model.cases
    qtbot.waitUntil(lambda: case.state in (CaseState.DONE, CaseState.FAILED), timeout=PATIENCE_MS)
    assert any(stage.startswith("Analysing slice ") and stage.endswith(" of 72") for stage in stages)
    analysis = case.analysis
    assert analysis is not None
    assert analysis.slices is not None
    assert 8 <= len(analysis.slices) < 72
    assert "partly_analysed" in [flag.code for flag in analysis.quality.flags]
    assert f"{len(analysis.slices)} of 72 slices" in case.headline
    shoot(window, "series-02-stopped")

    window.actions_by_name["reanalyse"].trigger()
    qtbot.waitUntil(
        lambda: case.state is CaseState.DONE and case.analysis is not None and case.analysis.complete,
        timeout=PATIENCE_MS,
    )
    assert case.analysis is not None
    found = case.analysis.segmentation
    assert found is not None
    assert len(found.lesions) == 1
    shoot(window, "series-03-done")

    qtbot.keyClick(window.viewer, Qt.Key.Key_Home)
    assert window.viewer.slice_index == 0
    qtbot.keyClick(window, Qt.Key.Key_F8)
    places = window.results.places
    window.results.ensureWidgetVisible(places)
    qtbot.mouseClick(places.viewport(), Qt.MouseButton.LeftButton, pos=places.visualItemRect(places.item(0)).center())
    assert window.viewer.slice_index == found.lesions[0].key_slice
    for viewer in window.area.planes.values():
        assert viewer.stack is not None
        place = viewer.stack.grid_point(np.array(LESION.center_mm))
        assert place is not None
        between = np.linalg.norm(viewer.stack.affine[:3, 2])  # type: ignore[index]
        assert abs(viewer.slice_index - place[2]) * between < 4.0  # the lesion's own centre, to a slice and a bit
    shoot(window, "series-04-lesion")

    qtbot.keyClick(window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    dialog = window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    qtbot.waitExposed(dialog)
    dialog.selectFile(str(tmp_path / "mask.nii.gz"))
    with qtbot.waitSignal(window.exporter.saved, timeout=PATIENCE_MS):
        dialog.accept()
    image = nibabel.load(tmp_path / "mask.nii.gz")
    voxels = np.argwhere(np.asarray(image.dataobj) > 0)
    assert len(voxels) == int(found.mask.sum())
    assert apply_affine(image.affine, voxels).mean(axis=0) == pytest.approx(LESION.center_mm, abs=2.0)
    truth = {tuple(index) for index in np.argwhere(volume.mask).tolist()}
    to_phantom = np.linalg.inv(volume.affine) @ image.affine
    ours = {tuple(index[::-1]) for index in np.rint(apply_affine(to_phantom, voxels)).astype(int).tolist()}
    assert 2 * len(truth & ours) / (len(truth) + len(ours)) > 0.85
