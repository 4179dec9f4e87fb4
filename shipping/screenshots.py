"""The pictures and the table of keys of docs/USER_GUIDE.md, from the running program: `python3 dev.py screenshots`.

It is the real window, without a display, at 1366 × 768 pixels, on phantoms that the program makes: no picture shows a
patient. The keys come from the menus. The answers on the pictures are the model's: take them anew when weights change.
"""

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import cv2
import numpy as np
from PIL import Image
from PySide6.QtCore import QBuffer, QElapsedTimer, QEventLoop, QIODevice, QPoint, QPointF, QRect, Qt, QTimer
from PySide6.QtGui import QAction, QFont, QFontDatabase
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QMenu, QWidget

from braintumor_desktop.imaging.phantom import Lesion, make_volume
from braintumor_desktop.imaging.phantom_files import write_dicom_series
from braintumor_desktop.imaging.reformat import Plane
from braintumor_desktop.imaging.sample import write_sample_picture
from braintumor_desktop.language import use_language
from braintumor_desktop.locations import bundled
from braintumor_desktop.storage.settings import Settings
from braintumor_desktop.ui.appearance import apply_appearance
from braintumor_desktop.ui.case import Case
from braintumor_desktop.ui.help_dialogs import MOUSE
from braintumor_desktop.ui.main_window import MainWindow
from braintumor_desktop.ui.report_preview import ReportPreview
from braintumor_desktop.ui.settings_dialog import SettingsDialog
from braintumor_desktop.ui.torch_preload import open_analyzer

GUIDE = ROOT / "docs" / "USER_GUIDE.md"
PICTURES = ROOT / "docs" / "guide"
KEYS_BEGIN, KEYS_END = "<!-- keys, made by dev.py screenshots -->", "<!-- end of keys -->"
SHAPE, SPACING = (26, 192, 192), (5.5, 1.2, 1.2)
ENHANCED = Lesion(kind="homogeneous", radius_mm=15.0)
PLAIN = Lesion(kind="homogeneous", radius_mm=15.0, enhancing=False)
PATIENCE_MS = 600_000


def main() -> None:
    app = QApplication(sys.argv[:1])
    for weight in ("Regular", "Bold"):
        QFontDatabase.addApplicationFont(str(bundled("resources", "fonts", f"NotoSans-{weight}.ttf")))
    app.setFont(QFont("Noto Sans", 10))  # the same letters on every machine
    use_language("en")
    apply_appearance(app, "dark")
    with tempfile.TemporaryDirectory(prefix="guide-") as folder:
        window = MainWindow(Settings(device="cpu"), open_analyzer, Path(folder) / "settings.json")
        window.resize(1366, 768)
        window.show()
        write_keys(window)
        if "--keys" in sys.argv:
            return
        window.start()
        PICTURES.mkdir(exist_ok=True)
        try:
            photograph(window, Path(folder))
        finally:
            window.close()
    print(f"{sum(f.stat().st_size for f in PICTURES.glob('*.png')) / 1024:.0f} KiB of pictures in {PICTURES}")


def photograph(window: MainWindow, here: Path) -> None:
    until(lambda: window.model_label.text().startswith("Model "))
    save(window, "start")

    window.commands.open_paths([write_sample_picture(here / "synthetic-head.png")])
    until(lambda: answered(window, 1))
    head = window.workspace.model.cases[0]
    save(window, "picture")
    save(window.results.widget(), "results")
    with switched_on(window, "heatmap", "fill"):
        save(window.splitter.widget(1), "overlays")

    window.commands.open_paths([write_study(here / "synthetic-study")])
    until(lambda: answered(window, 4))
    cases = window.workspace.model.cases
    by_name = {case.name: case for case in cases}
    enhanced, plain = (by_name[name] for name in ("synthetic T1 post contrast axial", "synthetic T1 axial"))
    broken = next(case for case in cases if case.error is not None)
    window.notice.hide()
    show(window, enhanced)
    save(window, "series")
    save(window.case_panel, "cases")
    save(window.results.widget(), "results-series")
    measure(window)
    save(window.splitter.widget(1), "measuring")
    window.results.reader.agree.click()
    window.results.reader.comment.setPlainText("Seen on the series before contrast as well.")
    window.results.reader.name.setText("Dr Example")
    save(window.results.reader, "reading")

    window.actions_by_name["layout_four"].trigger()
    point_at_lesion(window)
    save(window.splitter.widget(1), "planes")
    window.actions_by_name["layout_beside"].trigger()
    until(lambda: beside(window, plain))
    save(window.splitter.widget(1), "beside")
    window.actions_by_name["layout_planes_beside"].trigger()
    until(lambda: beside(window, plain))
    save(window.splitter.widget(1), "planes-beside")
    window.actions_by_name["layout_one"].trigger()

    show(window, broken)
    window.notice.show_error(broken.error, broken)
    save(window, "error")
    window.notice.hide()
    window.show_crash(RuntimeError())
    save(window.notice, "crash")
    window.notice.hide()
    show(window, enhanced)
    save_dialog(window, "preview", "preview")
    window.settings.last_folder = str(here)
    save_dialog(window, "pdf", "save", only=_name_and_switch)
    window.actions_by_name["deidentify"].trigger()
    save(window.statusBar(), "deidentified")
    window.actions_by_name["deidentify"].trigger()
    save_dialog(window, "dicom", "dicom")
    save_dialog(window, "about_model", "model")
    save_dialog(window, "guide", "guide")
    save_dialog(window, "shortcuts", "keys")
    save_dialog(window, "licences", "licences")
    save_dialog(window, "about", "about")
    save_dialog(window, "settings", "settings")
    save_dialog(window, "settings", "settings-reports", _second_page)
    answer_by_reference(window, enhanced)
    window.settings.keep_readings = False
    window.results.reader.comment.setPlainText("")
    save_dialog(window, "reset", "unsaved")
    window.settings.keep_readings = True
    for case in (head, enhanced, plain):
        print(f"{case.name}: {case.headline}")


def write_study(folder: Path) -> Path:
    """Two series in one frame of reference, before and after contrast, and a picture that is cut short."""
    from pydicom import dcmread

    first = dcmread(write_dicom_series(make_volume(7, SHAPE, SPACING, ENHANCED), folder / "1")[0])
    for file in write_dicom_series(make_volume(7, SHAPE, SPACING, PLAIN), folder / "2"):
        one = dcmread(file)
        one.StudyInstanceUID, one.FrameOfReferenceUID = first.StudyInstanceUID, first.FrameOfReferenceUID
        one.SeriesDescription, one.SeriesNumber = "synthetic T1 axial", 2
        del one.ContrastBolusAgent
        one.save_as(file)
    whole = write_sample_picture(folder / "cut-short.png")
    whole.write_bytes(whole.read_bytes()[:20_000])
    return folder


def measure(window: MainWindow) -> None:
    """Two diameters of the lesion and an ellipse in the white matter at the other side."""
    study = window.viewer.study
    middle = np.linalg.inv(study.geometry.affine) @ [*ENHANCED.center_mm, 1.0]
    window.go_to_slice(round(middle[2]))
    until(lambda: window.viewer.slice_index == round(middle[2]))
    place = QPointF(middle[0] + 0.5, middle[1] + 0.5)
    drag(window, place + QPointF(-10, -9), place + QPointF(10, 9), "bidimensional")
    for handle in (2, 3):  # the ends of the perpendicular, which begins at half of the length
        row, column = window.measuring.history.current[0].points[handle]
        end = QPointF(column + 0.5, row + 0.5)
        drag(window, end, place + 1.8 * (end - place))
    place = QPointF(study.columns - place.x() + 6, place.y() + 30)
    drag(window, place + QPointF(-9, -7), place + QPointF(9, 7), "ellipse")


def point_at_lesion(window: MainWindow) -> None:
    """A click in the axial plane, which the other planes follow."""
    axial = window.area.planes[Plane.AXIAL]
    row, column, _ = axial.stack.grid_point(np.array(ENHANCED.center_mm))
    place = axial.transform.to_widget(QPointF(column + 0.5, row + 0.5)).toPoint()
    QTest.mouseClick(axial, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def drag(window: MainWindow, start: QPointF, end: QPointF, tool: str = "") -> None:
    """Between two points of the picture, with a tool in hand or to move what lies there."""
    viewer, left, no_key = window.viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    if tool:
        window.actions_by_name[tool].trigger()
    first, last = (viewer.transform.to_widget(point).toPoint() for point in (start, end))
    QTest.mousePress(viewer, left, no_key, first)
    QTest.mouseMove(viewer, (first + last) / 2)
    QTest.mouseMove(viewer, last)
    QTest.mouseRelease(viewer, left, no_key, last)


@contextlib.contextmanager
def switched_on(window: MainWindow, *names: str) -> Iterator[None]:
    for name in names:
        window.actions_by_name[name].trigger()
    yield
    for name in names:
        window.actions_by_name[name].trigger()


def show(window: MainWindow, case: Case) -> None:
    window.case_panel.choose(case)
    until(lambda: window.workspace.shown is case and (case.study is not None or case.error is not None))


def beside(window: MainWindow, case: Case) -> bool:
    if window.area.other is not case:
        window.actions_by_name["next_beside"].trigger()
    return window.area.other is case and window.area.beside.study is not None


def answered(window: MainWindow, count: int) -> bool:
    cases = window.workspace.model.cases
    return len(cases) == count and not any(case.state.busy for case in cases)


def pause(ms: int) -> None:
    """Let the window live for a while; it sleeps where nothing happens, so the analysis has the processor."""
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


def until(true: Callable[[], bool]) -> None:
    clock = QElapsedTimer()
    clock.start()
    while not true():
        if clock.elapsed() > PATIENCE_MS:
            sys.exit("The window did not come so far in time.")
        pause(100)
    pause(100)


def answer_by_reference(window: MainWindow, case: Case) -> None:
    """What a model that knows no kinds of tumour and draws no outline says, and the first model at work again."""
    window.settings.model_id = "lenet-binary"
    window.actions_by_name["reanalyse"].trigger()
    until(lambda: not case.state.busy and case.analysis.model.id == "lenet-binary")
    save(window.results.widget(), "results-reference")
    window.settings.model_id = "neuro"
    window.actions_by_name["reanalyse"].trigger()
    until(lambda: case.state.busy and case.fraction > 0.3)
    save(window.results, "progress", QRect(0, 0, window.results.width(), 150))
    until(lambda: not case.state.busy)


def save_dialog(
    window: MainWindow,
    action: str,
    name: str,
    first: Callable[[QDialog], object] = lambda dialog: None,
    only: Callable[[QDialog], QRect] = lambda dialog: dialog.rect(),
) -> None:
    window.actions_by_name[action].trigger()
    until(lambda: any(dialog.isVisible() for dialog in window.findChildren(QDialog)))
    dialog = next(dialog for dialog in window.findChildren(QDialog) if dialog.isVisible())
    if isinstance(dialog, ReportPreview):
        dialog.resize(820, 700)
    first(dialog)
    save(dialog, name, only(dialog))
    dialog.close()
    until(lambda: not any(dialog.isVisible() for dialog in window.findChildren(QDialog)))


def _second_page(dialog: QDialog) -> None:
    assert isinstance(dialog, SettingsDialog)
    dialog.letterhead.parentWidget().parentWidget().setCurrentIndex(1)


def _name_and_switch(dialog: QDialog) -> QRect:
    """The lower part of a file dialog: above it are the folders of the machine that takes the picture."""
    return dialog.rect().adjusted(0, dialog.findChild(QLineEdit, "fileNameEdit").y() - 8, 0, 0)


def save(widget: QWidget, name: str, only: QRect | None = None) -> None:
    """As a PNG of 256 colours. The noise of the phantom, which no PNG can pack, is smoothed; text and edges stay."""
    QTest.mouseMove(widget, QPoint(2, 2))
    pause(60)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    widget.grab(only or widget.rect()).save(buffer, "PNG")
    pixels = np.asarray(Image.open(io.BytesIO(buffer.data().data())).convert("RGB"))
    smooth = Image.fromarray(cv2.bilateralFilter(pixels, 7, 12, 3))
    picture = smooth.quantize(256, Image.Quantize.FASTOCTREE, kmeans=2, dither=Image.Dither.NONE)
    file = PICTURES / f"{name}.png"
    picture.save(file, optimize=True)
    print(f"{file.stat().st_size / 1024:6.0f} KiB  {picture.width} × {picture.height}  {file.name}", flush=True)


def write_keys(window: MainWindow) -> None:
    """Put the moves of the mouse and every menu entry that has a key into the guide, between two marks."""
    lines = ["| mouse and viewer | does |", "|---|---|", *(f"| {move} | {words} |" for move, words in MOUSE), ""]
    lines += ["| key | menu entry | does |", "|---|---|---|"]
    for menu in window.menuBar().actions():
        for path, action in _entries(menu.menu(), [_plain(menu)]):
            if not action.shortcut().isEmpty():
                key = action.shortcut().toString().replace("|", "\\|")
                lines.append(f"| `{key}` | {' > '.join(path)} | {action.statusTip()} |")
    text = GUIDE.read_text(encoding="utf-8")
    before, rest = text.split(KEYS_BEGIN)
    after = rest.split(KEYS_END)[1]
    GUIDE.write_text("\n".join([before + KEYS_BEGIN, "", *lines, "", KEYS_END + after]), encoding="utf-8")


def _entries(menu: QMenu, path: list[str]) -> Iterator[tuple[list[str], QAction]]:
    for action in menu.actions():
        inner = action.menu()
        if inner is not None:
            yield from _entries(inner, [*path, _plain(action)])
        elif not action.isSeparator():
            yield [*path, _plain(action)], action


def _plain(action: QAction) -> str:
    return action.text().replace("&", "").removesuffix("…")


if __name__ == "__main__":
    main()
