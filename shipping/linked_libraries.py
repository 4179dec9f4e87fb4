"""Leave out shared libraries that only left-out parts needed."""

from pathlib import PurePath

from PyInstaller.depend.bindepend import get_imports


def without_orphans(binaries, always=("libpython", "python3", "vcruntime", "msvcp", "ucrtbase", "api-ms")):
    """The entries (name in the bundle, source, type) that something in the bundle links to, directly or not.

    Only libraries at the top of the bundle and Qt's own are in question: those PyInstaller found by following links.
    Modules, plugins and what packages bring in folders of their own stay.
    """

    def in_question(entry):
        name = PurePath(entry[0])
        found_by_link = len(name.parts) == 1 or name.parent.as_posix() == "PySide6/Qt/lib"
        return found_by_link and entry[2] == "BINARY" and not name.name.lower().startswith(always)

    open_question = {PurePath(entry[0]).name: entry for entry in binaries if in_question(entry)}
    kept = [entry for entry in binaries if entry[2] != "SYMLINK" and not in_question(entry)]
    for entry in kept:  # grows while it is gone through
        for name, _path in get_imports(entry[1]):
            linked = open_question.pop(PurePath(name).name, None)
            if linked is not None:
                kept.append(linked)
    names = {PurePath(entry[0]).name for entry in kept}
    links = [entry for entry in binaries if entry[2] == "SYMLINK" and PurePath(entry[1]).name in names]
    return kept + links
