"""Empty stand-ins for large libraries that are linked to and never called.

OpenCV's wheel for Linux is linked against FFmpeg, and so brings video codecs, network protocols and a TLS library,
against an AVIF codec, and against OpenBLAS for its larger matrix solvers: 87 MB, which the program has no use for
(`tests/repository/test_opencv_calls.py` says which of OpenCV's functions it may call). Pillow's is linked against X11,
to photograph a screen; D-Bus' against systemd's, with which a *server* is started, and so against encryption and three
compressors. A stand-in has the names that its user asks the loader for; whoever calls one ends the program.
"""

import platform
import re
import subprocess
from collections import defaultdict
from pathlib import Path

from assembler import shared_library

STUBBED = {
    "cv2.abi3.so": re.compile(r"lib(avcodec|avformat|avutil|swscale|avif|openblasp-r0)-[0-9a-f]+\."),
    "_imaging.cpython": re.compile(r"libxcb-[0-9a-f]+\.so\."),
    "libdbus-1.so": re.compile(r"libsystemd\.so\."),
}
"""By the beginning of the file name of the only library that links to them."""
_TRAP = {"x86_64": "ud2", "aarch64": "udf #0"}
_SYMBOL = re.compile(r"\s(?:\((?P<version>[A-Z]\w+)\)|(?P<plain>Base)|(?P<defined>[A-Z]\w+))?\s+(?P<name>\w+)$")


def with_stubs(binaries, folder: Path):
    """PyInstaller's entries, those of libraries that are never called with a stand-in made in this folder as source."""
    if platform.system() != "Linux":
        return binaries
    replaced = list(binaries)
    for user, pattern in STUBBED.items():
        users = [entry[1] for entry in binaries if Path(entry[0]).name.startswith(user)]
        if not users:
            continue
        wanted = _symbols(users[0], undefined=True)
        for index, (name, source, kind) in enumerate(replaced):
            library = Path(name)
            if kind != "SYMLINK" and pattern.match(library.name):
                replaced[index] = (name, str(_stub(Path(source), wanted, folder)), kind)
    return replaced


def _symbols(library, *, undefined: bool) -> dict[str, str]:
    """Version by name of the dynamic symbols that a library asks for, or that it has."""
    told = subprocess.run(["objdump", "-T", library], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in told.splitlines():
        match = _SYMBOL.search(line)
        if match and ("*UND*" in line) == undefined:
            found[match["name"]] = match["version"] or ""
    return found


def _stub(library: Path, wanted: dict[str, str], folder: Path) -> Path:
    names = sorted(wanted.keys() & _symbols(library, undefined=False).keys())
    code = "".join(f".globl {name}\n.type {name},@function\n{name}: {_TRAP[platform.machine()]}\n" for name in names)
    by_version = defaultdict(list)
    for name in names:
        by_version[wanted[name]].append(name)
    scripts = [f"{version} {{ global: {'; '.join(found)}; }};\n" for version, found in sorted(by_version.items())]
    return shared_library(folder / library.name, f".text\n{code}", "".join(scripts))
