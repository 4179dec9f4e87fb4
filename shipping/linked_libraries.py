"""Leave out shared libraries that only left-out parts needed."""

import re
import subprocess
import sys
from pathlib import PurePath

from PyInstaller.depend.bindepend import get_imports


def without_orphans(binaries, always=("libpython", "python3", "vcruntime", "msvcp", "ucrtbase", "api-ms")):
    """The entries (name in the bundle, source, type) that something in the bundle links to, directly or not.

    Only libraries at the top of the bundle, Qt's own and those of wheels are in question: PyInstaller found them by
    following links. Modules, plugins and what packages have beside their modules stay.
    """

    def in_question(entry):
        name = PurePath(entry[0])
        folder = name.parent.as_posix()
        found_by_link = len(name.parts) == 1 or folder == "PySide6/Qt/lib" or folder.endswith(".libs")
        return found_by_link and entry[2] == "BINARY" and not name.name.lower().startswith(always)

    open_question = {PurePath(entry[0]).name: entry for entry in binaries if in_question(entry)}
    kept = [entry for entry in binaries if entry[2] != "SYMLINK" and not in_question(entry)]
    for entry in kept:  # grows while it is gone through
        for name in _linked(entry[1]):
            linked = open_question.pop(name, None)
            if linked is not None:
                kept.append(linked)
    return kept


def links_to(binaries, entries):
    """Of these entries the links to libraries that stayed; PyInstaller lists them among the data files."""
    names = {PurePath(entry[0]).name for entry in binaries}
    return [entry for entry in entries if entry[2] == "SYMLINK" and PurePath(entry[1]).name in names]


def _linked(file: str) -> list[str]:
    """Names of the libraries that a file itself links to."""
    if sys.platform != "linux":
        return [PurePath(name).name for name, _path in get_imports(file)]
    # PyInstaller asks ldd here, which tells also what those link to in turn: of the originals, not of stand-ins.
    told = subprocess.run(["objdump", "-p", file], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^\s+NEEDED\s+(\S+)$", told, re.M)
