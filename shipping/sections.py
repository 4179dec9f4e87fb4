"""A folder as .tar.xz whose parts are compressed each as suits it: libraries, weights, everything else.

An .xz file may be several streams one after the other, each with filters of its own, and whatever unpacks .xz unpacks
them as one (`xz(1)`, which also describes the filters). What each of them gains stands in docs/PERFORMANCE.md. Names,
owners, dates and order are the same for the same folder, and so are the bytes.
"""

import lzma
import os
import platform
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DICTIONARY = 64 * 2**20
"""How far back repetitions are found, in bytes; unpacking needs this much memory and hardly more."""
_STRONG = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": DICTIONARY}
# Addresses of calls become absolute ones, so that calls of one function look alike.
_CALLS = [{"id": lzma.FILTER_X86}] if platform.machine() == "x86_64" else []
FILTERS = {
    "libraries": [*_CALLS, {**_STRONG, "lc": 4, "pb": 0}],
    # Numbers of 16 bits: the upper byte is guessed from upper bytes alone, and the lower from lower ones.
    "weights": [{**_STRONG, "preset": 9, "lc": 2, "lp": 1, "pb": 1}],
    "all else": [_STRONG],
}
_BLOCK = 512
_CHUNK = 2**20


def write_archive(folder: Path, made: Path, name: str, made_at: int) -> dict[str, tuple[int, int]]:
    """Pack the folder, which is called `name` inside. Returns bytes before and after by section."""
    paths = [folder, *sorted(folder.rglob("*"))]
    by_section = {section: [path for path in paths if _section(path) == section] for section in FILTERS}
    parts = {section: made.with_name(f"{made.name}.{number}") for number, section in enumerate(FILTERS)}

    def compress(section: str) -> None:
        with lzma.open(parts[section], "wb", check=lzma.CHECK_CRC64, filters=FILTERS[section]) as stream:
            for path in by_section[section]:
                for piece in _member(path, Path(name, path.relative_to(folder)), made_at):
                    stream.write(piece)
            if section == list(FILTERS)[-1]:
                stream.write(bytes(2 * _BLOCK))  # the end of a tar file

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(compress, FILTERS))
    with made.open("wb") as whole:
        for part in parts.values():
            whole.write(part.read_bytes())
    sizes = {s: (sum(p.lstat().st_size for p in by_section[s]), parts[s].stat().st_size) for s in FILTERS}
    for part in parts.values():
        part.unlink()
    return sizes


def _section(path: Path) -> str:
    if path.suffix == ".safetensors":
        return "weights"
    return "libraries" if ".so" in path.name and path.is_file() and not path.is_symlink() else "all else"


def _member(path: Path, name: Path, made_at: int) -> Iterator[bytes]:
    """Header, content and padding of one member of a tar file."""
    info = tarfile.TarInfo(name.as_posix())
    info.mtime = made_at
    info.mode = 0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644
    if path.is_symlink():
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
    elif path.is_dir():
        info.type = tarfile.DIRTYPE
    else:
        info.size = path.stat().st_size
    yield info.tobuf(tarfile.GNU_FORMAT)
    if info.size:
        with path.open("rb") as stream:
            while piece := stream.read(_CHUNK):
                yield piece
        yield bytes(-info.size % _BLOCK)
