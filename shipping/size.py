"""How large the bundle is, by part: `python shipping/size.py dist/braintumor`."""

import sys
from collections import Counter
from pathlib import Path

SHOWN = 16
FAMILIES = {
    "opencv_python_headless.libs": "cv2",
    "numpy.libs": "numpy",
    "pillow.libs": "PIL",
    "imagecodecs.libs": "imagecodecs",
    "pypdfium2_raw": "pypdfium2",
    "base_library.zip": "python",
    "shiboken6": "PySide6",
    "torchgen": "torch",
}
MIB = 2**20


def parts(folder: Path) -> Counter[str]:
    """Bytes by part; a package and the folder of its libraries are one part."""
    sizes: Counter[str] = Counter()
    for file in folder.rglob("*"):
        if file.is_symlink() or not file.is_file():
            continue
        inside = file.relative_to(folder).parts
        name = inside[1] if len(inside) > 1 else inside[0]
        if name.startswith(("python3", "libpython")):
            name = "python"
        elif len(inside) == 2 and name.startswith("lib"):
            name = "system libraries"
        elif len(inside) == 1 and name.startswith("braintumor"):
            name = "executable with its Python modules"
        sizes[FAMILIES.get(name, name)] += file.stat().st_size
    return sizes


def main(folder: Path) -> None:
    sizes = parts(folder)
    for name, size in sizes.most_common(SHOWN):
        print(f"{size / MIB:8.1f} MiB  {name}")
    rest = sizes.total() - sum(size for _name, size in sizes.most_common(SHOWN))
    print(f"{rest / MIB:8.1f} MiB  all else")
    print(f"{sizes.total() / MIB:8.1f} MiB  together ({sizes.total() / 1e6:.0f} MB)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
