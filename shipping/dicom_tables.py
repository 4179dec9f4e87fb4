"""highdicom's tables of the DICOM standard, without what it never looks up for the program's objects: 22 of 23 MB.

Of most modules highdicom asks for the attributes at their top level, which it copies from the source, and whether some
attribute occurs at all; attributes within sequences it asks for only where it writes them or checks its input.
"""

import json
from fnmatch import fnmatch
from pathlib import Path

ATTRIBUTES = "module_attribute_map.json"
WHOLE = (
    "specimen",
    "segmentation-image",
    "segmentation-multi-frame-functional-groups",
    "parametric-map-multi-frame-functional-groups",
)
"""Modules whose attributes within sequences are needed (`construct_module_tree`, `check_required_attributes`)."""
ASKED = (
    "PixelData",
    "FloatPixelData",
    "DoubleFloatPixelData",
    "ContentDate",
    "ContentTime",
    "NumberOfFrames",
    "TotalPixelMatrixRows",
)
"""Attributes of which it is asked whether a kind of object has them, anywhere (`is_attribute_in_iod`)."""


def with_smaller_tables(datas, folder: Path):
    """PyInstaller's entries (name, source, type), highdicom's tables made anew in this folder."""

    def smaller(entry):
        name, source, kind = entry
        if not fnmatch(Path(name).as_posix(), "highdicom/_standard/*.json"):
            return entry
        folder.mkdir(parents=True, exist_ok=True)
        made = folder / Path(name).name
        table = json.loads(Path(source).read_text("utf-8"))
        if made.name == ATTRIBUTES:
            table = {module: [a for a in has if _needed(module, a)] for module, has in table.items()}
        made.write_text(json.dumps(table, separators=(",", ":")), "utf-8")
        return name, str(made), kind

    return [smaller(entry) for entry in datas]


def _needed(module: str, attribute: dict) -> bool:
    return module in WHOLE or not attribute["path"] or attribute["keyword"] in ASKED
