"""Qt's ICU library without the data that nothing here asks for: 29 of 31 MiB.

Qt's wheels for Linux bring ICU with the words and customs of all languages of the world. Qt itself calls it to sort
names as a language does, for upper and lower case, for time zones, and for old character sets. Kept are the sorting of
the program's languages and what it rests on, time zones without their names, and character properties; character sets
other than Unicode, Latin-1 and ASCII go. What is missing makes ICU fall back to its root locale.

The data are one symbol in a library. Its form: ICU's `unicode/udata.h` (the header) and `ucmndata.h` (a table of
contents: count, then offsets of name and content, sorted by name, from the table's own start).
"""

import platform
import struct
import subprocess
from fnmatch import fnmatch
from pathlib import Path

from assembler import shared_library

LIBRARY = "libicudata.so.*"
LANGUAGES = ("de", "en", "es", "fr", "hi", "pt")
KEPT = [
    "coll/root.res",
    "coll/ucadata.icu",
    "coll/res_index.res",
    *(f"coll/{language}*.res" for language in LANGUAGES),
    *(f"{language}.res" for language in LANGUAGES),
    "root.res",
    "pool.res",
    "res_index.res",
    "icustd.res",
    "icuver.res",
    "keyTypeData.res",
    "likelySubtags.res",
    "metadata.res",
    "metaZones.res",
    "numberingSystems.res",
    "supplementalData.res",
    "timezoneTypes.res",
    "windowsZones.res",
    "zoneinfo64.res",
    "zone/root.res",
    "zone/pool.res",
    "zone/res_index.res",
    "cnvalias.icu",
    "ulayout.icu",
    "uemoji.icu",
    "nfkc.nrm",
    "nfkc_cf.nrm",
    "uts46.nrm",
]
_ALIGNED = 16


def with_less_data(binaries, folder: Path):
    """PyInstaller's entries (name, source, type), ICU's data library made anew in this folder."""
    if platform.system() != "Linux":
        return binaries

    def lesser(entry):
        name, source, kind = entry
        if kind == "SYMLINK" or not fnmatch(Path(name).name, LIBRARY):
            return entry
        return name, str(make(Path(source), folder)), kind

    return [lesser(entry) for entry in binaries]


def make(library: Path, folder: Path) -> Path:
    """The library with the kept items alone, in this folder."""
    symbol, data = read(library)
    made = folder / library.name
    folder.mkdir(parents=True, exist_ok=True)
    blob = folder / f"{symbol}.dat"
    blob.write_bytes(reduced(data))
    head = f".section .rodata\n.balign {_ALIGNED}\n.globl {symbol}\n.type {symbol},@object\n"
    return shared_library(made, f'{head}{symbol}: .incbin "{blob.name}"\n.size {symbol}, . - {symbol}\n')


def read(library: Path) -> tuple[str, bytes]:
    """Name and content of the one symbol."""
    told = subprocess.run(["objdump", "-T", library], capture_output=True, text=True, check=True).stdout
    address, *_, size, name = next(line for line in told.splitlines() if line.endswith("_dat")).split()
    told = subprocess.run(["objdump", "-h", library], capture_output=True, text=True, check=True).stdout
    _, _, _, start, _, place, _ = next(line.split() for line in told.splitlines() if " .rodata " in line)
    begin = int(address, 16) - int(start, 16) + int(place, 16)
    return name, library.read_bytes()[begin : begin + int(size, 16)]


def items(data: bytes) -> tuple[int, dict[str, bytes]]:
    """Length of the header, and every item's content by its name, in the order of the table."""
    header, magic = struct.unpack_from("<HH", data)
    if magic != 0x27DA or data[12:16] != b"CmnD":
        raise SystemExit("ICU's data have another form than the one that is known here.")
    table = memoryview(data)[header:]
    count = struct.unpack_from("<I", table)[0]
    places = [struct.unpack_from("<II", table, 4 + 8 * index) for index in range(count)]
    ends = [place for _, place in places[1:]] + [len(table)]
    names = [bytes(table[at : at + 200]).split(b"\0")[0].decode() for at, _ in places]
    return header, {name: bytes(table[place:end]) for name, (_, place), end in zip(names, places, ends, strict=True)}


def reduced(data: bytes) -> bytes:
    """The same form with the kept items only."""
    header, found = items(data)
    kept = {n: c for n, c in found.items() if any(fnmatch(n.split("/", 1)[1], pattern) for pattern in KEPT)}
    names = bytearray()
    content = bytearray()
    places = []
    first_name = 4 + 8 * len(kept)
    first = first_name + sum(len(name) + 1 for name in kept)
    first += -(header + first) % _ALIGNED
    for name, item in kept.items():
        places.append((first_name + len(names), first + len(content)))
        names += name.encode() + b"\0"
        content += item + bytes(-len(item) % _ALIGNED)
    table = struct.pack("<I", len(kept)) + b"".join(struct.pack("<II", *place) for place in places) + bytes(names)
    return data[:header] + table.ljust(first, b"\xaa") + bytes(content)
