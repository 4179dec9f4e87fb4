"""Listing what was dropped and reading what the reader looks at, while the analysis goes on beside it."""

from __future__ import annotations

import threading
import time
import traceback
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QThreadPool, Signal

from braintumor_desktop.domain.errors import BrainTumorError, Cancelled, ErrorCode, internal_error
from braintumor_desktop.domain.phrases import phrase
from braintumor_desktop.domain.study import Study
from braintumor_desktop.imaging import Limits, list_inputs
from braintumor_desktop.imaging.windowing import Window, apply_window, robust_window

THUMBNAIL_PX = 96
_PROGRESS_EVERY_S = 0.05


@dataclass(frozen=True, eq=False)
class Loaded:
    """A study with what the window needs at once: its first window and a small picture.

    window: the file's own where it names one, else from the pixels;
    thumbnail: uint8 (rows, columns), grey, at most `THUMBNAIL_PX` a side; read: where it comes from.
    """

    study: Study
    window: Window
    thumbnail: NDArray[np.uint8]
    read: SharedRead

    @classmethod
    def of(cls, study: Study, read: SharedRead) -> Loaded:
        window = first_window(study)
        return cls(study, window, _thumbnail(study, window), read)


Stopped = Callable[[], bool]


class SharedRead:
    """Reads a study once for whoever asks first; the others, on any thread, get the same one while it is in use.

    read: is given what says whether to stop, and may raise Cancelled then.
    """

    def __init__(self, read: Callable[[Stopped], Study]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._study: weakref.ref[Study] | None = None
        self.load_ms = 0.0

    def ask_to_stop(self) -> None:
        """End what is being read or was asked for so far; what is asked for later begins anew."""
        stop, self._stop = self._stop, threading.Event()
        stop.set()

    def asked(self) -> Callable[[], Study]:
        """Ask for the study now, and get it by calling this later."""
        return partial(self._get, self._stop)

    def __call__(self) -> Study:
        return self.asked()()

    def _get(self, stop: threading.Event) -> Study:
        with self._lock:
            study = None if self._study is None else self._study()
            if study is None:
                if stop.is_set():
                    raise Cancelled
                began = time.perf_counter()
                study = self._read(stop.is_set)
                self.load_ms = 1000.0 * (time.perf_counter() - began)
                self._study = weakref.ref(study)
            return study


class Reader(QObject):
    """One listing and one reading at a time, on threads that never touch torch.

    listing: stage in words and share done; listed: the paths asked for, the Catalog, and whether it is made anew;
    listing_ended: in any case;
    loaded, unreadable: case number, and what was read or why not.
    """

    listing = Signal(object, float)
    listed = Signal(list, object, bool)
    listing_ended = Signal()
    trouble = Signal(object)
    loaded = Signal(int, object)
    unreadable = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lister, self._loader = QThreadPool(self), QThreadPool(self)
        for pool in (self._lister, self._loader):
            pool.setMaxThreadCount(1)
        self._stop = threading.Event()
        self._shut = threading.Event()

    def look_through(self, paths: Sequence[Path], limits: Limits, *, anew: bool = False) -> None:
        """Look through files, folders and archives. anew: some of what they hold is known already."""
        if self._stop.is_set():
            self._stop = threading.Event()
        stop = self._stop
        self._lister.start(lambda: self._list(list(paths), limits, stop, anew))

    def cancel_listing(self) -> None:
        """Stop all that was asked for so far."""
        self._stop.set()

    def load(self, case_id: int, read: SharedRead) -> None:
        """Read the pixels of a case now, whatever the analysis is busy with; earlier wishes not begun are dropped."""
        self._loader.clear()
        get = read.asked()
        self._loader.start(lambda: self._load(case_id, read, get))

    def shut(self, wait_ms: int = 15_000) -> bool:
        """Ask everything to stop, for good. True once nothing runs."""
        self._shut.set()
        self._stop.set()
        self._loader.clear()
        self._lister.clear()
        return self._lister.waitForDone(wait_ms) and self._loader.waitForDone(wait_ms)

    def _list(self, paths: list[Path], limits: Limits, stop: threading.Event, anew: bool) -> None:
        try:
            report = throttled(self.listing.emit)
            catalog = list_inputs(paths, progress=report, cancelled=stop.is_set, limits=limits)
            if not self._shut.is_set():
                self.listed.emit(paths, catalog, anew)
        except Cancelled:
            pass
        except Exception as error:  # noqa: BLE001 - nothing may vanish: the reader sees it, typed
            self.trouble.emit(typed_error(error))
        finally:
            self.listing_ended.emit()

    def _load(self, case_id: int, read: SharedRead, get: Callable[[], Study]) -> None:
        try:
            loaded = Loaded.of(get(), read)
            if not self._shut.is_set():
                self.loaded.emit(case_id, loaded)
        except Cancelled:
            pass
        except Exception as error:  # noqa: BLE001 - as in _list
            self.unreadable.emit(case_id, typed_error(error))


def first_window(study: Study) -> Window:
    """The file's own window, or its VOI look-up table's range; robust percentiles where it names none."""
    if study.window is not None and study.window[0] < study.window[1]:
        return Window(*study.window)
    return robust_window(study.pixels)


def throttled(tell: Callable[[str, float], None]) -> Callable[[str, float], None]:
    """Progress, but no more often than eyes can follow: a flood of signals would itself stall the window."""
    last_stage, last_time = "", 0.0

    def report(stage: str, fraction: float) -> None:
        nonlocal last_stage, last_time
        now = time.monotonic()
        if stage != last_stage or now - last_time >= _PROGRESS_EVERY_S:
            last_stage, last_time = stage, now
            tell(stage, fraction)

    return report


def typed_error(error: Exception) -> BrainTumorError:
    """Any exception as the program's own, the original as its cause, and free of the pixels it was raised over."""
    link: BaseException | None = error
    while link is not None:
        traceback.clear_frames(link.__traceback__)
        link = link.__cause__ or link.__context__
    if isinstance(error, BrainTumorError):
        return error
    if isinstance(error, MemoryError):
        typed = BrainTumorError(
            ErrorCode.OUT_OF_MEMORY,
            phrase("There is not enough memory for this picture."),
            phrase("Close other programs or cases, then retry."),
        )
    else:
        typed = internal_error(error)
    typed.__cause__ = error
    return typed


def _thumbnail(study: Study, window: Window) -> NDArray[np.uint8]:
    plane = study.pixels[study.slices // 2]
    step = max(1, min(plane.shape) // (2 * THUMBNAIL_PX))
    grey = apply_window(np.ascontiguousarray(plane[::step, ::step]), window)
    row_mm, column_mm = study.geometry.pixel_spacing_mm or (1.0, 1.0)
    height, width = grey.shape[0] * row_mm, grey.shape[1] * column_mm
    scale = THUMBNAIL_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
