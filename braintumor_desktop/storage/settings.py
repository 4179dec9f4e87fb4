"""What the program remembers between two starts. No patient data; recent files as paths only.

A damaged settings file never stops the start: keys that can't be used are dropped one by one, a file
that can't be read at all is kept aside as ``settings.json.broken``, and each repair is told in words.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from braintumor_desktop.domain.phrases import phrase

VERSION = 2
RECENT_LIMIT = 10
PAPERS = ("A4", "Letter")
COLORMAPS = ("cividis", "viridis", "jet")
DEVICES = ("auto", "cpu", "cuda")
APPEARANCES = ("dark", "light", "system")
CLINIC_LENGTHS = {"clinic_name": 200, "clinic_address": 1000, "clinic_footer": 1000}
CONFIG_DIR_VARIABLE = "BRAINTUMOR_CONFIG_DIR"


@dataclass
class Settings:
    """All of it, with the defaults of a first start.

    recent: paths, newest first; opacities: 0..1; max_file_mb: file size limit in MiB;
    language: a code such as ``de``, or ``system``;
    window_geometry, splitter_state: Qt's own bytes as base64, empty before the first close;
    deidentify_exports: all exports leave out what tells who the patient is; blank_text: and make places black that may
    hold text;
    keep_readings: the reader's measurements, verdicts and comments are kept, see `storage.readings`;
    clinic_name, clinic_address, clinic_footer: printed on reports; clinic_logo: a PNG as base64, so that it can't go
    missing when its file does.
    """

    version: int = VERSION
    recent: list[str] = field(default_factory=list)
    hide_recent_names: bool = False
    last_folder: str = ""
    paper: str = "A4"
    colormap: str = "cividis"
    show_contour: bool = True
    show_fill: bool = False
    show_heatmap: bool = False
    show_diameters: bool = True
    contour_opacity: float = 1.0
    fill_opacity: float = 0.35
    heatmap_opacity: float = 0.6
    max_file_mb: int = 16
    model_id: str = "neuro"
    device: str = "auto"
    cam: str = "grad-cam"
    mirrored: bool = True
    appearance: str = "dark"
    language: str = "system"
    window_geometry: str = ""
    splitter_state: str = ""
    keep_readings: bool = True
    deidentify_exports: bool = False
    blank_text: bool = False
    clinic_name: str = ""
    clinic_address: str = ""
    clinic_footer: str = ""
    clinic_logo: str = ""

    def remember(self, path: Path) -> None:
        """Put a file at the head of the recent ones."""
        text = str(path)
        self.recent = [text, *(old for old in self.recent if old != text)][:RECENT_LIMIT]

    def forget_recent(self) -> None:
        """Clear what could tell which files were opened."""
        self.recent = []
        self.last_folder = ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_base64(value: Any) -> bool:
    try:
        return _is_text(value) and base64.b64decode(value, validate=True) is not None
    except ValueError:
        return False


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_fraction(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0


def _one_of(choices: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in choices


def _text_up_to(length: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= length


_USABLE: dict[str, Callable[[Any], bool]] = {
    "recent": lambda value: isinstance(value, list) and len(value) <= RECENT_LIMIT and all(map(_is_text, value)),
    "hide_recent_names": _is_flag,
    "last_folder": _is_text,
    "paper": _one_of(PAPERS),
    "colormap": _one_of(COLORMAPS),
    "show_contour": _is_flag,
    "show_fill": _is_flag,
    "show_heatmap": _is_flag,
    "show_diameters": _is_flag,
    "contour_opacity": _is_fraction,
    "fill_opacity": _is_fraction,
    "heatmap_opacity": _is_fraction,
    "max_file_mb": lambda value: isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 4096,
    "model_id": lambda value: isinstance(value, str) and 0 < len(value) <= 64,
    "device": _one_of(DEVICES),
    "cam": lambda value: isinstance(value, str) and 0 < len(value) <= 32,
    "mirrored": _is_flag,
    "appearance": _one_of(APPEARANCES),
    "language": lambda value: isinstance(value, str) and 2 <= len(value) <= 16,
    "window_geometry": _is_base64,
    "splitter_state": _is_base64,
    "keep_readings": _is_flag,
    "deidentify_exports": _is_flag,
    "blank_text": _is_flag,
    **{key: _text_up_to(length) for key, length in CLINIC_LENGTHS.items()},
    "clinic_logo": lambda value: _is_base64(value) and len(value) <= 2**21 and value[:8] in ("", "iVBORw0K"),
}


def settings_path() -> Path:
    """The settings file: in the user's configuration folder, or in `BRAINTUMOR_CONFIG_DIR` for an isolated run."""
    folder = os.environ.get(CONFIG_DIR_VARIABLE) or platformdirs.user_config_dir("braintumor-desktop", appauthor=False)
    return Path(folder) / "settings.json"


def load_settings(path: Path | None = None) -> tuple[Settings, list[str]]:
    """Read the settings; what can't be used gets its default, and each repair one sentence.

    path: the file, `settings_path()` when None. Never raises: a missing file gives the defaults.
    """
    path = path if path is not None else settings_path()
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(raw, dict):
            raise ValueError("not an object")
    except FileNotFoundError:
        return Settings(), []
    except OSError:
        return Settings(), [phrase("The settings file could not be opened; the defaults are used.")]
    except (ValueError, RecursionError):
        return Settings(), [_keep_aside(path)]
    version = raw.pop("version", None)
    repairs: list[str] = []
    if not isinstance(version, int) or version > VERSION:
        repairs.append(phrase("The settings come from another version of the program; what is known was kept."))
    elif version < 2:
        raw.pop("mirrored", None)  # was off unless asked for; the mean became the answer that is calibrated
    settings = Settings()
    for key, value in raw.items():
        if key not in _USABLE:
            repairs.append(phrase("A setting that this version does not know was dropped."))
        elif not _USABLE[key](value):
            repairs.append(phrase("The setting “{key}” was damaged and has its default again.", key=key))
        else:
            setattr(settings, key, float(value) if key.endswith("_opacity") else value)
    return settings, repairs


def _keep_aside(path: Path) -> str:
    broken = path.with_name(path.name + ".broken")
    try:
        path.replace(broken)
    except OSError:
        return phrase("The settings file is damaged; the defaults are used.")
    return phrase("The settings file was damaged; it was kept as {name} and the defaults are used.", name=broken.name)


def save_settings(settings: Settings, path: Path | None = None) -> None:
    """Write the settings in one step: a reader finds the old file or the new one, never half of one.

    Raises OSError where the folder can't be written; the old file then stands as it was.
    """
    path = path if path is not None else settings_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        fresh.write_text(json.dumps(asdict(settings), indent=1), encoding="utf-8")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


assert {f.name for f in fields(Settings)} == {"version", *_USABLE}  # every setting has its check
