"""Empty stand-ins for large libraries that are linked to and never called.

OpenCV's wheel for Linux is linked against FFmpeg, and so brings video codecs, network protocols and a TLS library, and
against an AVIF codec: 45 MB, which the program has no use for. A stand-in has the names that OpenCV asks the loader
for, and whoever calls one ends the program. Made with the assembler and linker of binutils alone.
"""

import platform
import re
import subprocess
from collections import defaultdict
from pathlib import Path

STUBBED = re.compile(r"lib(avcodec|avformat|avutil|swscale|avif)-[0-9a-f]+\.so\.")
USER = "cv2.abi3.so"
_TRAP = {"x86_64": "ud2", "aarch64": "udf #0"}
_SYMBOL = re.compile(r"\s(?:\((?P<version>[A-Z]\w+)\)|(?P<plain>Base)|(?P<defined>[A-Z]\w+))?\s+(?P<name>\w+)$")


def with_stubs(binaries, folder: Path):
    """PyInstaller's entries, those of OpenCV's video libraries with a stand-in made in this folder as source."""
    users = [entry[1] for entry in binaries if Path(entry[0]).name == USER]
    if platform.system() != "Linux" or not users:
        return binaries
    folder.mkdir(parents=True, exist_ok=True)
    wanted = _symbols(users[0], undefined=True)
    replaced = []
    for name, source, kind in binaries:
        if kind != "SYMLINK" and STUBBED.match(Path(name).name) and "opencv" in name:
            source = _stub(Path(source), wanted, folder)
        replaced.append((name, str(source), kind))
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
    source = folder / f"{library.name}.s"
    source.write_text(f'.section .note.GNU-stack,"",@progbits\n.text\n{code}')
    by_version = defaultdict(list)
    for name in names:
        by_version[wanted[name]].append(name)
    scripts = [f"{version} {{ global: {'; '.join(found)}; }};\n" for version, found in sorted(by_version.items())]
    (folder / f"{library.name}.map").write_text("".join(scripts))
    made = folder / library.name
    subprocess.run(["as", "-o", f"{source}.o", source], check=True)
    link = ["ld", "-shared", "-z", "noexecstack", "--build-id=none", "-soname", library.name]
    subprocess.run([*link, "--version-script", folder / f"{library.name}.map", "-o", made, f"{source}.o"], check=True)
    return made
